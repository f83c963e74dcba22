"""A picture with what was read on it."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mnist_net.arrays import Bytes
from mnist_net.pictures.decoding import Picture
from mnist_net.reading.answers import Page, Table

_OF_DIGITS, _OF_SIGNS = (214, 39, 40), (31, 119, 180)
_SMALLEST = 400  # pixels of the longer side, so that the answers can be read


def annotated(picture: Picture, page: Page | Table) -> Bytes:
    """Draw a box and the answer at each digit and sign that was read on a page or in a table.

    It gives uint8, rows × columns × 3, of about the picture's size, but at least 400 on a side.
    """
    pixels = np.broadcast_to(picture.pixels, (*picture.pixels.shape[:2], 3))
    image = Image.fromarray(np.ascontiguousarray(pixels))
    factor = max(1, -(-_SMALLEST // max(image.size)))
    image = image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    scale = factor / picture.reduction
    draw = ImageDraw.Draw(image)
    line = max(1, max(image.size) // 400)
    for reading in page.readings:
        if reading.box is None:
            continue
        colour = _OF_SIGNS if reading.digit is None else _OF_DIGITS
        x, y, *sides = reading.box
        left, top = (scale * (a - b) for a, b in zip((x, y), picture.corner, strict=True))
        width, height = (scale * side for side in sides)
        draw.rectangle(
            (left - line, top - line, left + width + line, top + height + line),
            outline=colour,
            width=line,
        )
        size = min(max(10.0, 0.35 * height), 200.0)
        font = ImageFont.load_default(size)
        place = (left, max(top - line, size))
        draw.text(place, reading.text, colour, font, anchor="lb")
    return np.asarray(image)
