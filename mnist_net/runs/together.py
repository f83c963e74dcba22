"""Training runs from start to end; one alone, or several side by side for a committee.

The runs go on in rounds of one epoch each, which joblib spreads over the cores.  Its workers are
threads: NumPy lets go of Python's lock while it computes, and threads share the pictures.  Matrix
products of several runs get one thread each, for the cores are busy already.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import NamedTuple

from mnist_net.cluster import Cluster, connected
from mnist_net.datasets.loading import open_dataset
from mnist_net.learning.presets import PRESETS
from mnist_net.learning.recipe import Hyperparameters
from mnist_net.learning.sharding import Gradients, beside, sharded
from mnist_net.learning.training import Progress, train
from mnist_net.runs.elsewhere import gradients_elsewhere, train_elsewhere
from mnist_net.runs.outcome import committee_of, finish, measure_accuracy
from mnist_net.runs.run import Run, prepare, recipe_for
from mnist_net.trained.committee import Committee
from mnist_net.trained.model import Model

_LARGE_BATCH = 128


def train_model(
    dataset: str = "auto",
    hyperparameters: Hyperparameters | None = None,
    *,
    data_home: Path | None = None,
    offline: bool = False,
    progress: Callable[[Progress], object] | None = None,
) -> Model:
    """Train a model from start to end, without a word.

    Parameters
    ----------
    dataset, data_home, offline
        See `load_dataset`.
    hyperparameters
        The recipe, such as ``PRESETS["cs229"]``, or ``dataclasses.replace(PRESETS["default"],
        epochs=5)``; bare `Hyperparameters` are those of the preset ``plain``.  By default
        ``PRESETS["default"]``, without its drawn digits if `dataset` is the path of something else
        than MNIST, for the classes there may be no digits.
    progress
        Called after each epoch, with where training stands: ``progress.history[-1]`` has its loss.

    Returns
    -------
    Model
        With its accuracy on the test pictures in ``metadata["accuracy"]``.

    Raises
    ------
    DataError
        If the data set cannot be had.
    DivergenceError
        If the recipe leads out of the finite numbers.
    """
    for standing in train_epochs(dataset, hyperparameters, data_home=data_home, offline=offline):
        if progress:
            progress(standing.progress)
    return standing.finished()


class Standing(NamedTuple):
    """Where `train_epochs` stands.

    Attributes
    ----------
    progress
        Epochs behind it, with ``history``.
    finished
        Call it for the model, with its accuracy on the test pictures, if this is to be the end.
    """

    progress: Progress
    finished: Callable[[], Model]


def train_epochs(
    dataset: str = "auto",
    hyperparameters: Hyperparameters | None = None,
    *,
    data_home: Path | None = None,
    offline: bool = False,
) -> Iterator[Standing]:
    """Train a model, epoch by epoch; see `train_model`.

    Yields
    ------
    Standing
        After each epoch.  Whoever has seen enough stops, and takes ``standing.finished()``.
    """
    splits = open_dataset(dataset, data_home, offline=offline)
    recipe = hyperparameters or recipe_for(splits.train, PRESETS["default"])
    run = prepare(splits.train, recipe, dataset)
    for (progress,) in train_together([run]):
        assert progress is not None

        def finished(progress: Progress = progress) -> Model:
            model = finish([run], [progress], splits.test)
            assert isinstance(model, Model)
            return model

        yield Standing(progress, finished)


def train_committee(
    n_members: int,
    dataset: str = "auto",
    hyperparameters: Hyperparameters | None = None,
    *,
    data_home: Path | None = None,
    offline: bool = False,
    scheduler: str | None = None,
) -> Committee:
    """Train several networks whose probabilities are averaged, without a word.

    Parameters
    ----------
    n_members
        How many networks; their seeds follow on each other.
    dataset, hyperparameters, data_home, offline
        See `train_model`.
    scheduler
        Address of a Dask scheduler whose workers train, such as ``tcp://10.0.0.1:8786``; by default
        threads of this process do.

    Returns
    -------
    Committee
        With its accuracy on the test pictures in ``metadata["accuracy"]``, as have its members.

    Raises
    ------
    DataError, DivergenceError
        As for `train_model`.
    ClusterError
        If there is no such scheduler, or it goes away.
    ValueError
        If there would be no members.
    """
    if n_members < 1:
        raise ValueError(f"a committee needs at least one member, not {n_members}")
    splits = open_dataset(dataset, data_home, offline=offline)
    recipe = hyperparameters or recipe_for(splits.train, PRESETS["default"])
    runs = prepare(splits.train, recipe, dataset).with_seeds(n_members)
    with connected(scheduler) if scheduler else nullcontext() as cluster:
        *_, reached = train_together(runs, cluster=cluster)
    trained = finish(runs, [progress for progress in reached if progress], splits.test)
    if isinstance(trained, Committee):
        return trained
    return measure_accuracy(committee_of([trained]), splits.test)


def train_together(
    runs: Sequence[Run],
    starts: Sequence[Progress | None] | None = None,
    *,
    cluster: Cluster | None = None,
    n_shards: int = 1,
) -> Iterator[tuple[Progress | None, ...]]:
    """Train several networks, epoch by epoch; they may share their pictures.

    Parameters
    ----------
    runs
        They differ in their seeds only, if there is a cluster.
    starts
        Where each goes on, None for new random weights; by default all begin.
    cluster
        Whose workers train, a network's epoch a task; by default threads of this process do.
    n_shards
        In how many parts, each on a thread or a worker, the gradients of a minibatch are computed.

    Yields
    ------
    tuple
        Where each stands after a round, in which each that was not at its end made one epoch.

    Raises
    ------
    DivergenceError
        If one of them leaves the finite numbers.
    ClusterError
        If there is a cluster, and it is lost.
    """
    reached = tuple(starts or [None] * len(runs))
    if cluster and n_shards == 1:
        yield from train_elsewhere(cluster, runs, reached)
        return
    if n_shards == 1:
        yield from _on_this_machine(runs, reached)
    elif cluster:
        yield from _on_this_machine(runs, reached, gradients_elsewhere(cluster, n_shards))
    else:
        with ThreadPoolExecutor(n_shards - 1) as helpers:
            yield from _on_this_machine(runs, reached, sharded(n_shards, beside(helpers)))


def _on_this_machine(
    runs: Sequence[Run],
    reached: tuple[Progress | None, ...],
    gradients_of: Gradients | None = None,
) -> Iterator[tuple[Progress | None, ...]]:
    from joblib import Parallel, cpu_count, delayed

    trainings = [
        train(
            run.training,
            run.hyperparameters,
            validation=run.validation,
            start=start,
            teacher=run.asked(),
            gradients_of=gradients_of,
            n_threads=1 if len(runs) > 1 else 2,  # where there are several they share the cores
        )
        for run, start in zip(runs, reached, strict=True)
    ]
    n_jobs = min(len(runs), cpu_count())
    with (
        blas_threads(runs[0].hyperparameters, n_runs=len(runs)),
        Parallel(n_jobs=n_jobs, backend="threading") as parallel,
    ):
        while any(advanced := parallel(delayed(next)(epochs, None) for epochs in trainings)):
            reached = tuple(new or old for new, old in zip(advanced, reached, strict=True))
            yield reached


def blas_threads(
    hyperparameters: Hyperparameters, n_runs: int = 1
) -> AbstractContextManager[object]:
    """One thread for matrix products, unless batches are large and nothing else needs a core.

    Small products are over so soon that several threads mostly wait for each other, and on a busy
    machine they wait long; beside distortions, and beside other networks, there is one core for
    them anyway.  And on one thread the same seed gives the same bits however many cores there are.
    """
    from threadpoolctl import threadpool_limits

    large = hyperparameters.batch_size >= _LARGE_BATCH
    alone = large and not hyperparameters.distortion and n_runs == 1
    return nullcontext() if alone else threadpool_limits(1, user_api="blas")
