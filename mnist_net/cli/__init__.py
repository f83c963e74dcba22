"""The command line: each command parses, makes one library call or two, and prints.

Results go to stdout; progress, warnings and errors to stderr.  Exit status 0 means success, 1 an
error that one sentence explains, 2 wrong usage, 130 an interruption.
"""

import io
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from importlib import import_module

import click

from mnist_net.cli.terminal import EchoHandler, note, printable, printable_lines, silence_stdout
from mnist_net.errors import MnistNetError

# What help says of each command; its module is imported when it is called for.
_COMMANDS = {
    "predict": "Read the digit in each picture.",
    "read": "Read all digits in each picture, row by row, and the signs between them.",
    "train": "Train a network and save it as a model.",
    "tune": "Search for better hyperparameters.",
    "evaluate": "Measure a model on test pictures.",
    "report": "Write a page on how good models are, one or several.",
    "serve": "Serve a page to draw on, and reading over HTTP.",
    "adapt": "Let a copy of the model learn your hand.",
    "feedback": "Look after corrections of what was read wrongly.",
    "use": "Settle which model answers in this folder.",
    "export": "Write a model for use elsewhere: a page, ONNX, arrays, C.",
    "info": "Show what a model is and how it came to be.",
    "augment": "Show training pictures beside distortions of them, or write distorted ones.",
    "data": "Look after the data set.",
    "gradcheck": "Prove that the derived gradients are right.",
    "help": "Show the help of a command.",
    "completion": "Print what makes a shell complete commands and options.",
}


class _Commands(click.Group):
    """Commands that are imported when needed, and errors that are sentences."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"mnist_net.cli.{cmd_name}"), cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        near = get_close_matches(args[0], _COMMANDS, 1)
        if args[0] not in _COMMANDS and near and not args[0].startswith("-"):
            ctx.fail(f"No such command {args[0]!r}. Did you mean {near[0]!r}?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # not every terminal can write Σ or a name
                stream.reconfigure(errors="backslashreplace")
        with _errors_as_sentences(ctx):  # --help and --version print from in here
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        with _errors_as_sentences(ctx):
            return super().invoke(ctx)


@contextmanager
def _errors_as_sentences(ctx: click.Context) -> Iterator[None]:
    try:
        yield
    except MnistNetError as error:
        raise click.ClickException(printable_lines(str(error))) from error
    except click.UsageError as error:
        message = error.format_message()
        if message.startswith("Usage: "):  # the help of a group that was called without a command
            raise
        message = message.replace("\n\t", " ")  # click's list of choices is no part of a name
        raise click.UsageError(printable(message), error.ctx) from error
    except MemoryError as error:
        raise click.ClickException("there is not enough memory for this") from error
    except BrokenPipeError:
        # Whoever reads us, `head` say, has seen enough.
        silence_stdout()
        ctx.exit(1)
    except OSError as error:
        if error.filename is None:
            silence_stdout()
        place = f"{error.filename}: " if error.filename else "cannot write: "
        raise click.ClickException(printable(f"{place}{error.strerror or error}")) from error
    except KeyboardInterrupt:
        note("interrupted")
        ctx.exit(130)


@click.group(
    cls=_Commands,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
        "show_default": True,
    },
    epilog="Start with `mnist-net predict picture.png` or `mnist-net train`.",
)
@click.version_option(package_name="mnist-net", prog_name="mnist-net")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Read handwritten digits with a neural network whose gradients are derived by hand."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        ctx.color = False
    logger = logging.getLogger("mnist_net")
    logger.handlers = [EchoHandler()]
    logger.setLevel(logging.INFO)
    logger.propagate = False
