"""What all competitors are given: the data, a recipe, and threads."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mnist_net import Hyperparameters, load_dataset
from mnist_net.arrays import Array
from mnist_net.datasets.dataset import Splits
from mnist_net.learning.training import Batch
from mnist_net.runs.run import Run, prepare

Labels = npt.NDArray[np.integer[Any]]

PLAIN = Hyperparameters(
    activation="sigmoid",
    scaling="unit",
    optimizer="sgd",
    learning_rate=0.1,
    momentum=0.9,
    l2_penalty=0.0,
    schedule="constant",
    warmup_epochs=0.0,
    epochs=1_000_000,  # as many as anybody asks for
)
"""What is the same for all in the measurements of seconds per epoch."""


class Problem(NamedTuple):
    """What is to be learnt, and how.

    Attributes
    ----------
    dataset
        What `load_dataset` takes.
    rows
        Train on the first so many pictures; None for all.
    recipe
        Architecture, batch, optimizer and their numbers.
    threads
        That each competitor may use.
    """

    dataset: str
    rows: int | None
    recipe: Hyperparameters
    threads: int

    @property
    def title(self) -> str:
        """Such as "784-300-10, batch 256"."""
        hidden = "-".join(map(str, self.recipe.hidden_layer_sizes))
        return f"784-{hidden}-10, batch {self.recipe.batch_size:,}"

    def with_(self, **changes: Any) -> "Problem":
        """The same with another recipe, different in these hyperparameters."""
        return self._replace(recipe=replace(self.recipe, **changes))

    def load(self) -> tuple[Run, Splits]:
        """What ours trains on, and the pictures that it is made of."""
        train, test = load_dataset(self.dataset)
        train = train._replace(images=train.images[: self.rows], labels=train.labels[: self.rows])
        return prepare(train, self.recipe, self.dataset), Splits(train, test)

    def training_set(self) -> Batch:
        """All pixels, scaled, float32 and contiguous, and one-hot targets: for all others."""
        run, splits = self.load()
        scaling, targets = run.scaling, run.training.targets
        del run  # its inputs would count as the peers' memory
        return Batch(scaling.apply(splits.train.images), targets)


def test_set(run: Run, splits: Splits, *, all_pixels: bool) -> tuple[Array, Labels]:
    """Inputs and indices of the classes of the test pictures."""
    indices = np.searchsorted(run.classes, splits.test.labels)
    pixels = splits.test.images.reshape(len(indices), -1)
    return run.scaling.apply(pixels if all_pixels else pixels.take(run.pixels, axis=1)), indices
