"""Whole processes: starting the command line, and loading MNIST."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from mnist_net.datasets.mnist import load_mnist
from scripts.records import ROOT
from scripts.speed.figures import Row, measured
from scripts.speed.problems import Settings
from scripts.speed.workers import Entry, Trial, alone, quiet, take_turns

_IMPORTS = "import numpy, PIL.Image, joblib, click"


def commands(settings: Settings) -> dict[str, list[str]]:
    """What is started; `mnist-net` as it was installed beside this Python, or else as a module."""
    script = Path(sys.executable).with_name("mnist-net")
    ours = [str(script)] if script.exists() else [sys.executable, "-m", "mnist_net"]
    imports = {"sklearn": "import sklearn.neural_network", "torch": "import torch"}
    codes = {"python, nothing": "pass", _IMPORTS: _IMPORTS}
    codes |= {code: code for package, code in imports.items() if settings.has(package)}
    return {
        "mnist-net --help": [*ours, "--help"],
        "mnist-net predict": [*ours, "predict", str(ROOT / "examples" / "7.png")],
        **{name: [sys.executable, "-c", code] for name, code in codes.items()},
    }


def run_command(command: Sequence[str]) -> None:
    """From its start to its end, without showing what it says."""
    # Installed packages have their bytecode: if none were kept, ours alone would be compiled.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")


def measure_startup(settings: Settings) -> Iterator[Row]:
    """Each command, again and again."""
    made = {name: partial(quiet, run_command, one) for name, one in commands(settings).items()}
    rounds = settings.rounds if settings.quick else 4 * settings.rounds
    outcomes = take_turns(made, rounds, settings.threads)
    # The peak is that of the process that waits for it.
    outcomes = {name: outcome._replace(peak=None) for name, outcome in outcomes.items()}
    yield {"problem": "process", "measured": measured(outcomes, _IMPORTS, "mnist-net predict")}


def from_openml_cache(data_home: str, parser: str) -> Trial:
    """`fetch_openml()` by one of its two parsers."""
    from sklearn.datasets import fetch_openml

    options = {"version": 1, "as_frame": False, "parser": parser, "data_home": data_home}
    return quiet(partial(fetch_openml, "mnist_784", **options))


def measure_loading(settings: Settings) -> Iterator[Row]:
    """Each time in a fresh process; imports are not counted. Nothing if the data are not MNIST."""
    if settings.dataset != "mnist":
        return
    alone(partial(quiet, load_mnist), settings.threads)  # makes the cache where there is none
    made: dict[str, Entry] = {"load_mnist()": partial(quiet, partial(load_mnist, offline=True))}
    with tempfile.TemporaryDirectory() as folder:
        if settings.openml_home is not None:
            # A copy: fetch_openml deletes what it fails to parse.
            home = str(shutil.copytree(settings.openml_home, Path(folder, "openml")))
            for parser, package in (("pandas", "pandas"), ("liac-arff", "sklearn")):
                if settings.has(package):
                    name = f"fetch_openml(parser={parser!r})"
                    made[name] = partial(from_openml_cache, home, parser)
        outcomes = {}
        for name, entry in made.items():
            fresh = [alone(entry, settings.threads) for _ in range(settings.rounds)]
            seconds, peak = [one.seconds[0] for one in fresh], max(one.peak or 0 for one in fresh)
            outcomes[name] = fresh[0]._replace(seconds=seconds, peak=peak)
        yield {"problem": "MNIST from a cache", "measured": measured(outcomes, "load_mnist()")}
