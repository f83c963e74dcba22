"""Options and manners that the commands have in common."""

import json
import logging
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import click

__all__ = [
    "PATH",
    "EchoHandler",
    "data_home_option",
    "echo_json",
    "epilog",
    "json_option",
    "model_option",
    "note",
    "offline_option",
    "printable",
    "program",
    "quiet_option",
    "require_distinct",
    "silence_stdout",
    "stderr_is_terminal",
    "tell",
    "warn",
]

Command = TypeVar("Command", bound=Callable[..., Any])

PATH = click.Path(path_type=Path, readable=False)  # whoever opens it says what is wrong


class EchoHandler(logging.Handler):
    """Shows what the library logs on stderr: progress as it is, warnings marked as such."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one message."""
        if record.levelno >= logging.WARNING:
            warn(record.getMessage())
        else:
            note(record.getMessage())


def note(message: str) -> None:
    """Print to stderr; that nobody can read it is no reason to stop."""
    with suppress(OSError):
        click.echo(message, err=True)


def printable(text: str) -> str:
    """A stranger's text with nothing in it that could steer a terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)


def tell(message: str) -> None:
    """Print progress to stderr, unless ``--quiet``."""
    logging.getLogger("mnist_net").info("%s", message)


def warn(message: str) -> None:
    """Print a warning to stderr."""
    note(f"{click.style('warning:', fg='yellow')} {message}")


def silence_stdout() -> None:
    """Let nothing more be written to a stdout that is broken or full.

    Python flushes it once more at exit, and would complain of that with a traceback.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def require_distinct(*paths: Path | None) -> None:
    """Refuse to write two things into one file."""
    from mnist_net.files import resolved

    seen: dict[Path, Path] = {}
    for path in paths:
        if path and (other := seen.setdefault(resolved(path), path)) is not path:
            raise click.UsageError(f"{other} and {path} are one file: name two")


def program() -> str:
    """How to call this program again: as it was called."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return "python -m mnist_net"
    return "mnist-net" if shutil.which("mnist-net") == str(called) else str(called)


def stderr_is_terminal() -> bool:
    """Whether a person watches, so that a progress bar makes sense."""
    return sys.stderr is not None and sys.stderr.isatty()


def echo_json(value: Any) -> None:
    """Print one line of JSON to stdout."""
    click.echo(json.dumps(value, ensure_ascii=False))


def epilog(*examples: str) -> str:
    """Text under a command's options that shows how it is used."""
    # \b keeps click from joining the lines.
    return "\b\nExamples:\n" + "\n".join(f"  mnist-net {example}" for example in examples)


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _be_quiet(_ctx: click.Context, _parameter: click.Parameter, quiet: bool) -> bool:
    if quiet:
        logging.getLogger("mnist_net").setLevel(logging.WARNING)
    return quiet


quiet_option = click.option(
    "-q",
    "--quiet",
    is_flag=True,
    is_eager=True,
    callback=_be_quiet,
    help="Print results and warnings only.",
)


def model_option(command: Command) -> Command:
    """Add ``--model``."""
    return click.option(
        "--model",
        "-m",
        type=PATH,
        envvar="MNIST_NET_MODEL",
        show_envvar=True,
        help="Model file.  [default: models/latest.joblib, then the model that ships]",
    )(command)


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
