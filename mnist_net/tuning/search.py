"""The search itself: trials of recipes, judged by pictures that are held out of the training ones.

Each trial is a task of its own, which joblib gives to a process that is free.  What was found is in
the study alone, so a process may die at any time, others may join, and a later one goes on.  With a
cluster, which has no part in the file, a thread proposes each trial and hears of its epochs, and
workers make these.  The test pictures are never looked at.
"""

import math
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnist_net.cluster import Cluster
from mnist_net.datasets.dataset import Dataset
from mnist_net.datasets.loading import DATASET_NAMES, load_dataset
from mnist_net.errors import ClusterError, DataError, DivergenceError
from mnist_net.learning.recipe import Hyperparameters
from mnist_net.runs.run import Run, prepare, prepared_for, recipe_for
from mnist_net.runs.together import train_together
from mnist_net.tuning.proposals import pruner_named, sampler_named
from mnist_net.tuning.space import Space
from mnist_net.tuning.study import ENDED, Trial, open_study, require_optuna, trials_of

if TYPE_CHECKING:
    import optuna

_SIXTH = 6  # of the training pictures is held out where nothing is said: 10,000 of MNIST's
_preparing = threading.Lock()


@dataclass(frozen=True, slots=True)
class Search:
    """All that a process needs to know to make trials.

    Attributes
    ----------
    study
        File of the study.
    space
        What is tried.
    dataset, data_home
        See `load_dataset`; the name is of data that are here.
    digest
        Of the data.
    n_held_out
        The last so many training pictures judge.
    sampler, pruner
        Names of `proposals`.
    seed
        Of the proposals.
    """

    study: Path
    space: Space
    dataset: str
    data_home: Path | None
    digest: str
    n_held_out: int
    sampler: str = "tpe"
    pruner: str = "median"
    seed: int = 0

    def opened(self) -> "optuna.Study":
        """The study, made if need be; a RecipeError if the file holds another one."""
        identity = {**self.space.identity(), "digest": self.digest, "n_held_out": self.n_held_out}
        study = open_study(self.study, identity)
        study.sampler = sampler_named(self.sampler, self.seed)
        study.pruner = pruner_named(self.pruner)
        return study

    def anywhere(self) -> "Search":
        """The same for processes that are in other folders."""
        named = self.dataset in DATASET_NAMES
        return replace(
            self,
            study=self.study.resolve(),
            dataset=self.dataset if named else str(Path(self.dataset).resolve()),
            data_home=self.data_home and self.data_home.resolve(),
        )

    def trials(self) -> list[Trial]:
        """All trials of the study that have begun."""
        return trials_of(self.opened())

    def recipe_of(self, trial: Trial) -> Hyperparameters:
        """The recipe that a trial tried, which holds out only what the space says."""
        return self.space.recipe_of(trial.parameters)


