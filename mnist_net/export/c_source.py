"""A network as one file of C99: constant tables and a function, for where there is nothing else.

The pixels' scaling is folded into the first layer,
``((p - shift) / scale) W + b = p (W / scale) + (b - shift / scale Σ_i w_i)``, so that paper is zero
and costs nothing: four of five pixels are paper.  With int8 weights the first layer, which has most
of them, adds whole numbers.
"""

from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mnist_net.arrays import Array
from mnist_net.export import c_parts as parts
from mnist_net.export.contract import PICTURE, members_of, producer
from mnist_net.files import atomic_write
from mnist_net.learning.quantization import quantized
from mnist_net.trained.committee import Predictor
from mnist_net.trained.facts import facts_of
from mnist_net.trained.model import Model

_WIDTH = 96  # of a line
_BYTES = {"float": 4, "signed char": 1, "int": 4}


class _Layer(NamedTuple):
    """A layer as its tables: weights, their scales if they are int8, and biases."""

    weights: npt.NDArray[Any]
    scales: Array | None
    biases: Array
    activation: str


def c_source(model: Predictor, *, name: str = "mnist-net", quantize: bool = False) -> str:
    """The text of the file.

    Parameters
    ----------
    model
        The network or networks; of more than one, the mean of the probabilities is taken.
    name
        What the file's first lines call it; what C could misunderstand is left out.
    quantize
        Whether the weights are int8 with a scale per column, a quarter of the bytes.

    Raises
    ------
    ModelFileError
        If some weights are too large for float32.
    """
    networks = [(member, _layers(member, quantize)) for member in members_of(model)]
    used = {layer.activation for _, layers in networks for layer in layers}
    losses = {member.architecture.loss for member, _ in networks}
    tables = [_tables(number, layers) for number, (_, layers) in enumerate(networks, 1)]
    deep = any(len(layers) > 1 for _, layers in networks)
    products = (
        [parts.WHOLE_PRODUCT, *([parts.INT8_PRODUCT] if deep else [])]
        if quantize
        else [parts.PRODUCT]
    )
    return "\n".join(
        [
            _heading(model, name, quantize),
            parts.INCLUDES,
            *(text for group in tables for text in group),
            *products,
            *(parts.ACTIVATIONS[one] for one in sorted(used - {"identity"})),
            *(parts.PROBABILITIES[one] for one in sorted(losses)),
            *(_network(k, *network, quantize) for k, network in enumerate(networks, 1)),
            _function(model, len(networks)),
            parts.MAIN,
        ]
    )


def write(model: Predictor, out: Path, **choices: Any) -> list[Path]:
    """Write the text that `c_source` makes, which says what the choices are, atomically."""
    text = c_source(model, **choices)
    with atomic_write(out) as stream:
        stream.write(text.encode("ascii"))
    return [out]


def _layers(model: Model, quantize: bool) -> list[_Layer]:
    layers = []
    names = model.architecture.activations
    for level, ((weights, biases), activation) in enumerate(
        zip(model.parameters, names, strict=True)
    ):
        values, scales = quantized(weights) if quantize else (weights, None)
        offsets = np.zeros(weights.shape[1]) if biases is None else biases.astype(np.float64)
        if level == 0:
            # In float64: the sum over 784 weights is rounded once, when it is a bias.
            shift, scale = model.scaling
            total = values.sum(axis=0, dtype=np.float64) * (1.0 if scales is None else scales)
            offsets = offsets - shift / scale * total
            if scales is None:
                values = (values.astype(np.float64) / scale).astype(np.float32)
            else:
                scales = scales / np.float32(scale)
        layers.append(_Layer(values, scales, offsets.astype(np.float32), activation))
    return layers


def _heading(model: Predictor, name: str, quantize: bool) -> str:
    facts = facts_of(model)
    plain = "".join(c for c in name if c.isascii() and (c.isalnum() or c in " ._-"))
    sizes = "-".join(map(str, facts["layer_sizes"]))
    members = f"{facts['members']} networks, the first " if "members" in facts else ""
    kind = "int8 weights with a float scale per column" if quantize else "float weights"
    paragraphs = [
        f"{plain}, written by {producer()}: {members}{sizes}, {kind}.",
        PICTURE,
        "mnist_net_digit gives the most probable label of a picture and the probability of each "
        f"label in the order {', '.join(map(str, facts['classes']))}. It needs no more than this "
        "file and the C library's mathematics, allocates nothing, and may be called by several "
        "threads at once; its arrays are on the stack.",
        "With MNIST_NET_MAIN defined the file is a program: it reads pictures of 784 bytes each "
        "from standard input and prints for each a line of the label and the probabilities.",
    ]
    lines = "\n *\n".join("\n".join(wrap(text, _WIDTH, **_COMMENT)) for text in paragraphs)
    return f"/*\n{lines}\n */"


_COMMENT: dict[str, Any] = {"initial_indent": " * ", "subsequent_indent": " * "}


def _tables(number: int, layers: list[_Layer]) -> Iterator[str]:
    for level, layer in enumerate(layers, 1):
        end = f"{number}_{level}"
        kind = "float" if layer.scales is None else "signed char"
        yield _table(kind, f"weights_{end}", layer.weights)
        if layer.scales is not None:
            yield _table("float", f"scales_{end}", layer.scales)
        yield _table("float", f"biases_{end}", layer.biases)


def _table(kind: str, name: str, values: npt.NDArray[Any]) -> str:
    # Nine digits tell every float32 from every other; with # the point stands even in "0.".
    form, per_line = ("%#.9gf", 8) if kind == "float" else ("%d", 24)
    flat = values.ravel().tolist()
    texts = ((form + "\n") * len(flat) % tuple(flat)).split()
    lines = [", ".join(texts[k : k + per_line]) for k in range(0, len(texts), per_line)]
    body = ",\n    ".join(lines)
    return f"static const {kind} {name}[{values.size}] = {{\n    {body}\n}};\n"
