"""What is written on a picture: one digit, several, or none.

A picture leaves open what its ink is: which of its levels is paper, how far a shadow goes, where
one digit ends and the next begins.  The network settles it: each way to see the picture is brought
into MNIST's form and read, the cheapest ways first until one is read with confidence, and the one
that is read with most confidence is kept.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from mnist_net.errors import ImageError
from mnist_net.pictures.decoding import Picture, Place
from mnist_net.pictures.looks import Look, looks
from mnist_net.pictures.pieces import Box
from mnist_net.reading.answers import UNLIKE, UNREAD, Page, Reading, Table
from mnist_net.reading.judge import SURE, Judge, Judged, best_view, is_sure
from mnist_net.reading.networks import Networks
from mnist_net.reading.texture import Textures
from mnist_net.reading.threshold import REJECT_BELOW
from mnist_net.trained.committee import Predictor
from mnist_net.trained.companions import check_is_no_companion

if TYPE_CHECKING:  # a single digit does not wait for what pages are read with
    from mnist_net.pictures.rows import Sheet
    from mnist_net.pictures.sheets import Way
    from mnist_net.reading.lattice import Lattice
    from mnist_net.reading.pages import Written
    from mnist_net.reading.rules import Rule

_BLANK = "nothing on it is darker or lighter than its paper"

_CLEAR_OTHERWISE = 0.5  # how clear a page is at least, that is seen in a less likely way
_BATCH = 256  # pictures that are read together at most
_MOST_PIXELS = 10_000_000  # of them, held in memory at once


def _batches(
    pictures: Iterable[Picture | ImageError], size: int
) -> Iterator[list[Picture | ImageError]]:
    batch: list[Picture | ImageError] = []
    n_pixels = 0
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
        Its class 0 is anything else, the others are digits; see `companions.load_detector`.  If
        they are the model's ten, it reads along, see `networks`.  Without one, the network's own
        confidence stands for its score.
    reject_below
        What scores less is no digit; from 0 (everything is one) to 1.
    signs
        Tells digits and signs apart at their places in a row; see `companions.load_signs`.  By
        default the one that ships, when a page is first read.
    pairs
        Reads two digits that touch, if the detector reads along; see `companions.load_pairs`.  By
        default the one that ships, likewise.
    textures
        Tells what is written on a photograph from all else; see `companions.load_textures`.  By
        default the one that ships, if it does, likewise.

    Raises
    ------
    ValueError
        If `reject_below` is not from 0 to 1.
    """

    def __init__(
        self,
        model: Predictor,
        detector: Predictor | None = None,
        reject_below: float = REJECT_BELOW,
        signs: Predictor | None = None,
        pairs: Predictor | None = None,
        textures: Predictor | None = None,
    ) -> None:
        check_is_no_companion(model)
        if not 0.0 <= reject_below <= 1.0:
            raise ValueError(f"reject_below must be from 0 to 1, not {reject_below}")
        self.model = model
        self.detector = detector
        self.networks = Networks(model, detector)
        self._judge = Judge(self.networks)
        self._signs, self._pairs = signs, pairs
        self._textures = Textures(textures, reject_below)
        self.reject_below = reject_below

    @cached_property
    def _lattice(self) -> "Lattice":
        from mnist_net.reading.arcs import PageNetworks
        from mnist_net.reading.lattice import Lattice
        from mnist_net.trained.companions import load_pairs, load_signs

        refusal = min(self.reject_below / REJECT_BELOW, 1.0)
        pairs = (self._pairs or load_pairs()) if self.networks.are_two_readers else None
        return Lattice(PageNetworks(self.networks, self._signs or load_signs(), pairs), refusal)

    def read(
        self, pictures: Iterable[Picture | ImageError], together: int = 1
    ) -> Iterator[Reading | ImageError]:
        """Read the one digit of each picture, in bounded memory.

        Parameters
        ----------
        pictures
            See `open_image`.  An error in a picture's place is handed on in its place.
        together
            How many are read together at first, so that answers come soon; then ever more.

        Raises
        ------
        TypeError
            If they are something else, such as arrays or names.
        """
        for batch in _batches(pictures, together):
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
            picture.place(view.figure.box),
            UNLIKE if refused else None,
        )

    def read_page(self, picture: Picture, rule: "Rule | None" = None) -> Page:
        """All digits of a picture, and the signs between them, in reading order.

        Parameters
        ----------
        picture
            See `open_image`.
        rule
            What is known of the text; see `mnist_net.reading.rules`.
        """
        _require_picture(picture)
        page, at_once = self._likeliest_page(picture, rule)
        if rule is not None and not at_once:  # who knows nothing might see it in another way
            page = replace(page, without_rule=self._likeliest_page(picture)[0].text)
        return page

    def _likeliest_page(self, picture: Picture, rule: "Rule | None" = None) -> tuple[Page, bool]:
        """The page as it is seen in the likeliest way, and whether the first one was sure."""
        from mnist_net.pictures.sheets import is_one_digit, likely_ways, other_ways

        best, likelihood, seen = Page((), _BLANK), 0.0, None
        for way in likely_ways(picture.pixels):
            alone = way.look.ready or is_one_digit(way.sheet)
            if alone and rule is None and len(best.digits) < 2:
                return self._page_of_one(picture, way), False
            page, clarity = self._read_sheet(way, picture, rule, likelihood)
            if likelihood > _CLEAR_OTHERWISE and len(page.digits) < 2 <= len(best.digits):
                continue  # one of several that another way shows
            if clarity >= SURE:
                return page, seen is None and not alone
            if way.prior * clarity > likelihood or seen is None:
                best, likelihood, seen = page, way.prior * clarity, way
        for way in other_ways(picture.pixels, seen) if seen else ():
            page, clarity = self._read_sheet(way, picture, rule, likelihood)
            if clarity > _CLEAR_OTHERWISE and way.prior * clarity > likelihood:
                best, likelihood = page, way.prior * clarity
        return best, False

    def read_grid(self, picture: Picture) -> Table:
        """The cells of the largest table that is drawn in lines on a picture; see `tables`."""
        from mnist_net.reading.tables import read_table

        _require_picture(picture)

        def written(look: Look, sheet: "Sheet") -> "Written":
            return self._written(look, sheet, picture)

        table = read_table(picture.pixels, self._lattice, written)
        return table or Table((), "there is no table on it that is drawn in lines")

    def _page_of_one(self, picture: Picture, seen: "Way") -> Page:
        """A page with one digit is a picture of one digit, and is read as such.

        But a sign may be beside it, and others, or the only one, in a shadow that was taken for
        ink.
        """
        from mnist_net.pictures.sheets import has_more, in_shadow

        sure_one = None
        as_seen = [] if seen.look.ready or not has_more(seen.sheet) else [seen]
        for way in chain(as_seen, in_shadow(picture.pixels)):
            page, clarity = self._read_sheet(way, picture)
            if clarity >= SURE and _shows_several(page):
                return page
            if clarity >= SURE and sure_one is None:
                sure_one = page
        (reading,) = self.read_together([picture])
        if reading.digit is None:
            return sure_one or Page((), reading.reason)
        page = self._textures.without(Page(((reading,),)), picture)
        return page if page.rows or sure_one is None else sure_one

    def _read_sheet(
        self, way: "Way", picture: Picture, rule: "Rule | None" = None, least: float = 0.0
    ) -> tuple[Page, float]:
        """A page as it is read in one way, and how clear it is so: from 0 to 1.

        What is known of it makes it no clearer, and less clear as far as what is read must be bent
        to fit.  It is not asked for where the page is less likely than the least, and not sure.
        """
        from mnist_net.reading.pages import page_of

        lattice, written = self._lattice, self._written(way.look, way.sheet, picture)
        arcs = lattice.networks.arcs(way.sheet, doubtful=rule is not None)
        free = lattice.best_paths(arcs)
        page, clarity = page_of(free, written, by_rule=False)
        page = self._textures.without(page, picture)
        if rule is None:
            return page, clarity if page.rows else 0.0
        if way.prior * clarity < least and clarity < SURE:
            return page, 0.0
        fitting = lattice.best_paths(arcs, rule)
        by_rule, is_read = page_of(fitting, written, by_rule=True)
        if fitting:
            clarity *= fitting[0].likelihood_beside(free[0])
        return replace(by_rule, without_rule=page.text), clarity if is_read else 0.0

    def _written(self, look: Look, sheet: "Sheet", picture: Picture) -> "Written":
        from mnist_net.reading.pages import Written

        def place(box: Box) -> Place:
            return picture.place(sheet.box_on_page(box).moved(*look.corner))

        return Written(place, self.model.classes, self.reject_below, sheet.degrees)


def _shows_several(page: Page) -> bool:
    """Whether there are several digits, or one and a sign that is beyond doubt."""
    signs = [r for row in page.rows for r in row if r.digit is None and r.sign != UNREAD]
    return len(page.digits) + sum(sign.score >= SURE for sign in signs) > 1
