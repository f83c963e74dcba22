"""A picture with boxes and answers."""

import numpy as np
import pytest

from mnist_net.pictures.decoding import Picture
from mnist_net.reading.annotation import annotated
from mnist_net.reading.answers import Page, Reading

RED, BLUE = (214, 39, 40), (31, 119, 180)


def page(*boxes: tuple[int, int, int, int]) -> Page:
    return Page((tuple(Reading(k, 1.0, 1.0, box=box) for k, box in enumerate(boxes)),))


def white(height: int, width: int, n_channels: int = 1, reduction: float = 1.0) -> Picture:
    return Picture(np.full((height, width, n_channels), 255, np.uint8), reduction)


def is_red(image: np.ndarray) -> np.ndarray:
    return (image == RED).all(axis=2)


@pytest.mark.parametrize("n_channels", [1, 3])
def test_a_box_around_the_digit_and_the_answer_above(n_channels: int) -> None:
    image = annotated(white(500, 600, n_channels), page((100, 200, 50, 80)))
    assert image.shape == (500, 600, 3)
    assert image.dtype == np.uint8
    red = is_red(image)
    # A line of one pixel, one pixel outside of the box.
    assert red[199, 99:151].all()
    assert red[281, 99:152].all()
    assert red[199:282, 99].all()
    assert red[199:282, 151].all()
    assert not red[200:280, 100:150].any()
    assert red[165:199, 100:130].any()  # the answer
    assert (image[~red].reshape(-1, 3) >= RED).all()  # smoothed edges of the answer, or paper
    assert (image[282:] == 255).all()


def test_signs_have_boxes_of_another_colour() -> None:
    signs = Page(((Reading(None, box=(100, 200, 50, 80), sign="?"),),))
    image, of_digit = (annotated(white(500, 600), one) for one in (signs, page((100, 200, 50, 80))))
    assert not is_red(image).any()
    blue = (image == BLUE).all(axis=2)
    assert blue[199, 99:151].all()
    assert blue[165:199, 100:130].any()  # the sign
    np.testing.assert_array_equal(blue[199:], is_red(of_digit)[199:])


def test_a_page_without_digits_is_the_picture() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (450, 401, 3)).astype(np.uint8)
    np.testing.assert_array_equal(annotated(Picture(pixels), Page(())), pixels)


def test_a_small_picture_is_enlarged_and_its_boxes_too() -> None:
    image = annotated(white(56, 56), page((10, 30, 8, 20)))
    assert image.shape == (56 * 8, 56 * 8, 3)
    red = is_red(image)
    assert red[30 * 8 - 1, 80:144].all()
    assert red[50 * 8 + 1, 80:144].all()
    assert not red[240:400, 80:144].any()


def test_boxes_are_in_pixels_of_the_file_and_the_picture_is_reduced() -> None:
    image = annotated(white(500, 600, reduction=4.0), page((400, 800, 200, 320)))
    np.testing.assert_array_equal(image, annotated(white(500, 600), page((100, 200, 50, 80))))


def test_a_digit_at_the_edge_has_its_answer_within_the_picture() -> None:
    image = annotated(white(400, 400), page((0, 0, 400, 400), (380, 0, 20, 30)))
    assert image.shape == (400, 400, 3)
    assert (image[:30, 380:] != 255).any()


def test_nothing_is_drawn_where_there_is_no_box() -> None:
    blank = Page(((Reading(3, 1.0, 1.0),),))
    assert (annotated(white(400, 400), blank) == 255).all()
