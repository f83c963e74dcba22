"""Digits drawn stroke by stroke, in the forms that MNIST hardly has.

MNIST's writers were Americans around 1990.  Elsewhere a 1 has a flag and a foot, a 7 a bar, a 4 an
open top; and what is drawn with a mouse is squarer than what a pen writes.  Each form here is a few
strokes; a drawing takes one at random, shakes its points, slants, narrows and turns it, and draws
it with a thin pen or a thick brush.  A network that has seen some of these among MNIST's reads
other people's digits far better, and MNIST's as well as before.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from mnist_net.arrays import IMAGE_SHAPE, Bytes
from mnist_net.pictures.form import fitted

Points = npt.NDArray[np.float64]

_FORMS = {
    0: """
        50,0 15,20 5,55 25,95 50,100 80,90 95,50 80,12 50,0
        60,5 30,5 5,40 10,80 45,100 85,80 95,40 75,8 45,2
        45,3 12,25 8,70 40,99 80,85 92,40 70,6 40,0
    """,
    1: """
        50,0 50,0 50,100
        5,32 5,32 55,0 55,0 55,100
        20,22 20,22 55,0 55,0 52,100
        25,25 25,25 50,0 50,0 50,100 50,100 | 15,100 15,100 85,100
        10,35 10,35 60,0 60,0 58,100 | 20,100 20,100 92,98
        30,15 30,15 50,0 50,0 50,100 | 25,100 25,100 75,100
        0,45 0,45 70,0 70,0 55,100
        8,38 35,22 60,0 60,0 55,100
        12,35 40,18 62,2 60,30 52,100
        15,28 15,28 62,0 62,0 50,100
        5,42 30,30 58,2 58,2 62,55 58,100
        8,38 30,20 60,4 72,12 66,50 60,100
        5,40 25,22 55,3 70,8 68,40 62,100
        15,36 40,14 70,4 70,4 62,60 60,100
        10,30 45,6 70,4 74,30 62,100
        60,0 60,0 35,100
    """,
    2: """
        8,25 25,3 60,0 85,20 75,45 40,75 5,100 5,100 50,100 95,98
        10,20 40,0 80,8 88,30 60,60 8,98 8,98 95,100
        10,28 30,2 70,2 82,28 55,65 15,95 8,80 25,72 60,90 95,95
        5,5 5,5 85,5 85,5 60,50 5,98 5,98 95,98
        30,45 18,22 50,2 85,20 60,60 10,98 10,98 95,98
    """,
    3: """
        8,12 40,0 80,8 82,32 45,47 45,47 85,58 92,82 55,100 8,90
        8,3 8,3 88,3 88,3 45,40 45,40 85,52 92,80 55,100 5,90
        10,15 45,0 85,15 75,40 35,48 80,55 95,78 60,100 5,88
    """,
    4: """
        25,0 25,0 5,60 5,60 95,60 | 72,20 72,20 70,100
        65,0 65,0 5,65 5,65 95,65 | 65,0 65,0 65,100
        10,0 8,40 20,52 75,48 | 80,0 80,0 75,100
        70,100 70,100 70,0 70,0 5,50 5,50 80,50
        40,0 40,0 5,70 5,70 95,68 | 60,35 60,35 55,100
        65,100 65,100 65,0 65,0 10,40 10,40 65,38
        45,0 45,0 8,70 8,70 95,68 | 72,45 72,45 66,100
        50,0 10,45 15,72 50,75 90,65 | 75,50 75,50 68,100
    """,
    5: """
        88,2 88,2 22,2 22,2 15,45 15,45 55,36 92,62 75,95 35,100 5,88
        20,0 20,0 15,42 15,42 60,38 90,65 65,98 8,92 | 20,0 20,0 92,3
        90,0 90,0 15,0 15,0 10,48 10,48 90,48 90,48 90,98 90,98 5,98
        85,5 85,5 30,2 30,2 20,40 20,40 65,40 85,70 55,100 8,95
        30,25 15,50 60,45 88,70 55,100 8,92 | 28,8 28,8 92,2
    """,
    6: """
        75,0 35,25 8,65 25,97 65,98 90,78 70,55 30,58 10,75
        85,8 50,0 12,30 6,75 35,100 80,92 88,65 55,52 12,68
        55,0 25,40 8,75 30,100 75,97 85,70 50,55 15,72
        20,0 20,0 10,60 15,95 60,100 88,80 70,55 12,62
        80,5 80,5 15,5 15,5 15,95 15,95 85,95 85,95 85,50 85,50 15,50
    """,
    7: """
        5,3 5,3 92,3 92,3 40,100
        5,3 5,3 90,3 90,3 45,100 | 20,50 20,50 85,48
        8,20 8,20 10,3 10,3 92,3 92,3 50,100
        5,8 40,2 90,5 90,5 65,45 50,100
        5,3 5,3 88,3 88,3 80,100
        8,18 8,18 8,3 8,3 90,3 90,3 40,100 | 20,52 20,52 80,50
    """,
    8: """
        80,15 50,0 18,18 50,45 85,75 50,100 12,78 45,48 82,18 75,8
        50,48 18,28 48,0 82,22 50,48 10,75 50,100 90,75 50,48
        85,12 50,2 20,20 40,42 80,65 75,95 35,98 12,75 45,50 85,22 85,12
    """,
    9: """
        85,20 50,0 12,20 20,48 60,50 85,20 85,20 80,60 70,100
        85,25 60,0 15,12 12,45 55,52 86,22 86,22 85,75 50,100 12,92
        80,5 35,0 8,28 35,50 78,35 82,5 82,5 80,100
        88,5 88,5 20,5 20,5 15,45 15,45 88,45 | 88,5 88,5 85,100
        85,22 45,0 10,25 35,50 80,30 90,10 70,60 40,100
        80,12 45,0 12,22 40,45 80,25 85,60 70,97 5,98
    """,
}
"""Each line a form, its strokes parted by bars: points (x, y) in hundredths of the digit's box.  A
point that is given twice is a corner; through the others the stroke is smooth."""

_SIDE = 240  # pixels of the sheet that a digit is drawn on
_HEIGHT = 100  # of the digit itself
_SHAKE = 0.035  # of the height, deviation of a point
_WIDTHS = (0.028, 0.128)  # of the height, thinnest pen and thickest brush
_ASPECTS = {1: (0.3, 0.8)}  # width to height, least and most ...
_ASPECT = (0.45, 0.95)  # ... of the other digits
_TURN, _SLANT = 0.12, 0.18  # deviations, in radians and in columns a row


def draw_digits(n: int, random_state: int = 0) -> tuple[Bytes, npt.NDArray[np.int64]]:
    """Draw digits, each form in turn; the same seed gives the same drawings.

    Returns images, uint8, n × 28 × 28 in MNIST's form, and labels, int64, n.
    """
    forms = [(digit, form) for digit, text in _FORMS.items() for form in _parsed(text)]
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
        curve = (_curve(_shaken(points, generator)) - 0.5) @ shape.T * _HEIGHT + _SIDE / 2
        path = [(float(x), float(y)) for x, y in curve]
        draw.line(path, fill=255, width=max(1, round(pen)), joint="curve")
        for x, y in (path[0], path[-1]):
            draw.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), fill=255)
    return np.asarray(sheet)


def _parsed(forms: str) -> list[list[Points]]:
    return [
        [
            np.array([point.split(",") for point in stroke.split()], np.float64) / 100.0
            for stroke in form.split("|")
        ]
        for form in forms.strip().splitlines()
    ]


def _shaken(points: Points, generator: np.random.Generator) -> Points:
    """Each point a little off its place; the two of a corner together."""
    _, inverse = np.unique(points, axis=0, return_inverse=True)
    shakes = generator.normal(0.0, _SHAKE, (int(inverse.max()) + 1, 2))
    return points + shakes[inverse.ravel()]


def _curve(points: Points, steps: int = 12) -> Points:
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
