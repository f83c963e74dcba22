"""Where the digits are: the pieces that belong together, rows, and reading order.

Lengths are compared with a digit's own: the size of its main piece, or on a page the typical one.
"""

import numpy as np

from mnist_net.pictures.ink import Ink
from mnist_net.pictures.not_writing import (
    is_full_stop,
    is_speck,
    least_size,
    without_ruled_lines,
)
from mnist_net.pictures.pieces import Box, Figure, Piece, around, bounds, figure_of, find_pieces

_NEAR = 0.2  # of a digit's size, across which its pieces belong together
_PART = 0.1  # of the main piece's area, which a broken stroke's other parts have
_SAME_SIZE = 0.4  # of the typical size, which a digit's piece reaches
_TALLEST = 1.5  # of the typical size, which two pieces above each other do not exceed
_OVERLAP = 0.5  # of the shorter side: what is above or beside each other
_OFF = 0.5  # what a piece is worth in a corner, and at a border, of what it is in the middle
_EDGE = 0.12  # of a figure's height, within which it is not cut
_MOST_CUTS = 6  # that are tried on one figure


def main_figure(ink: Ink) -> Figure | None:
    """The one digit of a picture, of all the ink that is on it.

    The main piece is large, central and off the border; with it go the pieces that are near it
    and no specks, such as the bar of a 5 or the dashes of a broken stroke.
    """
    numbers, pieces = find_pieces(without_ruled_lines(ink >= 0.5))
    if not pieces:
        return None
    large = [piece for piece in pieces if piece.box.size >= least_size(ink)]
    main = max(large or pieces, key=lambda piece: _prominence(piece, ink.shape))
    chosen, box = [main], main.box
    rest = [p for p in pieces if p is not main and (main.borders or not p.borders)]
    while near := [p for p in rest if _belongs(p, box, main)]:
        chosen += near
        rest = [p for p in rest if p not in near]
        box = around(chosen)
    return figure_of(ink, numbers, chosen) if box.size >= least_size(ink) else None


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


def digit_rows(ink: Ink) -> list[list[Figure]]:
    """All that may be a digit, in rows from the top, each from left to right.

    Pieces of about the typical height are digits; smaller ones go with the nearest digit if they
    are close, and two pieces above each other are one digit if together they are no taller than
    digits are.
    """
    numbers, pieces = find_pieces(without_ruled_lines(ink >= 0.5))
    if not pieces:
        return []
    typical = _typical_size(pieces)
    least = max(_SAME_SIZE * typical, least_size(ink))
    groups = [[p] for p in pieces if p.box.size >= least]
    if not groups:
        return []
    groups = _joined(groups, typical)
    for piece in pieces:
        if piece.box.size < _SAME_SIZE * typical and not is_speck(piece, typical):
            nearest = min(groups, key=lambda group: around(group).gap(piece.box))
            if around(nearest).gap(piece.box) < 0.5 * _NEAR * typical:
                nearest.append(piece)
    return _rows([figure_of(ink, numbers, group) for group in groups])


def _typical_size(pieces: list[Piece]) -> float:
    sizes = np.sort([piece.box.size for piece in pieces])
    sizes = sizes[sizes >= _SAME_SIZE * np.quantile(sizes, 0.9)]
    return float(sizes[len(sizes) // 2])  # of two, the larger: the other may be a part of it


def _joined(groups: list[list[Piece]], typical: float) -> list[list[Piece]]:
    """Unite what lies above each other within the height of one digit."""
    joined: list[list[Piece]] = []
    for group in sorted(groups, key=lambda group: around(group).top):
        box = around(group)
        for other in joined:
            above = around(other)
            across, down = box.overlap(above)
            is_below = across > _OVERLAP * min(box.width, above.width)
            # A slanted stroke that is broken: the parts meet, and are not beside each other.
            goes_on = down < _NEAR * min(box.height, above.height) and (
                box.gap(above) < 0.5 * _NEAR * typical
            )
            if (is_below or goes_on) and box.union(above).height < _TALLEST * typical:
                other.extend(group)
                break
        else:
            joined.append(list(group))
    return joined


def _rows(figures: list[Figure]) -> list[list[Figure]]:
    rows: list[list[Figure]] = []
    for figure in sorted(figures, key=lambda figure: figure.box.left):
        for row in rows:
            last = row[-1].box
            _, down = figure.box.overlap(last)
            if down > _OVERLAP * min(figure.box.height, last.height):
                row.append(figure)
                break
        else:
            rows.append([figure])
    return sorted(rows, key=lambda row: np.mean([figure.box.top for figure in row]))


def cut_places(figure: Figure) -> list[int]:
    """Columns at which a figure may be two digits that touch: where it has least ink."""
    from scipy import ndimage

    height, width = figure.ink.shape
    profile = (figure.ink >= 0.5).sum(axis=0).astype(np.float64)
    margin = max(2, round(_EDGE * height))
    smooth = ndimage.gaussian_filter1d(profile, max(0.5, margin / 6.0), mode="constant")
    is_least = smooth == ndimage.minimum_filter1d(smooth, margin + 1)
    places = [int(x) for x in np.flatnonzero(is_least) if margin <= x <= width - margin]
    apart = [x for x, before in zip(places, [-margin, *places], strict=False) if x - before > 1]
    return sorted(sorted(apart, key=lambda x: smooth[x])[:_MOST_CUTS])


def part(figure: Figure, begin: int, end: int) -> Figure | None:
    """Columns from begin to end (exclusive) of a figure; None if there is hardly ink."""
    ink = figure.ink[:, begin:end]
    solid = ink >= 0.5
    if not solid.any():
        return None
    place = bounds(solid)
    if place.height < _SAME_SIZE * figure.ink.shape[0]:
        return None
    left, top = figure.corner[0] + begin + place.left, figure.corner[1] + place.top
    box = Box(left, top, left + place.width, top + place.height)
    return Figure(place.cut(ink), box, (left, top))
