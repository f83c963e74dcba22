"""Measure how well two digits that touch are read: results/pairs.json, minutes.

    python -m scripts.pairs measure

The pictures are drawn as most of those to train by are, but from MNIST's validation digits, from
which it has not learned.
"""

import json
from pathlib import Path
from typing import Any

import click
import numpy as np

from mnist_net import load_dataset
from mnist_net.arrays import Array, Bytes
from mnist_net.trained.store import load_model
from scripts import options
from scripts.detector.digits import enlarge
from scripts.detector.train import VALIDATION
from scripts.pairs.drawing import NONE, draw_many, strokes_of
from scripts.records import stamp, write_json

COUNT = 20_000
THRESHOLDS = (0.1, 0.3, 0.5, 0.7, 0.9)


def measured(said: Array, labels: Bytes) -> dict[str, Any]:
    """Shares of two digits, and of what is not, by the probabilities of all classes, N × 101."""
    is_two = labels != NONE
    likeliest, are_two = 1 + said[:, 1:].argmax(axis=1), 1.0 - said[:, 0]
    return {
        "pairs": int(is_two.sum()),
        "read right": round(float((likeliest == labels)[is_two].mean()), 4),
        "what is not two": int((~is_two).sum()),
        "taken for two, by threshold": {
            str(least): [
                round(float((are_two >= least)[some].mean()), 4) for some in (is_two, ~is_two)
            ]
            for least in THRESHOLDS
        },
    }


@click.command(help=options.paragraphs(__doc__))
@options.dataset
@options.file("--pairs", "models/pairs.joblib")
@options.file("--output", "results/pairs.json")
def main(dataset: str, pairs: Path, output: Path) -> None:
    network = load_model(pairs)
    train = load_dataset(dataset).train
    random = np.random.default_rng([1, 1_000])
    canvases, digits = enlarge(train.images[-VALIDATION:]), train.labels[-VALIDATION:]
    images, labels = draw_many(COUNT, strokes_of(canvases, digits, random), random)
    result = {**measured(network.predict_proba(images), labels), **stamp()}
    write_json(output, result)
    click.echo(json.dumps(result, indent=1))
