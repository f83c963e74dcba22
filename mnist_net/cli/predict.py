"""``mnist-net predict``."""

import sys
from collections.abc import Iterator
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import click

from mnist_net.cli import options
from mnist_net.cli.pictures import Request, pictures_and_model, reading_options
from mnist_net.cli.terminal import echo_json, echo_line, shows_progress

if TYPE_CHECKING:
    from mnist_net.errors import ImageError
    from mnist_net.reading.answers import Reading

    Readings = Iterator[Reading | ImageError]

_MANY = 20  # pictures, of which a progress bar tells how many are left


@click.command(
    epilog=options.examples(
        "predict picture.png",
        "predict --show photo.jpg",
        "predict --top 3 examples/",
        "predict --json *.jpg > answers.jsonl",
        "predict - < picture.png",
    )
)
@pictures_and_model
@click.option(
    "--top",
    type=click.IntRange(min=1),
    default=1,
    help="Show so many of the most probable digits; --json has them all.",
)
@reading_options
def predict(top: int, **asked: Any) -> None:
    """Read the digit in each picture.

    IMAGE is a picture of one digit in any common format, a folder of such pictures, or - for
    standard input: a photograph, a scan or a drawing, dark on light or light on dark, of any
    size. Where there is no digit, the answer is a dash. For several digits in one picture there
    is `mnist-net read`.
    """
    request = Request(**asked)
    request.require_apart()
    reader = request.reader()
    classes = reader.model.classes.tolist()
    readings = _watched(reader.read(request.pictures()), len(request.files))
    for name, reading in request.without_errors(readings):
        if request.as_json:
            echo_json({"image": name, **reading.as_dict(classes)})
        else:
            echo_line(f"{name}: {_answer(reading, classes, top)}")
        request.show_and_save(name, [reading])


def _watched(readings: "Readings", total: int) -> "Readings":
    """The same, with a progress bar for many."""
    if total < _MANY or not shows_progress():
        yield from readings
        return
    from tqdm import tqdm

    # On a terminal, the bar gives way to each line of the results.
    on_terminal = sys.stdout is not None and sys.stdout.isatty()
    with tqdm(total=total, unit="picture") as bar:
        for reading in readings:
            with tqdm.external_write_mode() if on_terminal else nullcontext():
                yield reading
            bar.update()


def _answer(reading: "Reading", classes: list[int], top: int) -> str:
    if reading.digit is None or reading.probabilities is None:
        wide = reading.box and reading.box[2] > reading.box[3]
        hint = "; for several digits there is `mnist-net read`" if wide else ""
        return f"- ({reading.reason}{hint})"
    order = reading.probabilities.argsort(kind="stable")[::-1][:top]
    return ", ".join(f"{classes[k]} ({reading.probabilities[k]:.1%})" for k in order)
