"""Seconds of predicting: one picture, and ten thousand."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from mnist_net.arrays import Array, Bytes
from mnist_net.learning.losses import softmax
from mnist_net.learning.network import Architecture, forward, initialize
from mnist_net.learning.recipe import Hyperparameters
from mnist_net.learning.scaling import Scaling
from mnist_net.learning.training import classifier
from mnist_net.trained.model import Model
from scripts.records import table
from scripts.speed.distance import HOW_TO_READ_RATIOS, compared, ratio_in_words, surveyed
from scripts.speed.figures import duration
from scripts.speed.products import prediction_floor
from scripts.speed.settings import Settings
from scripts.speed.torch_peer import Predict, Weights, predictor
from scripts.speed.workers import Entry, Trial

PARTS = ("scaling", "network", "softmax")
_AGREE = 1e-5  # largest difference of two libraries' probabilities in float32


def model(hidden: int) -> Model:
    """784-hidden-10 with sigmoids and random weights: for the time it is all the same."""
    architecture: Architecture = classifier(784, 10, Hyperparameters(hidden_layer_sizes=(hidden,)))
    parameters = initialize(architecture, np.random.default_rng(0), dtype=np.float32)
    return Model(architecture, parameters, np.arange(10), Scaling.unit())


def pictures(n_rows: int) -> Bytes:
    """Noise, uint8, N × 28 × 28."""
    return np.random.default_rng(1).integers(0, 256, (n_rows, 28, 28), np.uint8)


def _weights(of: Model) -> Weights:
    return [(W, b) for W, b in of.parameters if b is not None]


def _repeated(work: Callable[[], object], calls: int) -> Trial:
    def run() -> None:
        for _ in range(calls):
            work()

    return Trial(run, {})


def ours(hidden: int, n_rows: int, calls: int, part: str = "predict_proba") -> Trial:
    """The public method, from bytes to checked probabilities, or one of the parts of it."""
    one, images = model(hidden), pictures(n_rows)
    X = one.scaling.apply(images)
    logits = forward(one.parameters, one.architecture.activations, X)[-1]
    parts: dict[str, Callable[[], object]] = {
        "predict_proba": lambda: one.predict_proba(images),
        "scaling": lambda: one.scaling.apply(images),
        "network": lambda: forward(one.parameters, one.architecture.activations, X),
        "softmax": lambda: softmax(logits),
    }
    return _repeated(parts[part], calls)


def scikit_learn(weights: Weights, assume_finite: bool) -> Predict:
    """`MLPClassifier` with these weights."""
    import sklearn
    from sklearn.neural_network import MLPClassifier

    sklearn.set_config(assume_finite=assume_finite)
    hidden = [len(b) for _, b in weights[:-1]]
    network = MLPClassifier(hidden, activation="logistic", batch_size=10)
    network.partial_fit(np.eye(10, 784, dtype=np.float32), np.arange(10), classes=np.arange(10))
    network.coefs_ = [W for W, _ in weights]
    network.intercepts_ = [b for _, b in weights]
    predict: Predict = network.predict_proba
    return predict


def onnx_runtime(weights: Weights, threads: int) -> Predict:
    """A graph of two matrix products, sigmoid and softmax."""
    import onnxruntime as ort
    from onnx import TensorProto, helper, numpy_helper

    (W1, b1), (W2, b2) = weights
    arrays = {"W1": W1, "b1": b1, "W2": W2, "b2": b2}
    graph = helper.make_graph(
        [
            helper.make_node("Gemm", ["X", "W1", "b1"], ["Z1"]),
            helper.make_node("Sigmoid", ["Z1"], ["A1"]),
            helper.make_node("Gemm", ["A1", "W2", "b2"], ["Z2"]),
            helper.make_node("Softmax", ["Z2"], ["P"], axis=1),
        ],
        "network",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, len(W1)])],
        [helper.make_tensor_value_info("P", TensorProto.FLOAT, [None, len(b2)])],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    imports = [helper.make_opsetid("", 17)]
    made = helper.make_model(graph, opset_imports=imports, ir_version=8)
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = ort.InferenceSession(made.SerializeToString(), options, ["CPUExecutionProvider"])

    def predict(X: Array) -> Array:
        found: Array = session.run(["P"], {"X": X})[0]
        return found

    return predict


def peer(name: str, hidden: int, n_rows: int, calls: int, threads: int) -> Trial:
    """Another library's prediction from float32 inputs, once it was shown to agree with ours."""
    one, images = model(hidden), pictures(n_rows)
    X, weights = one.scaling.apply(images), _weights(one)
    makers: dict[str, Callable[[], Predict]] = {
        "MLPClassifier": lambda: scikit_learn(weights, False),
        "MLPClassifier, assume_finite": lambda: scikit_learn(weights, True),
        "torch": lambda: predictor(weights, "sigmoid", threads),
        "onnxruntime": lambda: onnx_runtime(weights, threads),
    }
    predict = makers[name]()
    difference = float(np.abs(predict(X) - one.predict_proba(images)).max())
    if difference > _AGREE:
        raise ValueError(f"{name} differs from ours by {difference:g}")
    return _repeated(lambda: predict(X), calls)


def entries(settings: Settings, hidden: int, n_rows: int, calls: int) -> dict[str, Entry]:
    """All competitors, the floor, and the parts of ours."""
    size = (hidden, n_rows, calls)
    made = {
        "products": Entry(prediction_floor, ((784, hidden, 10), n_rows, calls)),
        "ours": Entry(ours, size),
    }
    for part in PARTS if n_rows == 1 else ():  # of many, each chunk goes through all of them
        made[f"of ours: {part}"] = Entry(ours, (*size, part))
    needed = {
        "MLPClassifier": ("sklearn",),
        "MLPClassifier, assume_finite": ("sklearn",),
        "torch": ("torch",),
        "onnxruntime": ("onnxruntime", "onnx"),
    }
    for name, libraries in needed.items():
        if all(map(settings.has, libraries)):
            made[name] = Entry(peer, (name, *size, settings.threads))
    return made


def measure_predicting(settings: Settings) -> Iterator[dict[str, Any]]:
    """Seconds of one call for one picture and for many, at two widths."""
    for hidden in (8,) if settings.quick else (300, 800):
        for n_rows, calls in ((1, 5), (200, 1)) if settings.quick else ((1, 1000), (10_000, 1)):
            made = entries(settings, hidden, n_rows, calls)
            outcomes = {
                name: outcome._replace(seconds=[took / calls for took in outcome.seconds])
                for name, outcome in surveyed(made, settings).items()
            }
            yield {
                "problem": f"784-{hidden}-10",
                "pictures": n_rows,
                **compared(outcomes),
                "facts": {name: out.facts for name, out in outcomes.items() if out.facts},
            }


def predicting_table(rows: list[dict[str, Any]]) -> str:
    """A line for each competitor, a pair of columns for each problem."""
    header = ["predicting"]
    for row in rows:
        header += [f"{row['problem']}, {row['pictures']:,}", "× ours"]
    names = dict.fromkeys(name for row in rows for name in row["medians"])
    lines = []
    for name in names:
        line = [name]
        for row in rows:
            line += [duration(row["medians"].get(name)), ratio_in_words(row, "over_ours", name)]
        lines.append(line)
    return f"{HOW_TO_READ_RATIOS}\n\n{table(header, lines)}"
