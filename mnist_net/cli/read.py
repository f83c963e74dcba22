"""``mnist-net read``."""

from pathlib import Path
from typing import Any

import click

from mnist_net.cli import options
from mnist_net.cli.pictures import Request, reading_options
from mnist_net.cli.terminal import echo_json, echo_line, log


@options.command(
    "read phone-number.jpg",
    "read --annotate answers.png page.jpg",
    "read --json scans/ > answers.jsonl",
)
@reading_options
@options.png_option(
    "--annotate",
    help="Write the picture with a box and the answer at each digit; for one IMAGE.",
)
def read(annotate: Path | None, **asked: Any) -> None:
    """Read all digits in each picture, row by row.

    IMAGE is a picture of several digits, such as a telephone number or a table, a folder of such
    pictures, a pattern such as 'scans/*.png', or - for standard input. A row of digits is printed
    as a line; a picture without any, as a dash.
    """
    from mnist_net.pictures.decoding import save_png
    from mnist_net.reading.annotation import annotated
    from mnist_net.reading.answers import Page, page_answer

    request = Request(**asked)
    if annotate and len(request.given) != 1:
        raise click.UsageError(f"--annotate takes one picture, not {len(request.given)}")
    request.check_outputs(*filter(None, [annotate]))
    for seen, page in request.answers(Page):
        name = seen.given.name
        if request.as_json:
            echo_json(page_answer(name, page, str(request.model_file)))
        else:
            if len(request.given) > 1:
                echo_line(f"{name}:")
            click.echo(page.text or f"- ({page.reason})")
        request.show_and_save(name, page.digits)
        if annotate and seen.picture:
            save_png(annotated(seen.picture, page), annotate)
            log.info(f"wrote {annotate}")
