"""Rows of characters, boxes and grids, written on a plane: ink, and what is where.

The plane has no border: its corner may be anywhere, and paper and camera come later.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mnist_net.datasets.drawn import Points
from scripts.detector.glyphs import one_of
from scripts.pages.hands import INKED, SEPARATORS, Glyph, Hand, Ink, Random, draw_strokes, word

UNREAD = "?"  # what a page's text shows for a word
_ROOM = 1.6  # heights of a digit, that a frame is away from what it is around


class Style(NamedTuple):
    """How rows are laid out; lengths are in heights of a digit, each from the least to the most."""

    gap: tuple[float, float] = (0.1, 0.38)  # between the ink of neighbours
    wide: tuple[float, float] = (1.1, 1.9)  # where the text has a space
    pitch: tuple[float, float] = (1.55, 2.3)  # from row to row
    uneven: float = 0.05  # deviation of the height of a character
    rising: float = 0.0  # greatest slope of a row
    touching: float = 0.0  # share of the neighbours that touch
    around: str = ""  # what is drawn around digits: frame, boxes, circle or underline


@dataclass
class Mark:
    """A character: its text, where its ink is (N × 2, columns and rows), and what it is."""

    text: str
    points: npt.NDArray[np.float64] = field(repr=False)
    kind: str


@dataclass
class Written:
    """Ink on a plane, of which (0, 0) is `origin`; rows of marks; text; cells of a grid."""

    ink: Ink
    rows: list[list[Mark]]
    text: str
    cells: tuple[tuple[str, ...], ...] | None = None


class Plane:
    """Glyphs that are put together as they come, and how strong the ink of each is."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._placed: list[tuple[Glyph, int, int, float]] = []

    def put(self, glyph: Glyph, left: float, top: float, strength: float | None = None) -> Mark:
        """Put a glyph's beginning at a place; the mark has its ink, but neither text nor kind."""
        strength = self._random.uniform(0.85, 1.0) if strength is None else strength
        x, y = round(left) + glyph.left, round(top) + glyph.top
        self._placed.append((glyph, x, y, strength))
        rows, columns = np.nonzero(glyph.ink > INKED)
        return Mark("", np.stack([columns + x, rows + y], axis=1).astype(np.float64), "other")

    def stroke(
        self, points: Sequence[tuple[float, float]], width: float, tone: float = 1.0
    ) -> None:
        """A line through points, in pixels."""
        self.put(draw_strokes([np.array(points, np.float64)], width), 0, 0, tone)

    def ink(self, rows: list[list[Mark]]) -> Ink:
        """All ink, cropped with a little room; the marks are moved with it."""
        left, top = min(x for _, x, _, _ in self._placed), min(y for _, _, y, _ in self._placed)
        right = max(x + glyph.ink.shape[1] for glyph, x, _, _ in self._placed)
        bottom = max(y + glyph.ink.shape[0] for glyph, _, y, _ in self._placed)
        ink = np.zeros((bottom - top, right - left), np.float32)
        for glyph, x, y, strength in self._placed:
            part = ink[y - top :, x - left :][: glyph.ink.shape[0], : glyph.ink.shape[1]]
            np.maximum(part, np.float32(strength) * glyph.ink, out=part)
        for mark in (mark for row in rows for mark in row):
            mark.points -= (left, top)
        return ink


def kind_of(sign: str) -> str:
    """Whether a character is a digit, a separator, or something else."""
    return "digit" if sign.isdigit() else "separator" if sign in SEPARATORS else "other"


def write_rows(
    lines: Sequence[str], hand: Hand, height: float, style: Style, random: Random
) -> Written:
    """Write lines, each a row; a space is a wide gap, and what is no sign of ours is a word."""
    plane = Plane(random)
    marks, top = [], 0.0
    for line in lines:
        left = random.uniform(0.0, 1.2) * height if len(lines) > 1 else 0.0
        marks.append(_write_row(plane, line, hand, height, style, (left, top), random))
        top += random.uniform(*style.pitch) * height
    text = "\n".join(shown for line in lines if (shown := _shown(line)))
    return Written(plane.ink(marks), marks, text)


