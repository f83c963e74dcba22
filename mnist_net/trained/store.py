"""Models on disk: what is written comes back bit for bit, and reading it executes nothing."""

import logging
import math
import os
import reprlib
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mnist_net.errors import ModelFileError
from mnist_net.files import atomic_write
from mnist_net.learning.network import Parameters, map_arrays
from mnist_net.learning.normalization import NORMALIZATIONS
from mnist_net.learning.scaling import Scaling
from mnist_net.trained.committee import Committee, Predictor
from mnist_net.trained.contents import (
    DamageError,
    Format,
    architecture_from,
    arrays_in_int8,
    arrays_of,
    digest_of,
    parameters_from,
    plain,
    read_file,
    require,
    require_plain,
    write_file,
)
from mnist_net.trained.model import Model

log = logging.getLogger(__name__)

SHIPPED, LATEST = "shipped", "latest"
LATEST_MODEL = Path("models", "latest.joblib")
CHOSEN_MODEL = Path("models", "chosen")
_LONGEST_PATH = 4_096  # bytes
SHIPPED_MODELS = (
    Path(__file__).parents[1] / "models" / "mnist.joblib",
    Path(__file__).parents[2] / "models" / "mnist.joblib",  # in a checkout
)

_FORMAT = Format("mnist-net model", 3)
"""1 knew neither temperatures nor committees, 2 neither normalizations nor int8 nor shared
weights."""


def save_model(model: Predictor, path: Path | str, *, dtype: npt.DTypeLike | None = None) -> None:
    """Write a model or a committee, atomically.

    Parameters
    ----------
    model
        The model; its metadata must be values that JSON knows.
    path
        The file to write; its folder is made if need be.
    dtype
        To store the weights and biases in, by default their own.  float16 takes half the space of
        float32, which it becomes again when it is loaded; int8, which weights have with a scale for
        each column (`quantization`), a quarter.

    Raises
    ------
    ModelFileError
        If some weights are too large for the dtype.
    OSError
        If it cannot be written; what was there before is untouched.
    TypeError
        If the metadata are not plain.
    ValueError
        If the dtype is neither of floats nor int8.
    """
    if isinstance(model, Committee):
        members = [_model_contents(member, dtype) for member in model.members]
        contents = {"members": members, "metadata": plain(model.metadata)}
    else:
        contents = _model_contents(model, dtype)
    write_file(Path(path), _FORMAT, contents)


def load_model(path: Path | str | None = None) -> Predictor:
    """Read a model or a committee, executing nothing.

    Parameters
    ----------
    path
        A file of `save_model`, ``shipped`` or ``latest``; by default see `find_model`.

    Raises
    ------
    ModelFileError
        If there is none, or it is not a model, or one of a later format; the message says which.
    """
    named = path is None or path in (SHIPPED, LATEST)
    return read_file(find_model(path) if named else Path(path or ""), _FORMAT, _build)


def find_model(name: Path | str | None = None) -> Path:
    """File of the model that answers.

    Parameters
    ----------
    name
        ``shipped``, ``latest``, or a path.  By default ``$MNIST_NET_MODEL``, else what `use_model`
        was told in this folder, else ``models/latest.joblib`` (where ``mnist-net train`` puts its
        models) unless that has seen no more than scikit-learn's 8 × 8 digits, else the model that
        ships with the package.

    Raises
    ------
    ModelFileError
        If there is none of these.
    """
    named = str(name or os.environ.get("MNIST_NET_MODEL") or _chosen() or "")
    if named not in ("", SHIPPED):
        return LATEST_MODEL if named == LATEST else Path(named)
    if not named and LATEST_MODEL.exists() and not is_toy(LATEST_MODEL):
        return LATEST_MODEL
    for path in SHIPPED_MODELS:
        if path.exists():
            return path
    raise ModelFileError(
        f"there is no model yet ({LATEST_MODEL} does not exist): train one with `mnist-net train`, "
        "or name one with --model or MNIST_NET_MODEL"
    )


def use_model(name: str) -> Path:
    """Let a model answer in this folder from now on: ``shipped``, ``latest``, or a path.

    Raises
    ------
    ModelFileError
        If that is no model; then nothing changes.
    """
    if not name:
        raise ModelFileError("'' is no name: say shipped, latest, or a file")
    path = find_model(name)
    load_model(path)
    with atomic_write(CHOSEN_MODEL) as stream:
        stream.write((name if name in (SHIPPED, LATEST) else str(path.resolve())).encode())
    return path


def _chosen() -> str:
    """What `use_model` wrote; nothing if it is not there, or is anything else."""
    try:
        if not CHOSEN_MODEL.is_file() or CHOSEN_MODEL.stat().st_size > _LONGEST_PATH:
            return ""
        return CHOSEN_MODEL.read_text(encoding="utf-8").strip().replace("\0", "")
    except (OSError, ValueError):
        return ""


