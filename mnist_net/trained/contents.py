"""What the files of models and checkpoints are made of, and how it is checked.

Each is a dict of arrays and plain values that names its format and its version.  It holds no
object of ours, so no refactoring orphans a file, and reading it executes nothing (`safe_joblib`).
What is read is checked key by key before anything is made of it.
"""

import hashlib
import json
import math
import reprlib
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from mnist_net.arrays import IMAGE_SHAPE
from mnist_net.errors import ModelFileError
from mnist_net.learning.activations import ACTIVATIONS
from mnist_net.learning.convolution import Convolution, convolutions
from mnist_net.learning.losses import LOSSES
from mnist_net.learning.network import Architecture, Layer, Parameters
from mnist_net.learning.quantization import quantized
from mnist_net.trained.safe_joblib import read_contents, write_contents

_MOST_UNFOLDED = 10_000_000  # beyond four times the file's size; an honest one unfolds to twice it
_DEEPEST = 23  # containers within each other
_MISFITS = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)

T = TypeVar("T")


class DamageError(ValueError):
    """What is wrong with a file's contents, in words for whoever has the file."""


class Format(NamedTuple):
    """What a kind of file calls itself, and the version that is written; all up to it are read."""

    name: str
    version: int


def write_file(path: Path, kind: Format, contents: dict[str, Any]) -> None:
    """Write a dict of plain values and arrays as a file of a kind, atomically."""
    named = {"format": kind.name, "format_version": kind.version}
    write_contents(path, {**named, **contents})


def read_file(path: Path, kind: Format, build: Callable[[dict[str, Any]], T]) -> T:
    """Contents of a file of ours, built into what they stand for.

    Raises
    ------
    ModelFileError
        If the file is not of this kind, is of a later version, or `build` finds it damaged.
    """
    contents = read_contents(path)
    match contents:
        case {"format": str(found), "format_version": int(version)} if found == kind.name:
            pass
        case _:
            raise ModelFileError(f"{path} is not an {kind.name}")
    if not 1 <= version <= kind.version:
        raise ModelFileError(
            f"{path} has format version {version}; this mnist-net reads versions from 1 to "
            f"{kind.version}" + (": install a newer one" if version > kind.version else "")
        )
    try:
        size, depth = _unfolded(contents, {})
        require(size <= _MOST_UNFOLDED + 4 * path.stat().st_size, "its metadata have no end")
        require(depth <= _DEEPEST, "its metadata are nested too deep")
        return build(contents)
    except _MISFITS as error:
        match error:
            case DamageError():
                reason = str(error)
            case KeyError():
                reason = f"{error} is missing"
            case _:  # Python's words would mean little to whoever has the file
                reason = "its parts do not fit together"
        raise ModelFileError(f"{path} is a damaged {kind.name}: {reason}") from error


def require(condition: bool, problem: str) -> None:
    """Raise a `DamageError` that names the problem, unless the condition holds."""
    if not condition:
        raise DamageError(problem)


def plain(value: Any) -> Any:
    """The same in plain containers and values, as the reader will want it."""
    return json.loads(json.dumps(value))


def require_plain(value: Any) -> None:
    """Refuse what JSON cannot say."""
    try:
        json.dumps(value)
    except (TypeError, ValueError) as error:
        raise DamageError("its metadata are not plain values") from error


