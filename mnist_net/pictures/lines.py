"""Lines that are no strokes: of ruled paper, frames, boxes and circles, and below what is written.

A closed line encloses a part of the paper, in perspective too, and what is written there lies
within the hull of that part, whether it touches the line or not.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from mnist_net.pictures.pieces import Box, Mask, Piece, find_pieces
from mnist_net.pictures.ruled import without_ruled_lines
from mnist_net.pictures.straight import runs_of
from mnist_net.pictures.underlines import without_underlines

_LEAST_CELL, _LARGEST_CELL = 0.2, 6.0  # of the median cell's area
LEAST_SIDE = 8
"""Pixels of a cell."""
_CLEAR = 2  # pixels beside a line that are not looked at
_WRITTEN = 0.4  # of a cell's lesser side, which what is written in it reaches, and is no dot ...
_WITHIN_FINE = 0.12  # ... or so much, if the line around it is finer than any digit's stroke ...
_TOUCHING = 0.6  # ... or so much, if it hangs together with the line: more than the curl of a 6
_FINE = 0.045  # of its lesser side
_LARGE = 0.25  # of the largest piece's size, from which on a piece may enclose others
_MOST_FRAMES = 40
_ALIKE = 0.15  # of a frame's sides, by which those of an empty one differ
_SQUARE = 0.82  # of its box, that an empty one reaches across
_HOLLOW = 0.02  # of what is well within, that is ink
_GAP = 4  # pixels, and a hundredth of its size
_RING, _AROUND = 0.6, 0.85  # of half the size and of all directions, where a line around is


def without_lines(mask: Mask) -> Mask:
    """Remove all lines, but not where a stroke meets one."""
    return without_underlines(_without_enclosing(without_ruled_lines(mask)))


def _without_enclosing(mask: Mask) -> Mask:
    """Keep of lines that enclose writing what lies within; nothing of empty boxes beside them."""
    numbers, pieces = find_pieces(mask)
    if not pieces:
        return mask
    least = max(_LARGE * max(piece.box.size for piece in pieces), 2 * LEAST_SIDE)
    large = sorted((p for p in pieces if p.box.size >= least), key=lambda p: -p.box.size)
    kept = mask
    frames: list[Box] = []
    for piece in large[:_MOST_FRAMES]:
        if not any(_may_enclose(piece.box, other.box) for other in pieces if other is not piece):
            continue
        box = piece.box
        own = box.cut(numbers) == piece.number
        within = np.zeros_like(own)
        other = box.cut(mask) & ~own
        share = _WITHIN_FINE if _is_fine(piece) else _WRITTEN
        cells = [
            cell
            for cell in cells_in(_closed(own))
            if _is_written_in(cell, other, share) or _is_written_in(cell, own, _TOUCHING)
        ]
        if not cells and (ring := _within_ring(own)) and _is_written_in(ring, other, share):
            cells = [ring]
        for cell in cells:
            cell.box.cut(within)[cell.inside] = True
        if within.any():
            kept = kept.copy() if kept is mask else kept
            box.cut(kept)[own & ~within] = False
            frames.append(box)
    for piece in large[:_MOST_FRAMES]:
        if piece.box not in frames and any(_is_alike(piece.box, frame) for frame in frames):
            own = piece.box.cut(numbers) == piece.number
            if _is_empty_box(own):
                piece.box.cut(kept)[own] = False
    return kept


def _is_fine(piece: Piece) -> bool:
    """Whether a line around something is thin for what it encloses, as a frame's is."""
    box = piece.box
    return piece.area / (2 * (box.width + box.height)) <= _FINE * min(box.width, box.height)


def _is_alike(box: Box, frame: Box) -> bool:
    """Whether a box is as large as one that has something in it."""
    return all(
        abs(one - other) <= _ALIKE * other + 1
        for one, other in ((box.width, frame.width), (box.height, frame.height))
    )


def _is_empty_box(own: Mask) -> bool:
    """Whether a line goes along all sides, and hardly anything is within."""
    height, width = own.shape
    within = own[height // 5 : -(height // 5), width // 5 : -(width // 5)]
    down, across = (_reach(side).mean() for side in (own, own.T))
    return bool(min(down, across) >= _SQUARE and within.mean() <= _HOLLOW)


def _reach(mask: Mask) -> npt.NDArray[np.float64]:
    """Part of the height from the first ink to the last, in each column."""
    first, last = mask.argmax(axis=0), mask[::-1].argmax(axis=0)
    return np.where(mask.any(axis=0), 1.0 - (first + last) / len(mask), 0.0)


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
    return any(piece.box.size >= least and not piece.is_dot for piece in pieces)


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
