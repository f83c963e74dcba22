"""The likeliest way to read a page: a path through the parts of its rows.

Each few parts of a row that lie together may be one digit, two that touch, a sign, or nothing that
is read (`arcs`).  A part of a sign must not be left over, nor several be taken for one: neither is
a way to read.  Of all ways to read every part once, the one with the greatest product of
probabilities is kept: Viterbi's path through the segmentation lattice of LeCun et al. 1998, section
VII.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import chain, groupby, product
from typing import NamedTuple

import numpy as np

from mnist_net.pictures.rows import Row
from mnist_net.reading.arcs import DIGIT, LEAST, NONE, PART, SIGNS, Arc, PageNetworks
from mnist_net.reading.rules import USUAL, AnyText, Rule, State

TOGETHER = 0.6
"""Of a row's height: gaps are smaller within a number or a word."""

_DOTTED = 0.3  # odds that a dot beside a digit is a part of it
_CUT = 0.2  # odds that what hangs together with a digit is nothing, against what lies by itself
_UNLIKE = 0.1  # odds of a digit beside a letter: digits stand together, and so do letters
_WORTH_IT = 0.1  # a sign that is less likely, times the odds of its form, makes none
_LEAST_USUAL = 3  # digits of a row that may have such a form ...
_LONGEST_USUAL = 20  # ... and digits, signs, and what is not read
_EXPECTED = 20.0  # odds of the other parenthesis
_SURELY = 0.5  # probability of a parenthesis, whose other one is looked for
_MOST_WAYS = 100_000  # candidates times states of a rule; beyond, only the likeliest go on


class Breadth(NamedTuple):
    """Which ways to read an arc are gone.

    So many likeliest digits, all if None; of each half of two that touch; and signs that are
    likelier than the least.
    """

    n_digits: int | None
    n_of_pairs: int
    least: float


_FREE, _BY_RULE = Breadth(1, 1, 0.001), Breadth(None, 3, -1.0)


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

    @property
    def n_unread(self) -> int:
        """How many parts it does not read that are no specks."""
        return sum(step.is_digit is False for step in self.steps)

    def likelihood_beside(self, other: "Path") -> float:
        """How likely it is beside another one, a large figure of that: from 0 to 1."""
        n_figures = sum(step.arc.is_large for step in other.steps)
        return min(1.0, math.exp((self.score - other.score) / max(n_figures, 1)))


