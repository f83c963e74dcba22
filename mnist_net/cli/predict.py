"""``mnist-net predict``."""

from typing import TYPE_CHECKING

import click

from mnist_net.cli.pictures import (
    Asked,
    given_pictures,
    reading_command,
    seen_pictures,
    tell_of_pages,
)
from mnist_net.cli.shown import Saver, show_image
from mnist_net.cli.terminal import echo_json, echo_line

if TYPE_CHECKING:
    from mnist_net.arrays import Labels
    from mnist_net.reading.answers import Reading


@reading_command(
    "predict picture.png",
    "predict --show photo.jpg",
    "predict --top 3 examples/",
    "predict --json -r scans/ > answers.jsonl",
    "predict - < picture.png",
)
@click.option(
    "--top",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Show so many of the most probable digits; --json has them all.",
)
def predict(asked: Asked, top: int) -> None:
    """Read the digit in each picture.

    IMAGE is a picture of one digit in any common format, a folder of such pictures, a pattern such
    as 'scans/*.png', or - for standard input: a photograph, a scan or a drawing, dark on light or
    light on dark, of any size. Where there is no digit, the answer is a dash. For several digits
    in one picture there is `mnist-net read`.
    """
    from mnist_net.reading.answers import digit_answer
    from mnist_net.trained.store import find_model, load_cached

    model = find_model(asked.model)
    classes = load_cached(model).classes
    saver = Saver(asked.save_input)
    for seen in seen_pictures(asked, given_pictures(asked), pages=False):
        reading: Reading = seen.answer  # type: ignore[assignment]
        if asked.as_json:
            echo_json(digit_answer(seen.given.name, reading, classes, str(model)))
        else:
            echo_line(f"{seen.given.name}: {_answer(reading, classes, top, asked)}")
            tell_of_pages(seen)
        if asked.show and reading.box:
            show_image(reading.image)
        saver.save(seen.given.name, reading.image)


def _answer(reading: "Reading", classes: "Labels", top: int, asked: Asked) -> str:
    """Probabilities of the digits; or why there is none, and the score that was too low."""
    if reading.probabilities is None:
        return f"- ({reading.reason})"
    if reading.digit is None:
        wide = reading.box and reading.box[2] > reading.box[3]
        hint = "; for several digits there is `mnist-net read`" if wide else ""
        score = f"score {reading.score:.2g}, below {asked.reject_below:g}"
        return f"- ({reading.reason}: {score}{hint})"
    order = reading.probabilities.argsort(kind="stable")[::-1][:top]
    return ", ".join(f"{classes[k]} ({reading.probabilities[k]:.1%})" for k in order)
