"""The formats that a trained network is written in, as one table."""

from collections.abc import Collection
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from mnist_net.trained.committee import Predictor


class Format(NamedTuple):
    """A format: a row of the table.

    Attributes
    ----------
    module
        Of this room; its ``write`` writes.  It is imported when it is called for.
    ending
        Of the file's name; none for a folder.
    meaning
        What it is good for, in a few words.
    choices
        What else its ``write`` can be told.
    """

    module: str
    ending: str
    meaning: str
    choices: Collection[str] = ()


FORMATS = {
    "web": Format("web", "", "a page that reads in the browser alone, opened from a file"),
    "onnx": Format("onnx_graph", ".onnx", "for ONNX Runtime and its like", ("inputs", "quantize")),
    "c": Format("c_source", ".c", "one file of C99, for microcontrollers too", ("quantize",)),
    "npz": Format("npz_file", ".npz", "arrays for NumPy"),
    "safetensors": Format("safetensors_file", ".safetensors", "arrays for other frameworks"),
}
"""By name, in the order in which help shows them."""


def export_model(
    model: Predictor, out: Path, kind: str, *, name: str = "mnist-net", **choices: Any
) -> list[Path]:
    """Write a model or a committee for use elsewhere, atomically.

    Parameters
    ----------
    model
        What to write.
    out
        The file, or for ``web`` the folder; folders are made if need be.
    kind
        A name in `FORMATS`.
    name
        What the file calls the model.
    choices
        ``inputs`` and ``quantize``, where the format has them; see its module.

    Returns
    -------
    list of Path
        What was written; the last one is where to begin.

    Raises
    ------
    MnistNetError
        If the format's package is not installed, or cannot say what the network is.
    OSError
        If it cannot be written; what was there before is untouched.
    """
    module = import_module(f"mnist_net.export.{FORMATS[kind].module}")
    written: list[Path] = module.write(model, out, name=name, **choices)
    return written
