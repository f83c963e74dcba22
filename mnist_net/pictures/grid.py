"""Cells of a table that is drawn in lines: a sudoku, a form, a register.

The lines hang together, and what they enclose are the cells, in perspective too: no line need be
straight, or found.  What is written in a cell is the ink within its hull.
"""

from itertools import count
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mnist_net.pictures.ink import Ink, Levels
from mnist_net.pictures.lines import LEAST_SIDE, Cell, cells_in
from mnist_net.pictures.pieces import Box, Mask, Piece, find_pieces
from mnist_net.pictures.rows import Row, Sheet, cut_apart, large_boxes, row_of, typical_size

_LEAST_CELLS = 2
_TILED = 0.3  # of its box that its cells fill at least: the loops of digits fill less
_MOST_INK = 0.6  # of its box that a table's lines fill
_FAINT = 0.2  # ink of a line, which is often thinner than strokes, and grey
_CLOSED = 2  # pixels, across which a broken line goes on
_UNLIKE = 0.4  # logarithm of a side's ratio to the usual one: no whole cell
_USUAL = 0.3  # quantile of the cells' sides
_UNEVEN = 0.25  # of a cell's side, by which rows of one height are off their places
_LARGER = 1.5  # times a cell, which one cell is not
_APART = 0.5  # of a cell's side, between the middles of two rows or columns


class Grid(NamedTuple):
    """Cells from the top, each row from the left: the number of its row on the sheet, or None."""

    sheet: Sheet
    cells: tuple[tuple[int | None, ...], ...]


def grid_of(ink: Ink) -> Grid | None:
    """The largest table of a page; None if there is none."""
    from scipy import ndimage

    faint = ink >= _FAINT
    numbers, pieces = find_pieces(ndimage.binary_closing(faint, np.ones((3, 3)), _CLOSED) | faint)
    for lines in sorted(pieces, key=lambda piece: -piece.box.width * piece.box.height)[:3]:
        own = lines.box.cut(numbers) == lines.number
        cells = cells_in(own) if lines.area <= _MOST_INK * own.size else []
        if sum(cell.inside.sum() for cell in cells) >= _TILED * own.size:
            places = _Places.of([cell.box for cell in cells], own)
            if places is not None:
                return _filled(lines.box, own, cells, places, ink)
    return None


class _Places(NamedTuple):
    """Where the rows and columns of a table are, once it is seen from above as a unit square."""

    from_above: npt.NDArray[np.float64]  # 3 × 3, projective
    rows: Levels
    columns: Levels

    @classmethod
    def of(cls, boxes: list[Box], lines: Mask) -> "_Places | None":
        """Of the cells that are whole: each row and column of a table has some."""
        y, x = np.nonzero(lines)
        corners = [int(k) for k in (np.argmin(x + y), np.argmax(x - y), np.argmax(x + y))]
        corners.append(int(np.argmin(x - y)))
        from_above = _to_unit_square(np.stack([x, y], axis=1)[corners].astype(np.float64))
        middles = _moved(np.array([_middle(box) for box in boxes]), from_above)
        found = []
        for axis, sides in ((1, [b.height for b in boxes]), (0, [b.width for b in boxes])):
            usual = float(np.quantile(sides, _USUAL))  # some are two that are not parted
            whole = np.abs(np.log(np.array(sides) / usual)) < _UNLIKE
            extent = usual / lines.shape[1 - axis]
            found.append(_evened(_clusters(middles[whole, axis], _APART * extent), extent))
        rows, columns = found
        return cls(from_above, rows, columns) if len(rows) * len(columns) >= _LEAST_CELLS else None

    def cell_at(self, box: Box) -> tuple[int, int]:
        """Number of the row, and of the column, that are nearest to a box."""
        ((x, y),) = _moved(np.array([_middle(box)]), self.from_above)
        return int(np.argmin(np.abs(self.rows - y))), int(np.argmin(np.abs(self.columns - x)))


def _middle(box: Box) -> tuple[float, float]:
    return (box.left + box.right) / 2.0, (box.top + box.bottom) / 2.0


def _to_unit_square(corners: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Projective map of four points, clockwise from the upper left, to the unit square."""
    equations, targets = [], []
    for (x, y), (u, v) in zip(corners, ((0, 0), (1, 0), (1, 1), (0, 1)), strict=True):
        equations += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        targets += [u, v]
    solution, *_ = np.linalg.lstsq(np.array(equations), np.array(targets, np.float64))
    return np.append(solution, 1.0).reshape(3, 3)


def _moved(points: npt.NDArray[np.float64], by: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    x, y, w = by @ np.column_stack([points, np.ones(len(points))]).T
    return np.stack([x / w, y / w], axis=1)


def _clusters(values: Levels, apart: float) -> Levels:
    """Means of what lies together."""
    values = np.sort(values)
    if not len(values):
        return values
    groups = np.split(values, np.flatnonzero(np.diff(values) > apart) + 1)
    return np.array([group.mean() for group in groups])


def _evened(places: Levels, extent: float) -> Levels:
    """All places of rows of one height, if these are some of them."""
    steps = np.diff(places)
    steps = steps[steps < 1.5 * extent]
    n = round(1.0 / float(np.median(steps) if len(steps) else extent))
    even = (np.arange(n) + 0.5) / n
    off = np.abs(places[:, None] - even).min(axis=1)
    return even if len(places) and (off < _UNEVEN / n).all() else places


def _filled(box: Box, lines: Mask, cells: list[Cell], places: _Places, ink: Ink) -> Grid:
    """Put what is written within the lines into cells."""
    mask, written = box.cut(ink) >= 0.5, np.zeros((box.height, box.width), bool)
    whole = _LARGER * float(np.quantile([place.width * place.height for place, _ in cells], _USUAL))
    for place, inside in cells:
        place.cut(written)[inside] = place.cut(mask)[inside]
        if place.width * place.height > whole:  # several that are not parted, but for rests of it
            place.cut(written)[place.cut(lines)] = False
    numbers, pieces = find_pieces(written)
    in_cell: dict[tuple[int, int], list[Piece]] = {}
    for piece in pieces:
        in_cell.setdefault(places.cell_at(piece.box), []).append(piece)
    typical = typical_size([piece for piece in pieces if piece.box.size >= LEAST_SIDE])
    unused = count(int(numbers.max(initial=0)) + 1)
    rows: list[Row] = []
    found: dict[tuple[int, int], int] = {}
    for cell, some in in_cell.items():
        if boxes := large_boxes(some, typical):
            found[cell] = len(rows)
            rows.append(cut_apart(row_of(boxes, some), numbers, unused))
    everywhere = np.zeros(ink.shape, np.int32)
    box.cut(everywhere)[...] = numbers
    moved = tuple(_row_moved(row, box) for row in rows)
    sheet = Sheet(ink, everywhere, moved, 0.0, (ink.shape[0], ink.shape[1]))
    return Grid(
        sheet,
        tuple(
            tuple(found.get((row, column)) for column in range(len(places.columns)))
            for row in range(len(places.rows))
        ),
    )


def _row_moved(row: Row, by: Box) -> Row:
    """The same row on the whole page."""
    return Row(
        tuple(part._replace(box=part.box.moved(by.left, by.top)) for part in row.parts),
        tuple(figure.moved(by.left, by.top) for figure in row.figures),
        row.height,
        row.middle + by.top - row.slope * by.left,
        row.slope,
    )
