"""Draw the pictures in examples/: ten digits on papers of different kinds, and a page of digits.

    python -m scripts.docs examples

They are made in a second, and are always the same.
"""

from pathlib import Path

import click
import numpy as np
from PIL import Image, ImageDraw
from scipy.interpolate import CubicHermiteSpline

from mnist_net.files import atomic_write
from scripts import options

_FORMS = """
0: 52,18 35,26 29,50 36,76 52,84 67,74 71,48 66,26 50,18
1: 40,32 48,26 56,16 | 56,16 53,50 49,84
2: 31,35 36,21 52,15 66,25 64,42 48,62 31,81 | 31,81 70,80
3: 33,22 50,15 65,25 62,40 46,48 | 46,48 65,53 69,70 54,84 33,79
4: 55,16 42,38 29,60 | 29,60 74,57 | 60,38 58,60 55,86
5: 68,18 39,20 | 39,20 36,44 | 36,44 54,42 68,55 63,76 45,84 30,77
6: 64,17 45,32 34,58 39,79 54,84 66,72 60,57 46,57 36,68
7: 30,20 70,18 | 70,18 56,48 44,85
8: 64,24 50,15 37,25 43,41 58,53 66,70 51,85 35,74 41,56 58,42 65,26
9: 65,32 53,17 38,24 36,40 48,48 62,42 66,30 | 66,30 63,58 58,86
"""
STROKES = {
    int(digit): [
        [(int(x), int(y)) for x, y in (point.split(",") for point in stroke.split())]
        for stroke in form.split("|")
    ]
    for digit, form in (line.split(":") for line in _FORMS.strip().splitlines())
}
"""Strokes on a sheet of 100 × 100, each through these points, smoothly.  They are not the forms of
`mnist_net.datasets.drawn`, for the network that ships learned those: what it reads in examples/
should be new to it."""

# Side in pixels, pen in hundredths of the side, ink, paper.
PAPERS = [
    (200, 7, (20, 20, 60), (250, 248, 240)),
    (64, 9, (0, 0, 0), (255, 255, 255)),
    (320, 5, (255, 255, 255), (30, 60, 50)),
    (28, 9, (255, 255, 255), (0, 0, 0)),
    (480, 8, (160, 20, 30), (255, 255, 255)),
]
OVERSAMPLING = 4
PAGE = ("2718281828", "31415926", "1618")  # rows of digits on ruled paper
PITCH = (62, 120)  # pixels from digit to digit and from row to row


def smooth(points: list[tuple[int, int]]) -> list[tuple[float, float]]:
    """Catmull-Rom spline through the points."""
    p = np.array([points[0], *points, points[-1]], dtype=float)
    spline = CubicHermiteSpline(range(len(points)), p[1:-1], (p[2:] - p[:-2]) / 2.0)
    times = [k + np.linspace(0.0, 1.0, 24) for k in range(len(points) - 1)]
    return [(float(x), float(y)) for x, y in spline(np.concatenate(times))]


def draw(digit: int) -> Image.Image:
    """One digit; which paper and pen it gets depends on the digit."""
    side, pen, ink, paper = PAPERS[digit % len(PAPERS)]
    scale = side * OVERSAMPLING / 100.0
    image = Image.new("RGB", (side * OVERSAMPLING,) * 2, paper)
    canvas = ImageDraw.Draw(image)
    for stroke in STROKES[digit]:
        for x, y in smooth(stroke):
            canvas.circle((x * scale, y * scale), pen * scale / 2.0, fill=ink)
    return image.resize((side, side), Image.Resampling.LANCZOS)


def draw_page() -> Image.Image:
    """Rows of digits, no two alike, on ruled paper in the light of a lamp on the left."""
    random = np.random.default_rng(0)
    width, height = PITCH[0] * (max(map(len, PAGE)) + 2), PITCH[1] * (len(PAGE) + 1)
    large = Image.new("L", (width * OVERSAMPLING, height * OVERSAMPLING), 0)
    canvas = ImageDraw.Draw(large)
    for row, digits in enumerate(PAGE):
        for column, digit in enumerate(digits):
            middle = np.array([(column + 1.5) * PITCH[0], (row + 1.0) * PITCH[1]])
            middle += random.uniform(-5.0, 5.0, 2)
            size, slant = random.uniform(0.7, 0.9), random.uniform(-0.1, 0.25)
            shape = size * np.array([[1.0, 0.0], [-slant, 1.0]])
            radius = 2.2 * OVERSAMPLING
            for stroke in STROKES[int(digit)]:
                for x, y in (np.array(smooth(stroke)) - 50.0) @ shape + middle:
                    canvas.circle((x * OVERSAMPLING, y * OVERSAMPLING), radius, fill=255)
    ink = np.asarray(large.resize((width, height), Image.Resampling.LANCZOS), float) / 255.0
    light = np.linspace(240.0, 150.0, width)[None, :, None] * np.array([1.0, 0.98, 0.92])
    paper = light * np.ones((height, 1, 1)) + random.normal(0.0, 2.0, (height, width, 1))
    paper[PITCH[1] // 2 :: PITCH[1] // 2] *= np.array([0.85, 0.9, 1.0])  # the rules
    page = paper * (1.0 - ink[..., None] * (1.0 - np.array([0.2, 0.25, 0.5])))
    return Image.fromarray(np.clip(page, 0, 255).astype(np.uint8))


@click.command(help=options.paragraphs(__doc__))
@options.file("--folder", "examples")
def main(folder: Path) -> None:
    for digit in STROKES:
        with atomic_write(folder / f"{digit}.png") as stream:
            draw(digit).save(stream, format="PNG")
    with atomic_write(folder / "page" / "page.jpg") as stream:
        draw_page().save(stream, format="JPEG", quality=85)
