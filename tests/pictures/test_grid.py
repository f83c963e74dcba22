"""Cells of tables: where they are, and which are blank."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from mnist_net.pictures.grid import Grid, grid_of
from mnist_net.pictures.tables import Lines, lines_of
from tests.drawings import draw, pixels

SIDE = 60


def table(cells: list[list[int | None]], *, thick: int = 2, grey: int = 255) -> Image.Image:
    """A table in lines, and a digit in each cell that is not None; bright on black."""
    n_rows, n_columns = len(cells), len(cells[0])
    image = Image.new("L", (n_columns * SIDE + 40, n_rows * SIDE + 40))
    for k in range(n_rows + 1):
        line = (20, 20 + k * SIDE, 20 + n_columns * SIDE, 20 + k * SIDE)
        ImageDraw.Draw(image).line(line, grey, thick)
    for k in range(n_columns + 1):
        line = (20 + k * SIDE, 20, 20 + k * SIDE, 20 + n_rows * SIDE)
        ImageDraw.Draw(image).line(line, grey, thick)
    for row, digits in enumerate(cells):
        for column, digit in enumerate(digits):
            if digit is not None:
                one = 255 - pixels(draw(digit, 6, (6, 6)))
                small = Image.fromarray(one).resize((26, 40), Image.Resampling.BOX)
                image.paste(small, (20 + column * SIDE + 17, 20 + row * SIDE + 10))
    return image


CELLS = [[5, None, 2, None], [None, None, 7, 1], [2, 4, None, None]]
BLANKS = [[digit is None for digit in row] for row in CELLS]


def grid_and_lines(image: Image.Image) -> tuple[Grid, Lines]:
    ink = (np.asarray(image) / np.float32(255.0)).astype(np.float32)
    lines = lines_of(ink)
    assert lines.are_a_table
    return grid_of(ink, lines, lines), lines


def blanks(image: Image.Image) -> list[list[bool]]:
    return [[cell is None for cell in row] for row in grid_and_lines(image)[0].cells]


@pytest.mark.parametrize("thick", [1, 2, 5])
def test_cells_are_found_and_blanks_are_blank(thick: int) -> None:
    assert blanks(table(CELLS, thick=thick)) == BLANKS


def test_grey_lines_will_do() -> None:
    assert blanks(table(CELLS, grey=80)) == BLANKS


def test_in_perspective_too() -> None:
    image = table(CELLS)
    width, height = image.size
    seen = (0, -10, 15, height + 30, width + 12, height + 10, width - 25, -25)
    assert blanks(image.transform(image.size, Image.Transform.QUAD, seen)) == BLANKS


def test_cells_that_run_together_count_as_what_they_are() -> None:
    image = table(CELLS)
    middle = 20 + SIDE + SIDE // 2
    ImageDraw.Draw(image).line((20 + SIDE, middle - 8, 20 + SIDE, middle + 8), 0, 4)  # a gap
    assert blanks(image) == BLANKS


def test_lines_may_be_broken_everywhere() -> None:
    image = table(CELLS)
    for x in range(20, image.width, SIDE):
        for y in range(30, image.height, 20):
            ImageDraw.Draw(image).rectangle((x - 3, y, x + 3, y + 5), 0)
    assert blanks(image) == BLANKS


def test_digits_in_a_row_are_no_line() -> None:
    ones = [[1, None], [1, None], [1, None], [1, 2]]
    assert blanks(table(ones)) == [[False, True], [False, True], [False, True], [False, False]]


def test_what_is_fainter_than_the_lines_is_read_too() -> None:
    both, digits = (np.asarray(table(CELLS, grey=grey)).astype(float) for grey in (255, 0))
    faint = np.maximum(both - digits, 0.45 * digits)
    assert blanks(Image.fromarray(faint.astype(np.uint8))) == BLANKS


def test_numbers_of_rows_are_those_of_the_sheet_and_their_parts_lie_in_their_cells() -> None:
    image = table(CELLS)
    grid, _ = grid_and_lines(image)
    for row, cells in enumerate(grid.cells):
        for column, number in enumerate(cells):
            if number is not None:
                for part in grid.sheet.rows[number].parts:
                    assert (part.box.left - 20) // SIDE == (part.box.right - 20) // SIDE == column
                    assert (part.box.top - 20) // SIDE == (part.box.bottom - 20) // SIDE == row
                    assert (grid.sheet.numbers == part.number).sum() == part.area


@pytest.mark.parametrize("digit", [4, 5, 7, None])
def test_without_lines_there_is_no_table(digit: int | None) -> None:
    ink = np.zeros((80, 80), np.float32)
    if digit is not None:
        ink = (255 - pixels(draw(digit, 8, (20, 20)))).astype(np.float32) / 255
    assert not lines_of(ink.astype(np.float32)).are_a_table


def test_what_lies_on_a_table_hides_nothing_beside_it() -> None:
    image = table(CELLS)
    # A coin in the middle of two cells that are blank has more ink than all digits.
    middle, radius = (20 + 1.5 * SIDE, 20 + SIDE), 0.8 * SIDE
    box = [place + sign * radius for sign in (-1, 1) for place in middle]
    ImageDraw.Draw(image).ellipse(box, fill=255)
    assert blanks(image) == BLANKS


@pytest.mark.parametrize("fall", [-14, 14])
def test_a_crease_is_no_line_of_a_table(fall: int) -> None:
    image = table(CELLS)
    there = [round(line.height) for line in grid_and_lines(image)[1].level]
    y = 20 + 1.5 * SIDE
    ImageDraw.Draw(image).line((0, y - fall, image.width, y + fall), fill=255, width=3)
    assert [round(line.height) for line in grid_and_lines(image)[1].level] == there


def test_the_edge_of_a_fold_goes_otherwise_than_a_tables_lines() -> None:
    """In perspective no two lines are parallel, but their slopes change evenly."""
    image = table([[None] * 5] * 8)
    width, height = image.size
    seen = (0, -60, 20, height + 20, width - 20, height - 30, width, -10)
    image = image.transform(image.size, Image.Transform.QUAD, seen)
    there = [round(line.height) for line in grid_and_lines(image)[1].level]
    assert len(there) == 9
    y = there[4] + SIDE / 2
    # Beyond the table at one end only, so that the other might be its own.
    ImageDraw.Draw(image).line((24, y - 12, width, y + 12), fill=255, width=2)
    assert [round(line.height) for line in grid_and_lines(image)[1].level] == there


@pytest.mark.parametrize("seed", range(5))
def test_lines_by_hand_are_not_quite_parallel(seed: int) -> None:
    random = np.random.default_rng(seed)
    image = Image.new("L", (400, 380))
    for k in range(9):
        for ends in ([20, 20 + 40 * k, 340, 20 + 40 * k], [20 + 40 * k, 20, 20 + 40 * k, 340]):
            line = [float(x) for x in ends + random.normal(0.0, 1.5, 4)]
            ImageDraw.Draw(image).line(line, fill=255, width=2)
    _, lines = grid_and_lines(image)
    assert (len(lines.level), len(lines.upright)) == (9, 9)
