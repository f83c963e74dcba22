"""One page: what is written, seen by a camera or on a screen, and the truth about it."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from mnist_net.arrays import Bytes
from scripts.detector.glyphs import one_of
from scripts.pages.hands import Hand, Random
from scripts.pages.kinds import KINDS, Kind, height_of
from scripts.pages.papers import (
    LIGHTS,
    PAPERS,
    Field,
    Range,
    photographed,
    smooth_noise,
)
from scripts.pages.sources import Half
from scripts.pages.surfaces import beside_paper, texture
from scripts.pages.writing import Mark, Written, write_grid, write_rows

Matrix = npt.NDArray[np.float64]

_MOST = 2_000  # pixels on a side
_MARGINS = (-1.4, 1.25)  # logarithm of heights of a digit, on each side
_BLACK = 0.25  # of the strongest ink, so that no line between two rows of pixels vanishes
_SCREEN_PENS = (0.02, 0.12)  # heights of a digit: from a pencil of a drawing program to a brush


class Item(NamedTuple):
    """A character of a page.

    Attributes
    ----------
    box
        Left, top, right and bottom in pixels; right and bottom are just beyond.
    kind
        `digit`, `separator` or `other`.
    """

    text: str
    box: tuple[int, int, int, int]
    kind: str


class Truth(NamedTuple):
    """What is on a page.

    Attributes
    ----------
    rows
        From the top, each from the left.
    text
        Rows on lines, a space where a gap is wide, `?` for a word; empty if there is no digit.
    cells
        Of a grid, '' for a blank.
    """

    rows: tuple[tuple[Item, ...], ...]
    text: str
    cells: tuple[tuple[str, ...], ...] | None = None

    @property
    def digits(self) -> list[Item]:
        """All digits, in order."""
        return [item for row in self.rows for item in row if item.kind == "digit"]


@dataclass(frozen=True)
class Page:
    """A picture, uint8, rows × columns, and the truth about it."""

    pixels: Bytes
    truth: Truth


def draw_page(half: Half, kind: str, seed: int) -> Page:
    """Draw a page; the same half, kind and seed give the same page."""
    spec, random = KINDS[kind], half.random(kind, seed)
    surface = spec.surface
    if surface == "any":
        surface = str(random.choice(["photo", "screen", "board"], p=[0.6, 0.3, 0.1]))
    written, height = _written(half, spec, surface, random)
    if surface == "screen":
        return _shown(written, spec, height, random)
    side = int(random.integers(4)) if spec.edge else -1
    beside = random.uniform(1.0, 3.0) * height if spec.edge else 0.0
    matrix, shape = _looked_at(written, spec, height, (side, beside), random)
    ink, u, v = _seen(written, matrix, shape)
    paper = str(one_of([name for name in spec.papers if name in PAPERS[half.name]], random))
    light = str(one_of([name for name in spec.lights if name in LIGHTS[half.name]], random))
    sheet = PAPERS[half.name][paper](u, v, height, random)
    if surface == "texture":
        sheet = texture(half.name, shape, height, random)
    level = _inked(sheet, ink, surface, spec.tone, random)
    if side >= 0:
        level = beside_paper(level, half.name, side, beside, random)
    level = level * LIGHTS[half.name][light](shape, height, random)
    pixels = photographed(level, height, random, spec.rough)
    if spec.shrunk:
        pixels, matrix = _shrunk(pixels, matrix, spec.shrunk, random)
    return Page(pixels, _truth(written, matrix, (pixels.shape[0], pixels.shape[1])))


def _written(half: Half, kind: Kind, surface: str, random: Random) -> tuple[Written, float]:
    lines = kind.text(random)
    height = height_of(kind, lines, random)
    screen = surface == "screen"
    hand = Hand(half, random, _SCREEN_PENS if screen else None, strokes=screen)
    if not lines:
        size = random.uniform(200, 1_000, 2).astype(int)
        return Written(np.zeros(tuple(size), np.float32), [], ""), height
    if isinstance(lines[0], list):
        cells = [list(row) for row in lines]
        return write_grid(cells, hand, height, random, thick=kind.thick), height
    rows = [str(line) for line in lines]
    return write_rows(rows, hand, height, kind.style, random), height


def _shown(written: Written, kind: Kind, height: float, random: Random) -> Page:
    """A page on a screen: moved by whole pixels, and perhaps shrunk, as for a network's input."""
    margins = (0.02, 0.25) if kind.shrunk else (0.12, 1.2)
    left, top, right, bottom = np.round(random.uniform(*margins, 4) * height).astype(int)
    pixels = _on_screen(np.pad(written.ink, ((top, bottom), (left, right))), random)
    matrix = np.array([[1.0, 0.0, left], [0.0, 1.0, top], [0.0, 0.0, 1.0]])
    if kind.shrunk:
        pixels, matrix = _shrunk(pixels, matrix, kind.shrunk, random, squeezed=0.5)
    return Page(pixels, _truth(written, matrix, (pixels.shape[0], pixels.shape[1])))


def _shrunk(
    pixels: Bytes, matrix: Matrix, longer: Range, random: Random, *, squeezed: float = 0.0
) -> tuple[Bytes, Matrix]:
    """A picture whose longer side has so many pixels, some squeezed into a square; its plane."""
    most = random.uniform(*longer)
    sides = np.array(pixels.shape) * most / max(pixels.shape)
    if random.random() < squeezed:
        sides[:] = most
    tall, wide = (max(20, round(side)) for side in sides)
    matrix = np.diag([wide / pixels.shape[1], tall / pixels.shape[0], 1.0]) @ matrix
    return np.asarray(Image.fromarray(pixels).resize((wide, tall), Image.Resampling.BOX)), matrix


