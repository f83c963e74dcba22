"""Ways to see a page, cheapest first, and what its sheet tells before anything is read."""

from collections.abc import Iterator
from typing import NamedTuple

from mnist_net.arrays import Bytes
from mnist_net.pictures.looks import Look, looks, looks_at_several
from mnist_net.pictures.pieces import find_pieces
from mnist_net.pictures.rows import Sheet, sheet_of, typical_size
from mnist_net.pictures.surroundings import without_objects

_LESS_LIKELY = 0.92  # prior of a page in a shadow, or with something on it, ...
_TURNED = 0.8  # ... and of one that is turned by quarters
_LEAST_TURNED, _MOST_TURNED = 3, 60  # figures on a page that is turned: grains look alike so
_MAY_BE_SEVERAL = 0.75  # of its height: a figure that is wider may be several digits
_LARGER = (1.25, 10.0)  # typical sizes, between which what leaves a picture is none of its digits


class Way(NamedTuple):
    """A way to see a page: its ink, parted into rows, and how likely it is so, from 0 to 1."""

    look: Look
    sheet: Sheet
    prior: float


def likely_ways(pixels: Bytes) -> Iterator[Way]:
    """Ways to see it as it lies there, see `looks`."""
    for stage in looks(pixels):
        for look in stage:
            yield _way(look, look.prior)


def other_ways(pixels: Bytes, seen: Way) -> Iterator[Way]:
    """Less likely ways: in a shadow, without what lies on it, and turned.

    The likeliest way so far is given.
    """
    yield from in_shadow(pixels)
    look = seen.look
    if (bared := without_objects(pixels, look.ink, look.corner)) is not None:
        for bare in next(looks(bared)):
            yield _way(bare, _LESS_LIKELY)
    for quarter_turns in (1, 2, 3) if seen.sheet.n_figures < _MOST_TURNED else ():
        turned = sheet_of(look.writing(quarter_turns), look.ink, quarter_turns)
        if turned.n_figures >= _LEAST_TURNED:
            yield Way(look, turned, _TURNED)


def in_shadow(pixels: Bytes) -> Iterator[Way]:
    """Ways to see a photograph of several digits, narrow or faint, which a shadow may hide."""
    for look in looks_at_several(pixels):
        yield _way(look, _LESS_LIKELY)


def _way(look: Look, prior: float) -> Way:
    return Way(look, sheet_of(look.writing(), look.ink), prior)


def is_one_digit(sheet: Sheet) -> bool:
    """Whether there is one figure, and beside it nothing larger that leaves the picture."""
    boxes = [box for row in sheet.rows for box in row.figures]
    if len(boxes) != 1 or boxes[0].width > _MAY_BE_SEVERAL * boxes[0].height:
        return False
    _, pieces = find_pieces(sheet.numbers > 0)
    usual = typical_size([piece for piece in pieces if not piece.borders])
    least, most = (share * usual for share in _LARGER)  # beside a digit there may be specks
    return not any(least < piece.box.size < most for piece in pieces if piece.borders)


def has_more(sheet: Sheet) -> bool:
    """Whether anything lies beside the figures, such as a sign."""
    return any(
        all(box.union(part.box) != box for box in row.figures)
        for row in sheet.rows
        for part in row.parts
    )
