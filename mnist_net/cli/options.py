"""Options that commands have in common, and checks of what they name."""

import logging
import math
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial, reduce
from itertools import chain, combinations, product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mnist_net.cli.terminal import log, program, shows_progress
from mnist_net.reading.threshold import REJECT_BELOW

if TYPE_CHECKING:
    from mnist_net.datasets.dataset import Splits
    from mnist_net.datasets.shards import ShardedSplits

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]
Paths = Iterable[Path | None]

PATH = click.Path(path_type=Path, readable=False)  # whoever opens it says what is wrong
path_option = partial(click.option, type=PATH)


class whole(click.IntRange):  # noqa: N801  (called as a function is)
    """A whole number within bounds, which click would call an integer range."""

    name = "integer"


class ending(click.Path):  # noqa: N801  (called as a function is)
    """A file to write, whose name must say what it will be."""

    def __init__(self, *endings: str) -> None:
        super().__init__(path_type=Path)
        self.endings = endings

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path, if its name ends in one of these."""
        path = Path(value)
        if path.suffix.lower() not in self.endings:
            self.fail(f"{path} must be a name that ends in {' or '.join(self.endings)}", param, ctx)
        return path


PNG_PATH = ending(".png")
png_option = partial(click.option, type=PNG_PATH, metavar="OUT.png")


def examples(*commands: str) -> str:
    """Text under a command's options that shows how it is used."""
    # \b keeps click from joining the lines.
    return "\b\nExamples:\n" + "\n".join(f"  mnist-net {command}" for command in commands)


def command(*uses: str) -> Callable[[Command], click.Command]:
    """Make a function a command, with examples of its use."""
    return click.command(epilog=examples(*uses))


def together(*options: Decorator) -> Decorator:
    """Several options as one decorator, in the order in which help shows them."""
    return lambda command: reduce(lambda made, option: option(made), reversed(options), command)


def _be_quiet(_ctx: click.Context, _parameter: click.Parameter, quiet: bool) -> None:
    if quiet:
        logging.getLogger("mnist_net").setLevel(logging.WARNING)


quiet = click.option(
    "-q",
    "--quiet",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_be_quiet,
    help="Print results and warnings only.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
model = click.option(
    "--model",
    "-m",
    envvar="MNIST_NET_MODEL",
    show_envvar=True,
    metavar="MODEL",
    help="shipped, latest, or a file.  [default: what `mnist-net use` says, else models/"
    "latest.joblib, else the model that ships]",
)


def _require_number(_ctx: click.Context, _parameter: click.Parameter, value: float) -> float:
    """Refuse "nan", which click's range lets pass."""
    if math.isnan(value):
        raise click.BadParameter("nan is not a number from 0 to 1.")
    return value


reject_below = click.option(
    "--reject-below",
    type=click.FloatRange(0.0, 1.0),
    callback=_require_number,
    metavar="P",
    default=REJECT_BELOW,
    help="Take what looks less than this like a digit for none; 0 refuses nothing.",
)
data_home = path_option(
    "--data-home",
    envvar="SCIKIT_LEARN_DATA",
    show_envvar=True,
    help="Folder where data sets are kept.  [default: ~/scikit_learn_data]",
)
offline = click.option(
    "--offline", is_flag=True, help="Use only what this machine has; never fall back."
)
dataset = together(
    click.option("--dataset", default="auto", help="As for mnist-net train."), data_home, offline
)


def seed(of: str) -> Decorator:
    """``--seed``, a whole number from 0 on, of what the help says."""
    return click.option("--seed", type=whole(min=0), default=0, help=of)


def check_outputs(outputs: Paths, inputs: Paths = ()) -> None:
    """Find out before the work what must not, or cannot, be written.

    Two outputs must not be one file, and no output a file that the command reads.
    """
    from mnist_net.files import check_writable, same_file

    written = [path for path in outputs if path]
    read = [path for path in inputs if path]
    for one, other in chain(combinations(written, 2), product(written, read)):
        if same_file(one, other):
            raise click.UsageError(f"{one} and {other} are one file: name two")
    for path in written:
        check_writable(path)


def load_splits(outputs: Paths, inputs: Paths = (), **source: Any) -> "Splits":
    """What ``--dataset``, ``--data-home`` and ``--offline`` name, if the outputs can be written."""
    from mnist_net.datasets.loading import load_dataset

    _check_data(outputs, inputs, source)
    return load_dataset(**source, progress=shows_progress())


def open_splits(outputs: Paths, inputs: Paths = (), **source: Any) -> "Splits | ShardedSplits":
    """The same, but that the training pictures of a folder of shards stay on disk."""
    from mnist_net.datasets.loading import open_dataset

    _check_data(outputs, inputs, source)
    return open_dataset(**source, progress=shows_progress())


def _check_data(outputs: Paths, inputs: Paths, source: dict[str, Any]) -> None:
    from mnist_net.datasets.loading import dataset_files

    read = dataset_files(source["dataset"], source["data_home"])
    check_outputs(outputs, [*inputs, *read])


def chosen_model(name: str | None, *, warns: bool = True) -> Path:
    """File of the model that answers; say so where another one is better proven, if `warns`.

    Raises
    ------
    ModelFileError
        If there is none, or it does not tell digits apart.
    """
    from mnist_net.errors import ModelFileError
    from mnist_net.trained.companions import check_is_no_companion
    from mnist_net.trained.store import LATEST_MODEL, SHIPPED, find_model, load_cached

    path = find_model(name)
    model = load_cached(path)
    check_is_no_companion(model, str(path))
    if not warns:
        return path
    if model.metadata.get("data", {}).get("name") == "digits":
        log.warning(
            "this model has only seen scikit-learn's 8×8 digits and will misread many pictures: "
            f"train one on MNIST with `{program()} train --dataset mnist`"
        )
    elif not name and path == LATEST_MODEL:
        with suppress(ModelFileError):
            ours, shipped = (
                m.metadata.get("accuracy", {}).get("test", 0.0)
                for m in (model, load_cached(find_model(SHIPPED)))
            )
            if ours < shipped:
                log.info(
                    f"{path} answers, with {1.0 - ours:.2%} errors on test pictures; the model "
                    f"that ships has {1.0 - shipped:.2%}: --model shipped, or `{program()} use "
                    "shipped`"
                )
    return path
