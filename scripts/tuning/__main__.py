"""Compare `mnist-net tune` with random search and with successive halving, at equal time.

    nice -n 19 python -m scripts.tuning --seconds 120 --output results/tuning.json

Each search has the same recipes to find (scripts/tuning/space.toml), the same pictures and so many
seconds of the processor on one thread. What it found is then trained anew with other seeds: that
error is not flattered by the luck of one seed, as the error that it was chosen by is. The test set
has no part in it. Needs optuna (`make test-extras` installs it).
"""

import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from threadpoolctl import threadpool_limits

from mnist_net import DigitClassifier, Hyperparameters, load_dataset
from mnist_net.runs.run import prepare
from mnist_net.runs.together import train_together
from mnist_net.tuning.search import Search, search_for, tried
from mnist_net.tuning.space import Choice, Space, read_space
from mnist_net.tuning.study import ENDED, Trial, best_of
from scripts import options
from scripts.records import stamp, table, write_json
from scripts.speed.machine import describe

SPACE = Path(__file__).with_name("space.toml")
HALVING = "HalvingRandomSearchCV"
SAMPLERS: dict[str, dict[str, Any]] = {
    "tune": {"sampler": "tpe", "pruner": "median"},
    "random search": {"sampler": "random", "pruner": "none"},
}
FACTOR = 3  # of successive halving: a third goes on, with three times as many epochs
ANEW = (1, 2, 3)  # seeds of the trainings that judge; searches train with 0
COLUMNS = ("seconds", "recipes tried", "epochs", "error it was chosen by, %", "error anew, %")


@dataclass(frozen=True)
class Found:
    """What a search found, in how many seconds, from how many recipes and epochs."""

    recipe: Hyperparameters
    error: float
    seconds: float
    n_recipes: int
    n_epochs: int


def subset(dataset: str, n_train: int, folder: Path) -> Path:
    """The first so many training pictures of a data set, and its last 10,000 to judge by."""
    training = load_dataset(dataset).train
    n_held_out = read_space(SPACE).recipe.validation
    rows = np.r_[:n_train, len(training.images) - n_held_out : len(training.images)]
    path = folder / "pictures.npz"
    images, labels = training.images[rows], training.labels[rows]
    # A file of four arrays has test pictures too; these are not looked at.
    few = slice(10)
    np.savez(path, x_train=images, y_train=labels, x_test=images[few], y_test=labels[few])
    return path


def by_tune(search: Search, seconds: float) -> Found:
    """What trials found that ended in time."""
    began, trials = time.process_time(), list[Trial]()
    for trial in tried(search, n_trials=1_000_000):
        if time.process_time() - began > seconds:
            break
        trials.append(trial)
    best = best_of(trials)
    assert best is not None
    assert best.error is not None
    return Found(
        search.recipe_of(best),
        best.error,
        seconds,
        sum(trial.state in ENDED for trial in trials),
        sum(len(trial.errors) for trial in trials),
    )


def distributions(space: Space) -> Iterator[tuple[str, Any]]:
    """A space as scikit-learn takes it."""
    from scipy import stats

    for name, one in space.dimensions.items():
        if isinstance(one, Choice):
            yield name, [tuple(v) if isinstance(v, list) else v for v in one.values]
        elif isinstance(one.low, int) and isinstance(one.high, int):
            yield name, _Whole(stats.loguniform(one.low, one.high + 1))
        elif one.log:
            yield name, stats.loguniform(one.low, one.high)
        else:
            yield name, stats.uniform(one.low, one.high - one.low)


class _Whole:
    """Another distribution's numbers, rounded down."""

    def __init__(self, distribution: Any) -> None:
        self.distribution = distribution

    def rvs(self, random_state: Any) -> int:
        return int(self.distribution.rvs(random_state=random_state))


