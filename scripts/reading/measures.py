"""Figures and tables of what was read on foreign pictures, for `scripts.reading.figures`."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import Any, TypeVar

import numpy as np

from scripts.reading.foreign import Answer, PageAnswer
from scripts.records import table

APART = "bilal02s"  # crops from old registers, with pieces of their neighbours: reported apart
STYLES = ("photo", "scan", "paint", "other")
THRESHOLDS = (0.0, 0.001, 0.002, 0.005, *(round(0.01 * k, 2) for k in range(1, 101)))
KEPT = (0.0, 0.01, 0.05, 0.1, 0.15, 0.18, 0.19, 0.2, 0.25, 0.3, 0.5, 0.7, 0.9, 1.0)
"""The thresholds of the curve that are written down; all of them are drawn."""

Share = float | None  # None: of nothing
Rule = Callable[[Answer], bool]
A = TypeVar("A", Answer, PageAnswer)


def share(truths: Iterable[bool]) -> Share:
    """Of these, how many are true."""
    values = list(truths)
    return round(sum(values) / len(values), 4) if values else None


def pooled(answers: Sequence[Answer], rule: Rule) -> Share:
    """Share of the pictures for which a rule holds."""
    return share(map(rule, answers))


def by_source(answers: Sequence[Answer]) -> Iterator[tuple[str, list[Answer]]]:
    """Answers on the pictures of each source."""
    ordered = sorted(answers, key=lambda answer: answer.row.source)
    return ((s, list(some)) for s, some in groupby(ordered, lambda answer: answer.row.source))


def over_sources(answers: Sequence[Answer], rule: Rule) -> Share:
    """Mean over sources of the share within a source."""
    within = [np.mean([rule(answer) for answer in some]) for _, some in by_source(answers)]
    return round(float(np.mean(within)), 4) if within else None


def counts(answers: Sequence[Answer | PageAnswer]) -> dict[str, int]:
    """How many pictures, and by how many."""
    return {"sources": len({a.row.source for a in answers}), "pictures": len(answers)}


def half_of(answers: Sequence[A], half: int) -> list[A]:
    """Answers on pictures of the sources of one half."""
    return [answer for answer in answers if answer.row.half == half]


def in_halves(answers: Sequence[A], measure: Callable[[Sequence[A]], Any]) -> dict[str, Any]:
    """What is measured of either half."""
    return {f"half {half}": measure(half_of(answers, half)) for half in (0, 1)}


def columns(
    answers: Sequence[Answer],
    threshold: float,
    mean: Callable[[Sequence[Answer], Rule], Share] = pooled,
) -> dict[str, Share]:
    """The three accuracies of a line of the table."""
    return {
        "naive": mean(answers, lambda a: a.naive_is_right),
        "ours": mean(answers, Answer.is_right),
        "ours, refusals are errors": mean(answers, lambda a: a.is_right(threshold)),
    }


def accuracies(
    answers: Sequence[Answer],
    threshold: float,
    mean: Callable[[Sequence[Answer], Rule], Share] = over_sources,
) -> dict[str, Any]:
    """A line of the table."""
    halves = in_halves(answers, lambda some: mean(some, Answer.is_right))
    return {**columns(answers, threshold, mean), **halves, **counts(answers)}


def measure_single(answers: Sequence[Answer], threshold: float) -> dict[str, Any]:
    """Accuracies by style and over all; `APART` is in neither."""
    usual = [a for a in answers if a.row.source != APART]
    styles = (*STYLES, *sorted({a.row.style for a in usual}.difference(STYLES)))
    parts = {style: [a for a in usual if a.row.style == style] for style in styles}
    parts |= {"all": usual, APART: [a for a in answers if a.row.source == APART]}
    result = {}
    for name, some in parts.items():
        if some:
            result[name] = accuracies(some, threshold)
        if some and name == "photo":
            result["photo, pooled"] = accuracies(some, threshold, pooled)
    return result


def measure_sources(answers: Sequence[Answer], threshold: float) -> dict[str, Any]:
    """Accuracies of each source."""
    return {
        source: {
            "styles": sorted({a.row.style for a in some}),
            "half": some[0].row.half,
            "pictures": len(some),
            **columns(some, threshold),
        }
        for source, some in by_source(answers)
    }


def exact(answers: Sequence[PageAnswer]) -> dict[str, Share]:
    """How often all digits of a picture are right, and the edits a digit."""
    n_digits = sum(a.n_digits for a in answers)
    edits = sum(a.edits for a in answers)
    return {
        "exact": share(a.is_right for a in answers),
        "edits a digit": round(edits / n_digits, 4) if n_digits else None,
    }


def measure_multi(
    answers: Sequence[PageAnswer], nothing_refused: Sequence[PageAnswer]
) -> dict[str, Any]:
    """Figures of pictures of several digits."""
    unrefused = {"nothing refused": exact(nothing_refused)}
    return {**exact(answers), **unrefused, **in_halves(answers, exact), **counts(answers)}


def counted(junk: Sequence[Answer]) -> list[Answer]:
    """Junk without the letters that look like digits."""
    return [a for a in junk if not a.row.is_lookalike]


def measure_refusals(answers: Sequence[Answer], threshold: float) -> dict[str, Any]:
    """Share refused of digits, or of what is none, and in either half."""
    rule = partial(Answer.is_refused, below=threshold)
    return {
        "refused": pooled(answers, rule),
        "mean over sources": over_sources(answers, rule),
        **in_halves(answers, lambda some: pooled(some, rule)),
        **counts(answers),
    }


def measure_junk(answers: Sequence[Answer], threshold: float) -> dict[str, Any]:
    """Refusals of what is no digit, and those of each group of it."""
    groups = defaultdict(list)
    for answer in answers:
        name = "look-alike letters, not counted" if answer.row.is_lookalike else answer.row.group
        groups[name].append(answer.is_refused(threshold))
    by_group = {n: {"refused": share(g), "pictures": len(g)} for n, g in sorted(groups.items())}
    return {**measure_refusals(counted(answers), threshold), "groups": by_group}


def measure_curve(
    junk: Sequence[Answer], single: Sequence[Answer], validation: Sequence[float]
) -> dict[str, list[Share]]:
    """Share that each threshold refuses of junk, of foreign digits, and of MNIST's."""
    rules = [partial(Answer.is_refused, below=below) for below in THRESHOLDS]
    curve: dict[str, list[Share]] = {"thresholds": list(THRESHOLDS)}
    for name, answers in (("junk", junk), ("digits", single)):
        curve[name] = [pooled(answers, rule) for rule in rules]
        for half in (0, 1):
            curve[f"{name}, half {half}"] = [pooled(half_of(answers, half), r) for r in rules]
    curve["digits, mean over sources"] = [over_sources(single, rule) for rule in rules]
    curve["MNIST"] = [share(score < below for score in validation) for below in THRESHOLDS]
    return curve


