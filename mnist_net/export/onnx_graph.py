"""A network as an ONNX graph: from pixels to digits, with nothing left for whoever runs it to do.

The scaling of the pixels, the temperature and the mean of a committee are nodes of the graph, so
that a picture in MNIST's form is all that it takes.  Operators are of opset 13 (2020) and the file
of IR version 8 (2021), so that an old ONNX Runtime reads it too; 1.16 was seen to.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mnist_net.arrays import IMAGE_SHAPE, Array
from mnist_net.export.contract import (
    PICTURE,
    as_json,
    description,
    fully_connected,
    in_float32,
    package,
    producer,
)
from mnist_net.export.onnx_moments import upright
from mnist_net.files import atomic_write
from mnist_net.learning.network import Architecture, Layer, Parameters
from mnist_net.learning.quantization import quantized
from mnist_net.trained.committee import Predictor
from mnist_net.trained.model import Model

OPSET, IR_VERSION = 13, 8
INPUTS = {
    "uint8": f"pictures, N x 28 x 28. {PICTURE}",
    "float": f"pictures, N x 28 x 28, with all grey levels divided by 255. {PICTURE}",
}
"""The types of the graph's input, and what is said of it."""


class Graph:
    """Nodes, and the constants that they take, each under the name of its result."""

    def __init__(self, onnx: Any) -> None:
        self.onnx = onnx
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, value: npt.ArrayLike, dtype: npt.DTypeLike = np.float32) -> str:
        """Add an array; what it is called."""
        name = f"constant_{len(self.constants) + 1}"
        array = np.ascontiguousarray(value, dtype)
        self.constants.append(self.onnx.numpy_helper.from_array(array, name))
        return name

    def node(self, operator: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """Add an operator; what its result is called."""
        name = name or f"{operator.lower()}_{len(self.nodes) + 1}"
        self.nodes.append(
            self.onnx.helper.make_node(operator, inputs, [name], name=name, **attributes)
        )
        return name


def _sigmoid(graph: Graph, Z: str) -> str:
    return graph.node("Sigmoid", Z)


def _softmax(graph: Graph, Z: str) -> str:
    return graph.node("Softmax", Z, axis=-1)


def _normalized_sigmoid(graph: Graph, Z: str) -> str:
    # In the logarithm, log σ(z) = -softplus(-z), as the loss has it.
    softplus = graph.node("Softplus", graph.node("Neg", Z))
    return _softmax(graph, graph.node("Neg", softplus))


def _normalized(graph: Graph, A: str, n_classes: int) -> str:
    total = graph.node("ReduceSum", A, graph.constant([-1], np.int64), keepdims=1)
    something = graph.node("Greater", total, graph.constant(0.0))
    uniform = graph.constant(np.full(n_classes, 1.0 / n_classes))
    return graph.node("Where", something, graph.node("Div", A, total), uniform)


_ACTIVATIONS: dict[str, Callable[[Graph, str], str]] = {
    "sigmoid": _sigmoid,
    "tanh": lambda graph, Z: graph.node("Tanh", Z),
    "relu": lambda graph, Z: graph.node("Relu", Z),
    "identity": lambda _, Z: Z,
}
_PROBABILITIES: dict[str, Callable[[Graph, str, int], str]] = {
    "softmax-cross-entropy": lambda graph, Z, _: _softmax(graph, Z),
    "binary-cross-entropy": lambda graph, Z, _: _normalized_sigmoid(graph, Z),
    "mean-squared-error": _normalized,
}


def onnx_model(
    model: Predictor, *, name: str = "mnist-net", inputs: str = "uint8", quantize: bool = False
) -> Any:
    """The graph of a model or a committee.

    Parameters
    ----------
    model
        The network or networks; of more than one, the mean of the probabilities is taken.
    name
        Of the graph.
    inputs
        ``uint8`` for grey levels from 0 to 255, ``float`` for float32 from 0 to 1.
    quantize
        Whether to store the weights as int8 with a scale per column, a quarter of the bytes.

    Returns
    -------
    onnx.ModelProto
        Input ``pictures``, N × 28 × 28; outputs ``digit``, N labels as int64, and
        ``probabilities``, float32, N × K in the order of ``classes`` in its metadata.

    Raises
    ------
    MnistNetError
        If onnx is not installed.
    ModelFileError
        If some weights are too large for float32.
    """
    onnx = package("onnx")
    graph = Graph(onnx)
    pixels = _pixels(graph, inputs)
    members = map(in_float32, fully_connected(model))
    found = [_probabilities(graph, pixels, member, quantize) for member in members]
    if len(found) > 1:
        graph.node("Mean", *found, name="probabilities")
    else:
        graph.node("Identity", *found, name="probabilities")
    best = graph.node("ArgMax", "probabilities", axis=1, keepdims=0)
    classes = graph.constant(model.classes, np.int64)
    graph.node("Gather", classes, best, name="digit", axis=0)
    return _file(graph, model, name, inputs)


def write(model: Predictor, out: Path, **choices: Any) -> list[Path]:
    """Write the graph that `onnx_model` makes, which says what the choices are, atomically."""
    contents = onnx_model(model, **choices).SerializeToString()
    with atomic_write(out) as stream:
        stream.write(contents)
    return [out]


def _pixels(graph: Graph, inputs: str) -> str:
    """Grey levels from 0 to 255, float32, N × 784."""
    if inputs == "float":
        levels = graph.node("Mul", "pictures", graph.constant(255.0))
    else:
        levels = graph.node("Cast", "pictures", to=graph.onnx.TensorProto.FLOAT)
    return graph.node("Flatten", levels, axis=1)


def _probabilities(graph: Graph, pixels: str, model: Model, quantize: bool) -> str:
    """One network, N × 784 to N × K."""
    scaling, architecture = model.scaling, model.architecture
    A = upright(graph, pixels) if scaling.normalization == "moments" else pixels
    if scaling.shift:
        A = graph.node("Sub", A, graph.constant(scaling.shift))
    A = graph.node("Div", A, graph.constant(scaling.scale))
    product = _with_int8 if quantize else _with_float32
    return network(graph, A, model.parameters, architecture, model.temperature, product)


def _with_float32(graph: Graph, A: str, layer: Layer) -> str:
    arrays: list[Array] = [array for array in layer if array is not None]
    return graph.node("Gemm", A, *map(graph.constant, arrays))


def _with_int8(graph: Graph, A: str, layer: Layer) -> str:
    """The product with whole numbers, and their scales after it.

    ONNX Runtime makes floats of the constant once, when it loads the file.  DequantizeLinear, which
    says the same, it carries out anew in each run up to 1.23 at least: 24 times slower for one
    picture, where 1.32 has a product of its own for it and is twice as fast.
    """
    values, scales = quantized(layer.weights)
    weights = graph.node("Cast", graph.constant(values, np.int8), to=graph.onnx.TensorProto.FLOAT)
    Z = graph.node("Mul", graph.node("MatMul", A, weights), graph.constant(scales))
    return Z if layer.biases is None else graph.node("Add", Z, graph.constant(layer.biases))


def network(
    graph: Graph,
    A: str,
    parameters: Parameters,
    architecture: Architecture,
    temperature: float = 1.0,
    product: Callable[[Graph, str, Layer], str] = _with_float32,
) -> str:
    """Add the layers to a graph, from scaled inputs to probabilities."""
    for layer, activation in zip(parameters, architecture.activations, strict=True):
        A = _ACTIVATIONS[activation](graph, product(graph, A, layer))
    if temperature != 1.0:
        A = graph.node("Div", A, graph.constant(temperature))
    return _PROBABILITIES[architecture.loss](graph, A, architecture.layer_sizes[-1])


def _file(graph: Graph, model: Predictor, name: str, inputs: str) -> Any:
    helper, types = graph.onnx.helper, graph.onnx.TensorProto
    info = helper.make_tensor_value_info
    kind = types.FLOAT if inputs == "float" else types.UINT8
    made = helper.make_model(
        helper.make_graph(
            graph.nodes,
            name,
            [info("pictures", kind, ["N", *IMAGE_SHAPE], INPUTS[inputs])],
            [
                info("digit", types.INT64, ["N"], "the most probable label"),
                info("probabilities", types.FLOAT, ["N", len(model.classes)], "of each label"),
            ],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name=producer().split()[0],
        producer_version=producer().split()[1],
        doc_string=f"Reads a handwritten digit. Input: {INPUTS[inputs]}",
    )
    facts = {**description(model, name), "input": INPUTS[inputs]}
    texts = {key: one if isinstance(one, str) else as_json(one) for key, one in facts.items()}
    helper.set_model_props(made, texts)
    return made
