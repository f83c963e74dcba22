"""Straight lines are found by votes, and hold no runs of the strokes across them."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings

from mnist_net.pictures.straight import painted, runs_of, straight_lines
from tests.pictures.test_layout import MASKS


def drawn(slope: float, thickness: int = 2) -> np.ndarray:
    mask = np.zeros((100, 200), bool)
    for column in range(200):
        top = round(40 + slope * column)
        mask[top : top + thickness, column] = True
    return mask


@settings(max_examples=100)
@given(MASKS)
def test_runs_are_the_mask_column_by_column(mask: np.ndarray) -> None:
    again = np.zeros_like(mask)
    runs = runs_of(mask)
    for column, top, bottom in zip(*runs, strict=True):
        assert not again[top:bottom, column].any()
        again[top:bottom, column] = True
        assert bottom == len(mask) or not mask[bottom, column]
    np.testing.assert_array_equal(again, mask)


@pytest.mark.parametrize("slope", [-0.1, -0.03, 0.0, 0.05, 0.11])
def test_a_line_has_the_slope_and_the_height_that_it_was_drawn_with(slope: float) -> None:
    mask = drawn(slope)
    (line,) = straight_lines(runs_of(mask), 4, 150, 9)
    assert line.slope == pytest.approx(slope, abs=0.01)  # a row in half of its length
    assert line.height == pytest.approx(41, abs=1.5)
    assert (line.length, line.ends) == (200, (0, 200))
    np.testing.assert_array_equal(painted([line], mask.shape), mask)


def test_a_broken_line_is_one_and_a_stroke_across_it_is_none_of_it() -> None:
    mask = drawn(0.05)
    mask[:, 30:50] = False
    mask[20:80, 90:96] = True
    (line,) = straight_lines(runs_of(mask), 4, 150, 9)
    assert line.length == 180
    found = painted([line], mask.shape)
    assert not found[:, 30:50].any()
    assert not found[:, 90:96].any()
    assert found.any(axis=0).sum() == 174


def test_what_is_too_short_too_thick_or_too_steep_is_no_line() -> None:
    assert not straight_lines(runs_of(drawn(0.0)[:, :140]), 4, 150, 9)
    assert not straight_lines(runs_of(drawn(0.0, thickness=5)), 4, 150, 9)
    assert not straight_lines(runs_of(drawn(0.25)), 4, 150, 9)
    assert not straight_lines(runs_of(np.zeros((9, 9), bool)), 4, 1, 9)


def test_of_many_lines_the_longest_come_first() -> None:
    mask = drawn(0.0)
    mask[10:12, 20:190] = mask[80:82, 30:100] = True
    lines = straight_lines(runs_of(mask), 4, 60, 9)
    assert [line.length for line in lines] == [200, 170, 70]
    assert len(straight_lines(runs_of(mask), 4, 60, 2)) == 2


def test_a_strip_of_a_thousand_bytes_takes_no_gigabytes() -> None:
    """However steep lines may be, slopes times rows are bounded."""
    strip = np.zeros((15, 65_535), bool)
    strip[7, 1_000:60_000] = True
    strip[:12, 500:63_000:3_000] = True
    tracemalloc.start()
    (line,) = straight_lines(runs_of(strip), 3, 40_000, 9, steepest=0.5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert line.slope == pytest.approx(0.0, abs=1e-4)
    assert peak < 600_000_000
