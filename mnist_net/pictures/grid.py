"""Cells of a table that is drawn in lines: a sudoku, a form, a register.

The lines hang together, and what they enclose are the cells, in perspective too: no line need be
straight, or found.  What is written in a cell is the ink within its hull.
"""

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from mnist_net.pictures.ink import Ink
from mnist_net.pictures.pieces import Box, Mask, Piece, find_pieces
from mnist_net.pictures.rows import (
    Row,
    Sheet,
    cut_apart,
    in_chains,
    large_boxes,
    row_of,
    typical_size,
)

_LEAST_CELL, _LARGEST_CELL = 0.2, 6.0  # of the median cell's area
_LEAST_SIDE = 8  # pixels of a cell
_LEAST_CELLS = 2
_MOST_INK = 0.6  # of its box that a table's lines fill
_CLOSED = 2  # pixels, across which a broken line goes on
_CLEAR = 2  # pixels beside a line that are not looked at


class Grid(NamedTuple):
    """Cells from the top, each row from the left: the number of its row on the sheet, or None."""

    sheet: Sheet
    cells: tuple[tuple[int | None, ...], ...]


def grid_of(ink: Ink) -> Grid | None:
    """The largest table of a page; None if there is none."""
    mask = ink >= 0.5
    numbers, pieces = find_pieces(ndimage.binary_closing(mask, np.ones((3, 3)), _CLOSED) | mask)
    for lines in sorted(pieces, key=lambda piece: -piece.box.width * piece.box.height)[:3]:
        if lines.area > _MOST_INK * lines.box.width * lines.box.height:
            continue
        cells = _cells(lines.box.cut(numbers) == lines.number)
        if len(cells) >= _LEAST_CELLS:
            return _filled(mask, ink, [_moved(cell, lines.box) for cell in cells])
    return None


class _Cell(NamedTuple):
    box: Box
    inside: Mask  # of the box


def _cells(lines: Mask) -> list[_Cell]:
    """What lines enclose."""
    enclosed, _ = ndimage.label(np.pad(~lines, 1, constant_values=True))
    outside = enclosed[0, 0]
    areas = np.bincount(enclosed.ravel())
    places = ndimage.find_objects(enclosed)
    cells = []
    for k, (rows, columns) in enumerate(places):
        box = Box(columns.start - 1, rows.start - 1, columns.stop - 1, rows.stop - 1)
        if k + 1 != outside and min(box.width, box.height) >= _LEAST_SIDE:
            cells.append((int(areas[k + 1]), box, enclosed[rows, columns] == k + 1))
    if not cells:
        return []
    # The median of what is not a digit's loop: by area, most of a table is in its cells.
    areas = np.sort([area for area, _, _ in cells])
    middle = float(areas[np.searchsorted(np.cumsum(areas), areas.sum() / 2.0)])
    return [
        _Cell(box, _hull(inside))
        for area, box, inside in cells
        if _LEAST_CELL * middle <= area <= _LARGEST_CELL * middle
    ]


def _hull(inside: Mask) -> Mask:
    """Convex hull, less a margin, of what is inside a cell: a digit may touch its lines."""
    from scipy.spatial import ConvexHull

    points = np.argwhere(inside & ~ndimage.binary_erosion(inside))
    corners = points[ConvexHull(points).vertices]
    image = Image.new("1", inside.shape[::-1])
    ImageDraw.Draw(image).polygon([(int(x), int(y)) for y, x in corners], fill=1)
    return np.asarray(ndimage.binary_erosion(np.asarray(image), iterations=_CLEAR))


def _moved(cell: _Cell, by: Box) -> _Cell:
    return cell._replace(box=cell.box.moved(by.left, by.top))


def _filled(mask: Mask, ink: Ink, cells: list[_Cell]) -> Grid:
    written = np.zeros_like(mask)
    of_cell = np.zeros(mask.shape, np.int32)
    for k, (box, inside) in enumerate(cells):
        box.cut(written)[inside] = box.cut(mask)[inside]
        box.cut(of_cell)[inside] = k + 1
    numbers, pieces = find_pieces(written)
    in_cells: list[list[Piece]] = [[] for _ in cells]
    for piece in pieces:
        own = piece.box.cut(numbers) == piece.number
        in_cells[int(piece.box.cut(of_cell)[own].max()) - 1].append(piece)
    typical = typical_size([piece for piece in pieces if piece.box.size >= _LEAST_SIDE])
    rows: list[Row] = []
    row_numbers: dict[Box, int | None] = {}
    for cell, some in zip(cells, in_cells, strict=True):
        boxes = large_boxes(some, typical)
        row_numbers[cell.box] = len(rows) if boxes else None
        if boxes:
            rows.append(cut_apart(row_of(boxes, some), numbers))
    chains = in_chains([cell.box for cell in cells])
    chains.sort(key=lambda chain: np.mean([box.top + box.bottom for box in chain]))
    sheet = Sheet(ink, numbers, tuple(rows), 0.0, (ink.shape[0], ink.shape[1]))
    return Grid(sheet, tuple(tuple(row_numbers[box] for box in chain) for chain in chains))
