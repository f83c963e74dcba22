"""From pictures to examples: all at once, or minibatch by minibatch as they come from disk."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mnist_net.arrays import Bytes, Labels
from mnist_net.datasets.shards import Shards
from mnist_net.learning.minibatches import Batch, one_hot
from mnist_net.learning.scaling import Scaling


class Preparation(NamedTuple):
    """How pictures become examples.

    Attributes
    ----------
    scaling
        From pixels to inputs.
    pixels
        Indices of the pixels that are inputs.
    classes
        Labels in the order of the targets' columns.
    """

    scaling: Scaling
    pixels: npt.NDArray[np.intp]
    classes: npt.NDArray[np.int64]

    def examples(self, images: Bytes, labels: Labels) -> Batch:
        """Inputs and one-hot targets, float32, of pictures in memory and their labels."""
        inputs = images.reshape(len(images), -1).take(self.pixels, axis=1)
        targets = one_hot(np.searchsorted(self.classes, labels), len(self.classes))
        return Batch(self.scaling.apply(inputs), targets)


@dataclass(frozen=True, slots=True)
class Stream:
    """Examples whose pictures are on disk; see `minibatches.Examples`."""

    shards: Shards
    preparation: Preparation

    @property
    def n_examples(self) -> int:
        """How many there are."""
        return len(self.shards.labels)

    @property
    def sizes(self) -> tuple[int, int]:
        """Numbers of inputs and of classes."""
        return len(self.preparation.pixels), len(self.preparation.classes)

    @property
    def dtype(self) -> "np.dtype[Any]":
        """Of the inputs."""
        return np.dtype(np.float32)

    @property
    def weight(self) -> float:
        """Each example counts once."""
        return float(self.n_examples)

    def minibatches(self, size: int, generator: np.random.Generator | None) -> Iterator[Batch]:
        """All examples once, shuffled by the generator on two levels; see `datasets.shards`."""
        for images, labels in self.shards.minibatches(size, generator):
            yield self.preparation.examples(images, labels)
