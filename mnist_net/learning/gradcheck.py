"""Derived gradients against numerical ones.

The derivative of the loss along a direction ``u`` is ``<gradient, u>`` by the derivation and
``(J(θ + h u) - J(θ - h u)) / 2h`` by central differences.  On a small network every coordinate is
such a direction; on a large one a few random directions are, which touch all coordinates at once.
The measure is ``‖derived - numerical‖ / (‖derived‖ + ‖numerical‖)`` over an array's directions: 0
for equality, 1 for unrelated numbers, about 1e-9 for a right gradient in float64.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from mnist_net.arrays import Array
from mnist_net.learning.convolution import convolutions
from mnist_net.learning.losses import soft_targets, softmax
from mnist_net.learning.network import (
    Architecture,
    initialize,
    input_gradient,
    loss_and_gradients,
    total_loss,
)

THRESHOLD = 1e-7
"""Above it a gradient is wrong: rounding leaves about 1e-9, a forgotten 1/N leaves 0.1 or more."""

_STEP = 1e-5  # near the cube root of float64's epsilon, where truncation and rounding balance
_N_DIRECTIONS = 30
_TEACHER_TEMPERATURE = 2.0
_SMALL = 2_000  # arrays up to this size are checked coordinate by coordinate


class System(NamedTuple):
    """A network and the batch on which its gradients are checked.

    Attributes
    ----------
    name
        What it is called; the derivation's table of systems lists the names.
    architecture
        The network.
    batch_size
        Examples, drawn from a standard normal, so that no input is always zero and hides a row of
        the first layer's gradient, as MNIST's border pixels do.
    l2_penalty
        ``λ``.
    weighted
        Whether the examples have weights, drawn from 0 to 1.
    teacher_weight
        Part of the targets that a teacher has, whose opinions are random.
    """

    name: str
    architecture: Architecture
    batch_size: int = 7
    l2_penalty: float = 0.0
    weighted: bool = False
    teacher_weight: float = 0.0


class Check(NamedTuple):
    """Outcome for one array: its system, its name (``W1``, ``b2``, ``X``) and relative error."""

    system: str
    array: str
    error: float


_SOFTMAX, _BINARY, _SQUARED = "softmax-cross-entropy", "binary-cross-entropy", "mean-squared-error"

SYSTEMS = (
    System("digits", Architecture((12, 8, 10), ("sigmoid", "identity"), _SOFTMAX), 7, 1e-2),
    System(
        "digits-taught",
        Architecture((12, 8, 10), ("sigmoid", "identity"), _SOFTMAX),
        teacher_weight=0.7,
    ),
    System("relu-regressor", Architecture((5, 6, 3), ("relu", "identity"), _SQUARED)),
    System("binary-relu", Architecture((2, 3, 1), ("relu", "identity"), _BINARY, (False, True))),
    System("binary-tanh", Architecture((4, 5, 1), ("tanh", "identity"), _BINARY)),
    *(
        System(f"neuron-{activation}", Architecture((3, 1), (activation,), _SQUARED))
        for activation in ("identity", "tanh", "sigmoid", "relu")
    ),
    *(
        System(f"{name}-{loss}", Architecture((5, 6, 6, 4, 3), layers, loss), 7, 1e-2, weighted)
        for name, weighted in (("deep", False), ("weighted", True))
        for layers, loss in (
            (("sigmoid", "tanh", "relu", "tanh"), _SQUARED),
            (("relu", "sigmoid", "tanh", "identity"), _BINARY),
            (("tanh", "relu", "sigmoid", "identity"), _SOFTMAX),
        )
    ),
    System(
        "shared-weights",
        Architecture(
            (49, 32, 12, 5, 3),
            ("tanh", "relu", "sigmoid", "identity"),
            _SOFTMAX,
            convolutions=convolutions(49, (2, 3)),
        ),
        l2_penalty=1e-2,
    ),
    System("784-300-10", Architecture((784, 300, 10), ("sigmoid", "identity"), _SOFTMAX), 20, 1e-4),
)
"""The six systems of the derivation (the single neuron with each of its activations, the deep net
with each loss, and again with weights of the examples; the digits also with a teacher), layers of
shared weights, and the network that reads digits."""


def relative_error(derived: Array, numerical: Array) -> float:
    """``‖derived - numerical‖ / (‖derived‖ + ‖numerical‖)``, and 0 if both are zero."""
    scale = float(np.linalg.norm(derived) + np.linalg.norm(numerical))
    return float(np.linalg.norm(derived - numerical)) / scale if scale else 0.0


def _error(
    loss: Callable[[], float], array: Array, derived: Array, generator: np.random.Generator
) -> float:
    """Relative error of the gradient derived at an array, which is moved for it, of the loss."""
    random = (generator.standard_normal(array.size) for _ in range(_N_DIRECTIONS))
    here, slopes = array.copy(), []
    for direction in np.eye(array.size) if array.size <= _SMALL else random:
        u = direction.reshape(array.shape)
        array[...] = here + _STEP * u
        ahead = loss()
        array[...] = here - _STEP * u
        slopes.append((np.vdot(derived, u), (ahead - loss()) / (2.0 * _STEP)))
    array[...] = here
    return relative_error(*np.array(slopes).T)


def _targets(system: System, generator: np.random.Generator) -> Array:
    n, n_outputs, loss = (
        system.batch_size,
        system.architecture.layer_sizes[-1],
        system.architecture.loss,
    )
    if loss == _SOFTMAX:
        targets = np.eye(n_outputs)[generator.integers(n_outputs, size=n)]
        if not system.teacher_weight:
            return targets
        opinions = softmax(generator.standard_normal((n, n_outputs)))
        return soft_targets(targets, opinions, system.teacher_weight, _TEACHER_TEMPERATURE)
    if loss == _BINARY:
        return generator.integers(2, size=(n, n_outputs)).astype(float)
    return generator.standard_normal((n, n_outputs))


def check_system(system: System, random_state: int = 0) -> Iterator[Check]:
    """Check every weight matrix, every bias vector and the input of one system, in float64.

    Parameters
    ----------
    system
        One of `SYSTEMS`, or another.
    random_state
        Seed of parameters, examples and directions.

    Yields
    ------
    Check
        ``W1``, ``b1``, …, then ``X``.
    """
    name, architecture, n, l2_penalty, weighted, _ = system
    generator = np.random.default_rng(random_state)
    parameters = initialize(architecture, generator)
    # Biases start at zero, where a mistake in their gradient could hide behind the symmetry.
    for _, biases in parameters:
        if biases is not None:
            biases[...] = generator.standard_normal(biases.shape)
    X = generator.standard_normal((n, architecture.layer_sizes[0]))
    at = parameters, architecture, X, _targets(system, generator)
    penalized = (*at, l2_penalty, generator.random(n) if weighted else None)
    _, gradients = loss_and_gradients(*penalized)
    for level, (layer, gradient) in enumerate(zip(parameters, gradients, strict=True), 1):
        for letter, array, derived in zip("Wb", layer, gradient, strict=True):
            if array is not None and derived is not None:
                error = _error(partial(total_loss, *penalized), array, derived, generator)
                yield Check(name, f"{letter}{level}", error)
    yield Check(name, "X", _error(partial(total_loss, *at), X, input_gradient(*at), generator))
