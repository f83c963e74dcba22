"""Competitors as processes of their own, which take turns.

Each has its libraries, thread pools and memory to itself, and waits on a pipe while another
works; so no pool spins beside another, and the process's peak memory is the competitor's.
"""

import math
import multiprocessing
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from typing import Any, NamedTuple

_THREADS = "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"
_PAUSE = 0.05  # seconds until the threads of whoever worked last have gone to sleep


class Trial(NamedTuple):
    """A competitor that is ready: one unit of its work, and what there is to say about it."""

    run: Callable[[], Any]
    facts: dict[str, Any] | None = None


Entry = Callable[[], Trial]  # a competitor before its process starts: what can be pickled


def quiet(work: Callable[..., object], *arguments: Any, calls: int = 1) -> Trial:
    """So many calls, of which the results are of no interest."""

    def run() -> None:
        for _ in range(calls):
            work(*arguments)

    return Trial(run)


class Outcome(NamedTuple):
    """What became of a competitor, round by round, and its peak memory in megabytes."""

    seconds: list[float]
    results: list[Any]
    surveys: list[tuple[Any, Any]]  # what the survey found before and after
    facts: dict[str, Any] | None
    peak: float | None


def peak_memory() -> float | None:
    """Most megabytes that this process, or its parent before it began, has held so far."""
    if sys.platform == "win32":
        return None
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1e6 if sys.platform == "darwin" else most * 1024 / 1e6


class CompetitorError(RuntimeError):
    """A competitor's process failed; the message has its traceback."""


_ready: list[Trial] = []  # in a competitor's process, its trial


def _prepare(entry: Entry, warm_ups: int) -> dict[str, Any] | None:
    _ready.append(entry())
    for _ in range(warm_ups):
        _ready[0].run()
    return _ready[0].facts


def _unit() -> tuple[float, Any]:
    began = time.perf_counter()
    result = _ready[0].run()
    return time.perf_counter() - began, result


class _Worker:
    """The process of one competitor; Ctrl-C ends it without a word."""

    def __init__(self, name: str, entry: Entry, warm_ups: int, stack: ExitStack) -> None:
        context = multiprocessing.get_context("spawn")
        self.pool = ProcessPoolExecutor(1, context, signal.signal, (signal.SIGINT, signal.SIG_DFL))
        stack.enter_context(self.pool)
        self.name = name
        self.facts = self.ask(_prepare, entry, warm_ups)

    def ask(self, function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return self.pool.submit(function, *arguments).result()
        except Exception as error:  # whatever it is, the cause is its traceback over there
            why = error.__cause__ or error
            raise CompetitorError(f"the competitor {self.name!r} failed:\n{why}") from error


def take_turns(
    made: Mapping[str, Entry], rounds: int, threads: int, warm_ups: int = 1, survey: Any = None
) -> dict[str, Outcome]:
    """Measure each competitor once a round, and by the survey the machine before and after it."""
    order = random.Random(0)  # changes from round to round
    os.environ.update(dict.fromkeys(_THREADS, str(threads)))  # for those that start now
    with ExitStack() as stack:
        workers = {name: _Worker(name, one, warm_ups, stack) for name, one in made.items()}
        surveyor = _Worker("survey", survey, warm_ups, stack) if survey else None
        outcomes = {name: Outcome([], [], [], one.facts, None) for name, one in workers.items()}

        def look() -> Any:
            time.sleep(_PAUSE)
            return surveyor.ask(_unit)[1] if surveyor else math.inf  # for all we know

        before = look()
        for _ in range(rounds):
            for name in order.sample(list(made), len(made)):
                time.sleep(_PAUSE)
                took, result = workers[name].ask(_unit)
                outcomes[name].seconds.append(took)
                outcomes[name].results.append(result)
                before, earlier = look(), before
                outcomes[name].surveys.append((earlier, before))
        peaks = {name: worker.ask(peak_memory) for name, worker in workers.items()}
    return {name: outcome._replace(peak=peaks[name]) for name, outcome in outcomes.items()}


def alone(entry: Entry, threads: int) -> Outcome:
    """One unit in a fresh process, without warm-up: for peak memory, and for what happens once."""
    return take_turns({"alone": entry}, 1, threads, warm_ups=0)["alone"]
