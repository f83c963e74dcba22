"""Seconds of predicting: one picture, and ten thousand."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import cast

import numpy as np

from mnist_net.arrays import Bytes
from mnist_net.learning.losses import softmax
from mnist_net.learning.network import forward, initialize
from mnist_net.learning.recipe import Hyperparameters
from mnist_net.learning.scaling import Scaling
from mnist_net.learning.training import classifier
from mnist_net.trained.model import Model
from scripts.speed.figures import Row, measured
from scripts.speed.machine import distance
from scripts.speed.problems import Predict, Settings, Weights
from scripts.speed.products import prediction_floor
from scripts.speed.workers import Entry, Trial, quiet, take_turns

PARTS = ("scaling", "network", "softmax")
_AGREE = 1e-5  # largest difference of two libraries' probabilities in float32


def model(hidden: int) -> Model:
    """784-hidden-10 with sigmoids and random weights: for the time it is all the same."""
    architecture = classifier(784, 10, Hyperparameters(hidden_layer_sizes=(hidden,)))
    parameters = initialize(architecture, np.random.default_rng(0), dtype=np.float32)
    return Model(architecture, parameters, np.arange(10), Scaling.unit())


def pictures(n_rows: int) -> Bytes:
    """Noise, uint8, N × 28 × 28."""
    return np.random.default_rng(1).integers(0, 256, (n_rows, 28, 28), np.uint8)


def ours(hidden: int, n_rows: int, calls: int, part: str = "predict_proba") -> Trial:
    """The public method, from bytes to checked probabilities, or one of the parts of it."""
    one, images = model(hidden), pictures(n_rows)
    X = one.scaling.apply(images)
    logits = forward(one.parameters, one.architecture, X)[-1]
    parts: dict[str, Callable[[], object]] = {
        "predict_proba": lambda: one.predict_proba(images),
        "scaling": lambda: one.scaling.apply(images),
        "network": lambda: forward(one.parameters, one.architecture, X),
        "softmax": lambda: softmax(logits),
    }
    return quiet(parts[part], calls=calls)


def scikit_learn(weights: Weights, _threads: int) -> Predict:
    """`MLPClassifier` with these weights."""
    from sklearn.neural_network import MLPClassifier

    hidden = [len(b) for _, b in weights[:-1]]
    network = MLPClassifier(hidden, activation="logistic", batch_size=10)
    network.partial_fit(np.eye(10, 784, dtype=np.float32), np.arange(10), classes=np.arange(10))
    network.coefs_ = [W for W, _ in weights]
    network.intercepts_ = [b for _, b in weights]
    return cast(Predict, network.predict_proba)


def torch(weights: Weights, threads: int) -> Predict:
    """PyTorch's network with these weights."""
    from scripts.speed import torch_peer

    return torch_peer.predictor(weights, "sigmoid", threads)


def onnx_runtime(weights: Weights, threads: int) -> Predict:
    """A graph of two matrix products, sigmoid and softmax."""
    import onnxruntime as ort
    from onnx import helper, numpy_helper, parser

    names = ("W1", "b1", "W2", "b2")
    (n_inputs, _), n_classes = weights[0][0].shape, len(weights[-1][1])
    graph = parser.parse_graph(f"""
        network (float[N, {n_inputs}] X) => (float[N, {n_classes}] P) {{
            Z1 = Gemm(X, W1, b1)
            A1 = Sigmoid(Z1)
            Z2 = Gemm(A1, W2, b2)
            P = Softmax<axis = 1>(Z2)
        }}""")
    arrays = zip([array for pair in weights for array in pair], names, strict=True)
    graph.initializer.extend(numpy_helper.from_array(array, name) for array, name in arrays)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = ort.InferenceSession(made.SerializeToString(), options, ["CPUExecutionProvider"])

    return lambda X: session.run(["P"], {"X": X})[0]


PEERS: dict[str, tuple[Callable[[Weights, int], Predict], tuple[str, ...]]] = {
    "MLPClassifier": (scikit_learn, ("sklearn",)),
    "torch": (torch, ("torch",)),
    "onnxruntime": (onnx_runtime, ("onnxruntime", "onnx")),
}


def peer(name: str, hidden: int, n_rows: int, calls: int, threads: int) -> Trial:
    """Another library's prediction from float32 inputs, once it was shown to agree with ours."""
    one, images = model(hidden), pictures(n_rows)
    X = one.scaling.apply(images)
    predict = PEERS[name][0]([(W, b) for W, b in one.parameters if b is not None], threads)
    difference = float(np.abs(predict(X) - one.predict_proba(images)).max())
    if difference > _AGREE:
        raise ValueError(f"{name} differs from ours by {difference:g}")
    return quiet(predict, X, calls=calls)


def entries(settings: Settings, hidden: int, n_rows: int, calls: int) -> dict[str, Entry]:
    """The floor, ours and the parts of it, and all peers that are there."""
    size = hidden, n_rows, calls
    floor = partial(prediction_floor, (784, hidden, 10), n_rows, calls)
    made: dict[str, Entry] = {"products": floor, "ours": partial(ours, *size)}
    for part in PARTS if n_rows == 1 else ():  # of many, each chunk goes through all of them
        made[f"of ours: {part}"] = partial(ours, *size, part)
    for name, (_, libraries) in PEERS.items():
        if settings.has(*libraries):
            made[name] = partial(peer, name, *size, settings.threads)
    return made


def measure_predicting(settings: Settings) -> Iterator[Row]:
    """Seconds of one call for one picture and for many, at two widths."""
    for hidden in (8,) if settings.quick else (300, 800):
        for n_rows, calls in ((1, 5), (200, 1)) if settings.quick else ((1, 1000), (10_000, 1)):
            made = entries(settings, hidden, n_rows, calls)
            outcomes = take_turns(made, settings.rounds, settings.threads, survey=distance)
            for outcome in outcomes.values():
                outcome.seconds[:] = [took / calls for took in outcome.seconds]
            title = f"784-{hidden}-10, pictures: {n_rows:,}"
            yield {"problem": title, "measured": measured(outcomes, "products", "ours")}
