"""Rows of writing: the ink of a page in small parts, and how tall a digit is in each row.

What touches is cut into more parts than there are characters, and what is broken stays broken: how
many parts make a character, `reading.lattice` finds out by reading them (LeCun et al. 1998, section
VII: over-segmentation).  Lengths are compared with a digit's own, in its row.
"""

from collections.abc import Sequence
from itertools import count, takewhile
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from mnist_net.pictures.cuts import cut_apart
from mnist_net.pictures.ink import Ink
from mnist_net.pictures.not_writing import least_size
from mnist_net.pictures.pieces import Box, Mask, Piece, find_pieces

_SAME_SIZE = 0.4  # of the typical size, which a digit's main piece reaches
_HUGE = 3.0  # of the typical size, which no digit reaches
_TALLEST = 1.5  # of the typical size, which two pieces above each other do not exceed
_OVERLAP = 0.5  # of the shorter side: what is above or beside each other
_NEAR = 0.1  # of the typical size, across which broken strokes go on
_TINY = 0.025  # of a row's height; less is the paper's grain
_FAR_OFF = 0.8  # heights above or below a row's middle, where none of its signs lie
_BESIDE = 1.2  # heights left or right of a row, likewise
_STEEPEST = 35  # degrees, by which a page is turned back
_ENOUGH = 80  # figures, to find that out
_LEVEL = 3.0  # degrees: a row that slopes by less is read as it is
_MOST_FIGURES = 400  # on one page


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

    @property
    def n_figures(self) -> int:
        """How many may be digits by their size."""
        return sum(len(row.figures) for row in self.rows)

    def box_on_page(self, box: Box) -> Box:
        """Where on the page that was given a box of the sheet is."""
        if not self.degrees:
            return box
        corners = np.array([[x, y] for x in (box.left, box.right) for y in (box.top, box.bottom)])
        sin, cos = np.sin(np.radians(self.degrees)), np.cos(np.radians(self.degrees))
        x, y = (corners - np.array(self.ink.shape[::-1]) / 2.0).T
        height, width = self.shape
        back = np.stack([cos * x - sin * y + width / 2.0, sin * x + cos * y + height / 2.0])
        back = back.round(6)  # a quarter turn is exact
        (left, top), (right, bottom) = np.floor(back.min(axis=1)), np.ceil(back.max(axis=1))
        return Box(
            max(int(left), 0), max(int(top), 0), min(int(right), width), min(int(bottom), height)
        )


def sheet_of(mask: Mask, ink: Ink, quarter_turns: int = 0) -> Sheet:
    """Turn a page's ink so that its rows are level, and part it.

    The mask says which ink may be writing.  Quarter turns, counter-clockwise, are made before.
    """
    from scipy import ndimage

    shape = (ink.shape[0], ink.shape[1])
    mask, ink = np.rot90(mask, quarter_turns), np.rot90(ink, quarter_turns)
    numbers, pieces = find_pieces(mask)
    typical = typical_size(pieces)
    degrees = _slope(large_boxes(pieces, typical), typical)
    if abs(degrees) > _LEVEL:
        levels = np.where(ndimage.binary_dilation(mask), ink, np.float32(0.0))
        ink = turned(levels, degrees)
        numbers, pieces = find_pieces(ink >= 0.5)
        typical = typical_size(pieces)
    else:
        degrees = 0.0
    unused = count(int(numbers.max()) + 1)
    found = _rows(pieces, typical) if typical >= least_size(ink) else []
    rows = [row._replace(parts=cut_apart(row.parts, row.height, numbers, unused)) for row in found]
    return Sheet(ink, numbers, tuple(rows), 90.0 * quarter_turns + degrees, shape)


def turned(ink: Ink, degrees: float) -> Ink:
    """The same turned counter-clockwise, on as much paper as that needs."""
    if not degrees:
        return ink
    image = Image.fromarray(ink).rotate(degrees, Image.Resampling.BILINEAR, expand=True)
    return np.asarray(image)


