"""Lines that are no strokes: of ruled paper, frames, boxes and circles, and below what is written.

A closed line encloses a part of the paper, in perspective too, and what is written there lies
within the hull of that part, whether it touches the line or not.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from mnist_net.pictures.pieces import Box, Mask, Piece, find_pieces
from mnist_net.pictures.ruled import without_ruled_lines
from mnist_net.pictures.straight import painted, runs_of, straight_lines

_LEAST_CELL, _LARGEST_CELL = 0.2, 6.0  # of the median cell's area
LEAST_SIDE = 8
"""Pixels of a cell."""
_CLEAR = 2  # pixels beside a line that are not looked at
_WRITTEN = 0.4  # of a cell's lesser side, which what is written in it reaches
_TOUCHING = 0.6  # likewise, if it hangs together with the line: more than the curl of a 6
_LARGE = 0.25  # of the largest piece's size, from which on a piece may enclose others
_MOST_FRAMES = 40
_SAME_SIZE = 0.4  # of the highest piece's height, from which on one is no part of a digit
_THIN = 0.28  # of a digit's height, which a line below does not exceed ...
_LEAST_THICK = 4.0  # ... beyond so many pixels, where digits are so small that they are as thin
_MOSTLY = 1.5  # times the line's ink, which a piece that is nothing else does not have
_LONG = 1.25  # typical sizes, which a line below digits has
_WIDEST = 1.8  # typical sizes, which a digit may be wide: such as a 2, whose foot is a line
_OUT = 0.1  # typical sizes, by which a line below such a one sticks out on both sides
_PAPERS = 0.2  # of a digit's ink for its size, which the paper's own lines do not exceed
_BENEATH = 0.4  # of its length, above which there are digits
_LONG_ALONE = 2.0  # of its own height, likewise
_LEVEL = 4.0  # times its pen's width, which a level stroke is long ...
_ASLANT = 0.35  # ... and of its length, by which it rises or bends
_SPANS = 0.8  # of a piece's width, that a line along it has
_STROKES = 2  # of a line, which may be drawn twice
_GAP = 4  # pixels, and a hundredth of its size
_RING, _AROUND = 0.6, 0.85  # of half the size and of all directions, where a line around is
_MIDDLE, _BESIDE = 0.6, 1.5  # of a digit's height: a sign is at its middle, and no further from it
_APART = 0.1  # of a digit's height, by which no foot of a broken digit is below it
_BELOW = 0.7  # of a digit's height: no line below is further from it


def without_lines(mask: Mask) -> Mask:
    """Remove all lines, but not where a stroke meets one."""
    return _without_underlines(_without_enclosing(without_ruled_lines(mask)))


def _without_enclosing(mask: Mask) -> Mask:
    """Keep of lines that enclose writing what lies within."""
    numbers, pieces = find_pieces(mask)
    if not pieces:
        return mask
    least = max(_LARGE * max(piece.box.size for piece in pieces), 2 * LEAST_SIDE)
    large = sorted((p for p in pieces if p.box.size >= least), key=lambda p: -p.box.size)
    kept = mask
    for piece in large[:_MOST_FRAMES]:
        if not any(_may_enclose(piece.box, other.box) for other in pieces if other is not piece):
            continue
        box = piece.box
        own = box.cut(numbers) == piece.number
        within = np.zeros_like(own)
        other = box.cut(mask) & ~own
        cells = [
            cell
            for cell in cells_in(_closed(own))
            if _is_written_in(cell, other, _WRITTEN) or _is_written_in(cell, own, _TOUCHING)
        ]
        if not cells and (ring := _within_ring(own)) and _is_written_in(ring, other, _WRITTEN):
            cells = [ring]
        for cell in cells:
            cell.box.cut(within)[cell.inside] = True
        if within.any():
            kept = kept.copy() if kept is mask else kept
            box.cut(kept)[own & ~within] = False
    return kept


def _may_enclose(outer: Box, inner: Box) -> bool:
    return inner.size >= LEAST_SIDE and outer.union(inner) == outer


def _closed(own: Mask) -> Mask:
    """A pen does not quite close what it draws."""
    from scipy import ndimage

    gap = _GAP + max(own.shape) // 100
    step = max(1, gap // 3)
    height, width = own.shape
    padded = np.pad(own, ((gap, gap + -height % step), (gap, gap + -width % step)))
    padded = np.pad(padded, [(0, -side % step) for side in padded.shape])
    coarse = padded.reshape(padded.shape[0] // step, step, -1, step).any(axis=(1, 3))
    closed = ndimage.binary_closing(coarse, np.ones((3, 3)), iterations=-(-gap // step) // 2 + 1)
    fine = closed.repeat(step, axis=0).repeat(step, axis=1)
    return np.asarray(fine[gap:, gap:][:height, :width] | own)


def _within_ring(own: Mask) -> "Cell | None":
    """What a line goes around, though its ends do not meet; None if it does not."""
    height, width = own.shape
    y, x = np.nonzero(own)
    x, y = 2.0 * x / width - 1.0, 2.0 * y / height - 1.0
    outer = np.hypot(x, y) > _RING
    angles = np.arctan2(y[outer], x[outer])
    share = np.mean(
        np.bincount(((angles + np.pi) * (36.0 / np.pi)).astype(int), minlength=72)[:72] > 0
    )
    if share < _AROUND:
        return None
    pen = len(x) / (1.57 * (height + width))  # of an ellipse
    inside = _hull(own, 2 * round(pen) + _CLEAR)
    return Cell(Box(0, 0, width, height), inside)


def _is_written_in(cell: "Cell", mask: Mask, share: float) -> bool:
    _, pieces = find_pieces(cell.box.cut(mask) & cell.inside)
    least = share * min(cell.box.width, cell.box.height)
    return any(piece.box.size >= least for piece in pieces)


class _Writing(NamedTuple):
    """What is no level stroke of a page, and by which lines below are known, in pixels.

    The height is typical; lines below are longer than `long`, and the paper's own have no more
    than `thin` of ink for each pixel of length.
    """

    pieces: list[Piece]
    height: float
    long: float
    thin: float

    @classmethod
    def of(cls, pieces: Sequence[Piece]) -> "_Writing | None":
        """Measured; None where there is nothing else than level strokes."""
        rest = [piece for piece in pieces if not _is_level(piece)]
        if not rest:
            return None
        # What leaves the picture may be larger, such as a frame.
        inside = [piece for piece in rest if not piece.borders] or rest
        sizes = np.sort([piece.box.height for piece in inside])
        sizes = sizes[sizes >= _SAME_SIZE * sizes[-1]]
        typical = float(sizes[len(sizes) // 2])
        # A digit that is alone may be as wide as a line below it.
        long = max((_LONG if len(sizes) > 1 else _LONG_ALONE) * typical, LEAST_SIDE)
        return cls(rest, typical, long, _PAPERS * float(np.median([p.stroke for p in rest])))


def _without_underlines(mask: Mask) -> Mask:
    """Remove lines below, above or between digits that are longer than those are."""
    numbers, pieces = find_pieces(mask)
    writing = _Writing.of(pieces)
    if writing is None:
        return mask
    kept = mask
    for piece in pieces:
        line = _underline(piece, piece.box.cut(numbers) == piece.number, writing)
        if line is not None:
            kept = kept.copy() if kept is mask else kept
            piece.box.cut(kept)[line] = False
    return kept


def _underline(piece: Piece, own: Mask, writing: _Writing) -> Mask | None:
    """Pixels of a piece that are a line below digits, given all of its own; None without one."""
    width, typical, is_thin = piece.box.width, writing.height, piece.stroke <= writing.thin
    line = None
    if _is_level(piece) and (
        (is_thin and width >= _LARGE * typical)
        or _is_below_any(piece.box, [one.box for one in writing.pieces])
    ):
        line = own
    elif width >= writing.long:
        line = _along(own, max(_THIN * typical, _LEAST_THICK))
    if line is None or (width < _WIDEST * typical and not _sticks_out(own, line, _OUT * typical)):
        return None
    if line.sum() == piece.area and not is_thin and _covered(piece, writing.pieces) < _BENEATH:
        return None  # such as the bar of a broken 5
    return line


def _covered(line: Piece, others: Sequence[Piece]) -> float:
    """Share of a line's length above or below which there is something else."""
    columns = np.zeros(line.box.width, bool)
    for other in others:
        if other is not line:
            begin, end = other.box.left - line.box.left, other.box.right - line.box.left
            columns[max(begin, 0) : max(end, 0)] = True
    return float(columns.mean())


