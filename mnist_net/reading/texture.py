"""What a photograph shows that is no writing, and networks take for digits: folds, edges, cloth."""

from mnist_net.pictures.decoding import Picture
from mnist_net.pictures.ink import clean_paper
from mnist_net.pictures.pieces import Box
from mnist_net.reading.answers import UNREAD, Page, Reading

_CUT_OUT = 64 * 64  # pixels of a picture that shows what it was cut out for
_AT_BORDER = 0.004  # of a picture's longer side, which a stroke that leaves it may be short of
_LEAST_ALONE, _LEAST_STROKE = 0.7, 0.9  # score of one digit, or of a 1, in all of a photograph


def may_be_texture(picture: Picture) -> bool:
    """Whether it is a photograph, and not so small that somebody must have cut it out."""
    return picture.pixels[..., 0].size > _CUT_OUT and clean_paper(picture.pixels) is None


def is_texture(page: Page, picture: Picture) -> bool:
    """Whether all that was read on a photograph is rather a fold, an edge, a hair, or straws.

    Such leave the picture on one side: who cuts a digit out leaves no room on the other, either.
    And where strokes in several rows are all that is read, but not all that there is, none is a 1.
    """
    readings = [reading for row in page.rows for reading in row]
    if not page.digits or not may_be_texture(picture):
        return False
    first, *others = readings
    least = _LEAST_STROKE if first.digit == 1 else _LEAST_ALONE
    if not others and (first.score < least or _leaves(first, picture)):
        return True
    unread = any(one.sign == UNREAD for one in readings)
    if unread and len(page.rows) > 1 and all(one.digit == 1 for one in page.digits):
        return True
    return all(one.digit == 1 and _leaves(one, picture) for one in readings)


def _leaves(one: Reading, picture: Picture) -> bool:
    """Whether a digit ends at one border of the picture, and not at the one across.

    A stroke may do so however long it is, another digit where there is room for a second one.
    """
    assert one.box is not None
    height, width = picture.pixels.shape[:2]
    x, y, across, down = picture.place(Box(0, 0, width, height))
    left, top, own_width, own_height = one.box
    near, room = 0.0, float(max(own_width, own_height))
    if one.digit == 1:
        near = room = _AT_BORDER * max(across, down)
    margins = (left - x, x + across - left - own_width), (top - y, y + down - top - own_height)
    return any(min(pair) <= near and max(pair) > room for pair in margins)
