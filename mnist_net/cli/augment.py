"""``mnist-net augment``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mnist_net.cli import options
from mnist_net.cli.terminal import echo_line, shows_progress
from mnist_net.learning.distortion import DISTORTIONS

if TYPE_CHECKING:
    from mnist_net.datasets.dataset import Dataset, Splits

_MAGNIFICATION = 3


@options.command(
    "augment --preview distortions.png",
    "augment --preview elastic.png --distortion elastic --count 20 --seed 1",
    "augment --output shards/ --times 135    # 8.1 million digits, 6.4 GB",
)
@options.png_option("--preview", help="File to write.")
@options.path_option(
    "--output",
    "-o",
    metavar="DIR",
    help="Write all training pictures into this folder of shards, distorted anew in each, and the "
    "test pictures as they are; train --dataset DIR then streams them.",
)
@click.option(
    "--times",
    type=options.whole(1, 9_999),
    default=10,
    help="How many shards; the first has the pictures as they are.",
)
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
    help="How many pictures of the preview, a row each.",
)
@options.seed("Of the choice of pictures and of their distortions.")
@options.dataset
@options.quiet
def augment(
    preview: Path | None,
    output: Path | None,
    times: int,
    distortion: str,
    count: int,
    seed: int,
    **source: Any,
) -> None:
    """Show training pictures beside distortions of them, or write distorted ones.

    Each row of the preview begins with a picture as it is; the others are what training might make
    of it.
    """
    if not (preview or output):
        raise click.UsageError("name what to write: --preview FILE.png, or --output DIR")
    first = output and output / "test-0001.npz"
    splits = options.load_splits([preview, first], **source)
    if preview:
        _preview(preview, splits.train, distortion, count, seed)
    if output:
        _write(output, splits, times, distortion, seed)


def _write(folder: Path, splits: "Splits", times: int, distortion: str, seed: int) -> None:
    from tqdm import tqdm

    from mnist_net.datasets.shards import write_shards

    written = write_shards(folder, splits, times, DISTORTIONS[distortion], seed)
    for _ in tqdm(written, total=times + 1, unit="shard", disable=not shows_progress()):
        pass
    n_train, n_test = len(splits.train.labels), len(splits.test.labels)
    echo_line(f"{folder}: {times} × {n_train:,} training pictures, and {n_test:,} to test on")


def _preview(preview: Path, train: "Dataset", distortion: str, count: int, seed: int) -> None:
    import numpy as np

    from mnist_net.learning.distortion import contact_sheet
    from mnist_net.pictures.decoding import save_png

    random = np.random.default_rng(seed)
    count = min(count, len(train.images))
    rows = random.choice(len(train.images), count, replace=False)
    sheet = contact_sheet(train.images[rows], DISTORTIONS[distortion], random)
    save_png(sheet.repeat(_MAGNIFICATION, axis=0).repeat(_MAGNIFICATION, axis=1), preview)
    echo_line(f"{preview}: {count} training pictures of {train.name}, each beside distortions")
