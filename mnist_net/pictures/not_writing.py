"""What is on a picture and is no writing, by one list of named tests.

Lines go before (`lines`), and specks while pieces are put together; a figure that is put together
is asked by each test of `NOT_WRITING` whether it is a blob, something that goes across the picture,
or the edge of a shadow.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from mnist_net.arrays import Bytes
from mnist_net.pictures.ink import Ink, clean_paper
from mnist_net.pictures.pieces import Box, Figure, Piece, find_pieces

_LEAST_SIZE = 5  # pixels, of what can be read
_LEAST_SHARE = 0.01  # of the picture's side, likewise
_SPECK = 0.02  # of a digit's area; less is dirt
_LARGE = 0.12  # of a digit's size; less is dirt too
_DOT = 0.3  # of a digit's size, which a full stop does not reach
_LOW = 0.3  # of its height, which is its lower part
_COARSE = 20  # pixels of a figure's longer side, so that the paper's grain makes no holes
_ENOUGH = 300  # pixels of a figure's longer side, to compare it with what is around it
_FAINT = 10.0  # grey levels: ink that differs by its colour alone
_NARROW = 0.5  # of its length, which the edge of something does not exceed
_BESIDE = 0.5  # of its length, that a photograph is wide where something goes across
_SLIM, _ALMOST = 0.2, 0.8  # of its length, and of the picture's side: a line of a frame
_THIN = 0.1  # of its length, which a straight fold is not thicker
_ONE_SIDED = 0.15  # of the difference on the other side
_LEAST_MARKS = 12  # that are printed on a paper
_LATTICE = 0.75  # of the marks but for four at its corners, which lie between two others
_SAME_SIZE = 0.15  # of their size, by which they differ
_ALIKE = 0.25  # of their ink, likewise ...
_ROUNDED = 0.5  # ... and pixels by which a mark is off its outline
_PARTS = 7  # of the side of a square around a mark, in which its ink is compared
_NEIGHBOURS = 8
_OFF_LATTICE = 0.05  # of their distance, by which one is off the middle between two others
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


def _goes_across(figure: Figure, pixels: Bytes) -> bool:
    """Whether it is narrow and goes from one border of a photograph to another, as a fold does.

    So does the edge of a table, or of a shadow.  Who draws on a screen may do so.
    """
    (height, width), box = pixels.shape[:2], figure.box
    along, other = (height, width) if box.height > box.width else (width, height)
    narrow = min(box.width, box.height) <= _NARROW * box.size
    to_the_other = narrow and box.size == along and other > _BESIDE * along
    if not to_the_other and not _cuts_off_a_corner(figure, height, width):
        return False
    return clean_paper(pixels) is None


def _cuts_off_a_corner(figure: Figure, height: int, width: int) -> bool:
    """Whether it is straight, with one end at each of two borders of a picture that meet."""
    box = figure.box
    left, top, right, bottom = box.left == 0, box.top == 0, box.right == width, box.bottom == height
    if not (left or right) or not (top or bottom):
        return False
    if max(width - box.width, height - box.height) <= _BESIDE * box.size:
        return False
    (down, leaning), (_, across) = np.cov(np.nonzero(figure.ink >= 0.5), bias=True)
    least, most = np.linalg.eigvalsh([[down, leaning], [leaning, across]])
    falls = (left and bottom) or (right and top)
    return bool(least <= _THIN**2 * most and (leaning > 0.0) == falls)


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
    "across": _goes_across,
    "edge of a shadow": _is_edge_of_shadow,
}
"""Tests of a figure on the picture's pixels, uint8, rows × columns × channels."""


def is_writing(figure: Figure, pixels: Bytes) -> bool:
    """Whether a figure passes for writing: none of `NOT_WRITING` holds."""
    return not any(holds(figure, pixels) for holds in NOT_WRITING.values())


