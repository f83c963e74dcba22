"""Choose the plain recipe, and the rates of its variants, on the validation split: some hours.

    python -m scripts.accuracy search

Trains on the first 50,000 training pictures of MNIST and counts the errors on the last 10,000, for
every combination of a small grid, with two seeds each. The test set is not looked at. Prints the
combinations, best first, and writes results/hyperparameters.json.
"""

import itertools
import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from joblib import Parallel, delayed

from mnist_net import load_dataset
from mnist_net.datasets.dataset import Dataset
from scripts import options
from scripts.accuracy.recipes import RECIPES, validation_error
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


def search(dataset: Dataset, name: str, jobs: int, **changes: Any) -> list[dict[str, Any]]:
    """Every combination of a grid with its validation errors, best first."""
    grid = GRIDS[name]
    choices = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    recipe = replace(RECIPES[name], **changes)
    found = Parallel(n_jobs=jobs)(
        delayed(validation_error)(dataset, replace(recipe, **choice, random_state=seed))
        for choice in choices
        for seed in SEEDS
    )
    pairs = zip(*[iter(found)] * len(SEEDS), strict=True)
    rows = [
        {**choice, "errors": list(errors), "mean": round(statistics.mean(errors), 6)}
        for choice, errors in zip(choices, pairs, strict=True)
    ]
    return sorted(rows, key=lambda row: row["mean"])


@click.command(help=options.paragraphs(__doc__))
@options.dataset
@click.option("--held-out", default=10_000, show_default=True, help="Pictures, the last ones.")
@options.only
@options.jobs
@options.trial
@options.file("--output", "results/hyperparameters.json")
def main(dataset: str, held_out: int, only: str, jobs: int, trial: bool, output: Path) -> None:
    changes = options.TINY if trial else {}
    pictures = load_dataset(dataset).train
    for name, grid in GRIDS.items():
        if not name.startswith(only):
            continue
        rows = search(pictures, name, jobs, validation=held_out, **changes)
        for row in rows:
            settings = "  ".join(f"{key} {row[key]:<6g}" for key in grid)
            print(f"{row['mean']:.2%}  {name}  {settings}", flush=True)
        write_json(output, {**read_json(output), name: rows})
