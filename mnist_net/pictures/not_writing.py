"""What is on a picture and is no writing, by one list of named tests.

Lines go before (`lines`), and specks while pieces are put together; a figure that is put together
is asked by each test of `NOT_WRITING` whether it is a blob, a picture's shaded side, something that
goes across it, or the edge of a shadow.
"""

import math
from collections.abc import Callable

import numpy as np
from PIL import Image

from mnist_net.arrays import Bytes
from mnist_net.pictures.ink import Ink, clean_paper
from mnist_net.pictures.pieces import Box, Figure, Piece, find_pieces

_LEAST_SIZE = 5  # pixels, of what can be read
_LEAST_SHARE = 0.01  # of the picture's side, likewise
_SPECK = 0.02  # of a digit's area; less is dirt
_LARGE = 0.12  # of a digit's size; less is dirt too
_DOT = 0.3  # of a digit's size, which a full stop does not reach
_FULL = 0.6  # of its box, which no digit but a 1 covers
_COARSE = 20  # pixels of a figure's longer side, so that the paper's grain makes no holes
_ENOUGH = 300  # pixels of a figure's longer side, to compare it with what is around it
_FAINT = 10.0  # grey levels: ink that differs by its colour alone
_NARROW = 0.5  # of its length, which the edge of something does not exceed
_BESIDE = 0.5  # of its length, that a photograph is wide where something goes across
_ONE_SIDED = 0.15  # of the difference on the other side
_FRAME_SIZES = (0.1, 0.98)  # of the picture's area, within a frame
_FRAME_LEVEL = 0.95  # of a frame's box that is filled but for what is written within


def _is_blob(figure: Figure, _: Bytes) -> bool:
    """Whether a disc of half its size fits into the ink, as into no digit's."""
    from scipy.ndimage import distance_transform_edt

    scale = _COARSE / figure.box.size
    size = (max(1, round(figure.box.width * scale)), max(1, round(figure.box.height * scale)))
    coarse = Image.fromarray(figure.ink).resize(size, Image.Resampling.BOX)
    radius = distance_transform_edt(np.pad(np.asarray(coarse) >= 0.5, 1)).max()
    return bool(radius > _COARSE / 4)


def _is_side(figure: Figure, pixels: Bytes) -> bool:
    """Whether it covers one side of the picture, as a shadow does."""
    height, width = pixels.shape[:2]
    left, top, right, bottom = figure.box
    borders = (left == 0) + (top == 0) + (right == width) + (bottom == height)
    return borders == 3 and bool((figure.ink >= 0.5).mean() > _FULL)


def _goes_across(figure: Figure, pixels: Bytes) -> bool:
    """Whether it is narrow and goes from one border of a photograph to the other, as a fold does.

    So does the edge of a table, or of a shadow.  Who draws on a screen may do so.
    """
    (height, width), box = pixels.shape[:2], figure.box
    if min(box.width, box.height) > _NARROW * box.size:
        return False
    along, other = (height, width) if box.height > box.width else (width, height)
    return box.size == along and other > _BESIDE * along and clean_paper(pixels) is None


def _is_edge_of_shadow(figure: Figure, pixels: Bytes) -> bool:
    """Whether one side of it is as dark as the strip that was taken for ink, and not the other.

    Around writing the picture is lighter on all sides, or darker on all.
    """
    from scipy.ndimage import distance_transform_edt

    thickness = max(1.0, float((figure.ink >= 0.5).sum()) / figure.box.size / 2.0)
    margin = int(2.0 * thickness) + 2
    (left, top), (height, width) = figure.corner, figure.ink.shape
    wide = Box(max(left - margin, 0), max(top - margin, 0), left + width, top + height)
    levels = pixels[wide.top : wide.bottom + margin, wide.left : wide.right + margin]
    mask = np.zeros(levels.shape[:2], bool)
    mask[top - wide.top :, left - wide.left :][:height, :width] = figure.ink >= 0.5
    step = 1 + figure.box.size // _ENOUGH
    mask, levels = mask[::step, ::step], levels[::step, ::step].mean(axis=2)
    distance = distance_transform_edt(~mask) * step
    ring = (distance > 1.0 + thickness / 2.0) & (distance < margin - thickness / 2.0)
    if not (mask.any() and ring.any()):
        return False
    sides = np.quantile(levels[ring], (0.2, 0.8)) - np.median(levels[mask])
    lesser, greater = sorted(map(float, sides), key=abs)
    return abs(greater) >= _FAINT and lesser / greater <= _ONE_SIDED


NOT_WRITING: dict[str, Callable[[Figure, Bytes], bool]] = {
    "blob": _is_blob,
    "side": _is_side,
    "across": _goes_across,
    "edge of a shadow": _is_edge_of_shadow,
}
"""Tests of a figure on the picture's pixels, uint8, rows × columns × channels."""


def is_writing(figure: Figure, pixels: Bytes) -> bool:
    """Whether a figure passes for writing: none of `NOT_WRITING` holds."""
    return not any(holds(figure, pixels) for holds in NOT_WRITING.values())


def least_size(ink: Ink) -> float:
    """Pixels of what can be a digit; what is smaller, is the paper's grain."""
    return max(_LEAST_SIZE, _LEAST_SHARE * math.sqrt(ink.size))


def is_speck(piece: Piece, size: float, area: float = 0.0) -> bool:
    """Whether a piece is dirt beside a digit whose main piece has this size and area."""
    return piece.box.size <= _LARGE * size or piece.area <= _SPECK * area


def is_full_stop(piece: Piece, main: Piece, box: Box) -> bool:
    """Whether a piece is a small dot to the right of a digit, whose box is given."""
    small = piece.box.size < _DOT * main.box.size
    return piece.is_dot and small and piece.box.left >= box.right


def framed(ink: Ink) -> Box | None:
    """Inside of a filled rectangle, such as a black screen on a white page; None without one."""
    from scipy.ndimage import binary_fill_holes

    numbers, pieces = find_pieces(ink >= 0.5)
    largest = max(pieces, key=lambda piece: piece.box.width * piece.box.height, default=None)
    if largest is None:
        return None
    box = largest.box
    box_area = box.width * box.height
    if (
        largest.area < 0.5 * box_area
        or not _FRAME_SIZES[0] < box_area / ink.size < _FRAME_SIZES[1]
        or box.size < 12
    ):
        return None
    filled = binary_fill_holes(box.cut(numbers) == largest.number)
    margin = max(1, box.size // 40)
    inner = Box(box.left + margin, box.top + margin, box.right - margin, box.bottom - margin)
    return (
        inner
        if filled.mean() > _FRAME_LEVEL and min(inner.width, inner.height) >= _LEAST_SIZE
        else None
    )
