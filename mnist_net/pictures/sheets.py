"""Sheets of a page: in further ways to see it, and what they tell before anything is read."""

from collections.abc import Iterator

from mnist_net.arrays import Bytes
from mnist_net.pictures.looks import Look, looks, looks_at_several
from mnist_net.pictures.pieces import Mask
from mnist_net.pictures.rows import Sheet, sheet_of, without_intruders
from mnist_net.pictures.surroundings import without_objects

_LEAST_TURNED, _MOST_TURNED = 3, 60  # figures on a page that is turned: grains look alike so
_MAY_BE_SEVERAL = 0.75  # of its height: a figure that is wider may be several digits


def other_ways(pixels: Bytes, look: Look, sheet: Sheet) -> Iterator[tuple[Look, Sheet]]:
    """Less likely ways to see a page: in a shadow, without what lies on it, and turned.

    The likeliest way so far is given: the look and its sheet.
    """
    yield from in_shadow(pixels)
    if (bared := without_objects(pixels, look.ink, look.corner)) is not None:
        for bare in next(looks(bared)):
            yield bare, sheet_of(bare.writing(), bare.ink)
    for quarter_turns in (1, 2, 3) if sheet.n_figures < _MOST_TURNED else ():
        turned = sheet_of(look.writing(quarter_turns), look.ink, quarter_turns)
        if turned.n_figures >= _LEAST_TURNED:
            yield look, turned


def in_shadow(pixels: Bytes) -> Iterator[tuple[Look, Sheet]]:
    """Ways to see a photograph of several digits, narrow or faint, which a shadow may hide."""
    for look in looks_at_several(pixels):
        yield look, sheet_of(look.writing(), look.ink)


def is_one_digit(sheet: Sheet, writing: Mask) -> bool:
    """Whether there is one figure, and nothing else if that leaves the picture."""
    boxes = [box for row in sheet.rows for box in row.figures]
    if len(boxes) != 1 or boxes[0].width > _MAY_BE_SEVERAL * boxes[0].height:
        return False
    return not (without_intruders(writing) != writing).any()


def has_more(sheet: Sheet) -> bool:
    """Whether anything lies beside the figures, such as a sign."""
    return any(
        all(box.union(part.box) != box for box in row.figures)
        for row in sheet.rows
        for part in row.parts
    )
