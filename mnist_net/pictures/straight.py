"""Straight lines on a mask of ink, nearly level, broken by noise or crossed by strokes.

A line is many short runs of ink, one in each column, whose middles lie in a straight row (Hough,
1962; Duda and Hart, 1972: they vote for slope and height).  Where a stroke crosses, the run is
longer: so what is taken of a line is no stroke's.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mnist_net.pictures.pieces import Mask

STEEPEST = 0.12
"""Slope of a line, unless it is said how steep it may be."""

_SAMPLES = 240  # columns that vote
_MOST_VOTES = 10_000_000  # counts on either side of the level: a long strip's slopes are coarse
_MOST_TRIALS = 400  # peaks that are looked at
_FREE = 0.5  # of its length, on which no stroke meets a line
_NEAR = 1.5  # rows from a line
_THICKER = 1.5  # times the usual thickness, where a stroke crosses


class Runs(NamedTuple):
    """Runs of ink, each in one column: from `top` to `bottom`, exclusive."""

    column: npt.NDArray[np.int64]
    top: npt.NDArray[np.int64]
    bottom: npt.NDArray[np.int64]

    def chosen(self, which: npt.NDArray[np.bool_]) -> "Runs":
        """Some of them."""
        return Runs(*(part[which] for part in self))


class Line(NamedTuple):
    """A straight line: its height at column 0, and how many rows it falls a column.

    The runs are what is no stroke's, nor an earlier line's; the columns all that have ink there.
    """

    height: float
    slope: float
    runs: Runs
    columns: npt.NDArray[np.int64]

    @property
    def length(self) -> int:
        """Columns with ink."""
        return len(self.columns)

    @property
    def deviation(self) -> float:
        """Rows by which its ink is off: what lies at a line by chance, is anywhere near it."""
        middles = (self.runs.top + self.runs.bottom) / 2.0
        return float((middles - self.heights(self.runs.column)).std())

    @property
    def thickness(self) -> float:
        """Rows of its ink, in a typical column."""
        return float(np.median(self.runs.bottom - self.runs.top))

    @property
    def ends(self) -> tuple[int, int]:
        """Columns of its ink: the first, and that after the last."""
        return int(self.runs.column.min()), int(self.runs.column.max()) + 1

    def heights(self, columns: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Row of the line at each of some columns."""
        return self.height + self.slope * np.asarray(columns, np.float64)


def runs_of(mask: Mask) -> Runs:
    """All runs of ink, column by column."""
    ends = np.diff(np.pad(mask.T, ((0, 0), (1, 1))).view(np.int8), axis=1)
    column, top = np.nonzero(ends > 0)
    return Runs(column, top, np.nonzero(ends < 0)[1])


def straight_lines(
    runs: Runs, thickest: float, least: float, most: int, steepest: float = STEEPEST
) -> list[Line]:
    """Lines that are at most so thick, and have ink in so many columns at least; longest first."""
    thin = runs.chosen(runs.bottom - runs.top <= thickest)
    width = int(thin.column.max(initial=0)) + 1
    step = 1 + width // _SAMPLES
    voting = thin.column % step == 0
    if not voting.any():
        return []
    x, y = thin.column[voting], (thin.top + thin.bottom)[voting] / 2.0
    furthest = int(np.ceil(steepest * width / 2.0))  # two rows each, at the last column
    n_places = int(np.ptp(y)) + 4 * furthest + 4
    slopes = np.linspace(-steepest, steepest, 2 * min(furthest, _MOST_VOTES // n_places) + 1)
    rows = np.floor(y - slopes[:, None] * x).astype(np.int64)
    lowest = int(rows.min())
    n_rows = int(rows.max()) - lowest + 2
    places = rows - lowest + n_rows * np.arange(len(slopes))[:, None]
    votes = np.bincount(places.ravel(), minlength=n_rows * len(slopes))
    votes[:-1] += votes[1:]  # each peak is two rows wide
    peaks = np.flatnonzero(votes >= _FREE * least / step)
    peaks = peaks[np.argsort(-votes[peaks], kind="stable")][:_MOST_TRIALS]
    lines: list[Line] = []
    free = np.ones(len(thin.column), bool)
    for peak in peaks:
        line = _line_at(
            peak % n_rows + lowest + 1.0, float(slopes[peak // n_rows]), runs, thin, free
        )
        if line is not None and line.length >= least:
            lines.append(line)
        if len(lines) == most:
            break
    return lines


def _line_at(height: float, slope: float, runs: Runs, thin: Runs, free: Mask) -> Line | None:
    """The line at a place; which thin runs are free for others yet is changed in place."""
    off = np.abs((thin.top + thin.bottom) / 2.0 - height - slope * thin.column)
    thickness = thin.bottom - thin.top
    near = free & (off <= _NEAR)
    if not near.any():
        return None
    usual = float(np.median(thickness[near]))
    near = free & (off <= _NEAR + usual / 3.0)
    own = thin.chosen(near & (thickness <= _THICKER * usual + 1.0))
    if not len(own.column):
        return None
    free &= ~near
    place = height + slope * runs.column
    met = (runs.top <= place + _NEAR) & (runs.bottom >= place - _NEAR)
    return Line(height, slope, own, np.unique(runs.column[met]))


def painted(lines: list[Line], shape: tuple[int, ...]) -> Mask:
    """Where lines have ink, rows × columns."""
    found = np.zeros((shape[0] + 1, shape[1]), np.int8)
    for line in lines:
        np.add.at(found, (line.runs.top, line.runs.column), 1)
        np.add.at(found, (line.runs.bottom, line.runs.column), -1)
    return np.cumsum(found[:-1], axis=0, dtype=np.int8) > 0
