"""Activation functions, each beside its derivative.

A layer turns its logits into activations, ``a = g(z)``.  Backpropagation needs ``g'(z)``, and for
each of these functions it can be had from ``a`` alone; so no logits need be kept.  The numbers in
parentheses are the equations of `docs/derivation.md`.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from mnist_net.arrays import Array


def sigmoid(z: Array) -> Array:
    """Logistic function, ``1 / (1 + exp(-z))``, written so that it can never overflow.

    The identity ``sigmoid(z) = (1 + tanh(z / 2)) / 2`` needs no case for the sign of ``z``.
    """
    return 0.5 * (1.0 + np.tanh(0.5 * z))  # (5)


class Activation(NamedTuple):
    """An activation function and its derivative.

    Attributes
    ----------
    function
        ``g``: logits of any shape to activations of the same shape and dtype.
    derivative
        ``g'`` at the same place, **as a function of the activations** ``a = g(z)``.
    """

    function: Callable[[Array], Array]
    derivative: Callable[[Array], Array]


ACTIVATIONS = {
    "sigmoid": Activation(sigmoid, lambda a: a * (1.0 - a)),  # (6a)
    "tanh": Activation(np.tanh, lambda a: 1.0 - a * a),  # (6b)
    # At the kink itself the subgradient 0 is taken, as is usual.
    "relu": Activation(lambda z: np.maximum(z, 0.0), lambda a: (a > 0.0).astype(a.dtype)),  # (6c)
    "identity": Activation(lambda z: z, np.ones_like),  # (6d)
}
