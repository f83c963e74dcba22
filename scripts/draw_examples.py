"""Draw the pictures in examples/: ten digits with a thick pen, on papers of different kinds.

python scripts/draw_examples.py examples
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from mnist_net.files import atomic_write

# Strokes on a sheet of 100 × 100, each through these points, smoothly.
STROKES: dict[int, list[list[tuple[int, int]]]] = {
    0: [[(52, 18), (35, 26), (29, 50), (36, 76), (52, 84), (67, 74), (71, 48), (66, 26), (50, 18)]],
    1: [[(40, 32), (48, 26), (56, 16)], [(56, 16), (53, 50), (49, 84)]],
    2: [
        [(31, 35), (36, 21), (52, 15), (66, 25), (64, 42), (48, 62), (31, 81)],
        [(31, 81), (70, 80)],
    ],
    3: [
        [(33, 22), (50, 15), (65, 25), (62, 40), (46, 48)],
        [(46, 48), (65, 53), (69, 70), (54, 84), (33, 79)],
    ],
    4: [[(55, 16), (42, 38), (29, 60)], [(29, 60), (74, 57)], [(60, 38), (58, 60), (55, 86)]],
    5: [
        [(68, 18), (39, 20)],
        [(39, 20), (36, 44)],
        [(36, 44), (54, 42), (68, 55), (63, 76), (45, 84), (30, 77)],
    ],
    6: [[(64, 17), (45, 32), (34, 58), (39, 79), (54, 84), (66, 72), (60, 57), (46, 57), (36, 68)]],
    7: [[(30, 20), (70, 18)], [(70, 18), (56, 48), (44, 85)]],
    8: [
        [
            (64, 24), (50, 15), (37, 25), (43, 41), (58, 53), (66, 70), (51, 85), (35, 74),
            (41, 56), (58, 42), (65, 26),
        ]
    ],
    9: [
        [(65, 32), (53, 17), (38, 24), (36, 40), (48, 48), (62, 42), (66, 30)],
        [(66, 30), (63, 58), (58, 86)],
    ],
}  # fmt: skip

# Side in pixels, pen in hundredths of the side, ink, paper.
PAPERS = [
    (200, 7, (20, 20, 60), (250, 248, 240)),
    (64, 9, (0, 0, 0), (255, 255, 255)),
    (320, 5, (255, 255, 255), (30, 60, 50)),
    (28, 9, (255, 255, 255), (0, 0, 0)),
    (480, 8, (160, 20, 30), (255, 255, 255)),
]
OVERSAMPLING = 4


def smooth(points: list[tuple[int, int]]) -> list[tuple[float, float]]:
    """Catmull-Rom spline through the points."""
    p = np.array([points[0], *points, points[-1]], dtype=float)
    t = np.linspace(0.0, 1.0, 24)[:, None]
    pieces = [
        0.5
        * (
            2 * p[i + 1]
            + (p[i + 2] - p[i]) * t
            + (2 * p[i] - 5 * p[i + 1] + 4 * p[i + 2] - p[i + 3]) * t**2
            + (3 * p[i + 1] - p[i] - 3 * p[i + 2] + p[i + 3]) * t**3
        )
        for i in range(len(points) - 1)
    ]
    return [(float(x), float(y)) for x, y in np.concatenate(pieces)]


def draw(digit: int) -> Image.Image:
    """One digit; which paper and pen it gets depends on the digit."""
    side, pen, ink, paper = PAPERS[digit % len(PAPERS)]
    scale = side * OVERSAMPLING / 100.0
    image = Image.new("RGB", (side * OVERSAMPLING,) * 2, paper)
    canvas = ImageDraw.Draw(image)
    radius = pen * scale / 2.0
    for stroke in STROKES[digit]:
        for x, y in smooth(stroke):
            box = (x * scale - radius, y * scale - radius, x * scale + radius, y * scale + radius)
            canvas.ellipse(box, fill=ink)
    return image.resize((side, side), Image.Resampling.LANCZOS)


def main(folder: Path) -> None:
    for digit in STROKES:
        with atomic_write(folder / f"{digit}.png") as stream:
            draw(digit).save(stream, format="PNG")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "examples"))
