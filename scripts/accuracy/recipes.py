"""Measure the test accuracies of recipes without distortion, those of docs/accuracy.md.

    python -m scripts.accuracy recipes                  # all, five seeds each: about an hour
    python -m scripts.accuracy recipes --only cs229     # those whose name begins so

Those of `default` and `accurate` come from scripts/release. Every recipe was chosen on the
validation split (`python -m scripts.accuracy search`) or is the course's, or has more units; the
test set is looked at here, once a seed, and nothing is chosen by it. Prints a row a recipe, keeps
it in results/accuracy.json, and adds every evaluation to results/test_evaluations.jsonl.
"""

import statistics
import time
from dataclasses import replace
from pathlib import Path

import click
from threadpoolctl import threadpool_limits

from mnist_net import PRESETS, Hyperparameters, load_dataset
from mnist_net.datasets.dataset import Dataset, Splits
from mnist_net.learning.training import Progress, train
from mnist_net.runs.outcome import measure_accuracy, model_of
from mnist_net.runs.run import Run, prepare
from scripts import options
from scripts.records import append_line, read_json, stamp, write_json

PLAIN, CS229 = PRESETS["plain"], PRESETS["cs229"]
WIDE = replace(PLAIN, hidden_layer_sizes=(800,))
RECIPES: dict[str, Hyperparameters] = {
    "plain": PLAIN,
    "800 hidden": WIDE,
    "800 hidden, binary cross-entropy": replace(WIDE, loss="binary-cross-entropy"),
    "binary cross-entropy": replace(PLAIN, loss="binary-cross-entropy"),
    "squared error": replace(PLAIN, loss="mean-squared-error"),
    "tanh": replace(PLAIN, activation="tanh", learning_rate=0.1),
    "ReLU": replace(PLAIN, activation="relu", learning_rate=0.05),
    "300-100": replace(PLAIN, hidden_layer_sizes=(300, 100)),
    "cs229": CS229,
    "cs229, gradient λW": replace(CS229, l2_penalty=CS229.l2_penalty / 2),
    "cs229, no penalty": replace(CS229, l2_penalty=0.0),
}
"""The variants of `plain` differ from it in one thing, and in the rate that validation chose."""


def learn(dataset: Dataset, recipe: Hyperparameters) -> tuple[Run, Progress]:
    """Train to the end with one thread, for others run beside it."""
    run = prepare(dataset, recipe)
    with threadpool_limits(1, user_api="blas"):
        *_, progress = train(run.training, recipe, validation=run.validation)
    return run, progress


def measure(splits: Splits, recipe: Hyperparameters) -> tuple[float, float]:
    """Test accuracy, and the seconds of training."""
    began = time.perf_counter()
    run, progress = learn(splits.train, recipe)
    seconds = time.perf_counter() - began
    model = measure_accuracy(model_of(run, progress), splits.test)
    return float(model.metadata["accuracy"]["test"]), seconds


@click.command(help=options.paragraphs(__doc__))
@options.dataset
@options.only
@click.option("--seeds", default=5, show_default=True)
@options.jobs
@options.scheduler
@options.file("--output", "results/accuracy.json")
def main(
    dataset: str, only: str, seeds: int, jobs: int, scheduler: str | None, output: Path
) -> None:
    splits = load_dataset(dataset)
    print(f"| recipe | test accuracy, mean ± sd of {seeds} | worst seed | training, one core |")
    print("|---|---:|---:|---:|")
    for name in filter(lambda name: name.startswith(only), RECIPES):
        recipe = RECIPES[name]
        seeded = [replace(recipe, random_state=seed) for seed in range(seeds)]
        pairs = options.spread(measure, splits, [(one,) for one in seeded], jobs, scheduler)
        accuracies, seconds = zip(*pairs, strict=True)
        found = {
            "accuracy": round(statistics.mean(accuracies), 6),
            "deviation": round(statistics.stdev(accuracies), 6) if seeds > 1 else 0.0,
            "worst": min(accuracies),
            "seeds": seeds,
            "seconds": round(statistics.median(seconds), 1),
        }
        print(
            f"| {name} | {found['accuracy']:.2%} ± {found['deviation']:.2%} "
            f"| {found['worst']:.2%} | {found['seconds']:.0f} s |",
            flush=True,
        )
        for one, accuracy in zip(seeded, accuracies, strict=True):
            record = {"recipe": name, "seed": one.random_state, "error": round(1.0 - accuracy, 6)}
            record |= {"n": len(splits.test.labels), "hyperparameters": one.as_dict()}
            append_line(output.with_name("test_evaluations.jsonl"), record)
        row = {**found, **stamp(), "hyperparameters": recipe.as_dict()}
        write_json(output, {**read_json(output), name: row})
