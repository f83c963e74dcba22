"""Where the digits are: pieces of ink, the pieces that belong together, rows, and reading order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mnist_net.ink import Ink

__all__ = ["Box", "Figure", "cut_places", "digit_rows", "main_figure", "panel", "part"]

Mask = npt.NDArray[np.bool_]

_LINE_THICKNESS = 0.05  # of the picture's other side, which a ruled line does not exceed
_SPECK = 0.02  # of the main piece's area; less is dirt
_LARGE = 0.12  # of the main piece's size; less is dirt too
_NEAR = 0.2  # of the main piece's size, across which pieces belong together
_SAME_SIZE = 0.4  # of the typical height, which a digit's piece reaches


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
    def is_block(self) -> bool:
        """Whether it is full of ink, as no digit but a 1 is."""
        width, height = self.box.width, self.box.height
        return min(width, height) > 0.4 * self.box.size and bool((self.ink >= 0.5).mean() > 0.9)

    def moved(self, right: int, down: int) -> "Figure":
        """The same, so many pixels further right and down."""
        left, top, *ends = self.box
        box = Box(left + right, top + down, ends[0] + right, ends[1] + down)
        return Figure(self.ink, box, (self.corner[0] + right, self.corner[1] + down))


class _Piece(NamedTuple):
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


def _pieces(mask: Mask) -> tuple[npt.NDArray[np.int32], list[_Piece]]:
    from scipy import ndimage

    numbers, n = ndimage.label(mask, np.ones((3, 3)))
    areas = np.bincount(numbers.ravel(), minlength=n + 1)[1:]
    pieces = []
    for k, (rows, columns) in enumerate(ndimage.find_objects(numbers)):
        box = Box(columns.start, rows.start, columns.stop, rows.stop)
        borders = (box.left == 0, box.top == 0, box.right == mask.shape[1])
        n_borders = sum((*borders, box.bottom == mask.shape[0]))
        pieces.append(_Piece(k + 1, int(areas[k]), box, n_borders))
    return numbers, pieces


def _figure(ink: Ink, numbers: npt.NDArray[np.int32], pieces: Iterable[_Piece]) -> Figure:
    """Ink of some pieces, with their soft edges."""
    from scipy.ndimage import binary_dilation

    pieces = list(pieces)
    box = _around(pieces)
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


def _around(pieces: Sequence[_Piece]) -> Box:
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
    numbers, pieces = _pieces(ndimage.binary_dilation(straight, np.ones((3, 3))))
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

    numbers, pieces = _pieces(ink >= 0.5)
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


def main_figure(ink: Ink) -> Figure | None:
    """The one digit of a picture, of all the ink that is on it.

    The main piece is large, central and off the border; with it go the pieces that are near it
    and no specks, such as the bar of a 5 or the dashes of a broken stroke.
    """
    numbers, pieces = _pieces(without_ruled_lines(ink >= 0.5))
    if not pieces:
        return None
    main = max(pieces, key=lambda piece: _prominence(piece, ink.shape))
    within = [p for p in pieces if p is main or (not p.borders and p.area > 0.05 * main.area)]
    extent = _around(within).size
    chosen, box = [main], main.box
    rest = [p for p in pieces if p is not main and (main.borders or not p.borders)]
    while near := [p for p in rest if _belongs(p, box, main, extent)]:
        chosen += near
        rest = [p for p in rest if p not in near]
        box = _around(chosen)
    return _figure(ink, numbers, chosen)


def _prominence(piece: _Piece, shape: tuple[int, ...]) -> float:
    box = piece.box
    off_centre = np.hypot(
        (box.left + box.right) / shape[1] - 1.0, (box.top + box.bottom) / shape[0] - 1.0
    )
    return float(
        np.sqrt(piece.area * box.size)
        * (1.0 - 0.5 * min(off_centre, 1.0))
        * 0.6 ** min(piece.borders, 2)
    )


def _belongs(piece: _Piece, box: Box, main: _Piece, extent: int) -> bool:
    gap = box.gap(piece.box)
    large = piece.box.size > _LARGE * main.box.size and piece.area > _SPECK * main.area
    alike = piece.area > 0.1 * main.area
    if piece.is_dot and piece.box.size < 0.3 * main.box.size and piece.box.left >= box.right:
        return False  # a full stop
    return (large and gap < _NEAR * main.box.size) or (
        alike and gap < max(3.0 * main.stroke, 0.06 * extent)
    )


def digit_rows(ink: Ink) -> list[list[Figure]]:
    """All that may be a digit, in rows from the top, each from left to right.

    Pieces of about the typical height are digits; smaller ones go with the nearest digit if they
    are close, and two pieces above each other are one digit if together they are no taller than
    digits are.
    """
    numbers, pieces = _pieces(without_ruled_lines(ink >= 0.5))
    if not pieces:
        return []
    typical = _typical_size(pieces)
    groups = [[p] for p in pieces if p.box.size >= _SAME_SIZE * typical]
    groups = _joined(groups, typical)
    for piece in pieces:
        if _LARGE * typical < piece.box.size < _SAME_SIZE * typical:
            gap, nearest = min(
                ((_around(group).gap(piece.box), group) for group in groups),
                key=lambda pair: pair[0],
            )
            if gap < 0.5 * _NEAR * typical:
                nearest.append(piece)
    return _rows([_figure(ink, numbers, group) for group in groups])


def _typical_size(pieces: list[_Piece]) -> float:
    sizes = np.sort([piece.box.size for piece in pieces])
    sizes = sizes[sizes >= _SAME_SIZE * np.quantile(sizes, 0.9)]
    return float(sizes[len(sizes) // 2])  # of two, the larger: the other may be a part of it


def _joined(groups: list[list[_Piece]], typical: float) -> list[list[_Piece]]:
    """Unite what lies above each other within the height of one digit."""
    groups = sorted(groups, key=lambda group: _around(group).top)
    joined: list[list[_Piece]] = []
    for group in groups:
        box = _around(group)
        for other in joined:
            above = _around(other)
            across = min(box.right, above.right) - max(box.left, above.left)
            down = min(box.bottom, above.bottom) - max(box.top, above.top)
            is_below = across > 0.5 * min(box.width, above.width)
            # A slanted stroke that is broken: the parts meet, and are not beside each other.
            goes_on = down < 0.2 * min(box.height, above.height) and (
                box.gap(above) < 0.5 * _NEAR * typical
            )
            if (is_below or goes_on) and box.union(above).height < 1.5 * typical:
                other.extend(group)
                break
        else:
            joined.append(list(group))
    return joined


def _rows(figures: list[Figure]) -> list[list[Figure]]:
    rows: list[list[Figure]] = []
    for figure in sorted(figures, key=lambda figure: figure.box.left):
        box = figure.box
        for row in rows:
            last = row[-1].box
            overlap = min(box.bottom, last.bottom) - max(box.top, last.top)
            if overlap > 0.4 * min(box.height, last.height):
                row.append(figure)
                break
        else:
            rows.append([figure])
    return sorted(rows, key=lambda row: np.mean([figure.box.top for figure in row]))


def cut_places(figure: Figure, most: int = 6) -> list[int]:
    """Columns at which a figure may be two digits that touch: where it has least ink."""
    from scipy import ndimage

    height, width = figure.ink.shape
    profile = (figure.ink >= 0.5).sum(axis=0).astype(np.float64)
    smooth = ndimage.gaussian_filter1d(profile, max(0.5, 0.02 * height), mode="constant")
    margin = max(2, round(0.12 * height))
    is_least = smooth == ndimage.minimum_filter1d(smooth, max(3, round(0.15 * height)))
    places = [int(x) for x in np.flatnonzero(is_least) if margin <= x <= width - margin]
    places = [x for x, before in zip(places, [-9, *places], strict=False) if x - before > 1]
    return sorted(sorted(places, key=lambda x: smooth[x])[:most])


def part(figure: Figure, begin: int, end: int) -> Figure | None:
    """Columns from begin to end (exclusive) of a figure; None if there is hardly ink."""
    ink = figure.ink[:, begin:end]
    rows, columns = (np.flatnonzero((ink >= 0.5).any(axis=axis)) for axis in (1, 0))
    if len(rows) < 0.3 * figure.ink.shape[0] or not len(columns):
        return None
    place = Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    left, top = figure.corner[0] + begin + place.left, figure.corner[1] + place.top
    box = Box(left, top, left + place.width, top + place.height)
    return Figure(place.cut(ink), box, (left, top))
