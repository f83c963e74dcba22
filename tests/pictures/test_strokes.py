"""Strokes, drawn."""

import numpy as np
import pytest

from mnist_net.pictures.strokes import Drawing, drawn


def ink(drawing: Drawing) -> np.ndarray:
    return 1.0 - np.asarray(drawn(drawing)) / 255.0


def test_no_strokes_are_white_paper() -> None:
    image = drawn(Drawing([], 3.0, (40, 30)))
    assert (image.mode, image.size) == ("L", (40, 30))
    assert np.all(np.asarray(image) == 255)


@pytest.mark.parametrize("end", [(80.0, 20.0), (20.0, 80.0), (70.0, 60.0), (20.0, 20.0)])
def test_a_stroke_covers_a_pill(end: tuple[float, float]) -> None:
    """Its area is width times length and a disc for the two ends; its middle is the stroke's."""
    length = np.hypot(end[0] - 20.0, end[1] - 20.0)
    found = ink(Drawing([[(20.0, 20.0), end]], 10.0, (100, 100)))
    expected = 10.0 * length + np.pi * 25.0
    assert found.sum() == pytest.approx(expected, rel=0.08)  # Pillow's edges are whole pixels
    rows, columns = np.indices(found.shape) + 0.5
    middle = (found * columns).sum() / found.sum(), (found * rows).sum() / found.sum()
    assert middle == pytest.approx(((20.0 + end[0]) / 2, (20.0 + end[1]) / 2), abs=0.5)


def test_edges_are_smooth_and_what_is_outside_is_cut_off() -> None:
    found = ink(Drawing([[(-50.0, -50.0), (150.0, 120.0)]], 7.0, (100, 80)))
    assert found.shape == (80, 100)
    assert len(np.unique(found)) > 5
    assert found[0].any()


def test_a_large_paper_is_drawn_as_it_is() -> None:
    assert drawn(Drawing([[(5.0, 5.0)]], 4.0, (2_500, 2_000))).size == (2_500, 2_000)
