"""Rows of writing: the ink of a page in small parts, and how tall a digit is in each row.

What touches is cut into more parts than there are characters, and what is broken stays broken: how
many parts make a character, `reading.lattice` finds out by reading them (LeCun et al. 1998, section
VII: over-segmentation).  Lengths are compared with a digit's own, in its row.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from mnist_net.arrays import IMAGE_SHAPE, Bytes
from mnist_net.pictures.ink import Ink
from mnist_net.pictures.pieces import Box, Figure, Piece, figure_of, find_pieces

_SAME_SIZE = 0.4  # of the typical size, which a digit's main piece reaches
_HUGE = 3.0  # of the typical size, which no digit reaches
_TALLEST = 1.5  # of the typical size, which two pieces above each other do not exceed
_OVERLAP = 0.5  # of the shorter side: what is above or beside each other
_NEAR = 0.1  # of the typical size, across which broken strokes go on
_TINY = 0.06  # of a row's height; less is the paper's grain
_FAR_OFF = 0.8  # heights above or below a row's middle, where none of its signs lie
_BESIDE = 1.2  # heights left or right of a row, likewise
_STEEPEST = 35  # degrees, by which a page is turned back
_LEVEL = 3.0  # degrees: a row that slopes by less is read as it is
_CUT_WIDER_THAN = 0.7  # of a row's height: a part may be several characters
_EDGE = 0.12  # of a row's height, within which nothing is cut
_MOST_CUTS = 12  # that are made in one part
_MOST_PARTS = 5  # that make one character
_WIDEST = 1.45  # of a row's height, which one character does not exceed
_APART = 0.4  # of a row's height, which no character's parts are
_FIELD = 1.7  # heights of a digit: what is seen of a row around one character
_BESIDES = 96  # grey level of the ink that is not the character's own


class Row(NamedTuple):
    """Parts of ink from left to right, and where the row lies: its middle is at `middle + slope x`.

    The figures are boxes of what may be a digit by its size.
    """

    parts: tuple[Piece, ...]
    figures: tuple[Box, ...]
    height: float
    middle: float
    slope: float = 0.0


class Sheet(NamedTuple):
    """A page's ink, turned upright by some degrees, in rows.

    The numbers say of each pixel which part it belongs to, 0 if to none.
    """

    ink: Ink
    numbers: npt.NDArray[np.int32]
    rows: tuple[Row, ...]
    degrees: float
    shape: tuple[int, int]  # before it was turned

    def box_on_page(self, box: Box) -> Box:
        """Where on the page that was given a box of the sheet is."""
        if not self.degrees:
            return box
        corners = np.array([[x, y] for x in (box.left, box.right) for y in (box.top, box.bottom)])
        sin, cos = np.sin(np.radians(self.degrees)), np.cos(np.radians(self.degrees))
        x, y = (corners - np.array(self.ink.shape[::-1]) / 2.0).T
        height, width = self.shape
        back = np.stack([cos * x - sin * y + width / 2.0, sin * x + cos * y + height / 2.0])
        (left, top), (right, bottom) = np.floor(back.min(axis=1)), np.ceil(back.max(axis=1))
        return Box(
            max(int(left), 0), max(int(top), 0), min(int(right), width), min(int(bottom), height)
        )


class Candidate(NamedTuple):
    """Parts of a row that may be one character: from `begin` to `end`, exclusive."""

    row: Row
    begin: int
    end: int
    box: Box

    @property
    def parts(self) -> tuple[Piece, ...]:
        """The parts."""
        return self.row.parts[self.begin : self.end]


def sheet_of(mask: npt.NDArray[np.bool_], ink: Ink, quarter_turns: int = 0) -> Sheet:
    """Turn a page's ink so that its rows are level, and part it.

    The mask says which ink may be writing.  Quarter turns, counter-clockwise, are made before.
    """
    shape = (ink.shape[0], ink.shape[1])
    mask, ink = np.rot90(mask, quarter_turns), np.rot90(ink, quarter_turns)
    numbers, pieces = find_pieces(mask)
    typical = typical_size(pieces)
    degrees = _slope(large_boxes(pieces, typical), typical)
    if abs(degrees) > _LEVEL:
        levels = np.where(ndimage.binary_dilation(mask), ink, np.float32(0.0))
        turn = Image.fromarray(levels).rotate(degrees, Image.Resampling.BILINEAR, expand=True)
        ink = np.asarray(turn)
        numbers, pieces = find_pieces(ink >= 0.5)
        typical = typical_size(pieces)
    else:
        degrees = 0.0
    rows = [cut_apart(row, numbers) for row in _rows(pieces, typical)]
    return Sheet(ink, numbers, tuple(rows), 90.0 * quarter_turns + degrees, shape)


def typical_size(pieces: Sequence[Piece]) -> float:
    """Longer side of a typical piece, of two the larger: the other may be a part of it."""
    sizes = np.sort([piece.box.size for piece in pieces])
    if not len(sizes):
        return 0.0
    sizes = sizes[sizes >= _SAME_SIZE * np.quantile(sizes, 0.9)]
    return float(sizes[len(sizes) // 2])


def large_boxes(pieces: Sequence[Piece], typical: float) -> list[Box]:
    """Boxes of what may be a digit by its size: large pieces, united where a stroke is broken."""
    least, most = _SAME_SIZE * typical, _HUGE * typical
    large = [p.box for p in pieces if least <= p.box.size and p.box.height <= most]
    joined: list[Box] = []
    for box in sorted(large, key=lambda box: box.top):
        for k, above in enumerate(joined):
            across, down = box.overlap(above)
            is_below = across > _OVERLAP * min(box.width, above.width)
            # A slanted stroke that is broken: the parts meet, and are not beside each other.
            goes_on = down < 0.2 * min(box.height, above.height) and box.gap(above) < (
                _NEAR * typical
            )
            if (is_below or goes_on) and box.union(above).height < _TALLEST * typical:
                joined[k] = box.union(above)
                break
        else:
            joined.append(box)
    return joined


def _slope(boxes: Sequence[Box], typical: float) -> float:
    """Degrees by which rows fall to the right: where the middles of figures are most in line."""
    if len(boxes) < 3:
        return 0.0
    x, y = np.array([[b.left + b.right, b.top + b.bottom] for b in boxes], np.float64).T / 2.0
    degrees = np.arange(-_STEEPEST, _STEEPEST + 1.0)
    angles = np.radians(degrees)[:, None]
    heights = (y * np.cos(angles) - x * np.sin(angles)) / (0.12 * typical)
    apart = heights[:, :, None] - heights[:, None, :]
    in_line = np.exp(-0.5 * apart**2).sum(axis=(1, 2)) / len(boxes)
    return float(degrees[np.argmax(in_line * (1.0 - np.abs(degrees) / 150.0))])


def _rows(pieces: Sequence[Piece], typical: float) -> list[Row]:
    chains = in_chains(large_boxes(pieces, typical))
    rows = sorted((row_of(chain, ()) for chain in chains), key=lambda row: row.middle)
    parts: list[list[Piece]] = [[] for _ in rows]
    for piece in pieces:
        fits = [_distance(row, piece.box) for row in rows]
        best = int(np.argmin(fits)) if fits else -1
        if best >= 0 and fits[best] < _FAR_OFF and piece.box.size >= _TINY * rows[best].height:
            parts[best].append(piece)
    return [row._replace(parts=tuple(some)) for row, some in zip(rows, parts, strict=True) if some]


def in_chains(boxes: Sequence[Box]) -> list[list[Box]]:
    """Boxes in rows, from left to right: each beside the one before it."""
    chains: list[list[Box]] = []
    for box in sorted(boxes, key=lambda box: box.left):
        shared = [_shared_height(box, chain[-1]) for chain in chains]
        best = int(np.argmax(shared)) if shared else -1
        if best >= 0 and shared[best] > _OVERLAP:
            chains[best].append(box)
        else:
            chains.append([box])
    return chains


def _shared_height(one: Box, other: Box) -> float:
    return one.overlap(other)[1] / max(1, min(one.height, other.height))


def row_of(boxes: Sequence[Box], parts: Sequence[Piece]) -> Row:
    """The row of some figures."""
    heights = np.array([box.height for box in boxes])
    tall = [box for box in boxes if box.height >= 0.6 * heights.max()]
    height = float(np.median([box.height for box in tall]))
    x, y = np.array([[b.left + b.right, b.top + b.bottom] for b in tall], np.float64).T / 2.0
    slope = 0.0
    if len(tall) > 2:  # Theil and Sen's: no single figure can tilt it
        first, second = np.triu_indices(len(tall), 1)
        across = x[second] - x[first]
        far = np.abs(across) > height / 2.0
        if far.any():
            slope = float(np.median((y[second] - y[first])[far] / across[far]))
            slope = float(np.clip(slope, -0.3, 0.3))
    return Row(tuple(parts), tuple(boxes), height, float(np.median(y - slope * x)), slope)


def _distance(row: Row, box: Box) -> float:
    """Heights of a digit from a row's middle, and from its ends so that none is too far."""
    x, y = (box.left + box.right) / 2.0, (box.top + box.bottom) / 2.0
    left, right = row.figures[0].left, max(figure.right for figure in row.figures)
    beside = max(left - x, x - right, 0.0) / row.height
    if beside > _BESIDE or box.height > _HUGE * row.height:
        return np.inf
    return abs(y - row.middle - row.slope * x) / row.height + 0.2 * beside


