"""Characters of alphabets that nobody has: a few pen strokes, joined as hands join them.

A stroke is a line, an arc or a ring, a hook, a zigzag or a wave, mostly upright or level; the next
one begins where it ends, or leaves it on the way, or crosses it, or stands beside it.  So Lake,
Salakhutdinov and Tenenbaum (2015, *Human-level concept learning through probabilistic program
induction*) describe the characters of fifty alphabets.  Few of these look like a digit, and how
few, a network learns too.
"""

import numpy as np

from mnist_net.arrays import Bytes
from mnist_net.datasets.drawn import Points
from scripts.detector.drawing import bezier, draw_with_some_pen, fit_lines

_NUMBERS = (0.4, 0.4, 0.2)  # of characters that have two strokes, three, four
_POINTS = 24  # of a stroke
_TILT = 0.2  # deviation from upright or level, in radians


def draw_character(random: np.random.Generator) -> Bytes:
    """A character on a canvas."""
    lines: list[Points] = []
    for _ in range(2 + int(random.choice(len(_NUMBERS), p=_NUMBERS))):
        stroke = _stroke(random)
        if lines:
            stroke = stroke + _joint(lines[random.integers(len(lines))], stroke, random)
        lines.append(stroke)
    matrix = np.array([[random.uniform(0.6, 1.2), 0.0], [random.uniform(-0.3, 0.2), 1.0]])
    return draw_with_some_pen(fit_lines([line @ matrix for line in lines]), random)


def _joint(before: Points, stroke: Points, random: np.random.Generator) -> Points:
    """Which way a stroke goes to where it meets another, or stands beside it."""
    on_the_way = before[random.integers(len(before))]
    choice = random.random()
    if choice < 0.3:
        return before[-1] - stroke[0]
    if choice < 0.65:
        return on_the_way - stroke[0]
    if choice < 0.85:
        return on_the_way - stroke[len(stroke) // 2]
    beside = random.uniform(0.2, 0.6, 2) * random.choice([-1.0, 1.0], 2)
    return before.mean(axis=0) + beside - stroke.mean(axis=0)


def _stroke(random: np.random.Generator) -> Points:
    """A stroke that begins at the origin, at most about one unit long."""
    t = np.linspace(0.0, 1.0, _POINTS)[:, None]
    choice = random.random()
    if choice < 0.35:
        line = np.hstack([t, random.normal(0.0, 0.1) * t * (1.0 - t)])
    elif choice < 0.65:  # from a slight bend to a ring
        angle = random.uniform(0.5, 6.3) * t
        line = np.hstack([np.sin(angle), 1.0 - np.cos(angle)]) / 2.0
    elif choice < 0.8:  # a hook: straight, and then bent
        bend = random.choice([-1.0, 1.0]) * random.uniform(0.15, 0.4)
        line = bezier(np.array([[0.0, 0.0], [0.4, 0.0], [1.0, 0.0], [1.0, bend], [0.6, bend]]))
    elif choice < 0.93:  # two or three lines with corners
        corners = np.cumsum(random.normal(0.0, 0.5, (int(random.integers(3, 5)), 2)), axis=0)
        line = corners - corners[0]
    else:
        waves = random.uniform(0.7, 1.8)
        line = np.hstack([t, 0.15 * np.sin(2.0 * np.pi * waves * t)])
    quarter = random.choice([0, 1, 1, 1, 2, 3, 0.5, 1.5])
    angle = np.pi / 2.0 * quarter + random.normal(0.0, _TILT)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.asarray(np.exp(random.uniform(-1.0, 0.0)) * line @ turn)
