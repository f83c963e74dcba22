"""Pixels become inputs."""

import numpy as np
import pytest

from mnist_net.learning.scaling import Scaling


def test_scaling_by_hand() -> None:
    pictures = np.array([[[0, 255], [51, 102]]], np.uint8)
    unit = Scaling.unit().apply(pictures)
    assert unit.dtype == np.float32
    np.testing.assert_allclose(unit, [[0.0, 1.0, 0.2, 0.4]], rtol=1e-6)
    standard = Scaling.standard(pictures)
    assert standard.shift == 102.0
    assert standard.scale == pytest.approx(np.sqrt((102**2 + 153**2 + 51**2 + 0) / 4))
    scaled = standard.apply(pictures)
    assert scaled.mean() == pytest.approx(0.0, abs=1e-6)
    assert scaled.std() == pytest.approx(1.0, abs=1e-6)
    centred = Scaling.centred(pictures)
    assert centred == Scaling(102.0, 255.0)
    np.testing.assert_allclose(centred.apply(pictures), [[-0.4, 0.6, -0.2, 0.0]], rtol=1e-6)
    constant = Scaling.standard(np.full((2, 2, 2), 7, np.uint8))
    assert constant == Scaling(7.0, 1.0)
