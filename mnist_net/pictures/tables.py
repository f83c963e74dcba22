"""The lines of a table: two families of straight lines that cross each other, in perspective too.

A line need neither be whole nor dark: it is one by all of its length.  Others lie on a page as
straight as these, and cross them: creases, edges of shadows, strokes of digits below each other.
A table's are those that end where it does, and are evenly apart.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from mnist_net.pictures.ink import Ink, Levels
from mnist_net.pictures.pieces import Mask
from mnist_net.pictures.straight import Line, painted, runs_of, straight_lines

_LEAST_CELLS = 2
_MOST_CELLS = 1_500  # with more, it is a texture
_LEAST_SIDE = 10  # pixels of a cell
_FAINT = (0.14, 0.28, 0.5)  # ink of a line, which is often thinner than strokes, and grey
_THICKEST = 0.02  # of the picture's longer side
_RATHER_MORE = 0.3  # the doubt that twice as many lines make up for, over log 2
_LEAST_LENGTH = 0.25  # of the picture's side
_SHORTER = 0.6  # of the longest line's length, that the others have at least
_FAR_SHORTER = 0.75  # of the usual line's length, below which it is strokes in a row
_TWO = 1.6  # usual gaps between two lines, of which one between them was not found
_MIDDLE = 0.15  # of that gap, by which it may be off its middle
_WHOLE = 0.6  # of its extent, on which a line has ink
_DENSE = 0.4  # of the picture that is ink: so there are lines everywhere
_UNSTEADY = 0.7  # rows by which the ink of a usual line is off
_STEEPEST = 0.25  # slope: of a page that is seen at an angle
_MOST_LINES = 400  # before those go that are others again
_PENCIL = 5  # lines of a family, to know how they are seen in perspective, ...
_MOST_OFF = 0.3  # ... the part of them that may be seen otherwise, ...
_OFF_PENCIL = 0.1  # ... and of the usual gap, by which such a one is off at its ends
_MET = 0.5  # of the lines of the other family, which a line crosses
_BEYOND = 0.1  # of its extent, by which a line may end too early
_OFF_END = 0.03  # of its extent, by which a line of a table may go on, or end too early
_STRAY = 0.02  # of a line's ink at either end
_AT_EDGE = 0.03  # of the picture's side: a line that ends there may go on, ...
_EDGE = 2  # ... if it has ink in the outermost columns
_SURER = 3.0  # a vote is e to the power of so many times minus its doubt


class Lines(NamedTuple):
    """A table's lines, each family from the top or the left.

    There is also where any line has ink, and where those have that leave the picture.
    """

    level: list[Line]
    upright: list[Line]
    ink: Mask
    leaving: Mask

    @property
    def doubt(self) -> float:
        """That these are all of its lines: less where there are many, evenly apart."""
        return _doubt(self.level) + _doubt(self.upright)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of cells between them."""
        return max(len(self.level) - 1, 0), max(len(self.upright) - 1, 0)

    @property
    def are_drawn(self) -> bool:
        """Whether they are as straight as drawn lines, and not as grains that lie in a row."""
        deviations = [line.deviation for line in self.level + self.upright]
        return bool(deviations) and float(np.median(deviations)) <= _UNSTEADY

    @property
    def are_a_table(self) -> bool:
        """Whether there are cells between them."""
        return self.are_drawn and _LEAST_CELLS <= math.prod(self.shape) <= _MOST_CELLS


def lines_of(ink: Ink) -> Lines:
    """The lines that may be a table's.

    The ink is all that there is: lines too that are nowhere as dark as strokes (see `find_traces`).
    Faint levels show most lines, but would take more of the strokes that meet these with them: of
    the levels that show the same, the darkest is taken.
    """
    ways = [lines for level in _FAINT for lines in _ways(ink >= level)]
    surest = min(ways, key=lambda lines: (not lines.are_drawn, lines.doubt))
    as_sure = (surest.are_drawn, surest.shape)
    return [lines for lines in ways if (lines.are_drawn, lines.shape) == as_sure][-1]


def most_seen(ways: Sequence[Lines]) -> Lines | None:
    """The surest of those that show the table as most ways do; None where there is no table."""
    tables = [lines for lines in ways if lines.are_a_table]
    votes: dict[tuple[int, int], float] = defaultdict(float)
    for lines in tables:
        votes[lines.shape] += math.exp(-_SURER * lines.doubt)
    alike = (lines for lines in tables if votes[lines.shape] == max(votes.values()))
    return min(alike, key=lambda lines: lines.doubt, default=None)


def _ways(mask: Mask) -> Iterator[Lines]:
    """All lines, and only those that end on the picture: creases and shadows often do not."""
    across, down = ([], []) if mask.mean() > _DENSE else (_long_lines(mask), _long_lines(mask.T))
    within_across, leaving_across = _parted(across, mask.shape[1])
    within_down, leaving_down = _parted(down, mask.shape[0])
    ink = painted(across, mask.shape) | painted(down, mask.T.shape).T
    leaving = painted(leaving_across, mask.shape) | painted(leaving_down, mask.T.shape).T
    yield Lines(*_crossing_alike(across, down), ink, leaving)
    yield Lines(*_crossing_alike(within_across, within_down), ink, leaving)


def _parted(lines: Sequence[Line], side: int) -> tuple[list[Line], list[Line]]:
    """Lines that end on a picture of so many columns, and those that go on at its edge."""
    edge = _AT_EDGE * side
    parts: tuple[list[Line], list[Line]] = [], []
    for line in lines:
        first, last = _ends(line)
        begins = first < edge and line.columns.min() < _EDGE
        ends = last > side - edge and line.columns.max() >= side - _EDGE
        parts[bool(begins or ends)].append(line)
    return parts


def _crossing_alike(across: list[Line], down: list[Line]) -> tuple[list[Line], list[Line]]:
    """Those of either family that cross the other's, end where most do, and are parallel."""
    while True:
        level, upright = _crossing(_apart(across), _apart(down))
        amiss = _amiss(level, upright) or _off_pencil(level) | _off_pencil(upright)
        if not amiss:
            return level, upright
        across, down = ([one for one in lines if id(one) not in amiss] for lines in (across, down))


def _doubt(lines: list[Line]) -> float:
    """That these are all lines of one family: how much the gaps vary from one to the next.

    Where lines are missing, or strokes in a row are taken for one, they vary most.
    """
    if len(lines) < 2:
        return np.inf
    gaps = np.log(np.diff(heights_of(lines)))
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
    middle, heights = _middle(kept), heights_of(kept)
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


def heights_of(lines: Sequence[Line]) -> Levels:
    """Heights of a family's lines, in its middle."""
    middle = _middle(lines)
    return np.array([float(line.heights(middle)) for line in lines])


def _from_top(lines: Sequence[Line]) -> list[Line]:
    return [lines[k] for k in np.argsort(heights_of(lines), kind="stable")]


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
    heights, slopes = heights_of(lines), np.array([line.slope for line in lines])
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