def cut_apart(row: Row, numbers: npt.NDArray[np.int32]) -> Row:
    """Part the wide pieces of a row where they have least ink; the numbers are changed in place."""
    parts: list[Piece] = []
    for piece in row.parts:
        if piece.box.width <= _CUT_WIDER_THAN * row.height:
            parts.append(piece)
            continue
        window = piece.box.cut(numbers)
        own = window == piece.number
        ends = [0, *_cut_places(own, row.height), own.shape[1]]
        for k, (begin, end) in enumerate(pairwise(ends)):
            columns = own[:, begin:end]
            if not columns.any():
                continue
            number = piece.number if k == 0 else _next_number(numbers)
            window[:, begin:end][columns] = number
            inked = np.flatnonzero(columns.any(axis=1)), np.flatnonzero(columns.any(axis=0))
            left, top = piece.box.left + begin, piece.box.top
            box = Box(
                left + int(inked[1][0]),
                top + int(inked[0][0]),
                left + int(inked[1][-1]) + 1,
                top + int(inked[0][-1]) + 1,
            )
            parts.append(Piece(number, int(columns.sum()), box, 0))
    return row._replace(parts=tuple(sorted(parts, key=lambda p: p.box.left + p.box.right)))


def _next_number(numbers: npt.NDArray[np.int32]) -> int:
    return int(numbers.max()) + 1


