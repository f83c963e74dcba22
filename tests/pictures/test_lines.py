"""Lines that are no strokes go, and digits stay as they are."""

import numpy as np
import pytest
from hypothesis import given, settings
from PIL import Image, ImageDraw

from mnist_net.pictures.lines import without_lines
from mnist_net.pictures.ruled import without_ruled_lines
from tests.drawings import STROKES, draw, pixels
from tests.pictures.test_layout import MASKS, digit_ink, page

# Ruled lines.


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


@pytest.mark.parametrize(("thick", "gone"), [(3, True), (16, False)])
def test_two_fine_lines_that_cross_are_the_papers(thick: int, gone: bool) -> None:
    """Where they cross it they fill the picture, as a 7 does whose bar is as bold as the rest."""
    written = np.zeros((260, 500), bool)
    five = pixels(draw(5, 7, (0, 0))) < 128
    written[90 : 90 + five.shape[0], 350 : 350 + five.shape[1]] = five
    lines = page(260, 500, (0, 60, 500, 60 + thick), (200, 0, 200 + thick, 260)) > 0
    kept = without_ruled_lines(lines | written)
    np.testing.assert_array_equal(kept[:, 230:] & ~lines[:, 230:], written[:, 230:])
    assert kept[lines].any() != gone


@pytest.mark.parametrize("aslant", [0.0, 0.1, 0.2, 0.4])
def test_squared_paper_goes_though_it_lies_aslant(aslant: float) -> None:
    height, width, gap = 160, 300, 40
    image = Image.new("L", (width, height))
    pen = ImageDraw.Draw(image)
    for k in range(-10, 20):
        pen.line([(-50, k * gap), (width + 50, k * gap - aslant * (width + 100))], 255, 2)
        pen.line([(k * gap, -50), (k * gap + aslant * (height + 100), height + 50)], 255, 2)
    stroke = page(height, width, (140, 30, 152, 130)) > 0
    result = without_ruled_lines((np.asarray(image) > 0) | stroke)
    np.testing.assert_array_equal(result[30:130, 140:152], stroke[30:130, 140:152])
    # In corners are lines that are too short to be known.
    assert (result & ~stroke).sum() <= 0.1 * (np.asarray(image) > 0).sum()


def test_slanted_ones_over_a_line_are_no_squared_paper() -> None:
    image = Image.new("L", (230, 60))
    pen = ImageDraw.Draw(image)
    for k in range(5):
        pen.line([(30 + 40 * k, -5), (8 + 40 * k, 65)], 255, 4)
    pen.line([(-5, 40), (235, 42)], 255, 3)
    ink = np.asarray(image) > 0
    assert without_ruled_lines(ink).sum() > 0.6 * ink.sum()


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
    assert not (without_lines(mask.copy()) & ~mask).any()


# Lines that enclose, and lines below.


