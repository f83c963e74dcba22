"""Measure how well junk is refused, and at what price: results/detector.json, minutes.

    python -m scripts.detector measure

The score of a picture is the detector's probability of a digit times the reader's probability of
the digit that it read; a picture that scores less than a threshold is refused.  Here is what each
threshold refuses of MNIST's validation digits, of the same drawn anew, and of drawn junk (from
fonts that nothing was trained on), without the odds that a file in MNIST's form has.  What it
refuses of foreign pictures is in results/foreign.json, by `python -m scripts.reading`.  How much
the detector's voice should count in what digit it is, the digits that are drawn anew tell: the
reader has learned from MNIST's, but not from these.
"""

import json
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt

from mnist_net import load_dataset
from mnist_net.arrays import Array, Bytes
from mnist_net.reading.threshold import REJECT_BELOW
from mnist_net.trained.store import load_model
from scripts import options
from scripts.detector.digits import enlarge
from scripts.detector.drawing import as_mnist_shows
from scripts.detector.train import VALIDATION, held_out_junk
from scripts.records import write_json

WEIGHTS = (0.0, 0.25, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 1.0)
THRESHOLDS = (0.02, 0.05, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)

Scores = npt.NDArray[np.float64]


def refused(of: Scores) -> dict[str, float]:
    """Share that each threshold refuses."""
    return {str(t): round(float((of < t).mean()), 4) for t in THRESHOLDS}


def misread(reads: Array, detected: Array, labels: Bytes) -> dict[str, float]:
    """Share of digits that the mean of reader and detector errs on, at each weight of the latter.

    Both are probabilities, N × 10 and N × 11.
    """
    which = detected[:, 1:] / detected[:, 1:].sum(axis=1, keepdims=True)
    means = {w: (1.0 - w) * reads + w * which for w in WEIGHTS}
    return {
        str(w): round(float((mean.argmax(axis=1) != labels).mean()), 4) for w, mean in means.items()
    }


def by_kind(kinds: list[str], of: Scores, threshold: float) -> dict[str, tuple[int, float]]:
    """Number of pictures and the share that is refused, for each kind."""
    found = {kind: of[np.array(kinds) == kind] < threshold for kind in sorted(set(kinds))}
    return {kind: (len(some), round(float(some.mean()), 3)) for kind, some in found.items()}


@click.command(help=options.paragraphs(__doc__))
@options.dataset
@options.model
@options.detector
@click.option(
    "--threshold", type=click.FloatRange(0.0, 1.0), default=REJECT_BELOW, show_default=True
)
@options.file("--output", "results/detector.json")
def main(dataset: str, model: Path, detector: Path, threshold: float, output: Path) -> None:
    reads, knows = load_model(model), load_model(detector)

    def scores(images: Bytes) -> Scores:
        confidence = reads.predict_proba(images).max(axis=1)
        return ((1.0 - knows.predict_proba(images)[:, 0]) * confidence).astype(np.float64)

    train = load_dataset(dataset).train
    images, labels = train.images[-VALIDATION:], train.labels[-VALIDATION:]
    junk = held_out_junk(10_000, images, labels, 0)
    of_junk = scores(junk.images)
    redrawn = as_mnist_shows(enlarge(images), np.random.default_rng([0, 2]))
    result = {
        "threshold": threshold,
        "validation digits": refused(scores(images)),
        "validation digits, drawn anew": refused(scores(redrawn)),
        "misread of these, by the detector's weight": misread(
            reads.predict_proba(redrawn), knows.predict_proba(redrawn), labels
        ),
        "drawn junk": refused(of_junk),
        "drawn junk by kind": by_kind(junk.kinds, of_junk, threshold),
    }
    write_json(output, result)
    print(json.dumps(result, indent=1))
