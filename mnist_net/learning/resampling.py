"""Pixels of pictures from displaced places."""

import numpy as np

from mnist_net.arrays import Array


def bilinear(images: Array, rows: Array, columns: Array) -> Array:
    """Values at fractional places.

    Parameters
    ----------
    images
        N × D, float, D the square of the side.
    rows, columns
        Of each pixel of the result the place in its picture, N × side × side, in pixels from the
        middle.  Beyond the border, the border goes on.

    Returns
    -------
    array
        Of the images' shape and dtype.
    """
    n, side, _ = rows.shape
    last = np.float32(side - 1)
    rows, columns = (np.clip(a + last / 2, 0.0, last) for a in (rows, columns))
    rows, columns = rows.reshape(images.shape), columns.reshape(images.shape)
    top, left = np.floor(rows), np.floor(columns)
    down, right = rows - top, columns - left
    corner = (top * side + left).astype(np.intp) + side * side * np.arange(n)[:, None]

    def pixels(offset: int) -> Array:
        # Beyond the last row or column it is another pixel that is taken, with a weight of 0.
        return images.take(corner + offset, mode="clip")

    upper, lower = pixels(0), pixels(side)
    upper += right * (pixels(1) - upper)
    lower += right * (pixels(side + 1) - lower)
    return upper + down * (lower - upper)  # (28)


def nearness(places: Array) -> Array:
    """How much each row (or column) has of a place between two: side × side × side, N times.

    The places are N × side × side, in pixels from the middle, and so is what `bilinear` takes:
    the sum over i and j of ``nearness(rows)_i · pixel_ij · nearness(columns)_j``.
    """
    last = places.shape[-1] - 1
    clipped = np.clip(places + last / 2, 0.0, last)[..., None]
    return np.maximum(1.0 - np.abs(clipped - np.arange(last + 1, dtype=places.dtype)), 0.0)
