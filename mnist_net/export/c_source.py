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
from mnist_net.errors import ModelFileError
from mnist_net.export import c_parts as parts
from mnist_net.export.contract import PICTURE, fully_connected, in_float32, producer
from mnist_net.files import atomic_write
from mnist_net.learning.quantization import quantized
from mnist_net.trained.committee import Predictor
from mnist_net.trained.facts import facts_of
from mnist_net.trained.model import Model

_FLOAT = "%#.9gf"  # nine digits tell every float32 from every other; # keeps the point of "1."
_LARGEST = 32_767  # that every int of C holds
_WIDTH = 100  # of a line


class _Layer(NamedTuple):
    """A layer's tables: weights, float32 or int8, their scales if they are int8, and biases."""

    weights: npt.NDArray[Any]
    scales: Array | None
    biases: Array
    activation: str

    @property
    def tables(self) -> Iterator[tuple[str, npt.NDArray[Any]]]:
        for name in ("weights", "scales", "biases"):
            if (values := getattr(self, name)) is not None:
                yield name, values


class _Network(NamedTuple):
    """One member, and what its layers are in C."""

    number: int
    model: Model
    layers: list[_Layer]

    @property
    def widths(self) -> tuple[int, ...]:
        return self.model.architecture.layer_sizes

    @property
    def sees_bytes(self) -> bool:
        """Whether its first layer adds whole numbers: int8 weights, and pixels as they are."""
        return self.layers[0].scales is not None and self.normalization == "none"

    @property
    def normalization(self) -> str:
        """Of its inputs."""
        return self.model.scaling.normalization

    @property
    def stack(self) -> int:
        """Bytes of its arrays."""
        sums_or_inputs = self.widths[1] if self.sees_bytes else self.widths[0]
        return 4 * (sum(self.widths[1:-1]) + sums_or_inputs)


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
        If some weights are too large for float32, or labels for C's int.
    """
    if np.abs(model.classes).max() > _LARGEST:
        raise ModelFileError(f"a label is larger than {_LARGEST:,}, which every C can count to")
    networks = [
        _Network(number, member, list(_layers(member, quantize)))
        for number, member in enumerate(map(in_float32, fully_connected(model)), 1)
    ]
    return "\n".join(
        [
            _heading(model, name, max(network.stack for network in networks), quantize),
            parts.INCLUDES,
            *_declarations(model),
            *(table for network in networks for table in _tables(network)),
            *_functions(networks),
            *map(_network, networks),
            _digit(len(networks)),
            parts.MAIN,
        ]
    )


def write(model: Predictor, out: Path, **choices: Any) -> list[Path]:
    """Write the text that `c_source` makes, which says what the choices are, atomically."""
    text = c_source(model, **choices)
    with atomic_write(out) as stream:
        stream.write(text.encode("ascii"))
    return [out]


def _layers(model: Model, quantize: bool) -> Iterator[_Layer]:
    shift, scale, _ = model.scaling
    activations = model.architecture.activations
    for level, (weights, biases) in enumerate(model.parameters):
        values, scales = quantized(weights) if quantize else (weights, None)
        offsets = np.zeros(weights.shape[1]) if biases is None else biases.astype(np.float64)
        if level == 0:
            # In float64: what is summed over 784 weights is rounded once, as a bias.
            sums = values.sum(axis=0, dtype=np.float64) * (1.0 if scales is None else scales)
            offsets -= shift / scale * sums
            values = values if quantize else (values / scale).astype(np.float32)
            scales = None if scales is None else scales / np.float32(scale)
        yield _Layer(values, scales, offsets.astype(np.float32), activations[level])


def _heading(model: Predictor, name: str, stack: int, quantize: bool) -> str:
    facts = facts_of(model)
    plain = "".join(c for c in name if c.isascii() and (c.isalnum() or c in " ._-"))
    sizes = "-".join(map(str, facts["layer_sizes"]))
    networks = f"{facts['members']} networks, the first " if "members" in facts else ""
    kind = "int8 weights with a scale per column" if quantize else "float weights"
    labels = ", ".join(map(str, facts["classes"]))
    function = (
        "mnist_net_digit gives the most probable label of a picture, and the probability of each "
        f"of the labels {labels}. It needs no more than the C library's mathematics, allocates "
        f"nothing, takes some {stack:,} bytes of stack, and may be called by several threads at "
        "once."
    )
    program = (
        "With MNIST_NET_MAIN defined the file is a program: it reads pictures of 784 bytes from "
        "standard input, and prints a line for each, the label and the probabilities."
    )
    origin = f"{plain}, written by {producer()}: {networks}{sizes}, {kind}."
    lines = "\n *\n".join(
        "\n".join(wrap(text, _WIDTH, initial_indent=" * ", subsequent_indent=" * "))
        for text in (origin, PICTURE, function, program)
    )
    return f"/*\n{lines}\n */"


def _declarations(model: Predictor) -> list[str]:
    classes = ", ".join(map(str, model.classes.tolist()))
    return [
        f"#define MNIST_NET_CLASSES {len(model.classes)}\n",
        f"{parts.SIGNATURE};\n",
        f"static const int classes[MNIST_NET_CLASSES] = {{{classes}}};\n",
    ]


def _tables(network: _Network) -> Iterator[str]:
    for level, layer in enumerate(network.layers, 1):
        for name, values in layer.tables:
            whole = values.dtype == np.int8
            form, per_line = ("%d", 24) if whole else (_FLOAT, 7)
            numbers = values.ravel().tolist()
            texts = (f"{form} " * len(numbers) % tuple(numbers)).split()
            starts = range(0, len(texts), per_line)
            body = ",\n    ".join(", ".join(texts[k : k + per_line]) for k in starts)
            yield (
                f"static const {'signed char' if whole else 'float'} "
                f"{name}_{network.number}_{level}[{values.size}] = {{\n    {body}\n}};\n"
            )


def _functions(networks: list[_Network]) -> list[str]:
    """Those that these networks need, each once."""
    layers = [layer for network in networks for layer in network.layers]
    losses = sorted({network.model.architecture.loss for network in networks})
    whole = sum(network.sees_bytes for network in networks)
    product = parts.PRODUCT if layers[0].scales is None else parts.INT8_PRODUCT
    products = [parts.WHOLE_PRODUCT] * (whole > 0) + [product] * (len(layers) > whole)
    upright = any(network.normalization == "moments" for network in networks)
    names = sorted({layer.activation for layer in layers} - {"identity"})
    probabilities = [text for loss in losses for text in parts.PROBABILITIES[loss][1]]
    return [
        *[parts.UPRIGHT] * upright,
        *products,
        *(parts.ACTIVATIONS[name][1] for name in names),
        *dict.fromkeys(probabilities),
    ]


def _network(network: _Network) -> str:
    """A function from a picture to one network's probabilities."""
    widths, whole = network.widths, network.sees_bytes
    lines = [f"float layer_{level}[{n}];" for level, n in enumerate(widths[1:-1], 1)]
    lines += [f"int32_t sums[{widths[1]}];"] if whole else parts.INPUTS[network.normalization]
    for level, layer in enumerate(network.layers, 1):
        source = f"layer_{level - 1}, {widths[level - 1]}" if level > 1 else "inputs, 784"
        target = f"layer_{level}" if level < len(network.layers) else "probabilities"
        tables = [f"{name}_{network.number}_{level}" for name, _ in layer.tables]
        function = "layer"
        if whole and level == 1:
            function, source, tables = "first_layer", "picture", [*tables, "sums"]
        lines.append(f"{function}({source}, {', '.join(tables)}, {target}, {widths[level]});")
        if layer.activation != "identity":
            lines.append(f"{parts.ACTIVATIONS[layer.activation][0]}({target}, {widths[level]});")
    if network.model.temperature != 1.0:
        lines += [
            "for (int k = 0; k < MNIST_NET_CLASSES; k++)",
            f"    probabilities[k] /= {_FLOAT % network.model.temperature};",
        ]
    function = parts.PROBABILITIES[network.model.architecture.loss][0]
    lines.append(f"{function}(probabilities, MNIST_NET_CLASSES);")
    arguments = "const unsigned char *picture, float *probabilities"
    return _defined(f"static void network_{network.number}({arguments})", lines)


def _digit(n_networks: int) -> str:
    """The function that the file is for."""
    if n_networks == 1:
        lines = ["int best = 0;", "network_1(picture, probabilities);"]
    else:
        calls = [f"network_{number}(picture, one);" for number in range(2, n_networks + 1)]
        lines = [
            "int best = 0;",
            "float one[MNIST_NET_CLASSES];",
            "network_1(picture, probabilities);",
            *(line for call in calls for line in (call, *parts.ADD_ONE)),
            *(line.format(n=n_networks) for line in parts.MEAN),
        ]
    return _defined(parts.SIGNATURE, [*lines, *parts.BEST])


def _defined(signature: str, lines: list[str]) -> str:
    body = "\n".join(f"    {line}" for line in lines)
    return f"{signature}\n{{\n{body}\n}}\n"
