"""One digit is told from one of several, whatever the picture's shape and colours."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from mnist_net.pictures.decoding import Picture, open_image
from mnist_net.reading.answers import Reading
from mnist_net.reading.neighbours import is_one_of_several
from tests.drawings import draw


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("scale", [1, 4, 16])
@pytest.mark.parametrize("n_digits", [1, 2, 5])
def test_digits_of_like_size_are_counted(mode: str, scale: int, n_digits: int) -> None:
    page = Image.new(mode, (600, 130), "white")
    for place in range(n_digits):
        page.paste(draw(5).convert(mode), (10 + 110 * place, 5))
    picture = open_image(page.resize((600 * scale, 130 * scale)))
    x, y, width, height = (edge * scale for edge in (22, 17, 60, 96))
    reading = Reading(5, 1.0, 1.0, box=(x, y, width, height))
    assert is_one_of_several(reading, picture) == (n_digits > 1)
    assert not is_one_of_several(Reading(None, box=reading.box), picture)


@pytest.mark.parametrize("scale", [1, 3])
@pytest.mark.parametrize("n_digits", [1, 3])
def test_digits_in_boxes_are_counted(scale: int, n_digits: int) -> None:
    page = Image.new("L", (600, 210), "white")
    for place in range(n_digits):
        left = 10 + 160 * place
        page.paste(draw(5), (left + 30, 45))
        ImageDraw.Draw(page).rectangle((left, 10, left + 150, 200), outline=0, width=6)
    picture = open_image(page.resize((600 * scale, 210 * scale)))
    x, y, width, height = (edge * scale for edge in (52, 57, 60, 96))
    reading = Reading(5, 1.0, 1.0, box=(x, y, width, height))
    assert is_one_of_several(reading, picture) == (n_digits > 1)


@pytest.mark.parametrize("shape", [(1, 400, 1), (400, 1, 1), (1, 400, 3), (3, 90, 1)])
def test_a_line_of_pixels_is_no_row_of_digits(shape: tuple[int, int, int]) -> None:
    pixels = np.full(shape, 255, np.uint8)
    pixels[:1, :1] = 0
    assert not is_one_of_several(Reading(1, box=(0, 0, 1, 1)), Picture(pixels))
