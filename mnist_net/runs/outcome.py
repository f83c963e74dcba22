"""What comes out of training runs: a model, or a committee of as many as there were runs."""

import datetime as dt
import math
import platform
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import TypeVar

import numpy as np

from mnist_net.arrays import IMAGE_SHAPE
from mnist_net.datasets.dataset import Dataset
from mnist_net.errors import DataError
from mnist_net.learning.calibration import fit_temperature
from mnist_net.learning.network import map_arrays, outputs_of
from mnist_net.learning.training import Epoch, Progress, classifier
from mnist_net.runs.run import Run, teacher_facts
from mnist_net.trained.committee import Committee, Predictor
from mnist_net.trained.model import Model

P = TypeVar("P", Model, Committee)


def finish(
    runs: Sequence[Run],
    reached: Sequence[Progress],
    test: Dataset,
    *,
    preset: str | None = None,
    best: bool = False,
) -> Predictor:
    """Make a model of one run, a committee of several, with the accuracy of all on the test set.

    With `best`, the best epoch of each is kept whatever the recipe says, as of runs that were
    interrupted.  `preset` names what the recipe began with, for the record.
    """
    models = [
        measure_accuracy(
            model_of(run, progress, epoch=progress.best if best else None, preset=preset), test
        )
        for run, progress in zip(runs, reached, strict=True)
    ]
    return models[0] if len(models) == 1 else measure_accuracy(committee_of(models), test)


def model_of(
    run: Run, progress: Progress, *, epoch: Epoch | None = None, preset: str | None = None
) -> Model:
    """What a run has learned that stands at `progress`, after one epoch at least.

    The epoch to keep is by default the best under early stopping, else the latest.  `preset` names
    what the recipe began with, for the record.
    """
    hyperparameters = run.hyperparameters
    n_inputs = math.prod(IMAGE_SHAPE)
    chosen = epoch or progress.chosen(hyperparameters)
    # Logits that learnt to be a teacher's divided by its temperature are multiplied again; so much
    # of it as the teacher's part is.
    scale = np.float32(hyperparameters.teacher_temperature**hyperparameters.teacher_weight)
    *before, last = chosen.parameters
    first, *others = (*before, *map_arrays(lambda array: scale * array, (last,)))
    architecture = classifier(n_inputs, len(run.classes), hyperparameters)
    weights = np.zeros(architecture.weight_shapes[0], first.weights.dtype)
    weights[run.rows] = first.weights
    return Model(
        architecture,
        (first._replace(weights=weights), *others),
        run.classes,
        run.scaling,
        {
            "preset": preset,
            "hyperparameters": hyperparameters.as_dict(),
            "data": run.data,
            **({"teacher": teacher_facts(run.teacher)} if run.teacher else {}),
            "epoch": chosen.number,
            "history": list(progress.history),
            "versions": {
                "python": platform.python_version(),
                **{name: version(name) for name in ("mnist-net", "numpy", "joblib")},
            },
            "date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        },
    )


def committee_of(members: Sequence[Model]) -> Committee:
    """A committee that says of itself what its first member says, but for how that one learned."""
    own = ("preset", "hyperparameters", "data", "versions", "date")
    return Committee(tuple(members), {key: members[0].metadata[key] for key in own})


def measure_accuracy(model: P, test: Dataset) -> P:
    """The same model with its test accuracy in the metadata: fraction, standard error, number."""
    accuracy = float((model.predict(test.images) == test.labels).mean())
    measured = {
        "test": accuracy,
        "standard_error": math.sqrt(accuracy * (1.0 - accuracy) / len(test.labels)),
        "n": len(test.labels),
    }
    return replace(model, metadata={**model.metadata, "accuracy": measured})


def calibrate(model: Model, run: Run) -> Model:
    """The same model with the temperature that the run's validation pictures ask for.

    Raises
    ------
    DataError
        If the run holds no pictures out.
    ValueError
        If the model's loss knows no logits.
    """
    if run.validation is None:
        raise DataError("a temperature is fitted on a validation split: hold pictures out")
    logits = outputs_of(run.parameters_of(model), model.architecture, run.validation.X)
    targets, loss = run.validation.targets, model.architecture.loss
    return replace(model, temperature=fit_temperature(logits, targets, loss))
