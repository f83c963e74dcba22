"""``mnist-net predict``."""

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import click

from mnist_net.cli.shared import (
    echo_json,
    epilog,
    model_option,
    note,
    printable,
    program,
    quiet_option,
    warn,
)
from mnist_net.errors import ImageError

__all__ = ["predict"]

_MOST_BYTES = 500_000_000


@click.command(
    epilog=epilog(
        "predict picture.png",
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
    help="Show so many of the most probable digits.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON Lines, one object a picture.")
@quiet_option
def predict(
    images: tuple[str, ...],
    model: Path | None,
    top: int,
    as_json: bool,
    quiet: bool,  # noqa: ARG001  (its callback has acted)
) -> None:
    """Read the digit in each picture.

    IMAGE is a picture of one digit in any common format, a folder of such pictures, or - for
    standard input. The digit may be dark on light or light on dark, of any size.
    """
    from mnist_net.images import read_image
    from mnist_net.persistence import load_model

    loaded = load_model(model)
    if loaded.metadata.get("data", {}).get("name") == "digits":
        warn(
            "this model has only seen scikit-learn's 8×8 digits and will misread many pictures: "
            f"train one on MNIST with `{program()} train --dataset mnist`"
        )
    failed = False
    for name, file in _files(images):
        try:
            if isinstance(file, ImageError):
                raise file
            probabilities = loaded.predict_proba(read_image(file, name)[None])[0]
        except ImageError as error:
            failed = True
            if as_json:
                echo_json({"image": name, "error": str(error)})
            else:
                note(f"{click.style('Error:', fg='red')} {printable(str(error))}")
            continue
        order = probabilities.argsort(kind="stable")[::-1]
        if as_json:
            echo_json(
                {
                    "image": name,
                    "digit": int(loaded.classes[order[0]]),
                    "probability": float(probabilities[order[0]]),
                    "probabilities": probabilities.tolist(),
                }
            )
        else:
            answers = ", ".join(
                f"{loaded.classes[k]} ({probabilities[k]:.1%})" for k in order[:top]
            )
            click.echo(f"{printable(name)}: {answers}")
    if failed:
        raise click.exceptions.Exit(1)


def _files(arguments: tuple[str, ...]) -> Iterator[tuple[str, Path | BinaryIO | ImageError]]:
    """Name and place of each picture; a folder gives those in it, sorted by name."""
    from mnist_net.images import is_image_name

    for argument in arguments:
        path = Path(argument)
        try:
            if argument == "-":
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