class Lattice:
    """Reads rows with the networks of pages.

    Parameters
    ----------
    networks
        What its arcs are read with.
    refusal
        Weighs what speaks against a digit: 0 if every large part is to be read.
    """

    def __init__(self, networks: PageNetworks, refusal: float = 1.0) -> None:
        self.networks = networks
        self._refusal = refusal

    def best_paths(self, arcs: Sequence[Arc], rule: Rule | None = None) -> list[Path]:
        """The likeliest path of those that the rule accepts, and the next one; fewer if there are.

        The next one is told of only with a rule.  Without one, rows do not depend on each other.
        """
        if rule is not None:
            return self._best(arcs, rule, _BY_RULE, keep=2)
        rows = [self._row(list(of_row)) for _, of_row in groupby(arcs, key=_row_of_arc)]
        steps = tuple(chain.from_iterable(path.steps for path in rows))
        return [Path(sum(path.score for path in rows), "".join(p.text for p in rows), steps)]

    def _row(self, arcs: Sequence[Arc]) -> Path:
        """The likeliest path through a row: what is usual is likelier, a second parenthesis too."""
        (path,) = self._best(arcs, AnyText(), _FREE)
        return self._usual(path, arcs) or self._with_parentheses(path, arcs)

    def _usual(self, path: Path, arcs: Sequence[Arc]) -> Path | None:
        """The likeliest of a usual form if, times its odds, it is likelier than a path of a row."""
        longest = _LONGEST_USUAL - path.n_signs - path.n_unread
        if not _LEAST_USUAL <= path.n_digits <= longest:
            return None
        best, score = None, path.score
        likeliest = np.max([arc.kinds for arc in arcs], axis=0)
        for forms, odds in USUAL.items():
            least = _WORTH_IT / odds
            signs = {SIGNS[kind] for kind in np.flatnonzero(likeliest > least).tolist()}
            breadth = _FREE._replace(least=least)
            for usual in self._best(arcs, forms, breadth) if forms.may_have(signs) else ():
                if usual.score + math.log(odds) > score and usual.n_unread <= path.n_unread:
                    best = usual._replace(steps=tuple(_surer(step, odds) for step in usual.steps))
                    score = usual.score + math.log(odds)
        return best

    def _with_parentheses(self, path: Path, arcs: Sequence[Arc]) -> Path:
        """The same, or that with the other parenthesis if it has one: that is looked for again.

        It does not take the place of two digits.
        """
        sure = [step.sign for step in path.steps if step.score >= _SURELY]
        opened = sure.count("(") - sure.count(")")
        if opened:
            (other,) = self._best(_expecting(")" if opened > 0 else "(", arcs), AnyText(), _FREE)
            if path.n_digits - other.n_digits <= other.n_signs - path.n_signs:
                return other
        return path

    def _best(
        self, arcs: Sequence[Arc], known: Rule, breadth: Breadth, keep: int = 1
    ) -> list[Path]:
        best: dict[State, list[Path]] = {known.start: [Path(0.0, "", ())]}
        most = max(1, _MOST_WAYS // max(len(arcs), 1))
        for _, of_row in groupby(arcs, key=_row_of_arc):
            best = self._through(list(of_row), best, known, breadth, keep, most)
        ended = [path for state, some in best.items() if known.accepts(state) for path in some]
        return _likeliest(ended, keep)

    def _through(
        self,
        arcs: Sequence[Arc],
        before: dict[State, list[Path]],
        rule: Rule,
        breadth: Breadth,
        keep: int,
        most: int,
    ) -> dict[State, list[Path]]:
        """Go on through one row, from the paths that end before it, in most states at a place."""
        row, classes = arcs[0].candidate.row, self.networks.digits.model.classes
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
            for way in self._ways(arc, breadth):
                text = "".join(s.sign if s.digit is None else str(classes[s.digit]) for s in way)
                now, score = way[0].is_digit, sum(math.log(step.score) for step in way)
                score += dotted if now else 0.0
                for (state, was), paths in reached[begin].items():
                    after = _stepped(rule, state, text)
                    if after is None:
                        continue
                    apart = gap < TOGETHER * row.height and None not in (was, now) and was != now
                    whole = score + (math.log(_UNLIKE) if apart else 0.0)
                    key = after, was if now is None and not text else now
                    held = reached[end].get(key, [])
                    least = held[-1].score if len(held) == keep else -np.inf
                    gone = [
                        Path(p.score + whole, p.text + text, (*p.steps, *way))
                        for p in paths
                        if p.score + whole > least
                    ]
                    if gone:
                        reached[end][key] = _likeliest([*held, *gone], keep)
        best: dict[State, list[Path]] = {}
        for (state, _), paths in reached[-1].items():
            best[state] = _likeliest([*best.get(state, []), *paths], keep)
        return best

    def _ways(self, arc: Arc, breadth: Breadth) -> Iterator[tuple[Step, ...]]:
        """What an arc may be read as."""
        yield from zip(_digits(arc, breadth.n_digits))
        if arc.halves is not None:
            left, right = (_digits(half, breadth.n_of_pairs) for half in arc.halves)
            yield from product(left, right)
        for sign, probability in zip(
            SIGNS[PART + 1 :], arc.kinds[PART + 1 :].tolist(), strict=True
        ):
            if probability > breadth.least:
                yield (Step(arc, None, sign, max(probability, LEAST)),)
        if arc.candidate.end == arc.candidate.begin + 1:
            none = float(arc.kinds[NONE]) * (self._refusal if arc.is_large else 1.0)
            none *= _CUT if arc.candidate.parts[0].cut_from else 1.0
            yield (Step(arc, None, "", max(none, LEAST)),)


def _row_of_arc(arc: Arc) -> Row:
    return arc.candidate.row


def _digits(arc: Arc, only: int | None) -> list[Step]:
    """The digits that an arc may be, the likeliest first; none if it surely is none."""
    if arc.probabilities is None:
        return []
    likeliest = np.argsort(-arc.probabilities)[:only].tolist()
    scores = [float(arc.kinds[DIGIT] * arc.probabilities[digit]) for digit in likeliest]
    return [
        Step(arc, digit, "", max(score, LEAST))
        for digit, score in zip(likeliest, scores, strict=True)
    ]


def _stepped(rule: Rule, state: State, text: str) -> State | None:
    """Where a rule is after some signs, or none; None if it does not accept them."""
    for sign in text:
        after = rule.step(state, sign)
        if after is None:
            return None
        state = after
    return state


def _expecting(sign: str, arcs: Sequence[Arc]) -> list[Arc]:
    """The same where a sign is likelier."""
    weights = np.ones(len(SIGNS))
    weights[SIGNS.index(sign)] = _EXPECTED
    result = []
    for arc in arcs:
        total, halves = float(arc.kinds @ weights), arc.halves
        if halves is not None:
            left, right = (half._replace(kinds=half.kinds / total**0.5) for half in halves)
            halves = left, right
        result.append(arc._replace(kinds=arc.kinds * weights / total, halves=halves))
    return result


def _surer(step: Step, times: float) -> Step:
    """The same, but a sign with so many times its odds."""
    odds = times * step.score
    return step._replace(score=odds / (odds + 1.0 - step.score)) if step.sign else step


def _likeliest(paths: Sequence[Path], keep: int) -> list[Path]:
    """The best paths of different texts."""
    if keep == 1:
        return [max(paths, key=lambda path: path.score)] if paths else []
    best: dict[str, Path] = {}
    for path in sorted(paths, key=lambda path: -path.score):
        best.setdefault(path.text, path)
    return list(best.values())[:keep]
