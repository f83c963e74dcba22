"""One training run, from labelled pictures to a model.

`prepare` scales the pixels and holds the validation split out, `training.train` does the rest, and
`finish` makes a `Model` of where it ended.  `train_model` is all three for those who do not want
to watch.
"""

import datetime as dt
import math
import platform
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from mnist_net.arrays import IMAGE_SHAPE, Bytes, Labels
from mnist_net.datasets.dataset import Dataset
from mnist_net.datasets.drawn import draw_digits
from mnist_net.datasets.loading import DATASET_NAMES, load_dataset
from mnist_net.errors import DataError
from mnist_net.learning.calibration import fit_temperature
from mnist_net.learning.network import forward
from mnist_net.learning.recipe import PRESETS, Hyperparameters
from mnist_net.learning.scaling import SCALINGS, Scaling
from mnist_net.learning.training import Batch, Epoch, Progress, classifier, one_hot, train
from mnist_net.trained.committee import Committee
from mnist_net.trained.model import Model

__all__ = [
    "Run",
    "blas_threads",
    "calibrate",
    "finish",
    "measure_accuracy",
    "prepare",
    "recipe_for",
    "train_model",
]

_LARGE_BATCH = 128

P = TypeVar("P", Model, Committee)


@dataclass(frozen=True, slots=True)
class Run:
    """What a training run starts from.

    Attributes
    ----------
    hyperparameters
        The recipe.
    training, validation
        Scaled inputs and one-hot targets, float32; validation is None if nothing is held out.
    pixels
        Indices of the pixels that are inputs: those that are not black on every training picture,
        or all if the pictures are distorted.  The others would teach nothing, and the weights that
        a model has from them are 0.
    classes
        Labels in the order of the network's outputs.
    scaling
        From pixels to inputs.
    data
        Name, digest and location of the data set.
    """

    hyperparameters: Hyperparameters
    training: Batch
    validation: Batch | None
    pixels: npt.NDArray[np.intp]
    classes: npt.NDArray[np.int64]
    scaling: Scaling
    data: dict[str, Any]

    def identity(self) -> dict[str, Any]:
        """What must not change between the parts of an interrupted run."""
        return {"hyperparameters": self.hyperparameters.as_dict(), "digest": self.data["digest"]}


def prepare(dataset: Dataset, hyperparameters: Hyperparameters, source: str = "auto") -> Run:
    """Make a training run's arrays from pictures.

    Parameters
    ----------
    dataset
        The training pictures; the last `validation` of them are held out.
    hyperparameters
        The recipe.
    source
        What `load_dataset` was asked for; if it was a path, the data are found there again.

    Raises
    ------
    DataError
        If nothing is left to train on.
    """
    n_train = len(dataset.images) - hyperparameters.validation
    if n_train < 1:
        raise DataError(
            f"{dataset.name} has {len(dataset.images):,} training pictures: too few to hold "
            f"{hyperparameters.validation:,} out for validation"
        )
    images = dataset.images[:n_train]
    labels: Labels = dataset.labels[:n_train]
    scaling = SCALINGS[hyperparameters.scaling](images)
    classes = np.unique(dataset.labels)
    if hyperparameters.drawn_digits:
        images, labels = _with_drawn_digits(images, labels, classes, hyperparameters)

    pixels = _pixels_of_use(images, hyperparameters)

    def batch(images: Bytes, labels: Labels) -> Batch:
        targets = one_hot(np.searchsorted(classes, labels), len(classes))
        return Batch(scaling.apply(images.reshape(len(images), -1).take(pixels, axis=1)), targets)

    validation = None
    if hyperparameters.validation:
        validation = batch(dataset.images[n_train:], dataset.labels[n_train:])
    return Run(
        hyperparameters,
        batch(images, labels),
        validation,
        pixels,
        classes.astype(np.int64),
        scaling,
        {
            "name": dataset.name,
            "digest": dataset.digest,
            "location": dataset.name if source in DATASET_NAMES else str(Path(source).resolve()),
            "n_train": n_train,
        },
    )


def recipe_for(dataset: Dataset, hyperparameters: Hyperparameters) -> Hyperparameters:
    """Leave drawn digits out of a recipe, unless the data set's classes are known to be digits."""
    known = dataset.name in DATASET_NAMES
    return hyperparameters if known else replace(hyperparameters, drawn_digits=0)


def _pixels_of_use(images: Bytes, hyperparameters: Hyperparameters) -> npt.NDArray[np.intp]:
    pixels = images.reshape(len(images), -1)
    carry_ink = np.flatnonzero(pixels.any(axis=0))
    # Distortion moves ink to where there was none.
    keep_all = hyperparameters.distortion or not len(carry_ink)
    return np.arange(pixels.shape[1]) if keep_all else carry_ink


