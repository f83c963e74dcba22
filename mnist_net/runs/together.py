"""Several training runs side by side, from which a committee comes.

The runs go on in rounds of one epoch each, which joblib spreads over the cores.  Its workers are
threads: NumPy lets go of Python's lock while it computes, and threads share the pictures.  Matrix
products get one thread each, for the cores are busy already.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from mnist_net.datasets.loading import load_dataset
from mnist_net.learning.recipe import PRESETS, Hyperparameters
from mnist_net.learning.training import Progress, train
from mnist_net.runs.run import Run, blas_threads, finish, measure_accuracy, prepare
from mnist_net.trained.committee import Committee
from mnist_net.trained.model import Model

__all__ = ["form_committee", "member_runs", "train_committee", "train_together"]


def member_runs(run: Run, n_members: int) -> tuple[Run, ...]:
    """The same run with as many seeds, from its own up."""
    recipe = run.hyperparameters
    seeds = range(recipe.random_state, recipe.random_state + n_members)
    return tuple(replace(run, hyperparameters=replace(recipe, random_state=seed)) for seed in seeds)


def train_together(
    runs: Sequence[Run], starts: Sequence[Progress | None] | None = None
) -> Iterator[tuple[Progress | None, ...]]:
    """Train several networks, epoch by epoch.

    Parameters
    ----------
    runs
        What each starts from; they may share their pictures.
    starts
        Where each goes on, None for new random weights; by default all begin.

    Yields
    ------
    tuple of Progress
        Of each run, after a round in which each that was not at its end made one epoch.

    Raises
    ------
    DivergenceError
        If one of them leaves the finite numbers.
    """
    from joblib import Parallel, cpu_count, delayed

    reached = tuple(starts or [None] * len(runs))
    trainings = [
        train(run.training, run.hyperparameters, validation=run.validation, start=start)
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


def form_committee(members: Sequence[Model]) -> Committee:
    """A committee that says of itself what its first member says, but for how that one learned."""
    own = ("preset", "hyperparameters", "data", "versions", "date")
    return Committee(tuple(members), {key: members[0].metadata[key] for key in own})


def train_committee(
    n_members: int,
    dataset: str = "auto",
    hyperparameters: Hyperparameters = PRESETS["default"],
    *,
    data_home: Path | None = None,
    offline: bool = False,
) -> Committee:
    """Train a committee from start to end, without a word.

    Parameters
    ----------
    n_members
        How many networks; their seeds follow on each other.
    dataset, hyperparameters, data_home, offline
        See `runs.train_model`.

    Returns
    -------
    Committee
        With its accuracy on the test pictures in ``metadata["accuracy"]``, as have its members.

    Raises
    ------
    DataError
        If the data set cannot be had.
    DivergenceError
        If the recipe leads out of the finite numbers.
    ValueError
        If there would be no members.
    """
    if n_members < 1:
        raise ValueError(f"a committee needs at least one member, not {n_members}")
    splits = load_dataset(dataset, data_home, offline=offline)
    runs = member_runs(prepare(splits.train, hyperparameters, dataset), n_members)
    *_, reached = train_together(runs)
    members = [
        measure_accuracy(finish(run, progress), splits.test)
        for run, progress in zip(runs, reached, strict=True)
        if progress
    ]
    return measure_accuracy(form_committee(members), splits.test)