def _cut_places(own: npt.NDArray[np.bool_], height: float) -> list[int]:
    """Columns at which a piece may be two characters that touch."""
    profile = own.sum(axis=0).astype(np.float64)
    margin = max(2, round(_EDGE * height))
    smooth = ndimage.gaussian_filter1d(profile, max(0.5, margin / 6.0), mode="constant")
    is_least = smooth == ndimage.minimum_filter1d(smooth, margin + 1)
    width = own.shape[1]
    places = [int(x) for x in np.flatnonzero(is_least) if margin <= x <= width - margin]
    apart = [x for x, before in zip(places, [-margin, *places], strict=False) if x - before > 1]
    return sorted(sorted(apart, key=lambda x: smooth[x])[:_MOST_CUTS])


def candidates(row: Row) -> Iterator[Candidate]:
    """Whatever may be one character of a row."""
    parts = row.parts
    for begin in range(len(parts)):
        box = parts[begin].box
        for end in range(begin + 1, min(begin + _MOST_PARTS, len(parts)) + 1):
            other = parts[end - 1].box
            gap = other.left - box.right
            box = box.union(other)
            if end > begin + 1 and (gap > _APART * row.height or box.width > _WIDEST * row.height):
                break
            yield Candidate(row, begin, end, box)


def figure_on(sheet: Sheet, candidate: Candidate) -> Figure:
    """A candidate's own ink."""
    return figure_of(sheet.ink, sheet.numbers, candidate.parts)


def field_on(sheet: Sheet, candidate: Candidate) -> Bytes:
    """A candidate at its place in its row: its own ink bright, that around it dim; 28 × 28."""
    row, box = candidate.row, candidate.box
    x = (box.left + box.right) / 2.0
    y = row.middle + row.slope * x
    half = _FIELD * row.height / 2.0
    left, top, right, bottom = (round(v) for v in (x - half, y - half, x + half, y + half))
    height, width = sheet.ink.shape
    inner = Box(max(left, 0), max(top, 0), min(right, width), min(bottom, height))
    levels = np.zeros((max(bottom - top, 1), max(right - left, 1)), np.float32)
    if inner.width > 0 and inner.height > 0:
        numbers = inner.cut(sheet.numbers)
        own = np.isin(numbers, [piece.number for piece in candidate.parts])
        shade = np.where(own, np.float32(255.0), np.float32(_BESIDES)) * (numbers > 0)
        levels[inner.top - top :, inner.left - left :][: inner.height, : inner.width] = shade
    small = Image.fromarray(levels).resize(IMAGE_SHAPE[::-1], Image.Resampling.BOX)
    field = np.asarray(small)
    return np.round(field * (255.0 / max(float(field.max()), 1.0))).astype(np.uint8)
