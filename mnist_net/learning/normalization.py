"""Pictures brought to about one slant and size by their moments, before a network sees them.

Hands differ in slant, in size and in how broad they write, and a shallow network spends its units
on that.  With a pixel's grey level as its mass, a digit's centre and its covariance say how it was
written, and an affine map takes that away (Casey 1970, *Moment normalization of handprinted
characters*): the centre comes to the middle, the slant goes, and height and breadth go half of the
way to a size that fills the field.  Half of it, for breadth also tells a 1 from a 0.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from mnist_net.arrays import Array
from mnist_net.learning.resampling import bilinear, nearness

HEIGHT, BREADTH = 10.0, 8.0
"""Standard deviations of the ink, in pixels, that a digit's own are brought half of the way to."""

MOST = 2.0
"""Times that a digit is magnified or reduced, at most."""

STEEPEST = 1.0
"""Columns per row by which a slant is undone, at most."""

TINY = 1e-6
"""In place of a mass of 0."""

PIXEL = 1 / 12
"""Variance of ink within a pixel, which no other is taken for less than: it would be rounding."""

_CHUNK = 100  # pictures at a time: what the cache holds is three times faster


class Normalization(NamedTuple):
    """What becomes of pictures, N × D, float, not negative, D the square of the side.

    Attributes
    ----------
    apply
        From pictures to others of their shape and dtype.
    backward
        From pictures, and a gradient with respect to what `apply` makes of them, to the gradient
        with respect to their own pixels, all N × D.
    """

    apply: Callable[[Array], Array]
    backward: Callable[[Array, Array], Array]


def _upright(images: Array) -> Array:
    chunks = (images[begin : begin + _CHUNK] for begin in range(0, len(images), _CHUNK))
    return np.concatenate([images[:0], *(bilinear(some, *_places(some)) for some in chunks)])


def _upright_backward(images: Array, gradient: Array) -> Array:
    """As if a pixel's ink moved no moment: what it says where it stands."""
    rows, columns = map(nearness, _places(images))
    by_place = gradient.reshape(columns.shape[:3])
    return np.einsum("nrci,nrcj,nrc->nij", rows, columns, by_place).reshape(images.shape)


def _places(images: Array) -> tuple[Array, Array]:
    """Row and column, from the middle, that each pixel comes from: N × side × side each."""
    side = round(images.shape[1] ** 0.5)
    ink = images.reshape(len(images), side, side)
    place = np.arange(side, dtype=images.dtype) - (side - 1) / 2
    powers = np.stack([place**0, place, place**2], axis=1)
    moments = (powers.T @ ink @ powers)[:, :, :, None, None]  # (35)
    mass = np.maximum(moments[:, 0, 0], TINY)
    row, column = moments[:, 1, 0] / mass, moments[:, 0, 1] / mass  # (36)
    height = moments[:, 2, 0] / mass - row**2  # (36), as are the next two
    breadth = moments[:, 0, 2] / mass - column**2
    both = moments[:, 1, 1] / mass - row * column
    slant = np.clip(both / np.maximum(height, PIXEL), -STEEPEST, STEEPEST)  # (37)
    tall, broad = _towards(HEIGHT, height), _towards(BREADTH, breadth - slant * both)
    rows = row + tall * place[:, None]  # (39)
    columns = column + broad * place + slant * tall * place[:, None]  # (39)
    return np.broadcast_to(rows, ink.shape), columns


def _towards(usual: float, variance: Array) -> Array:
    """Pixels of the picture per pixel of what it becomes: half of the way, in the logarithm."""
    deviation = np.sqrt(np.maximum(variance, PIXEL))
    return np.clip(np.sqrt(deviation / usual), 1 / MOST, MOST)  # (38)


NORMALIZATIONS = {
    "none": Normalization(lambda images: images, lambda _, gradient: gradient),
    "moments": Normalization(_upright, _upright_backward),
}
"""By name."""
