"""Which pieces are the one digit of a picture.

Lengths are compared with the digit's own: the size of its main piece.
"""

import numpy as np

from mnist_net.pictures.ink import Ink
from mnist_net.pictures.lines import without_lines
from mnist_net.pictures.not_writing import (
    is_full_stop,
    is_speck,
    least_size,
    may_be_full_stop,
)
from mnist_net.pictures.pieces import Box, Figure, Piece, around, figure_of, find_pieces
from mnist_net.pictures.ruled import without_ruled_lines

_NEAR = 0.2  # of a digit's size, across which its pieces belong together
_PART = 0.1  # of the main piece's area, which a broken stroke's other parts have
_FLAT = 0.5  # of its width, that a line below a digit is high
_OFF = 0.5  # what a piece is worth in a corner, and at a border, of what it is in the middle


def main_figures(ink: Ink, *, all_lines: bool = True) -> list[Figure]:
    """The one digit of a picture, of all the ink that is on it but lines, or but ruled lines only.

    The main piece is large, central and off the border; with it go the pieces that are near it
    and no specks, such as the bar of a 5 or the dashes of a broken stroke.  A level stroke below
    it may be the foot of a broken 2, or a line, and a dot that it leans over the end of one, or a
    full stop: the digit comes with these, and without.
    """
    mask = ink >= 0.5
    numbers, pieces = find_pieces(without_lines(mask) if all_lines else without_ruled_lines(mask))
    if not pieces:
        return []
    large = [piece for piece in pieces if piece.box.size >= least_size(ink)]
    main = max(large or pieces, key=lambda piece: _prominence(piece, ink.shape))
    chosen, box = [main], main.box
    rest = [p for p in pieces if p is not main and (main.borders or not p.borders)]
    while near := [p for p in rest if _belongs(p, box, main)]:
        chosen += near
        rest = [p for p in rest if p not in near]
        box = around(chosen)
    others = [p for p in chosen if not (_is_flat_below(p, main) or may_be_full_stop(p, main))]
    ways = [chosen] if len(others) == len(chosen) else [chosen, others]
    return [figure_of(ink, numbers, way) for way in ways if around(way).size >= least_size(ink)]


def _prominence(piece: Piece, shape: tuple[int, ...]) -> float:
    box = piece.box
    off_centre = np.hypot(
        (box.left + box.right) / shape[1] - 1.0, (box.top + box.bottom) / shape[0] - 1.0
    )
    return float(
        np.sqrt(piece.area * box.size)
        * (1.0 - _OFF * min(off_centre, 1.0))
        * _OFF ** min(piece.borders, 2)
    )


def _belongs(piece: Piece, box: Box, main: Piece) -> bool:
    if is_full_stop(piece, main, box):
        return False
    gap = box.gap(piece.box)
    near = gap < _NEAR * main.box.size and not is_speck(piece, main.box.size, main.area)
    # Larger pieces may be further off, as the parts of a stroke that is broken.
    broken = gap < 3.0 * main.stroke and piece.area > _PART * main.area
    return near or broken


def _is_flat_below(piece: Piece, main: Piece) -> bool:
    return piece.box.top >= main.box.bottom and piece.box.height <= _FLAT * piece.box.width
