"""Lines that are no strokes: of ruled paper, frames, boxes and circles, and below what is written.

A closed line encloses a part of the paper, in perspective too, and what is written there lies
within the hull of that part, whether it touches the line or not.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from mnist_net.pictures.pieces import Box, Mask, Piece, find_pieces

_LINE_LENGTH = 0.95  # of the picture's side, which a ruled line has at least
_LINE_THICKNESS = 0.05  # of the picture's other side, which a ruled line does not exceed
_LEAST_WIDTH = 40  # pixels of a picture that has ruled lines
_LEAST_CELL, _LARGEST_CELL = 0.2, 6.0  # of the median cell's area
LEAST_SIDE = 8
"""Pixels of a cell."""
_CLEAR = 2  # pixels beside a line that are not looked at
_WRITTEN = 0.25  # of a cell's lesser side, which what is written in it reaches
_TOUCHING = 0.6  # likewise, if it hangs together with the line: more than the curl of a 6
_LARGE = 0.25  # of the largest piece's size, from which on a piece may enclose others
_MOST_FRAMES = 40
_THIN = 0.14  # of its length, which a line's thickness does not exceed
_LONG = 1.25  # typical sizes, which a line below digits has
_BENEATH = 0.5  # of its length, above which there are digits
_LONG_ALONE = 2.0  # of its own height, likewise
_SPANS = 0.8  # of a piece's width, that a line along it has
_GAP = 4  # pixels, and a hundredth of its size
_STEEPEST = 0.12  # slope of a line below digits
_SAMPLES = 120  # columns, to find it


def without_lines(mask: Mask) -> Mask:
    """Remove all lines, but not where a stroke meets one."""
    mask = _without_enclosing(without_ruled_lines(mask))
    return _without_underlines(mask)


def _without_enclosing(mask: Mask) -> Mask:
    """Keep of lines that enclose writing what lies within."""
    from scipy import ndimage

    numbers, pieces = find_pieces(mask)
    if not pieces:
        return mask
    least = max(_LARGE * max(piece.box.size for piece in pieces), 2 * LEAST_SIDE)
    large = sorted((p for p in pieces if p.box.size >= least), key=lambda p: -p.box.size)
    for piece in large[:_MOST_FRAMES]:
        box = piece.box
        own = box.cut(numbers) == piece.number
        within = np.zeros_like(own)
        # A pen does not quite close what it draws.
        gap = _GAP + box.size // 100
        closed = ndimage.binary_closing(np.pad(own, gap), iterations=gap)[gap:-gap, gap:-gap] | own
        for cell in cells_in(closed):
            if _is_written_in(cell, box.cut(mask) & ~own, _WRITTEN) or _is_written_in(
                cell, own, _TOUCHING
            ):
                cell.box.cut(within)[cell.inside] = True
        if within.any():
            box.cut(mask)[own & ~within] = False
    return mask


def _is_written_in(cell: "Cell", mask: Mask, share: float) -> bool:
    _, pieces = find_pieces(cell.box.cut(mask) & cell.inside)
    least = share * min(cell.box.width, cell.box.height)
    return any(piece.box.size >= least for piece in pieces)


def _without_underlines(mask: Mask) -> Mask:
    """Remove lines below, above or between digits that are longer than those are."""
    numbers, pieces = find_pieces(mask)
    sizes = np.sort([piece.box.height for piece in pieces])
    sizes = sizes[sizes >= 0.4 * sizes[-1]] if len(sizes) else sizes
    typical = float(sizes[len(sizes) // 2]) if len(sizes) else 0.0
    for piece in pieces:
        box = piece.box
        # A digit that is alone may be as wide as a line below it.
        long = _LONG if len(sizes) > 1 else _LONG_ALONE
        if box.width < max(long * typical, LEAST_SIDE):
            continue
        own = box.cut(numbers) == piece.number
        tall = own.shape[0] - own[::-1].argmax(axis=0) - own.argmax(axis=0)  # of each column
        thickest = max(2.0 * _THIN * typical, 4.0)
        line: Mask | None = own
        if tall.max() > thickest:
            line = _line_along(own, thickest)
        elif _covered(piece, pieces) < _BENEATH:
            continue  # the bar of a broken 5
        if line is not None:
            box.cut(mask)[line & own] = False
    return mask


def _covered(line: Piece, pieces: Sequence[Piece]) -> float:
    """Share of a line's length above or below which there is something else."""
    columns = np.zeros(line.box.width, bool)
    for other in pieces:
        if other is not line:
            left = line.box.left
            columns[max(other.box.left - left, 0) : max(other.box.right - left, 0)] = True
    return float(columns.mean())


