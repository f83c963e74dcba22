"""Letters and digits as hands write them, stroke by stroke: fonts have most in other forms.

letters.txt, and digits.txt for the forms of a digit that Americans hardly use, are written as the
forms of `mnist_net.datasets.drawn` are, but the points of a stroke are the control points of a
smooth curve.
"""

from functools import cache
from pathlib import Path

import numpy as np

from mnist_net.arrays import Bytes
from mnist_net.datasets.drawn import Points, strokes_of
from scripts.detector.drawing import bezier, draw_with_some_pen, fit_lines

LETTERS, DIGITS = "letters", "digits"
_HOOKED = 0.08  # of strokes


def draw_letter(random: np.random.Generator) -> Bytes:
    """A letter, Latin or Greek, on a canvas; each form is as likely."""
    return _drawn([form for some in forms_of(LETTERS).values() for form in some], random)


def draw_digit(digit: int, random: np.random.Generator) -> Bytes:
    """A digit in a form of other hands than Americans', on a canvas."""
    return _drawn(forms_of(DIGITS)[str(digit)], random)


def _drawn(forms: list[list[Points]], random: np.random.Generator) -> Bytes:
    """One of the forms with its points shaken, narrowed, slanted."""
    strokes = forms[random.integers(len(forms))]
    shake = random.uniform(0.01, 0.05)
    lines = []
    for stroke in strokes:
        moves = random.normal(0.0, shake, stroke.shape)
        same = (np.diff(stroke, axis=0) == 0.0).all(axis=1)
        moves[1:][same] = moves[:-1][same]  # a corner stays one
        moved = stroke + moves + random.normal(0.0, 0.015, 2)
        lines.append(bezier(_with_hook(moved, random) if random.random() < _HOOKED else moved))
    matrix = np.array([[random.uniform(0.55, 1.2), 0.0], [random.uniform(-0.5, 0.2), 1.0]])
    return draw_with_some_pen(fit_lines([line @ matrix for line in lines]), random)


def _with_hook(stroke: Points, random: np.random.Generator) -> Points:
    """A stroke whose last end is bent to either side, as a hurried pen leaves the paper."""
    along = stroke[-1] - stroke[-2]
    angle = random.choice([-1.0, 1.0]) * random.uniform(0.8, 2.4)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    direction = along @ turn / max(float(np.hypot(*along)), 1e-6)
    return np.vstack([stroke, stroke[-1:], stroke[-1] + random.uniform(0.08, 0.2) * direction])


@cache
def forms_of(name: str) -> dict[str, list[list[Points]]]:
    """All forms of each sign in a file: their strokes, points × 2 in shares of the sign's box."""
    forms: dict[str, list[list[Points]]] = {}
    path = Path(__file__).with_name(f"{name}.txt")
    for line in path.read_text(encoding="utf-8").splitlines():
        sign, form = line.split(":")
        forms.setdefault(sign, []).append(strokes_of(form))
    return forms
