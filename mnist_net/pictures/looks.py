"""Ways to see a picture, cheapest first: what is paper, what is ink, where a digit ends.

Single digits and pages are seen in the same ways.  Each look is brought into MNIST's form here;
which of them is right, `reader` settles by reading them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from mnist_net.arrays import Bytes
from mnist_net.pictures.form import fitted, in_mnist_form, narrowed, variants
from mnist_net.pictures.ink import (
    NARROW,
    WIDE,
    Ink,
    clean_paper,
    find_ink,
    find_traces,
    ink_on_clean_paper,
    paper_lightness,
)
from mnist_net.pictures.layout import main_figures
from mnist_net.pictures.lines import without_lines
from mnist_net.pictures.not_writing import framed, is_of_a_frame, is_writing, marks_of_paper
from mnist_net.pictures.pieces import Box, Figure, Mask, bounds, figure_of, find_pieces
from mnist_net.pictures.surroundings import sheet_box

_SURE_OF_PAPER = 1.0  # of the evidence that `paper_lightness` gives
_LESS_LIKELY = 0.8  # prior of the other polarity
_LIKELIER_AS_IT_IS = 0.95
_HASTY = 0.0  # prior of all the ink at once: it counts only until something else is seen
_CLIPPING = 64  # pixels of the longer side of a picture that may be clipped at its one digit
_IN_TABLES = (NARROW, NARROW / 2, NARROW / 4)  # of a picture's side: no stroke in a cell is wider
_WIDTHS = (0.8, 0.6)  # of a figure whose proportions are in doubt


class View(NamedTuple):
    """What may be a digit, in MNIST's form: 28 × 28.

    The figure is what it was made of, the prior how likely it is that this is the way to see it,
    from 0 to 1.  A picture that came in MNIST's form is ready, and was taken as it is.  One that is
    ready was prepared for a reader, and so was one that somebody cropped at its ink.
    """

    image: Bytes
    figure: Figure
    prior: float = 1.0
    ready: bool = False
    prepared: bool = False

    def variants(self) -> list[Bytes]:
        """The same digit otherwise, see `form.variants`; none of what came in MNIST's form."""
        if self.ready:
            return []
        return variants(self.figure.ink)


@dataclass(frozen=True, slots=True)
class Look:
    """One way to see a picture, and how likely it is, from 0 to 1.

    The ink is that of the whole picture, or of a part of it that begins at the corner (column and
    row); the faint ink has what is nowhere as dark as strokes too, such as the lines of a table.
    Where nothing on it can be shadow or dirt, the drawing is all the ink together in MNIST's
    form, 28 × 28; it is ready if it is the picture as it came.
    """

    pixels: Bytes
    ink: Ink
    corner: tuple[int, int] = (0, 0)
    prior: float = 1.0
    drawing: Bytes | None = None
    ready: bool = False
    faint: Ink | None = None

    def digit(self) -> list[View]:
        """Views of the one digit on it; none if what there is, is no writing."""
        if self.drawing is not None:
            height, width = self.ink.shape
            box = Box(0, 0, width, height) if self.ready else bounds(self.ink >= 0.5)
            figure = Figure(box.cut(self.ink), box, (box.left, box.top))
            return [View(self.drawing, figure, self.prior, self.ready, self._was_prepared(box))]
        figures = self._figures(all_lines=True) or self._figures(all_lines=False)
        if not figures:
            return []
        main, *others = figures
        if main.box == (0, 0, *self.pixels.shape[1::-1]):
            # Who cuts a picture off at the ink may also have stretched it.
            others += [replace(main, ink=narrowed(main.ink, share)) for share in _WIDTHS]
        as_it_is = self.prior * _LIKELIER_AS_IT_IS
        views = [_view(main, self.prior), *(_view(figure, as_it_is) for figure in others)]
        prepared = self._was_prepared(main.box)
        return [view._replace(prepared=prepared) for view in views]

    def _was_prepared(self, box: Box) -> bool:
        """Whether the picture ends within a pixel of its ink, at both ends of the longer side."""
        height, width = self.pixels.shape[:2]
        upright = box.height >= box.width
        first, last = (box.top, box.bottom) if upright else (box.left, box.right)
        is_cropped = first <= 1 and last >= (height if upright else width) - 1
        return is_cropped and not self._is_photograph()

    def _is_photograph(self) -> bool:
        """Whether it is too large to be clipped at its ink, and on no clean paper."""
        return max(self.ink.shape) > _CLIPPING and clean_paper(self.pixels) is None

    def _figures(self, *, all_lines: bool) -> list[Figure]:
        """What may be the digit; where nothing is, what was taken for lines may be it after all."""
        figures = main_figures(self.ink, all_lines=all_lines)
        return [figure.moved(*self.corner) for figure in figures if self._is_writing(figure)]

    def writing(self, quarter_turns: int = 0) -> Mask:
        """Where there may be writing: ink but for lines, marks, and what is none at the border.

        Whether a stroke underlines others, is seen after quarter turns, counter-clockwise.
        """
        mask = self.ink >= 0.5
        numbers, pieces = find_pieces(mask)  # marks first: one within a 0 would make it a frame
        mask &= ~np.isin(numbers, marks_of_paper(numbers, pieces))
        turned = without_lines(np.rot90(mask, quarter_turns))
        mask = np.ascontiguousarray(np.rot90(turned, -quarter_turns))
        numbers, pieces = find_pieces(mask)
        is_photograph = self._is_photograph()
        for piece in (piece for piece in pieces if piece.borders):
            leaves = piece.borders > 1 or is_of_a_frame(piece, mask.shape)
            is_none = is_photograph and leaves
            if is_none or not self._is_writing(figure_of(self.ink, numbers, [piece])):
                mask[numbers == piece.number] = False
        return mask

    def _is_writing(self, figure: Figure) -> bool:
        return is_writing(figure.moved(*self.corner), self.pixels)


