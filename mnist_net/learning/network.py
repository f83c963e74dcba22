r"""A network as pure functions on plain data.

Row-major batches: one example a row.  ``X`` is N × D, ``W⁽ˡ⁾`` is (width of layer l-1) × (width of
layer l), ``b⁽ˡ⁾`` a row that is added to every row.  The numbers are the equations of
`docs/derivation.md`, which derives them step by step; they stand again at the end of the code line
that implements them.

Forward, for l = 1 … L::

    A⁽⁰⁾ = X                                              (1)
    Z⁽ˡ⁾ = A⁽ˡ⁻¹⁾ W⁽ˡ⁾ + b⁽ˡ⁾                              (2)
    A⁽ˡ⁾ = g⁽ˡ⁾(Z⁽ˡ⁾)                                      (3)
    J    = loss(A⁽ᴸ⁾, T) + λ Σ_l ‖W⁽ˡ⁾‖²                   (4)

Backward, with δ⁽ˡ⁾ = ∂J/∂Z⁽ˡ⁾ (N × width of layer l)::

    δ⁽ᴸ⁾      = ∂loss/∂A⁽ᴸ⁾ ⊙ g′(Z⁽ᴸ⁾)                     (15)
    δ⁽ˡ⁾      = (δ⁽ˡ⁺¹⁾ W⁽ˡ⁺¹⁾ᵀ) ⊙ g′(Z⁽ˡ⁾)                (16)
    ∂J/∂W⁽ˡ⁾ = A⁽ˡ⁻¹⁾ᵀ δ⁽ˡ⁾ + 2 λ W⁽ˡ⁾                    (17)
    ∂J/∂b⁽ˡ⁾ = Σ_n δ⁽ˡ⁾_n                                 (18)
    ∂J/∂X    = δ⁽¹⁾ W⁽¹⁾ᵀ                                 (19)

The loss is a mean over the batch, so its 1/N is inside δ⁽ᴸ⁾ and is written nowhere else.  A layer
whose weights are shared has squares of a picture in place of examples, equations (40) to (42); see
`convolution`.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mnist_net.arrays import Array
from mnist_net.learning.activations import ACTIVATIONS
from mnist_net.learning.convolution import Convolution
from mnist_net.learning.losses import LOSSES


class Layer(NamedTuple):
    """The parameters of one layer; gradients and velocities have this type too.

    Attributes
    ----------
    weights
        Inputs × outputs.
    biases
        One per output, or None for a layer without biases.
    """

    weights: Array
    biases: Array | None


Parameters = tuple[Layer, ...]

_MOST_HELD = 20_000_000  # numbers of a layer, of several examples


class Architecture(NamedTuple):
    """What a network is, apart from its numbers.

    Attributes
    ----------
    layer_sizes
        Widths D, …, K: inputs first, outputs last.
    activations
        Names in `ACTIVATIONS`, one per layer; the last is the output's.
    loss
        Name in `LOSSES`.  The cross-entropies take logits: output activation ``identity``.
    biases
        Whether each layer has biases; True stands for all of them.
    convolutions
        What the first layers look at, if their weights are shared; all others are fully connected.
    """

    layer_sizes: tuple[int, ...]
    activations: tuple[str, ...]
    loss: str
    biases: tuple[bool, ...] | bool = True
    convolutions: tuple[Convolution, ...] = ()

    @property
    def layer_biases(self) -> tuple[bool, ...]:
        """Whether each layer has biases, one truth value per layer."""
        if isinstance(self.biases, bool):
            return (self.biases,) * len(self.activations)
        return self.biases

    @property
    def layer_convolutions(self) -> tuple[Convolution | None, ...]:
        """What each layer looks at; None for one that is fully connected."""
        return (*self.convolutions, *(None,) * (len(self.activations) - len(self.convolutions)))

    @property
    def feature_maps(self) -> tuple[int, ...]:
        """How many feature maps each layer has whose weights are shared."""
        widths = zip(self.layer_sizes[1:], self.convolutions, strict=False)
        return tuple(n_outputs // one.places**2 for n_outputs, one in widths)

    @property
    def weight_shapes(self) -> list[tuple[int, int]]:
        """Shape of each layer's weights."""
        return [
            (one.n_weights, n_outputs // one.places**2) if one else (n_inputs, n_outputs)
            for (n_inputs, n_outputs), one in zip(
                pairwise(self.layer_sizes), self.layer_convolutions, strict=True
            )
        ]


def map_arrays(function: Callable[..., Array], *parameters: Parameters) -> Parameters:
    """Apply a function array by array, as in ``map_arrays(np.subtract, parameters, gradients)``."""
    matched = (zip(*layers, strict=True) for layers in zip(*parameters, strict=True))
    return tuple(
        Layer(function(*weights), None if biases[0] is None else function(*biases))
        for weights, biases in matched
    )


def initialize(
    architecture: Architecture,
    generator: "np.random.Generator",  # in quotes: predicting need not wait for its import
    *,
    initialization: str = "scaled",
    dtype: npt.DTypeLike = np.float64,
) -> Parameters:
    """Draw normal weights, in float64 whatever dtype they are to have; set zero biases.

    The weights' deviation is 1 for ``standard-normal``, as in CS229's handout.  For ``scaled`` it
    is sqrt(1 / inputs) (LeCun et al., *Efficient BackProp*, 1998, equation 16), or sqrt(2 / inputs)
    before a ReLU (He et al. 2015, equation 10).
    """
    shapes, layers = architecture.weight_shapes, []
    for (n_inputs, n_outputs), activation, has_biases in zip(
        shapes, architecture.activations, architecture.layer_biases, strict=True
    ):
        gain = 2.0 if activation == "relu" else 1.0
        deviation = 1.0 if initialization == "standard-normal" else np.sqrt(gain / n_inputs)
        weights = generator.normal(0.0, deviation, (n_inputs, n_outputs)).astype(dtype)
        layers.append(Layer(weights, np.zeros(n_outputs, dtype) if has_biases else None))
    return tuple(layers)


def forward(parameters: Parameters, architecture: Architecture, X: Array) -> list[Array]:
    """Activations of every layer, ``[A⁽⁰⁾, …, A⁽ᴸ⁾]``; X is N × D, of the parameters' dtype."""
    A = [X]  # (1)
    for (weights, biases), name, looks_at in zip(
        parameters, architecture.activations, architecture.layer_convolutions, strict=True
    ):
        Z = _examples(A[-1], looks_at) @ weights  # (2) and (40)
        if biases is not None:
            Z += biases  # (2) too, in place: a new array would cost as much as the activation
        if looks_at:
            Z = Z.reshape(-1, looks_at.places**2 * Z.shape[1])  # an example's squares, in one row
        A.append(ACTIVATIONS[name].function(Z))  # (3)
    return A


def outputs_of(parameters: Parameters, architecture: Architecture, X: Array) -> Array:
    """``A⁽ᴸ⁾`` alone, of so many examples at a time that what is held between stays small."""
    looked_at = [one.places**2 * one.n_weights for one in architecture.convolutions]
    at_once = max(1, _MOST_HELD // max(*architecture.layer_sizes, *looked_at))
    begins = range(0, max(len(X), 1), at_once)
    parts = (forward(parameters, architecture, X[begin : begin + at_once]) for begin in begins)
    return np.concatenate([A[-1] for A in parts])


def _examples(A: Array, looks_at: Convolution | None) -> Array:
    """What a layer's weights see of what comes in: rows, or squares of them."""
    return looks_at.cut(A) if looks_at else A


def _error(delta: Array, layer: Layer, looks_at: Convolution | None) -> Array:
    """What a layer's δ means for what came in, as one row an example."""
    error = delta.reshape(-1, layer.weights.shape[1]) @ layer.weights.T
    return looks_at.put_back(error) if looks_at else error


def _penalty(parameters: Parameters, l2_penalty: float) -> float:
    if not l2_penalty:
        return 0.0  # without reading every weight
    return l2_penalty * sum(float(np.vdot(weights, weights)) for weights, _ in parameters)


def total_loss(
    parameters: Parameters,
    architecture: Architecture,
    X: Array,
    targets: Array,
    l2_penalty: float = 0.0,
    sample_weight: Array | None = None,
) -> float:
    """Mean loss of a batch, N × D and N × K, plus the penalty: ``J`` in equation (4).

    The penalty adds λ Σ ‖W‖² over all weights, not the biases.  With N weights of the examples, of
    the parameters' dtype and any scale, the mean is a weighted one.
    """
    outputs = outputs_of(parameters, architecture, X)
    loss, _ = LOSSES[architecture.loss].function(outputs, targets, sample_weight)
    return loss + _penalty(parameters, l2_penalty)  # (4)


def _loss_and_deltas(
    parameters: Parameters,
    architecture: Architecture,
    A: list[Array],
    targets: Array,
    sample_weight: Array | None = None,
) -> tuple[float, list[Array]]:
    """Loss without penalty, and ``[δ⁽¹⁾, …, δ⁽ᴸ⁾]``."""
    derivatives = [ACTIVATIONS[name].derivative for name in architecture.activations]
    loss, derivative = LOSSES[architecture.loss].function(A[-1], targets, sample_weight)
    deltas: list[Array] = [derivative * derivatives[-1](A[-1])]  # (15)
    for level in range(len(parameters) - 1, 0, -1):
        error = _error(deltas[0], parameters[level], architecture.layer_convolutions[level])
        deltas.insert(0, error * derivatives[level - 1](A[level]))  # (16) and (42)
    return loss, deltas


def loss_and_gradients(
    parameters: Parameters,
    architecture: Architecture,
    X: Array,
    targets: Array,
    l2_penalty: float = 0.0,
    sample_weight: Array | None = None,
) -> tuple[float, Parameters]:
    """`total_loss`, and its gradient: an array like it for each array of the parameters."""
    A = forward(parameters, architecture, X)
    loss, deltas = _loss_and_deltas(parameters, architecture, A, targets, sample_weight)
    gradients = []
    for inputs, delta, (weights, biases), looks_at in zip(
        A[:-1], deltas, parameters, architecture.layer_convolutions, strict=True
    ):
        rows = delta.reshape(-1, weights.shape[1])  # of shared weights one for each square
        weights_gradient = _examples(inputs, looks_at).T @ rows  # (17) and (41)
        if l2_penalty:
            weights_gradient += 2.0 * l2_penalty * weights  # (17), the penalty's part
        gradients.append(
            Layer(weights_gradient, None if biases is None else rows.sum(axis=0))  # (18)
        )
    return loss + _penalty(parameters, l2_penalty), tuple(gradients)  # (4)


def input_gradient(
    parameters: Parameters, architecture: Architecture, X: Array, targets: Array
) -> Array:
    """Gradient of the loss with respect to the input, N × D: which pixels matter."""
    A = forward(parameters, architecture, X)
    _, deltas = _loss_and_deltas(parameters, architecture, A, targets)
    return _error(deltas[0], parameters[0], architecture.layer_convolutions[0])  # (19)


def logit_gradients(
    parameters: Parameters, architecture: Architecture, A: Sequence[Array], k: int
) -> list[Array]:
    """Gradient of one logit with respect to the input and to every hidden layer's activations.

    Parameters
    ----------
    parameters, architecture
        The network.
    A
        What `forward` gives for it, ``[A⁽⁰⁾, …, A⁽ᴸ⁾]``, each N × its layer's width.
    k
        Which logit, ``z_k`` of the last layer, counted from 0.

    Returns
    -------
    list of arrays
        ``[∂z_k/∂A⁽⁰⁾, …, ∂z_k/∂A⁽ᴸ⁻¹⁾]``, of the shapes of A.  It is backpropagation that begins
        with ``δ⁽ᴸ⁾ = e_k`` in place of a loss's derivative.
    """
    delta = np.zeros_like(A[-1])
    delta[:, k] = 1.0
    gradients: list[Array] = []
    for level in range(len(parameters) - 1, -1, -1):
        looks_at = architecture.layer_convolutions[level]
        gradients.insert(0, _error(delta, parameters[level], looks_at))  # (16) and, at last, (19)
        if level:
            name = architecture.activations[level - 1]
            delta = gradients[0] * ACTIVATIONS[name].derivative(A[level])
    return gradients
