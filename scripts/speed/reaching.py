"""Seconds of training until a network reads 97, 98 and 98.5 % of the test pictures.

The test set only stops the clock here, and its evaluation is not timed. Every competitor tries each
of `RECIPES` that it is able to follow, from a few seeds; its best recipe for an accuracy is the one
of the least median of those that reach it from every seed. `SAME` is the one that all can follow.
The recipes are the fastest of a search over widths, batches, rates, optimizers, penalties and
numbers of epochs; the constant rates are for MLPClassifier, whose rates never go down to zero.
torch.compile takes no part: it would compile for longer than it trains.
"""

import itertools
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from mnist_net import Hyperparameters
from scripts.speed import torch_peer, trainers
from scripts.speed.figures import table
from scripts.speed.figures import time as in_words
from scripts.speed.problems import PLAIN, Problem, test_set
from scripts.speed.settings import Settings
from scripts.speed.workers import Entry, Trial, take_turns

TARGETS = (0.97, 0.98, 0.985)
SAME = "300 units, batch 128, rate 0.1"

_CONSTANT = replace(PLAIN, activation="relu", scaling="centred", epochs=15)
_COSINE = replace(_CONSTANT, schedule="cosine")


def _wide(base: Hyperparameters, units: int, **changes: Any) -> Hyperparameters:
    return replace(base, hidden_layer_sizes=(units,), **changes)


def _down(epochs: int, units: int, batch_size: int, rate: float) -> Hyperparameters:
    return _wide(_COSINE, units, batch_size=batch_size, learning_rate=rate, epochs=epochs)


RECIPES: dict[str, Hyperparameters] = {
    SAME: _wide(_CONSTANT, 300, batch_size=128, learning_rate=0.1),
    "300 units, batch 128, Adam 0.001": _wide(
        _CONSTANT, 300, batch_size=128, learning_rate=1e-3, optimizer="adamw"
    ),
    "500 units, batch 128, rate 0.2": _wide(_CONSTANT, 500, batch_size=128, learning_rate=0.2),
    "1 epoch of 100, batch 32, 0.1": _down(1, 100, 32, 0.1),
    "1 epoch of 150, batch 64, 0.15": _down(1, 150, 64, 0.15),
    "2 epochs of 300, batch 256, 0.4": _down(2, 300, 256, 0.4),
    "3 epochs of 200, batch 64, 0.2": _down(3, 200, 64, 0.2),
    "3 epochs of 300, batch 64, 0.2": _down(3, 300, 64, 0.2),
    "4 epochs of 300, batch 128, 0.3": _down(4, 300, 128, 0.3),
    "6 epochs of 500, batch 64, 0.2": _down(6, 500, 64, 0.2),
    "8 epochs of 800, batch 128, 0.3, λ 0.00001": replace(_down(8, 800, 128, 0.3), l2_penalty=1e-5),
}
"""All with ReLU, momentum 0.9 and centred inputs; those that count epochs go down a half-cosine.

λ is the penalty on the weights."""

COMPETITORS: dict[str, tuple[trainers.TrainerMaker, str]] = {
    "ours": (trainers.ours_own_threads, "numpy"),
    "torch": (torch_peer.eager, "torch"),
    "MLPClassifier": (trainers.scikit_learn, "sklearn"),
}


def reach(make: trainers.TrainerMaker, problem: Problem, targets: Sequence[float]) -> Trial:
    """A whole training from the next seed: seconds to each target that was reached."""
    run, splits = problem.load()
    X, labels = test_set(run, splits, all_pixels=not trainers.is_ours(make))
    data = trainers.training_data(make, problem)
    seeds = itertools.count()

    def once() -> dict[str, Any]:
        trainer = make(data, problem.with_(random_state=next(seeds)))
        seconds = 0.0
        reached: dict[str, float] = {}
        accuracies: list[float] = []
        for _ in range(problem.recipe.epochs):
            began = time.perf_counter()
            trainer.epoch()
            seconds += time.perf_counter() - began
            accuracies.append(float((trainer.classify(X) == labels).mean()))
            reached |= {
                str(target): seconds
                for target in targets
                if accuracies[-1] >= target and str(target) not in reached
            }
            if len(reached) == len(targets):
                break
        return {"seconds": reached, "accuracies": accuracies}

    return Trial(once, {})


def can_follow(name: str, recipe: Hyperparameters) -> bool:
    """Whether a competitor has all that the recipe asks for."""
    return name != "MLPClassifier" or recipe.schedule == "constant"


def measure_reaching(settings: Settings) -> Iterator[dict[str, Any]]:
    """Each recipe by each competitor, from as many seeds as there are rounds."""
    for name, recipe in RECIPES.items():
        if settings.quick:
            recipe = _wide(recipe, 16, batch_size=32, epochs=2)  # noqa: PLW2901
        problem = Problem(settings.dataset, settings.rows, recipe, settings.threads)
        made = {
            who: Entry(reach, (make, problem, TARGETS))
            for who, (make, library) in COMPETITORS.items()
            if can_follow(who, recipe) and (library == "numpy" or settings.has(library))
        }
        outcomes = take_turns(made, settings.rounds, settings.threads, warm_ups=0)
        yield {
            "recipe": name,
            "hyperparameters": recipe.as_dict(),
            "runs": {who: outcome.results for who, outcome in outcomes.items()},
        }
        if settings.quick:
            return


def seconds_to(row: dict[str, Any], who: str, target: float) -> float | None:
    """Median over the seeds, or None if one did not reach it."""
    runs = row["runs"].get(who, [])
    found = [run["seconds"].get(str(target)) for run in runs]
    return None if not found or None in found else statistics.median(found)


def best(rows: list[dict[str, Any]], who: str, target: float) -> tuple[float, str] | None:
    """Seconds and name of a competitor's fastest recipe."""
    found = [(seconds_to(row, who, target), row["recipe"]) for row in rows]
    reached = [(seconds, name) for seconds, name in found if seconds is not None]
    return min(reached, default=None)


def reaching_table(rows: list[dict[str, Any]]) -> str:
    """By the same recipe, and each by its best, of which the name follows."""
    names = list(dict.fromkeys(name for row in rows for name in row["runs"]))
    same = next(row for row in rows if row["recipe"] == SAME)
    lines = []
    for target in TARGETS:
        line = [f"{target:.1%}, same recipe"]
        lines.append([*line, *(in_words(seconds_to(same, name, target)) for name in names)])
        line = [f"{target:.1%}, best"]
        for name in names:
            found = best(rows, name, target)
            line.append("–" if found is None else f"{in_words(found[0])} ({found[1]})")
        lines.append(line)
    return table([f"test accuracy ({SAME})", *names], lines)
