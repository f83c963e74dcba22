"""Train the model that ships, and measure it on the test set.

    python -m scripts.release                     # both stages, all seeds
    python -m scripts.release --stage 1           # the temperature
    python -m scripts.release --stage 2 --seed 0  # one network; others beside it, if cores are free

Stage 1 trains on the first 50,000 training pictures, fits the temperature on the last 10,000, and
freezes it in results/release.json; the network is kept as models/accurate-validation.joblib, for
studies that must not see the test set. Stage 2 trains on all 60,000, once a seed, gives each
network that temperature, and evaluates it on the test set as it is stored, in float16. Every
evaluation is appended to results/test_evaluations.jsonl. The network of the first seed ships,
whether it is the best or not: models/mnist.joblib. After each epoch a run is kept in checkpoints/,
from where the same command goes on if it was interrupted.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np

from mnist_net import PRESETS, Hyperparameters, load_dataset, load_model, save_model
from mnist_net.datasets.dataset import Splits
from mnist_net.errors import MnistNetError
from mnist_net.learning.training import Progress
from mnist_net.reports.figures import Evaluation, evaluate
from mnist_net.runs.checkpoints import resume, save_checkpoint
from mnist_net.runs.outcome import calibrate, measure_accuracy, model_of
from mnist_net.runs.run import Run, prepare
from mnist_net.runs.together import train_together
from mnist_net.trained.model import Model
from scripts.records import append_line, commit, now, read_json, write_json

SEEDS = (0, 1, 2)
HELD_OUT = 10_000
MOST_BYTES = 5_000_000
SHIPPED = "mnist.joblib"


def train_with_checkpoint(run: Run, file: Path) -> Progress:
    """Train a run to its end, from its checkpoint if there is one."""
    reached = start = resume(run, file) if file.exists() else None
    for (progress,) in train_together([run], [start]):
        assert progress is not None
        reached = progress
        save_checkpoint(file, progress, run.identity())
        record = progress.history[-1]
        validation = record["validation_accuracy"]
        error = "" if validation is None else f"  validation error {1.0 - validation:.2%}"
        print(
            f"{file.parent.name}: epoch {record['epoch']}/{run.hyperparameters.epochs}  "
            f"loss {record['loss']:.4f}{error}  {record['seconds']:.1f} s",
            flush=True,
        )
    assert reached is not None
    return reached


def train_model(run: Run, file: Path, preset: str) -> Model:
    """A run's model, with the seconds that it took in its metadata."""
    progress = train_with_checkpoint(run, file)
    model = model_of(run, progress, preset=preset)
    model.metadata["seconds"] = sum(record["seconds"] for record in progress.history)
    return model


def measured(evaluation: Evaluation) -> dict[str, Any]:
    """The figures of an evaluation that are worth keeping."""
    low, high = evaluation.accuracy_interval
    return {
        "error": evaluation.errors / evaluation.n,
        "errors": evaluation.errors,
        "n": evaluation.n,
        "error_interval": [1.0 - high, 1.0 - low],
        "log_loss": evaluation.log_loss,
        "ece": evaluation.ece,
        "per_class": evaluation.per_class,
        "confusion_matrix": evaluation.confusion_matrix,
    }


def choose_temperature(splits: Splits, recipe: Hyperparameters, preset: str, folder: Path) -> None:
    """Stage 1."""
    run = prepare(splits.train, recipe, splits.train.name)
    file = folder / "checkpoints" / f"{preset}-validation" / "checkpoint.joblib"
    model = train_model(run, file, preset)
    calibrated = calibrate(model, run)
    n_held_out = recipe.validation
    images, labels = splits.train.images[-n_held_out:], splits.train.labels[-n_held_out:]
    before, after = (
        measured(evaluate(labels, m.predict_proba(images), m.classes)) for m in (model, calibrated)
    )
    frozen = {
        "temperature": calibrated.temperature,
        "hyperparameters": recipe.as_dict(),
        "validation": after,
        "validation before calibration": {key: before[key] for key in ("log_loss", "ece")},
        "seconds": model.metadata["seconds"],
        "commit": commit(),
        "date": now(),
    }
    save_model(calibrated, folder / "models" / f"{preset}-validation.joblib", dtype=np.float16)
    results = folder / "results" / "release.json"
    write_json(results, {**read_json(results), preset: frozen})
    print(
        f"{preset}: validation error {after['error']:.2%}, temperature {calibrated.temperature:.4f}"
    )


