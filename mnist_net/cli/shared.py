"""Options and manners that the commands have in common."""

import json
import logging
import os
import shutil
import sys
from collections.abc import Iterable
from contextlib import suppress
from itertools import chain, combinations, product
from pathlib import Path
from typing import Any

import click

PATH = click.Path(path_type=Path, readable=False)  # whoever opens it says what is wrong


class ending(click.Path):  # noqa: N801  (called as a function is)
    """A file to write, whose name must say what it will be."""

    def __init__(self, *endings: str) -> None:
        super().__init__(path_type=Path)
        self.endings = endings

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path, if its name ends in one of these."""
        path = Path(value)
        if path.suffix.lower() not in self.endings:
            allowed = " or ".join(self.endings)
            self.fail(f"{path} must be a name that ends in {allowed}", param, ctx)
        return path


PNG_PATH = ending(".png")


class EchoHandler(logging.Handler):
    """Shows what the library logs on stderr: progress as it is, warnings marked as such."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one message."""
        if record.levelno >= logging.WARNING:
            warn(record.getMessage())
        else:
            note(printable_lines(record.getMessage()))


def note(message: str) -> None:
    """Print to stderr; that nobody can read it is no reason to stop."""
    with suppress(OSError):
        click.echo(message, err=True)


def printable(text: str) -> str:
    """A text on one line, with nothing in it that could steer a terminal, as a name might."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def printable_lines(text: str) -> str:
    """The same, but lines that are indented, as in a list of what was tried, stay lines."""
    return "\n  ".join(map(printable, text.split("\n  ")))


def echo_line(text: str) -> None:
    """Print one line of results to stdout."""
    click.echo(printable(text))


def tell(message: str) -> None:
    """Print progress to stderr, unless ``--quiet``."""
    logging.getLogger("mnist_net").info("%s", message)


def warn(message: str) -> None:
    """Print a warning to stderr."""
    note(f"{click.style('warning:', fg='yellow')} {printable_lines(message)}")


def silence_stdout() -> None:
    """Let nothing more be written to a stdout that is broken or full.

    Python flushes it once more at exit, and would complain of that with a traceback.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def check_outputs(outputs: Iterable[Path | None], inputs: Iterable[Path | None] = ()) -> None:
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


def program() -> str:
    """How to call this program again: as it was called."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return "python -m mnist_net"
    return "mnist-net" if shutil.which("mnist-net") == str(called) else str(called)


def shows_progress() -> bool:
    """Whether a person watches, and has not asked for quiet, so that a progress bar makes sense."""
    heard = logging.getLogger("mnist_net").isEnabledFor(logging.INFO)
    return heard and sys.stderr is not None and sys.stderr.isatty()


def echo_json(value: Any) -> None:
    """Print one line of JSON to stdout, in ASCII: whatever its encoding is, it is JSON.

    Numbers that JSON cannot say, as in the history of a run that overflowed, become null.
    """
    known = json.loads(json.dumps(value), parse_constant=lambda _: None)
    click.echo(json.dumps(known))


def epilog(*examples: str) -> str:
    """Text under a command's options that shows how it is used."""
    # \b keeps click from joining the lines.
    return "\b\nExamples:\n" + "\n".join(f"  mnist-net {example}" for example in examples)


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _be_quiet(_ctx: click.Context, _parameter: click.Parameter, quiet: bool) -> None:
    if quiet:
        logging.getLogger("mnist_net").setLevel(logging.WARNING)


quiet_option = click.option(
    "-q",
    "--quiet",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_be_quiet,
    help="Print results and warnings only.",
)


model_option = click.option(
    "--model",
    "-m",
    envvar="MNIST_NET_MODEL",
    show_envvar=True,
    metavar="MODEL",
    help="shipped, latest, or a file.  [default: what `mnist-net use` says, else models/"
    "latest.joblib, else the model that ships]",
)


def chosen_model(name: str | None, *, warns: bool = True) -> Path:
    """File of the model that answers; say so where another one is better proven, if `warns`.

    Raises
    ------
    ModelFileError
        If there is none, or it does not tell digits apart.
    """
    from mnist_net.errors import ModelFileError
    from mnist_net.trained.store import LATEST_MODEL, SHIPPED, find_model, load_cached

    path = find_model(name)
    model = load_cached(path)
    if model.metadata.get("kind") == "detector":
        raise ModelFileError(
            f"{path} tells digits from other things, not from each other: name another --model"
        )
    if not warns:
        return path
    if model.metadata.get("data", {}).get("name") == "digits":
        warn(
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
                tell(
                    f"{path} answers, with {1.0 - ours:.2%} errors on test pictures; the model "
                    f"that ships has {1.0 - shipped:.2%}: --model shipped, or `{program()} use "
                    "shipped`"
                )
    return path


data_home_option = click.option(
    "--data-home",
    type=PATH,
    envvar="SCIKIT_LEARN_DATA",
    show_envvar=True,
    help="Folder where data sets are kept.  [default: ~/scikit_learn_data]",
)
offline_option = click.option(
    "--offline", is_flag=True, help="Use only what this machine has; never fall back."
)
