"""Drawings of one sign, and the pens that they are drawn anew with.

Whatever is drawn here, digit or not, ends on a canvas of 56 × 56 pixels, twice MNIST's field. From
there everything goes the same way: bent, drawn anew along its skeleton with another pen, stretched,
fitted as `mnist_net.pictures` fits every picture, and spoilt a little. So nothing but the shape
tells the digits from the rest.
"""

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw
from scipy import ndimage

from mnist_net.arrays import Bytes
from mnist_net.datasets.drawn import Points
from mnist_net.learning.distortion import Distortion, distort
from mnist_net.pictures.form import fitted
from mnist_net.pictures.pieces import bounds

CANVAS, EXTENT = 56, 40  # the field and the box of MNIST, at twice its scale

_BENDS = (
    Distortion(rotation=8, scale=0.1, shear=0.25, elastic=1.6, smoothness=9.0),
    Distortion(rotation=10, scale=0.2, shear=0.35, elastic=2.6, smoothness=9.0),
)
_DRAWN_ANEW = 0.6
_STROKES_FITTED = 0.4  # as every picture is that is not in MNIST's form; the others are as they are
_CHUNK = 2_000


def place(ink: Bytes) -> Bytes:
    """Crop to the ink, scale its longer side to `EXTENT`, and put it in the middle of a canvas."""
    canvas = np.zeros((CANVAS, CANVAS), np.uint8)
    if not ink.any():
        return canvas
    picture = Image.fromarray(bounds(ink > 0).cut(ink))
    factor = EXTENT / max(picture.size)
    width, height = (max(1, round(side * factor)) for side in picture.size)
    top, left = (CANVAS - height) // 2, (CANVAS - width) // 2
    resized = picture.resize((width, height), Image.Resampling.BILINEAR)
    shrunk = np.asarray(resized, np.float32)
    canvas[top : top + height, left : left + width] = shrunk * (255 / max(shrunk.max(), 1))
    return canvas


def fit_lines(lines: list[Points]) -> list[Points]:
    """Move and scale lines so that they fill the square from 0 to 1 in the longer direction."""
    everything = np.vstack(lines)
    low, high = everything.min(axis=0), everything.max(axis=0)
    longer = float((high - low).max()) or 1.0
    return [0.5 + (line - (low + high) / 2) / longer for line in lines]


def draw_lines(lines: list[Points], width: float = 4.0) -> Bytes:
    """Draw polylines, (x, y) from 0 to 1, with a round pen, into the middle of a canvas."""
    margin, factor = (CANVAS - EXTENT) / 2, 2  # twice as large, then shrunk: smooth edges
    image = Image.new("L", (factor * CANVAS, factor * CANVAS))
    draw = ImageDraw.Draw(image)
    pen, radius = max(1, round(factor * width)), factor * width / 2
    for line in lines:
        corners = [(float(x), float(y)) for x, y in factor * (margin + EXTENT * line)]
        draw.line(corners, fill=255, width=pen, joint="curve")
        for x, y in (corners[0], corners[-1]):
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return np.asarray(image.reduce(factor))


def draw_with_some_pen(lines: list[Points], random: np.random.Generator) -> Bytes:
    """Draw polylines with a pen that is neither a hairline nor a brush."""
    return draw_lines(lines, random.uniform(2.0, 6.0))


