"""Pieces of ink that belong together, what does not belong to a digit, and reading order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from mnist_net.pictures.layout import main_figures
from mnist_net.pictures.lines import without_lines
from mnist_net.pictures.not_writing import framed
from mnist_net.pictures.pieces import Box, Figure
from tests.drawings import STROKES, draw, pixels

MASKS = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=60))


def page(height: int, width: int, *boxes: tuple[int, int, int, int]) -> np.ndarray:
    """Ink in rectangles: left, top, right, bottom."""
    ink = np.zeros((height, width), np.float32)
    for left, top, right, bottom in boxes:
        ink[top:bottom, left:right] = 1.0
    return ink


def digit_ink(digit: int = 5, unit: int = 6, margin: int = 40) -> np.ndarray:
    return (pixels(draw(digit, unit, (margin, margin))) < 128).astype(np.float32)


def box_of(mask: np.ndarray) -> Box:
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def boxes(rows: list[list[Figure]]) -> list[list[Box]]:
    return [[figure.box for figure in row] for row in rows]


# Boxes.


def test_boxes_by_hand() -> None:
    box = Box(10, 20, 14, 30)
    assert (box.width, box.height, box.size) == (4, 10, 10)
    assert box.union(Box(0, 25, 12, 40)) == (0, 20, 14, 40)
    assert box.gap(Box(12, 22, 13, 23)) == 0.0
    assert box.gap(Box(14, 30, 20, 40)) == 0.0
    assert box.gap(Box(17, 34, 20, 40)) == 5.0  # 3 across, 4 down
    assert Box(17, 34, 20, 40).gap(box) == 5.0
    assert box.scaled(2.5) == (25, 50, 10, 25)
    array = np.arange(40 * 40).reshape(40, 40)
    np.testing.assert_array_equal(box.cut(array), array[20:30, 10:14])


def test_a_figure_that_is_moved_keeps_its_ink() -> None:
    figure = main_figure(digit_ink())
    assert figure is not None
    moved = figure.moved(7, -3)
    assert moved.ink is figure.ink
    assert moved.box == tuple(np.add(figure.box, (7, -3, 7, -3)))
    assert moved.corner == (figure.corner[0] + 7, figure.corner[1] - 3)


# Panels.


def test_a_frame_is_found_within_its_edges() -> None:
    inner = framed(page(200, 200, (40, 30, 160, 170)))
    assert inner is not None
    assert Box(40, 30, 160, 170).union(inner) == (40, 30, 160, 170)
    assert inner.width > 100
    assert inner.height > 120
    holed = page(200, 200, (40, 30, 160, 170))
    holed[60:140, 90:110] = 0.0  # the digit on it
    assert framed(holed) == inner


@pytest.mark.parametrize(
    "ink",
    [
        page(200, 200),
        digit_ink(),
        page(200, 200, (95, 20, 105, 180)),  # a stroke
        page(200, 200, (0, 0, 200, 200)),  # all of the picture
        np.triu(page(200, 200, (40, 40, 160, 160))),  # a triangle
        page(20, 20, (5, 5, 15, 15)),  # too small to hold a digit
    ],
    ids=["nothing", "a digit", "a stroke", "everything", "a triangle", "a speck"],
)
def test_what_is_no_framed(ink: np.ndarray) -> None:
    assert framed(ink) is None


# The one digit of a picture.


def main_figure(ink: np.ndarray) -> Figure | None:
    """With all that may belong to it."""
    return next(iter(main_figures(ink)), None)


@pytest.mark.parametrize("down", [4, 9])
def test_a_level_stroke_below_a_digit_may_be_a_line_or_its_foot(down: int) -> None:
    bottom = box_of(FIVE > 0).bottom
    both = FIVE.copy()
    both[bottom + down : bottom + down + 5, 55:72] = 1.0
    with_it, without = main_figures(both)
    assert with_it.box == box_of(both > 0)
    assert without.box == box_of(FIVE > 0)


def leaning_seven() -> np.ndarray:
    """A roof, and a stem that leans to the right."""
    ink = page(180, 160, (40, 30, 120, 42))
    for row in range(42, 130):
        left = round(108 - 0.7 * (row - 42))
        ink[row, left : left + 12] = 1.0
    return ink


def test_a_dot_that_a_digit_leans_over_may_be_a_full_stop() -> None:
    alone = leaning_seven()
    assert len(main_figures(alone)) == 1
    dotted = alone.copy()
    dotted[116:130, 82:96] = 1.0  # beside the foot, below the roof
    with_it, without = main_figures(dotted)
    assert with_it.ink.sum() == dotted.sum()
    assert without.box == box_of(alone > 0)
    assert without.ink.sum() == alone.sum()


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        ((80, 94), (104, 118)),  # high
        ((116, 130), (26, 40)),  # on the left
        ((134, 148), (82, 96)),  # below, as that of a question mark
        ((122, 130), (80, 102)),  # a dash
    ],
)
def test_a_dot_elsewhere_belongs_to_its_digit(
    rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    ink = leaning_seven()
    ink[slice(*rows), slice(*columns)] = 1.0
    (figure,) = main_figures(ink)
    assert figure.ink.sum() == ink.sum()


@pytest.mark.parametrize("digit", STROKES)
def test_a_digit_is_found_with_its_box_and_its_ink(digit: int) -> None:
    ink = digit_ink(digit)
    figure = main_figure(ink)
    assert figure is not None
    assert figure.box == box_of(ink > 0)
    left, top = figure.corner
    height, width = figure.ink.shape
    np.testing.assert_array_equal(ink[top : top + height, left : left + width], figure.ink)
    assert figure.ink.sum() == ink.sum()


@pytest.mark.parametrize("ink", [page(30, 40), page(1, 1)], ids=["page", "pixel"])
def test_no_ink_is_no_digit(ink: np.ndarray) -> None:
    assert main_figure(ink) is None


FIVE = (pixels(draw(5, 6, (40, 40))) < 128).astype(np.float32)


def five_with_its_bar_apart(gap: int) -> np.ndarray:
    """The upper bar is raised by so many pixels, and cut off."""
    ink = FIVE.copy()
    ink[:45] = 0.0
    bar = FIVE[37:44, 50:]
    ink[37 - gap : 44 - gap, 50:] = bar
    return ink


@pytest.mark.parametrize("gap", [1, 3, 8])
def test_the_bar_of_a_5_belongs_to_it(gap: int) -> None:
    ink = five_with_its_bar_apart(gap)
    assert ndimage.label(ink, np.ones((3, 3)))[1] == 2
    figure = main_figure(ink)
    assert figure is not None
    assert figure.box == box_of(ink > 0)


def test_a_broken_stroke_is_one_digit() -> None:
    ink = page(120, 60, *((25, y, 33, y + 14) for y in range(10, 110, 18)))
    figure = main_figure(ink)
    assert figure is not None
    assert figure.box == box_of(ink > 0)


def test_specks_and_frames_and_neighbours_at_the_border_are_left_out() -> None:
    clean = main_figure(FIVE)
    assert clean is not None
    dirty = FIVE.copy()
    generator = np.random.default_rng(0)
    for x, y in generator.integers(0, min(FIVE.shape), (60, 2)):
        dirty[y, x] = 1.0
    dirty[:, :2] = dirty[:3] = 1.0  # the edge of the sheet
    dirty[60:90, -12:] = 1.0  # a piece of the next digit
    figure = main_figure(dirty)
    assert figure is not None
    # A speck on the digit's very edge is part of it.
    assert np.abs(np.subtract(figure.box, clean.box)).max() <= 2


@settings(max_examples=100)
@given(MASKS)
def test_boxes_lie_in_the_picture_and_hold_ink(mask: np.ndarray) -> None:
    ink = mask.astype(np.float32)
    figure = main_figure(ink)
    if figure is None:  # there are only grains
        numbers, _ = ndimage.label(without_lines(mask.copy()), np.ones((3, 3)))
        for place in ndimage.find_objects(numbers):
            assert max(side.stop - side.start for side in place) < 5
        return
    left, top, right, bottom = figure.box
    assert 0 <= left < right <= mask.shape[1]
    assert 0 <= top < bottom <= mask.shape[0]
    x, y = figure.corner
    height, width = figure.ink.shape
    there = ink[y : y + height, x : x + width]
    assert there.shape == figure.ink.shape
    assert (figure.ink <= there).all()
    inner = Box(left - x, top - y, right - x, bottom - y).cut(figure.ink)
    assert inner.shape == (bottom - top, right - left)
    assert (inner >= 0.5).any()
