"""What is to be had of networks that have learned: asked more than once, together, or in int8."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from mnist_net.arrays import Array, Bytes
from mnist_net.learning.quantization import quantized
from mnist_net.trained.model import Model

_ROUNDS = 100  # by which shares of a mixture stand still

Ask = Callable[[Model, Bytes], Array]
"""From a network and pictures to probabilities, N × K."""


def over_shifts(model: Model, images: Bytes) -> Array:
    """Mean over the picture and its eight neighbours, one pixel away."""
    side = images.shape[2]
    framed = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    shifted = (framed[:, y : y + side, x : x + side] for y in range(3) for x in range(3))
    return mean([model.predict_proba(pictures) for pictures in shifted])


def in_int8(model: Model, images: Bytes) -> Array:
    """With weights of one byte each, and a scale for each unit."""
    layers = []
    for layer in model.parameters:
        values, scales = quantized(layer.weights)
        layers.append(layer._replace(weights=values * scales))
    return replace(model, parameters=tuple(layers)).predict_proba(images)


def mean(probabilities: Sequence[Array]) -> Array:
    """Of several answers."""
    return sum(probabilities[1:], start=probabilities[0]) / np.float32(len(probabilities))


def weighted(probabilities: Sequence[Array], targets: Array) -> Array:
    """Mean by weights that make the targets likeliest; of each half by those fitted on the other.

    They are the shares of a mixture, found by expectation and maximization.
    """
    answers = np.stack(probabilities)
    even = np.arange(len(targets)) % 2 == 0
    found = np.empty_like(answers[0])
    for half in (even, ~even):
        likely = (answers[:, ~half] * targets[~half]).sum(axis=2)  # by each network, of the truth
        shares = np.full((len(answers), 1), 1.0 / len(answers))
        for _ in range(_ROUNDS):
            shares = (shares * likely / (shares * likely).sum(axis=0)).mean(axis=1, keepdims=True)
        found[half] = np.tensordot(shares[:, 0], answers[:, half], axes=1)
    return found


class Asked(NamedTuple):
    """Whom to ask, and how.

    Attributes
    ----------
    networks
        Of each the idea by which it learned, and what is added to its seed.
    ask
        Their mean counts.
    weighted
        Whether the mean is by `weighted`.
    """

    networks: tuple[tuple[str, int], ...]
    ask: Ask = Model.predict_proba
    weighted: bool = False


_WIDTHS = (("labels alone", 0), *((f"digits {width} wide", 0) for width in (14, 17, 20)))

ASKED = {
    "labels alone, mean over 9 shifts": Asked((("labels alone", 0),), over_shifts),
    "labels alone, in int8": Asked((("labels alone", 0),), in_int8),
    "1600 units, in int8": Asked((("1600 units", 0),), in_int8),
    "two nets that differ in the seed": Asked((("labels alone", 0), ("labels alone", 2))),
    "two nets, one of digits 14 wide": Asked((("labels alone", 0), ("digits 14 wide", 0))),
    "two nets, one normalized": Asked((("labels alone", 0), ("normalized by moments", 0))),
    "four nets, three of digits 14, 17 and 20 wide": Asked(_WIDTHS),
    "the same four, by weights that were fitted": Asked(_WIDTHS, weighted=True),
}
"""By what the table calls it."""
