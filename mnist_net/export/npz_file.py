"""A network as NumPy's .npz: arrays by name, and the description as JSON beside them."""

from pathlib import Path

import numpy as np

from mnist_net.export.contract import as_json, description, named_arrays
from mnist_net.files import atomic_write
from mnist_net.trained.committee import Predictor


def write(model: Predictor, out: Path, *, name: str = "mnist-net") -> list[Path]:
    """Write the arrays of a model or a committee, and ``description``, a text of JSON.

    `numpy.load` reads it without pickles.  See `contract` for the names and what is described.

    Raises
    ------
    OSError
        If it cannot be written; what was there before is untouched.
    """
    text = as_json(description(model, name))
    with atomic_write(out) as stream:
        np.savez(stream, allow_pickle=False, description=np.array(text), **named_arrays(model))
    return [out]
