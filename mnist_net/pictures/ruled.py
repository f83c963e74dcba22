"""Ruled and squared paper: thin straight lines that go across the whole picture."""

import numpy as np

from mnist_net.pictures.pieces import Mask, find_pieces
from mnist_net.pictures.straight import STEEPEST, Line, painted, runs_of, straight_lines

_LEAST_WIDTH = 40  # pixels of a picture that has ruled lines
_THICKNESS = 0.05  # of the picture's side, which a ruled line does not exceed
_FINE = 0.4  # of the ink for its size of what is written: so fine is no bar of a digit
_COVERED = 0.8  # of the picture's side, on which a ruled line has ink
_SPANNED = 0.95  # of the picture's side, from a ruled line's first ink to its last
_FRAGMENT = 0.35  # of the picture's side, likewise of one in a grid whose ink is faint
_MOST_LINES = 60
_LEAST_SQUARED = 4  # lines, than which squared paper has more
_ASLANT = 0.5  # steepest of its lines ...
_LEAST_OF_FAMILY = 3  # ... and how many of each family it has at least, for 1s are aslant too
_CROSSING = 2.5  # times its thickness, what is left of a line where another crosses it
_AT_BORDER = 0.02  # of the picture's side

Families = list[list[Line]]
"""Lines that are nearly level, and those that are nearly upright."""


def without_ruled_lines(mask: Mask) -> Mask:
    """Remove thin straight lines that cross the whole picture, but not where a stroke meets one."""
    found = [_long_lines(mask), _long_lines(mask.T)]
    sides = mask.shape[::-1]
    crossing = [
        [line for line in lines if line.ends[1] - line.ends[0] >= _SPANNED * side]
        for lines, side in zip(found, sides, strict=True)
    ]
    if min(map(len, crossing)) > 0 and sum(map(len, crossing)) > _LEAST_SQUARED:
        level, upright = _as_thin(found, crossing)
    elif aslant := _squared_aslant(mask):
        level, upright = aslant
    else:
        level, upright = (
            [line for line in lines if line.length >= _COVERED * side]
            for lines, side in zip(crossing, sides, strict=True)
        )
        if len(level) < 2 and _fills(mask):  # of a 7 that fills the picture, the bar is no line
            rest = mask & ~painted(level, mask.shape) & ~painted(upright, mask.T.shape).T
            bold = max((piece.stroke for piece in find_pieces(rest)[1]), default=0.0)
            level = [line for line in level if line.thickness <= _FINE * bold]
        if len(level) < 2:  # a 1 is slanted
            upright = [line for line in upright if abs(line.slope) * len(mask) <= 2.0]
    if not (level or upright):
        return mask
    removed = painted(level, mask.shape) | painted(upright, mask.T.shape).T
    return _without_crossings(mask & ~removed, max(line.thickness for line in level + upright))


def _as_thin(found: Families, crossing: Families) -> Families:
    """Of all lines of squared paper those that are as thin as those across the picture are."""
    usual = float(np.median([line.thickness for lines in crossing for line in lines]))
    return [[line for line in lines if line.thickness <= usual + 1.0] for lines in found]


def _squared_aslant(mask: Mask) -> Families | None:
    """The lines of squared paper that lies aslant; None if it is none.

    Several of each family go from one border of the picture to another, however short.  They are
    looked for only where about as much ink leaves the picture as so many lines would.
    """
    border = np.concatenate([mask[0], mask[:, -1], mask[-1, ::-1], mask[::-1, 0]])
    n_leaving = np.count_nonzero(np.diff(border.astype(np.int8)) > 0)
    if not 4 * _LEAST_OF_FAMILY - 2 <= n_leaving <= 2 * _MOST_LINES:  # one may be at a corner
        return None
    found = [_long_lines(side, _ASLANT) for side in (mask, mask.T)]
    crossing = [
        [line for line in lines if _is_across(line, side)]
        for lines, side in zip(found, (mask, mask.T), strict=True)
    ]
    return _as_thin(found, crossing) if min(map(len, crossing)) >= _LEAST_OF_FAMILY else None


def _is_across(line: Line, mask: Mask) -> bool:
    """Whether it goes from one border to another, however short."""
    (height, width), margin = mask.shape, 1.0 + _AT_BORDER * max(mask.shape)
    begin, end = line.ends
    return line.length >= _COVERED * (end - begin) and all(
        min(column, width - column, row, height - row) <= margin
        for column, row in zip((begin, end), line.heights((begin, end)), strict=True)
    )


def _long_lines(mask: Mask, steepest: float = STEEPEST) -> list[Line]:
    height, width = mask.shape
    if width < _LEAST_WIDTH or np.count_nonzero(mask.any(axis=0)) < _FRAGMENT * width:
        return []
    thickest = max(3.0, _THICKNESS * height)
    return straight_lines(runs_of(mask), thickest, _FRAGMENT * width, _MOST_LINES, steepest)


def _without_crossings(rest: Mask, thickness: float) -> Mask:
    """Drop what is left where lines meet: no larger than they are thick."""
    numbers, pieces = find_pieces(rest)
    small = [piece.number for piece in pieces if piece.box.size <= _CROSSING * thickness + 2.0]
    return rest & ~np.isin(numbers, small) if small else rest


def _fills(mask: Mask) -> bool:
    """Whether there is ink at the upper and at the lower border."""
    margin = 1 + int(_AT_BORDER * len(mask))
    return bool(mask[:margin].any() and mask[-margin:].any())
