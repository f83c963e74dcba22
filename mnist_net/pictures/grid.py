"""Cells of a table that is drawn in lines: a sudoku, a form, a register.

A table is two families of straight lines that cross each other, in perspective too, and each cell
lies between two neighbours of either family.  A line need neither be whole nor dark: it is one by
all of its length.  What is written in a cell is the ink within it.
"""

from collections.abc import Sequence
from itertools import count
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mnist_net.pictures.ink import Ink, Levels, traces_of
from mnist_net.pictures.pieces import Mask, Piece, find_pieces
from mnist_net.pictures.rows import Row, Sheet, cut_apart, large_boxes, row_of, typical_size
from mnist_net.pictures.straight import Line, painted, runs_of, straight_lines

_LEAST_CELLS = 2
_MOST_CELLS = 1_500  # with more, it is a texture
_LEAST_SIDE = 10  # pixels of a cell
_FAINT = (0.2, 0.3, 0.4)  # ink of a line, which is often thinner than strokes, and grey
_THICKEST = 0.02  # of the picture's longer side
_RATHER_MORE = 0.15  # the doubt that twice as many lines make up for, over log 2
_LEAST_LENGTH = 0.25  # of the picture's side
_SHORTER = 0.6  # of the longest line's length, that the others have at least
_FAR_SHORTER = 0.75  # of the usual line's length, below which it is strokes in a row
_TWO = 1.6  # usual gaps between two lines, of which one between them was not found
_MIDDLE = 0.15  # of that gap, by which it may be off its middle
_WHOLE = 0.6  # of its extent, on which a line has ink
_STEEPEST = 0.25  # slope: of a page that is seen at an angle
_MOST_LINES = 400  # before those go that are others again
_MET = 0.5  # of the lines of the other family, which a line crosses
_BEYOND = 0.1  # of its extent, by which a line may end too early
_STRAY = 0.02  # of a line's ink at either end
_BESIDE = 2.0  # pixels beside a line, which all that is written leaves
_BENT = 4.0  # pixels by which a line's ink may be off it
_LARGE = 0.25  # of a cell's side, which what is written in it reaches


class Grid(NamedTuple):
    """A table's cells.

    Attributes
    ----------
    sheet
        What is written in them, each cell a row.
    cells
        From the top, each row from the left: the number of its row on the sheet, or None.
    doubt
        That these are all of its lines: less where there are many, evenly apart.
    """

    sheet: Sheet
    cells: tuple[tuple[int | None, ...], ...]
    doubt: float


def grid_of(ink: Ink) -> Grid | None:
    """The table of a page; None if there is none.

    The ink is all that there is: lines too that are nowhere as dark as strokes (see `find_traces`).
    """
    found = [_lines_of(ink >= level) for level in _FAINT]
    level, upright, lines = min(found, key=lambda one: sum(map(_doubt, one[:2])))
    if not _LEAST_CELLS <= (len(level) - 1) * (len(upright) - 1) <= _MOST_CELLS:
        return None
    return Grid(*_filled(ink, lines, level, upright), doubt=_doubt(level) + _doubt(upright))


def _lines_of(mask: Mask) -> tuple[list[Line], list[Line], Mask]:
    """Level and upright lines of a table, and where there is ink of any line."""
    found = _long_lines(mask), _long_lines(mask.T)
    level, upright = _crossing(*map(_apart, found))
    return level, upright, painted(found[0], mask.shape) | painted(found[1], mask.T.shape).T


def _doubt(lines: list[Line]) -> float:
    """That these are all lines of one family: how much the gaps vary from one to the next.

    Where lines are missing, or strokes in a row are taken for one, they vary most.
    """
    if len(lines) < 2:
        return np.inf
    gaps = np.log(np.diff(_heights(lines)))
    uneven = float(np.abs(np.diff(gaps)).mean()) if len(gaps) > 1 else 0.0
    return uneven - _RATHER_MORE * np.log(len(gaps))


def _long_lines(mask: Mask) -> list[Line]:
    """All that may be a line, longest first."""
    thickest = max(4.0, _THICKEST * max(mask.shape))
    least = _LEAST_LENGTH * mask.shape[1]
    return straight_lines(runs_of(mask), thickest, least, _MOST_LINES, _STEEPEST)


def _apart(lines: Sequence[Line]) -> list[Line]:
    """Those that are no other again; from the top."""
    kept: list[Line] = []
    for line in sorted(lines, key=lambda line: -line.length):
        if line.length >= _SHORTER * (kept or [line])[0].length and _is_apart(line, kept):
            kept.append(line)
    if not kept:
        return []
    usual = float(np.median([line.length for line in kept]))
    kept = _from_top([line for line in kept if line.length >= _FAR_SHORTER * usual])
    middle, heights = _middle(kept), _heights(kept)
    for height, gap in zip(heights, np.diff(heights), strict=False):
        if gap > _TWO * np.median(np.diff(heights)):  # one of them is fainter than the others
            places = [float(line.heights(middle)) - height for line in lines]
            between = [k for k, place in enumerate(places) if abs(place - gap / 2) < _MIDDLE * gap]
            kept += [lines[k] for k in between[:1] if _is_apart(lines[k], kept)]
    return _from_top(kept)


