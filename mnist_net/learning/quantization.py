"""Weights as whole numbers from -127 to 127, with a scale for each column.

A column of a layer's weights feeds one unit.  Units differ in how large their weights are, so each
column has its own scale, the largest weight over 127: then no weight moves by more than half of it.
The sum ``Σ_i x_i w_ij`` becomes ``scale_j Σ_i x_i q_ij``, so the scales need not be known before
the matrix product is done.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mnist_net.arrays import Array

_LEVELS = 127  # on either side of zero: with -128 they would not be symmetric


class Quantized(NamedTuple):
    """Weights in a quarter of float32's bytes.

    Attributes
    ----------
    values
        int8, inputs × outputs.
    scales
        float32, one per output; the weights are about ``values * scales``.
    """

    values: npt.NDArray[np.int8]
    scales: npt.NDArray[np.float32]


def quantized(weights: Array) -> Quantized:
    """Round weights, inputs × outputs and finite, to 255 levels a column."""
    scales = (np.abs(weights).max(axis=0) / _LEVELS).astype(np.float32)
    scales[scales == 0.0] = 1.0  # a column of zeros, which any scale would leave so
    levels = np.rint(weights / scales).clip(-_LEVELS, _LEVELS)
    return Quantized(levels.astype(np.int8), scales)
