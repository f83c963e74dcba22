"""What is written on a picture: one digit, several, or none.

A picture leaves open what its ink is: which of its levels is paper, how far a shadow goes, where
one digit ends and the next begins.  The network settles it: each way to see the picture is brought
into MNIST's form and read, and the one that it reads with most confidence is kept.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import numpy as np

from mnist_net.arrays import Array, Bytes
from mnist_net.errors import ImageError
from mnist_net.pictures.decoding import Picture, open_image
from mnist_net.pictures.pieces import Box, Figure
from mnist_net.reading.answers import Judgement, Page, Reading
from mnist_net.reading.looks import View, first_look, page_views, segments, views
from mnist_net.reading.threshold import REJECT_BELOW
from mnist_net.trained.committee import Predictor
from mnist_net.trained.store import load_detector, load_model

__all__ = [
    "REJECT_BELOW",
    "Page",
    "Reader",
    "Reading",
    "load_detector",
    "read_digit",
    "read_digits",
    "read_image",
]

_SURE = 0.9  # confidence, above which no second look is taken
_BLANK = "nothing on it is darker or lighter than its paper"
_UNLIKE = "what is on it does not look like a digit"
_LEAST_SHARE = 0.5  # of a page's figures are digits, or none is
_ODDS_IN_FORM = 3.0  # what is in MNIST's form is likelier a digit than most pictures are
_BATCH = 256  # pictures that are read together
_MOST_PIXELS = 10_000_000  # of them, held in memory at once


def _best_path(
    parts: dict[tuple[int, int], tuple[View, Judgement]],
) -> list[tuple[View, Judgement]]:
    """Parts that tile the figure with the greatest product of confidences (Viterbi)."""
    last = max(end for _, end in parts)
    best: dict[int, tuple[float, list[tuple[View, Judgement]]]] = {0: (0.0, [])}
    for (begin, end), choice in sorted(parts.items(), key=lambda item: item[0][::-1]):
        if begin in best:
            score, path = best[begin]
            score += math.log(choice[1].confidence + 1e-9)
            if end not in best or score > best[end][0]:
                best[end] = (score, [*path, choice])
    return best[last][1]


def _batches(pictures: Iterable[Picture | ImageError]) -> Iterator[list[Picture | ImageError]]:
    batch: list[Picture | ImageError] = []
    n_pixels = 0
    for picture in pictures:
        _require_picture(picture, ImageError)
        batch.append(picture)
        n_pixels += picture.pixels.size if isinstance(picture, Picture) else 0
        if len(batch) == _BATCH or n_pixels > _MOST_PIXELS:
            yield batch
            batch, n_pixels = [], 0
    if batch:
        yield batch


def _require_picture(thing: object, *others: type) -> None:
    if not isinstance(thing, (Picture, *others)):
        raise TypeError(
            f"a Picture is expected, as images.open_image makes it, not {type(thing).__name__}"
        )


class Reader:
    """Reads pictures with a network, and with a second one that tells digits from other things.

    Parameters
    ----------
    model
        Reads digits; see `persistence.load_model`.
    detector
        Of two classes, 0 for anything and 1 for a digit; see `persistence.load_detector`.  Without
        one, the network's own confidence stands for its score.
    reject_below
        What scores less is no digit; from 0 (everything is one) to 1.
    """

    def __init__(
        self,
        model: Predictor,
        detector: Predictor | None = None,
        reject_below: float = REJECT_BELOW,
    ) -> None:
        self.model = model
        self.detector = detector
        self.reject_below = reject_below

    def read(self, pictures: Iterable[Picture | ImageError]) -> Iterator[Reading | ImageError]:
        """Read the one digit of each picture, in bounded memory.

        Parameters
        ----------
        pictures
            See `images.open_image`.  An error in a picture's place is handed on in its place.

        Raises
        ------
        TypeError
            If they are something else, such as arrays or names.
        """
        for batch in _batches(pictures):
            opened = [picture for picture in batch if isinstance(picture, Picture)]
            readings = iter(self._read_batch(opened))
            for item in batch:
                yield next(readings) if isinstance(item, Picture) else item

    def _read_batch(self, pictures: Sequence[Picture]) -> list[Reading]:
        # A first look serves clean drawings.  Where it is not sure, paper and shadows are looked
        # for instead; and where that is not either, all views count, each with its variants.
        seen = [first_look(picture.pixels) for picture in pictures]
        chosen = self._most_confident(seen)
        for last in (False, True):
            unsure = [k for k, c in enumerate(chosen) if c is None or c[1].confidence < _SURE]
            for k in unsure:
                looked = views(pictures[k].pixels, shadows=not last)
                seen[k] = [*seen[k], *looked] if last else looked
            again = self._most_confident([seen[k] for k in unsure], variants=last)
            for k, choice in zip(unsure, again, strict=True):
                chosen[k] = choice
        return [
            self._reading(choice, picture) for choice, picture in zip(chosen, pictures, strict=True)
        ]

    def _most_confident(
        self, alternatives: Sequence[Sequence[View]], *, variants: bool = False
    ) -> list[tuple[View, Judgement] | None]:
        """For each picture the view that is read with most confidence; None if it has none."""
        flat = [view for views_of_one in alternatives for view in views_of_one]
        judged = iter(self._judge([view.variants() if variants else [view.image] for view in flat]))
        chosen = []
        for views_of_one in alternatives:
            pairs = [(view, next(judged)) for view in views_of_one]
            chosen.append(
                max(pairs, key=lambda pair: pair[0].prior * pair[1].confidence, default=None)
            )
        return chosen

    def _judge(self, groups: Sequence[Sequence[Bytes]]) -> list[Judgement]:
        """Mean judgement over each group of pictures, all read at once."""
        if not groups:
            return []
        images = np.stack([image for group in groups for image in group])
        probabilities = self.model.predict_proba(images)
        scores = self._scores(images, probabilities)
        ends = np.cumsum([len(group) for group in groups])
        return [
            Judgement(probabilities[begin:end].mean(axis=0), float(scores[begin:end].mean()))
            for begin, end in pairwise([0, *ends.tolist()])
        ]

    def _scores(self, images: Bytes, probabilities: Array) -> Array:
        confidence = probabilities.max(axis=1)
        if self.detector is None:
            return confidence
        return self.detector.predict_proba(images)[:, 1] * confidence

    def _reading(self, choice: tuple[View, Judgement] | None, picture: Picture) -> Reading:
        if choice is None:
            return Reading(None, reason=_BLANK)
        view, (probabilities, score) = choice
        best = int(probabilities.argmax())
        if view.figure is None:
            score *= _ODDS_IN_FORM / (1.0 + (_ODDS_IN_FORM - 1.0) * score)  # Bayes' rule
        refused = score < self.reject_below
        height, width = picture.pixels.shape[:2]
        box = view.figure.box if view.figure else Box(0, 0, width, height)
        return Reading(
            None if refused else int(self.model.classes[best]),
            float(probabilities[best]),
            score,
            probabilities,
            view.image,
            box.scaled(picture.reduction),
            _UNLIKE if refused else None,
        )

    def read_page(self, picture: Picture) -> Page:
        """All digits of a picture, in reading order."""
        _require_picture(picture)
        pages = [
            (self._read_rows(rows, picture), prior) for rows, prior in page_views(picture.pixels)
        ]
        best = max(pages, key=lambda pair: pair[1] * pair[0].confidence, default=None)
        return best[0] if best else Page((), _BLANK)

    def _read_rows(self, rows: Sequence[Sequence[Figure]], picture: Picture) -> Page:
        figures = [figure for row in rows for figure in row]
        best = iter(self._split(figures))
        read, n_figures = [], 0
        for row in rows:
            choices = [choice for _ in row for choice in next(best)]
            n_figures += len(choices)
            readings = [self._reading(choice, picture) for choice in choices]
            read.append(tuple(r for r in readings if r.digit is not None))
        if sum(map(len, read)) < _LEAST_SHARE * n_figures:
            return Page((), _UNLIKE)  # a texture, some of whose grains look like digits
        return Page(tuple(row for row in read if row), None if n_figures else _BLANK)

    def _split(self, figures: Sequence[Figure]) -> list[list[tuple[View, Judgement]]]:
        """Each figure as one digit or as several that touch, whichever the network is surer of."""
        cut = [segments(figure) for figure in figures]
        judged = iter(self._judge([[view.image] for one in cut for view in one.values()]))
        return [
            _best_path({place: (view, next(judged)) for place, view in one.items()}) for one in cut
        ]


def read_image(file: Path | str | BinaryIO, name: str | None = None) -> Bytes:
    """Read a picture of one digit as MNIST would have shown it.

    It is the likeliest view of the picture; no network is asked.  Where that leaves a doubt,
    `read_digit` looks at other views too: `Reading.image` is the one that it has read.

    Parameters
    ----------
    file
        A path, or a binary stream, in any format that Pillow reads.
    name
        What to call it in error messages; by default its path.

    Returns
    -------
    uint8 array
        28 × 28, ink bright on black.

    Raises
    ------
    ImageError
        If it cannot be read, is too large, or is blank.
    """
    name = name or str(file)
    pixels = _opened(file, name).pixels
    seen = views(pixels) or views(pixels, shadows=False)
    if not seen:
        raise ImageError(f"{name} is blank: {_BLANK}")
    return seen[0].image


def read_digit(
    file: Path | str | BinaryIO,
    model: Predictor | None = None,
    *,
    reject_below: float = REJECT_BELOW,
) -> Reading:
    """Read the one digit of a picture; for many of them, make one `Reader`.

    Parameters
    ----------
    file
        A path, or a binary stream.
    model
        By default see `persistence.load_model`.
    reject_below
        What scores less is no digit; see `Reading.score`.

    Raises
    ------
    ImageError
        If it cannot be read as a picture, or is too large.
    ModelFileError
        If there is no model.
    """
    reader = Reader(model or load_model(), load_detector(), reject_below)
    (reading,) = reader.read([_opened(file)])
    assert isinstance(reading, Reading)
    return reading


def read_digits(
    file: Path | str | BinaryIO,
    model: Predictor | None = None,
    *,
    reject_below: float = REJECT_BELOW,
) -> Page:
    """Read all digits of a picture; see `read_digit`."""
    return Reader(model or load_model(), load_detector(), reject_below).read_page(_opened(file))


def _opened(file: Path | str | BinaryIO, name: str | None = None) -> Picture:
    return open_image(Path(file) if isinstance(file, str) else file, name or str(file))
