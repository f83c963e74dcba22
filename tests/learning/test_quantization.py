"""Weights as int8: a case by hand, and how far a weight may move."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from mnist_net.learning.quantization import quantized


def _not_tiny(weight: float) -> float:
    """Below float32's normal numbers, steps are coarser than what is promised."""
    return weight if abs(weight) > 2.0**-100 else 0.0


WEIGHTS = arrays(
    np.float32,
    array_shapes(min_dims=2, max_dims=2, max_side=6),
    elements=st.floats(-(2.0**100), 2.0**100, width=32).map(_not_tiny),
)


def test_each_column_has_its_own_scale() -> None:
    values, scales = quantized(np.array([[1.27, -254.0, 0.0], [-0.634, 1.5, 0.0]], np.float32))
    assert values.dtype == np.int8
    assert scales.dtype == np.float32
    # 0.634 / 0.01 is 63.4; 1.5 / 2 is 0.75.
    assert values.tolist() == [[127, -127, 0], [-63, 1, 0]]
    assert scales.tolist() == [np.float32(0.01), 2.0, 1.0]


@given(WEIGHTS)
def test_no_weight_moves_by_more_than_half_a_step(weights: np.ndarray) -> None:
    values, scales = quantized(weights)
    assert np.abs(values.astype(int)).max() <= 127
    moved = np.abs(values * scales.astype(float) - weights)
    assert (moved <= (0.5 + 1e-4) * scales).all()  # the scale is rounded to float32 itself
