"""What becomes of measured seconds: medians, ratios, slopes."""

import math
import statistics
from collections.abc import Mapping, Sequence

Seconds = Mapping[str, Sequence[float]]
"""Per competitor the seconds of each round."""


def medians(seconds: Seconds) -> dict[str, float]:
    """Median over the rounds, of each competitor."""
    return {name: statistics.median(rounds) for name, rounds in seconds.items()}


def ratio(seconds: Seconds, of: str, to: str) -> float | None:
    """Median over the rounds of one competitor over another; None if one was not measured."""
    if of not in seconds or to not in seconds:
        return None
    pairs = zip(seconds[of], seconds[to], strict=True)
    return statistics.median(one / other for one, other in pairs)


def slope(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """Exponent p of ``cost ∝ size^p``: the least-squares line through the logarithms."""
    x, y = [math.log(size) for size in sizes], [math.log(cost) for cost in costs]
    return statistics.linear_regression(x, y).slope


def duration(seconds: float | None) -> str:
    """In the unit that suits it, three digits; a dash for what was not measured."""
    if seconds is None:
        return "–"
    unit, factor = next(
        (pair for pair in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)) if seconds >= pair[1]),
        ("µs", 1e-6),
    )
    value = seconds / factor
    return f"{value:.{max(0, 2 - math.floor(math.log10(max(value, 0.01))))}f} {unit}"


def times(factor: float | None) -> str:
    """A ratio as text."""
    return "–" if factor is None else f"{factor:.2f}"
