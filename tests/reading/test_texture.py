"""What is read on a photograph of nothing."""

import numpy as np
import pytest

from mnist_net.pictures.decoding import Place, open_image
from mnist_net.reading.answers import UNREAD, Page, Reading
from mnist_net.reading.texture import is_texture

WIDTH, HEIGHT = 300, 200
GRAINS = np.random.default_rng(0).normal(150.0, 8.0, (HEIGHT, WIDTH)).astype(np.uint8)
PHOTOGRAPH, DRAWING = open_image(GRAINS), open_image(np.full((HEIGHT, WIDTH), 255, np.uint8))


def page(*readings: tuple[int, Place], score: float = 0.99) -> Page:
    return Page((tuple(Reading(digit, 0.99, score, box=box) for digit, box in readings),))


INSIDE, DOWN, CORNER = (140, 60, 20, 80), (140, 20, 20, 180), (200, 100, 99, 100)


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ([(1, INSIDE)], False),
        ([(1, DOWN)], True),
        ([(1, CORNER)], True),  # a pixel short of the right border, too
        ([(1, (140, 1, 20, 199))], False),  # cut out at its ink
        ([(7, (140, 60, 60, 80))], False),
        ([(7, (140, 100, 60, 100))], False),  # nobody could write another one above it
        ([(7, (140, 140, 40, 60))], True),
        ([(1, DOWN), (1, CORNER)], True),
        ([(1, DOWN), (1, INSIDE)], False),
        ([(1, DOWN), (7, CORNER)], False),
        ([], False),
    ],
)
def test_what_leaves_a_photograph_is_no_digit(
    readings: list[tuple[int, Place]], expected: bool
) -> None:
    assert is_texture(page(*readings), PHOTOGRAPH) == expected
    assert not is_texture(page(*readings), DRAWING)


@pytest.mark.parametrize(("digit", "least"), [(1, 0.9), (7, 0.7)])
def test_alone_on_a_photograph_a_digit_is_surer(digit: int, least: float) -> None:
    alone = (digit, INSIDE)
    assert is_texture(page(alone, score=least - 0.01), PHOTOGRAPH)
    assert not is_texture(page(alone, score=least), PHOTOGRAPH)
    assert not is_texture(page(alone, alone, score=least - 0.01), PHOTOGRAPH)


def test_where_strokes_are_all_that_is_read_they_are_all_that_there_is() -> None:
    rows = page((1, INSIDE), (1, INSIDE)).rows
    straws = (Reading(None, score=0.5, box=INSIDE, sign=UNREAD),)
    assert is_texture(Page((*rows, straws)), PHOTOGRAPH)
    assert not is_texture(Page(((*rows[0], *straws),)), PHOTOGRAPH)  # such as 11 kg
    assert not is_texture(Page((*rows, straws)), DRAWING)
    assert not is_texture(Page((*rows, *page((7, INSIDE)).rows, straws)), PHOTOGRAPH)
    assert not is_texture(Page(rows), PHOTOGRAPH)
