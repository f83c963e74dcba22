"""Where reading happens: in a few threads, so that the loop that answers is never kept.

Two lanes: one thread reads small pictures, those that wait together through the network at once; a
few more read photographs and pages one by one.  So a page that takes a second keeps no digit
waiting, and a hundred digits cost hardly more than ten.  Nothing is waited for to fill a batch:
what came while the thread was busy is the next one.
"""

import asyncio
import gc
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from importlib import import_module
from typing import NamedTuple

from mnist_net.web.limits import Limits
from mnist_net.web.metrics import Metrics
from mnist_net.web.problems import Problem, busy, problem_of

_QUIET_TURNS = 4  # of the loop: a request that has come takes some to be a job

Outcome = bytes | BaseException
"""A job's answer, as JSON, or why there is none."""

DoTogether = Callable[[Sequence["Job"]], list[Outcome]]


class Job(NamedTuple):
    """Work for a thread.

    Attributes
    ----------
    do
        It; handed several jobs where they can share a batch, and gives an outcome for each.
    request
        What `do` makes of each job.
    until
        When it is too late, by the loop's clock.
    """

    do: DoTogether
    request: object
    until: float


class Work:
    """The lanes, and who waits in them."""

    def __init__(self, limits: Limits, metrics: Metrics) -> None:
        self.limits, self.metrics = limits, metrics
        self._small = ThreadPoolExecutor(1, "small")
        self._large = ThreadPoolExecutor(limits.threads, "large")
        self._waiting: list[tuple[Job, asyncio.Future[bytes]]] = []
        self._batches = False
        self._under_way = 0

    async def run(self, do: DoTogether, request: object, *, small: bool) -> bytes:
        """Do a job and give its outcome.

        Raises
        ------
        Problem
            503, if too many wait or it takes too long; else whatever hinders an answer.
        """
        if self._under_way >= self.limits.waiting:
            self.metrics.turned_away.labels("queue").inc()
            raise busy("too many requests wait to be read: try again in a second")
        loop = asyncio.get_running_loop()
        job = Job(do, request, loop.time() + self.limits.answer_seconds)
        self._under_way += 1
        self.metrics.waiting.set(self._under_way)
        future: asyncio.Future[bytes] = loop.create_future()
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        if small:
            self._waiting.append((job, future))
            if not self._batches:
                self._batches = True
                loop.call_soon(self._gather, loop, 0)
        else:
            self._start(loop, self._large, [(job, future)])
        try:
            return await asyncio.wait_for(asyncio.shield(future), self.limits.answer_seconds)
        except TimeoutError:
            self.metrics.turned_away.labels("time").inc()
            raise _too_slow(self.limits) from None

    def _gather(self, loop: asyncio.AbstractEventLoop, n_before: int, quiet: int = 0) -> None:
        """Begin a batch when some turns of the loop brought no more: all that came together."""
        quiet = 0 if len(self._waiting) > n_before else quiet + 1
        if quiet < _QUIET_TURNS and len(self._waiting) < self.limits.together:
            loop.call_soon(self._gather, loop, len(self._waiting), quiet)
        else:
            self._next_batch(loop)

    def _next_batch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Hand the small lane what waits, as much as is read together."""
        batch, self._waiting = (
            self._waiting[: self.limits.together],
            self._waiting[self.limits.together :],
        )
        self._batches = bool(batch)
        if batch:
            self.metrics.batch.observe(len(batch))
            self._start(loop, self._small, batch)

    def _start(
        self,
        loop: asyncio.AbstractEventLoop,
        threads: ThreadPoolExecutor,
        batch: list[tuple[Job, "asyncio.Future[bytes]"]],
    ) -> None:
        def finished(work: Future[list[Outcome]]) -> None:
            with suppress(RuntimeError):  # the loop has ended, and nobody waits any more
                loop.call_soon_threadsafe(self._settle, loop, threads, batch, work)

        work = threads.submit(_do, [job for job, _ in batch], loop.time, self.limits)
        work.add_done_callback(finished)

    def _settle(
        self,
        loop: asyncio.AbstractEventLoop,
        threads: ThreadPoolExecutor,
        batch: list[tuple[Job, "asyncio.Future[bytes]"]],
        work: Future[list[Outcome]],
    ) -> None:
        if threads is self._small:
            self._gather(loop, 0)
        self._under_way -= len(batch)
        self.metrics.waiting.set(self._under_way)
        ending: Outcome = busy("the service ends")
        outcomes = [ending] * len(batch) if work.cancelled() else work.result()
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if future.done():
                continue
            if isinstance(outcome, bytes):
                future.set_result(outcome)
            else:
                future.set_exception(problem_of(outcome))

    def prepare(self) -> None:
        """Do, beside the first requests, what the later ones would have to wait for."""
        self._large.submit(_prepare)

    def close(self) -> None:
        """Start nothing more; what runs ends by itself."""
        gc.unfreeze()
        for threads in (self._small, self._large):
            threads.shutdown(wait=False, cancel_futures=True)


def _prepare() -> None:
    """Import what photographs need, and let searches for garbage pass over all that is there.

    A full one goes through every object, modules and functions too: that takes 35 ms in which no
    thread does anything else, and without this it comes some four times in 6,400 requests.
    """
    import_module("scipy.ndimage")
    gc.freeze()


def _do(jobs: list[Job], now: Callable[[], float], limits: Limits) -> list[Outcome]:
    """In a thread: all jobs that are not too late, those of a kind together; never raises."""
    outcomes: list[Outcome] = [_too_slow(limits)] * len(jobs)
    timely = [k for k, job in enumerate(jobs) if now() < job.until]
    for do in dict.fromkeys(jobs[k].do for k in timely):
        chosen = [k for k in timely if jobs[k].do == do]
        for k, outcome in zip(chosen, _together(do, [jobs[k] for k in chosen]), strict=True):
            outcomes[k] = outcome
    return outcomes


def _together(do: DoTogether, jobs: list[Job]) -> list[Outcome]:
    """Outcomes of jobs of a kind; where something fails, of each alone, so that others go on."""
    try:
        return do(jobs)
    except Exception as error:  # noqa: BLE001  (whoever asked is told, by the response)
        if len(jobs) == 1:
            return [error]
        return [outcome for job in jobs for outcome in _together(do, [job])]


def _too_slow(limits: Limits) -> Problem:
    return busy(f"this could not be read in {limits.answer_seconds:g} s: try again, or send less")
