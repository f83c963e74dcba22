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

from mnist_net.pictures.cuts import cut_apart
from mnist_net.pictures.ink import Ink, Levels, traces_of
from mnist_net.pictures.pieces import Mask, Piece, find_pieces
from mnist_net.pictures.rows import Row, Sheet, large_boxes, row_of, typical_size
from mnist_net.pictures.straight import Line, painted, runs_of, straight_lines

_LEAST_CELLS = 2
_MOST_CELLS = 1_500  # with more, it is a texture
_LEAST_SIDE = 10  # pixels of a cell
_FAINT = (0.2, 0.3, 0.4)  # ink of a line, which is often thinner than strokes, and grey
_THICKEST = 0.02  # of the picture's longer side
_RATHER_MORE = 0.2  # the doubt that twice as many lines make up for, over log 2
_LEAST_LENGTH = 0.25  # of the picture's side
_SHORTER = 0.6  # of the longest line's length, that the others have at least
_FAR_SHORTER = 0.75  # of the usual line's length, below which it is strokes in a row
_TWO = 1.6  # usual gaps between two lines, of which one between them was not found
_MIDDLE = 0.15  # of that gap, by which it may be off its middle
_WHOLE = 0.6  # of its extent, on which a line has ink
_STEEPEST = 0.25  # slope: of a page that is seen at an angle
_MOST_LINES = 400  # before those go that are others again
_PENCIL = 5  # lines of a family, to know how they are seen in perspective, ...
_MOST_OFF = 0.3  # ... the part of them that may be seen otherwise, ...
_OFF_PENCIL = 0.1  # ... and of the usual gap, by which such a one is off at its ends
_MET = 0.5  # of the lines of the other family, which a line crosses
_BEYOND = 0.1  # of its extent, by which a line may end too early
_OFF_END = 0.03  # of its extent, by which a line of a table may go on, or end too early
_STRAY = 0.02  # of a line's ink at either end
_BESIDE = 2.0  # pixels beside a line, which all that is written leaves
_BENT = 4.0  # pixels by which a line's ink may be off it
_LARGER = 1.5  # sides of a cell, which nothing that is written in one exceeds
_LARGE = 0.25  # of a cell's side, which what is written in it reaches


class Lines(NamedTuple):
    """A table's lines, each family from the top or the left, and where there is ink of any line."""

    level: list[Line]
    upright: list[Line]
    ink: Mask

    @property
    def doubt(self) -> float:
        """That these are all of its lines: less where there are many, evenly apart."""
        return _doubt(self.level) + _doubt(self.upright)

    @property
    def are_a_table(self) -> bool:
        """Whether there are cells between them."""
        n_cells = (len(self.level) - 1) * (len(self.upright) - 1)
        return _LEAST_CELLS <= n_cells <= _MOST_CELLS


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


def lines_of(ink: Ink) -> Lines:
    """The lines that may be a table's.

    The ink is all that there is: lines too that are nowhere as dark as strokes (see `find_traces`).
    """
    return min((_lines_of(ink >= level) for level in _FAINT), key=lambda lines: lines.doubt)


def _lines_of(mask: Mask) -> Lines:
    across, down = _long_lines(mask), _long_lines(mask.T)
    ink = painted(across, mask.shape) | painted(down, mask.T.shape).T
    while True:
        level, upright = _crossing(_apart(across), _apart(down))
        amiss = _amiss(level, upright) or _off_pencil(level) | _off_pencil(upright)
        if not amiss:
            return Lines(level, upright, ink)
        across, down = ([one for one in lines if id(one) not in amiss] for lines in (across, down))


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


def _amiss(level: list[Line], upright: list[Line]) -> set[int]:
    """Identities of lines that neither end at the table's border nor are it, where most do.

    So is a crease, the edge of a shadow, or strokes of digits below each other.
    """
    if not level:
        return set()
    ends = _at_border(level, upright), _at_border(upright, level)
    amiss: set[int] = set()
    for lines, own, others in zip((level, upright), ends, reversed(ends), strict=True):
        if own.all(axis=1).mean() > _MET:
            fit: Mask = np.array(own.any(axis=1))
            fit[[0, -1]] |= others.mean(axis=0) > _MET
            amiss |= {id(line) for line, fits in zip(lines, fit, strict=True) if not fits}
    return amiss


def _off_pencil(lines: list[Line]) -> set[int]:
    """Identities of lines that are not parallel to most others, as the table lies.

    Parallel lines, seen in perspective, go through one point: from line to line, the slope changes
    evenly with the height (fitted as by Theil and Sen).  The edge of a fold goes elsewhere.
    """
    if len(lines) < _PENCIL:
        return set()
    heights, slopes = _heights(lines), np.array([line.slope for line in lines])
    first, second = np.triu_indices(len(lines), 1)
    turn = np.median((slopes[second] - slopes[first]) / (heights[second] - heights[first]))
    off = slopes - turn * heights
    reach = np.median([np.ptp(_ends(line)) for line in lines]) / 2.0
    off_at_ends = np.abs(off - np.median(off)) * reach / np.median(np.diff(heights))
    amiss = off_at_ends > _OFF_PENCIL
    if amiss.mean() > _MOST_OFF:
        return set()
    return {id(line) for line, is_off in zip(lines, amiss, strict=True) if is_off}


def _at_border(lines: list[Line], others: list[Line]) -> Mask:
    """Whether each line begins at the first of the others, and ends at the last: N × 2."""
    borders = [
        [_crossing_of(line, other)[0] for other in (others[0], others[-1])] for line in lines
    ]
    off = np.array(borders) - [_ends(line) for line in lines]
    return np.abs(off) <= _OFF_END * np.abs(np.diff(borders))


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


def grid_of(ink: Ink, table: Lines, lines: Mask) -> Grid:
    """The cells between the lines of a table, and what is written in them.

    The lines' ink is what there is of any line in this ink, which may be another than that in which
    the table was found.
    """
    level, upright = table.level, table.upright
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
    gaps = [float(np.median(np.diff(_heights(lines)))) for lines in (level, upright)]
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
