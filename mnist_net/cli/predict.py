"""``mnist-net predict``."""

from typing import TYPE_CHECKING, Any

import click

from mnist_net.cli import options
from mnist_net.cli.pictures import Request, reading_options
from mnist_net.cli.terminal import echo_json, echo_line

if TYPE_CHECKING:
    from mnist_net.reading.answers import Reading


@options.command(
    "predict picture.png",
    "predict --show photo.jpg",
    "predict --top 3 examples/",
    "predict --json -r scans/ > answers.jsonl",
    "predict - < picture.png",
)
@reading_options
@click.option(
    "--top",
    type=options.whole(min=1),
    default=1,
    help="Show so many of the most probable digits; --json has them all.",
)
def predict(top: int, **asked: Any) -> None:
    """Read the digit in each picture.

    IMAGE is a picture of one digit in any common format, a folder of such pictures, a pattern such
    as 'scans/*.png', or - for standard input: a photograph, a scan or a drawing, dark on light or
    light on dark, of any size. Where there is no digit, the answer is a dash. For several digits
    in one picture there is `mnist-net read`.
    """
    from mnist_net.reading.answers import Reading, digit_answer
    from mnist_net.trained.store import load_cached

    request = Request(**asked)
    request.check_outputs()
    model = request.model_file
    classes = load_cached(model).classes.tolist()
    for seen, reading in request.answers(Reading, "digit"):
        name = seen.given.name
        if request.as_json:
            echo_json(digit_answer(name, reading, classes, str(model)))
        else:
            echo_line(f"{name}: {_answer(reading, classes, top, request.reject_below)}")
        request.show_and_save(name, [reading])


def _answer(reading: "Reading", classes: list[int], top: int, reject_below: float) -> str:
    """Probabilities of the digits; or why there is none, and the score that was too low."""
    if reading.probabilities is None:
        return f"- ({reading.reason})"
    if reading.digit is None:
        wide = reading.box and reading.box[2] > reading.box[3]
        hint = "; for several digits there is `mnist-net read`" if wide else ""
        score = f"score {reading.score:.2g}, below {reject_below:g}"
        return f"- ({reading.reason}: {score}{hint})"
    order = reading.probabilities.argsort(kind="stable")[::-1][:top]
    return ", ".join(f"{classes[k]} ({reading.probabilities[k]:.1%})" for k in order)