def search_for(
    space: Space,
    study: Path,
    training: Dataset,
    dataset: str = "auto",
    data_home: Path | None = None,
    **choices: Any,
) -> Search:
    """What to search: a space, on data that are loaded and that other processes find again.

    Parameters
    ----------
    space
        See `read_space`.
    study
        File of the study, which need not exist.
    training
        The training pictures of `dataset`.
    dataset, data_home
        What `load_dataset` was asked for.
    **choices
        ``sampler``, ``pruner`` and ``seed`` of `Search`.

    Raises
    ------
    MnistNetError
        If Optuna is missing.
    """
    require_optuna()
    if not space.states_drawn_digits:
        space = replace(space, recipe=recipe_for(training, space.recipe))
    return Search(
        study,
        space,
        training.name if dataset in DATASET_NAMES else dataset,
        data_home,
        training.digest,
        space.recipe.validation or max(len(training.images) // _SIXTH, 1),
        **choices,
    )


def tried(
    search: Search,
    n_trials: int,
    *,
    seconds: float | None = None,
    n_workers: int = 1,
    cluster: Cluster | None = None,
) -> Iterator[Trial]:
    """Make trials until the study has so many that ended, those of earlier calls counted.

    Parameters
    ----------
    search
        See `search_for`.
    n_trials
        How many trials the study is to have; if other processes make some at the same time, it
        may have as many more as those have under way.
    seconds
        No trial begins after so many.
    n_workers
        So many processes make trials, one trial at a time each, on one thread for matrix products;
        or with a cluster, so many trials go on at the same time.
    cluster
        Whose workers train, an epoch of a trial a task; by default processes of this machine do.
        Who stops before the last trial leaves the cluster for good.

    Yields
    ------
    Trial
        Each as it ends, in whatever order they do.

    Raises
    ------
    RecipeError
        If the study is of another search.
    DataError
        If the data are no longer what they were, or too few.
    ClusterError
        If there is a cluster, and it is lost.
    """
    n_left = n_trials - sum(trial.state in ENDED for trial in search.trials())
    if n_left <= 0:
        return
    end = math.inf if seconds is None else time.time() + seconds
    one = partial(make_trial, search.anywhere(), n_trials, end)
    n_jobs = min(n_workers, n_left)
    made = _on_cluster(one, n_left, n_jobs, cluster) if cluster else _here(one, n_left, n_jobs)
    yield from (trial for trial in made if trial)


def _here(one: Callable[[], Trial | None], n_left: int, n_jobs: int) -> Iterator[Trial | None]:
    """So many trials, by processes of this machine."""
    from joblib import Parallel, delayed

    # Given away beforehand, and not by the thread that hears of a result: that one would still give
    # some away when an interruption has ended the processes.
    parallel = Parallel(n_jobs, return_as="generator_unordered", pre_dispatch="all", batch_size=1)
    yield from parallel(delayed(one)() for _ in range(n_left))


def _on_cluster(
    one: Callable[..., Trial | None], n_left: int, n_jobs: int, cluster: Cluster
) -> Iterator[Trial | None]:
    """So many trials, by threads that wait for the cluster; where one fails, no other begins."""
    over = threading.Event()

    def unless_over() -> Trial | None:
        try:
            return None if over.is_set() else one(cluster=cluster)
        except BaseException:
            over.set()
            raise

    with ThreadPoolExecutor(n_jobs) as pool:
        trials = [pool.submit(unless_over) for _ in range(n_left)]
        try:
            for trial in as_completed(trials):
                yield trial.result()
        except BaseException:  # an interruption, too: nobody shall wait for what is under way
            over.set()
            pool.shutdown(wait=False, cancel_futures=True)
            cluster.abandon()
            raise


def make_trial(
    search: Search,
    n_trials: int | None = None,
    end: float = math.inf,
    *,
    cluster: Cluster | None = None,
) -> Trial | None:
    """Try one recipe, and leave in the study what came of it.

    None, and nothing is tried, if the study has so many trials, or this time of the clock has come.
    """
    from threadpoolctl import threadpool_limits

    require_optuna()  # this may be another process
    if time.time() >= end:
        return None
    study = search.opened()
    n_ended = sum(trial.state in ENDED for trial in trials_of(study))
    if n_trials is not None and n_ended >= n_trials:
        return None
    made: list[int] = []

    def objective(trial: "optuna.Trial") -> float:
        made.append(trial.number)
        try:
            return _error_of(trial, search, cluster)
        except (KeyboardInterrupt, ClusterError):
            study.enqueue_trial(trial.params)  # for whoever goes on
            raise

    with nullcontext() if cluster else threadpool_limits(1, user_api="blas"):
        study.optimize(objective, n_trials=1)
    return next(trial for trial in trials_of(study) if trial.number == made[0])


def _error_of(trial: "optuna.Trial", search: Search, cluster: Cluster | None) -> float:
    """Validation error of the recipe that a trial proposes; after each epoch it may be given up."""
    from optuna import TrialPruned

    recipe = replace(search.space.suggest(trial), validation=search.n_held_out)
    errors = []
    try:
        for (progress,) in train_together([_run(search, recipe)], cluster=cluster):
            assert progress is not None
            errors.append(round(1.0 - progress.history[-1]["validation_accuracy"], 9))
            trial.report(errors[-1], len(errors))
            if len(errors) < recipe.epochs and trial.should_prune():
                raise TrialPruned
    except DivergenceError as error:
        trial.set_user_attr("diverged", str(error))
        raise TrialPruned from error  # the sampler keeps away from there
    assert progress is not None
    return errors[progress.chosen(recipe).number - 1]


def _run(search: Search, recipe: Hyperparameters) -> Run:
    """The run of a recipe; what was prepared for the one before is taken if it will do."""
    with _preparing:  # threads wait for what one of them prepares
        run = _prepared(search.dataset, search.data_home, search.digest, prepared_for(recipe))
    return replace(run, hyperparameters=recipe)


@lru_cache(maxsize=1)  # MNIST takes 190 MB
def _prepared(dataset: str, data_home: Path | None, digest: str, recipe: Hyperparameters) -> Run:
    training = load_dataset(dataset, data_home, offline=True).train
    if training.digest != digest:
        raise DataError(f"{dataset} is not what it was when the search began")
    return prepare(training, recipe, dataset)
