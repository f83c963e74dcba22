"""The gradient of a minibatch from those of its parts, which several workers compute.

Equation (17) is a sum over examples, and the loss is their mean.  So the gradient of a minibatch is
the mean of the gradients of its parts, each counting as much as its examples do; the penalty, which
is the same in each, passes through the mean as it is.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from mnist_net.arrays import Array
from mnist_net.learning.minibatches import Batch
from mnist_net.learning.network import Architecture, Parameters, map_arrays

Gradients = Callable[..., tuple[float, Parameters]]
"""As `network.loss_and_gradients`, whose arguments it takes in order."""


def parts_of(batch: Batch, n: int) -> list[Batch]:
    """A minibatch in so many parts, of sizes as equal as can be; fewer if it has fewer examples."""
    bounds = np.linspace(0, batch.n_examples, min(n, batch.n_examples) + 1).astype(int)
    return [batch.take(np.arange(*ends)) for ends in pairwise(bounds)]


def combined(
    parts: Sequence[tuple[float, Parameters]], shares: Sequence[float]
) -> tuple[float, Parameters]:
    """Mean of losses and of gradients, in the order of the parts; the shares add up to 1."""

    def mean(*arrays: Array) -> Array:
        dtype = arrays[0].dtype.type
        return np.add.reduce([dtype(s) * a for s, a in zip(shares, arrays, strict=True)])

    loss = sum(share * loss for share, (loss, _) in zip(shares, parts, strict=True))
    return loss, map_arrays(mean, *(gradients for _, gradients in parts))  # (17) and (18)


def sharded(
    n: int, each: Callable[[Iterable[tuple[Any, ...]]], Iterable[tuple[float, Parameters]]]
) -> Gradients:
    """`network.loss_and_gradients`, computed in so many parts.

    `each` calls it with each of several tuples of arguments, wherever, and returns what comes of
    it, in their order.
    """

    def loss_and_gradients(
        parameters: Parameters,
        architecture: Architecture,
        X: Array,
        targets: Array,
        l2_penalty: float = 0.0,
        sample_weight: Array | None = None,
    ) -> tuple[float, Parameters]:
        batch = Batch(X, targets, sample_weight)
        parts = parts_of(batch, n)
        tasks = [
            (parameters, architecture, *part[:2], l2_penalty, part.sample_weight) for part in parts
        ]
        return combined([*each(tasks)], [part.weight / batch.weight for part in parts])

    return loss_and_gradients