def _line_along(own: Mask, thickest: float) -> Mask | None:
    """A nearly level line from one side of a piece to the other, but not where strokes cross it."""
    from scipy import ndimage

    height, width = own.shape
    near = ndimage.binary_dilation(own, np.ones((3, 1)))
    columns = np.arange(0, width, max(1, width // _SAMPLES))
    best, place = 0.0, np.zeros(width)
    for slope in np.linspace(-_STEEPEST, _STEEPEST, 2 * int(_STEEPEST * width) + 1):
        drop = slope * (np.arange(width) - width / 2.0)
        rows = np.arange(height)[:, None] + np.round(drop[columns]).astype(int)
        inside = (rows >= 0) & (rows < height)
        share = (near[rows.clip(0, height - 1), columns] & inside).mean(axis=1)
        if share.max() > best:
            best, place = float(share.max()), float(share.argmax()) + drop
    if best < _SPANS:
        return None
    runs, n = ndimage.label(own, [[0, 1, 0], [0, 1, 0], [0, 1, 0]])  # each column by itself
    lengths = np.bincount(runs.ravel(), minlength=n + 1)
    lengths[0] = height
    beside = np.clip(np.round(place).astype(int) + np.arange(-1, 2)[:, None], 0, height - 1)
    met = np.unique(runs[beside, np.arange(width)])
    thin = met[lengths[met] <= thickest]
    if not len(thin):
        return None
    usual = 1.5 * float(np.median(lengths[thin])) + 1.0  # where it is thicker, a stroke crosses
    return np.isin(runs, thin[lengths[thin] <= usual])


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
    if width < _LEAST_WIDTH:
        return found
    straight = _long_runs(mask, width // 4)
    if not straight.any():
        return found
    numbers, pieces = find_pieces(ndimage.binary_dilation(straight, np.ones((3, 3))))
    for number, _, box, _ in pieces:
        thickness = box.height - 2
        if box.width < _LINE_LENGTH * width or thickness > max(3.0, _LINE_THICKNESS * height):
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


class Cell(NamedTuple):
    """What lines enclose: its box, and which pixels of that are well within."""

    box: Box
    inside: Mask


def cells_in(lines: Mask) -> list[Cell]:
    """What lines enclose, less the loops of digits that touch them."""
    from scipy import ndimage

    enclosed, _ = ndimage.label(np.pad(~lines, 1, constant_values=True))
    outside = enclosed[0, 0]
    areas = np.bincount(enclosed.ravel())
    places = ndimage.find_objects(enclosed)
    cells = []
    for k, (rows, columns) in enumerate(places):
        box = Box(columns.start - 1, rows.start - 1, columns.stop - 1, rows.stop - 1)
        if k + 1 != outside and min(box.width, box.height) >= LEAST_SIDE:
            cells.append((int(areas[k + 1]), box, enclosed[rows, columns] == k + 1))
    if not cells:
        return []
    # The median of what is not a digit's loop: by area, most of a table is in its cells.
    areas = np.sort([area for area, _, _ in cells])
    middle = float(areas[np.searchsorted(np.cumsum(areas), areas.sum() / 2.0)])
    kept = [one for one in cells if _LEAST_CELL * middle <= one[0] <= _LARGEST_CELL * middle]
    # Strips between two lines that are close are no cells.
    width = float(np.median([box.width for _, box, _ in kept]))
    height = float(np.median([box.height for _, box, _ in kept]))
    return [
        Cell(box, _hull(inside))
        for _, box, inside in kept
        if box.width >= _LEAST_CELL * width and box.height >= _LEAST_CELL * height
    ]


def _hull(inside: Mask) -> Mask:
    """Convex hull, less a margin, of what is inside a cell: a digit may touch its lines."""
    from scipy import ndimage
    from scipy.spatial import ConvexHull

    points = np.argwhere(inside & ~ndimage.binary_erosion(inside))
    corners = points[ConvexHull(points).vertices]
    image = Image.new("1", inside.shape[::-1])
    ImageDraw.Draw(image).polygon([(int(x), int(y)) for y, x in corners], fill=1)
    return np.asarray(ndimage.binary_erosion(np.asarray(image), iterations=_CLEAR))
