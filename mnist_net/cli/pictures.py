"""What ``predict`` and ``read`` have in common: from names to pictures, from answers to files."""

import io
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

import click

from mnist_net.cli import options
from mnist_net.cli.terminal import echo_json, log, note, printable, program, show_image
from mnist_net.errors import ImageError
from mnist_net.reading.threshold import REJECT_BELOW

if TYPE_CHECKING:
    from mnist_net.arrays import Bytes
    from mnist_net.pictures.decoding import Picture
    from mnist_net.reading.answers import Reading
    from mnist_net.reading.reader import Reader

T = TypeVar("T")

_MOST_BYTES = 500_000_000


def _require_number(_ctx: click.Context, _parameter: click.Parameter, value: float) -> float:
    """Refuse "nan", which click's range lets pass."""
    if math.isnan(value):
        raise click.BadParameter("nan is not a number from 0 to 1.")
    return value


@dataclass
class Request:
    """What both commands are asked, by options of these names, and what they do about it alike."""

    images: tuple[str, ...]
    model: Path | None
    reject_below: float
    show: bool
    save_input: Path | None
    as_json: bool

    def __post_init__(self) -> None:
        """Find the pictures: the name of each, and where it is, or why there is none."""
        self.files = [file for argument in self.images for file in _files(argument)]
        self.paths = [file for _, file in self.files if isinstance(file, Path)]
        self._saver = Saver(self.save_input)

    def require_apart(self, *outputs: Path | None) -> None:
        """Refuse to write what was seen into a folder that has pictures of this command."""
        from mnist_net.files import resolved

        pictures, folder = [*self.paths, *filter(None, outputs)], self.save_input
        if folder and any(resolved(path).parent == resolved(folder) for path in pictures):
            raise click.UsageError(
                f"--save-input {folder} would overwrite its pictures: name another"
            )

    def reader(self) -> "Reader":
        """A reader with the model that is asked for."""
        from mnist_net.reading.reader import Reader
        from mnist_net.trained.store import load_detector, load_model

        model = load_model(self.model)
        if model.metadata.get("data", {}).get("name") == "digits":
            log.warning(
                "this model has only seen scikit-learn's 8×8 digits and will misread many "
                "pictures: train one on MNIST with `%s train --dataset mnist`",
                program(),
            )
        return Reader(model, load_detector(), self.reject_below)

    def pictures(self) -> "Iterator[Picture | ImageError]":
        """Each picture, decoded when it is asked for, or what stands against it."""
        from mnist_net.pictures.decoding import open_image

        for name, file in self.files:
            try:
                yield file if isinstance(file, ImageError) else open_image(file, name)
            except ImageError as error:
                yield error

    def without_errors(self, results: Iterable[T | ImageError]) -> Iterator[tuple[str, T]]:
        """Name and result of each picture; errors are told, and at the end are status 1."""
        failed = False
        for (name, _), result in zip(self.files, results, strict=True):
            if not isinstance(result, ImageError):
                yield name, result
                continue
            failed = True
            if self.as_json:
                echo_json({"image": name, "error": str(result)})
            else:
                note(f"{click.style('Error:', fg='red')} {printable(str(result))}")
        if failed:
            raise click.exceptions.Exit(1)

    def show_and_save(self, name: str, readings: "Sequence[Reading]") -> None:
        """What the network saw on a picture, as far as it is asked for."""
        for one in readings:
            if self.show and one.box:
                show_image(one.image)
            self._saver.save(name, one.image)


pictures_and_model = options.together(
    click.argument("images", nargs=-1, required=True, metavar="IMAGE..."), options.model
)
reading_options = options.together(
    click.option(
        "--reject-below",
        type=click.FloatRange(0.0, 1.0),
        callback=_require_number,
        metavar="P",
        default=REJECT_BELOW,
        help="Take what looks less than this like a digit for none; 0 refuses nothing.",
    ),
    click.option("--show", is_flag=True, help="Print what the network saw, 28×28."),
    options.path_option(
        "--save-input",
        metavar="DIR",
        help="Write what the network saw into this folder, as PNG of 28×28.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print JSON Lines, one object a picture."),
    options.quiet,
)


def _files(argument: str) -> list[tuple[str, Path | BinaryIO | ImageError]]:
    """Name and place of a picture; of those in a folder, sorted by name; or what is wrong."""
    from mnist_net.pictures.decoding import is_image_name

    path = Path(argument)
    try:
        if not argument:  # else it would be the folder that we are in
            raise ImageError("'' is no name; give a picture, a folder, or -")
        if argument == "-":
            return [(argument, _standard_input())]
        if not path.is_dir():
            return [(argument, path)]
        files = sorted(file for file in path.iterdir() if is_image_name(file) and file.is_file())
        if not files:
            raise ImageError(f"{argument}: no pictures in this folder")
        return [(str(file), file) for file in files]
    except ImageError as error:
        return [(argument, error)]
    except OSError as error:
        return [(argument, ImageError(f"{argument[:100]}: {error.strerror or error}"))]


def _standard_input() -> BinaryIO:
    if sys.stdin is None:
        raise ImageError("-: standard input is closed")
    content = sys.stdin.buffer.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise ImageError(f"-: more than {_MOST_BYTES:,} bytes are no picture of a digit")
    return io.BytesIO(content)


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
