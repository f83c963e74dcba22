"""What a picture shows beside the sheet of paper: what it lies on, and what lies on it.

A dark table fills one whole side of the picture, up to a sharp and straight edge.  A shadow seldom
has both, and a digit's bar that fills a side has the rest of the digit on it.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image

from mnist_net.arrays import Bytes
from mnist_net.pictures.ink import Ink, clean_paper, otsu_threshold
from mnist_net.pictures.pieces import Box, find_pieces

_SMALL_SIDE = 120  # pixels; edges are found on a picture that is reduced to about this
_LEAST_SIDE = 40  # pixels of that: a smaller picture shows nothing but a digit
_DEEPEST = 0.5  # of the picture, that the table covers on one side ...
_DEEPEST_SOMEWHERE = 0.6  # ... and where it reaches furthest, if its edge is aslant
_LEAST_SHEET = 0.2  # of the picture's side, that the paper covers
_DARKER = 0.8  # of the paper's level, which the table's is below
_STRAIGHT = 0.95  # of the edge, that is on one line
_OFF = 1.5  # pixels from that line
_BEYOND = 2  # pixels across the edge, where paper and table are compared
_OBJECT = 0.1  # of the picture's longer side, in both directions: a finger, a pencil, a cup
_SOFT = 0.02  # of it, beside an object, that is not paper yet


def sheet_box(pixels: Bytes) -> Box | None:
    """Where the paper is without the table (uint8, rows × columns × channels); None without one."""
    height, width = pixels.shape[:2]
    factor = max(1, round(max(height, width) / _SMALL_SIDE))
    levels = pixels.mean(axis=2, dtype=np.float32)
    if factor > 1:
        levels = np.asarray(Image.fromarray(levels).reduce(factor))
    if min(levels.shape) < _LEAST_SIDE:
        return None
    dark = levels < otsu_threshold(levels)
    left, top, right, bottom = (
        factor * _depth(np.rot90(levels, -turns), np.rot90(dark, -turns)) for turns in (1, 0, 3, 2)
    )
    sheet = Box(left, top, width - right, height - bottom)
    if sheet == Box(0, 0, width, height):
        return None
    # A light strip between two tables is rather a stroke on dark paper.
    is_sheet = sheet.width >= _LEAST_SHEET * width and sheet.height >= _LEAST_SHEET * height
    return sheet if is_sheet else None


def _depth(levels: npt.NDArray[np.float32], dark: npt.NDArray[np.bool_]) -> int:
    """Rows at the upper side that the table covers somewhere."""
    height, width = levels.shape
    depths = np.where(dark.all(axis=0), height, (~dark).argmax(axis=0))
    columns = np.arange(width)
    middle = np.median(depths)
    if not 1 <= middle <= _DEEPEST * height:
        return 0
    # Theil and Sen's line, of pairs that are half of the side apart.
    half = width // 2
    slope = np.median((depths[-half:] - depths[:half]) / (width - half))
    place = slope * columns
    place += np.median(depths - place)
    if np.mean(np.abs(depths - place) <= _OFF) < _STRAIGHT:
        return 0
    edge = np.round(place).astype(int)
    table, paper = (
        levels[np.clip(edge + off, 0, height - 1), columns] for off in (-1 - _BEYOND, _BEYOND)
    )
    if np.median(table) > _DARKER * np.median(paper):
        return 0
    depth = int(edge.max()) + _BEYOND
    return depth if depth <= _DEEPEST_SOMEWHERE * height else 0


def without_objects(pixels: Bytes, ink: Ink, corner: tuple[int, int]) -> Bytes | None:
    """A photograph with paper in place of what lies on it and leaves the picture.

    Beside such, ink may be too faint to be seen.  The ink is that of a part of the picture, which
    begins at the corner (column and row).  None where nothing leaves it, or all of it is covered.
    """
    from scipy import ndimage

    if clean_paper(pixels) is not None:
        return None
    numbers, pieces = find_pieces(ink >= 0.5)
    side = max(pixels.shape)
    objects = [
        piece.number
        for piece in pieces
        if piece.borders and min(piece.box.width, piece.box.height) >= _OBJECT * side
    ]
    covered = np.zeros(pixels.shape[:2], bool)
    Box(0, 0, *ink.shape[::-1]).moved(*corner).cut(covered)[...] = np.isin(numbers, objects)
    if not covered.any():
        return None
    covered = ndimage.binary_dilation(covered, iterations=2 + round(_SOFT * side))
    if covered.all():
        return None
    nearest = ndimage.distance_transform_edt(covered, return_distances=False, return_indices=True)
    bare: Bytes = pixels[tuple(nearest)]
    return bare
