"""How one hand writes on one page: characters as ink, all with one pen.

A glyph is ink on its own little sheet, and where it lies: pixels right and down from where the
character begins, at the height of the digits' heads.  Digits stand on the line, one height below.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw
from scipy import ndimage

from mnist_net.arrays import Bytes
from mnist_net.datasets.drawn import Points, smooth_curve
from scripts.detector.drawing import bezier, skeletons
from scripts.detector.glyphs import draw_text, one_of
from scripts.pages.sources import Half, inks_of

Random = np.random.Generator
Ink = npt.NDArray[np.float32]

PENS = {"choosing": (0.035, 0.13), "judging": (0.03, 0.15)}
"""Least and greatest thickness of a pen, in heights of a digit."""

SEPARATORS = "-./,:+=×÷€$()"

SIGN_STROKES: dict[str, str] = {
    "-": "12,50 46,50",
    ".": "4,97 4,99",
    ",": "9,92 9,99 2,114",
    ":": "5,36 5,38 | 5,88 5,90",
    "/": "50,-6 2,106",
    "+": "2,52 50,52 | 26,28 26,77",
    "=": "4,40 50,40 | 4,62 50,62",
    "×": "6,32 46,72 | 46,32 6,72",
    "÷": "2,52 52,52 | 27,30 27,32 | 27,73 27,75",
    "(": "24,-8 4,25 4,75 24,108",
    ")": "4,-8 24,25 24,75 4,108",
    "€": "58,10 30,-2 14,50 30,102 58,90 | 2,38 44,38 | 2,58 42,58",
    "$": "52,18 30,4 10,14 14,40 48,56 50,84 28,98 6,82 | 30,-8 30,110",
}
"""Strokes of each sign, x,y in hundredths of a digit's height; the line is at 100."""

INKED = 0.25
"""What a pixel has at least that counts as ink of a character."""

_THINNEST = 1.4  # pixels: a pen
_WORK = 72  # pixels of height at which a digit's skeleton is found, ...
_SMOOTH = 1.2  # ... and deviation by which the distance from it is smoothed
_LOOPS = {"0": 1, "6": 1, "8": 2, "9": 1}
_SMALL_LETTER = 0.68  # of a digit's height
_TALL = "dfhkt"


class Glyph(NamedTuple):
    """Ink from 0 to 1, and where its sheet lies."""

    ink: Ink
    left: int
    top: int

    @property
    def extent(self) -> tuple[int, int]:
        """First column with ink, and the one after the last, from where the character begins."""
        columns = np.flatnonzero((self.ink > INKED).any(axis=0))
        return self.left + int(columns[0]), self.left + int(columns[-1]) + 1


