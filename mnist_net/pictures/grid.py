"""Cells of a table that is drawn in lines: a sudoku, a form, a register.

Each cell lies between two neighbours of either family of lines, and what is written in it is the
ink within it.
"""

from itertools import count
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mnist_net.pictures.cuts import cut_apart
from mnist_net.pictures.ink import Ink, Levels, traces_of
from mnist_net.pictures.pieces import Piece, find_pieces
from mnist_net.pictures.rows import Row, Sheet, large_boxes, row_of, typical_size
from mnist_net.pictures.straight import Line
from mnist_net.pictures.tables import Lines, heights_of

_FAINTEST = 0.2  # ink of what is written in a cell, where it is lightest
_BESIDE = 2.0  # pixels beside a line, which all that is written leaves
_BENT = 4.0  # pixels by which a line's ink may be off it
_LARGER = 1.5  # sides of a cell, which nothing that is written in one exceeds
_LARGE = 0.25  # of a cell's side, which what is written in it reaches


class Grid(NamedTuple):
    """A table's cells.

    Attributes
    ----------
    sheet
        What is written in them, each cell a row.
    cells
        From the top, each row from the left: the number of its row on the sheet, or None.
    """

    sheet: Sheet
    cells: tuple[tuple[int | None, ...], ...]


def grid_of(ink: Ink, table: Lines, lines: Lines) -> Grid:
    """The cells between the lines of a table, and what is written in them.

    The lines are those of this ink, which may be another than that in which the table was found.
    Theirs is the ink along the table's, and what leaves the picture: a crease.
    """
    level, upright = table.level, table.upright
    row_at, over = _between(level, ink.shape)
    column_at, beside = (field.T for field in _between(upright, ink.shape[::-1]))
    off = np.minimum(over, beside)  # a digit may meet a line, and what does not leave it is none
    inner = (row_at >= 0) & (column_at >= 0) & ~(lines.ink & (off <= _BENT)) & ~lines.leaving
    # Beside a table's lines what is written is faint: it is measured without them.
    sample = ink[inner & (off > _BESIDE)]
    traces = traces_of(np.where(inner, ink, np.float32(0.0)), _FAINTEST, sample)
    strokes = None if traces is None else traces.strokes()
    strokes = np.zeros_like(ink) if strokes is None else strokes
    numbers, _ = find_pieces(strokes >= 0.5)
    numbers, pieces = find_pieces(
        np.isin(numbers, np.unique(numbers[off > _BESIDE])) & (numbers > 0)
    )
    gaps = [float(np.median(np.diff(heights_of(lines)))) for lines in (level, upright)]
    in_cell: dict[tuple[int, int], list[Piece]] = {}
    # What is larger than a cell lies on the table, or is a shadow.
    pieces = [
        p for p in pieces if p.box.height <= _LARGER * gaps[0] and p.box.width <= _LARGER * gaps[1]
    ]
    for piece in pieces:
        x, y = (piece.box.left + piece.box.right) // 2, (piece.box.top + piece.box.bottom) // 2
        in_cell.setdefault((int(row_at[y, x]), int(column_at[y, x])), []).append(piece)
    typical = typical_size([p for p in pieces if p.box.size >= _LARGE * min(gaps)])
    unused = count(int(numbers.max(initial=0)) + 1)
    rows: list[Row] = []
    found: dict[tuple[int, int], int] = {}
    for cell, some in in_cell.items():
        if boxes := large_boxes(some, typical):
            found[cell] = len(rows)
            row = row_of(boxes, some)
            rows.append(row._replace(parts=cut_apart(some, row.height, numbers, unused)))
    return Grid(
        Sheet(strokes, numbers, tuple(rows), 0.0, (ink.shape[0], ink.shape[1])),
        tuple(
            tuple(found.get((row, column)) for column in range(len(upright) - 1))
            for row in range(len(level) - 1)
        ),
    )


def _between(lines: list[Line], shape: tuple[int, ...]) -> tuple[npt.NDArray[np.int64], Levels]:
    """Of each pixel the number of the line above it, -1 outside, and how far the next one is."""
    rows, columns = np.indices(shape)
    number, off = np.full(shape, -1), np.full(shape, np.inf)
    for line in lines:
        below = rows - line.heights(columns)
        number += below > 0
        off = np.minimum(off, np.abs(below) - line.thickness / 2.0)
    number[number == len(lines) - 1] = -1
    return number, off