def digits_with(*lines: list[tuple[int, int]], width: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Three digits side by side, and the same with lines through points."""
    sides = [pixels(draw(digit, 6, (10, 40))) < 128 for digit in (5, 2, 7)]
    digits = np.pad(np.hstack(sides), 20)
    image = Image.fromarray(digits.astype(np.uint8))
    for line in lines:
        ImageDraw.Draw(image).line(line, fill=1, width=width)
    return digits, np.asarray(image) > 0


def corners(mask: np.ndarray, off: int) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(mask)
    return columns.min() - off, rows.min() - off, columns.max() + off, rows.max() + off


@pytest.mark.parametrize("room", [14, 300])
@pytest.mark.parametrize("tilt", [0, 6])
def test_a_frame_goes_and_what_it_encloses_stays(tilt: int, room: int) -> None:
    digits = np.pad(digits_with()[0], room)
    left, top, right, bottom = corners(digits, room - 6)
    frame = [(left, top), (right, top + tilt), (right, bottom + tilt), (left, bottom), (left, top)]
    image = Image.fromarray(digits.astype(np.uint8))
    ImageDraw.Draw(image).line(frame, fill=1, width=4)
    np.testing.assert_array_equal(without_lines(np.asarray(image) > 0), digits)


@pytest.mark.parametrize(("pen", "is_frame"), [(3, True), (9, False)])
def test_a_small_ring_is_written_in_a_fine_line_only(pen: int, is_frame: bool) -> None:
    """A bold one is a 0 with a mark of the paper in it."""
    image = Image.new("1", (120, 160))
    ImageDraw.Draw(image).ellipse((5, 5, 114, 154), outline=1, width=pen)
    around = np.asarray(image)
    ImageDraw.Draw(image).ellipse((48, 68, 72, 92), outline=1, width=3)
    kept = without_lines(np.asarray(image))
    assert (kept & around).any() != is_frame
    assert kept[68:93, 48:73].any()


def test_a_zero_with_a_dot_in_it_is_no_frame() -> None:
    image = Image.new("1", (100, 140))
    ImageDraw.Draw(image).ellipse((10, 10, 90, 130), outline=1, width=8)
    ImageDraw.Draw(image).ellipse((36, 56, 64, 84), fill=1)
    mask = np.asarray(image)
    np.testing.assert_array_equal(without_lines(mask), mask)


@pytest.mark.parametrize("touching", [False, True])
@pytest.mark.parametrize("filled", [(0,), (2, 3), (0, 1, 3)])
def test_boxes_go_and_empty_ones_beside_them(filled: tuple[int, ...], touching: bool) -> None:
    digit = np.pad(pixels(draw(2, 6, (40, 40))) < 128, 10)
    height, width = digit.shape
    box = np.ones((height, width), bool)
    box[3:-3, 3:-3] = False
    drawn = Image.new("L", (width, height))
    ImageDraw.Draw(drawn).ellipse((0, 0, width - 1, height - 1), outline=1, width=4)
    zero = np.asarray(drawn) > 0  # as large as a box
    gap = np.zeros((height, 0 if touching else 12), bool)
    boxes = [np.hstack([box | (digit if k in filled else box), gap]) for k in range(4)]
    inside = [np.hstack([digit if k in filled else np.zeros_like(box), gap]) for k in range(4)]
    both, expected = (
        np.pad(np.hstack([*row, np.pad(zero, ((0, 0), (12, 0)))]), 20) for row in (boxes, inside)
    )
    np.testing.assert_array_equal(without_lines(both), expected)


def test_a_box_with_a_digit_that_touches_it_is_not_empty() -> None:
    """Beside two boxes with a 7 that is apart from them: a stroke from the top to the bottom."""
    digit = np.pad(pixels(draw(7, 6, (40, 40))) < 128, 10)
    height, width = digit.shape
    box = np.ones((height, width), bool)
    box[3:-3, 3:-3] = False
    touched = box.copy()
    touched[:, width // 2 - 3 : width // 2 + 3] = True
    gap = np.zeros((height, 12), bool)
    row = np.pad(np.hstack([box | digit, gap, touched, gap, box | digit]), 20)
    kept = without_lines(row)
    middle = 20 + width + 12 + width // 2
    assert kept[:, middle - 3 : middle + 3].sum() > 5 * height


def test_a_circle_goes_and_what_it_encloses_stays() -> None:
    digits, _ = digits_with()
    x0, y0, x1, y1 = corners(digits, 0)
    angles = np.linspace(0.0, 2.0 * np.pi, 200)
    x, y = (
        (x0 + x1) / 2 + 0.8 * (x1 - x0) * np.cos(angles),
        (y0 + y1) / 2 + 0.8 * (y1 - y0) * np.sin(angles),
    )
    big = np.pad(digits, 60)
    image = Image.fromarray(big.astype(np.uint8))
    circle = [(float(a) + 60, float(b) + 60) for a, b in zip(x, y, strict=True)]
    ImageDraw.Draw(image).line(circle, fill=1, width=3)
    np.testing.assert_array_equal(without_lines(np.asarray(image) > 0), big)


def test_squared_paper_goes_in_perspective_and_where_it_is_faint() -> None:
    digits = np.pad(digits_with()[0], 40)
    height, width = digits.shape
    image = Image.fromarray(np.zeros(digits.shape, np.uint8))
    drawing = ImageDraw.Draw(image)
    for place in range(15, width, 45):
        drawing.line([(place, 0), (place + 9, height)], fill=1, width=2)
    for place in range(10, height - 12, 45):
        drawing.line([(0, place), (width, place + 10)], fill=1, width=2)
    lines = np.asarray(image) > 0
    lines[:, 200:215] = False
    lines[180:190] = False
    rest = without_lines(digits | lines)
    assert (rest & digits).sum() == pytest.approx(digits.sum(), rel=0.02)
    assert (rest & ~digits).sum() < 0.1 * (lines & ~digits).sum()


@pytest.mark.parametrize("gap", [0.1, 0.3])
def test_a_ring_that_is_not_closed_goes(gap: float) -> None:
    seven = np.pad(pixels(draw(7, 4, (0, 0))) < 128, 50)
    height, width = seven.shape
    angles = np.linspace(1.0, 1.0 + 2.0 * np.pi - gap, 200)
    ring = [(width / 2 + 60 * np.cos(a), height / 2 + 65 * np.sin(a)) for a in angles]
    image = Image.fromarray(seven.astype(np.uint8))
    ImageDraw.Draw(image).line(ring, fill=1, width=3)
    np.testing.assert_array_equal(without_lines(np.asarray(image) > 0), seven)


@pytest.mark.parametrize("tight", [False, True])
@pytest.mark.parametrize("digit", STROKES)
def test_a_digit_alone_is_left_alone_however_large(digit: int, tight: bool) -> None:
    mask = pixels(draw(digit, 8, (6, 6))) < 128
    if tight:
        left, top, right, bottom = corners(mask, 0)
        mask = mask[top : bottom + 1, left : right + 1]
    np.testing.assert_array_equal(without_lines(mask), mask)


def test_digits_of_mnist_are_left_alone(mnist_arrays: tuple[np.ndarray, np.ndarray]) -> None:
    images, _ = mnist_arrays
    harmed = 0
    for image in images[:1000]:
        fine = Image.fromarray(image).resize((112, 112), Image.Resampling.BICUBIC)
        mask = np.asarray(fine) >= 128
        harmed += not np.array_equal(without_lines(mask.copy()), mask)
    assert harmed <= 2  # a digit in dashes, whose longest lies below the others
