"""Arrays of any depth and range as pictures of 256 levels."""

import math
from typing import Any

import numpy as np
from PIL import Image

from mnist_net.arrays import Bytes
from mnist_net.errors import ImageError


def image_of(array: np.ndarray[Any, Any], name: str, max_pixels: int) -> Image.Image:
    """An array as Pillow has it; what it may be, `decoding.open_image` says."""
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if not array.size or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))):
        shape = " × ".join(map(str, array.shape))
        raise ImageError(
            f"{name} must be rows × columns, or these × 1, 3 or 4 channels, and not empty; "
            f"it is {shape or 'a single number'}"
        )
    if math.prod(array.shape[:2]) > max_pixels:
        rows, columns = array.shape[:2]
        raise ImageError(
            f"{name} has {columns:,} × {rows:,} pixels, more than the {max_pixels:,} that are read"
        )
    if array.dtype.kind not in "buif":
        raise ImageError(f"{name} must be of numbers, not {array.dtype}")
    least, most = float(array.min()), float(array.max())
    limit = 1.0 if array.dtype.kind == "f" else 65_535.0
    if not 0.0 <= least <= most <= limit:
        raise ImageError(
            f"{name} has numbers from {least:g} to {most:g}; of {array.dtype}, those from 0 to "
            f"{limit:g} are read"
        )
    if array.dtype == bool:
        array = 255 * array.astype(np.uint8)
    elif array.dtype.kind == "f":
        array = np.round(255.0 * array).astype(np.uint8)
    return Image.fromarray(array if array.dtype == np.uint8 else grey_levels(array))


def grey_levels(values: np.ndarray[Any, Any]) -> Bytes:
    """Deeper pixels to 8 bits; white is that of the narrowest usual range that holds them."""
    levels = values.astype(np.float32)  # in place from here on: there may be 80 million of them
    levels[~np.isfinite(levels)] = 0.0
    lowest = min(float(levels.min()), 0.0)
    top = float(levels.max()) - lowest
    white = next((white for white in (1.0, 255.0, 4095.0, 65535.0) if top <= white), top)
    levels *= 255.0 / white
    levels -= lowest * (255.0 / white)
    return np.round(levels, out=levels).astype(np.uint8)
