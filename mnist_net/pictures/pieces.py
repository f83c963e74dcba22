"""Pieces of ink: what hangs together on a picture, where it is, and figures made of such pieces."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mnist_net.pictures.ink import Ink

Mask = npt.NDArray[np.bool_]

_MOST_PIECES = 1_000  # what is done with them takes the square of their number


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

    def overlap(self, other: "Box") -> tuple[int, int]:
        """Columns and rows that both have; negative if there are so many between them."""
        across = min(self.right, other.right) - max(self.left, other.left)
        return across, min(self.bottom, other.bottom) - max(self.top, other.top)

    def gap(self, other: "Box") -> float:
        """Distance of the nearest points of both."""
        across, down = self.overlap(other)
        return math.hypot(min(across, 0), min(down, 0))

    def moved(self, right: int, down: int) -> "Box":
        """The same, so many pixels further right and down."""
        return Box(self.left + right, self.top + down, self.right + right, self.bottom + down)

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

    The box is where it is in the picture; the ink has the soft edges around it too, and begins at
    the corner: a column and a row of the picture.
    """

    ink: Ink
    box: Box
    corner: tuple[int, int]

    def moved(self, right: int, down: int) -> "Figure":
        """The same, so many pixels further right and down."""
        corner = (self.corner[0] + right, self.corner[1] + down)
        return Figure(self.ink, self.box.moved(right, down), corner)


class Piece(NamedTuple):
    """Pixels of ink that hang together."""

    number: int
    area: int
    box: Box
    borders: int  # of the picture, that it touches
    cut_from: int = 0  # number of the piece that it is a part of; 0 if that was not cut

    @property
    def is_compact(self) -> bool:
        """Not twice as long as wide."""
        return self.box.size < 2 * min(self.box.width, self.box.height)

    @property
    def is_dot(self) -> bool:
        """Compact and full."""
        return self.is_compact and self.area > 0.6 * self.box.width * self.box.height

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


def is_of(pieces: Sequence[Piece], numbers: npt.NDArray[np.int32]) -> Mask:
    """Whether each pixel, by its number, is of one of some pieces; `numpy.isin`, but faster."""
    own = [piece.number for piece in pieces]
    table = np.zeros(max(own) + 2, bool)
    table[own] = True
    return table.take(numbers, mode="clip")  # the last is of none


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
    chosen = is_of(pieces, wide.cut(numbers))
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
