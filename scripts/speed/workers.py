"""Competitors as processes of their own, which take turns.

Each has its libraries, thread pools and memory to itself, and waits on a pipe while another
works; so no pool spins beside another, and the process's peak memory is the competitor's.
"""

import multiprocessing
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

_THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
_PAUSE = 0.05  # seconds until the threads of whoever worked last have gone to sleep


class Trial(NamedTuple):
    """A competitor that is ready to go.

    Attributes
    ----------
    run
        One unit of its work, which is timed; what it returns is kept.
    facts
        What to say about it, such as the variant that proved fastest.
    """

    run: Callable[[], Any]
    facts: dict[str, Any]


class Entry(NamedTuple):
    """A competitor before its process has started: how to make its trial, and from what."""

    make: Callable[..., Trial]
    arguments: tuple[Any, ...] = ()


class Outcome(NamedTuple):
    """What became of a competitor.

    Attributes
    ----------
    seconds, results
        Of each round.
    surveys
        Of each round what was found before the unit, and what after it; none without a survey.
    facts
        Those of its trial.
    peak
        Megabytes; None on Windows.
    """

    seconds: list[float]
    results: list[Any]
    surveys: list[tuple[Any, Any]]
    facts: dict[str, Any]
    peak: float | None


def peak_memory() -> float | None:
    """Most memory that this process has held so far, in units of 10⁶ bytes.

    A child counts what its parent held when it began, so parents must hold no data.
    """
    if sys.platform == "win32":
        return None
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1e6 if sys.platform == "darwin" else most * 1024 / 1e6


class CompetitorError(RuntimeError):
    """A competitor's process failed; the message has its traceback."""


def _serve(connection: Connection, entry: Entry, warm_ups: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, which ends this process
    try:
        trial = entry.make(*entry.arguments)
        for _ in range(warm_ups):
            trial.run()
        connection.send((0.0, trial.facts))
        while connection.recv():
            began = time.perf_counter()
            result = trial.run()
            connection.send((time.perf_counter() - began, result))
        connection.send((0.0, peak_memory()))
    except (EOFError, ConnectionError):  # the parent has gone
        return
    except Exception:  # noqa: BLE001  (whatever it is, the parent tells it)
        connection.send((None, traceback.format_exc()))


class Worker:
    """The process of one competitor."""

    def __init__(self, entry: Entry, warm_ups: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, entry, warm_ups), daemon=True)
        self._process.start()
        theirs.close()
        _, self.facts = self._answer()

    def _answer(self) -> tuple[float, Any]:
        try:
            seconds, result = self._connection.recv()
        except EOFError as error:
            raise CompetitorError("a competitor's process ended without an answer") from error
        if seconds is None:
            raise CompetitorError(f"a competitor failed:\n{result}")
        return seconds, result

    def measure(self) -> tuple[float, Any]:
        """Seconds and result of one unit."""
        self._connection.send(True)
        return self._answer()

    def finish(self) -> float | None:
        """Peak memory; the process ends."""
        self._connection.send(False)
        _, peak = self._answer()
        return peak

    def close(self) -> None:
        self._connection.close()
        self._process.join(10)
        if self._process.is_alive():
            self._process.kill()


@contextmanager
def thread_limit(threads: int) -> Iterator[None]:
    """Processes that start in here have so many threads for their products."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, str(threads)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def take_turns(
    entries: Mapping[str, Entry],
    rounds: int,
    threads: int,
    *,
    warm_ups: int = 1,
    survey: Entry | None = None,
) -> dict[str, Outcome]:
    """Measure all competitors in each round, one after another, in an order that changes.

    Parameters
    ----------
    entries
        The competitors by name.
    rounds
        Units that each of them does.
    threads
        Threads that each of them may use.
    warm_ups
        Units that each does before, untimed.
    survey
        What finds out how the machine is, before and after each unit.
    """
    seconds: dict[str, list[float]] = {name: [] for name in entries}
    results: dict[str, list[Any]] = {name: [] for name in entries}
    surveys: dict[str, list[tuple[Any, Any]]] = {name: [] for name in entries}
    order = random.Random(0)
    with ExitStack() as stack, thread_limit(threads):

        def started(entry: Entry) -> Worker:
            worker = Worker(entry, warm_ups)
            stack.callback(worker.close)
            return worker

        workers = {name: started(entry) for name, entry in entries.items()}
        surveyor = started(survey) if survey else None

        def look() -> Any:
            if surveyor is None:
                return None
            time.sleep(_PAUSE)
            return surveyor.measure()[1]

        before = look()
        for _ in range(rounds):
            for name in order.sample(list(entries), len(entries)):
                time.sleep(_PAUSE)
                took, result = workers[name].measure()
                seconds[name].append(took)
                results[name].append(result)
                if surveyor:
                    after = look()
                    surveys[name].append((before, after))
                    before = after
        if surveyor:
            surveyor.finish()
        return {
            name: Outcome(
                seconds[name], results[name], surveys[name], worker.facts, worker.finish()
            )
            for name, worker in workers.items()
        }


def alone(entry: Entry, threads: int) -> Outcome:
    """One unit in a fresh process, without warm-up: for peak memory, and for what happens once."""
    return take_turns({"": entry}, 1, threads, warm_ups=0)[""]
