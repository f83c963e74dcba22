"""What is printed on a paper, and what is written on it."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from mnist_net.pictures.not_writing import is_of_a_frame, marks_of_paper
from mnist_net.pictures.pieces import Mask, find_pieces
from tests.drawings import STROKES, draw, pixels

SHAPES = {
    "ring": lambda pen, box: pen.ellipse(box, outline=255, width=3),
    "dot": lambda pen, box: pen.ellipse(box, fill=255),
    "cross": lambda pen, box: (
        pen.line((box[0], box[1], box[2], box[3]), 255, 2),
        pen.line((box[0], box[3], box[2], box[1]), 255, 2),
    ),
}


def paper(shape: str, size: int, shift: float = 0.0, lean: float = 0.0) -> Image.Image:
    """Marks 30 pixels apart, every other row shifted, seen at an angle."""
    image = Image.new("L", (300, 240))
    for row in range(7):
        for column in range(9):
            x, y = 30 + 30 * column + shift * (row % 2) + lean * row, 30 + 30 * row
            SHAPES[shape](ImageDraw.Draw(image), (x, y, x + size, y + size))
    return image


def without_marks(image: Image.Image) -> Mask:
    numbers, pieces = find_pieces(np.asarray(image) >= 128)
    return (numbers > 0) & ~np.isin(numbers, marks_of_paper(numbers, pieces))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [4, 9, 16])
@pytest.mark.parametrize(("shift", "lean"), [(0.0, 0.0), (15.0, 0.0), (0.0, 4.0)])
def test_marks_in_a_lattice_are_the_papers(
    shape: str, size: int, shift: float, lean: float
) -> None:
    assert not without_marks(paper(shape, size, shift, lean)).any()


@pytest.mark.parametrize("seed", range(5))
def test_small_marks_differ_by_where_the_pixels_lie(seed: int) -> None:
    random, factor = np.random.default_rng(seed), 8
    image = Image.new("L", (200 * factor, 160 * factor))
    begin = random.uniform(10, 20, 2)
    for row, column in np.ndindex(8, 10):
        x, y = factor * (begin + 15.3 * np.array([column, row]))
        ImageDraw.Draw(image).ellipse((x, y, x + 4.5 * factor, y + 4.5 * factor), fill=255)
    assert not without_marks(image.reduce(factor)).any()


@pytest.mark.parametrize("thickness", [2.5, 3.3, 5.0, 6.4, 7.7, 13.0])
@pytest.mark.parametrize("degrees", [0.0, 1.5, 3.0])
def test_dashes_are_marks_however_large_and_a_little_aslant(
    thickness: float, degrees: float
) -> None:
    factor = 4
    image = Image.new("L", (round(210 * thickness), round(140 * thickness)))
    image = image.resize((factor * image.width, factor * image.height))
    for row, column in np.ndindex(7, 9):
        x, y = factor * thickness * (8 + 20 * np.array([column, row]) + 10 * np.array([row % 2, 0]))
        box = (x, y, x + 8 * factor * thickness, y + factor * thickness)
        ImageDraw.Draw(image).rectangle(box, fill=255)
    turned = image.rotate(degrees, Image.Resampling.BILINEAR).reduce(factor)
    assert not without_marks(turned).any()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("n_rows", "n_columns", "found"), [(3, 4, True), (4, 3, True), (3, 9, True), (2, 9, False)]
)
def test_twelve_marks_are_enough_in_three_rows(
    shape: str, n_rows: int, n_columns: int, found: bool
) -> None:
    image = Image.new("L", (300, 240))
    image.paste(paper(shape, 16).crop((0, 0, 25 + 30 * n_columns, 25 + 30 * n_rows)))
    assert without_marks(image).any() != found


def test_what_is_written_among_them_stays() -> None:
    five = np.asarray(255 - pixels(draw(5, 6, (6, 6)))) >= 128
    written = np.zeros((240, 300), bool)
    written[62 : 62 + five.shape[0], 62 : 62 + five.shape[1]] = five
    image = np.where(written, 255, np.asarray(paper("ring", 9)))
    numbers, _ = find_pieces(image >= 128)
    touched = np.isin(numbers, np.unique(numbers[written]))  # with what rings the 5 meets
    np.testing.assert_array_equal(without_marks(Image.fromarray(image.astype(np.uint8))), touched)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("digits", [[*STROKES], [7]], ids=["any", "7s"])
@pytest.mark.parametrize(("n_rows", "n_columns"), [(6, 9), (3, 4)])
def test_rows_of_digits_are_no_marks(
    digits: list[int], n_rows: int, n_columns: int, seed: int
) -> None:
    """However evenly they are written, in the cells of a form: no two by hand are alike."""
    random, image = np.random.default_rng(seed), np.zeros((240, 330), bool)
    for row in range(n_rows):
        for column in range(n_columns):
            digit = 255 - pixels(draw(int(random.choice(digits)), 6, (6, 6)))
            size = int(random.integers(18, 25))
            small = np.asarray(Image.fromarray(digit).resize((size * 2 // 3, size)))
            top, left = (10, 10) + (36, 34) * np.array([row, column]) + random.integers(0, 5, 2)
            image[top : top + size, left : left + size * 2 // 3] = small >= 128
    assert not marks_of_paper(*find_pieces(image))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("digit", [0, 1])
@pytest.mark.parametrize(("n_rows", "n_columns"), [(6, 9), (3, 4)])
def test_zeros_by_hand_are_no_rings_and_ones_no_dashes(
    mnist_arrays: tuple[np.ndarray, np.ndarray],
    digit: int,
    n_rows: int,
    n_columns: int,
    seed: int,
) -> None:
    images, labels = mnist_arrays
    random, page = np.random.default_rng(seed), np.zeros((240, 330), bool)
    for row, column in np.ndindex(n_rows, n_columns):
        top, left = (10, 10) + (36, 34) * np.array([row, column]) + random.integers(0, 2, 2)
        page[top : top + 28, left : left + 28] = random.choice(images[labels == digit]) >= 128
    assert not marks_of_paper(*find_pieces(page))


@pytest.mark.parametrize("size", [12, 14])
def test_printed_digits_in_columns_are_no_marks(size: int) -> None:
    random, image = np.random.default_rng(0), Image.new("L", (300, 240))
    font = ImageFont.load_default(size)
    for row, column in np.ndindex(8, 10):
        digit = str(random.choice([3, 5]))
        ImageDraw.Draw(image).text((10 + 28 * column, 10 + 28 * row), digit, 255, font)
    assert not marks_of_paper(*find_pieces(np.asarray(image) >= 128))


@pytest.mark.parametrize(
    ("begin", "end", "expected"), [(0, 170, True), (0, 120, False), (15, 185, False)]
)
@pytest.mark.parametrize("level", [False, True])
def test_a_line_from_a_border_nearly_to_the_other_is_of_a_frame(
    begin: int, end: int, expected: bool, level: bool
) -> None:
    ink = np.zeros((200, 150), bool)
    ink[begin:end, 80:84] = True
    mask = ink.T if level else ink
    (piece,) = find_pieces(mask)[1]
    assert is_of_a_frame(piece, mask.shape) == expected
