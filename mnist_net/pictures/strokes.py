"""Strokes of a pen, as a screen or a tablet records them, drawn as a picture."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image, ImageDraw

_FINER = 4  # pixels across for each of the picture's, so that edges are smooth ...
_MOST_PIXELS = 4_000_000  # ... as long as there are no more of them than these

Point = tuple[float, float]


class Drawing(NamedTuple):
    """What a pen drew.

    Attributes
    ----------
    strokes
        Each the points that the pen went through, x to the right and y down, in pixels.
    width
        Of the pen, in pixels.
    size
        Width and height of the paper, in pixels; what lies outside is cut off.
    """

    strokes: Sequence[Sequence[Point]]
    width: float
    size: tuple[int, int]


def drawn(drawing: Drawing) -> Image.Image:
    """Draw strokes with round ends, black on white, with smooth edges; 8 bits grey."""
    width, height = drawing.size
    finer = max(1, min(_FINER, math.isqrt(_MOST_PIXELS // (width * height))))
    image = Image.new("L", (width * finer, height * finer), 255)
    pen, radius = ImageDraw.Draw(image), drawing.width * finer / 2.0
    for stroke in drawing.strokes:
        points = [(x * finer, y * finer) for x, y in stroke]
        pen.line(points, 0, max(1, round(2.0 * radius)))
        for x, y in points:  # round ends, and round joints
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), 0)
    return image.reduce(finer) if finer > 1 else image
