"""Train a preset, and measure it on the test set.

    python -m scripts.release                     # both stages, all seeds: some hours
    python -m scripts.release --stage 1           # the temperature
    python -m scripts.release --stage 2 --seed 0  # one network; others beside it, if cores are free
    python -m scripts.release --epochs 300        # for longer than the preset says

Stage 1 trains on the first 50,000 training pictures, fits the temperature on the last 10,000, and
freezes it in results/release.json; the network is kept as models/accurate-validation.joblib, for
studies that must not see the test set. Stage 2 trains on all 60,000, once a seed, gives each
network that temperature, which only then must be known, and evaluates it on the test set as it is
stored, in float16. Every evaluation is appended to results/test_evaluations.jsonl. After each epoch
a run is kept in checkpoints/, from where the same command goes on if it was interrupted. The
network that ships is that of `scripts.release student`.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np

from mnist_net import PRESETS, Hyperparameters, load_dataset, load_model, save_model
from mnist_net.datasets.dataset import Dataset, Splits, split
from mnist_net.errors import MnistNetError
from mnist_net.reports.figures import evaluate
from mnist_net.runs.checkpoints import resume, save_checkpoint
from mnist_net.runs.outcome import calibrate, measure_accuracy, model_of
from mnist_net.runs.run import Run, prepare
from mnist_net.runs.together import train_together
from mnist_net.trained.committee import Predictor
from mnist_net.trained.model import Model
from scripts import options
from scripts.records import append_line, commit, read_json, stamp, write_json

SEEDS = (0, 1, 2)
MOST_BYTES = 5_000_000
SHIPPED = "mnist.joblib"
"""The student, of the first seed; whether it is the best or not."""
KEPT = ("error", "errors", "n", "error_interval", "log_loss", "ece")  # of stage 1


def train_model(run: Run, folder: Path, name: str, preset: str) -> Model:
    """A run's model, from its checkpoint on if there is one, with the seconds that it took."""
    file = folder / "checkpoints" / name / "checkpoint.joblib"
    reached = start = resume(run, file) if file.exists() else run.start()
    for (progress,) in train_together([run], [start]):
        assert progress is not None
        reached = progress
        save_checkpoint(file, progress, run.identity())
        record = progress.history[-1]
        validation = record["validation_accuracy"]
        error = "" if validation is None else f"  validation error {1.0 - validation:.2%}"
        print(
            f"{name}: epoch {record['epoch']}/{run.hyperparameters.epochs}  "
            f"loss {record['loss']:.4f}{error}  {record['seconds']:.1f} s",
            flush=True,
        )
    assert reached is not None
    model = model_of(run, reached, preset=preset)
    model.metadata["seconds"] = sum(record["seconds"] for record in reached.history)
    model.metadata["commit"] = commit()
    return model


def measured(model: Predictor, on: Dataset) -> dict[str, Any]:
    """The figures of an evaluation that are worth keeping."""
    found = evaluate(on.labels, model.predict_proba(on.images), model.classes)
    low, high = found.accuracy_interval
    error = {"error": found.errors / found.n, "error_interval": [1.0 - high, 1.0 - low]}
    names = ("errors", "n", "log_loss", "ece", "per_class", "confusion_matrix")
    return error | {name: getattr(found, name) for name in names}


def choose_temperature(run: Run, splits: Splits, preset: str, folder: Path) -> None:
    """Stage 1, of a run that holds pictures out."""
    recipe = run.hyperparameters
    name = f"{preset}-validation"
    model = train_model(run, folder, name, preset)
    calibrated = calibrate(model, run)
    _, held_out = split(splits.train, len(splits.train.labels) - recipe.validation)
    before, after = (measured(one, held_out) for one in (model, calibrated))
    frozen = {
        "temperature": calibrated.temperature,
        "hyperparameters": recipe.as_dict(),
        "validation": {key: after[key] for key in KEPT},
        "validation before calibration": {key: before[key] for key in ("log_loss", "ece")},
        "seconds": model.metadata["seconds"],
        **stamp(),
    }
    save_model(calibrated, folder / "models" / f"{name}.joblib", dtype=np.float16)
    results = folder / "results" / "release.json"
    write_json(results, {**read_json(results), preset: frozen})
    temperature = f"temperature {calibrated.temperature:.4f}"
    print(f"{preset}: validation error {after['error']:.2%}, {temperature}")


