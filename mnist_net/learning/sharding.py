"""The gradient of a minibatch from those of its parts, which several workers compute.

Equation (17) is a sum over examples, and the loss is their mean.  So the gradient of a minibatch is
the mean of the gradients of its parts, each counting as much as its examples do; the penalty, which
is the same in each, passes through the mean as it is.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from contextvars import copy_context
from functools import partial, reduce
from itertools import pairwise, starmap
from typing import Any

import numpy as np

from mnist_net.arrays import Array
from mnist_net.learning.minibatches import Batch
from mnist_net.learning.network import (
    Architecture,
    Parameters,
    loss_and_gradients,
    map_arrays,
)

Gradients = Callable[..., tuple[float, Parameters]]
"""As `network.loss_and_gradients`, whose arguments it takes in order."""

Each = Callable[[Iterable[tuple[Any, ...]]], Iterable[tuple[float, Parameters]]]
"""Calls it with each of several tuples of arguments, wherever; what comes of it, in their order."""

_WORTH_HALVING = 256  # examples


def parts_of(batch: Batch, n: int) -> list[Batch]:
    """A minibatch in so many parts, of sizes as equal as can be; fewer if it has fewer examples."""
    bounds = np.linspace(0, batch.n_examples, min(n, batch.n_examples) + 1).astype(int)
    return [batch.part(slice(*ends)) for ends in pairwise(bounds)]


def combined(
    parts: Sequence[tuple[float, Parameters]], shares: Sequence[float]
) -> tuple[float, Parameters]:
    """Mean of losses and of gradients, in the order of the parts; the shares add up to 1."""

    def mean(*arrays: Array) -> Array:
        dtype = arrays[0].dtype.type
        return reduce(np.add, (dtype(s) * a for s, a in zip(shares, arrays, strict=True)))

    loss = sum(share * loss for share, (loss, _) in zip(shares, parts, strict=True))
    return loss, map_arrays(mean, *(gradients for _, gradients in parts))  # (17) and (18)


def sharded(n: int, each: Each) -> Gradients:
    """`network.loss_and_gradients`, computed in so many parts.

    `each` calls it with each of several tuples of arguments, wherever, and returns what comes of
    it, in their order.
    """

    def of_parts(
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

    return of_parts


def beside(helper: Executor) -> Each:
    """The last task is done here, and the others by the helper meanwhile."""

    def each(tasks: Iterable[tuple[Any, ...]]) -> list[tuple[float, Parameters]]:
        *others, last = tasks
        # In a copy of this context, which has what NumPy is to say of overflow.
        theirs = [helper.submit(copy_context().run, loss_and_gradients, *t) for t in others]
        ours = loss_and_gradients(*last)
        return [*(one.result() for one in theirs), ours]

    return each


def halved(helper: Executor | None = None) -> Gradients:
    """`network.loss_and_gradients`, of large minibatches in two halves.

    The helper computes one of them meanwhile.  Without a helper they come one after the other, to
    the same bits.
    """
    halves = sharded(2, beside(helper) if helper else partial(starmap, loss_and_gradients))

    def gradients(
        parameters: Parameters, architecture: Architecture, X: Array, *others: Any
    ) -> tuple[float, Parameters]:
        compute = halves if len(X) >= _WORTH_HALVING else loss_and_gradients
        return compute(parameters, architecture, X, *others)

    return gradients
