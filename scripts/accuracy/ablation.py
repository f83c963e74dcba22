"""Measure what each kind of distortion is worth: the table of docs/accuracy.md.

    python -m scripts.accuracy ablation                         # an hour
    python -m scripts.accuracy ablation --epochs 2 --seeds 2    # less: name another --output

Trains the preset `default` on the first 50,000 training pictures of MNIST without distortion, with
affine, with elastic ones, and with both, and counts the errors on the last 10,000. The test set is
not looked at. Prints tables in Markdown, and keeps each run in results/ablation.json as it ends;
the same command makes only those that are missing.
"""

import statistics
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click
from joblib import Parallel, delayed

from mnist_net import PRESETS, Hyperparameters, load_dataset
from mnist_net.datasets.dataset import Dataset
from mnist_net.learning.distortion import DISTORTIONS
from scripts import options
from scripts.accuracy.recipes import validation_error
from scripts.records import read_json, stamp, table, write_json

Errors = dict[str, dict[str, float]]  # distortion, seed


def one_run(dataset: Dataset, recipe: Hyperparameters, name: str) -> tuple[str, str, float]:
    """Name of the distortion, seed, and fraction of the held-out pictures that are misread."""
    recipe = replace(recipe, distortion=DISTORTIONS[name])
    return name, str(recipe.random_state), validation_error(dataset, recipe)


def measure(
    dataset: Dataset, recipe: Hyperparameters, seeds: int, jobs: int, found: Errors
) -> Iterator[Errors]:
    """What is found already, and then after each further run."""
    yield found
    runs = Parallel(n_jobs=jobs, return_as="generator_unordered")(
        delayed(one_run)(dataset, replace(recipe, random_state=seed), name)
        for seed in range(seeds)
        for name in DISTORTIONS
        if str(seed) not in found.get(name, {})
    )
    for name, seed, error in runs:
        found = {**found, name: {**found.get(name, {}), seed: error}}
        yield found


def estimate(values: list[float]) -> str:
    """Mean and standard error, in percent."""
    error = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else 0.0
    return f"{100 * statistics.mean(values):.2f} ± {100 * error:.2f}"


def difference(found: Errors, to: str, of: str) -> str:
    """By how much one distortion has less error than another: seed by seed."""
    return estimate([found[of][seed] - error for seed, error in found[to].items()])


def tables(found: Errors) -> str:
    """Errors, and what each part bought."""
    errors = table(
        ["distortion", "validation error, %, mean ± standard error", "seeds"],
        [[name, estimate([*found[name].values()]), len(found[name])] for name in DISTORTIONS],
    )
    parts = table(
        ["part", "alone it saves, points", "beside the other"],
        [
            [part, difference(found, part, "none"), difference(found, "both", other)]
            for part, other in (("affine", "elastic"), ("elastic", "affine"))
        ],
    )
    return f"{errors}\n\n{parts}"


@click.command(help=options.paragraphs(__doc__))
@options.dataset
@click.option("--held-out", default=10_000, show_default=True, help="Pictures, the last ones.")
@click.option("--seeds", default=3, show_default=True)
@click.option("--epochs", type=click.IntRange(min=1), help="By default the preset's.")
@options.jobs
@options.trial
@options.file("--output", "results/ablation.json")
def main(
    dataset: str,
    held_out: int,
    seeds: int,
    epochs: int | None,
    jobs: int,
    trial: bool,
    output: Path,
) -> None:
    changes: dict[str, Any] = dict(options.TINY) if trial else {}
    if epochs:
        changes["epochs"] = epochs
    recipe = replace(PRESETS["default"], validation=held_out, **changes)
    recipe = replace(recipe, distortion=DISTORTIONS["none"])
    settings = {
        "dataset": dataset,
        "hyperparameters": recipe.as_dict(),
        "distortions": {name: asdict(distortion) for name, distortion in DISTORTIONS.items()},
    }
    before = read_json(output)
    if before and any(before.get(name) != value for name, value in settings.items()):
        raise click.UsageError(f"{output} is about another recipe: name another --output")
    latest: Errors = {}
    pictures = load_dataset(dataset).train
    for latest in measure(pictures, recipe, seeds, jobs, before.get("errors", {})):
        write_json(output, {**settings, "errors": latest, **stamp()})
        print(f"{sum(map(len, latest.values()))} of {seeds * len(DISTORTIONS)} runs", flush=True)
    print(tables(latest))