def bezier(corners: Points, n: int = 24) -> Points:
    """Points of a smooth curve through the middles of a control polygon, its ends included."""
    corners = np.vstack([corners[:1], corners, corners[-1:]])
    middles = (corners[1:] + corners[:-1]) / 2
    t = np.linspace(0.0, 1.0, max(3, n // max(len(corners) - 2, 1)))[:, None]
    arcs = [
        (1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c
        for a, b, c in zip(middles[:-1], corners[1:-1], middles[1:], strict=True)
    ]
    return np.vstack(arcs)


def as_mnist_shows(canvases: Bytes, random: np.random.Generator, *, drawn: bool = True) -> Bytes:
    """Pictures as MNIST would have shown them, N × 28 × 28, of drawings, N × 56 × 56.

    Where a pen has `drawn` them, most are drawn anew along their skeleton with another.
    """
    starts = range(0, len(canvases), _CHUNK)
    return np.concatenate([_shown(canvases[k : k + _CHUNK], random, drawn) for k in starts])


def _shown(canvases: Bytes, random: np.random.Generator, drawn: bool) -> Bytes:
    flat = canvases.reshape(len(canvases), -1).astype(np.float32)
    halves = zip(np.array_split(flat, len(_BENDS)), _BENDS, strict=True)
    parts = [distort(part, bends, random) for part, bends in halves]
    bent = np.concatenate(parts).reshape(canvases.shape)
    if drawn:
        bent = _redraw(bent, random)
    fitted = np.stack([_fit(ink, random) for ink in bent.astype(np.uint8)])
    return _spoil(fitted, random)


def _redraw(ink: npt.NDArray[Any], random: np.random.Generator) -> npt.NDArray[Any]:
    # Cutting at another level thins or thickens every stroke by up to about a pixel.
    levels = random.uniform(50, 190, (len(ink), 1, 1))
    softness = random.uniform(20, 60, (len(ink), 1, 1))
    redrawn = 255 * np.clip((ink - levels) / softness + 0.5, 0, 1)
    anew = random.random(len(ink)) < _DRAWN_ANEW
    redrawn[anew] = _with_pens(skeletons(redrawn[anew] > 127), random)
    return redrawn


def _with_pens(lines: npt.NDArray[np.bool_], random: np.random.Generator) -> Bytes:
    """Draw each skeleton with a pen of its own: like MNIST's, or from a hairline to a brush."""
    widths = random.uniform(3.6, 7.2, len(lines))
    wild = random.random(len(lines)) < 0.5
    widths[wild] = np.exp(random.uniform(np.log(1.2), np.log(9.0), wild.sum()))
    drawn = np.zeros(lines.shape, np.uint8)
    for line, width, canvas in zip(lines, widths, drawn, strict=True):
        if line.any():
            distance = ndimage.distance_transform_edt(~line)
            canvas[:] = 255 * np.clip(width / 2 + 0.5 - distance, 0, 1)
    return drawn


def _fit(ink: Bytes, random: np.random.Generator) -> Bytes:
    if ink.max() < 64:
        return np.zeros((28, 28), np.uint8)
    chance = random.random()
    if chance < 0.2:
        ink = _stretch(ink, random.uniform(0.7, 2.0))
    if chance > 0.93:
        ink = _cut_edge(ink, random)
    if random.random() < 0.1:  # as programs draw that know no grey
        ink = (ink > ink.max() // 2).astype(np.uint8) * np.uint8(255)
    if random.random() < _STROKES_FITTED:
        return fitted((ink / ink.max()).astype(np.float32), usual_strokes=True)
    return fitted(ink)


def _stretch(ink: Bytes, factor: float) -> Bytes:
    columns = np.flatnonzero(ink.any(axis=0))
    if columns[-1] - columns[0] < EXTENT // 3 and factor > 1.2:  # a 1 would become a bar
        return ink
    width = max(8, round(CANVAS * factor))
    return np.asarray(Image.fromarray(ink).resize((width, CANVAS), Image.Resampling.BILINEAR))


def _cut_edge(ink: Bytes, random: np.random.Generator) -> Bytes:
    """Lose up to a tenth at one edge, as a careless crop does."""
    turns = int(random.integers(4))
    turned = np.rot90(ink, turns).copy()
    rows = np.flatnonzero(turned.any(axis=1))
    turned[: rows[0] + int(random.uniform(0.0, 0.1) * len(rows))] = 0
    return np.rot90(turned, -turns) if turned.max() > 63 else ink


def _spoil(images: Bytes, random: np.random.Generator) -> Bytes:
    """Fade, sharpen or blur, add noise and specks: each to a part of the pictures."""
    ink = images / np.float32(255)
    n = len(ink)
    blurred = ndimage.gaussian_filter(ink, (0, 0.7, 0.7))
    blur = random.uniform(-1.0, 0.9, (n, 1, 1)).clip(0) * (random.random((n, 1, 1)) < 0.5)
    ink = ink + blur * (blurred - ink)
    ink **= np.exp(random.uniform(-0.5, 0.5, (n, 1, 1)))
    noise = random.standard_normal(ink.shape) * (random.uniform(0, 0.12, (n, 1, 1)))
    ink = np.where(random.random((n, 1, 1)) < 0.25, ink + noise * (ink > 0.02), ink)
    specks = random.random(ink.shape) < random.uniform(0.0, 0.006, (n, 1, 1))
    ink = np.where(random.random((n, 1, 1)) < 0.1, np.maximum(ink, 0.6 * specks), ink)
    return np.round(255 * ink.clip(0, 1)).astype(np.uint8)


_NEIGHBOURS = np.array([[[128, 1, 2], [64, 0, 4], [32, 16, 8]]], np.uint8)
"""A bit for each, clockwise from the north."""


@cache
def _removable() -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which of the 256 neighbourhoods lose their middle, in either half of a thinning step."""
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
    neighbours = bits.sum(axis=1)
    steps = ((bits == 0) & (np.roll(bits, -1, axis=1) == 1)).sum(axis=1)
    north, east, south, west = bits[:, ::2].T
    edge = (neighbours >= 2) & (neighbours <= 6) & (steps == 1)
    first = edge & (north * east * south == 0) & (east * south * west == 0)
    second = edge & (north * east * west == 0) & (north * south * west == 0)
    return first, second


def skeletons(masks: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Lines of one pixel through the middle of every stroke, N × rows × columns.

    Zhang and Suen, *A fast parallel algorithm for thinning digital patterns*, 1984.
    """
    masks, active = masks.copy(), np.arange(len(masks))
    while len(active):
        part = masks[active]
        before = part.sum(axis=(1, 2))
        for removable in _removable():
            around = ndimage.correlate(part.astype(np.uint8), _NEIGHBOURS, mode="constant")
            part &= ~removable[around]
        masks[active] = part
        active = active[part.sum(axis=(1, 2)) < before]
    return masks
