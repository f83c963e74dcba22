"""What ``predict`` and ``read`` have in common: finding pictures, and showing what was seen."""

import io
import math
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import click

from mnist_net.cli.shared import PATH, echo_json, note, printable, program, warn
from mnist_net.errors import ImageError
from mnist_net.reading.threshold import REJECT_BELOW

if TYPE_CHECKING:
    from mnist_net.arrays import Bytes
    from mnist_net.pictures.decoding import Picture
    from mnist_net.reading.reader import Reader

Command = TypeVar("Command", bound=Callable[..., Any])

_MOST_BYTES = 500_000_000
_SHADES = " .:-=+*#%@"


def _require_number(_ctx: click.Context, _parameter: click.Parameter, value: float) -> float:
    """Refuse "nan", which click's range lets pass."""
    if math.isnan(value):
        raise click.BadParameter("nan is not a number from 0 to 1.")
    return value


def reading_options(command: Command) -> Command:
    """Add ``--reject-below``, ``--show`` and ``--save-input``."""
    for option in (
        click.option(
            "--save-input",
            type=PATH,
            metavar="DIR",
            help="Write what the network saw into this folder, as PNG of 28×28.",
        ),
        click.option("--show", is_flag=True, help="Print what the network saw, 28×28."),
        click.option(
            "--reject-below",
            type=click.FloatRange(0.0, 1.0),
            callback=_require_number,
            metavar="P",
            default=REJECT_BELOW,
            show_default=True,
            help="Take what looks less than this like a digit for none; 0 refuses nothing.",
        ),
    ):
        command = option(command)
    return command


def make_reader(model: Path | None, reject_below: float) -> "Reader":
    """A reader with the model that the options name."""
    from mnist_net.reading.reader import Reader
    from mnist_net.trained.store import load_detector, load_model

    loaded = load_model(model)
    if loaded.metadata.get("data", {}).get("name") == "digits":
        warn(
            "this model has only seen scikit-learn's 8×8 digits and will misread many pictures: "
            f"train one on MNIST with `{program()} train --dataset mnist`"
        )
    return Reader(loaded, load_detector(), reject_below)


def picture_files(
    arguments: tuple[str, ...],
) -> Iterator[tuple[str, Path | BinaryIO | ImageError]]:
    """Name and place of each picture; a folder gives those in it, sorted by name."""
    from mnist_net.pictures.decoding import is_image_name

    for argument in arguments:
        path = Path(argument)
        try:
            if not argument:  # else it would be the folder that we are in
                yield argument, ImageError("'' is no name; give a picture, a folder, or -")
            elif argument == "-":
                yield argument, _standard_input()
            elif path.is_dir():
                files = sorted(f for f in path.iterdir() if is_image_name(f) and f.is_file())
                yield from ((str(file), file) for file in files)
                if not files:
                    yield argument, ImageError(f"{argument}: no pictures in this folder")
            else:
                yield argument, path
        except OSError as error:
            yield argument, ImageError(f"{argument[:100]}: {error.strerror or error}")


def _standard_input() -> BinaryIO | ImageError:
    if sys.stdin is None:
        return ImageError("-: standard input is closed")
    content = sys.stdin.buffer.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        return ImageError(f"-: more than {_MOST_BYTES:,} bytes are no picture of a digit")
    return io.BytesIO(content)


def opened(name: str, file: Path | BinaryIO | ImageError) -> "Picture | ImageError":
    """A decoded picture, or what stands against it."""
    from mnist_net.pictures.decoding import open_image

    if isinstance(file, ImageError):
        return file
    try:
        return open_image(file, name)
    except ImageError as error:
        return error


def tell_error(name: str, error: ImageError, *, as_json: bool) -> None:
    """Say that a picture could not be read, where the answers go or on stderr."""
    if as_json:
        echo_json({"image": name, "error": str(error)})
    else:
        note(f"{click.style('Error:', fg='red')} {printable(str(error))}")


def show_image(image: "Bytes") -> None:
    """Print a picture with two pixels a character, in greys if the terminal has colours."""
    lines = [_line(upper, lower) for upper, lower in zip(image[::2], image[1::2], strict=True)]
    click.echo("\n".join(lines))


def _line(upper: "Bytes", lower: "Bytes") -> str:
    context = click.get_current_context()
    coloured = (
        sys.stdout is not None and sys.stdout.isatty() and context.find_root().color is not False
    )
    if coloured:
        # 24 greys from 232 (nearly black) to 255 (nearly white) of the 256 colours.
        cells = (
            f"\x1b[38;5;{232 + int(a) * 23 // 255};48;5;{232 + int(b) * 23 // 255}m▀"
            for a, b in zip(upper, lower, strict=True)
        )
        return "".join(cells) + "\x1b[0m"
    means = (upper.astype(int) + lower) // 2
    return "".join(_SHADES[int(mean) * (len(_SHADES) - 1) // 255] for mean in means).rstrip()


def require_apart(pictures: Iterable[Path | None], folder: Path | None) -> None:
    """Refuse to write what was seen into a folder that has pictures of this command."""
    from mnist_net.files import resolved

    if folder and any(path and resolved(path).parent == resolved(folder) for path in pictures):
        raise click.UsageError(f"--save-input {folder} would overwrite its pictures: name another")


class Saver:
    """Writes what the network saw, each picture under a name of its own."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._names: set[str] = set()

    def save(self, name: str, image: "Bytes") -> None:
        """Write one picture; the second of the same name gets a number."""
        if self.folder is None:
            return
        from mnist_net.pictures.decoding import save_png

        stem = "stdin" if name == "-" else Path(name).stem
        numbered = (f"{stem}-{number}" for number in count(2))
        unused = next(n for n in chain([stem], numbered) if n not in self._names)
        self._names.add(unused)
        save_png(image, self.folder / f"{unused}.png")
