"""The likeliest way to read a page: a path through the parts of its rows.

Each few parts of a row that lie together may be one digit, a sign, or nothing that is read.  One
network says which of these, from where and how large they are in their row; another one which digit
it is.  A part of a sign must not be left over, nor several be taken for one: neither is a way to
read.  Of all ways to read every part once, the one with the greatest product of probabilities is
kept: Viterbi's path through the segmentation lattice of LeCun et al. 1998, section VII.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np

from mnist_net.arrays import Array, Bytes
from mnist_net.pictures.candidates import DOT, Candidate, candidates, field_on, figure_on
from mnist_net.pictures.form import fitted, variants
from mnist_net.pictures.ink import Ink
from mnist_net.pictures.rows import Sheet
from mnist_net.reading.judge import SURE, mean_with
from mnist_net.reading.networks import Networks
from mnist_net.reading.rules import AnyText, Rule, State
from mnist_net.trained.committee import Predictor

SIGNS = ("", "digit", "part", *"-./,:+=×÷€$()")
"""Classes of the networks that see signs at their places: nothing that is read, a digit, a part of
one or of several, a sign."""

NONE, DIGIT, PART = 0, 1, 2

LARGE = 0.4
"""Of a row's height, which no dot or speck reaches."""

TOGETHER = 0.6
"""Of a row's height: gaps are smaller within a number or a word."""

_LEAST = 1e-6  # probability: no doubt is without end
_MOST_CANDIDATES = 8_000  # of a page of 400 digits there are about 2,500, or 5,000 if they touch
_PARTS = 0.1  # odds of a part where reading goes, against those among all that is learnt from
_DOTTED = 0.3  # odds that a dot beside a digit is a part of it
_CUT = 0.2  # odds that what hangs together with a digit is nothing, against what lies by itself
_MAY_BE_DIGIT = 0.02  # probability, from which on it is asked which one
_RATHER = 0.3  # probability of a digit, from which on it is seen again if it is not sure which one
_UNLIKE = 0.1  # odds of a digit beside a letter: digits stand together, and so do letters
_MOST_ODDS = 20.0  # that the detector gives for or against a digit: both networks see the same ink
_AGAIN = 20.0  # odds of a separator that the page has elsewhere, against those of any
_SEPARATORS = "./:"  # dates and times have several alike
_PARENTHESES = "()"  # where one is, so is the other; their form is that of a 1
_SURELY = 0.5  # probability of such a separator
_MOST_WAYS = 100_000  # candidates times states of a rule; beyond, only the likeliest go on
_MAY_BE = 0.001  # probability, below which a way to read is not gone unless a rule wants it


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
    """

    candidate: Candidate
    kinds: Array
    probabilities: Array | None = None
    image: Bytes | None = None

    @property
    def is_large(self) -> bool:
        """Whether it is more than a dot or a speck."""
        return self.candidate.box.size >= LARGE * self.candidate.row.height

    @property
    def probability_of_writing(self) -> float:
        """Probability of a digit, or a part of one or of several."""
        return float(self.kinds[DIGIT] + self.kinds[PART])


class Step(NamedTuple):
    """An arc and what it is read as: the index of a digit's class, or a sign, or neither."""

    arc: Arc
    digit: int | None
    sign: str
    score: float

    @property
    def is_digit(self) -> bool | None:
        """Whether it is one, or else a letter; None for signs and specks."""
        if self.digit is not None:
            return True
        return None if self.sign or not self.arc.is_large else False

    @property
    def certainty(self) -> float:
        """Probability that it is what it is read as.

        What was cut from a neighbour may lack a stroke, or have one of both, and is a digit yet.
        """
        if self.digit is None or self.arc.probabilities is None:
            return self.score
        return self.arc.probability_of_writing * float(self.arc.probabilities[self.digit])


class Path(NamedTuple):
    """Steps that read every part of a page once, and the logarithm of their product."""

    score: float
    text: str
    steps: tuple[Step, ...]

    @property
    def n_digits(self) -> int:
        """How many digits it reads."""
        return sum(step.digit is not None for step in self.steps)

    @property
    def n_signs(self) -> int:
        """How many signs it reads."""
        return sum(step.sign != "" for step in self.steps)


