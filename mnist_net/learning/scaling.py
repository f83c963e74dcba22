"""How pixels become the network's inputs: the one place where they do."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np

from mnist_net.arrays import Array, Bytes
from mnist_net.learning.normalization import NORMALIZATIONS


class Pixels(Protocol):
    """An array of pixels, or what is known of so many that no array could hold them."""

    def mean(self) -> Any:
        """Mean of all."""

    def std(self) -> Any:
        """Deviation of all."""


class Scaling(NamedTuple):
    """How pixels become inputs: ``(pixel - shift) / scale``, the same for every pixel.

    Before, the picture is normalized, by one of `NORMALIZATIONS`.
    """

    shift: float
    scale: float
    normalization: str = "none"

    def apply(self, images: Bytes | Array) -> Array:
        """Scale pixels from 0 to 255, N × 28 × 28 or N × 784, to float32 inputs N × 784."""
        inputs = images.reshape(len(images), math.prod(images.shape[1:])).astype(np.float32)
        inputs = NORMALIZATIONS[self.normalization].apply(inputs)
        if self.shift:
            inputs -= np.float32(self.shift)
        inputs /= np.float32(self.scale)
        return inputs

    def undo(self, inputs: Array) -> Array:
        """Inputs back to pixels from 0 to 255, normalized and not always whole."""
        return inputs * np.float32(self.scale) + np.float32(self.shift)

    def backward(self, images: Bytes, gradient: Array) -> Array:
        """Gradient with respect to pixels from 0 to 255, N × 784, of that to inputs."""
        pixels = images.reshape(gradient.shape).astype(gradient.dtype)
        back = NORMALIZATIONS[self.normalization].backward(pixels, gradient)
        return back / np.float32(self.scale)

    @classmethod
    def unit(cls) -> "Scaling":
        """0 … 255 to 0 … 1."""
        return cls(0.0, 255.0)

    @classmethod
    def centred(cls, images: Pixels) -> "Scaling":
        """To mean 0 over all pixels of these images, at the scale of `unit`."""
        return cls(float(images.mean()), 255.0)

    @classmethod
    def standard(cls, images: Pixels) -> "Scaling":
        """To mean 0 and deviation 1 over all pixels of these images."""
        return cls(float(images.mean()), float(images.std()) or 1.0)


SCALINGS: dict[str, Callable[[Pixels], Scaling]] = {
    "unit": lambda _: Scaling.unit(),
    "centred": Scaling.centred,
    "standard": Scaling.standard,
}
"""From the training pictures, uint8, to how they are scaled."""
