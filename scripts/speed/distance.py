"""How far apart the cores are that work on one product.

What a core has written stays in its cache, and another core's way there is short on the same die
and several times longer to another one.  A virtual machine's cores may be moved between dies at any
time, and whatever shares its data between cores slows down and speeds up with them: our training on
small batches takes about twice as long, the bare products hardly longer.  So the distance is
measured beside the seconds.
"""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from scripts.speed.figures import medians, ratio, times
from scripts.speed.settings import Settings
from scripts.speed.workers import Entry, Outcome, Trial, take_turns

_SHAPE = 784, 32, 300  # rows, inner, columns: a gradient of weights as training makes it
_REPEATS = 41
_ENOUGH = 3  # rounds for a median

NEAR = 1.25
"""Cores of one die measure 1.0, of two dies from 1.4 to 2."""


def distance() -> Trial:
    """Seconds to read what all cores have written, over those to read what the reader has."""
    generator = np.random.default_rng(0)
    rows, inner, columns = _SHAPE
    left = generator.random((rows, inner), np.float32)
    right = generator.random((inner, columns), np.float32)
    written, read = np.zeros((2, rows, columns), np.float32)

    def seconds_to_read(write: Callable[[], object]) -> float:
        found = []
        for _ in range(_REPEATS):
            write()
            began = time.perf_counter()
            np.add(written, np.float32(1.0), out=read)
            found.append(time.perf_counter() - began)
        return statistics.median(found)

    def run() -> float:
        by_all = seconds_to_read(lambda: np.matmul(left, right, out=written))
        return by_all / seconds_to_read(lambda: np.add(read, np.float32(1.0), out=written))

    return Trial(run, {})


def surveyed(entries: Mapping[str, Entry], settings: Settings) -> dict[str, Outcome]:
    """Rounds of all competitors, with the distance of the cores before and after each unit."""
    return take_turns(entries, settings.rounds, settings.threads, survey=Entry(distance))


def near(outcome: Outcome) -> list[bool]:
    """Of each round, whether the cores were near both before and after it."""
    return [max(survey) < NEAR for survey in outcome.surveys]


def while_near(outcomes: Mapping[str, Outcome], of: str, to: str) -> dict[str, Any]:
    """Ratio of two competitors in the rounds in which the cores were near for both."""
    if of not in outcomes or to not in outcomes:
        return {"ratio": None, "rounds": 0}
    one, other = outcomes[of], outcomes[to]
    ratios = [
        a / b
        for a, b, *both in zip(one.seconds, other.seconds, near(one), near(other), strict=True)
        if all(both)
    ]
    enough = len(ratios) >= _ENOUGH
    return {"ratio": statistics.median(ratios) if enough else None, "rounds": len(ratios)}


def compared(outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    """Seconds, medians, and ratios: of all rounds, and of those with near cores."""
    seconds = {name: outcome.seconds for name, outcome in outcomes.items()}
    return {
        "seconds": seconds,
        "medians": medians(seconds),
        "over_the_products": ratio(seconds, "ours", "products"),
        "over_ours": {name: ratio(seconds, name, "ours") for name in seconds},
        "distances": {name: outcome.surveys for name, outcome in outcomes.items()},
        "near": {
            "over_the_products": while_near(outcomes, "ours", "products"),
            "over_ours": {name: while_near(outcomes, name, "ours") for name in outcomes},
        },
    }


HOW_TO_READ_RATIOS = f"""Ratios are medians over the rounds, and in brackets over those in which
the cores were near, where there were {_ENOUGH} or more."""


def ratio_in_words(row: dict[str, Any], what: str, name: str | None = None) -> str:
    """Of all rounds, and in brackets of those with near cores where they are enough."""
    overall, nearby = row[what], row["near"][what]
    if name is not None:
        overall, nearby = overall.get(name), nearby.get(name, {"ratio": None})
    words = times(overall)
    return words if nearby["ratio"] is None else f"{words} ({times(nearby['ratio'])})"
