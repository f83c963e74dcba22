"""What every exported file says of itself: which pictures it takes, and which network it is.

A network is right about pictures in MNIST's form, and nothing in a file of weights tells whoever
uses it so.  Therefore each format carries the same words and the same description.
"""

import json
from dataclasses import replace
from importlib import import_module
from importlib.metadata import version
from typing import Any

import numpy as np

from mnist_net.arrays import Array
from mnist_net.errors import MnistNetError
from mnist_net.learning.network import fully_connected
from mnist_net.trained.committee import Predictor
from mnist_net.trained.facts import facts_of, networks_of
from mnist_net.trained.model import Model
from mnist_net.trained.store import in_dtype

PICTURE = (
    "A picture is 28 x 28 grey levels of one digit, row by row, as MNIST has them: 0 is paper and "
    "255 is full ink; the digit is fitted into 20 x 20 pixels, keeping its proportions, and its "
    "centre of mass is in the middle. The Python package's mnist_net.read_digit makes any "
    "photograph, scan or drawing so, and mnist_net.read_image gives what it made. A picture that "
    "is only resized to 28 x 28 is often misread."
)
"""In ASCII, so that it can stand in source code too."""


def members_of(model: Predictor) -> tuple[Model, ...]:
    """The networks of a committee, or the one, with weights that are shared written out."""
    return tuple(map(_written_out, networks_of(model)))


def _written_out(model: Model) -> Model:
    parameters, architecture = fully_connected(model.parameters, model.architecture)
    return replace(model, parameters=parameters, architecture=architecture)


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
            {**facts_of(member), "metadata": member.metadata} for member in members_of(model)
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
        for number, member in enumerate(members_of(model))
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
