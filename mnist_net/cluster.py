"""Work on other machines: Dask's workers, through the backend that joblib has for them.

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

    def check(self) -> None:
        """Refuse workers whose code is another, and a scheduler that has no workers.

        Raises
        ------
        ClusterError
            One sentence, which names the worker.
        """
        from importlib.metadata import version

        with self._sentences():
            self._client.wait_for_workers(1, TIMEOUT)
        # A function of Python's own: a worker may have none of ours.
        ours, theirs = version("mnist-net"), self.everywhere(version, "mnist-net")
        for worker, found in theirs.items():
            if isinstance(found, Exception):
                raise ClusterError(f"the worker at {worker} has no mnist-net: install {ours} there")
            if found != ours:
                raise ClusterError(
                    f"the worker at {worker} has mnist-net {found}, and this is {ours}: install "
                    "the same"
                )
        for worker, found in self.everywhere(code_digest).items():
            if found != code_digest():
                raise ClusterError(_refusal(worker))

    def everywhere(self, function: Callable[..., Any], *arguments: Any) -> dict[str, Any]:
        """What a function returns on each worker, or the exception that it raises there."""
        with self._sentences():
            return dict(self._client.run(function, *arguments, on_error="return"))

    def sharing(self, content: Any, opened: Callable[[Any], Any] = _as_it_is) -> Each:
        """What all tasks of a job have in common, brought to every worker.

        The first argument of every task is what `opened` makes of the content, once a worker.  A
        task is a tuple of the others.

        Raises
        ------
        MnistNetError
            What a task raises; and while tasks are under way, a ClusterError if the scheduler goes
            away, or the workers do one after the other.
        """
        from joblib import Parallel, parallel_config

        packed = pickle.dumps(content, pickle.HIGHEST_PROTOCOL)
        parcel, key = np.frombuffer(packed, np.uint8), hashlib.sha256(packed).hexdigest()
        with (
            self._sentences(),
            parallel_config(
                backend="dask",
                client=self._client,
                scatter=[parcel],
                wait_for_workers_timeout=TIMEOUT,
            ) as config,
        ):
            # What joblib would give to one worker of one thread, it does itself instead.
            there = config["backend"].effective_n_jobs
            config["backend"].effective_n_jobs = lambda n_jobs: max(there(n_jobs), 2)
            # One task at a time, and not as many as joblib finds worth a journey.
            parallel = Parallel(batch_size=1, return_as="generator")
        common = partial(_call, code_digest(), key, opened)
        return partial(self._each, parallel, common, parcel)

    def _each(
        self,
        parallel: Any,
        common: Callable[..., Any],
        parcel: Bytes,
        function: Callable[..., Any],
        tasks: Iterable[tuple[Any, ...]],
    ) -> Iterator[Any]:
        from joblib import delayed

        # As bytes, a task's arguments stay with the task.  An array joblib would leave with one
        # worker, and if that died nobody could do the task again.
        packed = (pickle.dumps(task, pickle.HIGHEST_PROTOCOL) for task in tasks)
        with self._sentences():
            yield from parallel(delayed(common)(parcel, function, task) for task in packed)

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        """What a cluster does to a client, as errors that are sentences."""
        from distributed import KilledWorker
        from distributed.client import FutureCancelledError

        try:
            yield
        except MnistNetError:
            raise
        except KilledWorker as error:
            raise ClusterError(
                f"one worker after the other was lost at {self._address}, with the same work: look "
                "at their logs; too little memory is the usual cause"
            ) from error
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
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
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
