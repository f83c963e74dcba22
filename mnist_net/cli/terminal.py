"""What reaches a terminal or a pipe: results on stdout; progress, warnings and errors on stderr."""

import json
import logging
import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from mnist_net.arrays import Bytes

log = logging.getLogger("mnist_net.cli")
"""Takes a command's progress and warnings, as the library's loggers take theirs."""

_SHADES = " .:-=+*#%@"


class EchoHandler(logging.Handler):
    """Shows on stderr what is logged: progress as it is, warnings marked as such."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one message."""
        mark = f"{click.style('warning:', fg='yellow')} " if record.levelno > logging.INFO else ""
        note(mark + printable_lines(record.getMessage()))


def note(message: str) -> None:
    """Print to stderr, quiet or not; that nobody can read it is no reason to stop."""
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


def counted(n: int, thing: str) -> str:
    """So many things, as in "1 picture" and "1,200 pictures"."""
    return f"{n:,} {thing}{'' if n == 1 else 's'}"


def echo_json(value: Any) -> None:
    """Print one line of JSON to stdout, in ASCII: whatever its encoding is, it is JSON.

    Numbers that JSON cannot say, as in the history of a run that overflowed, become null.
    """
    known = json.loads(json.dumps(value), parse_constant=lambda _: None)
    click.echo(json.dumps(known))


def show_image(image: "Bytes") -> None:
    """Print a picture with two pixels a character, in greys if the terminal has colours."""
    on_terminal = sys.stdout is not None and sys.stdout.isatty()
    if on_terminal and click.get_current_context().color is not False:
        # 24 greys from 232 (nearly black) to 255 (nearly white) of the 256 colours.
        greys = 232 + image.astype(int) * 23 // 255
        lines = [
            "".join(f"\x1b[38;5;{a};48;5;{b}m▀" for a, b in zip(*pair, strict=True)) + "\x1b[0m"
            for pair in zip(greys[::2], greys[1::2], strict=True)
        ]
    else:
        shades = (image[::2].astype(int) + image[1::2]) // 2 * (len(_SHADES) - 1) // 255
        lines = ["".join(_SHADES[shade] for shade in row).rstrip() for row in shades]
    click.echo("\n".join(lines))


def silence_stdout() -> None:
    """Let nothing more be written to a stdout that is broken or full.

    Python flushes it once more at exit, and would complain of that with a traceback.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def shows_progress() -> bool:
    """Whether a person watches, and has not asked for quiet, so that a progress bar makes sense."""
    return log.isEnabledFor(logging.INFO) and sys.stderr is not None and sys.stderr.isatty()


def program() -> str:
    """How to call this program again: as it was called."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return "python -m mnist_net"
    return "mnist-net" if shutil.which("mnist-net") == str(called) else str(called)
