"""Measure the accuracies that the README quotes.

    python -m scripts.accuracy recipes                  # all recipes, five seeds each
    python -m scripts.accuracy recipes --only cs229     # those whose name begins so

Those of `default` and `accurate` come from scripts/release.py. Every recipe was chosen on the
validation split (scripts/choose_hyperparameters.py) or is the course's, or has more units; the test
set is looked at here, once a seed, and nothing is chosen by it. Prints a table as its rows come,
writes them into results/accuracy.json, and adds every evaluation to results/test_evaluations.jsonl.
"""

import platform
import statistics
import time
from dataclasses import replace
from pathlib import Path

import click
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from mnist_net import PRESETS, Hyperparameters, load_dataset
from mnist_net.datasets.dataset import Splits
from mnist_net.learning.training import train
from mnist_net.runs.outcome import measure_accuracy, model_of
from mnist_net.runs.run import prepare
from scripts.records import append_line, commit, now, read_json, write_json

PLAIN, CS229 = PRESETS["plain"], PRESETS["cs229"]

RECIPES: dict[str, Hyperparameters] = {
    "plain": PLAIN,
    "800 hidden": replace(PLAIN, hidden_layer_sizes=(800,)),
    "800 hidden, binary cross-entropy": replace(
        PLAIN, hidden_layer_sizes=(800,), loss="binary-cross-entropy"
    ),
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


def measure(splits: Splits, recipe: Hyperparameters, seed: int) -> tuple[float, float]:
    """Test accuracy, and the seconds of training."""
    began = time.perf_counter()
    run = prepare(splits.train, replace(recipe, random_state=seed))
    with threadpool_limits(1, user_api="blas"):
        *_, progress = train(run.training, run.hyperparameters, validation=run.validation)
    seconds = time.perf_counter() - began
    model = measure_accuracy(model_of(run, progress), splits.test)
    return float(model.metadata["accuracy"]["test"]), seconds


@click.command(help=__doc__)
@click.option("--dataset", default="mnist", show_default=True)
@click.option("--only", default="", help="Recipes whose name begins so.")
@click.option("--seeds", default=5, show_default=True)
@click.option("--jobs", default=2, show_default=True, help="Runs at a time, a thread each.")
@click.option("--output", type=Path, default=Path("results/accuracy.json"), show_default=True)
def main(dataset: str, only: str, seeds: int, jobs: int, output: Path) -> None:
    splits = load_dataset(dataset)
    rows = read_json(output)
    print(f"| recipe | test accuracy, mean ± sd of {seeds} | worst seed | training, one core |")
    print("|---|---:|---:|---:|")
    for name, recipe in RECIPES.items():
        if not name.startswith(only):
            continue
        pairs = Parallel(n_jobs=jobs)(
            delayed(measure)(splits, recipe, seed) for seed in range(seeds)
        )
        accuracies, seconds = zip(*pairs, strict=True)
        deviation = statistics.stdev(accuracies) if seeds > 1 else 0.0
        print(
            f"| {name} | {statistics.mean(accuracies):.2%} ± {deviation:.2%} "
            f"| {min(accuracies):.2%} | {statistics.median(seconds):.0f} s |",
            flush=True,
        )
        for seed, accuracy in enumerate(accuracies):
            record = {
                "date": now(),
                "commit": commit(),
                "recipe": name,
                "seed": seed,
                "error": round(1.0 - accuracy, 6),
                "n": len(splits.test.labels),
                "hyperparameters": replace(recipe, random_state=seed).as_dict(),
            }
            append_line(output.with_name("test_evaluations.jsonl"), record)
        rows[name] = {
            "accuracies": accuracies,
            "seconds": seconds,
            "hyperparameters": recipe.as_dict(),
            "machine": f"{platform.machine()}, Python {platform.python_version()}",
        }
        write_json(output, rows)
