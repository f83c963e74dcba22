"""What it brings that distorted minibatches are learnt from in two halves at once.

    python -m scripts.speed.halves    # two minutes; prints a table

An epoch of a preset's network on 60,000 pictures and its drawn ones, with the whole minibatch on
one core, with one half after the other, and with both at once; distortions are made beside it each
time. They take turns; ratios are medians of the paired ones.
"""

import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import click

from mnist_net import PRESETS, load_dataset
from mnist_net.learning.network import loss_and_gradients
from mnist_net.learning.training import Progress, train
from mnist_net.runs.run import prepare
from mnist_net.runs.together import blas_threads
from scripts import options
from scripts.records import table

WAYS: dict[str, dict[str, Any]] = {
    "whole": {"gradients_of": loss_and_gradients},
    "one after the other": {"n_threads": 1},
    "at once": {"n_threads": 2},
}


def seconds(epochs: Iterator[Progress]) -> float:
    """Of the next epoch."""
    began = time.perf_counter()
    next(epochs)
    return time.perf_counter() - began


@click.command(help=options.paragraphs(__doc__))
@options.dataset
@click.option("--rounds", default=5, show_default=True)
def main(dataset: str, rounds: int) -> None:
    rows, pictures = [], load_dataset(dataset).train
    for preset in ("default", "accurate"):
        recipe = replace(PRESETS[preset], epochs=rounds + 1)
        run = prepare(pictures, recipe, dataset)
        ways = {name: train(run.training, recipe, **how) for name, how in WAYS.items()}
        with blas_threads(recipe):
            _, *taken = [{n: seconds(w) for n, w in ways.items()} for _ in range(rounds + 1)]
        ratio = statistics.median(one["at once"] / one["whole"] for one in taken)
        medians = (statistics.median(one[name] for one in taken) for name in WAYS)
        rows.append([preset, *(f"{median:.2f} s" for median in medians), f"{ratio:.2f}"])
    print(table(["An epoch of", *WAYS, "at once / whole"], rows))


if __name__ == "__main__":
    main()
