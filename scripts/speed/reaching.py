"""Seconds of training until a network reads 97, 98 and 98.5 % of the test pictures.

First every competitor trains once by each recipe of its own grid, on all but the last 10,000
training pictures; the recipe that is first to read so many of those 10,000 is taken. Then it trains
on all training pictures, from a few seeds, until it reads so many of the test pictures, which do
nothing but stop the clock; no evaluation is timed. All can follow `SAME`. MLPClassifier's grid has
constant rates, for its own never fall to zero; torch.compile would compile longer than it trains.
"""

import itertools
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from mnist_net import Hyperparameters
from mnist_net.learning.minibatches import Batch
from scripts.speed.figures import Row
from scripts.speed.problems import PLAIN, Problem, Settings
from scripts.speed.training import TRAINERS, Kind
from scripts.speed.workers import Trial, alone, take_turns

TARGETS = (0.97, 0.98, 0.985)

_recipe = partial(replace, PLAIN, activation="relu", scaling="centred", epochs=10)
SAME = _recipe(hidden_layer_sizes=(300,), batch_size=128, learning_rate=0.1)

CONSTANT = [
    _recipe(hidden_layer_sizes=(units,), batch_size=size, optimizer=optimizer, learning_rate=rate)
    for units in (150, 300, 500)
    for size in (64, 128, 256)
    for optimizer, rate in (("sgd", 0.1), ("sgd", 0.2), ("adamw", 1e-3))
]
"""ReLU, momentum 0.9, centred inputs, and a rate that stays: SGD's or Adam's."""

FALLING = [
    _recipe(
        hidden_layer_sizes=(units,),
        batch_size=size,
        learning_rate=rate,
        schedule="cosine",
        epochs=epochs,
        l2_penalty=1e-5 if epochs >= 6 else 0.0,
    )
    for epochs in (1, 2, 3, 4, 6, 8)
    for units in (150, 300, 500, 800)
    for size, rate in ((64, 0.2), (128, 0.3))
]
"""The same with SGD's rate on a half-cosine down to zero, and a penalty if there is time for it."""

GRIDS = {"ours": FALLING, "torch": FALLING, "MLPClassifier": CONSTANT}


def title(recipe: Hyperparameters) -> str:
    """What sets a recipe apart from the others here."""
    adam = "Adam, " if recipe.optimizer == "adamw" else ""
    words = f"{recipe.hidden_layer_sizes[0]} units, batch {recipe.batch_size}, "
    words += f"{adam}rate {recipe.learning_rate:g}"
    if recipe.schedule == "cosine":
        words += f" to 0 in {recipe.epochs} epoch" + "s" * (recipe.epochs > 1)
    return words + (f", λ {recipe.l2_penalty:.0e}" if recipe.l2_penalty else "")


class _Course:
    """What is learnt from, and what is read after each epoch: test pictures, or held-out ones."""

    def __init__(self, kind: Kind, problem: Problem, held_out: int = 0) -> None:
        self.make = kind.make
        self.data = kind.data(problem)
        if held_out:
            last = Batch(*(part[-held_out:] for part in self.data[:2]))
            self.data = Batch(*(part[:-held_out] for part in self.data[:2]))
            self.X, self.labels = last.X, last.targets.argmax(axis=1)
        else:
            run, splits = problem.load()
            self.labels = np.searchsorted(run.classes, splits.test.labels)
            pixels = splits.test.images.reshape(len(self.labels), -1)
            self.X = run.scaling.apply(pixels if kind.all_pixels else pixels[:, run.pixels])

    def train(self, problem: Problem) -> dict[str, float]:
        """Seconds to each accuracy that was reached."""
        trainer = self.make(self.data, problem)
        seconds = 0.0
        reached: dict[str, float] = {}
        for _ in range(problem.recipe.epochs):
            began = time.perf_counter()
            trainer.epoch()
            seconds += time.perf_counter() - began
            accuracy = np.mean(trainer.classify(self.X) == self.labels)
            reached = {str(t): seconds for t in TARGETS if accuracy >= t} | reached
            if len(reached) == len(TARGETS):
                break
        return reached


def search(kind: Kind, problem: Problem, grid: Sequence[Hyperparameters], held_out: int) -> Trial:
    """A training by each recipe, judged by the pictures that are held out."""
    course = _Course(kind, problem, held_out)
    return Trial(lambda: {title(one): course.train(problem._replace(recipe=one)) for one in grid})


def reach(kind: Kind, problem: Problem) -> Trial:
    """A whole training from the next seed, judged by the test pictures."""
    course, seeds = _Course(kind, problem), itertools.count()
    return Trial(lambda: course.train(problem.with_(random_state=next(seeds))))


def fastest(found: Mapping[str, dict[str, float]], target: float) -> str | None:
    """Title of the recipe that was first to reach an accuracy."""
    did = [name for name, seconds in found.items() if str(target) in seconds]
    return min(did, key=lambda name: found[name][str(target)], default=None)


def reached(runs: Sequence[dict[str, float]], target: float, recipe: str) -> dict[str, Any]:
    """Of the seeds that reached an accuracy the median, fastest and slowest."""
    seconds = sorted(run[str(target)] for run in runs if str(target) in run)
    found: dict[str, Any] = {}
    if seconds:
        middle = statistics.median(seconds)
        found = {"seconds": middle, "fastest": seconds[0], "slowest": seconds[-1]}
    return {**found, "facts": {"seeds": f"{len(seconds)} of {len(runs)}", "recipe": recipe}}


Chosen = Mapping[str, Mapping[str, str | None]]  # competitor, target: title of its own recipe
Runs = Mapping[tuple[str, str], Sequence[dict[str, float]]]  # competitor, recipe: of each seed


def rows_of(chosen: Chosen, runs: Runs) -> Iterator[Row]:
    """Two for each accuracy: by the same recipe, and each by its own, if it found one."""
    for target in TARGETS:
        own = {who: recipes[str(target)] for who, recipes in chosen.items()}
        for words, recipes in (("same recipe", dict.fromkeys(chosen, title(SAME))), ("own", own)):
            found = {
                who: reached(runs[who, recipe], target, recipe)
                for who, recipe in recipes.items()
                if recipe
            }
            yield {"problem": f"{target:.1%}, {words}", "measured": found}


def measure_reaching(settings: Settings) -> Iterator[Row]:
    """The search for recipes, then the runs of those that were found, from each seed."""
    problem = settings.problem()._replace(recipe=SAME)
    grids = {who: GRIDS[who] for who in GRIDS if settings.has(*TRAINERS[who].libraries)}
    held_out = 100 if settings.quick else 10_000
    if settings.quick:
        grids = {who: [replace(SAME, hidden_layer_sizes=(16,), epochs=2)] for who in grids}
    chosen = {}
    for who, grid in grids.items():
        look = partial(search, TRAINERS[who], problem, grid, held_out)
        (found,) = alone(look, settings.threads).results
        chosen[who] = {str(target): fastest(found, target) for target in TARGETS}
    wanted = {
        (who, title(recipe)): problem._replace(recipe=recipe)
        for who, grid in grids.items()
        for recipe in (SAME, *grid)
        if recipe is SAME or title(recipe) in chosen[who].values()
    }
    made = {": ".join(key): partial(reach, TRAINERS[key[0]], one) for key, one in wanted.items()}
    outcomes = take_turns(made, settings.rounds, settings.threads, warm_ups=0)
    yield from rows_of(chosen, {key: outcomes[": ".join(key)].results for key in wanted})
