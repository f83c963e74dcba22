"""Compare `mnist-net tune` with random search and with successive halving, at equal time.

    nice -n 19 python -m scripts.tuning --seconds 45 --output results/tuning.json

Each search has the same recipes to find (scripts/tuning/space.toml), the same training pictures and
so many seconds of the processor on one thread. What it found is then trained anew with other seeds
and judged by 10,000 training pictures that no search has seen: that error is not flattered by luck,
as the error that it was chosen by is. The test set has no part in it. Needs optuna (`make
test-extras` installs it).
"""

import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

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
N_JUDGES = 10_000
PILOT = 1000  # added to the seed of a search that shows how long one takes
COLUMNS = ("seconds", "recipes tried", "epochs", "error it was chosen by, %", "error anew, %")


@dataclass(frozen=True)
class Found:
    """What a search found, in how many seconds, from how many recipes and epochs."""

    recipe: Hyperparameters
    error: float
    seconds: float
    n_recipes: int
    n_epochs: int


class Pictures(NamedTuple):
    """Files: to search on, and to judge what was found by; both have the same to learn from."""

    searched: Path
    judging: Path


def subsets(dataset: str, n_train: int, folder: Path) -> Pictures:
    """The first so many training pictures of a data set, and others after them or at its end."""
    training = load_dataset(dataset).train
    n, n_held_out = len(training.images), read_space(SPACE).recipe.validation
    n_judges = min(N_JUDGES, n - n_held_out - n_train)

    def written(name: str, begin: int, end: int) -> Path:
        rows = np.r_[:n_train, begin:end]
        images, labels = training.images[rows], training.labels[rows]
        few = slice(10)  # a file of four arrays has test pictures too; nobody looks at these
        np.savez(
            folder / name, x_train=images, y_train=labels, x_test=images[few], y_test=labels[few]
        )
        return folder / name

    return Pictures(
        written("searched.npz", n - n_held_out, n),
        written("judging.npz", n_train, n_train + n_judges),
    )


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
        return_train_score=False,
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


def n_candidates_for(seconds: float, pilot: Found) -> int:
    """So many that successive halving takes about that long, by a smaller one."""
    return max(pilot.n_recipes, round(pilot.n_recipes * seconds / pilot.seconds))


def error_anew(recipe: Hyperparameters, path: Path, n_train: int) -> float:
    """Mean error of a recipe over seeds and on pictures that no search has used."""
    training, errors = load_dataset(str(path)).train, []
    for seed in ANEW:
        one = replace(recipe, random_state=seed, validation=len(training.images) - n_train)
        *_, (progress,) = train_together([prepare(training, one, str(path))])
        assert progress is not None
        errors.append(1.0 - progress.history[-1]["validation_accuracy"])
    return statistics.fmean(errors)


def one_round(pictures: Pictures, seconds: float, seed: int) -> dict[str, Any]:
    """Figures of each search, with proposals of this seed."""
    space, path = read_space(SPACE), pictures.searched
    training, found = load_dataset(str(path)).train, dict[str, Found]()
    for name, choices in SAMPLERS.items():
        study = path.with_name(f"{name} {seed}.db")
        search = search_for(space, study, training, str(path), None, seed=seed, **choices)
        found[name] = by_tune(search, seconds)
    pilot = by_halving(space, path, FACTOR**3, PILOT + seed)
    found[HALVING] = by_halving(space, path, n_candidates_for(seconds, pilot), seed)
    n_train = len(training.images) - space.recipe.validation
    return {
        name: {
            "seconds": round(one.seconds, 1),
            "recipes": one.n_recipes,
            "epochs": one.n_epochs,
            "error": round(one.error, 6),
            "error_anew": round(error_anew(one.recipe, pictures.judging, n_train), 6),
            "recipe": {name: one.recipe.as_dict()[name] for name in space.dimensions},
        }
        for name, one in found.items()
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
@click.option("--pictures", default=6_000, show_default=True, help="To learn from.")
@click.option("--seconds", default=45.0, show_default=True, help="Of each search, processor time.")
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--output", type=Path, help="Figures as JSON.  [default: none]")
def main(dataset: str, pictures: int, seconds: float, rounds: int, output: Path | None) -> None:
    made: list[dict[str, Any]] = []
    facts = {**stamp(), "machine": describe(), "seconds": seconds, "pictures": pictures}
    with threadpool_limits(1), tempfile.TemporaryDirectory() as folder:
        files = subsets(dataset, pictures, Path(folder))
        for seed in range(rounds):
            made.append(one_round(files, seconds, seed))
            click.echo(shown(made[-1]), err=True)
            record = {**facts, "medians": medians(made), "rounds": made}
            if output:  # after each round, for whoever has to stop here
                write_json(output, record, apart="recipe")
    click.echo(shown(medians(made)))


if __name__ == "__main__":
    main()
