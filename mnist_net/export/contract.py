"""What every exported file says of itself: which pictures it takes, and which network it is.

A network is right about pictures in MNIST's form, and nothing in a file of weights tells whoever
uses it so.  Therefore each format carries the same words and the same description.
"""

import json
from dataclasses import replace
from importlib import import_module
from importlib.metadata import version
from itertools import pairwise
from typing import Any

import numpy as np

from mnist_net.arrays import Array
from mnist_net.errors import MnistNetError, ModelFileError
from mnist_net.learning.convolution import Convolution
from mnist_net.learning.network import Layer
from mnist_net.trained.committee import Predictor
from mnist_net.trained.facts import facts_of, networks_of
from mnist_net.trained.model import Model
from mnist_net.trained.store import in_dtype

_MOST_WEIGHTS = 200_000_000

PICTURE = (
    "A picture is 28 x 28 grey levels of one digit, row by row, as MNIST has them: 0 is paper and "
    "255 is full ink; the digit is fitted into 20 x 20 pixels, keeping its proportions, and its "
    "centre of mass is in the middle. The Python package's mnist_net.read_digit makes any "
    "photograph, scan or drawing so, and mnist_net.read_image gives what it made. A picture that "
    "is only resized to 28 x 28 is often misread."
)
"""In ASCII, so that it can stand in source code too."""


def fully_connected(model: Predictor) -> tuple[Model, ...]:
    """The networks of a committee, or the one, with weights that are shared written out.

    A layer of shared weights is linear before its activation, as any other; but most of its weights
    are 0, so there may be many of them.

    Raises
    ------
    ModelFileError
        If there are too many to write.
    """
    return tuple(map(_fully_connected, networks_of(model)))


def _fully_connected(model: Model) -> Model:
    architecture = model.architecture
    if not architecture.convolutions:
        return model
    n_weights = sum(n_in * n_out for n_in, n_out in pairwise(architecture.layer_sizes))
    if n_weights > _MOST_WEIGHTS:
        raise ModelFileError(
            f"the model has {n_weights:,} weights when those that are shared are written out, and "
            f"an exported file has at most {_MOST_WEIGHTS:,}: train one with fewer feature maps"
        )
    n_shared = len(architecture.convolutions)
    shared = zip(model.parameters, architecture.convolutions, strict=False)
    parameters = (*(_written_out(*one) for one in shared), *model.parameters[n_shared:])
    written = architecture._replace(convolutions=())
    return replace(model, parameters=parameters, architecture=written)


def _written_out(layer: Layer, looks_at: Convolution) -> Layer:
    places, n_maps = looks_at.places**2, layer.weights.shape[1]
    weights = np.empty((looks_at.n_inputs, places * n_maps), layer.weights.dtype)
    for units in np.split(np.arange(places * n_maps), places):
        weights[:, units] = looks_at.weights_of(layer.weights, units).T
    return Layer(weights, None if layer.biases is None else np.tile(layer.biases, places))


def in_float32(model: Model) -> Model:
    """The same with float32 weights and biases.

    Raises
    ------
    ModelFileError
        If some are too large for it.
    """
    return replace(model, parameters=in_dtype(model.parameters, np.float32))


def description(model: Predictor, name: str) -> dict[str, Any]:
    """What there is to know besides weights and biases, as plain values."""
    return {
        "name": name,
        "producer": producer(),
        "input": PICTURE,
        "classes": model.classes.tolist(),
        "metadata": model.metadata,
        "members": [
            {**facts_of(member), "metadata": member.metadata} for member in networks_of(model)
        ],
    }


def as_json(value: Any) -> str:
    """Plain values as JSON that every reader takes: what it cannot say, as NaN, becomes null."""
    return json.dumps(json.loads(json.dumps(value), parse_constant=lambda _: None))


def named_arrays(model: Predictor) -> dict[str, Array]:
    """Weights (inputs × outputs) and biases by name, ``members.0.layers.0.weights`` and so on.

    They have their own dtype; a layer without biases has no such name.
    """
    return {
        f"members.{number}.layers.{level}.{name}": array
        for number, member in enumerate(fully_connected(model))
        for level, layer in enumerate(member.parameters)
        for name, array in layer._asdict().items()
        if array is not None
    }


def producer() -> str:
    """Name and version of what writes the files."""
    return f"mnist-net {version('mnist-net')}"


def package(module: str) -> Any:
    """A module of a package that an extra of the same name installs.

    Raises
    ------
    MnistNetError
        If it is not here.
    """
    name = module.partition(".")[0]
    try:
        return import_module(module)
    except ImportError as error:
        raise MnistNetError(
            f"a .{name} file needs the package {name} ({error}): pip install 'mnist-net[{name}]'"
        ) from error