class Lattice:
    """Reads rows with the network that reads digits, and those that tell signs apart."""

    def __init__(
        self,
        networks: Networks,
        signs: Predictor,
        refusal: float = 1.0,
    ) -> None:
        """The refusal weighs what speaks against a digit: 0 if every large part is to be read."""
        self._networks = networks
        self._signs = signs
        self._refusal = refusal

    def arcs(self, sheet: Sheet, *, doubtful: bool = False) -> list[Arc]:
        """All ways to read some parts together, row by row; read all at once.

        Which digit it is is asked of the doubtful too if a rule may want what is hardly one.
        """
        found = [one for row in sheet.rows for one in candidates(row)]
        if not 0 < len(found) <= _MOST_CANDIDATES:  # so many, and it is a texture
            return []
        kinds = self._signs.predict_proba(np.stack([field_on(sheet, one) for one in found]))
        kinds[:, PART] *= _PARTS
        sizes = np.array([one.box.size / one.row.height for one in found])
        kinds[sizes < DOT, DIGIT] = 0.0
        kinds[sizes >= LARGE, SIGNS.index(".")] = 0.0
        kinds /= kinds.sum(axis=1, keepdims=True)
        likely = np.flatnonzero(kinds[:, DIGIT] > (0.0 if doubtful else _MAY_BE_DIGIT)).tolist()
        inks = [figure_on(sheet, found[k]).ink for k in likely]
        images = [fitted(ink, usual_strokes=True) for ink in inks]
        which, is_digit = self._networks.say(np.stack(images)) if images else ((), ())
        if images and self._networks.detector is not None:
            kinds[likely] = _with_odds(kinds[likely], np.asarray(is_digit))
        if images:
            which = self._seen_again(kinds[likely, DIGIT], np.asarray(which), inks)
        read = dict(zip(likely, zip(which, images, strict=True), strict=True))
        return [Arc(one, kinds[k], *read.get(k, (None, None))) for k, one in enumerate(found)]

    def _seen_again(self, are_digits: Array, which: Array, inks: Sequence[Ink]) -> Array:
        """Which digits these are, N × K: where that is not sure, the mean over their variants."""
        doubtful = (are_digits > _RATHER) & (which.max(axis=1) < SURE)
        doubted = [
            (k, image) for k in np.flatnonzero(doubtful).tolist() for image in variants(inks[k])
        ]
        if not doubted:
            return which
        said, _ = self._networks.say(np.stack([image for _, image in doubted]))
        return mean_with(which, [k for k, _ in doubted], said)

    def best_paths(self, arcs: Sequence[Arc], rule: Rule | None = None) -> list[Path]:
        """The likeliest path of those that the rule accepts, and the next one; fewer if there are.

        The next one is told of only with a rule.  Without one, what the page surely has is looked
        for again (separators, the other parenthesis), where none takes the place of several digits.
        """
        if rule is not None:
            return self._best(arcs, rule, 2)
        paths = self._best(arcs, AnyText(), 1)
        for path in paths:
            sure = [step.sign for step in path.steps if step.score >= _SURELY]
            opened = sure.count("(") - sure.count(")")
            missing = ")" if opened > 0 else "(" if opened < 0 else ""
            if seen := [SIGNS.index(one) for one in (*set(_SEPARATORS) & set(sure), *missing)]:
                (other,) = self._best([_expecting(seen, arc) for arc in arcs], AnyText(), 1)
                lost = path.n_digits - other.n_digits
                return [other] if lost <= other.n_signs - path.n_signs else paths
        return paths

    def _best(self, arcs: Sequence[Arc], known: Rule, keep: int) -> list[Path]:
        best: dict[State, list[Path]] = {known.start: [Path(0.0, "", ())]}
        most = max(1, _MOST_WAYS // max(len(arcs), 1))
        for _, of_row in groupby(arcs, key=lambda arc: arc.candidate.row):
            best = self._through(list(of_row), best, known, keep, most)
        ended = [path for state, some in best.items() if known.accepts(state) for path in some]
        return _likeliest(ended, keep)

    def _through(
        self, arcs: Sequence[Arc], before: dict[State, list[Path]], rule: Rule, keep: int, most: int
    ) -> dict[State, list[Path]]:
        """Go on through one row, from the paths that end before it, in most states at a place."""
        row, classes = arcs[0].candidate.row, self._networks.model.classes
        reached: list[dict[tuple[State, bool | None], list[Path]]] = [
            {} for _ in range(len(row.parts) + 1)
        ]
        reached[0] = {(state, None): paths for state, paths in before.items()}
        for arc in arcs:  # in the order of their beginnings
            begin, end = arc.candidate.begin, arc.candidate.end
            dotted = math.log(_DOTTED) if arc.candidate.has_dot else 0.0
            if len(reached[begin]) > most:  # the paths to here are all there are
                likeliest = sorted(reached[begin].items(), key=lambda one: -one[1][0].score)
                reached[begin] = dict(likeliest[:most])
            gap = arc.candidate.box.left - row.parts[begin - 1].box.right if begin else np.inf
            for step in self._steps(arc, free=isinstance(rule, AnyText)):
                text = step.sign if step.digit is None else str(classes[step.digit])
                for (state, was), paths in reached[begin].items():
                    after = rule.step(state, text) if text else state
                    if after is None:
                        continue
                    now, score = step.is_digit, math.log(step.score)
                    score += dotted if now else 0.0
                    if gap < TOGETHER * row.height and None not in (was, now) and was != now:
                        score += math.log(_UNLIKE)
                    key = after, was if now is None and not text else now
                    held = reached[end].get(key, [])
                    least = held[-1].score if len(held) == keep else -np.inf
                    gone = [
                        Path(p.score + score, p.text + text, (*p.steps, step))
                        for p in paths
                        if p.score + score > least
                    ]
                    if gone:
                        reached[end][key] = _likeliest([*held, *gone], keep)
        best: dict[State, list[Path]] = {}
        for (state, _), paths in reached[-1].items():
            best[state] = _likeliest([*best.get(state, []), *paths], keep)
        return best

    def _steps(self, arc: Arc, *, free: bool) -> Iterator[Step]:
        """What an arc may be read as; without a rule only the likeliest digit and sign."""
        least = _MAY_BE if free else 0.0
        if arc.probabilities is not None:
            digits = [int(arc.probabilities.argmax())] if free else range(len(arc.probabilities))
            for digit in digits:
                score = float(arc.kinds[DIGIT] * arc.probabilities[digit])
                yield Step(arc, digit, "", max(score, _LEAST))
        signs = arc.kinds[PART + 1 :]
        for k in [int(signs.argmax())] if free else range(len(signs)):
            if signs[k] > least:
                yield Step(arc, None, SIGNS[PART + 1 + k], max(float(signs[k]), _LEAST))
        if arc.candidate.end == arc.candidate.begin + 1:
            none = float(arc.kinds[NONE]) * (self._refusal if arc.is_large else 1.0)
            none *= _CUT if arc.candidate.parts[0].is_cut else 1.0
            yield Step(arc, None, "", max(none, _LEAST))


def _expecting(signs: Sequence[int], arc: Arc) -> Arc:
    """The same where these signs are likelier."""
    kinds = arc.kinds.copy()
    kinds[signs] *= _AGAIN
    return arc._replace(kinds=kinds / kinds.sum())


def _with_odds(kinds: Array, is_digit: Array) -> Array:
    """By Bayes' rule: what the detector makes of a candidate's form, which is another witness.

    It speaks for a digit against anything but a part, for of a digit and the point beside it, it
    says that there is a digit; and but parentheses, which only their place tells from 1s.
    """
    none = np.maximum(1.0 - is_digit, _LEAST)
    odds = np.clip(is_digit / none, 1 / _MOST_ODDS, _MOST_ODDS)
    weighed = kinds.copy()
    weighed[:, DIGIT] *= np.minimum(odds, 1.0)
    spared = {DIGIT, PART, *map(SIGNS.index, _PARENTHESES)}
    others = [kind for kind in range(len(SIGNS)) if kind not in spared]
    weighed[:, others] /= np.maximum(odds, 1.0)[:, None]
    result: Array = weighed / weighed.sum(axis=1, keepdims=True)
    return result


def _likeliest(paths: Sequence[Path], keep: int) -> list[Path]:
    """The best paths of different texts."""
    if keep == 1:
        return [max(paths, key=lambda path: path.score)] if paths else []
    best: dict[str, Path] = {}
    for path in sorted(paths, key=lambda path: -path.score):
        best.setdefault(path.text, path)
    return list(best.values())[:keep]
