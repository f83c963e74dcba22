"""Ways to see a picture: what might be paper, what ink, where a digit ends.

Each is brought into MNIST's form here; which of them is right, `reading` settles by reading them.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

import numpy as np

from mnist_net.arrays import Bytes
from mnist_net.pictures.form import deslanted, fit_image, fit_strokes, in_mnist_form, narrowed
from mnist_net.pictures.ink import Ink, clean_paper, find_ink, ink_on_clean_paper, paper_lightness
from mnist_net.pictures.layout import cut_places, digit_rows, main_figure, part
from mnist_net.pictures.pieces import Figure, bounds, panel

__all__ = ["View", "first_look", "page_views", "segments", "views"]

_SURE_OF_PAPER = 1.0  # of the evidence that `paper_lightness` gives
_LESS_LIKELY = 0.8  # prior of the other polarity
_LIKELIER_AS_IT_IS = 0.95
_WIDTHS = (0.8, 0.6)  # of a figure whose proportions are in doubt
_HALF = 128  # grey levels: the edge of a stroke
_CUT_WIDER_THAN = 0.75  # of its height: a figure may be several digits


class View(NamedTuple):
    """One way to see a picture: the digit in MNIST's form, and how likely this way is.

    Attributes
    ----------
    image
        28 × 28.
    figure
        What it was made of; None if the picture was taken as it is.
    prior
        From 0 to 1.
    """

    image: Bytes
    figure: Figure | None = None
    prior: float = 1.0

    def variants(self) -> list[Bytes]:
        """The same digit, upright and narrower: a reading should depend on neither."""
        if self.figure is None:
            return [self.image]
        ink = self.figure.ink
        return [self.image, fit_strokes(deslanted(ink)), fit_strokes(narrowed(ink))]


def first_look(pixels: Bytes) -> list[View]:
    """What can be seen at hardly any cost: MNIST's own form, or all the ink on clean paper.

    Most pictures that are drawn on a screen need no more; where the network is not sure of this,
    `views` looks properly.
    """
    ready = in_mnist_form(pixels)
    if ready is not None:
        return [View(ready)]
    levels = ink_on_clean_paper(pixels)
    if levels is None:
        return []
    box = bounds(levels >= _HALF)
    ink = (box.cut(levels) / np.float32(2 * _HALF)).astype(np.float32)
    return [View(fit_image(levels), Figure(ink, box, box[:2]))]


def views(pixels: Bytes, *, shadows: bool = True) -> list[View]:
    """Ways to see the one digit of a picture; one where the paper is beyond doubt."""
    ready = in_mnist_form(pixels)
    if ready is not None:
        return [View(ready)]
    if not shadows and clean_paper(pixels) is not None:
        return []  # there is no shadow to be seen otherwise
    found = []
    for ink, prior, corner in _inks(pixels, shadows=shadows):
        figure = main_figure(ink)
        if figure is None or figure.is_blob:
            continue
        figure = figure.moved(*corner)
        if figure.is_side(*pixels.shape[1::-1]) or not figure.stands_out(pixels):
            continue
        found.append(_view(figure, prior))
        if figure.box == (0, 0, *pixels.shape[1::-1]):
            # Who cuts a picture off at the ink may also have stretched it.
            for share in _WIDTHS:
                narrower = replace(figure, ink=narrowed(figure.ink, share))
                found.append(_view(narrower, prior * _LIKELIER_AS_IT_IS))
    return found


def _view(figure: Figure, prior: float = 1.0) -> View:
    return View(fit_strokes(figure.ink), figure, prior)


def _inks(pixels: Bytes, *, shadows: bool) -> Iterator[tuple[Ink, float, tuple[int, int]]]:
    """Ink for each likely polarity, its prior, and its left top corner within the picture."""
    lightness = paper_lightness(pixels)
    likelier = lightness > 0.0
    for dark, prior in ((likelier, 1.0), (not likelier, _LESS_LIKELY)):
        if dark != likelier and abs(lightness) > _SURE_OF_PAPER:
            break
        ink = find_ink(pixels, dark=dark, shadows=shadows)
        inner = None if ink is None else panel(ink)
        if inner is not None:
            corner = (inner.left, inner.top)
            within = find_ink(inner.cut(pixels), dark=not dark, shadows=shadows)
            if within is not None:
                yield within, prior, corner
                continue
        if ink is not None:
            yield ink, prior, (0, 0)


def page_views(pixels: Bytes) -> list[tuple[list[list[Figure]], float]]:
    """Rows of what may be digits, and the prior, for each likely polarity."""
    found = []
    for ink, prior, corner in _inks(pixels, shadows=True):
        rows = [[f.moved(*corner) for f in row if not f.is_blob] for row in digit_rows(ink)]
        found.append(([[f for f in row if f.stands_out(pixels)] for row in rows], prior))
    return found


def segments(figure: Figure) -> dict[tuple[int, int], View]:
    """The whole figure, and its parts between places where it may be cut; by begin and end."""
    width = figure.ink.shape[1]
    places = [
        0,
        *(cut_places(figure) if width > _CUT_WIDER_THAN * figure.ink.shape[0] else []),
        width,
    ]
    found = {(0, width): _view(figure)}
    for begin, end in combinations(places, 2):
        if (begin, end) != (0, width) and end - begin < 1.5 * figure.ink.shape[0]:
            piece = part(figure, begin, end)
            if piece is not None:
                found[begin, end] = _view(piece)
    return found
