"""How much is measured, and what all competitors are given: the data, a recipe, and threads."""

from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mnist_net import Hyperparameters, load_dataset
from mnist_net.arrays import Array
from mnist_net.datasets.dataset import Splits
from mnist_net.learning.minibatches import Batch
from mnist_net.runs.run import Run, prepare
from scripts.speed.machine import cores

Labels = npt.NDArray[np.integer[Any]]
Weights = list[tuple[Array, Array]]
Predict = Callable[[Array], Array]

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
    """What `load_dataset` takes, how many pictures of it (None: all), the recipe, and threads."""

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
        assert isinstance(run.training, Batch)  # not streamed
        scaling, targets = run.scaling, run.training.targets
        del run  # its inputs would count as the peers' memory
        return Batch(scaling.apply(splits.train.images), targets)


class Trainer(NamedTuple):
    """A network that learns: an epoch of it, what it takes inputs for, and its variant if any."""

    epoch: Callable[[], object]
    classify: Callable[[Array], Labels]
    facts: dict[str, Any] | None = None


class Settings(NamedTuple):
    """Options of the command line; see there."""

    dataset: str = "mnist"
    rounds: int = 5
    threads: int = cores()
    quick: bool = False
    peers: bool = True
    openml_home: Path | None = None

    def problem(self, **changes: Any) -> Problem:
        """One with the plain recipe but for these hyperparameters."""
        rows = 512 if self.quick else None
        return Problem(self.dataset, rows, replace(PLAIN, **changes), self.threads)

    def has(self, *packages: str) -> bool:
        """Whether what needs these libraries is to be measured: peers only if wanted."""
        return not packages or (self.peers and all(map(find_spec, packages)))
