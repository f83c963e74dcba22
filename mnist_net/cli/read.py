"""``mnist-net read``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    PNG_PATH,
    check_outputs,
    echo_json,
    echo_line,
    epilog,
    model_option,
    quiet_option,
    tell,
)
from mnist_net.errors import ImageError

if TYPE_CHECKING:
    from mnist_net.reading.answers import Page


@click.command(
    epilog=epilog(
        "read phone-number.jpg",
        "read --annotate answers.png page.jpg",
        "read --json scans/ > answers.jsonl",
    )
)
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@model_option
@click.option(
    "--annotate",
    type=PNG_PATH,
    metavar="OUT.png",
    help="Write the picture with a box and the answer at each digit; for one IMAGE.",
)
@reading_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON Lines, one object a picture.")
@quiet_option
def read(
    images: tuple[str, ...],
    model: Path | None,
    annotate: Path | None,
    reject_below: float,
    show: bool,
    save_input: Path | None,
    as_json: bool,
) -> None:
    """Read all digits in each picture, row by row.

    IMAGE is a picture of several digits, such as a telephone number or a table, a folder of such
    pictures, or - for standard input. A row of digits is printed as a line; a picture without
    any, as a dash.
    """
    from mnist_net.pictures.decoding import save_png
    from mnist_net.reading.annotation import annotated
    from mnist_net.trained.store import find_model

    files = list(picture_files(images))
    places = [file for _, file in files if isinstance(file, Path)]
    require_apart([*places, annotate], save_input)
    if annotate:
        if len(files) != 1:
            raise click.UsageError(f"--annotate takes one picture, not {len(files)}")
        check_outputs([annotate], [model or find_model(), *places])
    reader = make_reader(model, reject_below)
    saver = Saver(save_input)
    failed = False
    for name, file in files:
        picture = opened(name, file)
        if isinstance(picture, ImageError):
            failed = True
            tell_error(name, picture, as_json=as_json)
            continue
        page = reader.read_page(picture)
        if as_json:
            echo_json(_as_json(name, page))
        else:
            if len(files) > 1:
                echo_line(f"{name}:")
            click.echo(page.text or f"- ({page.reason})")
        for reading in page.digits:
            if show:
                show_image(reading.image)
            saver.save(name, reading.image)
        if annotate:
            save_png(annotated(picture, page), annotate)
            tell(f"wrote {annotate}")
    if failed:
        raise click.exceptions.Exit(1)


def _as_json(name: str, page: "Page") -> dict[str, Any]:
    return {
        "image": name,
        "text": page.text,
        "digits": [
            {
                "digit": reading.digit,
                "probability": reading.probability,
                "score": reading.score,
                "box": list(reading.box) if reading.box else None,
            }
            for reading in page.digits
        ],
        "reason": page.reason,
    }
