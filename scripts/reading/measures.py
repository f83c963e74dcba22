"""Figures and the table of what was read on foreign pictures, for `scripts.reading.figures`."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

from scripts.reading.foreign import Answer, PageAnswer
from scripts.records import table

APART = "bilal02s"  # crops from old registers, with pieces of their neighbours: reported apart
STYLES = ("photo", "scan", "paint", "other")
THRESHOLDS = (0.0, 0.001, 0.002, 0.005, *(round(0.01 * k, 2) for k in range(1, 101)))
KEPT = (0.0, 0.01, 0.05, 0.1, 0.15, 0.18, 0.2, 0.22, 0.25, 0.3, 0.5, 0.7, 0.9, 1.0)

Share = float | None  # None: of nothing
Answers = Sequence[Answer]
Rule = Callable[[Answer], bool]
Mean = Callable[[Answers, Rule], Share]


def share(truths: Iterable[bool]) -> Share:
    """Of these, how many are true."""
    values = list(truths)
    return round(sum(values) / len(values), 4) if values else None


def pooled(answers: Answers, rule: Rule) -> Share:
    """Share of the pictures for which a rule holds."""
    return share(map(rule, answers))


def over_sources(answers: Answers, rule: Rule) -> Share:
    """Mean over sources of the share within a source."""
    found = defaultdict(list)
    for answer in answers:
        found[answer.row.source].append(rule(answer))
    within = [np.mean(some) for some in found.values()]
    return round(float(np.mean(within)), 4) if within else None


def counts(answers: Sequence[Answer | PageAnswer]) -> dict[str, int]:
    """How many pictures, and by how many."""
    return {"sources": len({a.row.source for a in answers}), "pictures": len(answers)}


def halves(answers: Answers, rule: Rule, mean: Mean) -> dict[str, Share]:
    """Of the sources of either half."""
    return {f"half {n}": mean([a for a in answers if a.row.half == n], rule) for n in (0, 1)}


def usual(answers: Answers) -> list[Answer]:
    """Without those of the source that is reported apart."""
    return [answer for answer in answers if answer.row.source != APART]


def counted(junk: Answers) -> list[Answer]:
    """Junk without the letters that look like digits."""
    return [a for a in junk if not a.row.is_lookalike]


def accuracies(answers: Answers, threshold: float, mean: Mean = over_sources) -> dict[str, Any]:
    """A line of the table."""
    return {
        "naive": mean(answers, lambda a: a.naive_is_right),
        "ours": mean(answers, Answer.is_right),
        "ours, refusals are errors": mean(answers, lambda a: a.is_right(threshold)),
        **halves(answers, Answer.is_right, mean),
        **counts(answers),
    }


def measure_single(answers: Answers, threshold: float) -> dict[str, Any]:
    """Accuracies by style and over all without `APART`, then with it."""
    result = {}
    styles = {a.row.style for a in usual(answers)}
    for style in (*filter(styles.__contains__, STYLES), *sorted(styles.difference(STYLES))):
        some = [a for a in usual(answers) if a.row.style == style]
        result[style] = accuracies(some, threshold)
        if style == "photo":
            result["photo, pooled"] = accuracies(some, threshold, pooled)
    apart = [a for a in answers if a.row.source == APART]
    for name, group, mean in (
        ("all", usual(answers), over_sources),
        ("all, pooled", usual(answers), pooled),
        (APART, apart, over_sources),
        (f"all and {APART}, pooled", answers, pooled),
    ):
        if group:
            result[name] = accuracies(group, threshold, mean)
    return result


def measure_multi(answers: Sequence[PageAnswer], unrefused: Sequence[PageAnswer]) -> dict[str, Any]:
    """How often all digits of a picture are right, and the edits a digit."""

    def exact(some: Sequence[PageAnswer]) -> dict[str, Share]:
        n_digits, edits = sum(a.n_digits for a in some), sum(a.edits for a in some)
        a_digit = round(edits / n_digits, 4) if n_digits else None
        return {"exact": share(a.is_right for a in some), "edits a digit": a_digit}

    return {
        **exact(answers),
        "nothing refused": exact(unrefused),
        **{f"half {n}": exact([a for a in answers if a.row.half == n]) for n in (0, 1)},
        **counts(answers),
    }


def measure_refusals(answers: Answers, threshold: float) -> dict[str, Any]:
    """Share refused of digits, or of what is none, and in either half."""
    is_refused = partial(Answer.is_refused, below=threshold)
    return {
        "refused": pooled(answers, is_refused),
        "mean over sources": over_sources(answers, is_refused),
        **halves(answers, is_refused, pooled),
        **counts(answers),
    }


def measure_junk(answers: Answers, threshold: float) -> dict[str, Any]:
    """Refusals of what is no digit, and those of each group of it."""
    groups = defaultdict(list)
    for answer in answers:
        name = "look-alike letters, not counted" if answer.row.is_lookalike else answer.row.group
        groups[name].append(answer.is_refused(threshold))
    by_group = {n: {"refused": share(g), "pictures": len(g)} for n, g in sorted(groups.items())}
    return {**measure_refusals(counted(answers), threshold), "groups": by_group}


def measure_curve(
    junk: Answers, digits: Answers, validation: Sequence[float]
) -> dict[str, list[Share]]:
    """Share that each threshold refuses of junk, of foreign digits, and of MNIST's."""
    curve: dict[str, list[Share]] = defaultdict(list)
    for below in THRESHOLDS:
        curve["thresholds"].append(below)
        for name, answers in (("junk", junk), ("digits", digits)):
            refusals = measure_refusals(answers, below)
            curve[name].append(refusals["refused"])
            for half in ("half 0", "half 1"):
                curve[f"{name}, {half}"].append(refusals[half])
        curve["digits, mean over sources"].append(refusals["mean over sources"])
        curve["MNIST"].append(share(score < below for score in validation))
    return dict(curve)


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
    exact = {half: multi[half]["exact"] for half in ("half 0", "half 1")}
    lines = {
        **result["single"],
        "several digits, all right": {**multi, **exact, "ours": multi["exact"]},
        "no digit, refused, pooled": {**junk, "ours": junk["refused"]},
        "digits, refused, pooled": {**digits, "ours": digits["refused"]},
        "printed, pooled": result["printed"],
    }
    shares = ("naive", "ours", "ours, refusals are errors", "half 0", "half 1")
    rows = [
        [name, *(percent(line.get(key)) for key in shares), line["sources"], line["pictures"]]
        for name, line in lines.items()
    ]
    return table(["pictures", *shares, "sources", "pictures"], rows)


def notes(result: dict[str, Any]) -> str:
    """What the table has no room for."""
    multi, unrefused = result["multi"], result["multi"]["nothing refused"]
    groups = result["junk"]["groups"].items()
    by_group = (f"{name} {percent(g['refused'])} of {g['pictures']}" for name, g in groups)
    figures = {
        "several digits, edits a digit": percent(multi["edits a digit"]),
        "the same if nothing is refused": percent(unrefused["edits a digit"]),
        "several digits, all right if nothing is refused": percent(unrefused["exact"]),
        "no digit, refused": ", ".join(by_group),
        "digits, refused, mean over sources": percent(result["digits"]["mean over sources"]),
        "MNIST's validation digits, refused": percent(result["MNIST refused"]),
        "MNIST's test digits, refused": percent(result["MNIST test refused"]),
        **{name: f"{value:,}" for name, value in result.get("speed", {}).items()},
    }
    return "\n".join(f"{name}: {figure}" for name, figure in figures.items())