class Hand:
    """One person with one pen.

    Parameters
    ----------
    half
        Whose sources are written with.
    random
        Chooses the person, the pen and each character's shape.
    pens
        Least and greatest thickness, in heights of a digit, of a pen that draws anew; by default
        the half's.
    strokes
        Digits are always drawn in strokes, as with a mouse, never traced from pictures.
    """

    def __init__(
        self,
        half: Half,
        random: Random,
        pens: tuple[float, float] | None = None,
        *,
        strokes: bool = False,
    ) -> None:
        self.half, self.random = half, random
        low, high = pens or PENS[half.name]
        self.pen = float(np.exp(random.uniform(np.log(low), np.log(high))))
        self.slant = float(random.normal(0.08, 0.1))
        self.aspect = float(random.uniform(0.55, 0.8))
        self.shake = float(random.uniform(0.012, 0.03))
        self._begin = int(random.integers(max(len(half.labels), 1)))
        self._forms = {sign: one_of(some, random) for sign, some in half.forms.items()}
        self._as_scanned = pens is None and random.random() < 0.5
        self._style = str(random.choice(["MNIST", "strokes", "foreign"], p=[0.7, 0.2, 0.1]))
        if not len(half.labels) or (strokes and random.random() < 0.6):
            self._style = "strokes"
        self._inks: Mapping[str, Sequence[Bytes]] = {}
        if self._style == "foreign":
            if half.foreign:
                self._inks = inks_of(half.foreign[one_of(sorted(half.foreign), random)])
            self._style = "strokes"  # for what that person has not written
        if self._style == "MNIST" and self._as_scanned:
            self.pen = 0.11  # about what MNIST's own pens are, for signs and frames

    def write(self, sign: str, height: float) -> Glyph:
        """A character beside digits of this height, in pixels."""
        if sign in SIGN_STROKES:
            strokes = [sign_points(stroke) for stroke in SIGN_STROKES[sign].split("|")]
            return self._draw([self._moved(one) for one in strokes], height)
        if not sign.isdigit():
            return self._letter(sign, height)
        if inks := self._inks.get(sign):
            return _shrunk(one_of(inks, self.random), height)
        if self._style == "strokes":
            aspect = self.aspect * (self.random.uniform(0.5, 0.9) if sign == "1" else 1.0)
            lines = [smooth_curve(self._shaken(one)) for one in self._forms[sign]]
            return self._draw([self._slanted(line * (aspect, 1.0)) for line in lines], height)
        return self._mnist(sign, height)

    def _draw(self, lines: Sequence[Points], height: float) -> Glyph:
        return draw_strokes([height * line for line in lines], max(self.pen * height, _THINNEST))

    def _letter(self, sign: str, height: float) -> Glyph:
        small = sign.islower() and sign not in _TALL
        size = _SMALL_LETTER if small else 1.0
        forms = self._forms.get(sign) or self._forms[one_of("acdehkmnuvw", self.random)]
        lines = [bezier(self._shaken(one)) for one in forms]
        below = 1.0 - size + (0.25 if sign in "jpy" else 0.0)
        drawn = [
            self._slanted(line * (0.8 * size, size)) + np.array([0.0, below]) for line in lines
        ]
        return self._draw(drawn, height)

    def _mnist(self, sign: str, height: float) -> Glyph:
        """One of MNIST's that was written near the others of this page."""
        labels = self.half.labels
        order = np.roll(np.arange(len(labels)), -self._begin)
        near = order[np.flatnonzero(labels[order] == int(sign))[:12]]
        for index in self.random.permutation(near):
            image = _without_specks(self.half.images[index])
            if self._as_scanned:
                return _enlarged(image, height)
            line = _middle_line(image)
            if _is_whole(line, sign):
                return _drawn_anew(line, height, max(self.pen * height, _THINNEST))
        return _enlarged(image, height)

    def _shaken(self, points: Points) -> Points:
        _, same = np.unique(points, axis=0, return_inverse=True)
        moves = self.random.normal(0.0, self.shake, (int(same.max()) + 1, 2))
        return points + moves[same.ravel()]

    def _moved(self, points: Points) -> Points:
        """A sign's stroke: a dot stays a dot."""
        return (
            points
            + self.random.normal(0.0, self.shake, 2)
            + (points - points[0]) * (self.random.normal(0.0, 0.05, 2))
        )

    def _slanted(self, line: Points) -> Points:
        return line + np.outer(self.slant * (1.0 - line[:, 1]), (1.0, 0.0))


def sign_points(stroke: str) -> Points:
    """A stroke of `SIGN_STROKES`, points × 2 in heights of a digit."""
    points = np.array([point.split(",") for point in stroke.split()], np.float64) / 100.0
    return points if len(points) < 3 else bezier(points)


def draw_strokes(lines: Sequence[Points], width: float) -> Glyph:
    """Lines in pixels, with a round pen, smooth at the edges."""
    factor = 4
    everything, margin = np.vstack(lines), int(width) + 2
    left, top = (int(x) - margin for x in np.floor(everything.min(axis=0)))
    right, bottom = (int(x) + margin for x in np.ceil(everything.max(axis=0)))
    image = Image.new("L", (factor * (right - left), factor * (bottom - top)))
    draw = ImageDraw.Draw(image)
    pen, radius = max(1, round(factor * width)), factor * width / 2
    for line in lines:
        corners = [(float(x), float(y)) for x, y in factor * (line - (left, top))]
        draw.line(corners, fill=255, width=pen, joint="curve")
        for x, y in (corners[0], corners[-1]):
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return Glyph(np.asarray(image.reduce(factor), np.float32) / np.float32(255), left, top)


def _resized(ink: npt.NDArray[np.floating], shape: tuple[int, int]) -> Ink:
    image = Image.fromarray(ink.astype(np.float32))
    return np.asarray(image.resize(shape[::-1], Image.Resampling.BICUBIC), np.float32)


