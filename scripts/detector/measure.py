"""Measure how well junk is refused, and at what price: results/detector.json.

    python -m scripts.detector measure

The score of a picture is the detector's probability of a digit times the reader's probability of
the digit that it read; a picture that scores less than a threshold is refused.  Here is what each
threshold refuses of MNIST's validation digits, of the same drawn anew, and of drawn junk (from
fonts that nothing was trained on), without the odds that a file in MNIST's form has.  What it
refuses of foreign pictures is in results/foreign.json, by scripts/benchmark_foreign.py.
"""

import json
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from mnist_net import load_dataset
from mnist_net.arrays import Bytes
from mnist_net.reading.threshold import REJECT_BELOW
from mnist_net.trained.committee import Predictor
from mnist_net.trained.store import load_model
from scripts.detector.digits import enlarge
from scripts.detector.drawing import finish
from scripts.detector.train import VALIDATION, held_out_junk
from scripts.records import write_json

THRESHOLDS = (0.02, 0.05, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)

Scores = npt.NDArray[np.float64]


def scores(images: Bytes, model: Predictor, detector: Predictor) -> Scores:
    """Score of pictures that are in MNIST's form."""
    confidence = model.predict_proba(images).max(axis=1)
    return (detector.predict_proba(images)[:, 1] * confidence).astype(np.float64)


def refused(of: Scores) -> dict[str, float]:
    """Share that each threshold refuses."""
    return {str(t): round(float((of < t).mean()), 4) for t in THRESHOLDS}


def by_kind(kinds: list[str], of: Scores, threshold: float) -> dict[str, list[float]]:
    """Number of pictures and the share that is refused, for each kind."""
    names = np.array(kinds)
    return {
        str(name): [
            int((names == name).sum()),
            round(float((of[names == name] < threshold).mean()), 3),
        ]
        for name in np.unique(names)
    }


def measure_made(
    mnist_path: str, model: Predictor, detector: Predictor, threshold: float
) -> dict[str, Any]:
    """What is refused of MNIST's validation digits, redrawn ones, and drawn junk."""
    train = load_dataset(mnist_path).train
    images, labels = train.images[-VALIDATION:], train.labels[-VALIDATION:]
    junk = held_out_junk(10_000, images, labels, 0)
    junk_scores = scores(junk.images, model, detector)
    redrawn = finish(enlarge(images), np.random.default_rng([0, 2]))
    return {
        "validation digits": refused(scores(images, model, detector)),
        "validation digits, drawn anew": refused(scores(redrawn, model, detector)),
        "drawn junk": refused(junk_scores),
        "drawn junk by kind": by_kind(junk.kinds, junk_scores, threshold),
    }


@click.command(help=__doc__)
@click.option("--dataset", default="mnist", show_default=True)
@click.option("--model", type=Path, default=Path("models/mnist.joblib"), show_default=True)
@click.option("--detector", type=Path, default=Path("models/detector.joblib"), show_default=True)
@click.option(
    "--threshold", type=click.FloatRange(0.0, 1.0), default=REJECT_BELOW, show_default=True
)
@click.option("--output", type=Path, default=Path("results/detector.json"), show_default=True)
def main(dataset: str, model: Path, detector: Path, threshold: float, output: Path) -> None:
    made = measure_made(dataset, load_model(model), load_model(detector), threshold)
    result = {"threshold": threshold, **made}
    write_json(output, result)
    print(json.dumps(result, indent=1))
