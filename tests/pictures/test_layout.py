"""Pieces of ink that belong together, what does not belong to a digit, and reading order."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from mnist_net.pictures.layout import cut_places, digit_rows, main_figure, part
from mnist_net.pictures.lines import _long_runs, without_ruled_lines
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


# Ruled lines.


@settings(max_examples=200)
@given(arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=12)), st.integers(1, 13))
def test_long_runs_are_an_opening(mask: np.ndarray, length: int) -> None:
    expected = ndimage.binary_opening(mask, np.ones((1, length)))
    np.testing.assert_array_equal(_long_runs(mask, length), expected)


@pytest.mark.parametrize("turned", [False, True])
def test_ruled_lines_go_and_strokes_across_them_stay(turned: bool) -> None:
    lines = page(120, 100, *((0, y, 100, y + 2) for y in (20, 60, 100))) > 0
    stroke = page(120, 100, (40, 10, 46, 110)) > 0
    mask = lines | stroke
    result = without_ruled_lines(mask.T if turned else mask)
    result = result.T if turned else result
    np.testing.assert_array_equal(result[:, 40:46], stroke[:, 40:46])
    # Beside a stroke no more of the line is left than the line is thick.
    assert not result[:, :36].any()
    assert not result[:, 50:].any()


def test_what_is_no_ruled_line_stays() -> None:
    for ink in (
        digit_ink(),
        digit_ink(7),
        page(100, 100, (10, 50, 90, 52)),  # it does not reach the borders
        page(100, 100, (0, 40, 100, 60)),  # a beam
        page(30, 39, (0, 14, 39, 16)),  # a picture so small that its line may be a digit's
    ):
        np.testing.assert_array_equal(without_ruled_lines(ink > 0), ink > 0)


@settings(max_examples=100)
@given(MASKS)
def test_no_ink_is_invented(mask: np.ndarray) -> None:
    assert not (without_ruled_lines(mask) & ~mask).any()


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
    assert digit_rows(ink) == []


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
    assert boxes(digit_rows(ink)) == [[figure.box]]


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
    rows = digit_rows(ink)
    figures = [f for row in rows for f in row] + ([figure] if figure else [])
    assert all(rows)
    if figure is None:  # there are only grains
        numbers, _ = ndimage.label(without_ruled_lines(mask), np.ones((3, 3)))
        for place in ndimage.find_objects(numbers):
            assert max(side.stop - side.start for side in place) < 5
    for found in figures:
        places = [0, *cut_places(found), found.ink.shape[1]]
        for piece in [found, *(part(found, *ends) for ends in itertools.pairwise(places))]:
            if piece is None:
                continue
            left, top, right, bottom = piece.box
            assert 0 <= left < right <= mask.shape[1]
            assert 0 <= top < bottom <= mask.shape[0]
            x, y = piece.corner
            height, width = piece.ink.shape
            there = ink[y : y + height, x : x + width]
            assert there.shape == piece.ink.shape
            assert (piece.ink <= there).all()
            inner = Box(left - x, top - y, right - x, bottom - y).cut(piece.ink)
            assert inner.shape == (bottom - top, right - left)
            assert (inner >= 0.5).any()


# Several digits.


def test_rows_from_the_top_and_each_from_the_left() -> None:
    places = [
        [(10, 12, 20, 40), (40, 8, 50, 36), (70, 10, 80, 38)],
        [(12, 60, 22, 90), (45, 66, 55, 92)],
        [(60, 110, 70, 140)],
    ]
    ink = page(150, 100, *(place for row in places for place in row))
    assert boxes(digit_rows(ink)) == places
    # Upside down, the other way round.
    turned = [[(100 - x, 150 - y, 100 - u, 150 - v) for u, v, x, y in row] for row in places]
    assert boxes(digit_rows(ink[::-1, ::-1])) == [row[::-1] for row in turned[::-1]]


def test_a_row_that_climbs_is_a_row() -> None:
    places = [(20 * k, 60 - 6 * k, 20 * k + 10, 90 - 6 * k) for k in range(9)]
    assert boxes(digit_rows(page(100, 200, *places))) == [places]


def test_small_pieces_go_with_the_nearest_digit_and_specks_with_none() -> None:
    ink = page(60, 120, (10, 10, 20, 50), (60, 10, 70, 50), (23, 12, 29, 18), (57, 30, 59, 31))
    assert boxes(digit_rows(ink)) == [[(10, 10, 29, 50), (60, 10, 70, 50)]]


def test_a_slanted_stroke_that_is_broken_is_one_digit() -> None:
    slanted = [(40, 10, 50, 28), (30, 30, 40, 50)]
    ink = page(60, 120, (10, 10, 16, 50), *slanted, (80, 10, 90, 50))
    assert boxes(digit_rows(ink)) == [[(10, 10, 16, 50), (30, 10, 50, 50), (80, 10, 90, 50)]]


def test_a_column_of_digits_is_no_digit_of_pieces() -> None:
    places = [(10, 10 + 40 * k, 20, 40 + 40 * k) for k in range(3)]
    assert boxes(digit_rows(page(140, 40, *places))) == [[place] for place in places]


# Digits that touch.


def test_touching_digits_may_be_cut_where_they_touch() -> None:
    ink = page(100, 160, (20, 20, 60, 80), (100, 20, 140, 80), (60, 70, 100, 74))
    (figure,) = (f for row in digit_rows(ink) for f in row)
    left = figure.corner[0]
    place = next(p for p in cut_places(figure) if 60 < left + p < 100)
    first, last = part(figure, 0, place), part(figure, place, figure.ink.shape[1])
    assert first is not None
    assert last is not None
    assert first.box == (20, 20, left + place, 80)
    assert last.box == (left + place, 20, 140, 80)


@pytest.mark.parametrize("at_border", [False, True])
def test_a_part_knows_its_place(at_border: bool) -> None:
    """Also where the figure's margin is cut off by the picture's edge."""
    top = 0 if at_border else 30
    ink = page(top + 60, 100, (0 if at_border else 10, top, 90, top + 60))
    (figure,) = (f for row in digit_rows(ink) for f in row)
    right = part(figure, 50, figure.ink.shape[1])
    assert right is not None
    assert right.box == (figure.corner[0] + 50, top, 90, top + 60)


def test_a_part_with_hardly_ink_is_none() -> None:
    ink = page(100, 160, (20, 20, 60, 80), (60, 70, 140, 74))
    (figure,) = (f for row in digit_rows(ink) for f in row)
    assert part(figure, 60, figure.ink.shape[1]) is None
    assert part(figure, 0, 30) is not None