def _is_level(piece: Piece) -> bool:
    """Whether it is a thin stroke, level or nearly so."""
    width, height = piece.box.width, piece.box.height
    return width > _LEVEL * piece.stroke and height <= _ASLANT * width


def _along(own: Mask, thickest: float) -> Mask | None:
    """A line across a piece, or two such; all of the piece, bent too, if it is thin."""
    is_low = len(own) <= 2.0 * thickest
    if is_low and thickest > _LEAST_THICK and own.sum(axis=0).max() <= thickest:
        return own
    lines = straight_lines(runs_of(own), thickest, _SPANS * own.shape[1], _STROKES)
    if not lines:
        return None
    line = painted(lines, own.shape)
    return own if is_low and own.sum() < _MOSTLY * line.sum() else line


def _sticks_out(own: Mask, line: Mask, least: float) -> bool:
    """Whether a line in a piece goes beyond all else of it on both sides."""
    across, rest = (np.flatnonzero(part.any(axis=0)) for part in (line, own & ~line))
    return not len(rest) or bool(rest[0] - across[0] >= least and across[-1] - rest[-1] >= least)


def _is_below_any(line: Box, digits: Sequence[Box]) -> bool:
    """Whether a line is below a digit, and sticks out on both sides or has none beside it."""
    for one in digits:
        gap = line.top - one.bottom
        if line.overlap(one)[0] > 0 and 0 <= gap <= _BELOW * one.height:
            if line.left <= one.left and line.right >= one.right and line.width <= 2 * one.height:
                return True
            if gap >= _APART * one.height and not _is_beside_any(line, digits, one.height):
                return True
    return False


def _is_beside_any(line: Box, digits: Sequence[Box], height: int) -> bool:
    """Whether a line is at the middle of a digit to its left or right, as signs are."""
    return any(
        height <= 2 * one.height <= 4 * height
        and abs(line.top + line.bottom - one.top - one.bottom) <= _MIDDLE * one.height
        and line.overlap(one)[0] >= -_BESIDE * height
        for one in digits
    )


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


def _hull(inside: Mask, margin: int = _CLEAR) -> Mask:
    """Convex hull, less a margin, of what is inside a cell: a digit may touch its lines."""
    from PIL import ImageDraw  # for which `predict` need not wait
    from scipy.spatial import ConvexHull

    runs = runs_of(inside)
    ends = (runs.top, runs.bottom - 1)
    points = np.unique(np.concatenate([np.stack([runs.column, y], axis=1) for y in ends]), axis=0)
    corners = points[ConvexHull(points).vertices]
    image = Image.new("1", inside.shape[::-1])
    drawing = ImageDraw.Draw(image)
    outline = [(int(x), int(y)) for x, y in corners]
    drawing.polygon(outline, fill=1)
    drawing.line([*outline, outline[0], outline[1]], fill=0, width=2 * margin + 1, joint="curve")
    return np.asarray(image)
