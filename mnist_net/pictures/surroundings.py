"""Where the sheet of paper is, on a picture that shows what it lies on as well.

A dark table fills one whole side of the picture, up to a sharp and straight edge.  A shadow seldom
has both, and a digit's bar that fills a side has the rest of the digit on it.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image

from mnist_net.arrays import Bytes
from mnist_net.pictures.ink import otsu_threshold
from mnist_net.pictures.pieces import Box

_SMALL_SIDE = 120  # pixels; edges are found on a picture that is reduced to about this
_LEAST_SIDE = 40  # pixels of that: a smaller picture shows nothing but a digit
_DEEPEST = 0.5  # of the picture, that the table covers on one side ...
_DEEPEST_SOMEWHERE = 0.6  # ... and where it reaches furthest, if its edge is aslant
_LEAST_SHEET = 0.2  # of the picture's side, that the paper covers
_DARKER = 0.8  # of the paper's level, which the table's is below
_STRAIGHT = 0.95  # of the edge, that is on one line
_OFF = 1.5  # pixels from that line
_BEYOND = 2  # pixels across the edge, where paper and table are compared


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
