"""A page that reads digits in the browser alone: the service's page, with the networks in it.

An exported network by itself invites whoever uses it to squash a drawing into 28 × 28 pixels, and
then it errs.  So what goes with it is the first look at a picture too, in JavaScript, and cases
whose answers Python has worked out, by which a browser checks itself.
"""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np

from mnist_net.arrays import Array, Bytes
from mnist_net.datasets.drawn import SHEET, drawings
from mnist_net.errors import MnistNetError, ModelFileError
from mnist_net.export.bundle import bundled
from mnist_net.export.contract import fully_connected
from mnist_net.files import write_together
from mnist_net.pictures.decoding import open_image
from mnist_net.reading.answers import Reading
from mnist_net.reading.reader import Reader
from mnist_net.trained.committee import Predictor
from mnist_net.trained.companions import load_detector
from mnist_net.trained.model import Model

_PAGE = Path(__file__).parents[1] / "web" / "page"
_BROWSER = Path(__file__).parent / "browser"
_MODULE = '<script type="module" src="page/main.js"></script>'
_SCRIPTS = (
    '<script src="page/weights.js" defer></script>\n  <script src="page/page.js" defer></script>'
)
_MARK = "check.html"  # by which a folder is known as an export's
_LOSS = "softmax-cross-entropy"
_GOLDEN = 20
_MARGIN = 40  # of a drawn digit's sheet, which is paper
_SEED = 1990


def write(model: Predictor, out: Path, *, name: str = "mnist-net") -> list[Path]:
    """Write a page that reads with a model or a committee, and the detector that ships."""
    return export_web(Reader(model, load_detector()), out, name)


def export_web(reader: Reader, folder: Path, name: str = "mnist-net") -> list[Path]:
    """Write a page that needs no server: open its index.html.

    Parameters
    ----------
    reader
        With the networks that the page is to have.
    folder
        Where to; it is made if need be.  What an earlier export wrote there is replaced.
    name
        What the page calls the model.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    ModelFileError
        If a network has another loss than the softmax's, or weights too large for float16.
    MnistNetError
        If the folder has anything but an earlier export.
    """
    if folder.is_dir() and any(folder.iterdir()) and not (folder / _MARK).exists():
        raise MnistNetError(
            f"{folder} has other files in it, and a page would be written among them: name a new "
            "folder, or one that an earlier export has filled"
        )
    networks = {
        "reject_below": reader.reject_below,
        "model": {"name": name, **_stored(reader.model)},
        "detector": _stored(reader.detector) if reader.detector else None,
        "two_readers": reader.networks.are_two_readers,
    }
    modules = {path.name: path.read_text("utf-8") for path in sorted(_PAGE.glob("*.js"))}
    modules |= {path.name: path.read_text("utf-8") for path in sorted(_BROWSER.glob("*.js"))}
    index = (_PAGE / "index.html").read_text("utf-8")
    contents = {
        "page/page.css": (_PAGE / "page.css").read_text("utf-8"),
        "page/icon.svg": (_PAGE / "icon.svg").read_text("utf-8"),
        "page/weights.js": _script("MNIST_NET", networks),
        "page/golden.js": _script("MNIST_NET_GOLDEN", golden_cases(reader)),
        "page/page.js": bundled(modules, "main.js"),
        "page/check.js": bundled(modules, "check.js"),
        _MARK: (_BROWSER / "check.html").read_text("utf-8"),
        "index.html": index.replace(_MODULE, _SCRIPTS),  # the last: what it needs is there
    }
    return write_together(folder, {place: text.encode() for place, text in contents.items()})


def golden_cases(reader: Reader, n: int = _GOLDEN, random_state: int = _SEED) -> list[Any]:
    """Drawn digits, and what Python reads: of each the grey levels, dark on white, and the answer.

    Pixels, and the 28 × 28 that was seen, are bytes in base64, row by row.
    """
    inner = slice(_MARGIN, SHEET - _MARGIN)
    pictures = [255 - drawing.sheet()[inner, inner] for drawing in drawings(n, random_state)]
    readings = reader.read(open_image(picture) for picture in pictures)
    return [
        {
            "size": picture.shape[::-1],
            "pixels": _base64(picture),
            "seen": _base64(reading.image),
            "digit": reading.digit,
            "score": reading.score,
            "probabilities": _numbers(reading.probabilities),
        }
        for picture, reading in zip(pictures, readings, strict=True)
        if isinstance(reading, Reading)
    ]


def _numbers(probabilities: Array | None) -> list[float] | None:
    return None if probabilities is None else [float(one) for one in probabilities]


def _stored(predictor: Predictor) -> dict[str, Any]:
    return {
        "classes": predictor.classes.tolist(),
        "members": [_stored_model(member) for member in fully_connected(predictor)],
    }


def _stored_model(model: Model) -> dict[str, Any]:
    loss = model.architecture.loss
    if loss != _LOSS:
        raise ModelFileError(f"the page reads networks with the loss {_LOSS}; this one has {loss}")
    return {
        "activations": list(model.architecture.activations),
        "scaling": model.scaling._asdict(),
        "temperature": float(model.temperature),
        "layers": [
            {
                "inputs": weights.shape[0],
                "outputs": weights.shape[1],
                "weights": _half(weights),
                "biases": None if biases is None else _half(biases),
            }
            for weights, biases in model.parameters
        ],
    }


def _half(array: Array) -> str:
    """As float16, little-endian, in base64: half the bytes, and the same answers."""
    with np.errstate(over="ignore"):  # the check below says it better
        half = array.astype("<f2")
    if not np.isfinite(half).all():
        raise ModelFileError("some weights are too large for float16")
    return _base64(half)


def _base64(array: Bytes | Array) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def _script(name: str, value: Any) -> str:
    """A script that leaves a value where the page's scripts find it."""
    return f"globalThis.{name} = {json.dumps(value)};\n"
