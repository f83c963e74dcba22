"""The minibatches that a network learns from: drawn, distorted, and perhaps taught.

What they are drawn from is `Examples`: a `Batch` that holds all in memory, or a stream from disk.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np

from mnist_net.arrays import Array
from mnist_net.learning.distortion import distort
from mnist_net.learning.losses import soft_targets
from mnist_net.learning.recipe import Hyperparameters


class Examples(Protocol):
    """What a network learns from: so many examples, cut into minibatches in each epoch."""

    @property
    def n_examples(self) -> int:
        """How many there are."""

    @property
    def sizes(self) -> tuple[int, int]:
        """Numbers of inputs and of classes, D and K."""

    @property
    def dtype(self) -> "np.dtype[Any]":
        """Of inputs and targets, and of all arithmetic."""

    @property
    def weight(self) -> float:
        """Sum of the examples' weights."""

    def minibatches(self, size: int, generator: np.random.Generator | None) -> "Iterator[Batch]":
        """All examples once, so many in each but perhaps the last.

        The generator draws their order; without one it is the order in which they stand.
        """


class Batch(NamedTuple):
    """Examples: X is N × D, targets N × K, both of the parameters' dtype.

    The examples may have weights, N positive numbers of the same dtype, which count as so many
    examples each, or any multiple of that.
    """

    X: Array
    targets: Array
    sample_weight: Array | None = None

    @property
    def n_examples(self) -> int:
        """How many there are, N."""
        return len(self.X)

    @property
    def sizes(self) -> tuple[int, int]:
        """Numbers of inputs and of classes, D and K."""
        return self.X.shape[1], self.targets.shape[1]

    @property
    def dtype(self) -> "np.dtype[Any]":
        """Of the inputs."""
        return self.X.dtype

    @property
    def weight(self) -> float:
        """Sum of the weights; the number of examples where they have none."""
        return len(self.X) if self.sample_weight is None else float(self.sample_weight.sum())

    def take(self, rows: np.ndarray[Any, np.dtype[np.integer[Any]]]) -> "Batch":
        """Some of the examples."""
        X, targets = (part.take(rows, axis=0) for part in (self.X, self.targets))
        return Batch(X, targets, None if self.sample_weight is None else self.sample_weight[rows])

    def part(self, rows: slice) -> "Batch":
        """Some that follow on each other, not copied."""
        weights = self.sample_weight
        return Batch(self.X[rows], self.targets[rows], None if weights is None else weights[rows])

    def minibatches(self, size: int, generator: np.random.Generator | None) -> "Iterator[Batch]":
        """All examples once, in an order that the generator draws, or as they stand."""
        order = np.arange(len(self.X))
        if generator is not None:
            order = generator.permutation(order)
        for begin in range(0, len(order), size):
            yield self.take(order[begin : begin + size])


Teacher = Callable[[Array], Array]
"""From inputs, N × D, to the probabilities, N × K, that a better network gives to the classes."""


def one_hot(indices: np.ndarray[Any, np.dtype[np.integer[Any]]], n_classes: int) -> Array:
    """Rows of the identity, float32: N class indices to N × K targets."""
    return np.eye(n_classes, dtype=np.float32)[indices]


@dataclass(frozen=True, slots=True)
class Lessons:
    """The minibatches of each epoch, and what the teacher has said of those that come again."""

    data: Examples
    hyperparameters: Hyperparameters
    teacher: Teacher | None
    said: dict[tuple[int, int], Array] = field(default_factory=dict)

    def of_epoch(self, epoch: int, helper: Executor) -> Iterator[Batch]:
        """Shuffled, distorted, and with the teacher's part in the targets.

        Where that takes long, the helper makes the next one while one is learnt from.
        """
        batches = self._batches(epoch)
        worth_a_thread = self.hyperparameters.distortion or not isinstance(self.data, Batch)
        return _one_ahead(batches, helper) if worth_a_thread else batches

    def _batches(self, epoch: int) -> Iterator[Batch]:
        recipe, order = self.hyperparameters, None
        if recipe.fresh_epochs:
            epoch = (epoch - 1) % recipe.fresh_epochs + 1
        distortion = recipe.distortion_in(epoch)  # what comes again does so as it was
        if recipe.shuffle:
            order = np.random.default_rng([recipe.random_state, epoch])
        for number, drawn in enumerate(self.data.minibatches(recipe.batch_size, order)):
            X, targets, _ = drawn
            if distortion:
                # By a spawn key, because [random_state, epoch, 0] is the seed of the order again.
                seed = np.random.SeedSequence(recipe.random_state, spawn_key=(epoch, number))
                X = distort(X, distortion, np.random.default_rng(seed))
            yield drawn._replace(X=X, targets=self._taught(X, targets, (epoch, number)))

    def _taught(self, X: Array, targets: Array, minibatch: tuple[int, int]) -> Array:
        recipe, taught = self.hyperparameters, self.said.get(minibatch)
        if self.teacher is None or taught is not None:
            return targets if taught is None else taught
        softness = recipe.teacher_weight, recipe.teacher_temperature
        taught = soft_targets(targets, self.teacher(X), *softness)
        if recipe.fresh_epochs:
            self.said[minibatch] = taught
        return taught


def _one_ahead(batches: Iterator[Batch], helper: Executor) -> Iterator[Batch]:
    """The same batches, the next one made by the helper while one is learnt from."""
    upcoming = helper.submit(next, batches, None)
    while (batch := upcoming.result()) is not None:
        upcoming = helper.submit(next, batches, None)
        yield batch