def _with_drawn_digits(
    images: Bytes, labels: Labels, classes: Labels, hyperparameters: Hyperparameters
) -> tuple[Bytes, Labels]:
    n = min(hyperparameters.drawn_digits, len(images) // 3)  # a seasoning, not the meal
    drawn, digits = draw_digits(n, hyperparameters.random_state)
    known = np.isin(digits, classes)
    return np.concatenate([images, drawn[known]]), np.concatenate([labels, digits[known]])


def finish(
    run: Run, progress: Progress, *, epoch: Epoch | None = None, preset: str | None = None
) -> Model:
    """Make a model of a run that has gone through at least one epoch.

    Parameters
    ----------
    run
        What the run started from.
    progress
        Where it stands.
    epoch
        The epoch to keep: by default the best under early stopping, else the latest.
    preset
        Name of the preset that the recipe began with, for the record.
    """
    hyperparameters = run.hyperparameters
    n_inputs = math.prod(IMAGE_SHAPE)
    chosen = epoch or progress.chosen(hyperparameters)
    first, *others = chosen.parameters
    weights = np.zeros((n_inputs, first.weights.shape[1]), first.weights.dtype)
    weights[run.pixels] = first.weights
    return Model(
        classifier(n_inputs, len(run.classes), hyperparameters),
        (first._replace(weights=weights), *others),
        run.classes,
        run.scaling,
        {
            "preset": preset,
            "hyperparameters": hyperparameters.as_dict(),
            "data": run.data,
            "epoch": chosen.number,
            "history": list(progress.history),
            "versions": {
                "python": platform.python_version(),
                **{name: version(name) for name in ("mnist-net", "numpy", "joblib")},
            },
            "date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        },
    )


def blas_threads(
    hyperparameters: Hyperparameters, n_runs: int = 1
) -> AbstractContextManager[object]:
    """One thread for matrix products, unless batches are large and nothing else needs a core.

    Small products are over so soon that several threads mostly wait for each other, and on a busy
    machine they wait long; beside distortions, and beside other networks, there is one core for
    them anyway.  And on one thread the same seed gives the same bits however many cores there are.
    """
    from threadpoolctl import threadpool_limits

    small = hyperparameters.batch_size < _LARGE_BATCH
    alone = not small and not hyperparameters.distortion and n_runs == 1
    return nullcontext() if alone else threadpool_limits(1, user_api="blas")


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
    first, *others = model.parameters
    parameters = (first._replace(weights=first.weights[run.pixels]), *others)
    logits = forward(parameters, model.architecture.activations, run.validation.X)[-1]
    targets, loss = run.validation.targets, model.architecture.loss
    return replace(model, temperature=fit_temperature(logits, targets, loss))


def measure_accuracy(model: P, test: Dataset) -> P:
    """The same model with its test accuracy in the metadata: fraction, standard error, number."""
    accuracy = float((model.predict(test.images) == test.labels).mean())
    measured = {
        "test": accuracy,
        "standard_error": math.sqrt(accuracy * (1.0 - accuracy) / len(test.labels)),
        "n": len(test.labels),
    }
    return replace(model, metadata={**model.metadata, "accuracy": measured})


def train_model(
    dataset: str = "auto",
    hyperparameters: Hyperparameters | None = None,
    *,
    data_home: Path | None = None,
    offline: bool = False,
) -> Model:
    """Train a model from start to end, without a word.

    Parameters
    ----------
    dataset, data_home, offline
        See `load_dataset`.
    hyperparameters
        The recipe, such as ``PRESETS["cs229"]``, or ``dataclasses.replace(PRESETS["default"],
        epochs=5)``; bare `Hyperparameters` are those of the preset ``plain``.  By default
        ``PRESETS["default"]``, without its drawn digits if `dataset` is the path of something else
        than MNIST, for the classes there may be no digits.

    Returns
    -------
    Model
        With its accuracy on the test pictures in ``metadata["accuracy"]``.

    Raises
    ------
    DataError
        If the data set cannot be had.
    DivergenceError
        If the recipe leads out of the finite numbers.
    """
    splits = load_dataset(dataset, data_home, offline=offline)
    if hyperparameters is None:
        hyperparameters = recipe_for(splits.train, PRESETS["default"])
    run = prepare(splits.train, hyperparameters, dataset)
    with blas_threads(hyperparameters):
        *_, progress = train(run.training, hyperparameters, validation=run.validation)
    return measure_accuracy(finish(run, progress), splits.test)