def is_of_a_frame(piece: Piece, shape: tuple[int, ...]) -> bool:
    """Whether a piece is narrow, and goes from a border nearly to the other.

    So does a frame on a photograph of a page; a 1 may do so where it is all that is shown.
    """
    (left, top, right, bottom), (height, width) = piece.box, shape
    if piece.box.height > piece.box.width:
        leaves, along, other = top == 0 or bottom == height, height, piece.box.width
    else:
        leaves, along, other = left == 0 or right == width, width, piece.box.height
    narrow = other <= _SLIM * piece.box.size
    return leaves and narrow and piece.box.size >= _ALMOST * along


def marks_of_paper(numbers: npt.NDArray[np.int32], pieces: Sequence[Piece]) -> list[int]:
    """Numbers of the pieces that are printed on the paper: small marks, all alike, in a lattice.

    But for the corners most lie in the middle between two others, some of them in two directions.
    """
    if len(pieces) < _LEAST_MARKS:
        return []
    boxes = np.array([piece.box for piece in pieces], np.float64)
    centres, sizes = (boxes[:, :2] + boxes[:, 2:]) / 2.0, boxes[:, 2:] - boxes[:, :2]
    away = centres - centres[:, None]
    distances = np.hypot(*away.T).T
    distances[
        (np.abs(sizes[:, None] - sizes) > np.maximum(2.0, _SAME_SIZE * sizes)).any(axis=2)
    ] = np.inf
    np.fill_diagonal(distances, np.inf)
    near = np.argsort(distances, axis=1)[:, :_NEIGHBOURS]
    shapes = np.stack([_shape(numbers, piece) for piece in pieces])
    differences = np.abs(shapes[near] - shapes[:, None]).sum(axis=2)
    differences /= np.maximum(shapes[near], shapes[:, None]).sum(axis=2)
    alike = differences <= _ALIKE + _ROUNDED / sizes.min(axis=1)[:, None]
    alike &= np.isfinite(np.take_along_axis(distances, near, axis=1))
    z = np.take_along_axis(away[..., 0] + 1j * away[..., 1], near, axis=1)
    off = np.abs(z[:, :, None] + z[:, None]) / 2.0
    opposite = off <= np.maximum(1.0, _OFF_LATTICE * np.abs(z)[:, :, None])
    between = (opposite & alike[:, :, None] & alike[:, None]).any(axis=2)
    directions = np.where(between, (z / np.maximum(np.abs(z), 1.0)) ** 2, 0.0)
    apart = (directions[:, :, None] * directions[:, None].conj()).real < 0.0  # by over 45 degrees
    inner = apart.any(axis=(1, 2))
    if not inner.any():
        return []
    usual = np.median(sizes[inner], axis=0)
    same = (np.abs(sizes - usual) <= np.maximum(2.0, 2.0 * _SAME_SIZE * usual)).all(axis=1)
    n_same, n_between = int(same.sum()), int(between.any(axis=1).sum())
    if n_same < _LEAST_MARKS or n_between < _LATTICE * (n_same - 4):
        return []
    cut_off = np.array([piece.borders > 0 for piece in pieces]) & (sizes <= 1.3 * usual).all(axis=1)
    return [piece.number for piece, k in zip(pieces, inner | same | cut_off, strict=True) if k]


def _shape(numbers: npt.NDArray[np.int32], piece: Piece) -> Ink:
    """How much of each part of a square around it a piece covers."""
    ink = (piece.box.cut(numbers) == piece.number).astype(np.float32)
    short = [piece.box.size - length for length in ink.shape]
    square = np.pad(ink, [(missing // 2, missing - missing // 2) for missing in short])
    parts = Image.fromarray(square).resize((_PARTS, _PARTS), Image.Resampling.BOX)
    return np.asarray(parts).reshape(-1)


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


def may_be_full_stop(piece: Piece, main: Piece) -> bool:
    """Whether a dot lies low in a digit's box, on the right: beside the foot of one that leans."""
    box, digit = piece.box, main.box
    small = piece.is_compact and box.size < _DOT * digit.size
    right = box.left + box.right > digit.left + digit.right
    low = box.top < digit.bottom and box.top + box.bottom > 2 * (digit.bottom - _LOW * digit.height)
    return small and right and low


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