def kept(curve: dict[str, list[Share]]) -> dict[str, list[Share]]:
    """A curve at the thresholds that are written down."""
    places = [THRESHOLDS.index(threshold) for threshold in KEPT]
    return {name: [values[place] for place in places] for name, values in curve.items()}


def percent(value: Share) -> str:
    """As the table shows it."""
    return "–" if value is None else f"{value:.1%}"


def table_of(result: dict[str, Any]) -> str:
    """The figures in Markdown; what is not measured is a dash."""
    multi, junk, digits = (result[name] for name in ("multi", "junk", "digits"))
    exact_halves = {half: multi[half]["exact"] for half in ("half 0", "half 1")}
    lines = {
        **result["single"],
        "several digits, all right": {**multi, **exact_halves, "ours": multi["exact"]},
        "no digit, refused, pooled": {**junk, "ours": junk["refused"]},
        "digits, refused, pooled": {**digits, "ours": digits["refused"]},
        "printed, pooled": result["printed"],
    }
    shares = ("naive", "ours", "ours, refusals are errors", "half 0", "half 1")
    rows = [
        [name, *(percent(line.get(key)) for key in shares), line["sources"], line["pictures"]]
        for name, line in lines.items()
    ]
    header = ("pictures", "naive", "ours", "refusals are errors", "half 0", "half 1", "sources")
    return table([*header, "pictures"], rows)


def notes(result: dict[str, Any]) -> str:
    """What the table has no room for."""
    multi, unrefused = result["multi"], result["multi"]["nothing refused"]
    groups = result["junk"]["groups"].items()
    by_group = (f"{name} {percent(g['refused'])} of {g['pictures']}" for name, g in groups)
    lines = [
        f"several digits: {percent(multi['edits a digit'])} edits a digit",
        f"the same if nothing is refused: {percent(unrefused['edits a digit'])}",
        f"several digits, all right if nothing is refused: {percent(unrefused['exact'])}",
        f"no digit, refused: {', '.join(by_group)}",
        f"digits, refused, mean over sources: {percent(result['digits']['mean over sources'])}",
        f"MNIST's validation digits, refused: {percent(result['MNIST refused'])}",
        f"MNIST's test digits, refused: {percent(result['MNIST test refused'])}",
        *(f"{name}: {value:,}" for name, value in result.get("speed", {}).items()),
    ]
    return "\n".join(lines)
