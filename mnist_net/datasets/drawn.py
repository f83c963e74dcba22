"""Digits drawn stroke by stroke, in the forms that MNIST hardly has.

MNIST's writers were Americans around 1990.  Elsewhere a 1 has a flag and a foot, a 7 a bar, a 4 an
open top; and what is drawn with a mouse is squarer than what a pen writes.  Each form here is a few
strokes; a drawing takes one at random, shakes its points, slants, narrows and turns it, and draws
it with a thin pen or a thick brush.  A network that has seen some of these among MNIST's reads
other people's digits far better, and MNIST's as well as before.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from mnist_net.arrays import IMAGE_SHAPE, Bytes
from mnist_net.pictures.form import fitted

Points = npt.NDArray[np.float64]

_SIDE = 240  # pixels of the sheet that a digit is drawn on
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
    return [(int(digit), [_points(stroke) for stroke in form.split("|")]) for digit, form in parts]


def _points(stroke: str) -> Points:
    return np.array([point.split(",") for point in stroke.split()], np.float64) / 100.0


def draw_digits(n: int, random_state: int = 0) -> tuple[Bytes, npt.NDArray[np.int64]]:
    """Draw digits, each form in turn; the same seed gives the same drawings.

    Returns images, uint8, n × 28 × 28 in MNIST's form, and labels, int64, n.
    """
    forms = digit_forms()
    images, labels = np.zeros((n, *IMAGE_SHAPE), np.uint8), np.zeros(n, np.int64)
    generator = np.random.default_rng(random_state)
    for k in range(n):
        labels[k], strokes = forms[k % len(forms)]
        images[k] = fitted(_draw(strokes, _ASPECTS.get(int(labels[k]), _ASPECT), generator))
    return images, labels


def _draw(
    strokes: list[Points], aspects: tuple[float, float], generator: np.random.Generator
) -> Bytes:
    """A digit in bright ink on a black sheet."""
    pen = _HEIGHT * generator.uniform(*_WIDTHS)
    aspect = generator.uniform(*aspects)
    angle = generator.normal(0.0, _TURN)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shape = np.array([[aspect, generator.normal(0.0, _SLANT)], [0.0, 1.0]]) @ turn
    sheet = Image.new("L", (_SIDE, _SIDE))
    draw = ImageDraw.Draw(sheet)
    for points in strokes:
        curve = (smooth_curve(_shaken(points, generator)) - 0.5) @ shape.T * _HEIGHT + _SIDE / 2
        path = [(float(x), float(y)) for x, y in curve]
        draw.line(path, fill=255, width=max(1, round(pen)), joint="curve")
        for x, y in (path[0], path[-1]):
            draw.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), fill=255)
    return np.asarray(sheet)


def _shaken(points: Points, generator: np.random.Generator) -> Points:
    """Each point a little off its place; the two of a corner together."""
    _, inverse = np.unique(points, axis=0, return_inverse=True)
    shakes = generator.normal(0.0, _SHAKE, (int(inverse.max()) + 1, 2))
    return points + shakes[inverse.ravel()]


def smooth_curve(points: Points, steps: int = 12) -> Points:
    """Smooth curve through points (Catmull and Rom 1974), straight towards a corner."""
    around = np.concatenate([points[:1], points, points[-1:]])
    t = np.linspace(0.0, 1.0, steps, endpoint=False)[:, None]
    pieces = []
    for before, begin, end, after in zip(around, around[1:], around[2:], around[3:], strict=False):
        if np.array_equal(begin, end):
            continue
        leaving = end - begin if np.array_equal(before, begin) else (end - before) / 2.0
        arriving = end - begin if np.array_equal(end, after) else (after - begin) / 2.0
        pieces.append(
            (2 * t**3 - 3 * t**2 + 1) * begin
            + (t**3 - 2 * t**2 + t) * leaving
            + (3 * t**2 - 2 * t**3) * end
            + (t**3 - t**2) * arriving
        )
    return np.concatenate([*pieces, points[-1:]])
