"""Tables that are seen in several ways: each cell as most of them read it."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from mnist_net.reading import tables
from mnist_net.reading.answers import Reading, Table
from mnist_net.reading.reader import Reader
from mnist_net.reading.tables import TableRead, _at_best, most_read
from tests.drawings import as_picture


def table(*cells: list[tuple[int, float]]) -> Table:
    """One row of a table: each cell's digits with their scores."""
    readings = (tuple(Reading(digit, score=score) for digit, score in cell) for cell in cells)
    return Table((tuple(readings),))


def test_a_cell_is_what_most_ways_read() -> None:
    """By hand: 0.6 + 0.6 for the 7 are more than 1.0 for the 1, as all three are as clear."""
    ways = [table([(1, 1.0)]), table([(7, 0.6)]), table([(7, 0.6)])]
    assert most_read([(way, 5.0) for way in ways]).cells == (("7",),)


def test_what_is_clear_on_the_whole_counts_more() -> None:
    """By hand: 3 × 1.0 against 1 × (0.6 + 0.6)."""
    ways = [table([(1, 1.0)]), table([(7, 0.6)]), table([(7, 0.6)])]
    assert most_read(list(zip(ways, (3.0, 1.0, 1.0), strict=True))).cells == (("1",),)


def test_a_blank_counts_as_a_digit_in_doubt() -> None:
    """By hand: two blanks are 0.5 + 0.5, more than a 1 of 0.9 and less than two of 0.6 and 0.5."""
    blank, sure, less = table([]), table([(1, 0.9)]), table([(1, 0.6)])
    assert most_read([(way, 1.0) for way in (sure, blank, blank)]).cells == (("",),)
    assert most_read([(way, 1.0) for way in (less, blank, blank, less)]).cells == (("1",),)


def test_each_cell_is_chosen_by_itself_and_its_scores_are_those_of_the_clearest() -> None:
    first = table([(4, 0.8), (2, 0.6)], [], [(3, 0.9)])
    second = table([(4, 0.7), (2, 0.9)], [(5, 1.0)], [(8, 0.8)])
    third = table([(4, 0.5), (2, 0.9)], [(5, 0.9)], [(8, 0.8)])
    read = most_read([(third, 1.0), (first, 3.0), (second, 2.0)])
    assert read.cells == (("42", "5", "3"),)
    assert [one.score for one in read.rows[0][0]] == [0.8, 0.6]
    assert [one.score for one in read.rows[0][1]] == [1.0]


def test_where_no_way_is_clear_the_least_unclear_is_read() -> None:
    assert most_read([(table([(1, 0.3)]), -4.0), (table([(2, 0.4)]), -1.0)]).cells == (("2",),)


def drawn_table(clear: dict[int, list[np.ndarray]]) -> tuple[Image.Image, list[list[str]]]:
    """Five columns and four rows, a third of which are blank."""
    truth = [["2", "", "7", "5", ""], ["", "4", "3", "", "9"], ["5", "2", "", "7", "4"]]
    levels = np.full((220, 340), 255.0)
    for k in range(4):
        levels[20 + 60 * k : 22 + 60 * k, 20:322] = 60
    for k in range(6):
        levels[20:202, 20 + 60 * k : 22 + 60 * k] = 60
    for row, cells in enumerate(truth):
        for column, cell in enumerate(cells):
            if cell:
                y, x = 37 + 60 * row, 37 + 60 * column
                levels[y : y + 28, x : x + 28] -= clear[int(cell)][0] / 1.2
    return Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8)), truth


