"""Measure what each kind of distortion is worth: the README's ablation table.

    python -m scripts.accuracy ablation                      # four variants, some hours
    python -m scripts.accuracy ablation --epochs 2 --seeds 2 # a trial: name another --output

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
from threadpoolctl import threadpool_limits

from mnist_net import PRESETS, Hyperparameters, load_dataset
from mnist_net.datasets.dataset import Dataset
from mnist_net.learning.distortion import DISTORTIONS
from mnist_net.learning.training import train
from mnist_net.runs.run import prepare
from scripts.records import commit, now, read_json, write_json

Errors = dict[str, dict[str, float]]  # distortion, seed


def validation_error(dataset: Dataset, recipe: Hyperparameters) -> tuple[str, int, float]:
    """Name of the distortion, seed, and fraction of the held-out pictures that are misread."""
    run = prepare(dataset, recipe)
    with threadpool_limits(1, user_api="blas"):
        *_, progress = train(run.training, recipe, validation=run.validation)
    name = next(name for name, known in DISTORTIONS.items() if known == recipe.distortion)
    return name, recipe.random_state, 1.0 - progress.history[-1]["validation_accuracy"]


def measure(
    dataset: Dataset, recipe: Hyperparameters, seeds: int, jobs: int, found: Errors
) -> Iterator[Errors]:
    """What is found already, and then after each further run."""
    missing = [
        replace(recipe, distortion=distortion, random_state=seed)
        for seed in range(seeds)
        for name, distortion in DISTORTIONS.items()
        if str(seed) not in found.get(name, {})
    ]
    yield found
    runs = Parallel(n_jobs=jobs, return_as="generator_unordered")(
        delayed(validation_error)(dataset, one) for one in missing
    )
    for name, seed, error in runs:
        found = {**found, name: {**found.get(name, {}), str(seed): error}}
        yield found


def estimate(values: list[float]) -> str:
    """Mean and standard error, in percent."""
    mean = statistics.mean(values)
    error = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else 0.0
    return f"{100 * mean:.2f} ± {100 * error:.2f}"


def difference(found: Errors, to: str, of: str) -> str:
    """By how much one distortion has less error than another: seed by seed."""
    return estimate([found[of][seed] - error for seed, error in found[to].items()])


def tables(found: Errors) -> str:
    """Errors, and what each part bought."""
    lines = [
        "| distortion | validation error, %, mean ± standard error | seeds |",
        "|---|---:|---:|",
    ]
    lines += [
        f"| {name} | {estimate(list(found[name].values()))} | {len(found[name])} |"
        for name in DISTORTIONS
    ]
    lines += ["", "| part | alone it saves, points | beside the other |", "|---|---:|---:|"]
    lines += [
        f"| {part} | {difference(found, part, 'none')} | {difference(found, 'both', other)} |"
        for part, other in (("affine", "elastic"), ("elastic", "affine"))
    ]
    return "\n".join(lines)


@click.command(help=__doc__)
@click.option("--dataset", default="mnist", show_default=True)
@click.option("--held-out", default=10_000, show_default=True, help="Pictures, the last ones.")
@click.option("--seeds", default=5, show_default=True)
@click.option("--epochs", type=click.IntRange(min=1), help="By default the preset's.")
@click.option("--hidden", type=click.IntRange(min=1), help="By default the preset's.")
@click.option("--drawn-digits", type=click.IntRange(min=0), help="By default the preset's.")
@click.option("--jobs", default=2, show_default=True, help="Runs at a time, a thread each.")
@click.option("--output", type=Path, default=Path("results/ablation.json"), show_default=True)
def main(
    dataset: str,
    held_out: int,
    seeds: int,
    epochs: int | None,
    hidden: int | None,
    drawn_digits: int | None,
    jobs: int,
    output: Path,
) -> None:
    given: dict[str, Any] = {
        "epochs": epochs,
        "hidden_layer_sizes": (hidden,) if hidden else None,
        "drawn_digits": drawn_digits,
    }
    recipe = replace(
        PRESETS["default"],
        validation=held_out,
        distortion=DISTORTIONS["none"],
        **{name: value for name, value in given.items() if value is not None},
    )
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
        write_json(output, {**settings, "errors": latest, "commit": commit(), "date": now()})
        print(f"{sum(map(len, latest.values()))} of {seeds * len(DISTORTIONS)} runs", flush=True)
    print(tables(latest))
