"""Models and checkpoints on disk: a versioned dict of arrays and plain values.

The dict holds no object of ours, so no refactoring orphans a model, and reading it executes
nothing (`safe_joblib`).  What is read is checked key by key before a `Model` is made of it.
"""

import json
import os
import reprlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from mnist_net.activations import ACTIVATIONS
from mnist_net.errors import ModelFileError
from mnist_net.images import Scaling
from mnist_net.losses import LOSSES
from mnist_net.model import Model
from mnist_net.network import Architecture, Layer, Parameters
from mnist_net.optimizers import OptimizerState
from mnist_net.safe_joblib import read_contents, write_contents
from mnist_net.training import Epoch, Progress

__all__ = [
    "LATEST_MODEL",
    "SHIPPED_MODELS",
    "find_model",
    "load_checkpoint",
    "load_model",
    "save_checkpoint",
    "save_model",
]

FORMAT_VERSION = 1
LATEST_MODEL = Path("models", "latest.joblib")
SHIPPED_MODELS = (
    Path(__file__).parent / "models" / "mnist.joblib",
    Path(__file__).parents[1] / "models" / "mnist.joblib",  # in a checkout
)

_MODEL, _CHECKPOINT = "mnist-net model", "mnist-net checkpoint"
_MOST_CHARACTERS = 10_000_000  # of JSON in the metadata; an epoch's history takes some 300
_DEEPEST = 20

T = TypeVar("T")


def _read(path: Path, kind: str, build: Callable[[dict[str, Any]], T]) -> T:
    """Contents of a file of ours, built into what they stand for."""
    contents = read_contents(path)
    match contents:
        case {"format": str(found), "format_version": int(version)} if found == kind:
            pass
        case _:
            raise ModelFileError(f"{path} is not an {kind}")
    if version != FORMAT_VERSION:
        raise ModelFileError(
            f"{path} has format version {version}; this mnist-net reads version {FORMAT_VERSION}: "
            "install a newer one"
        )
    try:
        return build(contents)
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else error
        raise ModelFileError(f"{path} is a damaged {kind}: {reason}") from error


def save_model(model: Model, path: Path | str) -> None:
    """Write a model, atomically.

    Parameters
    ----------
    model
        The model; its metadata must be values that JSON knows.
    path
        The file to write; its folder is made if need be.

    Raises
    ------
    OSError
        If it cannot be written; what was there before is untouched.
    TypeError
        If the metadata are not plain.
    """
    architecture = model.architecture
    write_contents(
        Path(path),
        {
            "format": _MODEL,
            "format_version": FORMAT_VERSION,
            "layer_sizes": list(architecture.layer_sizes),
            "activations": list(architecture.activations),
            "loss": architecture.loss,
            "classes": model.classes,
            "scaling": model.scaling._asdict(),
            **_arrays(model.parameters),
            "metadata": _plain(model.metadata),
        },
    )


def load_model(path: Path | str | None = None) -> Model:
    """Read a model, executing nothing.

    Parameters
    ----------
    path
        A file of `save_model`; by default see `find_model`.

    Raises
    ------
    ModelFileError
        If there is none, or it is not a model, or one of a later format; the message says which.
    """
    return _read(find_model() if path is None else Path(path), _MODEL, _build_model)


def find_model() -> Path:
    """Model to use when none is named.

    It is ``$MNIST_NET_MODEL``, else ``models/latest.joblib`` (where ``mnist-net train`` puts its
    models), else the one that ships with the package.

    Raises
    ------
    ModelFileError
        If there is none of these.
    """
    if named := os.environ.get("MNIST_NET_MODEL"):
        return Path(named)
    for path in (LATEST_MODEL, *SHIPPED_MODELS):
        if path.exists():
            return path
    raise ModelFileError(
        f"there is no model yet ({LATEST_MODEL} does not exist): train one with `mnist-net train`, "
        "or name one with --model or MNIST_NET_MODEL"
    )


