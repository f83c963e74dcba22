"""Choose the plain recipe, and the rates of its variants, on the validation split.

    python -m scripts.accuracy search

Trains on the first 50,000 training pictures of MNIST and counts the errors on the last 10,000, for
every combination of a small grid, with two seeds each. The test set is not looked at. Prints the
combinations, best first, and writes results/hyperparameters.json.
"""

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from mnist_net import Hyperparameters, load_dataset
from mnist_net.datasets.dataset import Dataset
from mnist_net.learning.training import train
from mnist_net.runs.run import prepare
from scripts.accuracy.recipes import RECIPES
from scripts.records import read_json, write_json

GRIDS: dict[str, dict[str, tuple[Any, ...]]] = {
    "plain": {
        "batch_size": (50, 100),
        "learning_rate": (0.1, 0.2, 0.3, 0.5),
        "l2_penalty": (0.0, 1e-5, 3e-5),
        "warmup_epochs": (0.0, 2.0),
    },
    **{
        variant: {"learning_rate": (0.02, 0.05, 0.1, 0.2, 0.3)}
        for variant in ("binary cross-entropy", "squared error", "tanh", "ReLU", "300-100")
    },
}
SEEDS = (0, 1)


def validation_error(dataset: Dataset, recipe: Hyperparameters, seed: int) -> float:
    """Fraction of the held-out pictures that are misread after the last epoch."""
    run = prepare(dataset, replace(recipe, validation=10_000, random_state=seed))
    with threadpool_limits(1, user_api="blas"):
        *_, progress = train(run.training, run.hyperparameters, validation=run.validation)
    return 1.0 - float(progress.history[-1]["validation_accuracy"])


def search(dataset: Dataset, name: str, jobs: int) -> list[dict[str, Any]]:
    """Every combination of a grid with its validation errors, best first."""
    grid = GRIDS[name]
    choices = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    errors = Parallel(n_jobs=jobs)(
        delayed(validation_error)(dataset, replace(RECIPES[name], **choice), seed)
        for choice in choices
        for seed in SEEDS
    )
    table = np.array(errors).reshape(len(choices), len(SEEDS))
    rows = [
        {**choice, "errors": row.tolist(), "mean": float(row.mean())}
        for choice, row in zip(choices, table, strict=True)
    ]
    return sorted(rows, key=lambda row: row["mean"])


@click.command(help=__doc__)
@click.option("--dataset", default="mnist", show_default=True)
@click.option("--only", default="", help="Recipes whose name begins so.")
@click.option("--jobs", default=2, show_default=True, help="Runs at a time, a thread each.")
@click.option("--output", type=Path, default=Path("results/hyperparameters.json"))
def main(dataset: str, only: str, jobs: int, output: Path) -> None:
    pictures = load_dataset(dataset).train
    found = read_json(output)
    for name, grid in GRIDS.items():
        if not name.startswith(only):
            continue
        found[name] = search(pictures, name, jobs)
        for row in found[name]:
            settings = "  ".join(f"{key} {row[key]:<6g}" for key in grid)
            print(f"{row['mean']:.2%}  {name}  {settings}", flush=True)
        write_json(output, found)
