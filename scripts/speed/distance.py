"""How far apart the cores are that work on one product.

What a core has written stays in its cache, and another core's way there is short on the same die
and several times longer to another one.  A virtual machine's cores may be moved between dies at any
time, and whatever shares its data between cores slows down and speeds up with them: our training by
up to a half, the bare products not at all.  So the distance is measured beside the seconds.
"""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from scripts.speed.figures import Seconds, medians, ratio
from scripts.speed.workers import Outcome, Trial

_SHAPE = 784, 32, 300  # rows, inner, columns: a gradient of weights as training makes it
_REPEATS = 41

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


def while_near(outcomes: Mapping[str, Outcome]) -> Seconds:
    """Seconds of the rounds in which the cores proved to be near, of those that have any."""
    seconds = {
        name: [s for s, d in zip(outcome.seconds, outcome.distances, strict=True) if d and d < NEAR]
        for name, outcome in outcomes.items()
    }
    return {name: those for name, those in seconds.items() if those}


def _ratios(seconds: Seconds) -> dict[str, Any]:
    return {
        "medians": medians(seconds),
        "over_the_products": ratio(seconds, "ours", "products"),
        "over_ours": {name: ratio(seconds, name, "ours") for name in seconds},
    }


def compared(outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    """Seconds, medians and ratios of all rounds, and under "near" of those with near cores."""
    seconds = {name: outcome.seconds for name, outcome in outcomes.items()}
    return {
        "seconds": seconds,
        "distances": {name: outcome.distances for name, outcome in outcomes.items()},
        **_ratios(seconds),
        "near": _ratios(while_near(outcomes)),
    }