def _enlarged(image: Bytes, height: float) -> Glyph:
    """A small picture of a digit at another size, with edges as sharp as a pen's."""
    scale, margin = height / len(image), 2
    padded = np.pad(image / np.float32(255), margin)
    rows, columns = (max(3, round(side * scale)) for side in padded.shape)
    smooth = ndimage.gaussian_filter(_resized(padded, (rows, columns)), 0.4 * scale)
    sharp = np.clip(0.5 + (smooth - 0.42) * max(1.0, 0.9 * scale), 0.0, 1.0)
    return Glyph(sharp.astype(np.float32), *2 * (-round(margin * scale),))


def _shrunk(ink: Bytes, height: float) -> Glyph:
    """A large picture of a digit at another size; thin strokes stay strong."""
    size = (max(2, round(ink.shape[1] * height / ink.shape[0])), round(height))
    small = np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BICUBIC)) / 255
    return Glyph(((small / small.max()) ** 0.7).astype(np.float32), 0, 0)


def _without_specks(image: Bytes) -> Bytes:
    """A digit cropped to its ink, of which only what is large is left."""
    pieces, _ = ndimage.label(image > 60, np.ones((3, 3)))
    sizes = np.bincount(pieces.ravel())
    small = np.flatnonzero(sizes < 0.08 * sizes[1:].sum())
    image = np.where(np.isin(pieces, small[small > 0]), 0, image)
    rows, columns = (np.flatnonzero((image > 100).any(axis=axis)) for axis in (1, 0))
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _middle_line(image: Bytes) -> npt.NDArray[np.bool_]:
    scale = _WORK / len(image)
    padded = np.pad(image / np.float32(255), 2)
    rows, columns = (max(3, round(side * scale)) for side in padded.shape)
    smooth = ndimage.gaussian_filter(_resized(padded, (rows, columns)), 0.45 * scale)
    return skeletons((smooth > 0.4)[None])[0]


def _is_whole(line: npt.NDArray[np.bool_], digit: str) -> bool:
    """Whether a line is in one piece, with the loops that its digit must have."""
    n_pieces = ndimage.label(line, np.ones((3, 3)))[1]
    n_loops = ndimage.label(np.pad(~line, 1))[1] - 1
    return n_pieces == 1 and n_loops >= _LOOPS.get(digit, 0)


def _drawn_anew(line: npt.NDArray[np.bool_], height: float, width: float) -> Glyph:
    """A digit's middle line, drawn with a pen of so many pixels."""
    ys, xs = np.nonzero(line)
    factor = height / max(float(np.ptp(ys)), 0.5 * float(np.ptp(xs)), 1.0)
    margin = int(np.ceil((width / 2 + 2) / factor))
    top, left = int(ys.min()) - margin, int(xs.min()) - margin
    sheet = np.zeros((np.ptp(ys) + 2 * margin + 1, np.ptp(xs) + 2 * margin + 1), bool)
    sheet[ys - top, xs - left] = True
    smooth = ndimage.gaussian_filter(ndimage.distance_transform_edt(~sheet), _SMOOTH)
    # On the line itself smoothing makes 0 the mean of |x| of a normal distribution.
    distance = np.sqrt(np.maximum(smooth**2 - 2 / np.pi * _SMOOTH**2, 0.0))
    rows, columns = (max(3, round(side * factor)) for side in sheet.shape)
    ink = np.clip(width / 2 + 0.5 - factor * _resized(distance, (rows, columns)), 0.0, 1.0)
    place = -round(margin * factor)
    return Glyph(ink.astype(np.float32), place, place)


def word(half: Half, text: str, height: float, random: Random) -> Glyph | None:
    """A word in one of the half's fonts, if it has any."""
    if not half.fonts:
        return None
    ink = draw_text(one_of(half.fonts[one_of(sorted(half.fonts), random)], random), text)
    if ink.size < 50:
        return None
    factor = height / ink.shape[0]
    size = (max(2, round(ink.shape[1] * factor)), max(2, round(height)))
    small = np.asarray(Image.fromarray(ink).resize(size), np.float32)
    return Glyph(small / np.float32(255), 0, 0)
