"""``mnist-net read``."""

from pathlib import Path
from typing import Any

import click

from mnist_net.cli import options
from mnist_net.cli.pictures import Request, pictures_and_model, reading_options
from mnist_net.cli.terminal import echo_json, echo_line, log


@click.command(
    epilog=options.examples(
        "read phone-number.jpg",
        "read --annotate answers.png page.jpg",
        "read --json scans/ > answers.jsonl",
    )
)
@pictures_and_model
@options.png_option(
    "--annotate",
    help="Write the picture with a box and the answer at each digit; for one IMAGE.",
)
@reading_options
def read(annotate: Path | None, **asked: Any) -> None:
    """Read all digits in each picture, row by row.

    IMAGE is a picture of several digits, such as a telephone number or a table, a folder of such
    pictures, or - for standard input. A row of digits is printed as a line; a picture without
    any, as a dash.
    """
    from mnist_net.pictures.decoding import save_png
    from mnist_net.reading.annotation import annotated
    from mnist_net.trained.store import find_model

    request = Request(**asked)
    request.require_apart(annotate)
    if annotate:
        if len(request.files) != 1:
            raise click.UsageError(f"--annotate takes one picture, not {len(request.files)}")
        options.check_outputs([annotate], [request.model or find_model(), *request.paths])
    reader = request.reader()
    for name, picture in request.without_errors(request.pictures()):
        page = reader.read_page(picture)
        if request.as_json:
            echo_json({"image": name, **page.as_dict()})
        else:
            if len(request.files) > 1:
                echo_line(f"{name}:")
            click.echo(page.text or f"- ({page.reason})")
        request.show_and_save(name, page.digits)
        if annotate:
            save_png(annotated(picture, page), annotate)
            log.info("wrote %s", annotate)
