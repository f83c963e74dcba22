"""Rows of a page, their parts, and what may be one character."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_net.pictures.candidates import candidates, field_on, figure_on
from mnist_net.pictures.pieces import Box, Piece, around
from mnist_net.pictures.rows import Sheet, sheet_of, typical_size
from tests.pictures.test_layout import MASKS, page


def sheet_with(*boxes: tuple[int, int, int, int], height: int = 150, width: int = 220) -> Sheet:
    ink = page(height, width, *boxes)
    return sheet_of(ink >= 0.5, ink)


def boxes(sheet: Sheet) -> list[list[tuple[int, ...]]]:
    return [sorted(tuple(figure) for figure in row.figures) for row in sheet.rows]


def test_rows_from_the_top_and_each_from_the_left() -> None:
    places = [
        [(10, 12, 20, 40), (40, 8, 50, 36), (70, 10, 80, 38)],
        [(12, 60, 22, 90), (45, 66, 55, 92)],
        [(60, 110, 70, 140)],
    ]
    assert boxes(sheet_with(*(place for row in places for place in row))) == places


@pytest.mark.parametrize("degrees", [-20, 11, 28])
def test_a_row_that_climbs_is_turned_level_and_places_are_told_as_they_were(degrees: int) -> None:
    slope = np.tan(np.radians(degrees))
    places = [(20 * k, round(100 + 20 * k * slope), 20 * k + 9, 0) for k in range(1, 9)]
    places = [(x, y, u, y + 30) for x, y, u, _ in places]
    sheet = sheet_with(*places, height=300)
    assert abs(sheet.degrees - degrees) <= 2
    (row,) = sheet.rows
    assert len(row.figures) == len(places)
    for figure, place in zip(sorted(row.figures), places, strict=True):
        found = sheet.box_on_page(figure)
        assert found.left <= (place[0] + place[2]) / 2 <= found.right
        assert found.top <= (place[1] + place[3]) / 2 <= found.bottom


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
def test_quarter_turns_are_told_as_they_were(quarter_turns: int) -> None:
    ink = page(100, 160, (20, 30, 40, 80), (120, 30, 130, 80))
    sheet = sheet_of(ink >= 0.5, ink, quarter_turns)
    assert sheet.degrees == 90.0 * quarter_turns
    found = {tuple(sheet.box_on_page(figure)) for row in sheet.rows for figure in row.figures}
    assert found == {(20, 30, 40, 80), (120, 30, 130, 80)}


def test_what_is_far_above_and_below_a_row_is_no_part_of_it() -> None:
    row = [(20 * k, 60, 20 * k + 10, 90) for k in range(5)]
    (found,) = sheet_with(*row, (40, 2, 44, 6), (52, 84, 55, 88), height=120).rows
    assert sorted(tuple(part.box) for part in found.parts) == sorted([*row, (52, 84, 55, 88)])


def test_a_broken_stroke_is_one_figure_of_two_parts() -> None:
    sheet = sheet_with((10, 10, 16, 50), (40, 10, 50, 28), (30, 30, 40, 50), (80, 10, 90, 50))
    assert boxes(sheet) == [[(10, 10, 16, 50), (30, 10, 50, 50), (80, 10, 90, 50)]]
    (row,) = sheet.rows
    assert len(row.parts) == 4
    assert (30, 10, 50, 50) in {tuple(one.box) for one in candidates(row)}


def test_a_column_of_digits_is_no_digit_of_pieces() -> None:
    places = [(10, 10 + 40 * k, 20, 40 + 40 * k) for k in range(3)]
    assert boxes(sheet_with(*places)) == [[place] for place in places]


def test_touching_digits_may_be_read_apart() -> None:
    sheet = sheet_with((20, 20, 60, 80), (100, 20, 140, 80), (60, 70, 100, 74))
    (row,) = sheet.rows
    found = [(one.begin, one.end, one.box) for one in candidates(row)]
    firsts = {end for begin, end, box in found if begin == 0 and 55 < box.right <= 100}
    lasts = {begin for begin, end, box in found if end == len(row.parts) and 60 <= box.left <= 100}
    assert firsts & lasts


def test_a_field_shows_a_character_bright_and_its_neighbours_dim() -> None:
    sheet = sheet_with((20, 20, 40, 80), (60, 20, 80, 80))
    (row,) = sheet.rows
    first = next(one for one in candidates(row) if one.box == (20, 20, 40, 80))
    field = field_on(sheet, first)
    assert field.shape == (28, 28)
    assert field.max() == 255
    assert (field == 255).sum() > 0
    # 60 pixels are a digit's height, and the field shows 1.7 of them: 60 px are 16.5 of its 28.
    rows = np.flatnonzero((field > 200).any(axis=1))
    assert abs((rows[-1] - rows[0] + 1) - 60 * 28 / 102) <= 2
    dim = field[:, 20:]
    assert 60 < dim.max() < 130


@settings(max_examples=100, deadline=None)
@given(MASKS, st.integers(0, 3))
def test_parts_are_disjoint_lie_in_the_page_and_hold_its_ink(
    mask: np.ndarray, quarter_turns: int
) -> None:
    ink = mask.astype(np.float32)
    sheet = sheet_of(mask, ink, quarter_turns)
    seen: set[int] = set()
    for row in sheet.rows:
        assert row.parts
        assert row.height > 0
        for part in row.parts:
            assert part.number not in seen
            seen.add(part.number)
            own = sheet.numbers == part.number
            assert own.sum() == part.area
            assert (sheet.ink[own] >= 0.5).all()
            rows, columns = np.nonzero(own)
            ends = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
            assert tuple(part.box) == tuple(map(int, ends))
        for one in candidates(row):
            assert one.box == around(one.parts)
            figure = figure_on(sheet, one)
            assert (figure.ink >= 0.5).any()
            assert field_on(sheet, one).max() in (0, 255)  # 0: none of it is near its row
            left, top, right, bottom = sheet.box_on_page(one.box)
            assert 0 <= left < right <= mask.shape[1]
            assert 0 <= top < bottom <= mask.shape[0]


def test_a_typical_piece_is_as_large_as_most_ink() -> None:
    """Not as most pieces: the paper's marks are more than the digits."""

    def piece(size: int, area: int) -> Piece:
        return Piece(1, area, Box(0, 0, size, size), 0)

    assert typical_size([piece(15, 60)] * 35 + [piece(190, 3_000), piece(180, 3_000)]) == 190.0
    # Of a broken stroke and two that touch, neither is typical.
    some = [piece(50, 300), piece(100, 600), piece(100, 600), piece(210, 1_300)]
    assert typical_size(some) == 100.0


@pytest.mark.parametrize(("side", "belongs"), [(2, True), (1, False)])
def test_a_point_of_two_pixels_belongs_to_a_row_and_a_grain_does_not(
    side: int, belongs: bool
) -> None:
    """Whoever draws with a hairline makes a point by touching the screen once."""
    row = [(20 * k, 20, 20 * k + 12, 90) for k in range(1, 5)]
    (found,) = sheet_with(*row, (114, 88, 114 + side, 88 + side)).rows
    assert len(found.parts) == len(row) + belongs
