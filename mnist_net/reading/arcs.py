"""What each few parts of a row may be: a digit, two that touch, a sign, a part of one, or nothing.

The networks of signs say which of these, from where and how large the parts are in their row; those
of digits which one it is, and whether it looks like one.  Digits that run into each other are read
in one picture, the left one and the right one, since a cut that is right for both may not exist.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from mnist_net.arrays import Array, Bytes
from mnist_net.pictures.candidates import DOT, Candidate, candidates, field_on, figure_on
from mnist_net.pictures.form import fitted, stretched, variants
from mnist_net.pictures.ink import Ink
from mnist_net.pictures.rows import Sheet
from mnist_net.reading.judge import SURE, mean_with
from mnist_net.reading.networks import Networks
from mnist_net.trained.committee import Predictor

SIGNS = ("", "digit", "part", *"-./,:+=×÷€$()")
"""Classes of the networks that see signs at their places: nothing that is read, a digit, a part of
one or of several, a sign."""

NONE, DIGIT, PART = 0, 1, 2

LARGE = 0.4
"""Of a row's height, which no dot or speck reaches."""

LEAST = 1e-6
"""Probability: no doubt is without end."""

PARENTHESES = "()"
"""Where one is, so is the other; their form is that of a 1."""

_MOST_CANDIDATES = 8_000  # of a page of 400 digits there are about 2,500, or 5,000 if they touch
_PARTS = 0.1  # odds of a part where reading goes, against those among all that is learnt from
_MAY_BE_DIGIT = 0.02  # probability, from which on it is asked which one
_MAY_BE_SEVERAL = 0.01  # probability of a part before that, likewise which two digits
_RATHER = 0.3  # probability of a digit, from which on it is seen again if it is not sure which one
_MOST_ODDS = 20.0  # that the detector gives for or against a digit: both networks see the same ink


class Arc(NamedTuple):
    """A way to read some parts of a row.

    Attributes
    ----------
    candidate
        The parts.
    kinds
        Probabilities of `SIGNS`.
    probabilities
        Of the classes of digits, K; None where it is surely none.
    image
        In MNIST's form, likewise.
    halves
        Left and right digit, where it may be two that touch.
    """

    candidate: Candidate
    kinds: Array
    probabilities: Array | None = None
    image: Bytes | None = None
    halves: "tuple[Arc, Arc] | None" = None

    @property
    def is_large(self) -> bool:
        """Whether it is more than a dot or a speck."""
        return self.candidate.box.size >= LARGE * self.candidate.row.height

    @property
    def probability_of_writing(self) -> float:
        """Probability of a digit, or a part of one or of several."""
        return float(self.kinds[DIGIT] + self.kinds[PART])


class PageNetworks(NamedTuple):
    """The networks that pages are read with.

    Attributes
    ----------
    digits
        Of single digits.
    signs
        Tells digits and signs apart at their places; see `companions.load_signs`.
    pairs
        Reads two digits that touch, beside networks whose classes are 0 to 9; see
        `companions.load_pairs`.
    """

    digits: Networks
    signs: Predictor
    pairs: Predictor | None = None

    def arcs(self, sheet: Sheet, *, doubtful: bool = False, odds: float = 1.0) -> list[Arc]:
        """All ways to read some parts together, row by row; read all at once.

        Which digit it is is asked of the doubtful too if a rule may want what is hardly one.  The
        odds are how much likelier digits are on this sheet than among all that is learnt from.
        """
        found = [one for row in sheet.rows for one in candidates(row)]
        if not 0 < len(found) <= _MOST_CANDIDATES:  # so many, and it is a texture
            return []
        kinds = self.signs.predict_proba(np.stack([field_on(sheet, one) for one in found]))
        kinds[:, [DIGIT, PART]] *= odds
        kinds /= kinds.sum(axis=1, keepdims=True)
        pairs = self._pairs(sheet, found, kinds)
        kinds[:, PART] *= _PARTS  # only now: pairs are asked for by what the networks say
        sizes = np.array([one.box.size / one.row.height for one in found])
        kinds[sizes < DOT, DIGIT] = 0.0
        kinds[sizes >= LARGE, SIGNS.index(".")] = 0.0
        kinds /= kinds.sum(axis=1, keepdims=True)
        likely = np.flatnonzero(kinds[:, DIGIT] > (0.0 if doubtful else _MAY_BE_DIGIT)).tolist()
        inks = [figure_on(sheet, found[k]).ink for k in likely]
        images = [fitted(ink, usual_strokes=True) for ink in inks]
        which, is_digit = self.digits.say(np.stack(images)) if images else ((), ())
        if images and self.digits.detector is not None:
            kinds[likely] = with_odds(kinds[likely], np.asarray(is_digit))
        if images:
            which = self.seen_again(kinds[likely, DIGIT], np.asarray(which), inks)
        read = dict(zip(likely, zip(which, images, strict=True), strict=True))
        arcs = [Arc(one, kinds[k], *read.get(k, (None, None))) for k, one in enumerate(found)]
        return with_halves(arcs, pairs)

    def _pairs(self, sheet: Sheet, found: Sequence[Candidate], kinds: Array) -> dict[int, Array]:
        """Of what hangs together and may be several, the probabilities of all pairs, 100.

        Letters hang together too: that it is writing of digits, the networks of signs know.
        """
        if self.pairs is None:
            return {}
        asked = [
            k
            for k, one in enumerate(found)
            if kinds[k, PART] > _MAY_BE_SEVERAL and _hangs_together(one)
        ]
        if not asked:
            return {}
        inks = [figure_on(sheet, found[k]).ink for k in asked]
        said = self.pairs.predict_proba(np.stack([stretched(ink) for ink in inks]))
        are_digits = kinds[asked, DIGIT] + kinds[asked, PART]
        return dict(zip(asked, are_digits[:, None] * said[:, 1:], strict=True))

    def seen_again(self, are_digits: Array, which: Array, inks: Sequence[Ink]) -> Array:
        """Which digits these are, N × K: where that is not sure, the mean over their variants."""
        doubtful = (are_digits > _RATHER) & (which.max(axis=1) < SURE)
        doubted = [
            (k, image) for k in np.flatnonzero(doubtful).tolist() for image in variants(inks[k])
        ]
        if not doubted:
            return which
        said, _ = self.digits.say(np.stack([image for _, image in doubted]))
        return mean_with(which, [k for k, _ in doubted], said)


