"""Letters as hands write them, stroke by stroke: fonts have most of them in other forms.

letters.txt is written as the forms of `mnist_net.datasets.drawn` are, but the points of a stroke
are the control points of a smooth curve.
"""

from pathlib import Path

import numpy as np

from mnist_net.arrays import Bytes
from mnist_net.datasets.drawn import strokes_of
from scripts.detector.drawing import bezier, draw_with_some_pen, fit_lines

_FORMS = Path(__file__).with_name("letters.txt").read_text(encoding="utf-8").splitlines()
_LETTERS = [strokes_of(form.split(":")[1]) for form in _FORMS]


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
    return draw_with_some_pen(fit_lines([line @ matrix for line in lines]), random)
