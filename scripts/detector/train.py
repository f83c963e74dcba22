"""Train the network that tells digits from what is none.

    python -m scripts.detector train               # models/detector.joblib, an hour
    python -m scripts.detector train --epochs 2    # a quick try
    python -m scripts.detector train --base models/detector.joblib    # the same, trained on

It is a network like the one that reads digits, with an output more, the first: no digit.  That it
learns which digit it sees makes it better at knowing whether it is one.  Its digits are MNIST's
training pictures and those of fonts, drawn with all sorts of pens (digits.py); its junk is drawn
too (not_digits.py).  The fonts come from the Debian packages in packages.txt.  MNIST's last 10,000
training pictures are left for validation, and its test pictures are not looked at.

Trained on from its own weights on what is drawn anew, it learns new forms without forgetting what
it knew: at a low rate, and halfway, for the mean of the weights before and after is kept (Wortsman
et al. 2022, Robust fine-tuning of zero-shot models).  That which ships was: on 1,224,506 pictures
that have 18 more European forms of digits, and bent ends of strokes, than those that it began with.
"""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
from PIL import Image

from mnist_net import Hyperparameters, load_dataset
from mnist_net.arrays import Bytes
from mnist_net.datasets.dataset import Dataset, data_digest
from mnist_net.learning.distortion import Distortion
from mnist_net.learning.network import map_arrays
from mnist_net.runs.outcome import model_of
from mnist_net.runs.run import prepare
from mnist_net.runs.together import train_together
from mnist_net.trained.committee import Committee
from mnist_net.trained.model import Model
from mnist_net.trained.store import load_model, save_model
from scripts import options
from scripts.detector.digits import NO_DIGIT_FONTS, all_sorts_of_digits, enlarge
from scripts.detector.drawing import as_mnist_shows
from scripts.detector.glyphs import Fonts
from scripts.detector.not_digits import TEXTURES, Sources, draw_junk

VALIDATION = 10_000
NONE = 0  # the label of junk, before the ten digits
TIMES = 4  # that all is drawn, each time anew

RECIPE = Hyperparameters(
    hidden_layer_sizes=(1024, 256),
    activation="relu",
    optimizer="adamw",
    learning_rate=1e-3,
    momentum=0.9,
    weight_decay=0.01,
    l2_penalty=0.0,
    warmup_epochs=0.5,
    batch_size=256,
    epochs=12,
    distortion=Distortion(rotation=6, scale=0.08, shear=0.1, shift=1.0, elastic=0.6, smoothness=4),
)


TRAINED_ON = replace(RECIPE, learning_rate=3e-4, epochs=4)


class Junk(NamedTuple):
    """Pictures of no digit, N × 28 × 28, and of which kind each is."""

    images: Bytes
    kinds: list[str]


def photographs() -> list[Bytes]:
    """The two that come with scikit-learn, grey."""
    from sklearn.datasets import load_sample_images

    return [np.asarray(Image.fromarray(one).convert("L")) for one in load_sample_images().images]


def make_junk(n: int, sources: Sources, random: np.random.Generator) -> Junk:
    """About `n` pictures of junk; those that came out blank are left out."""
    canvases, kinds = draw_junk(n, sources, random)
    drawn = ~np.isin(kinds, TEXTURES)
    images = np.zeros((n, 28, 28), np.uint8)
    for some, by_a_pen in ((~drawn, False), (drawn, True)):
        images[some] = as_mnist_shows(canvases[some], random, drawn=by_a_pen)
    full = images.max(axis=(1, 2)) > 64
    return Junk(images[full], [kind for kind, kept in zip(kinds, full, strict=True) if kept])


def make_dataset(images: Bytes, labels: Bytes, seed: int) -> Dataset:
    """Digits and about as much junk (`NONE`), from MNIST's pictures and all fonts but some."""
    from joblib import Parallel, delayed

    jobs = (delayed(_drawn_once)(images, labels, [seed, k]) for k in range(TIMES))
    parts = Parallel(n_jobs=-1)(jobs)
    pictures, answers = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Dataset(pictures, answers, "digits and junk", data_digest(pictures, answers))


def _drawn_once(images: Bytes, labels: Bytes, seed: list[int]) -> tuple[Bytes, Bytes]:
    random, canvases = np.random.default_rng(seed), enlarge(images)
    digits, of_digits = all_sorts_of_digits(canvases, labels, Fonts(without=NO_DIGIT_FONTS), random)
    sources = Sources(Fonts(), canvases, labels, photographs())
    junk = make_junk(len(images) + len(digits), sources, random).images
    none = np.full(len(junk), NONE, np.uint8)
    return np.concatenate([images, digits, junk]), np.concatenate([labels + 1, of_digits + 1, none])


def held_out_junk(n: int, images: Bytes, labels: Bytes, seed: int) -> Junk:
    """Junk that was not trained on: other digits, and letters of other families of fonts."""
    sources = Sources(Fonts(apart=True), enlarge(images), labels, photographs())
    return make_junk(n, sources, np.random.default_rng([seed, 1]))


def fit(dataset: Dataset, recipe: Hyperparameters, kind: str, base: Model | None = None) -> Model:
    """Train a network of a kind, from the base on if there is one, and say how it goes."""
    run = prepare(dataset, recipe, base=base)
    for (progress,) in train_together([run], starts=[run.start()]):
        assert progress is not None
        record: dict[str, Any] = progress.history[-1]
        print(f"epoch {record['epoch']}: loss {record['loss']:.4f}", flush=True)
        model = model_of(run, progress)
    return replace(model, metadata={**model.metadata, "kind": kind})


def mean_of(one: Model, other: Model) -> Model:
    """The other one, with the mean of the weights of both."""
    means = map_arrays(lambda a, b: (a + b) / 2, one.parameters, other.parameters)
    return replace(other, parameters=means)


@click.command(help=options.paragraphs(__doc__))
@options.dataset
@click.option("--epochs", type=click.IntRange(min=1), help="By default 12, or 4 from a base.")
@click.option("--base", type=Path, help="Train this one on, and keep the mean of both.")
@click.option("--seed", default=0, show_default=True)
@options.file("--output", "models/detector.joblib")
def main(dataset: str, epochs: int | None, base: Path | None, seed: int, output: Path) -> None:
    before, recipe = (load_model(base), TRAINED_ON) if base else (None, RECIPE)
    if isinstance(before, Committee):
        raise click.UsageError(f"{base} is a committee: only one network can be trained on")
    mnist = load_dataset(dataset).train
    began = time.perf_counter()
    made = make_dataset(mnist.images[:-VALIDATION], mnist.labels[:-VALIDATION], seed)
    print(f"{len(made.labels):,} pictures drawn in {time.perf_counter() - began:.0f} s", flush=True)
    recipe = replace(recipe, epochs=epochs or recipe.epochs, random_state=seed)
    model = fit(made, recipe, "detector", before)
    if before:
        model = mean_of(before, model)
    save_model(model, output, dtype=np.float16)  # half the file, and nothing lost
    print(f"{output}: trained in {time.perf_counter() - began:.0f} s, drawing included")
