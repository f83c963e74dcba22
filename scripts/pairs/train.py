"""Train the network that reads two digits that touch.

    python -m scripts.pairs train      # models/pairs.joblib, an hour on two cores

It has an output for each two digits, and one more, the first, for what is not two.  The digits are
those of MNIST's training pictures that the half to choose pages by has (scripts/pages), and others
drawn in strokes and fonts (scripts/detector), of either half; what is not two is drawn too.  That
which ships learned from 1,057,000 pictures, drawn in five lots while the reader was built: twelve
epochs of the first four; then, from its weights and at half the rate, two with the fifth, half of
which is not two, letters among it, but without the third, and two with all.
"""

import time
from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from mnist_net import load_dataset
from mnist_net.arrays import Bytes
from mnist_net.datasets.dataset import Dataset, data_digest
from mnist_net.datasets.drawn import draw_digits
from mnist_net.learning.distortion import Distortion
from mnist_net.pictures.form import stretched
from mnist_net.trained.store import save_model
from scripts import options
from scripts.detector import train as detector
from scripts.detector.digits import NO_DIGIT_FONTS, enlarge
from scripts.detector.drawing import place
from scripts.detector.glyphs import Fonts
from scripts.detector.hands import draw_digit
from scripts.detector.not_digits import Sources, draw_junk
from scripts.pairs.drawing import NONE, draw_many, strokes_of

LOTS = 16  # of pictures, each from digits that are bent anew
JUNK = 1 / 12  # times as many pictures of what is no digit at all
_OTHERS = 4_000  # digits of other hands in a lot, as many of `drawn`, half as many of fonts
_NOT_JUNK = ("number", "overlay")  # they are two digits, or may be

RECIPE = replace(
    detector.RECIPE,
    feature_maps=(16, 48),
    hidden_layer_sizes=(256,),
    epochs=12,
    distortion=Distortion(rotation=4, scale=0.06, shear=0.06, shift=0.7, elastic=0.5, smoothness=4),
)
"""The detector's, with less distortion, and shared weights: a digit may stand at several places.

Of 216,000 pictures a network without them misread 17 % of left digits after six epochs, and one
with them 14 % after three."""


def make(n: int, images: Bytes, labels: Bytes, seed: int) -> tuple[Bytes, Bytes]:
    """About `n` pictures, and their labels; see `drawing`."""
    from joblib import Parallel, delayed

    jobs = (delayed(_lot)(n // LOTS, images, labels, [seed, k]) for k in range(LOTS))
    pictures, answers = zip(*Parallel(n_jobs=-1)(jobs), strict=True)
    order = np.random.default_rng(seed).permutation(sum(map(len, answers)))
    return np.concatenate(pictures)[order], np.concatenate(answers)[order]


def _lot(n: int, images: Bytes, labels: Bytes, seed: list[int]) -> tuple[Bytes, Bytes]:
    from threadpoolctl import threadpool_limits

    random = np.random.default_rng(seed)
    fonts = Fonts(without=NO_DIGIT_FONTS)
    with threadpool_limits(1):
        some = np.sort(random.permutation(len(labels))[: len(labels) // 4])
        mnist = enlarge(images[some])
        drawn, of_drawn = draw_digits(_OTHERS, int(random.integers(1 << 31)))
        by_hand = random.choice(np.array([*range(10), 1, 4, 7, 9], np.uint8), _OTHERS)
        printed = random.integers(0, 10, _OTHERS // 2).astype(np.uint8)
        canvases = [mnist, enlarge(drawn)]
        canvases.append(np.stack([draw_digit(int(digit), random) for digit in by_hand]))
        canvases.append(np.stack([place(fonts.draw(str(digit), random)) for digit in printed]))
        answers = np.concatenate([labels[some], of_drawn.astype(np.uint8), by_hand, printed])
        strokes = strokes_of(np.concatenate(canvases), answers, random)
        pictures, shown = draw_many(n, strokes, random)
        sources = Sources(Fonts(), mnist, labels[some], detector.photographs())
        junk, kinds = draw_junk(1 + round(JUNK * n), sources, random)
        kept = [
            one
            for one, kind in zip(junk, kinds, strict=True)
            if kind not in _NOT_JUNK and one.any()
        ]
        others = [stretched(one / np.float32(255)) for one in kept]
    none = np.full(len(others), NONE, np.uint8)
    return np.concatenate([pictures, *(one[None] for one in others)]), np.r_[shown, none]


@click.command(help=options.paragraphs(__doc__))
@options.dataset
@click.option("--count", type=click.IntRange(LOTS), default=800_000, show_default=True)
@click.option("--epochs", default=RECIPE.epochs, show_default=True)
@click.option("--seed", default=0, show_default=True)
@options.file("--output", "models/pairs.joblib")
def main(dataset: str, count: int, epochs: int, seed: int, output: Path) -> None:
    mnist = load_dataset(dataset).train
    half = len(mnist.labels) // 2
    began = time.perf_counter()
    images, labels = make(count, mnist.images[:half], mnist.labels[:half], seed)
    click.echo(f"{len(labels):,} pictures drawn in {time.perf_counter() - began:.0f} s")
    made = Dataset(images, labels, "pairs of digits", data_digest(images, labels))
    model = detector.fit(made, replace(RECIPE, epochs=epochs, random_state=seed), "pairs")
    save_model(model, output, dtype=np.float16)
    click.echo(f"{output}: made in {time.perf_counter() - began:.0f} s, drawing included")
