"""Lines of tables, where most ways to see a picture agree on them, and others lie on it."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from mnist_net.pictures.grid import grid_of
from mnist_net.pictures.ink import Ink
from mnist_net.pictures.tables import Lines, lines_of, most_seen

SIDE = 40


def empty_table(rows: int, columns: int, margin: int = 60, last: int | None = None) -> Image.Image:
    """A table in lines, bright on black; its last column may be of another width."""
    width, height = columns * SIDE, rows * SIDE
    places = [k * SIDE for k in range(columns)] + [width - SIDE + (last or SIDE)]
    image = Image.new("L", (width + 2 * margin, height + 2 * margin))
    pen = ImageDraw.Draw(image)
    for k in range(rows + 1):
        y = margin + k * SIDE
        pen.line((margin, y, margin + places[-1], y), 255, 2)
    for x in places:
        pen.line((margin + x, margin, margin + x, margin + height), 255, 2)
    return image


def ink_of(image: Image.Image) -> Ink:
    return (np.asarray(image) / np.float32(255.0)).astype(np.float32)


def lines(rows: int, columns: int, last: int | None = None) -> Lines:
    found = lines_of(ink_of(empty_table(rows, columns, last=last)))
    assert found.shape == (rows, columns)
    return found


def test_without_a_table_there_is_none() -> None:
    blank = lines_of(np.zeros((80, 80), np.float32))
    assert blank.shape == (0, 0)
    assert most_seen([blank, blank]) is None
    assert most_seen([]) is None


@pytest.mark.parametrize("share", [0.15, 0.25, 0.35, 0.5])
def test_grains_are_no_table(share: float) -> None:
    """Though many lie in rows: they are anywhere near them."""
    grains = np.random.default_rng(0).random((300, 400)) < share
    assert most_seen([lines_of(grains.astype(np.float32))]) is None


def test_a_table_among_grains_is_one() -> None:
    table = ink_of(empty_table(4, 5))
    grains = np.random.default_rng(0).random(table.shape) < 0.1
    assert lines_of(np.maximum(table, grains)).shape == (4, 5)


def test_a_line_that_is_fainter_than_the_others_is_one() -> None:
    table = ink_of(empty_table(4, 5))
    faded = table.copy()
    faded[58 + 2 * SIDE : 63 + 2 * SIDE] *= 0.16  # the third from the top
    assert lines_of(table).shape == lines_of(faded).shape == (4, 5)


def test_of_a_line_with_soft_edges_only_what_is_dark_is_its_ink() -> None:
    """For its edges are those of the strokes too that meet it."""
    sharp = empty_table(4, 5)
    wide = ink_of(sharp.filter(ImageFilter.MaxFilter(5))) * np.float32(0.24)
    found = lines_of(np.maximum(wide, ink_of(sharp)))
    assert found.shape == (4, 5)
    assert found.ink.sum() < 1.2 * (ink_of(sharp) > 0).sum() < (wide > 0.14).sum()


def test_two_ways_that_agree_outvote_one_that_is_a_little_surer() -> None:
    uneven, even, none = lines(4, 5, last=36), lines(4, 6), lines_of(np.zeros((80, 80), np.float32))
    assert even.doubt < uneven.doubt
    assert most_seen([even, uneven]) is even
    assert most_seen([even, uneven, none, uneven]) is uneven


def test_of_those_that_agree_the_surest_is_taken() -> None:
    uneven, even = lines(4, 5, last=30), lines(4, 5)
    assert most_seen([uneven, even, uneven]) is even


@pytest.mark.parametrize("steps", [(70, 92), (92, 70)])
def test_a_crease_that_is_longer_than_a_table_hides_none_of_it(steps: tuple[int, int]) -> None:
    """Lines that are far shorter than the longest are none, and it is no line of the table."""
    image = Image.new("L", (240, 420))
    image.paste(empty_table(3, 3), (0, 80))
    top, bottom = steps
    ImageDraw.Draw(image).line((top, 0, bottom, image.height), 255, 3)
    assert lines_of(ink_of(image)).shape == (3, 3)


def test_a_crease_in_a_column_is_no_writing() -> None:
    image = empty_table(4, 4)
    x = 60 + 1.5 * SIDE
    ImageDraw.Draw(image).line((x, 0, x + 3, image.height), 255, 2)
    ink = ink_of(image)
    found = lines_of(ink)
    assert found.shape == (4, 4)
    assert {cell for row in grid_of(ink, found, found).cells for cell in row} == {None}


def test_of_a_table_that_fills_its_picture_all_lines_count() -> None:
    image = empty_table(5, 5, margin=1)
    assert lines_of(ink_of(image)).shape == (5, 5)


@pytest.mark.parametrize("margin", [3, 6, 12])
def test_strokes_below_each_other_near_the_edge_of_a_picture_are_writing(margin: int) -> None:
    image = empty_table(9, 9, margin=margin)
    x = margin + 4.5 * SIDE
    for row in range(4):
        top = margin + row * SIDE
        ImageDraw.Draw(image).line((x, top + 6, x, top + SIDE - 6), 255, 3)
    ink = ink_of(image)
    found = lines_of(ink)
    cells = grid_of(ink, found, found).cells
    assert found.shape == (9, 9)
    assert [row[4] is not None for row in cells] == [True] * 4 + [False] * 5