def _looked_at(
    written: Written, kind: Kind, height: float, beside: tuple[int, float], random: Random
) -> tuple[Matrix, tuple[int, int]]:
    """From the plane of the paper to the picture, and the picture's rows and columns."""
    rows, columns = written.ink.shape
    degrees = random.uniform(*kind.turn) * random.choice([-1.0, 1.0])
    if kind.quarter_turns:
        degrees += 90.0 * random.integers(1, 4)
    angle, size = np.radians(degrees), float(max(rows, columns))
    cos, sin = np.cos(angle), np.sin(angle)
    a, b = kind.tilt * random.uniform(-0.6, 0.6, 2) / size
    # Drawn only where it is wanted, so that pages of the other kinds are as they were.
    lean = -random.uniform(*kind.slant) if any(kind.slant) else 0.0
    middle = np.array([[1.0, lean, -columns / 2], [0.0, 1.0, -rows / 2], [0.0, 0.0, 1.0]])
    turned = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    tilted = np.array(
        [[1.0, 0.0, 0.0], [0.0, 1.0 - 0.3 * kind.tilt * random.random(), 0.0], [a, b, 1.0]]
    )
    matrix = tilted @ turned @ middle
    corners = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float64)
    low, high = (f(moved(corners, matrix), axis=0) for f in (np.min, np.max))
    margins = np.exp(random.uniform(*_MARGINS, 4)) * (height if written.rows else 0.0)
    if beside[0] >= 0:
        margins[beside[0]] += beside[1]
    low, high = low - margins[:2], high + margins[2:]
    factor = min(1.0, _MOST / float((high - low).max()))
    placed = np.diag([factor, factor, 1.0]) @ np.array(
        [[1.0, 0.0, -low[0]], [0.0, 1.0, -low[1]], [0.0, 0.0, 1.0]]
    )
    width, tall = (int(np.ceil(side)) for side in factor * (high - low))
    return placed @ matrix, (tall, width)


def moved(points: npt.NDArray[np.float64], matrix: Matrix) -> npt.NDArray[np.float64]:
    """Points, N × 2, by a projective transformation."""
    x, y, w = matrix @ np.column_stack([points, np.ones(len(points))]).T
    return np.stack([x / w, y / w], axis=1)


def _seen(written: Written, matrix: Matrix, shape: tuple[int, int]) -> tuple[Field, Field, Field]:
    """Ink at each pixel of the picture, and the column and row of the plane that lie there."""
    back = np.linalg.inv(matrix).astype(np.float32)
    y, x = np.indices(shape, dtype=np.float32)
    w = back[2, 0] * x + back[2, 1] * y + back[2, 2]
    u = (back[0, 0] * x + back[0, 1] * y + back[0, 2]) / w
    v = (back[1, 0] * x + back[1, 1] * y + back[1, 2]) / w
    return ndimage.map_coordinates(written.ink, [v, u], order=1, cval=0.0), u, v


def _truth(written: Written, matrix: Matrix, shape: tuple[int, int]) -> Truth:
    def item(mark: Mark) -> Item:
        points = moved(mark.points, matrix)
        low = np.floor(points.min(axis=0)).astype(int)
        high = np.ceil(points.max(axis=0)).astype(int) + 1
        left, top = np.maximum(low, 0)
        right, bottom = np.minimum(high, shape[::-1])
        return Item(mark.text, (int(left), int(top), int(right), int(bottom)), mark.kind)

    rows = tuple(tuple(item(mark) for mark in row) for row in written.rows)
    return Truth(rows, written.text, written.cells)


def _on_screen(ink: Field, random: Random) -> Bytes:
    """Flat paper, flat ink; sometimes light on dark."""
    paper, pen = 255.0, random.uniform(0.0, 60.0)
    if random.random() < 0.25:
        paper = random.uniform(200.0, 255.0)
    if random.random() < 0.25:
        paper, pen = 255.0 - paper, 255.0 - pen
    strongest = np.clip(ink / 0.85, 0.0, 1.0)
    if random.random() < 0.25:  # a program that knows no grey
        strongest = (strongest > _BLACK).astype(np.float32)
    return np.round(paper + (pen - paper) * strongest).astype(np.uint8)


def _inked(sheet: Field, ink: Field, surface: str, tones: Range, random: Random) -> Field:
    """How light paper and ink are, 0 to 1, before any light falls on them."""
    worn = 1.0 - random.uniform(0.0, 0.25) * np.abs(smooth_noise(sheet.shape, 5.0, random))
    grain = 1.0 + random.uniform(0.0, 0.02) * smooth_noise(sheet.shape, 2.5, random)
    if surface == "board":  # chalk on slate: what the paper's lines darken, they lighten here
        white, tone = random.uniform(0.08, 0.3), random.uniform(0.7, 0.97)
        dusty = 1.0 + random.uniform(0.0, 0.15) * smooth_noise(sheet.shape, 60.0, random)
        paper = white * dusty * (2.0 - sheet)
    else:
        white = random.uniform(0.68, 1.0)
        tone = white * random.uniform(*tones)
        paper = white * sheet
    strength = np.clip(ink * worn, 0.0, 1.0)
    return (paper * grain + (tone - paper) * strength).astype(np.float32)