def _hangs_together(candidate: Candidate) -> bool:
    """Whether its ends were cut from one piece: only such ink may be two digits that touch."""
    first, last = candidate.parts[0], candidate.parts[-1]
    return len(candidate.parts) > 1 and 0 < first.cut_from == last.cut_from


def with_halves(arcs: Sequence[Arc], pairs: Mapping[int, Array]) -> list[Arc]:
    """The same, those that may be two digits, of which 100 probabilities are given, in halves.

    Of all that an arc's ink is cut into, its halves are the two that are likeliest to be these.
    Each is given what is known of its side, as if that did not depend on the other one.
    """
    result = list(arcs)
    at = {(id(arc.candidate.row), arc.candidate.begin, arc.candidate.end): arc for arc in arcs}
    for number, both in pairs.items():
        row, begin, end, _ = arcs[number].candidate
        of_left, of_right = both.reshape(10, 10).sum(axis=1), both.reshape(10, 10).sum(axis=0)
        best = 0.0
        for place in range(begin + 1, end):
            left, right = at.get((id(row), begin, place)), at.get((id(row), place, end))
            if left is None or right is None:
                continue
            agreement = _agreement(left, of_left) * _agreement(right, of_right)
            if agreement > best:
                best, halves = agreement, (_half(left, of_left), _half(right, of_right))
                result[number] = arcs[number]._replace(halves=halves)
    return result


def _agreement(arc: Arc, digits: Array) -> float:
    """Probability that an arc is a digit, and the same as on this side of both together."""
    if arc.probabilities is None:
        return 0.0
    return float(arc.kinds[DIGIT] * (arc.probabilities @ digits))


def _half(arc: Arc, digits: Array) -> Arc:
    """An arc as one of two digits that touch, or nothing; both share how likely they are two."""
    are_two = float(digits.sum())
    kinds = np.zeros_like(arc.kinds)
    kinds[DIGIT] = are_two**0.5
    kinds[NONE] = 1.0 - kinds[DIGIT]
    return arc._replace(kinds=kinds, probabilities=digits / max(are_two, LEAST))


def with_odds(kinds: Array, is_digit: Array) -> Array:
    """By Bayes' rule: what the detector makes of a candidate's form, which is another witness.

    It speaks for a digit against anything but a part, for of a digit and the point beside it, it
    says that there is a digit; and but parentheses, which only their place tells from 1s.
    """
    none = np.maximum(1.0 - is_digit, LEAST)
    odds = np.clip(is_digit / none, 1 / _MOST_ODDS, _MOST_ODDS)
    weighed = kinds.copy()
    weighed[:, DIGIT] *= np.minimum(odds, 1.0)
    spared = {DIGIT, PART, *map(SIGNS.index, PARENTHESES)}
    others = [kind for kind in range(len(SIGNS)) if kind not in spared]
    weighed[:, others] /= np.maximum(odds, 1.0)[:, None]
    result: Array = weighed / weighed.sum(axis=1, keepdims=True)
    return result