def test_a_word_in_a_cell_is_none_of_digits(reader: Reader) -> None:
    """Though an l is like a 1 and an o like a 0: most of what is in its cell is no digit."""
    image = Image.new("L", (480, 260), 255)
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(34)
    for k in range(4):
        pen.line((20, 20 + 70 * k, 440, 20 + 70 * k), 60, 2)
        pen.line((20 + 140 * k, 20, 20 + 140 * k, 230), 60, 2)
    words = ("City", "Model", "Label", "Unit", "Field", "Value", "April", "Cell", "Table")
    for k, word in enumerate(words):
        pen.text((35 + 140 * (k % 3), 33 + 70 * (k // 3)), word, 0, font)
    assert reader.read_grid(as_picture(np.asarray(image))).cells == (("",) * 3,) * 3


def test_in_a_cell_a_digit_is_twice_as_likely(
    reader: Reader, clear: dict[int, list[np.ndarray]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its odds are: of a score, which is that it is a digit times that it is this one."""
    image, truth = drawn_table(clear)
    picture = as_picture(np.asarray(image))
    with_odds = reader.read_grid(picture)
    monkeypatch.setattr(tables, "_ODDS", 1.0)
    without = reader.read_grid(picture)
    assert [list(row) for row in with_odds.cells] == truth
    both = list(zip(with_odds.digits, without.digits, strict=True))
    likely, before = (np.array([r.score / r.probability for r in side]) for side in zip(*both))  # noqa: B905
    np.testing.assert_allclose(
        (1 - before) / before, 2.0 * (1 - likely) / likely, rtol=0.01, atol=5e-7
    )


@pytest.mark.parametrize("degrees", [0, 8, 20, -25, 30, 90, 180, 270, 200, 65])
def test_a_table_may_lie_on_its_head_and_aslant(
    reader: Reader, clear: dict[int, list[np.ndarray]], degrees: int
) -> None:
    image, truth = drawn_table(clear)
    resample = Image.Resampling.BICUBIC
    turned = image.rotate(degrees, resample, expand=True, fillcolor=255)
    table = reader.read_grid(as_picture(np.asarray(turned)))
    assert [list(row) for row in table.cells] == truth
    assert abs((table.degrees + degrees + 180) % 360 - 180) <= 30
    # Where on the picture each digit is: its strokes cover more than a line would.
    for one in table.digits:
        assert one.box is not None
        x, y, width, height = one.box
        assert (np.asarray(turned)[y : y + height, x : x + width] < 160).mean() > 0.11
        assert max(width, height) < 60


def test_an_upright_table_of_what_looks_alike_on_its_head_is_not_turned(
    reader: Reader, clear: dict[int, list[np.ndarray]]
) -> None:
    image, _ = drawn_table(dict.fromkeys(range(10), clear[8]))
    table = reader.read_grid(as_picture(np.asarray(image)))
    assert table.degrees == 0.0
    assert {one.digit for one in table.digits} == {8}


def test_how_clear_a_table_is_a_way_that_sees_most_of_it_tells() -> None:
    """A blank one is clear of nothing, and one with a single clear figure sees too little."""
    read = [TableRead(Table(()), n, clarity) for n, clarity in ((0, 0.0), (20, 0.45), (1, 0.99))]
    assert _at_best(read) == (20, 0.45)
    assert _at_best([]) == (0, 0.0)


@pytest.mark.parametrize("shade", [60, 90])
def test_digits_of_a_table_in_a_shadow_that_is_as_narrow_as_a_cell(
    reader: Reader, clear: dict[int, list[np.ndarray]], shade: int
) -> None:
    side, n = 36, 9
    levels = np.full((n * side + 41, n * side + 41), 200.0)
    for k in range(n + 1):
        levels[20 + k * side, 20 : 20 + n * side + 1] = 80
        levels[20 : 20 + n * side + 1, 20 + k * side] = 80
    random = np.random.default_rng(4)
    truth = [[""] * n for _ in range(n)]
    for k in random.choice(n * n, 30, replace=False):
        row, column = divmod(int(k), n)
        digit = int(random.integers(10))
        truth[row][column] = str(digit)
        y, x = 25 + row * side, 25 + column * side
        ink = clear[digit][int(k) % len(clear[digit])] / 255.0
        levels[y : y + 28, x : x + 28] -= 140 * ink
    shadow = Image.new("L", levels.shape)
    ImageDraw.Draw(shadow).line((90, 0, 230, levels.shape[0]), fill=255, width=side)
    levels -= shade * (np.asarray(shadow) / 255.0)
    levels += random.normal(0.0, 2.0, levels.shape)
    picture = as_picture(np.clip(levels, 0, 255).astype(np.uint8))
    read = reader.read_grid(picture).cells
    assert [list(row) for row in read] == truth
