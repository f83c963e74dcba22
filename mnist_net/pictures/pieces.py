"""Pieces of ink: what hangs together on a picture, its box, and what is no writing at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from mnist_net.arrays import Bytes
from mnist_net.pictures.ink import Ink

__all__ = [
    "Box",
    "Figure",
    "Piece",
    "around",
    "bounds",
    "figure_of",
    "find_pieces",
    "panel",
    "without_ruled_lines",
]

Mask = npt.NDArray[np.bool_]

_MOST_PIECES = 1_000  # what is done with them takes the square of their number
_ENOUGH = 300  # pixels of a figure's longer side, to compare it with what is around it
_FULL = 0.6  # of its box, which no digit but a 1 covers
_FAINT = 10.0  # grey levels: ink that differs by its colour alone
_ONE_SIDED = 0.15  # of the difference on the other side
_LINE_THICKNESS = 0.05  # of the picture's other side, which a ruled line does not exceed


class Box(NamedTuple):
    """Pixels from left to right (exclusive) and from top to bottom (exclusive)."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Columns."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Rows."""
        return self.bottom - self.top

    @property
    def size(self) -> int:
        """The longer side."""
        return max(self.width, self.height)

    def union(self, other: "Box") -> "Box":
        """Smallest box around both."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    def gap(self, other: "Box") -> float:
        """Distance of the nearest points of both."""
        across = max(self.left - other.right, other.left - self.right, 0)
        down = max(self.top - other.bottom, other.top - self.bottom, 0)
        return float(np.hypot(across, down))

    def scaled(self, factor: float) -> tuple[int, int, int, int]:
        """x, y, width and height in a picture so many times as large."""
        left, top, right, bottom = (round(edge * factor) for edge in self)
        return left, top, right - left, bottom - top

    def cut(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """That part of a picture."""
        return array[self.top : self.bottom, self.left : self.right]


@dataclass(frozen=True, slots=True)
class Figure:
    """Ink that may be a digit, without what else is there.

    Attributes
    ----------
    ink
        Cropped to the box and the soft edges around it.
    box
        Where it is in the picture.
    corner
        Column and row of the picture that the ink begins at.
    """

    ink: Ink
    box: Box
    corner: tuple[int, int]

    @property
    def is_blob(self) -> bool:
        """Whether a disc of half its size fits into the ink, as into no digit's."""
        from scipy.ndimage import distance_transform_edt

        side = 20
        scale = side / self.box.size
        size = (max(1, round(self.box.width * scale)), max(1, round(self.box.height * scale)))
        # Coarse, so that the paper's grain makes no holes.
        coarse = Image.fromarray(self.ink).resize(size, Image.Resampling.BOX)
        radius = distance_transform_edt(np.pad(np.asarray(coarse) >= 0.5, 1)).max()
        return bool(radius > side / 4)

    def is_side(self, width: int, height: int) -> bool:
        """Whether it covers one side of a picture of this size, as a shadow does."""
        left, top, right, bottom = self.box
        borders = (left == 0) + (top == 0) + (right == width) + (bottom == height)
        return borders == 3 and bool((self.ink >= 0.5).mean() > _FULL)

    def stands_out(self, pixels: Bytes) -> bool:
        """Whether the picture is lighter on all sides of it, or darker on all, and not on one.

        At the edge of a shadow one side is as dark as the strip that was taken for ink.
        """
        from scipy.ndimage import distance_transform_edt

        thickness = max(1.0, float((self.ink >= 0.5).sum()) / self.box.size / 2.0)
        margin = int(2.0 * thickness) + 2
        (left, top), (height, width) = self.corner, self.ink.shape
        wide = Box(max(left - margin, 0), max(top - margin, 0), left + width, top + height)
        levels = pixels[wide.top : wide.bottom + margin, wide.left : wide.right + margin]
        mask = np.zeros(levels.shape[:2], bool)
        mask[top - wide.top :, left - wide.left :][:height, :width] = self.ink >= 0.5
        step = 1 + self.box.size // _ENOUGH
        mask, levels = mask[::step, ::step], levels[::step, ::step].mean(axis=2)
        distance = distance_transform_edt(~mask) * step
        ring = (distance > 1.0 + thickness / 2.0) & (distance < 2.0 + 1.5 * thickness)
        if not (mask.any() and ring.any()):
            return True
        sides = np.quantile(levels[ring], (0.2, 0.8)) - np.median(levels[mask])
        lesser, greater = sorted(map(float, sides), key=abs)
        return abs(greater) < _FAINT or lesser / greater > _ONE_SIDED

    def moved(self, right: int, down: int) -> "Figure":
        """The same, so many pixels further right and down."""
        left, top, *ends = self.box
        box = Box(left + right, top + down, ends[0] + right, ends[1] + down)
        return Figure(self.ink, box, (self.corner[0] + right, self.corner[1] + down))


class Piece(NamedTuple):
    """Pixels of ink that hang together."""

    number: int
    area: int
    box: Box
    borders: int  # of the picture, that it touches

    @property
    def is_dot(self) -> bool:
        """Compact and full."""
        box = self.box
        return (
            box.size < 2 * min(box.width, box.height) and self.area > 0.6 * box.width * box.height
        )

    @property
    def stroke(self) -> float:
        """A guess at the width of its stroke."""
        return self.area / self.box.size


def find_pieces(mask: Mask) -> tuple[npt.NDArray[np.int32], list[Piece]]:
    """Number the pieces that hang together, corners included: 0 where there is none.

    Of very many, as a texture has, only the largest are told of, in the order of their numbers.
    """
    from scipy import ndimage

    numbers, n = ndimage.label(mask, np.ones((3, 3)))
    areas = np.bincount(numbers.ravel(), minlength=n + 1)[1:]
    pieces = []
    for k, (rows, columns) in enumerate(ndimage.find_objects(numbers)):
        box = Box(columns.start, rows.start, columns.stop, rows.stop)
        borders = (box.left == 0, box.top == 0, box.right == mask.shape[1])
        n_borders = sum((*borders, box.bottom == mask.shape[0]))
        pieces.append(Piece(k + 1, int(areas[k]), box, n_borders))
    if len(pieces) > _MOST_PIECES:
        largest = sorted(pieces, key=lambda piece: piece.area, reverse=True)[:_MOST_PIECES]
        pieces = sorted(largest, key=lambda piece: piece.number)
    return numbers, pieces


def figure_of(ink: Ink, numbers: npt.NDArray[np.int32], pieces: Sequence[Piece]) -> Figure:
    """Ink of some pieces, with their soft edges."""
    from scipy.ndimage import binary_dilation

    box = around(pieces)
    margin = 1 + box.height // 60
    height, width = ink.shape
    wide = Box(
        max(box.left - margin, 0),
        max(box.top - margin, 0),
        min(box.right + margin, width),
        min(box.bottom + margin, height),
    )
    chosen = np.isin(wide.cut(numbers), [piece.number for piece in pieces])
    chosen = binary_dilation(chosen, np.ones((3, 3)), iterations=margin)
    return Figure(np.where(chosen, wide.cut(ink), np.float32(0.0)), box, (wide.left, wide.top))


def bounds(mask: Mask) -> Box:
    """Smallest box around what is true, of which there is some."""
    columns, rows = (np.flatnonzero(mask.any(axis=axis)) for axis in (0, 1))
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def around(pieces: Sequence[Piece]) -> Box:
    """Smallest box around some pieces, of which there is at least one."""
    box = pieces[0].box
    for piece in pieces[1:]:
        box = box.union(piece.box)
    return box


def without_ruled_lines(mask: Mask) -> Mask:
    """Remove thin straight lines that cross the whole picture, but not where a stroke meets one."""
    for turned in (False, True):
        lines = _ruled_lines(mask.T if turned else mask)
        mask = mask & ~(lines.T if turned else lines)
    return mask


def _ruled_lines(mask: Mask) -> Mask:
    from scipy import ndimage

    height, width = mask.shape
    found = np.zeros_like(mask)
    if width < 40:
        return found
    straight = _long_runs(mask, width // 4)
    if not straight.any():
        return found
    numbers, pieces = find_pieces(ndimage.binary_dilation(straight, np.ones((3, 3))))
    for number, _, box, _ in pieces:
        thickness = box.height - 2
        if box.width < 0.95 * width or thickness > max(3.0, _LINE_THICKNESS * height):
            continue
        above, below = (
            mask[row] if 0 <= row < height else np.zeros(width, bool)
            for row in (box.top - 1, box.bottom)
        )
        above, below = (
            ndimage.binary_dilation(beyond, iterations=max(1, thickness))
            for beyond in (above, below)
        )
        band = (numbers[box.top : box.bottom] == number) & ~(above & below)
        found[box.top : box.bottom] |= band & mask[box.top : box.bottom]
    return found


def _long_runs(mask: Mask, length: int) -> Mask:
    """Horizontal runs of at least so many pixels: an opening, in time that no length adds to."""
    found = np.zeros_like(mask)
    rows = np.flatnonzero(np.count_nonzero(mask, axis=1) >= length)
    ends = np.diff(np.pad(mask[rows], ((0, 0), (1, 1))).astype(np.int8), axis=1)
    (row, begin), (_, end) = np.nonzero(ends > 0), np.nonzero(ends < 0)
    for k in np.flatnonzero(end - begin >= length):
        found[rows[row[k]], begin[k] : end[k]] = True
    return found


def panel(ink: Ink) -> Box | None:
    """A filled rectangle in the picture, within which the digit must be looked for.

    Such as a black screen on a white page.
    """
    from scipy.ndimage import binary_fill_holes

    numbers, pieces = find_pieces(ink >= 0.5)
    largest = max(pieces, key=lambda piece: piece.box.width * piece.box.height, default=None)
    if largest is None:
        return None
    box = largest.box
    box_area = box.width * box.height
    if largest.area < 0.5 * box_area or not 0.1 < box_area / ink.size < 0.98 or box.size < 12:
        return None
    filled = binary_fill_holes(box.cut(numbers) == largest.number)
    margin = max(1, box.size // 40)
    inner = Box(box.left + margin, box.top + margin, box.right - margin, box.bottom - margin)
    return inner if filled.mean() > 0.95 and min(inner.width, inner.height) > 4 else None
