"""Two workers against one, in turns: a committee of 4, and reading 5,000 pictures.

    python -m scripts.cluster workers --rounds 3

Each worker has one core of this machine. Of the committee all is counted from when the client is
connected, so also what each worker makes ready; of reading, which takes seconds, what comes after
some pictures were read, for which each worker loads its libraries. Pictures are MNIST's, and
drawings, which take longer to read.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import click

from mnist_net.arrays import Bytes
from mnist_net.cluster import Cluster, connected
from mnist_net.datasets.dataset import Splits
from mnist_net.datasets.drawn import SHEET, drawings
from mnist_net.datasets.loading import load_dataset
from mnist_net.learning.presets import PRESETS
from mnist_net.pictures.decoding import save_png
from mnist_net.reading.many import Given, Wanted, read_many
from mnist_net.runs.run import prepare
from mnist_net.runs.together import train_together
from scripts import options
from scripts.cluster.processes import workers
from scripts.cluster.streaming import keep
from scripts.options import TINY

_MEMBERS, _PICTURES = 4, 5_000


def train(splits: Splits, source: str, epochs: int, trial: bool) -> Callable[[Cluster], float]:
    """A committee with the default recipe, of so many epochs."""
    recipe = replace(PRESETS["default"], **(TINY if trial else {"epochs": epochs}))
    runs = prepare(splits.train, recipe, source).with_seeds(_MEMBERS)

    def work(cluster: Cluster) -> float:
        began = time.perf_counter()
        list(train_together(runs, cluster=cluster))
        return time.perf_counter() - began

    return work


def read(folder: Path, pictures: Iterable[Bytes], model: Path) -> Callable[[Cluster], float]:
    """Pictures, each of which becomes a file."""
    folder.mkdir()
    given = []
    for number, picture in enumerate(pictures):
        file = folder / f"{number:05}.png"
        save_png(picture, file)
        given.append(Given(str(file), file))

    def work(cluster: Cluster) -> float:
        for _ in range(2):  # a task for each worker
            list(read_many(given[:500], model, Wanted(), cluster=cluster))
        began = time.perf_counter()
        list(read_many(given, model, Wanted(), cluster=cluster))
        return time.perf_counter() - began

    return work


def timed(work: Callable[[Cluster], float], n_workers: int) -> float:
    """Seconds of the work with so many workers."""
    with workers(n_workers) as address, connected(address) as cluster:
        return work(cluster)


@click.command()
@options.dataset
@options.folder
@options.model
@options.trial
@click.option("--rounds", default=3, show_default=True)
@click.option("--epochs", default=PRESETS["default"].epochs, show_default=True, help="Of a member.")
def speedup(dataset: str, folder: Path, model: Path, trial: bool, rounds: int, epochs: int) -> None:
    """Measure two workers against one."""
    splits, n_pictures = load_dataset(dataset), 100 if trial else _PICTURES
    drawn = (255 - drawing.sheet() for drawing in drawings(n_pictures))
    with tempfile.TemporaryDirectory() as scratch:
        committee, own = f"committee of {_MEMBERS}", Path(scratch)
        works = {
            committee: train(splits, dataset, epochs, trial),
            "reading, 28 x 28": read(own / "mnist", splits.test.images[:n_pictures], model),
            f"reading, {SHEET} x {SHEET}": read(own / "drawn", drawn, model),
        }
        for name, work in works.items():
            pairs = [(timed(work, 1), timed(work, 2)) for _ in range(rounds)]
            one, two = map(statistics.median, zip(*pairs, strict=True))
            figures = {
                "seconds_one_worker": round(one, 2),
                "seconds_two_workers": round(two, 2),
                "speedup": round(statistics.median(one / two for one, two in pairs), 2),
                "speedups": [round(one / two, 2) for one, two in pairs],
                **({"epochs": epochs} if name == committee else {"pictures": n_pictures}),
                "load_before": round(os.getloadavg()[0], 1),
            }
            keep(folder, name, figures)
