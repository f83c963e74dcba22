"""``mnist-net read``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mnist_net.cli import options
from mnist_net.cli.pictures import (
    Asked,
    given_pictures,
    places_of,
    reading_command,
    require_apart,
    seen_pictures,
    tell_of_pages,
)
from mnist_net.cli.shown import Saver, show_image
from mnist_net.cli.terminal import echo_json, echo_line, log

if TYPE_CHECKING:
    from mnist_net.reading.answers import Page


@reading_command(
    "read phone-number.jpg",
    "read --annotate answers.png page.jpg",
    "read --json scans/ > answers.jsonl",
)
@click.option(
    "--annotate",
    type=options.PNG_PATH,
    metavar="OUT.png",
    help="Write the picture with a box and the answer at each digit; for one IMAGE.",
)
def read(asked: Asked, annotate: Path | None) -> None:
    """Read all digits in each picture, row by row.

    IMAGE is a picture of several digits, such as a telephone number or a table, a folder of such
    pictures, a pattern such as 'scans/*.png', or - for standard input. A row of digits is printed
    as a line; a picture without any, as a dash.
    """
    from mnist_net.reading.answers import page_answer
    from mnist_net.trained.store import find_model

    given, model = given_pictures(asked), find_model(asked.model)
    if annotate:
        if len(given) != 1:
            raise click.UsageError(f"--annotate takes one picture, not {len(given)}")
        require_apart([annotate], asked.save_input)
        options.check_outputs([annotate], [model, *places_of(given)])
    saver = Saver(asked.save_input)
    for seen in seen_pictures(asked, given, pages=True):
        page: Page = seen.answer  # type: ignore[assignment]
        if asked.as_json:
            echo_json(page_answer(seen.given.name, page, str(model)))
        else:
            if len(given) > 1:
                echo_line(f"{seen.given.name}:")
            click.echo(page.text or f"- ({page.reason})")
            tell_of_pages(seen)
        for reading in page.digits:
            if asked.show:
                show_image(reading.image)
            saver.save(seen.given.name, reading.image)
        if annotate and seen.picture:
            _annotate(seen.picture, page, annotate)


def _annotate(picture: Any, page: "Page", path: Path) -> None:
    from mnist_net.pictures.decoding import save_png
    from mnist_net.reading.annotation import annotated

    save_png(annotated(picture, page), path)
    log.info(f"wrote {path}")
