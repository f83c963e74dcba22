"""``mnist-net predict``."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from mnist_net.cli.pictures import (
    Saver,
    make_reader,
    opened,
    picture_files,
    reading_options,
    require_apart,
    show_image,
    tell_error,
)
from mnist_net.cli.shared import (
    echo_json,
    echo_line,
    epilog,
    model_option,
    quiet_option,
    shows_progress,
)
from mnist_net.errors import ImageError

if TYPE_CHECKING:
    from mnist_net.pictures.decoding import Picture
    from mnist_net.reading.answers import Reading
    from mnist_net.reading.reader import Reader

    Result = tuple[str, Reading | ImageError]

_MANY = 20  # pictures, of which a progress bar tells how many are left


@click.command(
    epilog=epilog(
        "predict picture.png",
        "predict --show photo.jpg",
        "predict --top 3 examples/",
        "predict --json *.jpg > answers.jsonl",
        "predict - < picture.png",
    )
)
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@model_option
@click.option(
    "--top",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Show so many of the most probable digits; --json has them all.",
)
@reading_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON Lines, one object a picture.")
@quiet_option
def predict(
    images: tuple[str, ...],
    model: Path | None,
    top: int,
    reject_below: float,
    show: bool,
    save_input: Path | None,
    as_json: bool,
) -> None:
    """Read the digit in each picture.

    IMAGE is a picture of one digit in any common format, a folder of such pictures, or - for
    standard input: a photograph, a scan or a drawing, dark on light or light on dark, of any
    size. Where there is no digit, the answer is a dash. For several digits in one picture there
    is `mnist-net read`.
    """
    files = list(picture_files(images))
    require_apart([file for _, file in files if isinstance(file, Path)], save_input)
    reader = make_reader(model, reject_below)
    failed = False
    saver = Saver(save_input)
    for name, reading in _read(reader, files):
        if isinstance(reading, ImageError):
            failed = True
            tell_error(name, reading, as_json=as_json)
            continue
        if as_json:
            echo_json(_as_json(reader, name, reading))
        else:
            echo_line(f"{name}: {_answer(reader, reading, top)}")
        if show and reading.box:
            show_image(reading.image)
        saver.save(name, reading.image)
    if failed:
        raise click.exceptions.Exit(1)


def _read(
    reader: "Reader", files: list[tuple[str, Path | BinaryIO | ImageError]]
) -> Iterator["Result"]:
    """Each picture's name and reading, with a progress bar for many."""
    pictures: Iterable[Picture | ImageError] = (opened(name, file) for name, file in files)
    readings: Iterator[Result] = zip(
        (name for name, _ in files), reader.read(pictures), strict=True
    )
    if len(files) >= _MANY and shows_progress():
        readings = _watched(readings, len(files))
    yield from readings


def _watched(results: "Iterator[Result]", total: int) -> "Iterator[Result]":
    from tqdm import tqdm

    # On a terminal, the bar gives way to each line of the results.
    on_terminal = sys.stdout is not None and sys.stdout.isatty()
    with tqdm(total=total, unit="picture") as bar:
        for result in results:
            with tqdm.external_write_mode() if on_terminal else nullcontext():
                yield result
            bar.update()


def _as_json(reader: "Reader", name: str, reading: "Reading") -> dict[str, Any]:
    probabilities = None
    if reading.probabilities is not None:
        classes = map(str, reader.model.classes.tolist())
        probabilities = dict(zip(classes, reading.probabilities.tolist(), strict=True))
    return {
        "image": name,
        "digit": reading.digit,
        "probability": reading.probability,
        "score": reading.score,
        "probabilities": probabilities,
        "box": list(reading.box) if reading.box else None,
        "reason": reading.reason,
    }


def _answer(reader: "Reader", reading: "Reading", top: int) -> str:
    if reading.digit is None or reading.probabilities is None:
        wide = reading.box and reading.box[2] > reading.box[3]
        hint = "; for several digits there is `mnist-net read`" if wide else ""
        return f"- ({reading.reason}{hint})"
    order = reading.probabilities.argsort(kind="stable")[::-1][:top]
    classes = reader.model.classes
    return ", ".join(f"{classes[k]} ({reading.probabilities[k]:.1%})" for k in order)
