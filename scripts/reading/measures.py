"""Figures and tables of what was read on foreign pictures; `benchmark_foreign` prints them."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np

from scripts.reading.foreign import Answer, PageAnswer

APART = "bilal02s"  # crops from old registers, with pieces of their neighbours: reported apart
STYLES = ("photo", "scan", "paint", "other")
THRESHOLDS = (0.0, 0.001, 0.002, 0.005, *(round(0.01 * k, 2) for k in range(1, 101)))

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


def over_sources(answers: Sequence[Answer], rule: Rule) -> Share:
    """Mean over sources of the share within a source."""
    within = [
        [rule(answer) for answer in answers if answer.row.source == source]
        for source in sorted({answer.row.source for answer in answers})
    ]
    return round(float(np.mean([np.mean(one) for one in within])), 4) if within else None


def counts(answers: Sequence[Answer | PageAnswer]) -> dict[str, int]:
    """How many pictures, and by how many."""
    return {"sources": len({a.row.source for a in answers}), "pictures": len(answers)}


def half_of(answers: Sequence[A], half: int) -> list[A]:
    """Answers on pictures of the sources of one half."""
    return [answer for answer in answers if answer.row.half == half]


def accuracies(
    answers: Sequence[Answer],
    threshold: float,
    mean: Callable[[Sequence[Answer], Rule], Share] = over_sources,
) -> dict[str, Any]:
    """A line of the table."""
    return {
        "naive": mean(answers, lambda a: a.naive_is_right),
        "ours": mean(answers, Answer.is_right),
        "ours, refusals are errors": mean(answers, lambda a: a.is_right(threshold)),
        "half 0": mean(half_of(answers, 0), Answer.is_right),
        "half 1": mean(half_of(answers, 1), Answer.is_right),
        **counts(answers),
    }


def measure_single(answers: Sequence[Answer], threshold: float) -> dict[str, Any]:
    """Accuracies by style and over all; `APART` is in neither."""
    usual = [a for a in answers if a.row.source != APART]
    found = {a.row.style for a in usual}
    result = {}
    for style in (*STYLES, *sorted(found.difference(STYLES))):
        of_style = [a for a in usual if a.row.style == style]
        if of_style:
            result[style] = accuracies(of_style, threshold)
        if of_style and style == "photo":
            result["photo, pooled"] = accuracies(of_style, threshold, pooled)
    result["all"] = accuracies(usual, threshold)
    apart = [a for a in answers if a.row.source == APART]
    return result | ({APART: accuracies(apart, threshold)} if apart else {})


def measure_sources(answers: Sequence[Answer], threshold: float) -> dict[str, Any]:
    """Accuracies of each source."""
    result = {}
    for source in sorted({a.row.source for a in answers}):
        of_source = [a for a in answers if a.row.source == source]
        result[source] = {
            "styles": sorted({a.row.style for a in of_source}),
            "half": of_source[0].row.half,
            "pictures": len(of_source),
            "naive": pooled(of_source, lambda a: a.naive_is_right),
            "ours": pooled(of_source, Answer.is_right),
            "ours, refusals are errors": pooled(of_source, lambda a: a.is_right(threshold)),
        }
    return result


def measure_multi(
    answers: Sequence[PageAnswer], nothing_refused: Sequence[PageAnswer]
) -> dict[str, Any]:
    """How often all digits of a picture are right, and the edits a digit."""
    return {
        **_exact(answers),
        "nothing refused": _exact(nothing_refused),
        "half 0": _exact(half_of(answers, 0)),
        "half 1": _exact(half_of(answers, 1)),
        **counts(answers),
    }


def _exact(answers: Sequence[PageAnswer]) -> dict[str, Share]:
    n_digits = sum(a.n_digits for a in answers)
    edits = sum(a.edits for a in answers)
    return {
        "exact": share(a.is_right for a in answers),
        "edits a digit": round(edits / n_digits, 4) if n_digits else None,
    }


def counted(junk: Sequence[Answer]) -> list[Answer]:
    """Junk without the letters that look like digits."""
    return [a for a in junk if not a.row.is_lookalike]


def refused(answers: Sequence[Answer], below: float) -> Share:
    """Share that a threshold refuses."""
    return pooled(answers, lambda a: a.is_refused(below))


def measure_refusals(answers: Sequence[Answer], threshold: float) -> dict[str, Any]:
    """Share refused of digits, or of what is none, and in either half."""
    return {
        "refused": refused(answers, threshold),
        "mean over sources": over_sources(answers, lambda a: a.is_refused(threshold)),
        "half 0": refused(half_of(answers, 0), threshold),
        "half 1": refused(half_of(answers, 1), threshold),
        **counts(answers),
    }


def measure_junk(answers: Sequence[Answer], threshold: float) -> dict[str, Any]:
    """Refusals of what is no digit, and those of each group of it."""
    groups: dict[str, list[Answer]] = {}
    for answer in answers:
        name = "look-alike letters, not counted" if answer.row.is_lookalike else answer.row.group
        groups.setdefault(name, []).append(answer)
    by_group = {
        name: {"refused": refused(some, threshold), "pictures": len(some)}
        for name, some in sorted(groups.items())
    }
    return {**measure_refusals(counted(answers), threshold), "groups": by_group}


def measure_curve(
    junk: Sequence[Answer], single: Sequence[Answer], validation: Sequence[float]
) -> dict[str, list[Share]]:
    """Share that each threshold refuses of junk, of foreign digits, and of MNIST's."""
    curve: dict[str, list[Share]] = {"thresholds": list(THRESHOLDS)}
    for name, answers in (("junk", junk), ("digits", single)):
        parts = {"": answers, ", half 0": half_of(answers, 0), ", half 1": half_of(answers, 1)}
        for suffix, part in parts.items():
            curve[name + suffix] = [refused(part, below) for below in THRESHOLDS]
    curve["digits, mean over sources"] = [
        over_sources(single, partial(Answer.is_refused, below=below)) for below in THRESHOLDS
    ]
    curve["MNIST"] = [share(score < below for score in validation) for below in THRESHOLDS]
    return curve


