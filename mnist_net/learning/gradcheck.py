"""Derived gradients against numerical ones.

The derivative of the loss along a direction ``u`` is ``<gradient, u>`` by the derivation and
``(J(θ + h u) - J(θ - h u)) / 2h`` by central differences.  On a small network every coordinate is
such a direction; on a large one a few random directions are, which touch all coordinates at once.
The measure is ``‖derived - numerical‖ / (‖derived‖ + ‖numerical‖)`` over an array's directions: 0
for equality, 1 for unrelated numbers, about 1e-9 for a right gradient in float64.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from mnist_net.arrays import Array
from mnist_net.learning.network import (
    Architecture,
    Parameters,
    initialize,
    input_gradient,
    loss_and_gradients,
    total_loss,
)

THRESHOLD = 1e-7
"""Above it a gradient is wrong: rounding leaves about 1e-9, a forgotten 1/N leaves 0.1 or more."""

_STEP = 1e-5  # near the cube root of float64's epsilon, where truncation and rounding balance
_N_DIRECTIONS = 30
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
    """

    name: str
    architecture: Architecture
    batch_size: int = 7
    l2_penalty: float = 0.0


class Check(NamedTuple):
    """Outcome for one array: its system, its name (``W1``, ``b2``, ``X``) and relative error."""

    system: str
    array: str
    error: float


_SOFTMAX, _BINARY, _SQUARED = (
    "softmax-cross-entropy",
    "binary-cross-entropy",
    "mean-squared-error",
)

SYSTEMS = (
    System("digits", Architecture((12, 8, 10), ("sigmoid", "identity"), _SOFTMAX), 7, 1e-2),
    System("relu-regressor", Architecture((5, 6, 3), ("relu", "identity"), _SQUARED)),
    System("binary-relu", Architecture((2, 3, 1), ("relu", "identity"), _BINARY, (False, True))),
    System("binary-tanh", Architecture((4, 5, 1), ("tanh", "identity"), _BINARY)),
    *(
        System(f"neuron-{activation}", Architecture((3, 1), (activation,), _SQUARED))
        for activation in ("identity", "tanh", "sigmoid", "relu")
    ),
    *(
        System(f"deep-{loss}", Architecture((5, 6, 6, 4, 3), (*hidden, output), loss), 7, 1e-2)
        for hidden, output, loss in (
            (("sigmoid", "tanh", "relu"), "tanh", _SQUARED),
            (("relu", "sigmoid", "tanh"), "identity", _BINARY),
            (("tanh", "relu", "sigmoid"), "identity", _SOFTMAX),
        )
    ),
    System("784-300-10", Architecture((784, 300, 10), ("sigmoid", "identity"), _SOFTMAX), 20, 1e-4),
)
"""The six systems of the derivation (the single neuron with each of its activations, the deep net
with each loss) and the network that reads digits."""


def relative_error(derived: Array, numerical: Array) -> float:
    """``‖derived - numerical‖ / (‖derived‖ + ‖numerical‖)``, and 0 if both are zero."""
    scale = float(np.linalg.norm(derived) + np.linalg.norm(numerical))
    return float(np.linalg.norm(derived - numerical)) / scale if scale else 0.0


def _directions(shape: tuple[int, ...], generator: np.random.Generator) -> Iterator[Array]:
    size = int(np.prod(shape))
    if size <= _SMALL:
        for row in range(size):
            direction = np.zeros(size)
            direction[row] = 1.0
            yield direction.reshape(shape)
    else:
        for _ in range(_N_DIRECTIONS):
            yield generator.standard_normal(shape)


def check_gradient(
    loss: Callable[[Array], float], at: Array, derived: Array, generator: np.random.Generator
) -> float:
    """Relative error of a derived gradient.

    Parameters
    ----------
    loss
        Function of one float64 array.
    at
        Where the gradient was derived.
    derived
        The gradient there, of the same shape.
    generator
        Draws the directions if there are too many coordinates to try each.
    """
    pairs = [
        (
            float(np.vdot(derived, direction)),
            (loss(at + _STEP * direction) - loss(at - _STEP * direction)) / (2.0 * _STEP),
        )
        for direction in _directions(at.shape, generator)
    ]
    derived_slopes, numerical_slopes = np.array(pairs).T
    return relative_error(derived_slopes, numerical_slopes)


def _replaced(parameters: Parameters, level: int, field: str, array: Array) -> Parameters:
    layer = parameters[level]._replace(**{field: array})
    return (*parameters[:level], layer, *parameters[level + 1 :])


def _targets(architecture: Architecture, n: int, generator: np.random.Generator) -> Array:
    n_outputs = architecture.layer_sizes[-1]
    if architecture.loss == _SOFTMAX:
        return np.eye(n_outputs)[generator.integers(n_outputs, size=n)]
    if architecture.loss == _BINARY:
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
    _, architecture, n, l2_penalty = system
    generator = np.random.default_rng(random_state)
    parameters = initialize(architecture, generator)
    # Biases start at zero, where a mistake in their gradient could hide behind the symmetry.
    for level, layer in enumerate(parameters):
        if layer.biases is not None:
            biases = generator.standard_normal(layer.biases.shape)
            parameters = _replaced(parameters, level, "biases", biases)
    X = generator.standard_normal((n, architecture.layer_sizes[0]))
    targets = _targets(architecture, n, generator)
    _, gradients = loss_and_gradients(parameters, architecture, X, targets, l2_penalty)

    for level, (layer, gradient) in enumerate(zip(parameters, gradients, strict=True)):
        for field, letter in (("weights", "W"), ("biases", "b")):
            array = getattr(layer, field)
            if array is None:
                continue

            def loss(values: Array, level: int = level, field: str = field) -> float:
                changed = _replaced(parameters, level, field, values)
                return total_loss(changed, architecture, X, targets, l2_penalty)

            error = check_gradient(loss, array, getattr(gradient, field), generator)
            yield Check(system.name, f"{letter}{level + 1}", error)

    def loss_of_input(values: Array) -> float:
        return total_loss(parameters, architecture, values, targets)

    derived = input_gradient(parameters, architecture, X, targets)
    yield Check(system.name, "X", check_gradient(loss_of_input, X, derived, generator))
