"""What is written on a picture: one digit, several, or none.

A picture leaves open what its ink is: which of its levels is paper, how far a shadow goes, where
one digit ends and the next begins.  The network settles it: each way to see the picture is brought
into MNIST's form and read, the cheapest ways first until one is read with confidence, and the one
that is read with most confidence is kept.
"""

from collections.abc import Iterable, Iterator, Sequence

from mnist_net.errors import ImageError, ModelFileError
from mnist_net.pictures.decoding import Picture
from mnist_net.pictures.looks import looks, may_be_several, segments
from mnist_net.pictures.pieces import Figure
from mnist_net.reading.answers import Page, Reading
from mnist_net.reading.judge import SURE, Judge, Judged, best_path, best_view, is_sure
from mnist_net.reading.threshold import REJECT_BELOW
from mnist_net.trained.committee import Predictor

_BLANK = "nothing on it is darker or lighter than its paper"
_UNLIKE = "what is on it does not look like a digit"
_LEAST_SHARE = 0.5  # of a page's figures are digits, or none is
_FIRST_BATCH = 1  # pictures that are read together at first, so that answers come at once, ...
_BATCH = 256  # ... and at most, as each batch is twice the one before
_MOST_PIXELS = 10_000_000  # of them, held in memory at once


def _batches(pictures: Iterable[Picture | ImageError]) -> Iterator[list[Picture | ImageError]]:
    batch: list[Picture | ImageError] = []
    n_pixels, size = 0, _FIRST_BATCH
    for picture in pictures:
        _require_picture(picture, ImageError)
        batch.append(picture)
        n_pixels += picture.pixels.size if isinstance(picture, Picture) else 0
        if len(batch) == size or n_pixels > _MOST_PIXELS:
            yield batch
            batch, n_pixels, size = [], 0, min(2 * size, _BATCH)
    if batch:
        yield batch


def _require_picture(thing: object, *others: type) -> None:
    if not isinstance(thing, (Picture, *others)):
        raise TypeError(
            f"a Picture is expected, as open_image makes it, not {type(thing).__name__}"
        )


class Reader:
    """Reads pictures with a network, and with a second one that tells digits from other things.

    Parameters
    ----------
    model
        Reads digits; see `store.load_model`.
    detector
        Of two classes, 0 for anything and 1 for a digit; see `store.load_detector`.  Without
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
        if model.metadata.get("kind") == "detector":
            raise ModelFileError("this model tells digits from other things, not from each other")
        self.model = model
        self.detector = detector
        self._judge = Judge(model, detector)
        self.reject_below = reject_below

    def read(self, pictures: Iterable[Picture | ImageError]) -> Iterator[Reading | ImageError]:
        """Read the one digit of each picture, in bounded memory.

        Parameters
        ----------
        pictures
            See `open_image`.  An error in a picture's place is handed on in its place.

        Raises
        ------
        TypeError
            If they are something else, such as arrays or names.
        """
        for batch in _batches(pictures):
            opened = [picture for picture in batch if isinstance(picture, Picture)]
            readings = iter(self.read_together(opened))
            for item in batch:
                yield next(readings) if isinstance(item, Picture) else item

    def read_together(self, pictures: Sequence[Picture]) -> list[Reading]:
        """Read the one digit of each of a few pictures, with as few calls of the networks."""
        stages = [looks(picture.pixels) for picture in pictures]
        judged: list[list[Judged]] = [[] for _ in pictures]
        unsure = list(range(len(pictures)))
        while unsure:
            found = {k: stage for k in unsure if (stage := next(stages[k], None)) is not None}
            seen = [
                (k, view) for k, stage in found.items() for look in stage for view in look.digit()
            ]
            judgements = self._judge.views([view for _, view in seen])
            for (k, view), judgement in zip(seen, judgements, strict=True):
                judged[k].append((view, judgement))
            unsure = [k for k in found if not is_sure(best_view(judged[k]))]
        doubted = [k for k, pairs in enumerate(judged) if not is_sure(best_view(pairs))]
        judged_again = iter(self._judge.variants([pair for k in doubted for pair in judged[k]]))
        for k in doubted:
            judged[k] = [next(judged_again) for _ in judged[k]]
        return [
            self._reading(best_view(pairs), picture)
            for pairs, picture in zip(judged, pictures, strict=True)
        ]

    def _reading(self, choice: Judged | None, picture: Picture) -> Reading:
        if choice is None:
            return Reading(None, reason=_BLANK)
        view, (probabilities, score) = choice
        best = int(probabilities.argmax())
        refused = score < self.reject_below
        return Reading(
            None if refused else int(self.model.classes[best]),
            float(probabilities[best]),
            score,
            probabilities,
            view.image,
            view.figure.box.scaled(picture.reduction),
            _UNLIKE if refused else None,
        )

    def read_page(self, picture: Picture) -> Page:
        """All digits of a picture, in reading order."""
        _require_picture(picture)
        best, likelihood = Page((), _BLANK), 0.0
        for look in (look for stage in looks(picture.pixels) for look in stage):
            rows = look.rows()
            if look.ready or _is_one_digit(rows):
                return self._page_of_one(picture)
            page = self._read_rows(rows, picture)
            if look.prior * page.confidence > likelihood or not likelihood:
                best, likelihood = page, look.prior * page.confidence
            if page.confidence >= SURE:
                break
        return best

    def _page_of_one(self, picture: Picture) -> Page:
        """A page with one digit is a picture of one digit, and is read as such."""
        (reading,) = self.read_together([picture])
        return Page(() if reading.digit is None else ((reading,),), reading.reason)

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

    def _split(self, figures: Sequence[Figure]) -> list[list[Judged]]:
        """Each figure as one digit or as several that touch, whichever the network is surer of."""
        cut = [segments(figure) for figure in figures]
        judged = iter(self._judge.views([view for one in cut for view in one.values()]))
        return [
            best_path({place: (view, next(judged)) for place, view in one.items()}) for one in cut
        ]


def _is_one_digit(rows: Sequence[Sequence[Figure]]) -> bool:
    figures = [figure for row in rows for figure in row]
    return len(figures) == 1 and not may_be_several(figures[0])
