"""Lines below what is written, which may be short, aslant, bent, double, or touch it.

A stroke that is no such line is a part of a digit, such as the bar of a 5 or the foot of a 2, or a
sign, which has a digit beside it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mnist_net.pictures.pieces import Box, Mask, Piece, find_pieces
from mnist_net.pictures.straight import painted, runs_of, straight_lines

_LEAST_WIDE = 8  # pixels, which any line below has
_FRAGMENT = 0.25  # typical sizes, which a fragment of a ruled line has
_SAME_SIZE = 0.4  # of the largest digit's height, which no part of one reaches
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
_OFF_MIDDLE, _BESIDE = 0.3, 1.5  # of a digit's height: a sign is so near its middle, and to it
_APART = 0.2  # of a digit's height, by which no foot of a broken digit is below it
_AS_WIDE, _CLOSE = 0.8, 0.4  # of its width, and of a digit's height: the second of two lines
_IN_LINE, _AS_LONG = 0.2, 0.2  # of a digit's height, and of its length: a line like another
_FRAME = 4.0  # times as high as the highest piece that does not leave the picture
_FOLDED = 0.1  # of a stroke's columns, in which it may lie above itself
_BELOW = 0.7  # of a digit's height: no line below is further from it


class _Writing(NamedTuple):
    """What tells lines below from strokes on a page, in pixels.

    There are its level strokes, and the pieces that are none.  The height is typical, and pieces of
    about this height are digits.  A stroke of a piece as long as `long` may be a line; those of the
    paper have no more than `thin` of ink a pixel of length.
    """

    levels: list[Box]
    pieces: list[Piece]
    digits: list[Box]
    height: float
    long: float
    thin: float

    @classmethod
    def of(cls, pieces: Sequence[Piece]) -> "_Writing | None":
        """Measured; None where there is nothing else than level strokes."""
        rest = [piece for piece in pieces if not _is_level(piece)]
        levels = [piece.box for piece in pieces if _is_level(piece)]
        if not rest:
            return None
        # What leaves the picture may be a frame, which is far larger than what does not.
        inside = [p.box.height for p in rest if not p.borders and not p.is_dot]
        most = _FRAME * max(inside, default=np.inf)
        sizes = np.sort([p.box.height for p in rest if not p.borders or p.box.height < most])
        sizes = sizes[sizes >= _SAME_SIZE * sizes[-1]]
        typical = float(sizes[len(sizes) // 2])
        # A digit that is alone may be as wide as a line below it.
        long = max((_LONG if len(sizes) > 1 else _LONG_ALONE) * typical, _LEAST_WIDE)
        digits = [p.box for p in rest if p.box.height >= _SAME_SIZE * typical]
        thin = _PAPERS * float(np.median([piece.stroke for piece in rest]))
        return cls(levels, rest, digits, typical, long, thin)


def without_underlines(mask: Mask) -> Mask:
    """Remove lines below, above or between digits, touching them or not."""
    numbers, pieces = find_pieces(mask)
    writing = _Writing.of(pieces)
    if writing is None:
        return mask
    kept, lined = mask, dict[int, Piece]()
    for piece in pieces:
        line = _underline(piece, piece.box.cut(numbers) == piece.number, writing)
        if line is not None:
            kept = kept.copy() if kept is mask else kept
            piece.box.cut(kept)[line] = False
            lined[piece.number] = piece
    for piece in (one for one in pieces if one.number not in lined and _is_level(one)):
        is_sign = _is_beside_any(piece.box, writing.height, writing.digits)
        goes = (_goes_with(piece.box, other, writing.height) for other in lined.values())
        if not is_sign and any(goes):
            piece.box.cut(kept)[piece.box.cut(numbers) == piece.number] = False
    return kept


def _goes_with(stroke: Box, lined: Piece, height: float) -> bool:
    """Whether a level stroke is a line as what had one is: its second, or a place without a digit.

    The latter is at the height of the line, and as long.
    """
    line = lined.box
    off = abs(stroke.top + stroke.bottom - line.top - line.bottom) / 2.0
    alike = off <= _IN_LINE * height and abs(stroke.width - line.width) <= _AS_LONG * line.width
    return _is_second(stroke, line, height) or (_is_level(lined) and alike)


def _underline(piece: Piece, own: Mask, writing: _Writing) -> Mask | None:
    """Pixels of a piece that are a line below digits, given all of its own; None without one."""
    width, typical, is_thin = piece.box.width, writing.height, piece.stroke <= writing.thin
    is_first = any(_is_second(line, piece.box, typical) for line in writing.levels)
    line = None
    if (
        _is_level(piece)
        and _is_one_stroke(own)
        and (
            (is_thin and width >= _FRAGMENT * typical)
            or _is_below_any(piece.box, writing.digits, is_line=is_first)
        )
    ):
        line = own
    elif width >= writing.long or (is_first and not _is_level(piece)):
        line = _along(own, max(_THIN * typical, _LEAST_THICK))
        if line is not None and width < writing.long and not _stands_on(own & ~line, line):
            return None  # such as a plus above a minus
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


def _is_one_stroke(own: Mask) -> bool:
    """Whether hardly a column has ink above other ink, as digits that hang together have."""
    begins = np.diff(own, axis=0, prepend=False) & own
    return bool((begins.sum(axis=0) > 1).mean() <= _FOLDED)


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


def _stands_on(rest: Mask, line: Mask) -> bool:
    """Whether nothing else of a piece is below a line in it."""
    return not rest[np.flatnonzero(line.any(axis=1))[-1] + 1 :].any()


def _is_second(line: Box, first: Box, height: float) -> bool:
    """Whether a level stroke lies close below another, as wide: who draws two lines, underlines."""
    is_close = 0 < line.top - first.bottom <= _CLOSE * height
    return is_close and first.overlap(line)[0] >= _AS_WIDE * max(first.width, line.width)


def _is_below_any(line: Box, digits: Sequence[Box], *, is_line: bool) -> bool:
    """Whether a stroke is below a digit, and no part or sign of what is beside or under it.

    It may be known that it is no foot of the digit, but a line.
    """
    above = [
        one
        for one in digits
        if line.overlap(one)[0] > 0 and 0 <= line.top - one.bottom <= _BELOW * one.height
    ]
    return any(
        (len(above) > 1 or is_line or _is_apart(line, one))
        and not _is_near_any(line, line.top - one.bottom, digits)
        and not _is_beside_any(line, one.height, digits)
        for one in above
    )


def _is_apart(line: Box, digit: Box) -> bool:
    """Whether a line is no foot of the digit above: longer on both sides, or well below it."""
    longer = line.left <= digit.left and line.right >= digit.right
    well_below = line.top - digit.bottom >= _APART * digit.height
    return well_below or (longer and line.width <= 2 * digit.height)


def _is_near_any(line: Box, gap: int, digits: Sequence[Box]) -> bool:
    """Whether a digit is less than a gap below a line, which may be its bar."""
    return any(
        line.overlap(other)[0] > 0 and other.bottom > line.bottom and other.top - line.bottom < gap
        for other in digits
    )


def _is_beside_any(line: Box, height: float, digits: Sequence[Box]) -> bool:
    """Whether a digit of about some height stands to the left or right, its middle at the line."""
    return any(
        height <= 2 * other.height <= 4 * height
        and abs(line.top + line.bottom - other.top - other.bottom) <= 2 * _OFF_MIDDLE * other.height
        and line.overlap(other)[0] >= -_BESIDE * height
        for other in digits
    )
