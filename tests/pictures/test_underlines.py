"""Lines below digits go, and parts of digits and signs stay."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from mnist_net.pictures.lines import without_lines
from tests.drawings import draw, pixels
from tests.pictures.test_lines import corners, digits_with


@pytest.mark.parametrize("rise", [0, 5])
def test_a_line_below_goes(rise: int) -> None:
    digits, _ = digits_with()
    left, _, right, bottom = corners(digits, 6)
    _, both = digits_with([(left, bottom + 4), (right, bottom + 4 - rise)])
    np.testing.assert_array_equal(without_lines(both), digits)


@pytest.mark.parametrize(("part", "bend"), [(2, -6), (2, 8), (3, 8)])
def test_a_line_below_may_be_bent(part: int, bend: int) -> None:
    digits, _ = digits_with()
    left, _, right, bottom = corners(digits, 6)
    places = [(left, 12), (left + (right - left) // part, 12 + bend), (right, 12)]
    _, both = digits_with([(x, bottom + y) for x, y in places], width=5)
    np.testing.assert_array_equal(without_lines(both), digits)


@pytest.mark.parametrize("framed", [False, True])
@pytest.mark.parametrize(("begin", "end", "rise"), [(0.3, 0.6, 0), (0.2, 0.5, 4), (0.2, 0.8, 0)])
def test_a_line_below_may_be_shorter_than_the_number_and_aslant(
    begin: float, end: float, rise: int, framed: bool
) -> None:
    digits, _ = digits_with()
    left, _, right, bottom = corners(digits, 0)
    x = [round(left + share * (right - left)) for share in (begin, end)]
    digits, both = (
        np.pad(mask, ((420, 60), (0, 60)))
        for mask in digits_with([(x[0], bottom + 30 + rise), (x[1], bottom + 30 - rise)])
    )
    for mask in (digits, both):  # where a frame leaves the picture, digits are small beside it
        mask[: -30 if framed else 0, -20:-16] = True
    np.testing.assert_array_equal(without_lines(both), digits)


def test_a_sign_below_a_number_is_no_line_if_a_digit_is_beside_it() -> None:
    digits, _ = digits_with()
    _, top, _, bottom = corners(digits, 0)
    row = digits[top : bottom + 1].copy()
    begin, end = np.flatnonzero(np.diff(row.any(axis=0)))[:2] + 1  # of its first digit
    row[:, begin:end] = False
    row[(bottom - top) // 2 - 2 : (bottom - top) // 2 + 2, begin + 2 : end - 2] = True
    page_of_both = np.vstack([digits[: bottom + 20], np.pad(row, ((0, 20), (0, 0)))])
    np.testing.assert_array_equal(without_lines(page_of_both.copy()), page_of_both)


def broken(digit: int, gap: int) -> np.ndarray:
    """A digit whose level stroke, above or below, is so many rows apart from the rest."""
    body = np.zeros((80, 60), bool)
    body[:, 26:34] = True
    bar = np.zeros((8, 60), bool)
    bar[:, 8:52] = True
    space = np.zeros((gap, 60), bool)
    return np.vstack([bar, space, body] if digit == 7 else [body, space, bar])


def test_parts_of_broken_digits_below_others_stay() -> None:
    digits, _ = digits_with()
    for parts, rows_apart in (([broken(7, 6)] * 3, 30), ([broken(7, 6)] * 2, 50)):
        row = np.pad(np.hstack(parts), 20)
        width = max(row.shape[1], digits.shape[1])
        rows = [np.pad(one, ((0, 0), (0, width - one.shape[1]))) for one in (digits, row)]
        both = np.vstack([rows[0][: corners(digits, 0)[3] + rows_apart - 20], rows[1]])
        np.testing.assert_array_equal(without_lines(both.copy()), both)
    one = np.pad(broken(1, 10), 20)
    np.testing.assert_array_equal(without_lines(one.copy()), one)


def test_digits_that_hang_together_are_no_line_below_others() -> None:
    digits, _ = digits_with()
    top = corners(digits, 0)[3] + 20
    image = Image.fromarray(np.pad(digits, ((0, 120), (0, 500))).astype(np.uint8))
    for k in range(4):
        box = (20 + 75 * k, top, 98 + 75 * k, top + 95)
        ImageDraw.Draw(image).ellipse(box, outline=1, width=4)
    both = np.asarray(image) > 0
    np.testing.assert_array_equal(without_lines(both.copy()), both)


def test_of_a_tight_crop_with_a_point_no_stroke_goes() -> None:
    digits, _ = digits_with()
    left, top, right, bottom = corners(digits, 0)
    crop = digits[top : bottom + 1, left : right + 1].copy()
    gap = np.flatnonzero(~crop.any(axis=0))[0]
    crop[-30:-24, gap : gap + 6] = True
    np.testing.assert_array_equal(without_lines(crop.copy()), crop)


def test_of_a_line_below_that_touches_hardly_any_is_left() -> None:
    digits, _ = digits_with()
    left, _, right, bottom = corners(digits, 0)
    _, both = digits_with([(left - 8, bottom), (right + 8, bottom)])
    rest = without_lines(both.copy())
    line = both & ~digits
    assert (rest & line).sum() < 0.2 * line.sum()  # where the line is as thick as the pen
    assert (rest & digits).sum() > 0.95 * digits.sum()


def test_lines_below_one_digit_go() -> None:
    seven = np.pad(pixels(draw(7, 6, (10, 10))) < 128, 30)
    left, _, right, bottom = corners(seven, 8)
    both = seven.copy()
    for top in (bottom + 4, bottom + 14):
        both[top : top + 3, left:right] = True
    np.testing.assert_array_equal(without_lines(both), seven)


@pytest.mark.parametrize("gap", [1, 2])
def test_a_line_that_all_but_touches_the_one_digit_above_it_goes(gap: int) -> None:
    five = np.pad(pixels(draw(5, 6, (10, 10))) < 128, 30)
    left, _, right, bottom = corners(five, 10)
    top = bottom - 10 + gap + 1
    both = five.copy()
    both[top : top + 4, left:right] = True
    np.testing.assert_array_equal(without_lines(both), five)


def test_both_of_two_lines_that_run_together_go() -> None:
    digits, _ = digits_with()
    left, _, right, bottom = corners(digits, 6)
    both = digits.copy()
    for top in (bottom + 4, bottom + 11):
        both[top : top + 4, left:right] = True
    both[bottom + 4 : bottom + 15, left + 20 : left + 22] = True  # where the ink has run
    assert (without_lines(both.copy()) & ~digits).sum() < 0.05 * (both & ~digits).sum()
    assert (without_lines(both) & digits).sum() == digits.sum()


@pytest.mark.parametrize("wide", [1.3, 1.5, 1.7])
def test_a_digit_that_is_wide_beside_others_is_no_line_below_them(wide: float) -> None:
    mask = pixels(draw(2, 6, (10, 10))) < 128
    left, top, right, bottom = corners(mask, 0)
    two = Image.fromarray(mask[top : bottom + 1, left : right + 1])
    height = bottom + 1 - top
    large = np.pad(np.asarray(two.resize((round(wide * height), height))), 20)
    row = np.hstack([np.pad(np.asarray(two), 20), large, np.pad(np.asarray(two), 20)])
    np.testing.assert_array_equal(without_lines(row.copy()), row)


def test_a_fragment_of_a_ruled_line_goes_and_a_minus_stays() -> None:
    digits, _ = digits_with()
    digits[100:107, 2:30] = True  # a minus
    width = digits.shape[1]
    wide = np.pad(digits, ((0, 0), (0, 200)))
    both = wide.copy()
    both[70:72, width + 60 :] = True
    np.testing.assert_array_equal(without_lines(both), wide)


def test_the_bar_of_a_broken_5_is_no_line_below() -> None:
    mask = np.pad(pixels(draw(5, 6, (10, 10))) < 128, 20)
    five = mask.copy()
    five[:, 42:48] = False
    five[28:34, 48:110] = True  # the bar, longer than the rest is wide
    np.testing.assert_array_equal(without_lines(five), five)


@pytest.mark.parametrize(
    ("down", "rise", "goes"), [(40, 0, True), (40, 20, False), (140, 0, False)]
)
def test_a_short_line_below_is_level_and_near(down: int, rise: int, goes: bool) -> None:
    digits, _ = digits_with()
    left, _, _, bottom = corners(digits, 0)
    tall = np.pad(digits, ((0, 150), (0, 0)))
    image = Image.fromarray(tall.astype(np.uint8))
    line = [(left + 20, bottom + down + rise), (left + 80, bottom + down - rise)]
    ImageDraw.Draw(image).line(line, fill=1, width=4)
    both = np.asarray(image) > 0
    np.testing.assert_array_equal(without_lines(both.copy()), tall if goes else both)


@pytest.mark.parametrize(("begin", "end", "goes"), [(0.1, 0.5, True), (0.1, 0.25, False)])
def test_a_line_close_below_two_digits_is_no_foot_of_one(
    begin: float, end: float, goes: bool
) -> None:
    digits, _ = digits_with()
    left, _, right, bottom = corners(digits, 0)
    across = [round(left + share * (right - left)) for share in (begin, end)]
    both = digits.copy()
    both[bottom + 7 : bottom + 11, across[0] : across[1]] = True
    np.testing.assert_array_equal(without_lines(both.copy()), digits if goes else both)


@pytest.mark.parametrize(("away", "stays"), [(0.5, True), (3.0, False)])
def test_a_minus_below_a_number_is_near_its_own(away: float, stays: bool) -> None:
    digits, _ = digits_with()
    left, top, _, bottom = corners(digits, 0)
    height = bottom - top
    page_of_both = np.pad(digits, ((0, 2 * height), (0, 6 * height)))
    five = pixels(draw(5, 6, (10, 40))) < 128
    five = five[np.ix_(five.any(axis=1), five.any(axis=0))]
    y, x = bottom + height // 12, left + 50 + round(away * height)
    page_of_both[y : y + five.shape[0], x : x + five.shape[1]] = five
    without = page_of_both.copy()
    page_of_both[y + five.shape[0] // 2 - 2 : y + five.shape[0] // 2 + 2, left + 10 : left + 50] = 1
    result = without_lines(page_of_both.copy())
    np.testing.assert_array_equal(result, page_of_both if stays else without)


@pytest.mark.parametrize("touching", [False, True])
def test_two_short_lines_close_below_one_digit_go(touching: bool) -> None:
    digit = np.pad(pixels(draw(7, 6, (40, 40))) < 128, 20)
    left, _, right, bottom = corners(digit, 0)
    both = digit.copy()
    beyond = 10 if touching else -6  # a foot that sticks out on both sides is none
    for down in (2 if touching else 6, 12):
        both[bottom + down : bottom + down + 4, left - beyond : right + beyond] = True
    if touching:
        both[bottom : bottom + 4, (left + right) // 2] = True
    kept = without_lines(both)
    assert (kept & ~digit).sum() <= 4
    np.testing.assert_array_equal(kept & digit, digit)


@pytest.mark.parametrize("gap", [3, 12, 25])
def test_both_lines_of_an_equals_sign_stay(gap: int) -> None:
    digits, _ = digits_with()
    begin, end = np.flatnonzero(np.diff(digits.any(axis=0)))[2:4] + 1  # of the digit in the middle
    digits[:, begin:end] = False
    middle = len(digits) // 2
    for top in (middle - gap // 2 - 4, middle + gap // 2):
        digits[top : top + 4, begin + 8 : end - 8] = True
    digits = np.vstack([digits_with()[0], digits])  # below another number
    np.testing.assert_array_equal(without_lines(digits.copy()), digits)


def test_a_line_of_two_that_is_no_second_one_is_a_foot() -> None:
    digit = np.pad(pixels(draw(7, 6, (40, 40))) < 128, 20)
    left, _, right, bottom = corners(digit, 0)
    digit[bottom + 6 : bottom + 10, left + 6 : right - 6] = True
    np.testing.assert_array_equal(without_lines(digit.copy()), digit)


def test_places_that_nothing_is_written_on_go_and_a_minus_as_long_stays() -> None:
    digits, _ = digits_with()
    _, top, _, bottom = corners(digits, 0)
    digits = np.pad(digits, ((0, 20), (0, 300)))
    digits[(top + bottom) // 2 - 2 : (top + bottom) // 2 + 2, 320:386] = True  # a minus
    both = digits.copy()
    ends = np.flatnonzero(np.diff(digits[:bottom].any(axis=0)))
    middles = [(a + b) // 2 for a, b in zip(ends[:6:2], ends[1:6:2], strict=True)]
    for middle in (*middles, 440, 520):
        both[bottom + 10 : bottom + 14, middle - 33 : middle + 33] = True
    np.testing.assert_array_equal(without_lines(both), digits)


def test_a_minus_at_the_height_of_a_line_below_stays() -> None:
    """An underlined number on the left, and on the right, lower, one with a minus in it."""
    digits, _ = digits_with()
    _, top, _, bottom = corners(digits, 0)
    begin, end = np.flatnonzero(np.diff(digits.any(axis=0)))[2:4] + 1  # of the digit in the middle
    other = digits.copy()
    other[:, begin:end] = False
    middle = (top + bottom) // 2
    other[middle - 2 : middle + 2, begin:end] = True
    down = bottom + 12 - middle
    page = np.hstack([np.pad(digits, ((0, down), (0, 0))), np.pad(other, ((down, 0), (150, 0)))])
    both = page.copy()
    both[bottom + 10 : bottom + 14, begin - 4 : end + 4] = True
    np.testing.assert_array_equal(without_lines(both), page)


def test_a_plus_above_a_minus_keeps_its_bar() -> None:
    digits, _ = digits_with()
    begin, end = np.flatnonzero(np.diff(digits.any(axis=0)))[2:4] + 1
    digits[:, begin:end] = False
    middle, centre = len(digits) // 2, (begin + end) // 2
    digits[middle - 2 : middle + 2, begin + 4 : end - 4] = True
    digits[middle - 22 : middle + 22, centre - 2 : centre + 2] = True
    both = digits.copy()
    both[middle + 26 : middle + 30, begin + 4 : end - 4] = True
    np.testing.assert_array_equal(without_lines(both) & digits, digits)
