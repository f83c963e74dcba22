"""Seconds of training until a network reads 97, 98 and 98.5 % of the test pictures.

First every competitor looks for its best recipe for each accuracy on its own grid: it trains on all
but the last 10,000 training pictures, once, and the recipe that is first to read so many of those
10,000 is taken. Then it trains on all training pictures, from a few seeds, until it reads so many
of the test pictures, which do nothing but stop the clock; no evaluation is timed. `SAME` is one
that all can follow. MLPClassifier's grid has constant rates, for its own never fall to zero;
torch.compile takes no part: it would compile for longer than it trains.
"""

import itertools
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mnist_net import Hyperparameters
from mnist_net.learning.training import Batch
from scripts.records import table
from scripts.speed import torch_peer, trainers
from scripts.speed.figures import duration
from scripts.speed.problems import PLAIN, Problem, test_set
from scripts.speed.settings import Settings
from scripts.speed.workers import Entry, Trial, alone, take_turns

TARGETS = (0.97, 0.98, 0.985)

_CONSTANT = replace(PLAIN, activation="relu", scaling="centred", epochs=10)
_FALLING = replace(_CONSTANT, schedule="cosine")

SAME = replace(_CONSTANT, hidden_layer_sizes=(300,), batch_size=128, learning_rate=0.1)

CONSTANT = [
    replace(
        _CONSTANT,
        hidden_layer_sizes=(units,),
        batch_size=batch_size,
        optimizer=optimizer,
        learning_rate=rate,
    )
    for units, batch_size, (optimizer, rate) in itertools.product(
        (150, 300, 500), (64, 128, 256), (("sgd", 0.1), ("sgd", 0.2), ("adamw", 1e-3))
    )
]
"""ReLU, momentum 0.9, centred inputs, and a rate that stays: SGD's or Adam's."""

FALLING = [
    replace(
        _FALLING,
        hidden_layer_sizes=(units,),
        batch_size=batch_size,
        learning_rate=rate,
        epochs=epochs,
        l2_penalty=1e-5 if epochs >= 6 else 0.0,
    )
    for epochs, units, (batch_size, rate) in itertools.product(
        (1, 2, 3, 4, 6, 8), (150, 300, 500, 800), ((64, 0.2), (128, 0.3))
    )
]
"""The same with SGD's rate on a half-cosine down to zero, and a penalty if there is time for it."""

Competitor = tuple[trainers.TrainerMaker, str, list[Hyperparameters]]
COMPETITORS: dict[str, Competitor] = {
    "ours": (trainers.ours, "numpy", FALLING),
    "torch": (torch_peer.eager, "torch", FALLING),
    "MLPClassifier": (trainers.scikit_learn, "sklearn", CONSTANT),
}
"""How each is made, which library it needs, and its grid."""


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

    def __init__(self, make: trainers.TrainerMaker, problem: Problem, held_out: int = 0) -> None:
        self.make = make
        run, splits = problem.load()
        X, labels = test_set(run, splits, all_pixels=not trainers.is_ours(make))
        self.data, self.X, self.labels = trainers.training_data(make, problem), X, labels
        if held_out:
            last = Batch(*(part[-held_out:] for part in self.data))
            self.data = Batch(*(part[:-held_out] for part in self.data))
            self.X, self.labels = last.X, last.targets.argmax(axis=1)

    def train(self, problem: Problem) -> dict[str, Any]:
        """Seconds to each accuracy that was reached, and all accuracies on the way."""
        trainer = self.make(self.data, problem)
        seconds = 0.0
        reached: dict[str, float] = {}
        accuracies: list[float] = []
        while len(accuracies) < problem.recipe.epochs and len(reached) < len(TARGETS):
            began = time.perf_counter()
            trainer.epoch()
            seconds += time.perf_counter() - began
            accuracies.append(float(np.mean(trainer.classify(self.X) == self.labels)))
            reached |= {
                str(target): seconds
                for target in TARGETS
                if accuracies[-1] >= target and str(target) not in reached
            }
        return {"seconds": reached, "accuracies": accuracies}


