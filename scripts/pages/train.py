"""Train the networks that tell digits, signs and anything else apart at their places in a row.

    python -m scripts.pages train      # models/signs.joblib, an hour and a half on two cores

They are two, and what they say is averaged: one is fully connected, the other shares weights, and
together they err less than either.  They learn from the candidates of pages that are drawn from the
half to choose by (candidates.py).  Rare signs are shown more often; each candidate is distorted a
little each time.  Of those that ship the first saw 1,400,000 candidates of some 20,500 such pages,
drawn in lots while the reader was built, before there were pages of the kinds `slanted`,
`small-photo` and `register`; the second saw 612,000, of all kinds.
"""

import time
from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from mnist_net.datasets.dataset import Dataset, data_digest
from mnist_net.learning.distortion import Distortion
from mnist_net.reading.arcs import SIGNS
from mnist_net.trained.committee import Committee
from mnist_net.trained.store import save_model
from scripts import options
from scripts.detector import train as detector
from scripts.pages.candidates import Candidates, make
from scripts.pages.kinds import KINDS

FIRST_SEED = 100_000  # of the pages, so that those to measure by are others
OFTEN = {
    **dict.fromkeys(("words", "between-words"), 6),
    **dict.fromkeys(("dates", "times", "sums", "decimals", "signs", "negative", "phone"), 3),
    **dict.fromkeys(("touching", "columns", "tiny", "uneven", "rows", "long"), 3),
}
"""Times as many pages as of the other kinds."""

TURNED = ("rotated", "quarter-turns")  # of whose candidates the truth knows no boxes
_LEAST_OF_EACH = 4_000

FULLY_CONNECTED = replace(
    detector.RECIPE,
    hidden_layer_sizes=(640, 128),
    weight_decay=0.02,
    warmup_epochs=0.3,
    epochs=8,
    distortion=Distortion(rotation=3, scale=0.05, shear=0.08, shift=0.7, elastic=0.3, smoothness=4),
)
"""The detector's recipe, with fewer units and less distortion."""

SHARED = replace(FULLY_CONNECTED, feature_maps=(16, 48), hidden_layer_sizes=(256,), epochs=6)
"""About as many weights, and three times as many multiplications."""


def tasks(count: int) -> list[tuple[str, int]]:
    """Kinds and seeds of the pages: `count` of most kinds, and more of some."""
    return [
        (kind, FIRST_SEED + number)
        for kind in KINDS
        if kind not in TURNED
        for number in range(count * OFTEN.get(kind, 1))
    ]


def dataset_of(candidates: Candidates, random: np.random.Generator) -> Dataset:
    """All candidates, those of rare signs several times."""
    chosen = [np.arange(len(candidates.labels))]
    for label in range(len(SIGNS)):
        own = np.flatnonzero(candidates.labels == label)
        if not len(own):
            raise ValueError(f"no candidate shows {SIGNS[label]!r}: draw more pages")
        chosen.append(random.choice(own, max(0, _LEAST_OF_EACH - len(own))))
    order = random.permutation(np.concatenate(chosen))
    fields, labels = candidates.fields[order], candidates.labels[order]
    return Dataset(fields, labels, "candidates of drawn pages", data_digest(fields, labels))


@click.command(help=options.paragraphs(__doc__))
@options.dataset
@options.data
@click.option("--count", default=150, show_default=True, help="Pages of most kinds.")
@click.option("--epochs", type=click.IntRange(min=1), help="By default each recipe's.")
@click.option("--seed", default=0, show_default=True)
@options.jobs
@options.file("--output", "models/signs.joblib")
def main(
    dataset: str, data: Path, count: int, epochs: int | None, seed: int, jobs: int, output: Path
) -> None:
    began = time.perf_counter()
    candidates = make(tasks(count), dataset, data, jobs)
    seconds = time.perf_counter() - began
    click.echo(f"{len(candidates.labels):,} candidates drawn in {seconds:.0f} s")
    made = dataset_of(candidates, np.random.default_rng(seed))
    members = tuple(
        detector.fit(made, replace(one, epochs=epochs or one.epochs, random_state=seed), "signs")
        for one in (FULLY_CONNECTED, SHARED)
    )
    save_model(Committee(members, {"kind": "signs"}), output, dtype=np.float16)
    click.echo(f"{output}: made in {time.perf_counter() - began:.0f} s, drawing included")
