"""A network as safetensors: arrays by name after a header of JSON, which many languages read."""

from pathlib import Path

import numpy as np

from mnist_net.export.contract import as_json, description, named_arrays, package
from mnist_net.files import atomic_write
from mnist_net.trained.committee import Predictor


def write(model: Predictor, out: Path, *, name: str = "mnist-net") -> list[Path]:
    """Write the arrays of a model or a committee; the metadata's ``mnist-net`` describes it.

    See `contract` for the names and what is described.

    Raises
    ------
    MnistNetError
        If safetensors is not installed.
    OSError
        If it cannot be written; what was there before is untouched.
    """
    save = package("safetensors.numpy").save
    arrays = {key: np.ascontiguousarray(array) for key, array in named_arrays(model).items()}
    metadata = {"mnist-net": as_json(description(model, name))}
    contents = save(arrays, metadata)
    with atomic_write(out) as stream:
        stream.write(contents)
    return [out]