def by_halving(space: Space, path: Path, n_candidates: int, seed: int) -> Found:
    """What successive halving finds among so many candidates."""
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401
    from sklearn.model_selection import HalvingRandomSearchCV, PredefinedSplit

    training, recipe = load_dataset(str(path)).train, space.recipe
    judges = np.arange(len(training.images)) >= len(training.images) - recipe.validation
    own = DigitClassifier().get_params()
    same = {name: getattr(recipe, name) for name in own if hasattr(recipe, name)}
    began = time.process_time()
    halving = HalvingRandomSearchCV(
        DigitClassifier(**same),
        dict(distributions(space)),
        n_candidates=n_candidates,
        factor=FACTOR,
        resource="epochs",
        min_resources=1,
        max_resources=recipe.epochs,
        cv=PredefinedSplit(np.where(judges, 0, -1)),
        refit=False,
        error_score=0.0,
        random_state=seed,
    )
    halving.fit(training.images.reshape(len(judges), -1), training.labels)
    epochs = sum(n * r for n, r in zip(halving.n_candidates_, halving.n_resources_, strict=True))
    best = {name: _plain(value) for name, value in halving.best_params_.items()}
    return Found(
        recipe.with_plain(best),
        1.0 - halving.best_score_,
        time.process_time() - began,
        n_candidates,
        epochs,
    )


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def n_candidates_for(seconds: float, seconds_per_epoch: float, n_epochs: int) -> int:
    """So many that successive halving takes about that long: each rung costs as many epochs."""
    n_rungs = 1 + int(math.log(n_epochs, FACTOR) + 1e-9)
    return max(FACTOR**n_rungs, int(seconds / (n_rungs * seconds_per_epoch)))


def error_anew(recipe: Hyperparameters, path: Path) -> float:
    """Mean validation error of a recipe over seeds that no search has used."""
    training, errors = load_dataset(str(path)).train, []
    for seed in ANEW:
        run = prepare(training, replace(recipe, random_state=seed), str(path))
        *_, (progress,) = train_together([run])
        assert progress is not None
        errors.append(1.0 - progress.history[-1]["validation_accuracy"])
    return statistics.fmean(errors)


def one_round(space: Space, path: Path, seconds: float, seed: int, folder: Path) -> dict[str, Any]:
    """Figures of each search, with proposals of this seed."""
    training = load_dataset(str(path)).train
    searches: dict[str, Callable[[], Found]] = {}
    for name, choices in SAMPLERS.items():
        study = folder / f"{name} {seed}.db"
        search = search_for(space, study, training, str(path), None, seed=seed, **choices)
        searches[name] = lambda search=search: by_tune(search, seconds)  # type: ignore[misc]
    found = {name: made() for name, made in searches.items()}
    pace = found["random search"].seconds / found["random search"].n_epochs
    n_candidates = n_candidates_for(seconds, pace, space.recipe.epochs)
    found[HALVING] = by_halving(space, path, n_candidates, seed)
    return {name: figures(one, space, path) for name, one in found.items()}


def figures(found: Found, space: Space, path: Path) -> dict[str, Any]:
    plain = found.recipe.as_dict()
    return {
        "seconds": round(found.seconds, 1),
        "recipes": found.n_recipes,
        "epochs": found.n_epochs,
        "error": round(found.error, 6),
        "error_anew": round(error_anew(found.recipe, path), 6),
        "recipe": {name: plain[name] for name in space.dimensions},
    }


def medians(rounds: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    keys = ("seconds", "recipes", "epochs", "error", "error_anew")
    return {
        name: {key: statistics.median(one[name][key] for one in rounds) for key in keys}
        for name in rounds[0]
    }


def shown(found: dict[str, dict[str, float]]) -> str:
    rows = [
        [
            name,
            f"{one['seconds']:.0f}",
            f"{one['recipes']:.0f}",
            f"{one['epochs']:.0f}",
            f"{100 * one['error']:.2f}",
            f"{100 * one['error_anew']:.2f}",
        ]
        for name, one in found.items()
    ]
    return table(["", *COLUMNS], rows)


@click.command(help=options.paragraphs(__doc__))
@options.dataset
@click.option("--pictures", default=12_000, show_default=True, help="To learn from.")
@click.option("--seconds", default=300.0, show_default=True, help="Of each search, processor time.")
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--output", type=Path, help="Figures as JSON.  [default: none]")
def main(dataset: str, pictures: int, seconds: float, rounds: int, output: Path | None) -> None:
    space, made = read_space(SPACE), list[dict[str, Any]]()
    facts = {**stamp(), "machine": describe(), "seconds": seconds, "pictures": pictures}
    with threadpool_limits(1), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = subset(dataset, pictures, folder)
        for seed in range(rounds):
            made.append(one_round(space, path, seconds, seed, folder))
            click.echo(shown(made[-1]), err=True)
            if output:  # what is there if it is interrupted
                write_json(
                    output, {**facts, "medians": medians(made), "rounds": made}, apart="recipe"
                )
    click.echo(shown(medians(made)))


if __name__ == "__main__":
    main()