def frozen_temperature(recipe: Hyperparameters, preset: str, folder: Path) -> float:
    """What stage 1 found for this recipe; an error if there was none, or for another recipe."""
    found = read_json(folder / "results" / "release.json").get(preset)
    if found is None:
        raise MnistNetError(f"there is no temperature for {preset!r} yet: run --stage 1 first")
    free = {"validation": None, "random_state": None}
    known = Hyperparameters().as_dict() | found["hyperparameters"]  # it may be older than some
    if {**recipe.as_dict(), **free} != {**known, **free}:
        raise MnistNetError(f"the recipe {preset!r} has changed since stage 1: run it again")
    return float(found["temperature"])


def model_name(preset: str, seed: int) -> str:
    """File of a network of stage 2."""
    ships = (preset, seed) == ("student", SEEDS[0])
    return SHIPPED if ships else f"{preset}-seed-{seed}.joblib"


def release(
    run: Run, splits: Splits, preset: str, folder: Path, chosen: Callable[[], float]
) -> None:
    """Stage 2, for the seed of the run, with the temperature that was chosen by its end."""
    recipe, seed = run.hyperparameters, run.hyperparameters.random_state
    path = folder / "models" / model_name(preset, seed)
    trained = train_model(run, folder, f"{preset}-seed-{seed}", preset)
    temperature = chosen()
    # What is evaluated is what was stored.
    save_model(replace(trained, temperature=temperature), path, dtype=np.float16)
    model = load_model(path)
    assert isinstance(model, Model)
    figures = measured(model, splits.test)
    record = {"recipe": preset, "seed": seed, **figures, "temperature": temperature}
    record |= {"seconds": trained.metadata["seconds"], "hyperparameters": recipe.as_dict()}
    # That of the training: the checkout has just got another model, which counts as a change.
    record["commit"] = trained.metadata["commit"]
    append_line(folder / "results" / "test_evaluations.jsonl", record)
    save_model(measure_accuracy(model, splits.test), path, dtype=np.float16)
    size = path.stat().st_size
    if path.name == SHIPPED and size > MOST_BYTES:
        raise MnistNetError(f"{path} is larger than {MOST_BYTES:,} bytes")
    print(
        f"{preset}, seed {seed}: test error {figures['error']:.2%}, calibration error "
        f"{figures['ece']:.2%}, {path} with {size:,} bytes"
    )


@click.command(help=options.paragraphs(__doc__))
@click.option("--stage", type=click.IntRange(1, 2), help="Only this one.")
@click.option("--seed", type=click.IntRange(min=0), help="Only this one, in stage 2.")
@click.option("--preset", type=click.Choice(list(PRESETS)), default="accurate", show_default=True)
@click.option("--epochs", type=click.IntRange(min=1), help="By default those of the preset.")
@options.dataset
@options.held_out
@options.trial
@options.folder
def main(
    stage: int | None,
    seed: int | None,
    preset: str,
    epochs: int | None,
    dataset: str,
    held_out: int,
    trial: bool,
    folder: Path,
) -> None:
    changes = (options.TINY if trial else {}) | ({"epochs": epochs} if epochs else {})
    recipe = replace(PRESETS[preset], validation=0, patience=None, random_state=SEEDS[0], **changes)
    splits = load_dataset(dataset)
    if stage != 2:
        run = prepare(splits.train, replace(recipe, validation=held_out), splits.train.name)
        choose_temperature(run, splits, preset, folder)
    if stage != 1:
        chosen = partial(frozen_temperature, recipe, preset, folder)
        for one in SEEDS if seed is None else (seed,):
            run = prepare(splits.train, replace(recipe, random_state=one), splits.train.name)
            release(run, splits, preset, folder, chosen)