def search(
    make: trainers.TrainerMaker, problem: Problem, recipes: Sequence[Hyperparameters], held_out: int
) -> Trial:
    """A training by each recipe, judged by the pictures that are held out."""

    def run() -> list[dict[str, Any]]:
        course = _Course(make, problem, held_out)
        return [
            {"recipe": title(recipe), **course.train(problem._replace(recipe=recipe))}
            for recipe in recipes
        ]

    return Trial(run, {})


def reach(make: trainers.TrainerMaker, problem: Problem) -> Trial:
    """A whole training from the next seed, judged by the test pictures."""
    course, seeds = _Course(make, problem), itertools.count()
    return Trial(lambda: course.train(problem.with_(random_state=next(seeds))), {})


def fastest(found: Sequence[dict[str, Any]], target: float) -> str | None:
    """Title of the recipe that was first to reach an accuracy."""
    times = {f["recipe"]: f["seconds"][str(target)] for f in found if str(target) in f["seconds"]}
    return min(times, key=lambda title: times[title], default=None)


def _grids(settings: Settings) -> dict[str, tuple[trainers.TrainerMaker, list[Hyperparameters]]]:
    found = {
        who: (make, grid)
        for who, (make, library, grid) in COMPETITORS.items()
        if settings.has(library)
    }
    if settings.quick:
        small = replace(SAME, hidden_layer_sizes=(16,), batch_size=32, epochs=2)
        found = {who: (make, [small]) for who, (make, _) in found.items()}
    return found


def measure_reaching(settings: Settings) -> Iterator[dict[str, Any]]:
    """A row: what the search found, the recipes chosen, and the runs of those from each seed."""
    problem = Problem(settings.dataset, settings.rows, SAME, settings.threads)
    held_out = 100 if settings.quick else 10_000
    grids = _grids(settings)
    searches = {
        who: alone(Entry(search, (make, problem, grid, held_out)), settings.threads).results[0]
        for who, (make, grid) in grids.items()
    }
    chosen = {
        who: {str(target): fastest(found, target) for target in TARGETS}
        for who, found in searches.items()
    }
    made = {
        f"{who}: {title(recipe)}": Entry(reach, (make, problem._replace(recipe=recipe)))
        for who, (make, grid) in grids.items()
        for recipe in (SAME, *grid)
        if title(recipe) in {title(SAME), *chosen[who].values()}
    }
    outcomes = take_turns(made, settings.rounds, settings.threads, warm_ups=0)
    yield {
        "searches": searches,
        "chosen": chosen,
        "runs": {name: outcome.results for name, outcome in outcomes.items()},
    }


def seconds_to(row: dict[str, Any], who: str, recipe: str | None, target: float) -> str:
    """Median over the seeds that reached it, and how many did if not all."""
    if recipe is None:
        return "–"
    found = [run["seconds"].get(str(target)) for run in row["runs"][f"{who}: {recipe}"]]
    reached = [seconds for seconds in found if seconds is not None]
    words = duration(statistics.median(reached) if reached else None)
    return words if len(reached) == len(found) else f"{words}, {len(reached)} of {len(found)} seeds"


def reaching_table(rows: list[dict[str, Any]]) -> str:
    """By the same recipe, and each by its own, of which the title follows."""
    (row,) = rows
    names = list(row["chosen"])
    lines = []
    for target in TARGETS:
        same = [seconds_to(row, who, title(SAME), target) for who in names]
        lines.append([f"{target:.1%}, same recipe", *same])
        own = []
        for who in names:
            recipe = row["chosen"][who][str(target)]
            words = seconds_to(row, who, recipe, target)
            own.append(f"{words} ({recipe})" if recipe else words)
        lines.append([f"{target:.1%}, its own", *own])
    return table([f"test accuracy (same: {title(SAME)})", *names], lines)
