"""Measure what a few corrections of one hand are worth: the table of docs/adapting.md.

    python -m scripts.accuracy adapt                  # some twenty minutes
    python -m scripts.accuracy adapt --seeds 1 Name   # other hands, or fewer seeds
    python -m scripts.accuracy adapt ../shared/data/other/semeion.npz --own-share 0.2   # to choose

A hand is a source of the folder of pictures, or an .npz file of images and labels. So many
pictures of each digit, drawn by the seed, are learned from as `mnist-net adapt` learns, and the
reader, if it may refuse nothing, is measured on all of the others before and after; so is the
network on MNIST's test pictures. Where the new model is refused, the old one goes on reading. The
share and the rate were chosen on the hand "semeion": those measured here chose nothing, nor did
MNIST's test set. Writes results/adapt.json.
"""

import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np

from mnist_net import Reader, load_dataset, load_detector, load_model, open_image
from mnist_net.datasets.dataset import Dataset, Splits, data_digest
from mnist_net.pictures.decoding import Picture
from mnist_net.pictures.looks import first_sight
from mnist_net.reading.answers import Reading
from mnist_net.runs.adaptation import OWN_SHARE, RECIPE, adapt_model, known_digits
from mnist_net.trained.model import Model
from scripts import options
from scripts.reading.foreign import opened, read_manifest
from scripts.records import read_json, stamp, table, write_json

Hand = list[tuple[Picture, int]]


def hand(name: str, data: Path) -> Hand:
    """Pictures of one hand, and their labels; what cannot be opened is left out."""
    if name.endswith(".npz"):
        with np.load(name) as archive:
            images, labels = archive["images"], archive["labels"]
        scale = 255 // int(images.max())
        return [
            (open_image((image * scale).astype(np.uint8)), int(label))
            for image, label in zip(images, labels, strict=True)
        ]
    rows = [r for r in read_manifest(data) if r.kind == "single" and r.source == name]
    pairs = ((opened(row), int(row.label)) for row in rows)
    return [(picture, label) for picture, label in pairs if isinstance(picture, Picture)]


def drawn_by(pictures: Hand, per_digit: int, seed: int) -> tuple[Dataset, list[int]]:
    """So many pictures of each digit to learn from, and the numbers of all others."""
    labels = np.array([label for _, label in pictures])
    order = np.random.default_rng(seed).permutation(len(labels))
    taken = {int(k) for d in range(10) for k in order[labels[order] == d][:per_digit]}
    sights = [(first_sight(pictures[k][0].pixels), pictures[k][1]) for k in sorted(taken)]
    images = np.stack([image for image, _ in sights if image is not None])
    known = np.array([label for image, label in sights if image is not None], np.uint8)
    rest = [k for k in range(len(pictures)) if k not in taken]
    return Dataset(images, known, "one hand", data_digest(images, known)), rest


def misread(model: Model, pictures: Sequence[tuple[Picture, int]]) -> list[bool]:
    """Which ones a reader that refuses nothing misreads."""
    readings = Reader(model, load_detector(), 0.0).read(picture for picture, _ in pictures)
    return [
        not isinstance(reading, Reading) or reading.digit != label
        for reading, (_, label) in zip(readings, pictures, strict=True)
    ]


def measure(
    base: Model,
    splits: Splits,
    pictures: Hand,
    before: list[bool],
    per_digit: int,
    seed: int,
    **how: Any,
) -> dict[str, Any]:
    """Errors on the rest of a hand and on MNIST's test pictures, before and after.

    `before` says which pictures of the hand the old model misreads.
    """
    own, rest = drawn_by(pictures, per_digit, seed)
    known = known_digits(splits.train, seed)
    began = time.perf_counter()
    adapted = adapt_model(base, own, known, random_state=seed, **how)
    seconds = time.perf_counter() - began
    test, models = splits.test, (base, adapted.model)
    after = misread(adapted.model, [pictures[k] for k in rest])
    return {
        "seed": seed,
        "hand": [sum(before[k] for k in rest), sum(after), len(rest)],
        "test": [int((model.predict(test.images) != test.labels).sum()) for model in models],
        "held out": [round(n, 2) for n in adapted.own],
        "MNIST, validation": [round(n, 2) for n in adapted.known],
        "step": adapted.step,
        "adopted": adapted.reason is None,
        "seconds": round(seconds, 1),
    }


def row(name: str, runs: list[dict[str, Any]]) -> list[Any]:
    """Means over the seeds; where the model was refused, the old one goes on reading."""
    before, n = (statistics.mean(run["hand"][k] for run in runs) for k in (0, 2))
    after = statistics.mean(run["hand"][run["adopted"]] for run in runs)
    test = [run["test"][run["adopted"]] / 100 for run in runs]
    adopted = [run["hand"] for run in runs if run["adopted"]]
    return [
        Path(name).stem,
        f"{before:.1f} of {n:.0f}",
        f"{after:.1f}",
        _change(before, after),
        _change(*(sum(column) for column in list(zip(*adopted, strict=True))[:2]))
        if adopted
        else "",
        f"{runs[0]['test'][0] / 100:.2f} % → {statistics.mean(test):.2f} % ({max(test):.2f} %)",
        f"{len(adopted)} of {len(runs)}",
        f"{statistics.median(run['seconds'] for run in runs):.0f} s",
    ]


def _change(before: float, after: float) -> str:
    return f"{after / before - 1.0:+.0%}" if before else "–"


@click.command(help=options.paragraphs(__doc__))
@click.argument("hands", nargs=-1)
@options.data
@options.dataset
@click.option("--per-digit", default=5, show_default=True)
@click.option("--seeds", default=5, show_default=True)
@click.option("--own-share", default=OWN_SHARE, show_default=True)
@click.option("--learning-rate", default=RECIPE.learning_rate, show_default=True)
@options.model
@options.file("--output", "results/adapt.json")
def main(
    hands: tuple[str, ...],
    data: Path,
    dataset: str,
    per_digit: int,
    seeds: int,
    own_share: float,
    learning_rate: float,
    model: Path,
    output: Path,
) -> None:
    names = hands or ("bilal02s", str(data.parent / "other" / "optdigits32.npz"))
    base, splits = load_model(model), load_dataset(dataset)
    if not isinstance(base, Model):
        raise click.UsageError(f"{model} is a committee")
    how = {"own_share": own_share, "recipe": replace(RECIPE, learning_rate=learning_rate)}
    rows = []
    for name in names:
        pictures = hand(name, data)
        before = misread(base, pictures)
        runs = []
        for seed in range(seeds):
            runs.append(measure(base, splits, pictures, before, per_digit, seed, **how))
            print(runs[-1], file=sys.stderr, flush=True)
        rows.append(row(name, runs))
        kept = {"runs": runs, "per_digit": per_digit, **stamp()}
        write_json(output, {**read_json(output), Path(name).stem: kept})
        print(rows[-1], flush=True)
    titles = ["hand", "errors before", "after", "change", "where adopted"]
    titles += ["MNIST's test error (worst)", "adopted", "learning"]
    print(table(titles, rows))
