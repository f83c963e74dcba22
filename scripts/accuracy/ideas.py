"""What each idea buys on held-out training pictures; the test set is not looked at."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np

from mnist_net import PRESETS, load_dataset
from mnist_net.learning.calibration import fit_temperature, tempered
from mnist_net.learning.losses import softmax_cross_entropy
from mnist_net.learning.network import Parameters, forward, map_arrays
from mnist_net.learning.training import train
from mnist_net.runs.run import Run, prepare, teacher_facts
from mnist_net.runs.together import blas_threads
from scripts import options
from scripts.records import read_json, stamp, table, write_json
from scripts.release.committee import member
from scripts.release.student import SMALL_TEACHER

BASE = replace(
    PRESETS["accurate"], hidden_layer_sizes=(800,), epochs=12, drawn_digits=0, patience=None
)
"""Smaller and shorter than what it is to choose for, so that there is time for two seeds."""

IDEAS: dict[str, dict[str, Any]] = {
    "labels alone": {},
    "a teacher, λ = 0.9": {"teacher_weight": 0.9},
    "a teacher, λ = 1, T = 2": {"teacher_weight": 1.0, "teacher_temperature": 2.0},
    "a teacher, λ = 1, T = 4": {"teacher_weight": 1.0, "teacher_temperature": 4.0},
    "a teacher, λ = 1, T = 8": {"teacher_weight": 1.0, "teacher_temperature": 8.0},
    "a teacher, λ = 1, T = 4, half of the epochs again": {
        "teacher_weight": 1.0,
        "teacher_temperature": 4.0,
        "fresh_epochs": 6,
    },
    "labels alone, twice the epochs": {"epochs": 24},
    "labels alone, batches of 512": {"batch_size": 512},
}
"""What each changes in the base."""


class Outcome(NamedTuple):
    """How one network reads what was held out.

    Attributes
    ----------
    error
        Fraction misread.
    log_loss
        In nats, at the temperature that is best for these very pictures.
    """

    error: float
    log_loss: float


def outcome(run: Run, parameters: Parameters) -> Outcome:
    """How a network of a run reads what the run holds out."""
    assert run.validation is not None
    X, targets, _ = run.validation
    activations = (run.hyperparameters.activation, "identity")
    logits = forward(parameters, activations, X)[-1]
    temperature = fit_temperature(logits, targets, run.hyperparameters.loss)
    loss, _ = softmax_cross_entropy(tempered(logits, temperature), targets)
    wrong = logits.argmax(axis=1) != targets.argmax(axis=1)
    return Outcome(round(float(wrong.mean()), 6), round(loss, 6))


def learn(run: Run) -> tuple[Outcome, Outcome]:
    """Outcome of the last epoch's weights, and of the mean of the last third's."""
    recipe = run.hyperparameters
    n_averaged = recipe.epochs // 3
    total: Parameters | None = None
    with blas_threads(recipe):
        for progress in train(run.training, recipe, teacher=run.asked()):
            parameters = progress.latest.parameters
            if progress.latest.number > recipe.epochs - n_averaged:
                total = map_arrays(np.add, total, parameters) if total else parameters
    assert total is not None
    mean = map_arrays(lambda array: array / np.float32(n_averaged), total)
    return outcome(run, parameters), outcome(run, mean)


def tables(found: dict[str, dict[str, Any]]) -> str:
    """Of each idea the errors, in percent, and the log-loss, in hundredths of a nat."""
    rows = []
    for idea, of_seeds in found.items():
        figures = [
            estimate([100 * one[column] for one in of_seeds.values()])
            for column in ("error", "averaged error", "log loss", "averaged log loss")
        ]
        seconds = statistics.median(one["seconds"] for one in of_seeds.values())
        rows.append([idea, *figures, f"{seconds:.0f}", len(of_seeds)])
    header = ["idea", "error, %", "averaged", "log-loss, 1/100", "averaged", "seconds", "seeds"]
    return table(header, rows)


def estimate(values: Sequence[float]) -> str:
    """Mean, and its standard error if there are several."""
    mean = f"{statistics.mean(values):.2f}"
    error = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else None
    return mean if error is None else f"{mean} ± {error:.2f}"


@click.command()
@options.dataset
@options.held_out
@click.option("--seeds", default=2, show_default=True)
@options.only
@options.trial
@options.folder
def ideas(dataset: str, held_out: int, seeds: int, only: str, trial: bool, folder: Path) -> None:
    """Measure what each idea buys, the table of docs/accuracy.md: an hour.

    A net of 800 units learns from the first 50,000 training pictures of MNIST in so many ways, and
    is measured on the last 10,000, by its last weights and by the mean over the last third of its
    epochs. The teacher, a deep network that has seen no others, is trained before, unless it is in
    models/. Keeps each run as it ends; the same command makes only those that are missing.
    """
    splits, output = load_dataset(dataset), folder / "results" / "ideas.json"
    name, small = SMALL_TEACHER
    changes: dict[str, Any] = {"validation": held_out, **(options.TINY if trial else {})}
    base = replace(BASE, **changes)
    teacher = member(name, replace(small, **changes), splits, folder)
    for seed in range(seeds):
        for idea in filter(lambda idea: idea.startswith(only), IDEAS):
            found = read_json(output).get("ideas", {})
            if str(seed) in found.get(idea, {}):
                continue
            recipe = replace(base, random_state=seed, **IDEAS[idea])
            taught = teacher if recipe.teacher_weight else None
            began = time.process_time()
            last, mean = learn(prepare(splits.train, recipe, teacher=taught))
            one = {
                "error": last.error,
                "averaged error": mean.error,
                "log loss": last.log_loss,
                "averaged log loss": mean.log_loss,
                "seconds": round(time.process_time() - began, 1),
            }
            found = {**found, idea: {**found.get(idea, {}), str(seed): one}}
            record = {"base": base.as_dict(), "teacher": teacher_facts(teacher), "ideas": found}
            write_json(output, {**record, **stamp()})
            print(f"{idea}, seed {seed}: {one}", flush=True)
    print(tables(read_json(output)["ideas"]))
