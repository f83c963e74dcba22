"""``mnist-net augment``."""

from pathlib import Path

import click

from mnist_net.cli.shared import (
    PNG_PATH,
    check_outputs,
    data_home_option,
    echo_line,
    epilog,
    offline_option,
    quiet_option,
    shows_progress,
)
from mnist_net.learning.distortion import DISTORTIONS

_MAGNIFICATION = 3


@click.command(
    epilog=epilog(
        "augment --preview distortions.png",
        "augment --preview elastic.png --distortion elastic --count 20 --seed 1",
    )
)
@click.option("--preview", type=PNG_PATH, required=True, metavar="OUT.png", help="File to write.")
@click.option(
    "--distortion",
    type=click.Choice(list(DISTORTIONS)),
    default="both",
    show_default=True,
    help="As for mnist-net train.",
)
@click.option(
    "--count",
    type=click.IntRange(1, 1_000),
    default=10,
    show_default=True,
    help="How many pictures, a row each.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Of the choice of pictures and of their distortions.",
)
@click.option("--dataset", default="auto", show_default=True, help="As for mnist-net train.")
@data_home_option
@offline_option
@quiet_option
def augment(
    preview: Path,
    distortion: str,
    count: int,
    seed: int,
    dataset: str,
    data_home: Path | None,
    offline: bool,
) -> None:
    """Show training pictures beside distortions of them.

    Each row begins with a picture as it is; the others are what training might make of it.
    """
    import numpy as np

    from mnist_net.datasets.loading import dataset_files, load_dataset
    from mnist_net.learning.distortion import contact_sheet
    from mnist_net.pictures.decoding import save_png

    check_outputs([preview], dataset_files(dataset, data_home))
    progress = shows_progress()
    train = load_dataset(dataset, data_home, offline=offline, progress=progress).train
    random = np.random.default_rng(seed)
    count = min(count, len(train.images))
    rows = random.choice(len(train.images), count, replace=False)
    sheet = contact_sheet(train.images[rows], DISTORTIONS[distortion], random)
    save_png(sheet.repeat(_MAGNIFICATION, axis=0).repeat(_MAGNIFICATION, axis=1), preview)
    echo_line(f"{preview}: {count} training pictures of {train.name}, each beside distortions")
