"""Cuts between characters that touch: from top to bottom, where a path crosses the least ink.

Such a path goes around what hangs over, and crosses strokes where they touch; it is found by
dynamic programming over the rows of pixels (Tseng and Lee 1999).  Where characters run into each
other, none may be right; there they are also cut straight, along the slant of the writing.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from mnist_net.arrays import Array
from mnist_net.pictures.pieces import Box, Piece

_WIDER_THAN = 0.7  # of a row's height: a part may be several characters
_SEVERAL = 1.2  # of a row's height: it is several characters, which may run into each other
_EDGE = 0.1  # of a row's height, within which, or beside another cut, nothing is cut
_SLANTS = (0.0, 0.15, 0.3, 0.45, -0.15)  # columns a row, by which writing leans to the right
_MOST = 14  # cuts of either kind, that are made in one part
_FINE = 48  # rows of pixels in a row's height: cuts need no more
_ASIDE = 0.3  # what a step aside costs, against a pixel of ink
_NEAR = 0.5  # of the distance of cuts: a path that is nowhere further from a line will do for it

Places = npt.NDArray[np.int64]


def cut_apart(
    parts: Sequence[Piece], height: float, numbers: npt.NDArray[np.int32], unused: Iterator[int]
) -> tuple[Piece, ...]:
    """Cut the wide parts of a row of some height; the numbers are changed in place."""
    result: list[Piece] = []
    for piece in parts:
        if piece.box.width <= _WIDER_THAN * height:
            result.append(piece)
            continue
        window = piece.box.cut(numbers)
        rows, columns = np.nonzero(window == piece.number)
        which = _cut(rows, _upright(rows, columns), height)
        for some in (which == k for k in range(int(which.max()) + 1)):
            if not some.any():
                continue
            y, x = rows[some], columns[some]
            number = next(unused)
            window[y, x] = number
            box = Box(int(x.min()), int(y.min()), int(x.max()) + 1, int(y.max()) + 1)
            box = box.moved(piece.box.left, piece.box.top)
            result.append(Piece(number, int(some.sum()), box, 0, piece.number))
    return tuple(sorted(result, key=lambda part: part.box.left + part.box.right))


def _upright(rows: Places, columns: Places) -> Places:
    """The columns of pixels, were their writing not slanted: where the ink is most in columns."""
    slanted = (columns + slant * (rows - rows.mean()) for slant in _SLANTS)
    whole = (np.round(places - places.min()).astype(np.int64) for places in slanted)
    return max(whole, key=lambda places: float(np.square(np.bincount(places)).sum()))


def _cut(rows: Places, columns: Places, height: float) -> Places:
    """Of each pixel, in which part it is, counted from the left."""
    step = max(1, round(height / _FINE))
    y, x = rows // step, columns // step + 1  # a path may go around, too
    shape = int(y.max()) + 1, int(x.max()) + 2
    counts = np.bincount(y * shape[1] + x, minlength=shape[0] * shape[1]).reshape(shape)
    ink = (counts / step**2).astype(np.float32)
    apart = max(2, round(_EDGE * height / step))
    paths = _paths(ink, apart)
    lines = _lines(ink, apart) if shape[1] * step > _SEVERAL * height else ()
    for line in (np.full(shape[0], place) for place in lines):
        if all(np.abs(path - line).max() > _NEAR * apart for path in paths):
            paths.append(line)
    part = np.zeros_like(x)
    furthest = np.zeros(shape[0], np.int64)
    for path in sorted(paths, key=np.mean):
        furthest = np.maximum(furthest, path)  # none crosses the one before it
        part += x >= furthest[y]
    return part


def _paths(ink: Array, apart: int) -> list[Places]:
    """Columns of paths, row by row: through each gap in the middle row, and where little is."""
    from scipy import ndimage

    above, below = _least_ink(ink), _least_ink(ink[::-1])[::-1]
    middle = len(ink) // 2
    through = above[middle] + below[middle] - ink[middle]
    gaps, n = ndimage.label(ink[middle] < 0.5)
    places = [x for (x,) in ndimage.minimum_position(through, gaps, range(1, n + 1))]
    return [
        np.r_[_followed(above[: middle + 1][::-1], x)[::-1], _followed(below[middle:], x)[1:]]
        for x in _chosen([*places, *_least(through, apart)], through, apart)
    ]


def _lines(ink: Array, apart: int) -> list[int]:
    """Columns that have little ink."""
    in_columns = ink.sum(axis=0)
    return _chosen(_least(in_columns, apart), in_columns, apart)


def _least(values: Array, apart: int) -> list[int]:
    """Where values are less than around; once where they are level or tremble."""
    from scipy import ndimage

    smooth = ndimage.gaussian_filter1d(values, max(0.5, apart / 6.0), mode="nearest")
    places = np.flatnonzero(smooth == ndimage.minimum_filter1d(smooth, apart + 1))
    return [int(x) for x in places[np.diff(places, prepend=-apart) > 1]]


def _chosen(places: Sequence[int], values: Array, apart: int) -> list[int]:
    """The places of the least values that are far enough from each other and from the edges."""
    chosen: list[int] = []
    for x in sorted(places, key=lambda x: values[x]):
        inside = apart <= x <= len(values) - apart
        if inside and len(chosen) < _MOST and all(abs(x - other) >= apart for other in chosen):
            chosen.append(x)
    return chosen


def _least_ink(ink: Array) -> Array:
    """The least ink, and steps aside, on a path from the first row to each pixel."""
    total = ink.copy()
    for y in range(1, len(ink)):
        before, least = total[y - 1], total[y - 1].copy()
        np.minimum(least[1:], before[:-1] + _ASIDE, out=least[1:])
        np.minimum(least[:-1], before[1:] + _ASIDE, out=least[:-1])
        total[y] += least
    return total


def _followed(totals: Array, place: int) -> Places:
    """The columns of a path back from a place in the first of some rows, row by row."""
    path = [place]
    for of_row in totals[1:]:
        left = max(path[-1] - 1, 0)
        near = of_row[left : path[-1] + 2].copy()
        near[np.arange(left, left + len(near)) != path[-1]] += _ASIDE
        path.append(left + int(near.argmin()))
    return np.array(path)