def _shown(line: str) -> str:
    """Text of a line: words are not read."""
    words = [UNREAD if any(map(str.isalpha, part)) else part for part in line.split(" ")]
    return " ".join(words) if any(map(str.isdigit, line)) else ""


def _write_row(
    plane: Plane,
    line: str,
    hand: Hand,
    height: float,
    style: Style,
    corner: tuple[float, float],
    random: Random,
) -> list[Mark]:
    left, top = corner
    slope = random.uniform(-style.rising, style.rising)
    marks: list[Mark] = []
    before: npt.NDArray[np.float64] | None = None  # the ink of the last character
    for part in line.split(" "):
        shift = random.uniform(*style.wide) * height if before is not None else 0.0
        for sign in _signs(part, hand, random):
            size = height * np.exp(random.normal(0.0, style.uneven))
            glyph = _glyph(sign, hand, size, random)
            y = top + height - size + random.normal(0.0, 0.5 * style.uneven) * height
            begin, _ = glyph.extent
            if before is None:
                x = left
            elif not shift and random.random() < style.touching and sign.isdigit():
                x = _touching(before, glyph, y)
            else:
                gap = shift or random.uniform(*style.gap) * height * (
                    0.5 if sign.isalpha() else 1.0
                )
                x = float(before[:, 0].max()) + gap - begin
            mark = plane.put(glyph, x, y + slope * (x - left))
            mark.text, mark.kind = sign, kind_of(sign[0])
            marks.append(mark)
            before, shift = mark.points, 0.0
    _draw_around(plane, marks, hand, height, style.around, random)
    return marks


def _signs(part: str, hand: Hand, random: Random) -> list[str]:
    """Characters of a part of a line; a word may stay whole, to be set in a font."""
    whole = len(part) > 1 and part.isalpha() and hand.half.fonts and random.random() < 0.4
    return [part] if whole else list(part)


def _glyph(sign: str, hand: Hand, size: float, random: Random) -> Glyph:
    """A character, or a word in one of the half's fonts, if it has any."""
    return (len(sign) > 1 and word(hand.half, sign, size, random)) or hand.write(sign[0], size)


def _touching(before: npt.NDArray[np.float64], glyph: Glyph, top: float) -> float:
    """Where a glyph begins whose ink just meets that of the character before."""
    rows, columns = np.nonzero(glyph.ink > INKED)
    ends: dict[int, float] = {}
    for x, y in before:
        ends[int(y)] = max(ends.get(int(y), -np.inf), x)
    places = [
        ends[y] - column - glyph.left
        for row, column in zip(rows, columns, strict=True)
        if (y := round(top) + glyph.top + int(row)) in ends
    ]
    return max(places) - 1.0 if places else float(before[:, 0].max()) - glyph.extent[0]


def _draw_around(
    plane: Plane, marks: list[Mark], hand: Hand, height: float, around: str, random: Random
) -> None:
    """Frames and lines in the ink's own colour, around the digits or below them."""
    if not around or not marks:
        return
    points = np.concatenate([mark.points for mark in marks])
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    room = random.uniform(0.25, _ROOM if around in ("frame", "circle") else 0.6) * height
    pen = max(1.0, hand.pen * height * random.uniform(0.5, 1.0))

    def shaken(*corners: tuple[float, float]) -> list[tuple[float, float]]:
        return [
            (x + random.normal(0, 0.02) * height, y + random.normal(0, 0.02) * height)
            for x, y in corners
        ]

    if around == "underline":
        # Beyond all digits, or shorter than they are together and lower, or it would be a foot.
        whole, short = right - left, random.random() < 0.5
        half = (whole * random.uniform(0.5, 1.0) if short else whole + room) / 2
        bottom += 0.1 * height if short else 0.0
        x = (left + right) / 2 + random.normal(0.0, 0.1) * height
        rise, bend = random.normal(0.0, 0.06) * half, random.normal(0.0, 0.05) * height
        for row in range(one_of((1, 1, 2), random)):
            y = bottom + (0.12 + 0.15 * row + random.uniform(0.0, 0.3)) * height
            plane.stroke(shaken((x - half, y + rise), (x, y + bend), (x + half, y - rise)), pen)
        return
    if around == "circle":
        plane.put(draw_strokes([_loop(left, top, right, bottom, room, random)], pen), 0, 0, 1.0)
        return
    left, top, right, bottom = left - room, top - room, right + room, bottom + room
    corners = shaken((left, top), (right, top), (right, bottom), (left, bottom))
    plane.stroke([*corners, corners[0]], pen)
    if around == "boxes":
        for one, other in pairwise(marks):
            x = (one.points[:, 0].max() + other.points[:, 0].min()) / 2
            plane.stroke([(x, top), (x, bottom)], pen)