def _is_apart(line: Line, others: Sequence[Line]) -> bool:
    """Whether it is whole, and nowhere near one of the others."""
    ends = np.array(_ends(line))
    gaps = [line.heights(ends) - other.heights(ends) for other in others]
    return line.length >= _WHOLE * (ends[1] - ends[0]) and all(
        abs(gap.sum()) > np.ptp(gap) and np.abs(gap).min() >= _LEAST_SIDE for gap in gaps
    )


def _middle(lines: Sequence[Line]) -> float:
    """Column in the middle of a table."""
    return float(np.mean([_ends(line) for line in lines]))


def _heights(lines: Sequence[Line]) -> Levels:
    """Where lines are there."""
    middle = _middle(lines)
    return np.array([float(line.heights(middle)) for line in lines])


def _from_top(lines: Sequence[Line]) -> list[Line]:
    return [lines[k] for k in np.argsort(_heights(lines), kind="stable")]


def _ends(line: Line) -> tuple[float, float]:
    """Columns between which nearly all of a line's ink is; beyond are grains of noise."""
    first, last = np.quantile(line.columns, (_STRAY, 1.0 - _STRAY))
    return float(first), float(last)


def _crossing(level: list[Line], upright: list[Line]) -> tuple[list[Line], list[Line]]:
    """Those that cross most of the other family, within the ends of both."""
    while True:
        met = np.array([[_cross(one, other) for other in upright] for one in level], bool)
        if not met.size:
            return [], []
        rows, columns = met.mean(axis=1) >= _MET, met.mean(axis=0) >= _MET
        if rows.all() and columns.all():
            return level, upright
        level = [line for line, kept in zip(level, rows, strict=True) if kept]
        upright = [line for line, kept in zip(upright, columns, strict=True) if kept]


def _cross(level: Line, upright: Line) -> bool:
    x, y = _crossing_of(level, upright)
    return all(
        begin - _BEYOND * (end - begin) <= place <= end + _BEYOND * (end - begin)
        for place, (begin, end) in ((x, _ends(level)), (y, _ends(upright)))
    )


def _crossing_of(level: Line, upright: Line) -> tuple[float, float]:
    """Column and row of the place where y = a + b x and x = c + d y."""
    x = (upright.height + upright.slope * level.height) / (1.0 - upright.slope * level.slope)
    return x, level.height + level.slope * x


def _filled(
    ink: Ink, lines: Mask, level: list[Line], upright: list[Line]
) -> tuple[Sheet, tuple[tuple[int | None, ...], ...]]:
    """Put what is written between the lines into cells."""
    row_at, over = _between(level, ink.shape)
    column_at, beside = (field.T for field in _between(upright, ink.shape[::-1]))
    off = np.minimum(over, beside)  # a digit may meet a line, and what does not leave it is none
    inner = (row_at >= 0) & (column_at >= 0) & ~(lines & (off <= _BENT))
    # Beside a table's lines what is written is faint: it is measured without them.
    sample = ink[inner & (off > _BESIDE)]
    traces = traces_of(np.where(inner, ink, np.float32(0.0)), _FAINT[0], sample)
    strokes = None if traces is None else traces.strokes()
    strokes = np.zeros_like(ink) if strokes is None else strokes
    numbers, _ = find_pieces(strokes >= 0.5)
    numbers, pieces = find_pieces(
        np.isin(numbers, np.unique(numbers[off > _BESIDE])) & (numbers > 0)
    )
    in_cell: dict[tuple[int, int], list[Piece]] = {}
    for piece in pieces:
        x, y = (piece.box.left + piece.box.right) // 2, (piece.box.top + piece.box.bottom) // 2
        in_cell.setdefault((int(row_at[y, x]), int(column_at[y, x])), []).append(piece)
    side = min(float(np.median(np.diff(_heights(lines)))) for lines in (level, upright))
    typical = typical_size([piece for piece in pieces if piece.box.size >= _LARGE * side])
    unused = count(int(numbers.max(initial=0)) + 1)
    rows: list[Row] = []
    found: dict[tuple[int, int], int] = {}
    for cell, some in in_cell.items():
        if boxes := large_boxes(some, typical):
            found[cell] = len(rows)
            rows.append(cut_apart(row_of(boxes, some), numbers, unused))
    return (
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
