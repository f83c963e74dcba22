"""What becomes of measured seconds: medians and ratios; their table and their file."""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scripts.records import table, write_json
from scripts.speed.workers import Outcome

Row = dict[str, Any]  # a problem, and under "measured" what was found of each competitor

_NEAR = 1.25  # by `machine.distance`; cores of one die have 1.0, of two dies from 1.4 to 2
_ENOUGH = 3  # rounds for a median


def measured(outcomes: Mapping[str, Outcome], *bases: str) -> dict[str, dict[str, Any]]:
    """Of each competitor the median, fastest and slowest seconds, and its medians over others.

    Ratios are medians over the rounds; under "near" those of the rounds in which the cores were
    near for both, where there were three or more.
    """
    found = {}
    for name, one in outcomes.items():
        over, near = {}, {}
        for base in bases:
            if base in outcomes and base != name:
                other = outcomes[base]
                ratios = [a / b for a, b in zip(one.seconds, other.seconds, strict=True)]
                over[base] = statistics.median(ratios)
                rounds = zip(ratios, one.surveys, other.surveys, strict=False)
                close = [ratio for ratio, a, b in rounds if max(*a, *b) < _NEAR]
                if len(close) >= _ENOUGH:
                    near[base] = statistics.median(close)
        middle, least, most = statistics.median(one.seconds), min(one.seconds), max(one.seconds)
        row = {"seconds": middle, "fastest": least, "slowest": most, "over": over, "near": near}
        row |= {"peak_megabytes": one.peak, "facts": one.facts}
        found[name] = {key: value for key, value in row.items() if value}
    return found


def slope(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """Exponent p of ``cost ∝ size^p``: the least-squares line through the logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])


def duration(seconds: float | None) -> str:
    """In the unit that suits it, three digits; a dash for what was not measured."""
    if seconds is None:
        return "–"
    units = {"s": 1.0, "ms": 1e-3, "µs": 1e-6}
    unit = next((unit for unit, factor in units.items() if seconds >= factor), "µs")
    value = seconds / units[unit]
    return f"{value:.{max(0, 2 - math.floor(math.log10(max(value, 0.01))))}f} {unit}"


def times(one: dict[str, Any], base: str) -> str:
    """Its ratio over another, and in brackets that of the rounds with near cores."""
    overall, near = (one.get(key, {}).get(base) for key in ("over", "near"))
    words = "–" if overall is None else f"{overall:.2f}"
    return words if near is None else f"{words} ({near:.2f})"


_FORMATS: dict[str, Callable[[Any], str]] = {
    "seconds": duration,
    "peak_megabytes": "{:.0f}".format,
    "exponent": "{:.2f}".format,
    "figure": str,
    "facts": lambda facts: ", ".join(f"{key} {value}" for key, value in facts.items()),
}


def table_of(name: str, rows: Sequence[Row]) -> str:
    """A line for each competitor at each problem; only columns in which something stands."""
    every = [(row["problem"], *item) for row in rows for item in row["measured"].items()]
    bases = dict.fromkeys(base for *_, one in every for base in one.get("over", {}))
    keys = [key for key in _FORMATS if any(key in one for *_, one in every)]
    lines = [
        [problem, who]
        + [_FORMATS[key](one[key]) if key in one else "–" for key in keys]
        + [times(one, base) for base in bases]
        for problem, who, one in every
    ]
    return table([name, "", *keys, *(f"/ {base}" for base in bases)], lines)


def write_figures(path: Path, parts: dict[str, Any]) -> None:
    """Write all parts, atomically: all that was measured of one competitor stands on one line."""
    write_json(path, parts, width=422, apart="measured")
