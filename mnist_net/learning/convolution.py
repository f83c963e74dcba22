r"""Layers whose weights are shared by all places of a picture.

Such a layer looks at squares of a picture, or of the feature maps of the layer before, and every
square is an example of its own to the same weights (LeCun et al. 1998, *Gradient-based learning
applied to document recognition*, section II.A).  So it is the layer of `network`, with one thing
before it: ``P`` cuts N × D into squares, (N · places) × (numbers in a square), and is linear.
Squares lie a `stride` apart, in place of pooling (Simard et al. 2003); beyond the border all is 0.
The numbers are the equations of `docs/derivation.md`::

    Z⁽ˡ⁾      = P(A⁽ˡ⁻¹⁾) W⁽ˡ⁾ + b⁽ˡ⁾                          (40)
    ∂J/∂W⁽ˡ⁾  = P(A⁽ˡ⁻¹⁾)ᵀ δ⁽ˡ⁾ + 2 λ W⁽ˡ⁾                     (41)
    δ⁽ˡ⁻¹⁾    = Pᵀ(δ⁽ˡ⁾ W⁽ˡ⁾ᵀ) ⊙ g′(Z⁽ˡ⁻¹⁾)                    (42)

where δ⁽ˡ⁾ has a row for each square, and ``Pᵀ`` adds up what the squares say of each pixel.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mnist_net.arrays import Array
from mnist_net.errors import DataError

KERNEL, STRIDE = 5, 2
"""Side of a square, and how far apart squares lie, in pixels (Simard et al. 2003)."""


class Convolution(NamedTuple):
    """What a layer of shared weights looks at.

    Attributes
    ----------
    side
        Of the picture, which is a square, in pixels.
    channels
        Numbers that each pixel has: 1 of a picture, else the feature maps of the layer before.
        Those of one pixel lie side by side.
    kernel, stride
        Side of a square, which is odd, and how far apart squares lie, in pixels.
    """

    side: int
    channels: int
    kernel: int = KERNEL
    stride: int = STRIDE

    @property
    def n_inputs(self) -> int:
        """Numbers that come in for one picture."""
        return self.side**2 * self.channels

    @property
    def n_weights(self) -> int:
        """Numbers in a square: so many weights has each feature map."""
        return self.kernel**2 * self.channels

    @property
    def places(self) -> int:
        """Squares along a side: the first has its middle on the first pixel."""
        return -(-self.side // self.stride)

    def cut(self, A: Array) -> Array:
        """``P``: N × `n_inputs` into squares, (N · `places`²) × `n_weights`."""
        edge = self.kernel // 2
        padded = np.pad(self._pixels(A), ((0, 0), (edge, edge), (edge, edge), (0, 0)))
        squares = np.lib.stride_tricks.sliding_window_view(padded, (self.kernel,) * 2, axis=(1, 2))
        apart = squares[:, :: self.stride, :: self.stride]
        return np.moveaxis(apart, 3, 5).reshape(-1, self.n_weights)

    def put_back(self, squares: Array) -> Array:
        """``Pᵀ``: squares into N × `n_inputs`, each pixel the sum over those that it lies in."""
        kernel, stride, places = self.kernel, self.stride, self.places
        apart = squares.reshape(-1, places, places, kernel, kernel, self.channels)
        edge, span = kernel // 2, stride * places
        padded = np.zeros((len(apart), *(span + kernel,) * 2, self.channels), squares.dtype)
        for i in range(kernel):
            for j in range(kernel):
                padded[:, i : i + span : stride, j : j + span : stride] += apart[:, :, :, i, j]
        inside = slice(edge, edge + self.side)
        return padded[:, inside, inside].reshape(-1, self.n_inputs)

    def weights_of(self, weights: Array, units: npt.NDArray[np.intp]) -> Array:
        """Weights of single units on all that comes in, units × `n_inputs`: 0 but in their square.

        Unit ``place · maps + map`` is a feature map's at a place, as `weights`, `n_weights` × maps,
        have them.
        """
        n_maps = weights.shape[1]
        squares = np.zeros((len(units), self.places**2, self.n_weights), weights.dtype)
        squares[np.arange(len(units)), units // n_maps] = weights.T[units % n_maps]
        return self.put_back(squares)

    def _pixels(self, A: Array) -> Array:
        return A.reshape(-1, self.side, self.side, self.channels)


def convolutions(n_pixels: int, feature_maps: tuple[int, ...]) -> tuple[Convolution, ...]:
    """Layers with so many feature maps, one after the other, for pictures of so many pixels.

    Raises
    ------
    DataError
        If there are any, and the pictures are no squares.
    """
    layers: list[Convolution] = []
    side, channels = math.isqrt(n_pixels), 1
    if feature_maps and side**2 != n_pixels:
        raise DataError(f"feature maps need square pictures, and {n_pixels} inputs are no square")
    for n_maps in feature_maps:
        layers.append(Convolution(side, channels))
        side, channels = layers[-1].places, n_maps
    return tuple(layers)
