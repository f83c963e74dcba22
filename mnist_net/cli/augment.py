"""``mnist-net augment``."""

from pathlib import Path
from typing import Any

import click

from mnist_net.cli import options
from mnist_net.cli.terminal import echo_line
from mnist_net.learning.distortion import DISTORTIONS

_MAGNIFICATION = 3


@options.command(
    "augment --preview distortions.png",
    "augment --preview elastic.png --distortion elastic --count 20 --seed 1",
)
@options.png_option("--preview", required=True, help="File to write.")
@click.option(
    "--distortion",
    type=click.Choice(list(DISTORTIONS)),
    default="both",
    help="As for mnist-net train.",
)
@click.option(
    "--count",
    type=options.whole(1, 1_000),
    default=10,
    help="How many pictures, a row each.",
)
@options.seed("Of the choice of pictures and of their distortions.")
@options.dataset
@options.quiet
def augment(preview: Path, distortion: str, count: int, seed: int, **source: Any) -> None:
    """Show training pictures beside distortions of them.

    Each row begins with a picture as it is; the others are what training might make of it.
    """
    import numpy as np

    from mnist_net.learning.distortion import contact_sheet
    from mnist_net.pictures.decoding import save_png

    train = options.load_splits([preview], **source).train
    random = np.random.default_rng(seed)
    count = min(count, len(train.images))
    rows = random.choice(len(train.images), count, replace=False)
    sheet = contact_sheet(train.images[rows], DISTORTIONS[distortion], random)
    save_png(sheet.repeat(_MAGNIFICATION, axis=0).repeat(_MAGNIFICATION, axis=1), preview)
    echo_line(f"{preview}: {count} training pictures of {train.name}, each beside distortions")
