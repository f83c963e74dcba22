"""Pictures on a sheet come back as they were."""

import base64
import io

import numpy as np
from PIL import Image

from mnist_net.reports.sprites import Sheet, address, first_layer_png, row_png


def opened(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png))


def test_each_picture_is_where_it_was_put_and_once() -> None:
    images = np.random.default_rng(0).integers(0, 256, (70, 28, 28), np.uint8)
    sheet = Sheet()
    places = [sheet.place(image) for image in images]
    assert [sheet.place(image) for image in images] == places
    assert len(set(places)) == 70
    picture = opened(sheet.png())
    assert picture.size == sheet.size == (32 * 28, 3 * 28)
    black, ink = np.moveaxis(np.asarray(picture), -1, 0)
    assert not black.any()
    for image, (x, y) in zip(images, places, strict=True):
        np.testing.assert_array_equal(ink[y : y + 28, x : x + 28], image)


def test_an_empty_sheet_is_a_picture_too() -> None:
    assert not np.asarray(opened(Sheet().png())).any()


def test_the_first_layer_is_red_for_and_blue_against() -> None:
    weights = np.zeros((784, 9))
    weights[0, 1], weights[1, 1] = 2.0, -1.0  # the second unit is drawn beside the first
    weights[783, 8] = -5.0  # the ninth below it
    pixels = np.asarray(opened(first_layer_png(weights)).convert("RGBA")).astype(int)
    assert pixels.shape == (57, 8 * 29 - 1, 4)
    red, blue = pixels[0, 29], pixels[0, 30]
    assert red[0] > red[2]
    assert blue[2] > blue[0]
    assert (red[3], blue[3]) == (255, 127)
    assert pixels[29 + 27, 27, 3] == 255  # each as strong as its strongest
    assert np.count_nonzero(pixels[..., 3]) == 3


def test_a_row_shows_ink_on_white_and_larger() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28), np.uint8)
    drawn = np.asarray(opened(row_png(images, 2)))
    np.testing.assert_array_equal(255 - drawn[::2, ::2], np.concatenate(images, axis=1))
    assert drawn.shape == (56, 168)


def test_an_address_holds_the_picture() -> None:
    head, _, data = address(b"\x89PNG").partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(data) == b"\x89PNG"