def _loop(
    left: float, top: float, right: float, bottom: float, room: float, random: Random
) -> Points:
    """An ellipse by hand around a box: its ends do not quite meet."""
    begin = random.uniform(0.0, 6.28)
    angle = np.linspace(begin, begin + random.uniform(6.0, 6.7), 80)
    wobble = 1.0 + 0.03 * np.sin(2 * angle + begin)
    a, b = 0.7 * (right - left) + room / 2, 0.7 * (bottom - top) + room / 2
    x, y = (
        (left + right) / 2 + a * wobble * np.cos(angle),
        (top + bottom) / 2 + b * wobble * np.sin(angle),
    )
    return np.stack([x, y], axis=1)


def write_grid(
    cells: Sequence[Sequence[str]], hand: Hand, height: float, random: Random, *, thick: int = 0
) -> Written:
    """Write a grid of lines with what is in its cells, '' for a blank; words are not read.

    Every `thick`-th line is thicker, as in a sudoku; 0 for none.
    """
    plane, marks = Plane(random), []
    widest = max(max(map(len, row)) for row in cells)
    cell_height = random.uniform(1.5, 2.1) * height
    cell_width = cell_height * max(1.0, 0.3 + 0.55 * widest) if widest > 1 else cell_height
    n_rows, n_columns = len(cells), len(cells[0])
    pen = max(1.0, height * random.uniform(0.02, 0.06))
    tone = random.uniform(0.5, 1.0)
    for k in range(n_rows + 1):
        width = pen * (2.0 if thick and k % thick == 0 else 1.0)
        plane.stroke(
            [(0.0, k * cell_height), (n_columns * cell_width, k * cell_height)], width, tone
        )
    for k in range(n_columns + 1):
        width = pen * (2.0 if thick and k % thick == 0 else 1.0)
        plane.stroke([(k * cell_width, 0.0), (k * cell_width, n_rows * cell_height)], width, tone)
    for r, row in enumerate(cells):
        written: list[Mark] = []
        for c, text in enumerate(row):
            x = c * cell_width + cell_width / 2
            signs = _signs(text, hand, random)
            glyphs = [
                _glyph(sign, hand, height * np.exp(random.normal(0.0, 0.05)), random)
                for sign in signs
            ]
            widths = [end - begin for begin, end in (glyph.extent for glyph in glyphs)]
            gap = 0.15 * height
            x -= (sum(widths) + gap * (len(signs) - 1)) / 2 + random.normal(0.0, 0.06) * height
            for sign, glyph, width in zip(signs, glyphs, widths, strict=True):
                y = r * cell_height + (cell_height - height) / 2 + random.normal(0.0, 0.06) * height
                mark = plane.put(glyph, x - glyph.extent[0], y)
                mark.text, mark.kind = sign, kind_of(sign[0])
                written.append(mark)
                x += width + gap
        marks.append(written)
    shown = tuple(tuple("" if text.isalpha() else text for text in row) for row in cells)
    lines = [" ".join(text for text in row if text) for row in shown]
    text = "\n".join(line for line in lines if line)
    return Written(plane.ink(marks), marks, text, shown)
