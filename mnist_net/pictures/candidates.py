"""What may be one character of a row: some parts that lie together, and how they are seen there."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from PIL import Image

from mnist_net.arrays import IMAGE_SHAPE, Bytes
from mnist_net.pictures.pieces import Box, Figure, Piece, around, figure_of, is_of
from mnist_net.pictures.rows import Row, Sheet

DOT = 0.25
"""Of a row's height, which no dot exceeds, and any digit."""

_MOST_PARTS = 12  # that make one character
_WIDEST = 1.8  # of a row's height, which one character does not exceed
_APART = 0.4  # of a row's height, which no character's parts are
_FIELD = 1.7  # heights of a digit: what is seen of a row around one character
_FINE = 448  # pixels of a field, of which not all are looked at where there are twice as many
_BESIDES = 96  # grey level of the ink that is not the character's own


class Candidate(NamedTuple):
    """Parts of a row that may be one character: from `begin` to `end`, exclusive."""

    row: Row
    begin: int
    end: int
    box: Box

    @property
    def parts(self) -> tuple[Piece, ...]:
        """The parts."""
        return self.row.parts[self.begin : self.end]

    @property
    def has_dot(self) -> bool:
        """Whether a small part lies low beside the others, as a full stop or half a colon does."""
        dots = [part for part in self.parts if part.box.size < DOT * self.row.height]
        rest = [part for part in self.parts if part not in dots]
        if not dots or not rest:
            return False
        whole = around(rest)
        return any(
            2 * whole.overlap(box)[0] <= box.width
            and box.top + box.bottom > whole.top + whole.bottom
            for _, _, box, *_ in dots
        )


def candidates(row: Row) -> Iterator[Candidate]:
    """Whatever may be one character of a row."""
    parts = row.parts
    for begin in range(len(parts)):
        box = parts[begin].box
        for end in range(begin + 1, min(begin + _MOST_PARTS, len(parts)) + 1):
            other = parts[end - 1].box
            gap = other.left - box.right
            box = box.union(other)
            if end > begin + 1 and (gap > _APART * row.height or box.width > _WIDEST * row.height):
                break
            yield Candidate(row, begin, end, box)


def figure_on(sheet: Sheet, candidate: Candidate) -> Figure:
    """A candidate's own ink."""
    return figure_of(sheet.ink, sheet.numbers, candidate.parts)


def field_on(sheet: Sheet, candidate: Candidate) -> Bytes:
    """A candidate at its place in its row: its own ink bright, that around it dim; 28 × 28."""
    row, box = candidate.row, candidate.box
    x = (box.left + box.right) / 2.0
    y = row.middle + row.slope * x
    half = _FIELD * row.height / 2.0
    left, top, right, bottom = (round(v) for v in (x - half, y - half, x + half, y + half))
    height, width = sheet.ink.shape
    inner = Box(max(left, 0), max(top, 0), min(right, width), min(bottom, height))
    step = max(1, (bottom - top) // _FINE)
    levels = np.zeros(
        (-(-max(bottom - top, 1) // step), -(-max(right - left, 1) // step)), np.float32
    )
    if inner.width > 0 and inner.height > 0:
        numbers = inner.cut(sheet.numbers)[::step, ::step]
        own = is_of(candidate.parts, numbers)
        shade = np.where(own, np.float32(255.0), np.float32(_BESIDES)) * (numbers > 0)
        part = levels[(inner.top - top) // step :, (inner.left - left) // step :]
        part = part[: shade.shape[0], : shade.shape[1]]
        part[...] = shade[: part.shape[0], : part.shape[1]]
    small = Image.fromarray(levels).resize(IMAGE_SHAPE[::-1], Image.Resampling.BOX)
    field = np.asarray(small)
    return np.round(field * (255.0 / max(float(field.max()), 1.0))).astype(np.uint8)
