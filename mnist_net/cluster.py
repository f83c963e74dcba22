"""Work on other machines: the workers of a Dask scheduler.

What all tasks of a job have in common reaches each worker once: it is scattered before the first
task, and a worker keeps what it made of it, by its digest.  A worker that dies loses what it was
doing, and Dask gives that to another; since every task is a pure function, no bit changes.  The
same bits need the same code, so a worker whose code is not that of this process is refused.

Dask is an extra, and it is imported here only, when a cluster is asked for.
"""

import hashlib
import logging
import pickle
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from mnist_net.arrays import Bytes
from mnist_net.errors import ClusterError, MnistNetError

TIMEOUT = 10.0
"""Seconds after which a scheduler that does not answer, or has no worker, counts as away."""

Each = Callable[[Callable[..., Any], Iterable[tuple[Any, ...]]], Iterator[Any]]
"""From a function and tasks to its results, in the order of the tasks: see `Cluster.sharing`."""

_KEPT = 2  # jobs, of which a worker keeps what their tasks have in common
_kept: dict[str, Any] = {}
_keeping = threading.Lock()


def _as_it_is(content: Any) -> Any:
    return content


class Cluster:
    """Workers behind a scheduler, all with the code of this process.

    Parameters
    ----------
    client
        A `distributed.Client`.
    address
        Of the scheduler, for messages.
    """

    def __init__(self, client: Any, address: str) -> None:
        self._client, self._address = client, address
        self._sent: dict[str, Any] = {}
        self._sending = threading.Lock()

    def check(self) -> None:
        """Refuse workers whose code is another, and a scheduler that has no workers.

        The scheduler needs mnist-net too, for it looks into tasks: without it, it would drop them
        and say so in its own log only.

        Raises
        ------
        ClusterError
            One sentence, which names the process.
        """
        from importlib.metadata import PackageNotFoundError, version

        ours = version("mnist-net")
        with self._sentences():
            self._client.wait_for_workers(1, TIMEOUT)
            # A function of Python's own: they may have none of ours.
            try:
                scheduler = self._client.run_on_scheduler(version, "mnist-net")
            except PackageNotFoundError as error:
                scheduler = error
        theirs = {f"worker at {at}": v for at, v in self.everywhere(version, "mnist-net").items()}
        for process, found in {f"scheduler at {self._address}": scheduler, **theirs}.items():
            if isinstance(found, Exception):
                raise ClusterError(f"the {process} has no mnist-net: install {ours} there")
            if found != ours:
                raise ClusterError(
                    f"the {process} has mnist-net {found}, and this is {ours}: install the same"
                )
        for worker, found in self.everywhere(code_digest).items():
            if found != code_digest():
                raise ClusterError(_refusal(worker))

    def everywhere(self, function: Callable[..., Any], *arguments: Any) -> dict[str, Any]:
        """What a function returns on each worker, or the exception that it raises there."""
        with self._sentences():
            return dict(self._client.run(function, *arguments, on_error="return"))

    def n_at_a_time(self) -> int:
        """How many tasks the workers do at the same time."""
        return sum(self._client.nthreads().values())

    def abandon(self) -> None:
        """Leave the cluster for good: whoever waits for a task gets a ClusterError."""
        self._client.close(timeout=1.0)

    def sharing(self, content: Any, opened: Callable[[Any], Any] = _as_it_is) -> Each:
        """What all tasks of a job have in common, brought to every worker.

        The first argument of every task is what `opened` makes of the content, once a worker.  A
        task is a tuple of the others.  Several jobs at once, each of a thread, may share one
        content.

        Raises
        ------
        MnistNetError
            What a task raises; and while tasks are under way, a ClusterError if the scheduler goes
            away, or the workers do one after the other.
        """
        packed = pickle.dumps(content, pickle.HIGHEST_PROTOCOL)
        key = hashlib.sha256(packed).hexdigest()
        with self._sentences():
            parcel, n_ahead = self._parcel(key, packed), 2 * self.n_at_a_time()
        return partial(self._each, n_ahead, partial(_call, code_digest(), key, opened), parcel)

    def _parcel(self, key: str, packed: bytes) -> Any:
        """A future of bytes that every worker has; what was sent lately is not sent again."""
        with self._sending:
            sent = self._sent.pop(key, None)
            if sent is None or sent.status != "finished":  # lost, if it is not
                content = np.frombuffer(packed, np.uint8)
                sent = self._client.scatter(content, broadcast=True)
            self._sent[key] = sent
            while len(self._sent) > _KEPT:
                del self._sent[next(iter(self._sent))]
            return sent

    def _each(
        self,
        n_ahead: int,
        common: Callable[..., Any],
        parcel: Any,
        function: Callable[..., Any],
        tasks: Iterable[tuple[Any, ...]],
    ) -> Iterator[Any]:
        waiting: deque[Any] = deque()
        with self._sentences():
            for task in tasks:
                # As bytes, so that the scheduler does not unpack them on the way.
                packed = pickle.dumps(task, pickle.HIGHEST_PROTOCOL)
                # Not pure: a task of equal arguments is another one.
                waiting.append(self._client.submit(common, parcel, function, packed, pure=False))
                if len(waiting) > n_ahead:  # there may be more tasks than fit into memory
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        """What a cluster does to a client, as errors that are sentences."""
        from distributed import KilledWorker
        from distributed.client import FutureCancelledError
        from distributed.comm import CommClosedError

        try:
            yield
        except MnistNetError:
            raise
        except KilledWorker as error:
            raise ClusterError(
                f"one worker after the other was lost at {self._address}, with the same work: look "
                "at their logs; too little memory is the usual cause"
            ) from error
        except CommClosedError as error:  # of which the client may not have heard yet
            raise ClusterError(f"the scheduler at {self._address} has gone away") from error
        except FutureCancelledError as error:
            away = "has gone away" if self._client.status != "running" else "lost all its workers"
            raise ClusterError(f"the scheduler at {self._address} {away}") from error
        except TimeoutError as error:
            raise ClusterError(
                f"the scheduler at {self._address} has no workers: start some with `dask worker "
                f"{self._address}`"
            ) from error
        except Exception as error:
            if self._client.status == "running":
                raise
            raise ClusterError(f"the scheduler at {self._address} has gone away") from error