def is_toy(path: Path) -> bool:
    """Whether a file's model has seen no more than scikit-learn's 8 × 8 digits."""
    try:
        return bool(load_cached(path).metadata.get("data", {}).get("name") == "digits")
    except ModelFileError:
        return False  # whoever loads it says what is wrong


def load_cached(path: Path) -> Predictor:
    """`load_model`, which is kept as long as its file stays as it is."""
    try:
        status = path.stat()
    except OSError:
        return load_model(path)  # which says what is wrong
    return _load_once(path.resolve(), path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=10)
def _load_once(_place: Path, path: Path, *_stamp: int) -> Predictor:
    return load_model(path)


def _model_contents(model: Model, dtype: npt.DTypeLike | None) -> dict[str, Any]:
    in_int8 = dtype is not None and np.dtype(dtype) == np.int8
    if dtype is not None and np.dtype(dtype).kind != "f" and not in_int8:
        raise ValueError(f"weights are kept as floats or as int8, not as {np.dtype(dtype)}")
    kept = in_dtype(model.parameters, np.float32 if in_int8 else dtype)
    shared = [one._asdict() for one in model.architecture.convolutions]
    contents = {
        "layer_sizes": list(model.architecture.layer_sizes),
        "activations": list(model.architecture.activations),
        **({"convolutions": shared} if shared else {}),
        "loss": model.architecture.loss,
        "classes": model.classes,
        "scaling": model.scaling._asdict(),
        "temperature": float(model.temperature),
        **(arrays_in_int8 if in_int8 else arrays_of)(kept),
        "metadata": plain(model.metadata),
    }
    return {**contents, "digest": digest_of(contents)}


def in_dtype(parameters: Parameters, dtype: npt.DTypeLike | None) -> Parameters:
    """Weights and biases in another dtype, or as they are for None.

    Raises
    ------
    ModelFileError
        If some are too large for it.
    """
    if dtype is None:
        return parameters
    with np.errstate(over="ignore"):  # the check below says it better
        cast = map_arrays(lambda array: array.astype(dtype), parameters)
    if not all(np.isfinite(array).all() for layer in cast for array in layer if array is not None):
        raise ModelFileError(f"some weights are too large for {np.dtype(dtype)}")
    return cast


def _build(contents: dict[str, Any]) -> Predictor:
    models = contents.get("members", [contents])
    arrays = [a for m in models for a in (*m["weights"], *m["biases"]) if a is not None]
    different = {id(array) for array in arrays}
    require(len(different) == len(arrays), "one array in many places")  # a small file, grown huge
    if "members" not in contents:
        return _build_model(contents)
    members = tuple(map(_build_model, models))
    try:
        return Committee(members, _metadata(contents))
    except ValueError as error:  # they cannot vote together
        raise DamageError(str(error)) from error


def _build_model(contents: dict[str, Any]) -> Model:
    parameters = parameters_from(contents)
    architecture = architecture_from(contents, parameters)
    classes = contents["classes"]
    require(
        isinstance(classes, np.ndarray)
        and classes.dtype == np.int64
        and classes.shape == architecture.layer_sizes[-1:]
        and bool((np.diff(classes) > 0).all()),
        "classes that do not match the outputs",
    )
    scaling = _scaling(contents["scaling"])
    temperature = contents.get("temperature", 1.0)
    require(type(temperature) is float and 0.0 < temperature < math.inf, "an odd temperature")
    # Once and for all: float16 is slow to compute with, and coarse.
    working = map_arrays(
        lambda array: array.astype(np.promote_types(array.dtype, np.float32), copy=False),
        parameters,
    )
    metadata = _metadata(contents)
    if contents.get("digest") is None:
        log.info("this model file is of an older mnist-net: damage to its numbers is not noticed")
    else:
        require(contents["digest"] == digest_of(contents), "its numbers have changed")
    return Model(architecture, working, classes, scaling, metadata, temperature)


def _scaling(said: dict[str, Any]) -> Scaling:
    numbers = {name: float(value) for name, value in said.items() if name != "normalization"}
    scaling = Scaling(**numbers, normalization=said.get("normalization", "none"))
    possible = math.isfinite(scaling.shift) and 0.0 < scaling.scale < math.inf
    require(possible, "an impossible scaling")
    known = scaling.normalization in list(NORMALIZATIONS)
    require(known, f"unknown normalization {reprlib.repr(scaling.normalization)}")
    return scaling


def _metadata(contents: dict[str, Any]) -> dict[str, Any]:
    metadata = contents["metadata"]
    require(
        isinstance(metadata, dict) and isinstance(metadata.get("data", {}), dict),
        "metadata that is not a dict",
    )
    require_plain(metadata)
    return metadata
