"""Whether the digit that was read is one of several on its picture."""

import numpy as np
from PIL import Image

from mnist_net.arrays import Bytes
from mnist_net.pictures.decoding import Picture
from mnist_net.pictures.looks import looks
from mnist_net.pictures.pieces import Box, find_pieces
from mnist_net.reading.answers import Reading

_FINE = 24  # pixels of a digit's longer side: enough to tell figures apart, and soon looked at
_LIKE = 0.6  # of a digit's height, and its reciprocal: figures of like size
_SAME = 0.5  # of what two boxes cover together, that both cover: one figure


def is_one_of_several(reading: Reading, picture: Picture) -> bool:
    """Whether there are more figures of like size, whole ones, on the picture of a reading."""
    if reading.digit is None or reading.box is None:
        return False
    read_at = picture.box(reading.box)
    rows, columns = picture.pixels.shape[:2]
    if max(columns - read_at.width, rows - read_at.height) <= read_at.size:  # no room for another
        return False
    from mnist_net.pictures.rows import large_boxes, typical_size

    factor = max(1, read_at.size // _FINE)
    pixels = _reduced(picture.pixels, factor)
    box = Box(*(edge // factor for edge in read_at))
    for look in (look for stage in looks(pixels) for look in stage):
        _, pieces = find_pieces(look.writing())
        figures = large_boxes(pieces, typical_size(pieces))
        boxes = [box.moved(*look.corner) for box in figures]
        read = max(boxes, key=lambda other: _shared(box, other), default=None)
        if read and _shared(box, read) > _SAME:
            alike = [b for b in boxes if _LIKE * read.height <= b.height <= read.height / _LIKE]
            return sum(_is_whole(one, pixels) for one in alike) > 1
    return False


def _reduced(pixels: Bytes, factor: int) -> Bytes:
    """A picture so many times smaller, by the means of its pixels."""
    grey = pixels.shape[2] == 1
    image = Image.fromarray(pixels[..., 0] if grey else pixels).reduce(factor)
    return np.asarray(image).reshape(*image.size[::-1], -1)


def _shared(one: Box, other: Box) -> float:
    """Part of what two boxes cover together, that both cover."""
    across, down = one.overlap(other)
    both = max(across, 0) * max(down, 0)
    return both / (one.width * one.height + other.width * other.height - both)


def _is_whole(box: Box, pixels: Bytes) -> bool:
    """Whether a figure is not cut off by the border, as a neighbour of a clipping is."""
    rows, columns = pixels.shape[:2]
    return box.left > 0 and box.top > 0 and box.right < columns and box.bottom < rows
