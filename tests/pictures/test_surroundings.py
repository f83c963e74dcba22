"""The sheet is found beside a table, and nothing is cut off where there is none."""

import numpy as np
import pytest

from mnist_net.pictures.looks import looks
from mnist_net.pictures.rows import sheet_of
from mnist_net.pictures.surroundings import sheet_box, without_objects
from tests.drawings import STROKES, draw, pixels


def photograph(*, edge: float, slope: float = 0.0, table: float = 60.0) -> np.ndarray:
    """A 7 on grey paper with noise, and a table above the edge; 300 × 240."""
    generator = np.random.default_rng(0)
    seven = np.pad(pixels(draw(7, 6, (10, 40))) < 128, ((100, 200), (40, 200)))[:300, :240]
    levels = np.where(seven, 90.0, 200.0)
    rows, columns = np.indices(levels.shape)
    levels[rows < edge + slope * columns] = table
    noisy = levels + generator.normal(0.0, 4.0, levels.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)[..., None]


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("slope", [0.0, 0.08])
def test_the_table_is_cut_off_on_each_side(turns: int, slope: float) -> None:
    picture = np.rot90(photograph(edge=40, slope=slope), turns)
    box = sheet_box(picture)
    assert box is not None
    height, width = picture.shape[:2]
    off = (box.top, box.left, height - box.bottom, width - box.right)[turns]
    deepest = 40 + 240 * slope
    assert deepest <= off <= deepest + 12  # four rows of the reduced picture
    assert picture.size - box.width * box.height == off * 240


def test_a_table_may_cover_nearly_half() -> None:
    box = sheet_box(photograph(edge=130))
    assert box is not None
    assert 130 <= box.top <= 142


@pytest.mark.parametrize("n", [120, 240, 395])
@pytest.mark.parametrize("share", [0.03, 0.08, 0.15])
def test_a_light_strip_is_no_sheet(n: int, share: float) -> None:
    picture = np.full((n, n, 1), 40, np.uint8)
    picture[:, n // 2 - 2 : n // 2 - 2 + round(share * n)] = 220
    assert sheet_box(picture) is None
    assert sheet_box(np.rot90(picture)) is None


@pytest.mark.parametrize(("slope", "found"), [(0.08, True), (0.25, False)])
def test_no_wedge_of_a_deep_table_is_left(slope: float, found: bool) -> None:
    picture = np.full((240, 240, 1), 220, np.uint8)
    rows, columns = np.indices((240, 240))
    picture[rows < 116 + slope * (columns - 120)] = 40
    box = sheet_box(picture)
    assert (box is not None) == found
    assert box is None or (box.cut(picture) == 220).all()


def test_without_a_table_nothing_is_cut_off() -> None:
    assert sheet_box(photograph(edge=0)) is None
    assert sheet_box(photograph(edge=40, table=185.0)) is None  # a fold, a soft shadow
    assert sheet_box(photograph(edge=200)) is None  # what covers most, is no table
    assert sheet_box(photograph(edge=-20, slope=0.4)) is None  # a corner
    assert sheet_box(photograph(edge=10)[:36, :36]) is None  # it is too small


@pytest.mark.parametrize("digit", STROKES)
def test_a_digit_that_fills_its_picture_is_no_table(digit: int) -> None:
    ink = pixels(draw(digit, 12, (0, 0))) < 128
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    tight = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    assert sheet_box(np.where(tight, 30, 220).astype(np.uint8)[..., None]) is None


def test_what_lies_beyond_the_sheet_is_no_ink() -> None:
    picture = photograph(edge=40)
    (look,) = next(looks(picture))
    assert look.ink.shape[0] < 262
    (row,) = sheet_of(look.writing(), look.ink).rows
    left, top, right, bottom = row.figures[0].moved(*look.corner)
    seven = np.argwhere(photograph(edge=0)[..., 0] < 145)
    (first_row, first_column), (last_row, last_column) = seven.min(axis=0), seven.max(axis=0)
    found = (left, top, right - 1, bottom - 1)
    assert np.abs(np.subtract(found, (first_column, first_row, last_column, last_row))).max() <= 3


def cup(paper: float = 200.0, deviation: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """Paper on which a dark disc leaves the picture above, and where the disc is; 160 × 200."""
    rows, columns = np.indices((160, 200))
    disc = np.hypot(rows + 10, columns - 90) < 50
    levels = np.where(disc, 40.0, np.random.default_rng(0).normal(paper, deviation, disc.shape))
    return levels.astype(np.uint8)[..., None], disc


def test_paper_takes_the_place_of_what_lies_on_it() -> None:
    levels, disc = cup()
    bare = without_objects(levels, disc.astype(np.float32), (0, 0))
    assert bare is not None
    assert np.abs(bare.astype(float) - 200.0).max() < 20.0
    far = np.hypot(*(np.indices(disc.shape) - np.array([-10, 90])[:, None, None])) > 60.0
    np.testing.assert_array_equal(bare[far], levels[far])


def test_the_ink_may_be_of_a_part_of_the_picture() -> None:
    levels, disc = cup()
    bare = without_objects(levels, disc[:, 30:].astype(np.float32), (30, 0))
    np.testing.assert_array_equal(bare, without_objects(levels, disc.astype(np.float32), (0, 0)))


def test_what_is_inside_or_narrow_or_drawn_stays() -> None:
    levels, disc = cup()
    inside, pen = np.roll(disc, 100, axis=0), np.zeros_like(disc)
    inside[:15] = False
    pen[:90, 20:30] = True
    nothing = np.zeros_like(disc)
    for ink in (inside, pen, nothing):
        assert without_objects(levels, ink.astype(np.float32), (0, 0)) is None
    flat, _ = cup(deviation=0.0)
    flat[disc] = 200
    flat[60:100, 60:70] = 0  # a drawing on clean paper
    assert without_objects(flat, disc.astype(np.float32), (0, 0)) is None
