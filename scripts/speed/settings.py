"""How much is measured."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from scripts.speed.machine import cores

QUICK_ROWS = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Options of the command line.

    Attributes
    ----------
    dataset
        What `load_dataset` takes.
    rounds
        In each of which all competitors do one unit of work.
    threads
        That each competitor may use; the cores of the machine by default.
    quick
        Small problems, which prove that all works and nothing else.
    peers
        Whether other libraries are measured, as far as they are installed.
    openml_home
        A folder with a cache of `fetch_openml` to load from, or None.
    """

    dataset: str = "mnist"
    rounds: int = 5
    threads: int = cores()
    quick: bool = False
    peers: bool = True
    openml_home: Path | None = None

    @property
    def rows(self) -> int | None:
        """Pictures to train on; None for all."""
        return QUICK_ROWS if self.quick else None

    def has(self, package: str) -> bool:
        """Whether what needs this library is to be measured: ours always, peers if wanted."""
        return package == "numpy" or (self.peers and find_spec(package) is not None)
