"""Options that commands have in common, and checks of what they name."""

import logging
from collections.abc import Callable, Iterable
from functools import partial, reduce
from itertools import chain, combinations, product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mnist_net.cli.terminal import shows_progress

if TYPE_CHECKING:
    from mnist_net.datasets.dataset import Splits

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]
Paths = Iterable[Path | None]

PATH = click.Path(path_type=Path, readable=False)  # whoever opens it says what is wrong
path_option = partial(click.option, type=PATH)


def _require_png(
    _ctx: click.Context, _parameter: click.Parameter, path: Path | None
) -> Path | None:
    """Refuse a name that does not say what the file will be."""
    if path and path.suffix.lower() != ".png":
        raise click.BadParameter(f"{path} will be a PNG file: let its name end in .png")
    return path


png_option = partial(path_option, metavar="OUT.png", callback=_require_png)


def examples(*commands: str) -> str:
    """Text under a command's options that shows how it is used."""
    # \b keeps click from joining the lines.
    return "\b\nExamples:\n" + "\n".join(f"  mnist-net {command}" for command in commands)


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
model = path_option(
    "--model",
    "-m",
    envvar="MNIST_NET_MODEL",
    show_envvar=True,
    help="Model file.  [default: models/latest.joblib, then the model that ships]",
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
    return click.option("--seed", type=click.IntRange(min=0), default=0, help=of)


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
    from mnist_net.datasets.loading import dataset_files, load_dataset

    read = dataset_files(source["dataset"], source["data_home"])
    check_outputs(outputs, [*inputs, *read])
    return load_dataset(**source, progress=shows_progress())