def frozen_temperature(recipe: Hyperparameters, preset: str, folder: Path) -> float:
    """What stage 1 found for this recipe.

    Raises
    ------
    MnistNetError
        If there was no stage 1, or it was about another recipe.
    """
    found = read_json(folder / "results" / "release.json").get(preset)
    if found is None:
        raise MnistNetError(f"there is no temperature for {preset!r} yet: run --stage 1 first")
    apart = {"validation", "random_state"}
    now_, then = (
        {name: value for name, value in values.items() if name not in apart}
        for values in (recipe.as_dict(), found["hyperparameters"])
    )
    if now_ != then:
        raise MnistNetError(f"the recipe {preset!r} has changed since stage 1: run it again")
    return float(found["temperature"])


def model_name(preset: str, seed: int) -> str:
    """File of a network of stage 2."""
    ships = (preset, seed) == ("accurate", SEEDS[0])
    return SHIPPED if ships else f"{preset}-seed-{seed}.joblib"


def release(
    splits: Splits, recipe: Hyperparameters, preset: str, folder: Path, temperature: float
) -> None:
    """Stage 2, for the seed of the recipe."""
    seed = recipe.random_state
    path = folder / "models" / model_name(preset, seed)
    run = prepare(splits.train, recipe, splits.train.name)
    file = folder / "checkpoints" / f"{preset}-seed-{seed}" / "checkpoint.joblib"
    trained = replace(train_model(run, file, preset), temperature=temperature)
    trained.metadata["commit"] = commit()
    # What is evaluated is what was stored.
    save_model(trained, path, dtype=np.float16)
    model = load_model(path)
    assert isinstance(model, Model)
    test = splits.test
    figures = measured(evaluate(test.labels, model.predict_proba(test.images), model.classes))
    append_line(
        folder / "results" / "test_evaluations.jsonl",
        {
            "date": now(),
            "commit": commit(),
            "recipe": preset,
            "seed": seed,
            **figures,
            "temperature": temperature,
            "seconds": trained.metadata["seconds"],
            "hyperparameters": recipe.as_dict(),
        },
    )
    save_model(measure_accuracy(model, test), path, dtype=np.float16)
    if path.name == SHIPPED and path.stat().st_size > MOST_BYTES:
        raise MnistNetError(f"{path} is larger than {MOST_BYTES:,} bytes")
    print(
        f"{preset}, seed {seed}: test error {figures['error']:.2%}, calibration error "
        f"{figures['ece']:.2%}, {path} with {path.stat().st_size:,} bytes"
    )


@click.command(help=__doc__)
@click.option("--stage", type=click.IntRange(1, 2), help="Only this one.")
@click.option("--seed", type=click.IntRange(min=0), help="Only this one, in stage 2.")
@click.option("--preset", type=click.Choice(list(PRESETS)), default="accurate", show_default=True)
@click.option("--dataset", default="mnist", show_default=True)
@click.option("--held-out", default=HELD_OUT, show_default=True, help="Pictures, in stage 1.")
@click.option("--trial", is_flag=True, help="A tiny network, to see that all of this works.")
@click.option(
    "--folder",
    type=Path,
    default=Path(),
    help="Where results/, models/ and checkpoints/ are; for a trial name another.",
)
def main(
    stage: int | None,
    seed: int | None,
    preset: str,
    dataset: str,
    held_out: int,
    trial: bool,
    folder: Path,
) -> None:
    recipe = replace(PRESETS[preset], validation=0, patience=None, random_state=SEEDS[0])
    if trial:
        recipe = replace(recipe, hidden_layer_sizes=(20,), epochs=3, drawn_digits=0)
    try:
        splits = load_dataset(dataset)
        if stage != 2:
            choose_temperature(splits, replace(recipe, validation=held_out), preset, folder)
        if stage != 1:
            temperature = frozen_temperature(recipe, preset, folder)
            for one in SEEDS if seed is None else (seed,):
                release(splits, replace(recipe, random_state=one), preset, folder, temperature)
    except MnistNetError as error:
        raise click.ClickException(str(error)) from error
