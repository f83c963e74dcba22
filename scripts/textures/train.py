"""Train the network that tells what is written on a photograph from all else.

    python -m scripts.textures train      # models/textures.joblib, an hour on two cores

It sees a figure with what is around it, in grey.  Each sample is shown as it is, and three times
varied (samples.py).  That which ships learned in eight epochs from 56,899 samples of some 6,500
pages and 330 parts of real photographs, drawn in lots while the reader was built.
"""

import time
from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from mnist_net.arrays import Bytes
from mnist_net.datasets.dataset import Dataset, data_digest
from mnist_net.learning.distortion import Distortion
from mnist_net.trained.store import save_model
from scripts import options
from scripts.detector.train import RECIPE as OF_DETECTOR
from scripts.detector.train import fit
from scripts.textures.samples import REAL, Samples, fields_of, make, varied

FIRST_SEED = 300_000  # of the pages, so that those to measure by are others
NOTHING = {"empty": 5, "texture": 5, REAL: 2}
WRITTEN = (
    *("few", "rows", "long", "perspective", "ruled", "squared", "shadow", "crumple", "edge"),
    *("light-on-dark", "rough-photo", "small-photo", "register", "faint", "underlined", "dates"),
    *("boxes", "framed", "circled", "columns", "touching", "uneven", "slanted", "sloped", "signs"),
)
"""Kinds of pages: so many times as many of what is nothing."""
_TIMES = 3  # that each sample is varied

RECIPE = replace(
    OF_DETECTOR,
    feature_maps=(16, 48),
    hidden_layer_sizes=(64,),
    epochs=9,
    weight_decay=0.05,
    warmup_epochs=0.3,
    distortion=Distortion(),
)


def tasks(count: int, first: int) -> list[tuple[str, int]]:
    """Kinds and seeds of pages: `count` of each kind with writing."""
    times = {**NOTHING, **dict.fromkeys(WRITTEN, 1)}
    return [(kind, first + k) for kind, n in times.items() for k in range(n * count)]


def dataset_of(samples: Samples, random: np.random.Generator) -> Dataset:
    """All samples as they are, and varied, in any order."""
    fields = [fields_of(samples.squares), *(varied(samples, random) for _ in range(_TIMES))]
    order = random.permutation(len(samples.written) * len(fields))
    images: Bytes = np.concatenate(fields)[order]
    labels = np.tile(samples.written, len(fields))[order]
    return Dataset(images, labels, "writing and textures", data_digest(images, labels))


@click.command(help=options.paragraphs(__doc__))
@options.dataset
@options.data
@click.option(
    "--count",
    type=click.IntRange(min=1),
    default=260,
    show_default=True,
    help="Pages of each kind with writing.",
)
@click.option("--epochs", default=RECIPE.epochs, show_default=True)
@click.option("--seed", default=0, show_default=True)
@options.jobs
@options.file("--output", "models/textures.joblib")
def main(
    dataset: str,
    data: Path,
    count: int,
    epochs: int,
    seed: int,
    jobs: int,
    output: Path,
) -> None:
    began = time.perf_counter()
    samples = make(tasks(count, FIRST_SEED), dataset, data, jobs)
    click.echo(f"{len(samples.written):,} samples in {time.perf_counter() - began:.0f} s")
    made = dataset_of(samples, np.random.default_rng(seed))
    network = fit(made, replace(RECIPE, epochs=epochs, random_state=seed), "textures")
    save_model(network, output, dtype=np.float16)
    click.echo(f"{output}: made in {time.perf_counter() - began:.0f} s, drawing included")
