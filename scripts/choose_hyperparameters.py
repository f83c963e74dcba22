"""Choose the default recipe on the validation split.

    python scripts/choose_hyperparameters.py --dataset mnist

Trains on the first 50,000 training pictures of MNIST and counts the errors on the last 10,000, for
every combination of a small grid, with two seeds each. The test set is not looked at. Prints the
combinations, best first, and writes results/hyperparameters.json.
"""

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from joblib import Parallel, delayed

from mnist_net import Hyperparameters, load_dataset
from mnist_net.data import Dataset
from mnist_net.files import atomic_write
from mnist_net.runs import prepare
from mnist_net.training import train

GRID: dict[str, tuple[Any, ...]] = {
    "batch_size": (50, 100),
    "learning_rate": (0.1, 0.2, 0.3, 0.5),
    "l2_penalty": (0.0, 1e-5, 3e-5),
    "warmup_epochs": (0.0, 2.0),
}
SEEDS = (0, 1)
BASE = Hyperparameters(validation=10_000)


def validation_error(dataset: Dataset, choice: dict[str, Any], seed: int) -> float:
    """Fraction of the held-out pictures that are misread after the last epoch."""
    run = prepare(dataset, replace(BASE, **choice, random_state=seed))
    *_, progress = train(run.training, run.hyperparameters, validation=run.validation)
    return 1.0 - float(progress.history[-1]["validation_accuracy"])


@click.command(help=__doc__)
@click.option("--dataset", default="mnist", show_default=True)
@click.option("--jobs", default=2, show_default=True, help="Runs at a time, a thread each.")
@click.option("--output", type=Path, default=Path("results/hyperparameters.json"))
def main(dataset: str, jobs: int, output: Path) -> None:
    pictures = load_dataset(dataset).train
    choices = [dict(zip(GRID, values, strict=True)) for values in itertools.product(*GRID.values())]
    tasks = [(choice, seed) for choice in choices for seed in SEEDS]
    errors = Parallel(n_jobs=jobs, verbose=1)(
        delayed(validation_error)(pictures, choice, seed) for choice, seed in tasks
    )
    table = np.array(errors).reshape(len(choices), len(SEEDS))
    rows = [
        {**choice, "errors": row.tolist(), "mean": float(row.mean())}
        for choice, row in zip(choices, table, strict=True)
    ]
    rows.sort(key=lambda row: row["mean"])
    for row in rows:
        settings = "  ".join(f"{name} {row[name]:<6g}" for name in GRID)
        print(f"{row['mean']:.2%}  {settings}")
    with atomic_write(output) as stream:
        content = {"base": BASE.as_dict(), "seeds": SEEDS, "rows": rows}
        stream.write(json.dumps(content, indent=1).encode())


if __name__ == "__main__":
    main()