def typical_size(pieces: Sequence[Piece]) -> float:
    """Longer side of a typical piece, of two the larger: the other may be a part of it.

    Small marks on the paper may be more than there are digits, but have less ink.
    """
    if not pieces:
        return 0.0
    sizes, areas = np.array(sorted((piece.box.size, piece.area) for piece in pieces)).T
    most = sizes[np.searchsorted(np.cumsum(areas), areas.sum() / 2.0)]  # most ink is as large
    sizes = sizes[sizes >= _SAME_SIZE * most]
    return float(sizes[len(sizes) // 2])


def large_boxes(pieces: Sequence[Piece], typical: float) -> list[Box]:
    """Boxes of what may be a digit by its size: large pieces, united where a stroke is broken.

    Where there are too many for a page, it is a texture, and they are none.
    """
    least, most = _SAME_SIZE * typical, _HUGE * typical
    large = [p.box for p in pieces if least <= p.box.size and p.box.height <= most]
    if len(large) > _MOST_FIGURES:
        return []
    joined: list[Box] = []
    for box in sorted(large, key=lambda box: box.top):
        # Those before the first that is too far above are too.
        near = takewhile(
            lambda k, box=box: box.bottom - joined[k].top < _TALLEST * typical,  # type: ignore[misc]
            range(len(joined) - 1, -1, -1),
        )
        goes_on = next((k for k in near if _is_one(joined[k], box, typical)), None)
        if goes_on is None:
            joined.append(box)
        else:
            joined[goes_on] = box.union(joined[goes_on])
    return joined


def _is_one(above: Box, box: Box, typical: float) -> bool:
    """Whether two boxes are of one digit: below each other, or where a slanted stroke is broken."""
    across, down = box.overlap(above)
    if across > _OVERLAP * min(box.width, above.width):
        return True
    return down < 0.2 * min(box.height, above.height) and box.gap(above) < _NEAR * typical


def _slope(boxes: Sequence[Box], typical: float) -> float:
    """Degrees by which rows fall to the right: where the middles of figures are most in line."""
    if len(boxes) < 3:
        return 0.0
    boxes = boxes[:: -(-len(boxes) // _ENOUGH)]
    x, y = np.array([[b.left + b.right, b.top + b.bottom] for b in boxes], np.float64).T / 2.0
    degrees = np.arange(-_STEEPEST, _STEEPEST + 1.0)
    angles = np.radians(degrees)[:, None]
    heights = (y * np.cos(angles) - x * np.sin(angles)) / (0.12 * typical)
    apart = heights[:, :, None] - heights[:, None, :]
    in_line = np.exp(-0.5 * apart**2).sum(axis=(1, 2)) / len(boxes)
    return float(degrees[np.argmax(in_line * (1.0 - np.abs(degrees) / 150.0))])


def _rows(pieces: Sequence[Piece], typical: float) -> list[Row]:
    boxes = large_boxes(pieces, typical)
    if not boxes:
        return []
    rows = sorted((row_of(chain, ()) for chain in in_chains(boxes)), key=lambda row: row.middle)
    left, right, height, middle, slope = np.array(
        [(r.figures[0].left, max(b.right for b in r.figures), *r[2:]) for r in rows]
    ).T
    parts: list[list[Piece]] = [[] for _ in rows]
    for piece in pieces:
        box = piece.box
        x, y = (box.left + box.right) / 2.0, (box.top + box.bottom) / 2.0
        beside = np.maximum(0.0, np.maximum(left - x, x - right)) / height
        off = np.abs(y - middle - slope * x) / height
        fits = (beside <= _BESIDE) & (off < _FAR_OFF) & (box.height <= _HUGE * height)
        fits &= box.size >= _TINY * height
        if fits.any():
            parts[int(np.argmin(np.where(fits, off + 0.2 * beside, np.inf)))].append(piece)
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
