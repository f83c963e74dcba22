"""What choices are worth on held-out training pictures; the test set is not looked at."""

import itertools
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click
from joblib import Parallel, delayed

from mnist_net import PRESETS, Hyperparameters, load_dataset
from mnist_net.datasets.dataset import Dataset
from mnist_net.learning.distortion import DISTORTIONS
from scripts import options
from scripts.accuracy.recipes import RECIPES, learn
from scripts.records import read_json, stamp, table, write_json

GRIDS: dict[str, dict[str, tuple[Any, ...]]] = {
    "plain": {
        "batch_size": (50, 100),
        "learning_rate": (0.1, 0.2, 0.3, 0.5),
        "l2_penalty": (0.0, 1e-5, 3e-5),
        "warmup_epochs": (0.0, 2.0),
    },
    "default": {
        "learning_rate": (2e-3, 4e-3, 6e-3, 8e-3, 12e-3),
        "weight_decay": (0.01, 0.03, 0.1),
    },
    "accurate": {"learning_rate": (2e-3, 4e-3), "weight_decay": (0.01, 0.03)},
    **{
        variant: {"learning_rate": (0.02, 0.05, 0.1, 0.2, 0.3)}
        for variant in ("binary cross-entropy", "squared error", "tanh", "ReLU", "300-100")
    },
}

Errors = dict[str, dict[str, float]]
"""Fraction of the held-out pictures that are misread, by the name of a recipe and the seed."""


def error(name: str, dataset: Dataset, recipe: Hyperparameters) -> tuple[str, str, float]:
    """Name and seed of a recipe, and its error after the last epoch."""
    _, progress = learn(dataset, recipe)
    accuracy = float(progress.history[-1]["validation_accuracy"])
    return name, str(recipe.random_state), round(1.0 - accuracy, 6)


def measure(
    dataset: Dataset, recipes: Mapping[str, Hyperparameters], seeds: int, jobs: int, found: Errors
) -> Iterator[Errors]:
    """What is found already, and then after each further run."""
    yield found
    runs = Parallel(n_jobs=jobs, return_as="generator_unordered")(
        delayed(error)(name, dataset, replace(recipe, random_state=seed))
        for seed in range(seeds)
        for name, recipe in recipes.items()
        if str(seed) not in found.get(name, {})
    )
    for name, seed, of_run in runs:
        of_seeds = {**found.get(name, {}), seed: of_run}
        found = {**found, name: dict(sorted(of_seeds.items()))}
        yield found


@click.command()
@options.dataset
@options.held_out
@options.only
@options.jobs
@options.trial
@options.file("--output", "results/hyperparameters.json")
def search(dataset: str, held_out: int, only: str, jobs: int, trial: bool, output: Path) -> None:
    """Choose the recipes of the presets, and the rates of plain's variants: a day.

    Every combination of a small grid learns from the first 50,000 training pictures of MNIST, with
    two seeds, and is measured on the last 10,000. Prints the combinations, best first.
    """
    pictures = load_dataset(dataset).train
    for name in filter(lambda name: name.startswith(only), GRIDS):
        changes = options.TINY if trial else {}
        recipe = replace({**PRESETS, **RECIPES}[name], validation=held_out, **changes)
        choices = {}
        for values in itertools.product(*GRIDS[name].values()):
            choice = dict(zip(GRIDS[name], values, strict=True))
            choices["  ".join(f"{key} {value:<6g}" for key, value in choice.items())] = choice
        recipes = {title: replace(recipe, **choice) for title, choice in choices.items()}
        *_, errors = measure(pictures, recipes, 2, jobs, {})
        rows = []
        for title, choice in choices.items():
            of_seeds = list(errors[title].values())
            mean = round(statistics.mean(of_seeds), 6)
            rows.append((mean, title, {**choice, "errors": of_seeds, "mean": mean}))
        rows.sort(key=lambda row: row[0])
        print(*(f"{mean:.2%}  {name}  {title}" for mean, title, _ in rows), sep="\n", flush=True)
        write_json(output, {**read_json(output), name: [row for *_, row in rows]})


def estimate(values: list[float]) -> str:
    """Mean and standard error, in percent."""
    error = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else 0.0
    return f"{100 * statistics.mean(values):.2f} ± {100 * error:.2f}"


def tables(found: Errors) -> str:
    """Errors with each distortion, and what each part bought, seed by seed."""

    def saved(by: str, of: str) -> str:
        return estimate([found[of][seed] - error for seed, error in found[by].items()])

    errors = table(
        ["distortion", "validation error, %, mean ± standard error", "seeds"],
        [[name, estimate([*found[name].values()]), len(found[name])] for name in DISTORTIONS],
    )
    parts = table(
        ["part", "alone it saves, points", "beside the other"],
        [
            [part, saved(part, "none"), saved("both", other)]
            for part, other in (("affine", "elastic"), ("elastic", "affine"))
        ],
    )
    return f"{errors}\n\n{parts}"


@click.command()
@options.dataset
@options.held_out
@click.option("--seeds", default=3, show_default=True)
@click.option("--epochs", type=click.IntRange(min=1), help="By default the preset's.")
@options.jobs
@options.trial
@options.file("--output", "results/ablation.json")
def ablation(output: Path, jobs: int, seeds: int, dataset: str, **choices: Any) -> None:
    """Measure what each kind of distortion is worth, the table of docs/accuracy.md: an hour.

    The preset `default` learns from the first 50,000 training pictures of MNIST without distortion,
    with affine, with elastic ones, and with both, and is measured on the last 10,000. Prints tables
    in Markdown, and keeps each run as it ends; the same command makes only those that are missing.
    """
    changes: dict[str, Any] = options.TINY if choices["trial"] else {}
    if choices["epochs"]:
        changes = {**changes, "epochs": choices["epochs"]}
    recipe = replace(PRESETS["default"], validation=choices["held_out"], **changes)
    recipes = {name: replace(recipe, distortion=one) for name, one in DISTORTIONS.items()}
    settings = {
        "dataset": dataset,
        "hyperparameters": recipes["none"].as_dict(),
        "distortions": {name: asdict(distortion) for name, distortion in DISTORTIONS.items()},
    }
    before = read_json(output)
    if before and any(before.get(name) != value for name, value in settings.items()):
        raise click.UsageError(f"{output} is about another recipe: name another --output")
    latest: Errors = {}
    pictures = load_dataset(dataset).train
    for latest in measure(pictures, recipes, seeds, jobs, before.get("errors", {})):
        write_json(output, {**settings, "errors": latest, **stamp()})
        print(f"{sum(map(len, latest.values()))} of {seeds * len(recipes)} runs", flush=True)
    print(tables(latest))