def _unfolded(value: Any, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """Size and depth of a value in which what is named in several places stands in each of them.

    A list of twice the same list of twice the same list ... makes a small file and has no end.  So
    each container is measured once, and then known by its identity.  The size is in characters, of
    arrays in bytes.
    """
    if isinstance(value, np.ndarray):
        return value.nbytes, 0
    if not isinstance(value, dict | list | tuple):
        return len(str(value)), 0
    if id(value) not in known:
        known[id(value)] = 0, 0  # while it is measured: what holds itself, JSON refuses
        size = depth = 0
        for part in chain.from_iterable(value.items()) if isinstance(value, dict) else value:
            size_of_part, depth_of_part = _unfolded(part, known)
            size, depth = size + size_of_part, max(depth, depth_of_part)
        known[id(value)] = size + 1, depth + 1
    return known[id(value)]


def arrays_of(parameters: Parameters) -> dict[str, list[Any]]:
    """Lists of the weights and of the biases, None for a layer without."""
    return {
        "weights": [layer.weights for layer in parameters],
        "biases": [layer.biases for layer in parameters],
    }


def arrays_in_int8(parameters: Parameters) -> dict[str, list[Any]]:
    """The same with weights of one byte, and a list of their scales, one for each column."""
    whole = [quantized(layer.weights) for layer in parameters]
    weights, scales = [one.values for one in whole], [one.scales for one in whole]
    return {**arrays_of(parameters), "weights": weights, "scales": scales}


def digest_of(contents: dict[str, Any]) -> str:
    """SHA-256, in hexadecimal, over all of a file's contents but the digest itself.

    Arrays count by their bytes, and everything else as JSON.
    """
    digest = hashlib.sha256()
    for name in sorted(contents.keys() - {"digest", "format", "format_version"}):
        value = contents[name]
        arrays = value if name in ("weights", "scales", "biases") else [value]
        for one in arrays:
            if isinstance(one, np.ndarray):
                digest.update(np.ascontiguousarray(one, one.dtype.newbyteorder("<")).data)
            else:
                digest.update(json.dumps(one).encode())
    return digest.hexdigest()


def parameters_from(contents: dict[str, Any]) -> Parameters:
    """Parameters of the lists that were made of them, checked to be finite and to fit."""
    layers = []
    all_weights = _scaled(contents["weights"], contents.get("scales"))
    require(len(all_weights) == len(contents["biases"]), "not as many weights as biases")
    for weights, biases in zip(all_weights, contents["biases"], strict=True):
        for array in (weights,) if biases is None else (weights, biases):
            numbers = isinstance(array, np.ndarray) and array.dtype.kind == "f"
            require(numbers and bool(np.isfinite(array).all()), "numbers that are not finite")
        require(weights.ndim == 2, "weights that are no matrix")
        require(biases is None or biases.shape == weights.shape[1:], "biases of another shape")
        layers.append(Layer(weights, biases))
    return tuple(layers)


def architecture_from(contents: dict[str, Any], parameters: Parameters) -> Architecture:
    """Architecture that contents state, checked to be known and to fit the parameters."""
    has_biases = tuple(layer.biases is not None for layer in parameters)
    architecture = Architecture(
        tuple(contents["layer_sizes"]),
        tuple(contents["activations"]),
        contents["loss"],
        biases=all(has_biases) or has_biases,
        convolutions=_convolutions(contents, parameters),
    )
    require(architecture.loss in list(LOSSES), f"unknown loss {reprlib.repr(architecture.loss)}")
    for name in architecture.activations:
        require(name in list(ACTIVATIONS), f"unknown activation {reprlib.repr(name)}")
    n_layers = len(parameters)
    require(len(architecture.layer_sizes) == n_layers + 1, "layers of another shape")
    require(len(architecture.activations) == n_layers > 0, "layers without activations")
    require(architecture.layer_sizes[0] == 784, "its input is not 784 pixels")
    whole = all(type(size) is int and size > 0 for size in architecture.layer_sizes)
    require(whole, "a layer without units")
    shapes = architecture.weight_shapes
    require([layer.weights.shape for layer in parameters] == shapes, "layers of another shape")
    output_activation = LOSSES[architecture.loss].output_activation
    require(architecture.activations[-1] == output_activation, "an output that fits no loss")
    return architecture


def _convolutions(contents: dict[str, Any], parameters: Parameters) -> tuple[Convolution, ...]:
    """What layers of shared weights look at, checked to be as feature maps have it."""
    stated = [Convolution(**one) for one in contents.get("convolutions", [])]
    feature_maps = tuple(weights.shape[1] for weights, _ in parameters[: len(stated)])
    made = convolutions(math.prod(IMAGE_SHAPE), feature_maps)
    require(stated == list(made), "shared weights of another shape")
    widths = [one.places**2 * n_maps for one, n_maps in zip(made, feature_maps, strict=True)]
    stated_widths = list(contents["layer_sizes"][1 : 1 + len(made)])
    require(stated_widths == widths, "feature maps of another size")
    return made


def _scaled(weights: list[Any], scales: list[Any] | None) -> list[Any]:
    if scales is None:
        return weights
    pairs = list(zip(weights, scales, strict=True))
    for whole, scale in pairs:
        require(whole.dtype == np.int8 and whole.ndim == 2, "weights that are not whole numbers")
        fits = scale.dtype == np.float32 and scale.shape == whole.shape[1:]
        require(fits, "scales that do not fit their weights")
    with np.errstate(over="ignore"):  # what is too large is found not to be finite
        return [whole * scale for whole, scale in pairs]
