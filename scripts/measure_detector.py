"""Measure how well junk is refused, and at what price: results/detector.json.

    python -m scripts.measure_detector --foreign FOLDER

The score of a picture is the detector's probability of a digit times the reader's probability of
the digit that it read; a picture that scores less than a threshold is refused.  Here is what each
threshold refuses of MNIST's validation digits, of the same drawn anew, of drawn junk (from fonts
that nothing was trained on), and of foreign pictures (scripts/foreign.py says what FOLDER holds),
whose sources are in two halves: the threshold was chosen by half 0.
"""

import json
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from mnist_net import load_dataset
from mnist_net.files import atomic_write
from mnist_net.formats import Bytes
from mnist_net.persistence import load_model
from mnist_net.reading import Reader
from mnist_net.thresholds import REJECT_BELOW
from scripts.drawing import finish
from scripts.drawn_digits import enlarge
from scripts.foreign import read_manifest, read_one_each
from scripts.foreign_figures import APART
from scripts.train_detector import VALIDATION, held_out_junk

THRESHOLDS = (0.02, 0.05, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
KINDS = ("single", "junk")


Network = Any  # what `load_model` gives: it has a `predict_proba`
Scores = npt.NDArray[np.float64]


def scores(images: Bytes, model: Network, detector: Network) -> Scores:
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
    mnist_path: str, model: Network, detector: Network, threshold: float
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


def measure_foreign(
    folder: Path, model: Network, detector: Network, threshold: float
) -> dict[str, Any]:
    """What is refused of foreign digits and junk, in either half."""
    rows = [row for row in read_manifest(folder) if row.kind in KINDS and row.source != APART]
    answers = read_one_each(rows, Reader(model, detector, 0.0))
    of = np.array([answer.reading.score for answer in answers])
    counted = [answer.row.kind == "single" or not answer.row.is_lookalike for answer in answers]
    result: dict[str, Any] = {}
    for half in (0, 1):
        for kind in KINDS:
            chosen = np.array([row.half == half and row.kind == kind for row in rows]) & counted
            result[f"foreign {kind}, half {half}"] = {"n": int(chosen.sum()), **refused(of[chosen])}
    junk = np.array([row.kind == "junk" for row in rows])
    groups = ["look-alike" if row.is_lookalike else row.group for row in rows if row.kind == "junk"]
    result["foreign junk by kind"] = by_kind(groups, of[junk], threshold)
    return result


@click.command(help=__doc__)
@click.option("--dataset", default="mnist", show_default=True)
@click.option("--model", "model_path", type=Path, help="The reader; by default as the program's.")
@click.option("--detector", type=Path, default=Path("models/detector.joblib"), show_default=True)
@click.option("--foreign", type=Path, help="Folder of foreign pictures, with its manifest.tsv.")
@click.option("--threshold", default=REJECT_BELOW, show_default=True)
@click.option("--output", type=Path, default=Path("results/detector.json"), show_default=True)
def main(
    dataset: str,
    model_path: Path | None,
    detector: Path,
    foreign: Path | None,
    threshold: float,
    output: Path,
) -> None:
    models = load_model(model_path), load_model(detector)
    result = {"threshold": threshold, **measure_made(dataset, *models, threshold)}
    if foreign:
        result |= measure_foreign(foreign, *models, threshold)
    text = json.dumps(result, indent=1)
    with atomic_write(output) as stream:
        stream.write(text.encode() + b"\n")
    print(text)


if __name__ == "__main__":
    main()
