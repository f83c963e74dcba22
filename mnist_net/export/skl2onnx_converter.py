"""`DigitClassifier` in an ONNX graph of skl2onnx, alone or at the end of a pipeline.

skl2onnx makes the graph and knows the steps of scikit-learn's own; what is between a classifier's
features and its probabilities is added by `onnx_graph`, as it is for a model.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from mnist_net.errors import MnistNetError
from mnist_net.estimator import DigitClassifier
from mnist_net.export.onnx_graph import OPSET, Graph, network


def register_converter() -> None:
    """Let ``skl2onnx.to_onnx`` convert a fitted `DigitClassifier`; call it once.

    Features of any type that skl2onnx knows become float32 before they are scaled.

    Raises
    ------
    MnistNetError
        If skl2onnx is not installed.
    """
    try:
        from skl2onnx import update_registered_converter
        from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes
    except ImportError as error:
        raise MnistNetError(
            f"a pipeline becomes ONNX by the package skl2onnx ({error}): pip install skl2onnx"
        ) from error
    update_registered_converter(
        DigitClassifier,
        "MnistNetDigitClassifier",
        calculate_linear_classifier_output_shapes,
        _convert,
        options={"zipmap": [True, False, "columns"], "nocl": [True, False]},
    )


class _Part(Graph):
    """Nodes and constants of a larger graph, with names that no other part of it has."""

    def __init__(self, scope: Any, container: Any) -> None:
        import onnx

        super().__init__(onnx)
        self.scope, self.container = scope, container

    def constant(self, value: npt.ArrayLike, dtype: npt.DTypeLike = np.float32) -> str:
        name: str = self.scope.get_unique_variable_name("constant")
        array = np.asarray(value, dtype)
        kind = self.onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
        self.container.add_initializer(name, kind, array.shape, array.ravel().tolist())
        return name

    def node(self, operator: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        name = name or self.scope.get_unique_variable_name(operator.lower())
        own = self.scope.get_unique_operator_name(operator)
        self.container.add_node(
            operator, list(inputs), [name], name=own, op_version=OPSET, **attributes
        )
        return name


def _convert(scope: Any, operator: Any, container: Any) -> None:
    from skl2onnx.common.data_types import guess_proto_type

    fitted: DigitClassifier = operator.raw_operator
    label, probabilities = operator.outputs
    graph, architecture = _Part(scope, container), fitted._network[0]
    A = graph.node("Cast", operator.inputs[0].full_name, to=graph.onnx.TensorProto.FLOAT)
    A = graph.node("Div", A, graph.constant(fitted._largest))
    A = graph.node("Sub", A, graph.constant(fitted._mean))
    A = graph.node("Div", A, graph.constant(fitted._deviation))
    found = network(graph, A, fitted.parameters_, architecture)
    kind = guess_proto_type(probabilities.type)
    graph.node("Cast", found, name=probabilities.full_name, to=kind)
    words = fitted.classes_.dtype.kind in "OSU"
    classes = graph.constant(fitted.classes_, object if words else np.int64)
    best = graph.node("ArgMax", found, axis=1, keepdims=0)
    graph.node("Gather", classes, best, name=label.full_name, axis=0)
