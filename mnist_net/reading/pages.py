"""What a path through a page says: digits and signs in rows, with their gaps."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, groupby, pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mnist_net.pictures.decoding import Place
from mnist_net.pictures.pieces import Box
from mnist_net.pictures.rows import Row
from mnist_net.reading.answers import UNLIKE, UNREAD, Page, Reading
from mnist_net.reading.lattice import TOGETHER, Path, Step

_UNFIT = "nothing on it fits what is known of it"
_MOST_ODDS = 600.0  # logarithm
_MOSTLY = 0.34  # of a page's figures are digits; where fewer are, as among words or grains, ...
_SURE_AMONG_OTHERS = 0.97  # ... only numbers are read: their mean odds are of this score, ...
_LIKELY = 0.85  # ... or as of this score if they are such a share of the area
_SUREST = 0.999  # what no single digit of such a number counts beyond
_WIDE_GAP = 1.0  # heights of a digit between two signs, that are a space ...
_WIDER = 1.6  # ... unless the row is spaced so: times its usual gap
_ENOUGH = 3  # gaps, to know what is usual
_ALIKE = 0.5  # of a row's narrowest space, what is a space beside it if it is ...
_UNUSUAL = 2.5  # ... so many times as wide as the row's other gaps


class Written(NamedTuple):
    """How steps become readings.

    Attributes
    ----------
    place
        Where a box of the sheet is on the file's page.
    classes
        Label of each class of digits.
    reject_below
        See `Reader`.
    degrees
        By which the page was turned.
    """

    place: Callable[[Box], Place]
    classes: npt.NDArray[np.int64]
    reject_below: float
    degrees: float


def page_of(paths: Sequence[Path], written: Written, *, by_rule: bool) -> tuple[Page, float]:
    """The page that the best path reads, and how clear it is: the mean score of large figures.

    What a rule wants is never refused, were it a row of signs.  Of the next path, if there is one,
    the page tells the odds.
    """
    if not paths:
        return Page((), _UNFIT), 0.0
    read = paths[0].steps if by_rule else without_doubtful(paths[0].steps, written)
    rows = _rows(read, written, signs_alone=by_rule)
    page = Page(rows, None if rows else UNLIKE, written.degrees)
    if len(paths) > 1:
        odds = math.exp(min(paths[0].score - paths[1].score, _MOST_ODDS))
        next_one = Page(_rows(paths[1].steps, written, signs_alone=by_rule)).text
        page = replace(page, runner_up=next_one, odds=odds)
    return page, clarity_of(read) if rows else 0.0


def _rows(
    steps: Sequence[Step], written: Written, *, signs_alone: bool
) -> tuple[tuple[Reading, ...], ...]:
    """What is read in each row that has a digit, or a sign if that is enough."""
    rows = []
    for row, in_row in groupby(steps, key=row_of_step):
        shown = [s for s in in_row if s.digit is not None or s.sign or s.arc.is_large]
        if any(step.digit is not None or (signs_alone and step.sign) for step in shown):
            gaps = _wide_gaps(shown, row)
            readings = (reading_of(s, written, gap) for s, gap in zip(shown, gaps, strict=True))
            rows.append(tuple(_once(readings)))
    return tuple(rows)


def clarity_of(steps: Sequence[Step]) -> float:
    """Mean score of large figures; what is not read has none."""
    large = [step for step in steps if step.arc.is_large]
    return sum(s.score for s in large if s.digit is not None or s.sign) / max(len(large), 1)


def row_of_step(step: Step) -> Row:
    """The row that a step is read in."""
    return step.arc.candidate.row


def without_doubtful(steps: Sequence[Step], written: Written) -> list[Step]:
    """The same without the digits that are not sure enough for their page, or cell."""
    if not written.reject_below:
        return list(steps)
    result = [_if_sure(step, written.reject_below) for step in steps]
    n_digits = sum(step.digit is not None for step in result)
    if n_digits < _MOSTLY * sum(step.arc.is_large for step in result):
        result = _only_numbers(result)
    return result


def _only_numbers(steps: Sequence[Step]) -> list[Step]:
    """The same without digits that may be letters of words.

    That a letter is like a digit is chance, and that all of a word are is less likely than each.
    Where numbers are large beside all else, as above fine print, they need not be beyond doubt.
    """
    words = list(_words(steps))
    numbers = chain.from_iterable(word for word in words if _is_number(word, _LIKELY))
    large = _area(step for step in steps if step.arc.is_large)
    stand_out = _area(step for step in numbers if step.digit is not None) >= _MOSTLY * large
    least = _LIKELY if stand_out else _SURE_AMONG_OTHERS
    result: list[Step] = []
    for word in words:
        result += word if _is_number(word, least) else [step._replace(digit=None) for step in word]
    return result


def _is_number(word: Sequence[Step], least: float) -> bool:
    """Whether all of it is read, and its digits' mean odds are at least those of such a score."""
    odds = [_log_odds(step.score) for step in word if step.digit is not None]
    return all(map(_is_read, word)) and sum(odds) >= len(odds) * _log_odds(least)


def _area(steps: Iterable[Step]) -> float:
    """Of squares around them, in pixels."""
    return float(sum(step.arc.candidate.box.size**2 for step in steps))


def _log_odds(score: float) -> float:
    score = min(max(score, 1.0 - _SUREST), _SUREST)
    return math.log(score / (1.0 - score))


def _words(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """What lies together in each row."""
    for row, in_row in groupby(steps, key=row_of_step):
        word: list[Step] = []
        for step in in_row:
            if word and _gap(word[-1], step) >= TOGETHER * row.height:
                yield word
                word = []
            word.append(step)
        yield word


def _gap(left: Step, right: Step) -> int:
    return right.arc.candidate.box.left - left.arc.candidate.box.right


def _is_read(step: Step) -> bool:
    return step.digit is not None or bool(step.sign) or not step.arc.is_large


def _if_sure(step: Step, least: float) -> Step:
    """The same, but no digit if that is less sure than the least."""
    return step._replace(digit=None) if step.certainty < least else step


def _wide_gaps(steps: Sequence[Step], row: Row) -> list[bool]:
    """Whether there is a space before each sign of a row."""
    gaps = np.array([_gap(*two) / row.height for two in pairwise(steps)])
    usual = float(np.median(gaps)) if len(gaps) >= _ENOUGH else 0.0
    wide = gaps > max(_WIDE_GAP, _WIDER * usual)
    if wide.any() and not wide.all():
        wide |= gaps > max(_ALIKE * gaps[wide].min(), _UNUSUAL * np.median(gaps[~wide]))
    return [False, *wide.tolist()]


def reading_of(step: Step, written: Written, after_gap: bool = False) -> Reading:
    """What is told of a step."""
    arc, place = step.arc, written.place(step.arc.candidate.box)
    if step.digit is None or arc.probabilities is None or arc.image is None:
        sign = step.sign or UNREAD
        of_sign = step.score if step.sign else 0.0
        return Reading(None, of_sign, step.score, box=place, sign=sign, after_gap=after_gap)
    return Reading(
        int(written.classes[step.digit]),
        float(arc.probabilities[step.digit]),
        step.certainty,
        arc.probabilities,
        arc.image,
        place,
        after_gap=after_gap,
    )


def _once(readings: Iterator[Reading]) -> Iterator[Reading]:
    """All that is read, and what is not once for all of it that lies together."""
    before = ""
    for reading in readings:
        if reading.sign != UNREAD or before != UNREAD or reading.after_gap:
            yield reading
        before = reading.sign
