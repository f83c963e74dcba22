"""Pictures of two digits that touch, and of what is not two, though it may be cut from a page so.

Digits lie on canvases (`scripts.detector.drawing`), as they are or as lines through the middle of
their strokes, so that both of a picture are drawn with one pen.  They are moved together until they
meet, mostly further, rarely not quite; or a stroke of the pen leads from one to the other.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from mnist_net.arrays import Bytes
from mnist_net.learning.distortion import Distortion, distort
from mnist_net.pictures.form import stretched
from mnist_net.pictures.pieces import bounds
from scripts.detector.drawing import EXTENT, skeletons
from scripts.detector.glyphs import one_of
from scripts.detector.hands import draw_letter
from scripts.pages.hands import SIGN_STROKES, draw_strokes, sign_points

Ink = npt.NDArray[np.float32]
Random = np.random.Generator

NONE = 0
"""Label of what is not two digits; of two it is one more than the number that they make."""

_BEND = Distortion(rotation=6, scale=0.08, shear=0.08, elastic=1.6, smoothness=9.0)
_CHUNK = 2_000
_INKED = 0.4
_PENS = (1.6, 7.5)  # pixels; MNIST's are about 4.5 here
_PAIRS = 0.68  # share of the pictures
_SIGNS = tuple(sorted(set(SIGN_STROKES) - set("()")))  # whose form is that of a 1
_SLIVERS = 0.25  # share of these, of which the cut is not quite right
_NEAR = 200  # digits of a hand, about, in the order that they are given in


class Strokes(NamedTuple):
    """Digits on canvases, N × 56 × 56, bent a little: their ink, its middle lines, and labels."""

    ink: Ink
    lines: npt.NDArray[np.bool_]
    labels: Bytes

    def draw(self, index: int, pen: float | None) -> Ink:
        """One of them, cropped: as it is, or with a pen of so many pixels."""
        ink = self.ink[index]
        if pen is not None and self.lines[index].any():
            distance = ndimage.distance_transform_edt(~np.pad(self.lines[index], 6))
            ink = np.clip(pen / 2 + 0.5 - distance, 0.0, 1.0).astype(np.float32)
        return _cropped(ink)


def strokes_of(canvases: Bytes, labels: Bytes, random: Random) -> Strokes:
    """Bend digits and find their middle lines."""
    flat = canvases.reshape(len(canvases), -1).astype(np.float32)
    inks, lines = [], []
    for start in range(0, len(flat), _CHUNK):
        bent = distort(flat[start : start + _CHUNK], _BEND, random).reshape(-1, *canvases.shape[1:])
        inks.append(np.clip((bent - 120.0) / 60.0 + 0.5, 0.0, 1.0).astype(np.float32))
        lines.append(skeletons(bent > 127))
    return Strokes(np.concatenate(inks), np.concatenate(lines), labels)


def draw_many(n: int, strokes: Strokes, random: Random) -> tuple[Bytes, Bytes]:
    """Pictures, n × 28 × 28, and their labels."""
    pictures, labels = zip(*(_draw(strokes, random) for _ in range(n)), strict=True)
    return np.stack(pictures), np.array(labels, np.uint8)


class _Hand:
    """Who writes one picture: with one pen, and digits that lie near each other."""

    def __init__(self, strokes: Strokes, random: Random) -> None:
        self.strokes, self.random = strokes, random
        own = random.random() < 0.4
        self.pen = None if own else float(np.exp(random.uniform(*np.log(_PENS))))
        self._start = int(random.integers(len(strokes.labels)))

    def digit(self) -> tuple[Ink, int]:
        """A digit of about the size of the others, and which it is."""
        n = len(self.strokes.labels)
        among = _NEAR if self.random.random() < 0.7 else n
        index = int(self._start + self.random.integers(among)) % n
        ink = self.strokes.draw(index, self.pen)
        taller, wider = np.exp(self.random.normal(0.0, (0.1, 0.08)))
        size = max(3, round(ink.shape[1] * taller * wider)), max(3, round(ink.shape[0] * taller))
        resized = Image.fromarray(ink).resize(size, Image.Resampling.BILINEAR)
        return np.asarray(resized), int(self.strokes.labels[index])

    def sign(self) -> Ink:
        """A sign beside digits."""
        sign = one_of(_SIGNS, self.random)
        lines = [EXTENT * sign_points(stroke) for stroke in SIGN_STROKES[sign].split("|")]
        moved = [line + self.random.normal(0.0, 0.02 * EXTENT, line.shape) for line in lines]
        return draw_strokes(moved, self.pen or 4.5).ink

    def letter(self) -> Ink:
        """A letter that is like no digit."""
        return _cropped(draw_letter(self.random).astype(np.float32) / np.float32(255))

    def joined(self, parts: Sequence[Ink]) -> tuple[Ink, list[int]]:
        """From left to right, as `_gap` says; and the columns where they begin."""
        random = self.random
        sheet = np.zeros((3 * EXTENT, (len(parts) + 2) * 2 * EXTENT), np.float32)
        left = EXTENT
        begins: list[int] = []
        for part in parts:
            top = round(1.5 * EXTENT - part.shape[0] / 2 + random.normal(0.0, 0.06) * EXTENT)
            x, leads = left, False
            if begins:
                apart, leads = self._gap()
                meets = _where_they_meet(sheet[top : top + part.shape[0]], part)
                x = max(round((left if meets is None else meets) + apart), begins[-1] + 3)
            if leads:
                self._lead(sheet, part, x, top)
            span = sheet[top : top + part.shape[0], x : x + part.shape[1]]
            np.maximum(span, part, out=span)
            begins.append(x)
            left = x + part.shape[1]
        return sheet, begins

    def _gap(self) -> tuple[float, bool]:
        """Pixels between two that would meet, and whether a stroke leads from one to the other."""
        choice = self.random.random()
        if choice < 0.15:
            return self.random.uniform(0.03, 0.25) * EXTENT, True
        low, high = (0.0, 0.1) if choice < 0.22 else (-0.14, 0.0)
        return self.random.uniform(low, high) * EXTENT, False

    def _lead(self, sheet: Ink, part: Ink, x: int, top: int) -> None:
        """A stroke from the right of what is written to the left of what comes."""
        random = self.random
        before = np.argwhere(sheet > _INKED)
        after = np.argwhere(part > _INKED) + np.array([top, x])
        right = before[before[:, 1] >= np.quantile(before[:, 1], 0.9)]
        begin, end = right[random.integers(len(right))], after[np.argsort(after[:, 1])]
        end = end[random.integers(max(1, len(end) // 10))]
        line = np.array([begin[::-1], end[::-1]], np.float64)
        glyph = draw_strokes([line], 0.8 * (self.pen or 4.5))
        rows, columns = glyph.ink.shape
        span = sheet[glyph.top : glyph.top + rows, glyph.left : glyph.left + columns]
        np.maximum(span, glyph.ink[: span.shape[0], : span.shape[1]], out=span)

    def two(self) -> tuple[Ink, int, int]:
        """Two digits, and which; some as they are cut from a row, with a sliver of a third."""
        digits = [self.digit() for _ in range(3)]
        inks, labels = zip(*digits, strict=True)
        if self.random.random() > _SLIVERS:
            return self.joined(inks[:2])[0], labels[0], labels[1]
        left = self.random.random() < 0.5
        ink = self._cut(inks, left=left, share=(-0.05, 0.15))
        return ink, *(labels[1:] if left else labels[:2])

    def not_two(self) -> Ink:
        """One digit, three, one or two and a part of the next, or one and a sign; or letters."""
        random, choice = self.random, self.random.random()
        if choice < 0.2:
            return self.digit()[0]
        if choice < 0.32:
            return self.joined([self.digit()[0] for _ in range(3)])[0]
        if choice < 0.65:
            one = self.sign() if choice < 0.45 else self.letter()
            other = self.digit()[0] if random.random() < 0.7 else self.letter()
            return self.joined([one, other] if random.random() < 0.5 else [other, one])[0]
        digits = [self.digit()[0] for _ in range(2 if choice < 0.82 else 3)]
        return self._cut(digits, left=random.random() < 0.5, share=(0.2, 0.65))

    def _cut(self, digits: Sequence[Ink], *, left: bool, share: tuple[float, float]) -> Ink:
        """Digits that touch, of which the first or the last one is but a share of its width."""
        random = self.random
        ink, begins = self.joined(digits)
        rows, columns = np.indices(ink.shape)
        places = columns + random.normal(0.1, 0.12) * (rows - 1.5 * EXTENT)
        kept = random.uniform(*share) * digits[0 if left else -1].shape[1]
        if left:
            end = begins[0] + digits[0].shape[1]
            return np.where(places < end - kept, np.float32(0.0), ink)
        return np.where(places > begins[-1] + kept, np.float32(0.0), ink)


def _draw(strokes: Strokes, random: Random) -> tuple[Bytes, int]:
    hand = _Hand(strokes, random)
    label = NONE
    if random.random() < _PAIRS:
        ink, left, right = hand.two()
        label = 1 + 10 * left + right
    else:
        ink = hand.not_two()
    ink = _cropped(_leaning(_cropped(ink), random.uniform(-0.15, 0.4)))
    if random.random() < 0.1:  # as programs draw that know no grey
        ink = (ink > 0.5 * ink.max()).astype(np.float32)
    return stretched(ink), label


def _where_they_meet(before: Ink, part: Ink) -> int | None:
    """The column where a part begins whose ink just meets that before it, if they share a row."""
    one, other = before > _INKED, part > _INKED
    shared = one.any(axis=1) & other.any(axis=1)
    if not shared.any():
        return None
    last = one.shape[1] - np.argmax(one[shared, ::-1], axis=1)
    return int((last - np.argmax(other[shared], axis=1)).max())


def _cropped(ink: Ink) -> Ink:
    mask = ink > _INKED
    return bounds(mask).cut(ink) if mask.any() else np.ones((EXTENT, 4), np.float32)


def _leaning(ink: Ink, lean: float) -> Ink:
    """The same, sheared to the right by so many columns a row."""
    height, margin = ink.shape[0], int(abs(lean) * ink.shape[0]) + 1
    image = Image.fromarray(np.pad(ink, ((0, 0), (margin, margin))))
    matrix = (1.0, lean, -lean * height / 2, 0.0, 1.0, 0.0)
    sheared = image.transform(image.size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
    return np.asarray(sheared)
