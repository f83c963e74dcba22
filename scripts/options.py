"""What the commands of the studies share: options, and one group of commands for each folder."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click
from joblib import Parallel, delayed

from mnist_net.cluster import connected
from mnist_net.errors import MnistNetError

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


class Studies(click.Group):
    """Commands, one of which is meant where none is named; what is wrong is one sentence."""

    default = ""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (MnistNetError, FileNotFoundError) as error:
            raise click.ClickException(str(error)) from error

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        named = args and (args[0] in self.commands or args[0] == "--help")
        return super().parse_args(ctx, args if named or not self.default else [self.default, *args])


def studies(doc: str | None, default: str = "", **commands: click.Command) -> click.Group:
    """The group of a folder, with its module's docstring as help."""
    group = Studies(help=paragraphs(doc), commands=commands)
    group.default = default
    return group


def paragraphs(doc: str | None) -> str:
    """A docstring as help in which click does not join the lines of the commands."""
    return (doc or "").replace("\n\n    ", "\n\n\b\n    ")


def file(name: str, default: str, **attributes: Any) -> Callable[[F], F]:
    """An option that names a file or a folder."""
    return click.option(name, type=Path, default=Path(default), show_default=True, **attributes)


data = file("--data", "../shared/data/foreign", help="Pictures and their manifest.tsv.")
dataset = click.option("--dataset", default="mnist", show_default=True)
model = file("--model", "models/mnist.joblib")
detector = file("--detector", "models/detector.joblib")
held_out = click.option(
    "--held-out", default=10_000, show_default=True, help="Pictures to validate on, the last ones."
)
jobs = click.option("--jobs", default=2, show_default=True, help="Runs at a time, a thread each.")
scheduler = click.option(
    "--scheduler", help="Of a Dask cluster whose workers take the runs; each needs this checkout."
)
folder = file("--folder", ".", help="Where results/, models/ and checkpoints/ are.")
only = click.option("--only", default="", help="Recipes whose name begins so.")
trial = click.option("--trial", is_flag=True, help="Tiny networks: proves that it works.")

TINY: dict[str, Any] = {"hidden_layer_sizes": (20,), "epochs": 3, "drawn_digits": 0}
"""What a trial changes in a recipe."""


def spread(
    function: Callable[..., T],
    shared: Any,
    tasks: Iterable[tuple[Any, ...]],
    jobs: int,
    scheduler: str | None,
) -> list[T]:
    """What a function makes of something shared and of each task, by processes or a cluster."""
    if not scheduler:
        found: list[T] = Parallel(n_jobs=jobs)(delayed(function)(shared, *task) for task in tasks)
        return found
    with connected(scheduler) as cluster:
        return list(cluster.sharing(shared)(function, tasks))