def percent(value: Share) -> str:
    """As the table shows it."""
    return "–" if value is None else f"{value:.1%}"


def table_line(name: str, figures: dict[str, Any]) -> str:
    """A line of the table; what is not measured is a dash."""
    columns = ("naive", "ours", "ours, refusals are errors", "half 0", "half 1")
    cells = [percent(figures.get(column)) for column in columns]
    return f"| {' | '.join([name, *cells])} | {figures['sources']} | {figures['pictures']} |"


def table(result: dict[str, Any]) -> str:
    """The figures in Markdown."""
    multi, junk, digits = (result[name] for name in ("multi", "junk", "digits"))
    exact = {half: multi[half]["exact"] for half in ("half 0", "half 1")}
    lines = [
        "| pictures | naive | ours | refusals are errors | half 0 | half 1 | sources | pictures |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
        *(table_line(name, figures) for name, figures in result["single"].items()),
        table_line("several digits, all right", {**multi, **exact, "ours": multi["exact"]}),
        table_line("no digit, refused, pooled", {**junk, "ours": junk["refused"]}),
        table_line("digits, refused, pooled", {**digits, "ours": digits["refused"]}),
        table_line("printed, pooled", result["printed"]),
    ]
    return "\n".join(lines)


def notes(result: dict[str, Any]) -> str:
    """What the table has no room for."""
    multi, unrefused = result["multi"], result["multi"]["nothing refused"]
    digits = result["digits"]
    groups = result["junk"]["groups"].items()
    by_group = (f"{name} {percent(g['refused'])} of {g['pictures']}" for name, g in groups)
    lines = [
        f"several digits: {percent(multi['edits a digit'])} edits a digit",
        f"the same if nothing is refused: {percent(unrefused['edits a digit'])}",
        f"several digits, all right if nothing is refused: {percent(unrefused['exact'])}",
        f"no digit, refused: {', '.join(by_group)}",
        f"digits, refused, mean over sources: {percent(digits['mean over sources'])}",
        f"MNIST's validation digits, refused: {percent(result['MNIST refused'])}",
        f"MNIST's test digits, refused: {percent(result.get('MNIST test refused'))}",
        *(f"{name}: {value:,}" for name, value in result.get("speed", {}).items()),
    ]
    return "\n".join(lines)