def looks(pixels: Bytes, *, whole: bool = False) -> Iterator[list[Look]]:
    """Ways to see a picture (uint8, rows × columns × channels), in stages, until one is sure.

    Most pictures that are drawn on a screen need no more than the first stage: MNIST's own form,
    which has been through all of this already, or all the ink on clean paper.  Then comes whatever
    departs from paper, light and shadow that are followed across the picture; and at last the same
    without sharp shadows, which costs no wide stroke.  Only the sheet of paper on it is seen.  If
    it is wanted whole, for a table, whose strokes are the narrower the more cells it has, ever
    narrower shadows are followed at last.
    """
    ready = in_mnist_form(pixels)
    if ready is not None:
        yield [Look(pixels, _as_ink(ready), drawing=ready, ready=True)]
        return
    levels = ink_on_clean_paper(pixels)
    if levels is not None:
        yield [Look(pixels, _as_ink(levels), prior=_HASTY, drawing=fitted(levels))]
    follow = _followed_on if whole else _followed
    yield list(follow(pixels, WIDE))
    if clean_paper(pixels) is None:  # else there is no shadow
        yield list(follow(pixels, None))
        if whole:
            for widest in _IN_TABLES:
                yield list(follow(pixels, widest))


def looks_at_several(pixels: Bytes) -> Iterator[Look]:
    """Further ways to see a photograph of several digits: none is wide, and some may be faint."""
    if clean_paper(pixels) is None:
        yield from _followed(pixels, NARROW)
        yield from _followed(pixels, WIDE, faint=True)


def first_sight(pixels: Bytes) -> Bytes | None:
    """One digit in MNIST's form, as it is seen first; None on a blank picture."""
    views = (view for stage in looks(pixels) for look in stage for view in look.digit())
    return next((view.image for view in views), None)


def _as_ink(levels: Bytes) -> Ink:
    """Ink of grey levels: the edge of a stroke is half of the brightest."""
    return (levels / np.float32(255.0)).astype(np.float32)


def _followed(pixels: Bytes, widest: float | None, *, faint: bool = False) -> Iterator[Look]:
    """A look for each likely polarity, on the sheet, and within a frame if there is one."""
    sheet = sheet_box(pixels)
    if sheet is not None:
        for look in _followed_on(sheet.cut(pixels), widest, faint=faint):
            column, row = look.corner
            corner = (sheet.left + column, sheet.top + row)
            yield replace(look, pixels=pixels, corner=corner)
    else:
        yield from _followed_on(pixels, widest, faint=faint)


def _followed_on(pixels: Bytes, widest: float | None, *, faint: bool = False) -> Iterator[Look]:
    lightness = paper_lightness(pixels)
    likelier = lightness > 0.0
    for dark, prior in ((likelier, 1.0), (not likelier, _LESS_LIKELY)):
        # Of a picture that is half in the shadow, nothing is sure.
        if dark != likelier and abs(lightness) > _SURE_OF_PAPER and widest != NARROW:
            break
        traces = find_traces(pixels, dark=dark, widest=widest, faint=faint)
        ink = None if traces is None else traces.strokes()
        inner = None if ink is None else framed(ink)
        if inner is not None:
            within = find_ink(inner.cut(pixels), dark=not dark, widest=widest)
            if within is not None:
                yield Look(pixels, within, (inner.left, inner.top), prior)
                continue
        if traces is not None and ink is not None:
            yield Look(pixels, ink, prior=prior, faint=traces.ink)


def _view(figure: Figure, prior: float) -> View:
    return View(fitted(figure.ink, usual_strokes=True), figure, prior)
