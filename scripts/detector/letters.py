"""Letters as hands write them, stroke by stroke: fonts have most of them in other forms.

letters.txt has a form a line: a few strokes between bars, and each stroke the control points of a
smooth curve, x and y from 0 to 100; a point given twice is a corner.
"""

from pathlib import Path

import numpy as np

from mnist_net.arrays import Bytes
from scripts.detector.drawing import Points, bezier, draw_lines, fit_lines

_LETTERS: list[list[Points]] = [
    [
        np.array([point.split(",") for point in stroke.split()], np.float64) / 100.0
        for stroke in form.split(":")[1].split("|")
    ]
    for form in Path(__file__).with_name("letters.txt").read_text(encoding="utf-8").splitlines()
]


def draw_letter(random: np.random.Generator) -> Bytes:
    """A letter with its points shaken, narrowed, slanted, on a canvas."""
    strokes = _LETTERS[random.integers(len(_LETTERS))]
    shake = random.uniform(0.01, 0.05)
    lines = []
    for stroke in strokes:
        moves = random.normal(0.0, shake, stroke.shape)
        same = (np.diff(stroke, axis=0) == 0.0).all(axis=1)
        moves[1:][same] = moves[:-1][same]  # a corner stays one
        lines.append(bezier(stroke + moves + random.normal(0.0, 0.015, 2)))
    matrix = np.array([[random.uniform(0.55, 1.1), 0.0], [random.uniform(-0.4, 0.2), 1.0]])
    return draw_lines(fit_lines([line @ matrix for line in lines]), random.uniform(2.0, 6.0))