def _build_model(contents: dict[str, Any]) -> Model:
    parameters = _parameters(contents)
    has_biases = tuple(layer.biases is not None for layer in parameters)
    architecture = Architecture(
        tuple(contents["layer_sizes"]),
        tuple(contents["activations"]),
        contents["loss"],
        biases=all(has_biases) or has_biases,
    )
    _require(architecture.loss in list(LOSSES), f"unknown loss {reprlib.repr(architecture.loss)}")
    for name in architecture.activations:
        _require(name in list(ACTIVATIONS), f"unknown activation {reprlib.repr(name)}")
    shapes = list(zip(architecture.layer_sizes[:-1], architecture.layer_sizes[1:], strict=True))
    _require([layer.weights.shape for layer in parameters] == shapes, "layers of another shape")
    _require(len(architecture.activations) == len(shapes) > 0, "layers without activations")
    _require(architecture.layer_sizes[0] == 784, "its input is not 784 pixels")
    _require(min(architecture.layer_sizes) > 0, "a layer without units")
    output_activation = LOSSES[architecture.loss].output_activation
    _require(architecture.activations[-1] == output_activation, "an output that fits no loss")
    classes = contents["classes"]
    _require(
        isinstance(classes, np.ndarray)
        and classes.dtype == np.int64
        and classes.shape == architecture.layer_sizes[-1:]
        and bool((np.diff(classes) > 0).all()),
        "classes that do not match the outputs",
    )
    scaling = Scaling(**{name: float(value) for name, value in contents["scaling"].items()})
    _require(bool(np.isfinite(scaling).all()) and scaling.scale > 0.0, "an impossible scaling")
    metadata = contents["metadata"]
    _require(
        isinstance(metadata, dict) and isinstance(metadata.get("data", {}), dict),
        "metadata that is not a dict",
    )
    _require_plain(metadata)
    return Model(architecture, parameters, classes, scaling, metadata)


def _require(condition: bool, problem: str) -> None:
    if not condition:
        raise ValueError(problem)


def _plain(value: Any) -> Any:
    """The same in plain containers and values, as the reader will want it."""
    return json.loads(json.dumps(value))


def _require_plain(value: Any) -> None:
    """Refuse what JSON cannot say, and what a small file unfolds to without end."""
    budget = _MOST_CHARACTERS
    for piece in json.JSONEncoder().iterencode(value):
        budget -= len(piece)
        _require(budget >= 0, "its metadata have no end")
    _require(_depth(value) <= _DEEPEST, "its metadata are nested too deep")


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list | tuple) else 0


def _arrays(parameters: Parameters) -> dict[str, list[Any]]:
    return {
        "weights": [layer.weights for layer in parameters],
        "biases": [layer.biases for layer in parameters],
    }


def _parameters(contents: dict[str, Any]) -> Parameters:
    layers = []
    for weights, biases in zip(contents["weights"], contents["biases"], strict=True):
        for array in (weights,) if biases is None else (weights, biases):
            numbers = isinstance(array, np.ndarray) and array.dtype.kind == "f"
            _require(numbers and bool(np.isfinite(array).all()), "numbers that are not finite")
        _require(weights.ndim == 2, "weights that are no matrix")
        _require(biases is None or biases.shape == weights.shape[1:], "biases of another shape")
        layers.append(Layer(weights, biases))
    return tuple(layers)


def save_checkpoint(path: Path | str, progress: Progress, identity: dict[str, Any]) -> None:
    """Write all that is needed to resume a run, atomically.

    Parameters
    ----------
    path
        The file to write.
    progress
        Where the run stands.
    identity
        Plain values that must be the same when it resumes: hyperparameters and data.
    """
    contents = {
        "format": _CHECKPOINT,
        "format_version": FORMAT_VERSION,
        "identity": _plain(identity),
        "latest": _epoch_contents(progress.latest),
        "best": _epoch_contents(progress.best),
        "history": _plain(progress.history),
    }
    write_contents(Path(path), contents)


def load_checkpoint(path: Path | str) -> tuple[Progress, dict[str, Any]]:
    """Read what `save_checkpoint` wrote, executing nothing.

    Returns
    -------
    progress, identity
        As they were given.

    Raises
    ------
    ModelFileError
        If the file is not a checkpoint of this version.
    """
    return _read(Path(path), _CHECKPOINT, _build_checkpoint)


def _epoch_contents(epoch: Epoch) -> dict[str, Any]:
    return {
        "number": epoch.number,
        **_arrays(epoch.parameters),
        "step": epoch.optimizer_state.step,
        "moments": [_arrays(moment) for moment in epoch.optimizer_state.moments],
    }


def _build_checkpoint(contents: dict[str, Any]) -> tuple[Progress, dict[str, Any]]:
    latest, best = (
        Epoch(
            int(epoch["number"]),
            _parameters(epoch),
            OptimizerState(int(epoch["step"]), tuple(map(_parameters, epoch["moments"]))),
        )
        for epoch in (contents["latest"], contents["best"])
    )
    history, identity = contents["history"], contents["identity"]
    _require_plain([history, identity])
    _require(1 <= best.number <= latest.number == len(history), "epochs that do not add up")
    for record in history:
        score = record["validation_accuracy"], record["validation_loss"]
        _require(score == (None, None) or all(type(x) is float for x in score), "a bad history")
    return Progress(latest, best, tuple(history)), dict(identity)