@contextmanager
def connected(address: str) -> Iterator[Cluster]:
    """The cluster of a Dask scheduler, such as ``tcp://10.0.0.1:8786``, checked.

    Raises
    ------
    ClusterError
        If Dask is not installed, no scheduler answers there, it has no workers, or one of them has
        other code than this process.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise ClusterError(
            "work on a cluster needs a package: pip install 'mnist-net[cluster]'"
        ) from error
    import dask

    # A network goes with its task, and may be large.
    dask.config.set({"distributed.admin.large-graph-warning-threshold": "1TB"})
    # What matters of its tracebacks is said in a sentence.
    for name in ("distributed", "distributed.client"):  # both have a level of their own
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of versions that differ: ours are compared in `check`
            client = Client(address, set_as_default=False, timeout=TIMEOUT)
    except (OSError, TimeoutError, ValueError) as error:
        raise ClusterError(
            f"no Dask scheduler answers at {address}: start one with `dask scheduler`, and workers "
            "with `dask worker ADDRESS`"
        ) from error
    try:
        cluster = Cluster(client, address)
        cluster.check()
        yield cluster
    finally:
        client.close(timeout=1.0)


@cache
def code_digest() -> str:
    """SHA-256 over the package's own code: equal on two machines if their bits can be."""
    digest, package = hashlib.sha256(), Path(__file__).parent
    for path in sorted(package.rglob("*.py")):
        digest.update(f"{path.relative_to(package).as_posix()}\0".encode())
        digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def _refusal(worker: str) -> str:
    return (
        f"the worker at {worker} has other code of the same version of mnist-net: install there "
        "what is installed here"
    )


def _call(
    digest: str,
    key: str,
    opened: Callable[[Any], Any],
    parcel: Bytes,
    function: Callable[..., Any],
    task: bytes,
) -> Any:
    """On a worker: one task."""
    from distributed import get_worker

    if digest != code_digest():  # it has joined since the others were checked
        raise ClusterError(_refusal(get_worker().address))
    _one_thread()
    with _keeping:
        if key not in _kept:
            while len(_kept) >= _KEPT:
                del _kept[next(iter(_kept))]
            _kept[key] = opened(pickle.loads(parcel.data))
        shared = _kept[key]
    return function(shared, *pickle.loads(task))


@cache
def _one_thread() -> None:
    """BLAS on one thread, for the whole process: a worker for each core makes the most of them."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(1, user_api="blas")
