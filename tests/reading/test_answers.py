"""What a notebook shows of a reading and of a page."""

import base64
import io
import re

import numpy as np
from PIL import Image

from mnist_net.reading.answers import Page, Reading

INK = np.zeros((28, 28), np.uint8)
INK[4:24, 10:18] = 255
SEVEN = Reading(7, 0.987, 0.9, image=INK)


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


def pictures(html: str) -> list[np.ndarray]:
    found = re.findall(r'src="data:image/png;base64,([^"]+)"', html)
    return [pixels(base64.b64decode(one)) for one in found]


def test_a_reading_shows_what_was_seen_and_what_it_is() -> None:
    html = SEVEN._repr_html_()
    (picture,) = pictures(html)
    assert (picture == 255 - INK.repeat(2, axis=0).repeat(2, axis=1)).all()
    assert ">7, 98.7 %<" in html.replace("<br>", ">")
    assert (pixels(SEVEN._repr_png_()) == 255 - INK.repeat(4, axis=0).repeat(4, axis=1)).all()


def test_what_is_no_digit_says_why_and_is_no_markup() -> None:
    html = Reading(None, image=INK, reason="it is <b>bold</b>")._repr_html_()
    assert len(pictures(html)) == 1
    assert html.endswith("<p>it is &lt;b&gt;bold&lt;/b&gt;</p>")
    assert pixels(Reading(None)._repr_png_()).min() == 255


def test_a_page_shows_its_rows() -> None:
    page = Page(((SEVEN, Reading(None, sign="-"), SEVEN), (SEVEN,)))
    rows = re.findall(r"<div>(.*?)</div>", page._repr_html_())
    assert [len(pictures(row)) for row in rows] == [2, 1]
    assert [re.sub(r"<[^>]+>", "|", row).count("-") for row in rows] == [1, 0]
    assert pixels(page._repr_png_()).shape == (112, 3 * 112)


def test_a_page_without_digits_says_why() -> None:
    empty = Page((), reason="there is no ink on it")
    assert empty._repr_html_() == "<p>there is no ink on it</p>"
    assert pixels(empty._repr_png_()).shape[0] == 112
