"""Digits drawn stroke by stroke, in the forms that MNIST hardly has.

MNIST's writers were Americans around 1990.  Elsewhere a 1 has a flag and a foot, a 7 a bar, a 4 an
open top; and what is drawn with a mouse is squarer than what a pen writes.  Each form here is a few
strokes; a drawing takes one at random, shakes its points, slants, narrows and turns it, and draws
it with a thin pen or a thick brush.  A network that has seen some of these among MNIST's reads
other people's digits far better, and MNIST's as well as before.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from mnist_net.arrays import IMAGE_SHAPE, Bytes
from mnist_net.pictures.form import fitted

Points = npt.NDArray[np.float64]

SHEET = 240
"""Side of the sheet that a digit is drawn on, in pixels."""

_STEPS = 12  # of a curve, from one of its points to the next
_HEIGHT = 100  # of the digit itself
_SHAKE = 0.035  # of the height, deviation of a point
_WIDTHS = (0.028, 0.128)  # of the height, thinnest pen and thickest brush
_ASPECTS = {1: (0.3, 0.8)}  # width to height, least and most ...
_ASPECT = (0.45, 0.95)  # ... of the other digits
_TURN, _SLANT = 0.12, 0.18  # deviations, in radians and in columns a row


def digit_forms() -> list[tuple[int, list[Points]]]:
    """Each form: its digit, and its strokes, points × 2 in shares of the digit's box.

    A point that is given twice is a corner; through the others the stroke is smooth.  In forms.txt
    a line is a form, its strokes are parted by bars, and x,y are in hundredths of the box.
    """
    lines = Path(__file__).with_name("forms.txt").read_text(encoding="ascii").splitlines()
    parts = (line.split(":") for line in lines)
    return [(int(digit), strokes_of(form)) for digit, form in parts]


def strokes_of(form: str) -> list[Points]:
    """The strokes of a form, as forms.txt writes them."""
    points = ([point.split(",") for point in stroke.split()] for stroke in form.split("|"))
    return [np.array(stroke, np.float64) / 100.0 for stroke in points]


def draw_digits(n: int, random_state: int = 0) -> tuple[Bytes, npt.NDArray[np.int64]]:
    """Draw digits, each form in turn; the same seed gives the same drawings.

    Returns images, uint8, n × 28 × 28 in MNIST's form, and labels, int64, n.
    """
    images, labels = np.zeros((n, *IMAGE_SHAPE), np.uint8), np.zeros(n, np.int64)
    for k, drawing in enumerate(drawings(n, random_state)):
        images[k], labels[k] = fitted(drawing.sheet()), drawing.label
    return images, labels


class DrawnDigit(NamedTuple):
    """A digit as it is drawn: strokes, points × 2 in pixels of the sheet, with a pen so wide."""

    label: int
    strokes: list[Points]
    pen: float

    def sheet(self) -> Bytes:
        """Bright ink on a black sheet, uint8, `SHEET` × `SHEET`."""
        sheet, pen = Image.new("L", (SHEET, SHEET)), self.pen
        draw = ImageDraw.Draw(sheet)
        for points in self.strokes:
            draw.line(points.ravel().tolist(), fill=255, width=max(1, round(pen)))
            # Round ends and corners; elsewhere the line turns so little that none shows.
            for x, y in points[::_STEPS].tolist():
                draw.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), fill=255)
        return np.asarray(sheet)


def drawings(n: int, random_state: int = 0) -> Iterator[DrawnDigit]:
    """The drawings that `draw_digits` brings into MNIST's form."""
    forms = digit_forms()
    generator = np.random.default_rng(random_state)
    for k in range(n):
        label, strokes = forms[k % len(forms)]
        yield _drawn(label, strokes, generator)


def _drawn(label: int, strokes: list[Points], generator: np.random.Generator) -> DrawnDigit:
    pen = _HEIGHT * generator.uniform(*_WIDTHS)
    aspect = generator.uniform(*_ASPECTS.get(label, _ASPECT))
    angle = generator.normal(0.0, _TURN)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shape = np.array([[aspect, generator.normal(0.0, _SLANT)], [0.0, 1.0]]) @ turn
    curves = [
        (smooth_curve(_shaken(points, generator)) - 0.5) @ shape.T * _HEIGHT + SHEET / 2
        for points in strokes
    ]
    return DrawnDigit(label, curves, pen)


def _shaken(points: Points, generator: np.random.Generator) -> Points:
    """Each point a little off its place; the two of a corner together."""
    # As complex numbers, which are compared faster than rows.
    places, inverse = np.unique(points @ (1.0, 1.0j), return_inverse=True)
    return points + generator.normal(0.0, _SHAKE, (len(places), 2))[inverse]


def smooth_curve(points: Points, steps: int = _STEPS) -> Points:
    """Smooth curve through points (Catmull and Rom 1974), straight towards a corner."""
    t = np.linspace(0.0, 1.0, steps, endpoint=False)[:, None]
    hermite = np.hstack(
        [2 * t**3 - 3 * t**2 + 1, t**3 - 2 * t**2 + t, 3 * t**2 - 2 * t**3, t**3 - t**2]
    )
    begin, end = points[:-1], points[1:]
    before, after = np.vstack([points[:1], begin[:-1]]), np.vstack([end[1:], points[-1:]])
    straight = end - begin
    from_corner, to_corner = (before == begin).all(axis=1), (after == end).all(axis=1)
    leaving = np.where(from_corner[:, None], straight, (end - before) / 2.0)
    arriving = np.where(to_corner[:, None], straight, (after - begin) / 2.0)
    pieces = hermite @ np.stack([begin, leaving, end, arriving], axis=1)
    return np.vstack([pieces[straight.any(axis=1)].reshape(-1, 2), points[-1:]])
