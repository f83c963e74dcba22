"""What the tests of exports share: networks of every kind, pictures, and when answers agree."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from mnist_net.export.contract import fully_connected
from mnist_net.learning.network import Layer
from mnist_net.learning.quantization import quantized
from mnist_net.learning.scaling import Scaling
from mnist_net.trained.committee import Committee, Predictor
from mnist_net.trained.model import Model
from tests.trained.conftest import make_model, with_shared_weights

AGREE = 1e-5
"""What is rounded in another order differs by some float32 steps of 6e-8, amplified by the layers
and the softmax; a wrong factor or sign anywhere differs by far more."""


def sharper(model: Model) -> Model:
    """The same with ten times the weights in the last layer, so that its answers are clear."""
    *first, last = model.parameters
    return replace(model, parameters=(*first, Layer(last.weights * 10, last.biases)))


def with_biases(model: Model) -> Model:
    """The same with biases that are not zero."""
    generator = np.random.default_rng(4)
    layers = tuple(
        layer
        if layer.biases is None
        else Layer(layer.weights, generator.normal(0, 0.3, layer.biases.shape).astype(dtype))
        for layer in model.parameters
        for dtype in (layer.weights.dtype,)
    )
    return replace(model, parameters=layers)


def silent() -> Model:
    """Squared error, and all outputs exactly zero: the answer is that all are alike."""
    model = make_model((), loss="mean-squared-error")
    (layer,) = model.parameters
    return replace(model, parameters=(Layer(layer.weights * 0, np.full(10, -200, np.float32)),))


def normalized(model: Model) -> Model:
    """The same, of pictures that are brought to a usual slant and size."""
    return replace(model, scaling=model.scaling._replace(normalization="moments"))


def committee() -> Committee:
    """Networks that differ in layers, activation, loss, scaling, normalization and temperature."""
    other = make_model((12, 9), activation="relu", loss="binary-cross-entropy")
    third = normalized(make_model((7,), activation="tanh", biases=False))
    return Committee(
        (
            with_biases(sharper(make_model((16,)))),
            with_biases(replace(other, scaling=Scaling.unit(), temperature=0.7)),
            replace(third, temperature=1.0),
        ),
        {"kind": "a committee"},
    )


def two_classes() -> Model:
    """Of labels that are not 0, 1, ...: a sixth and an eighth of ten."""
    model = with_biases(make_model((16,)))
    first, last = model.parameters
    assert last.biases is not None
    architecture = model.architecture._replace(layer_sizes=(784, 16, 2))
    layers = (first, Layer(last.weights[:, :2], last.biases[:2]))
    return replace(model, architecture=architecture, parameters=layers, classes=np.array([5, 7]))


NETWORKS: dict[str, Callable[[], Predictor]] = {
    "sigmoid": lambda: with_biases(sharper(make_model((16,)))),
    "tanh": lambda: with_biases(sharper(make_model((16, 12), activation="tanh"))),
    "relu": lambda: with_biases(sharper(make_model((16, 12, 9), activation="relu"))),
    "identity": lambda: with_biases(make_model((16,), activation="identity")),
    "no hidden layer": lambda: with_biases(make_model(())),
    "no biases": lambda: sharper(make_model((16,), biases=False)),
    "biases in one layer": lambda: with_biases(make_model((16,), biases=(False, True))),
    "float64": lambda: with_biases(sharper(make_model((16,), dtype=np.float64))),
    "binary": lambda: with_biases(sharper(make_model((16,), loss="binary-cross-entropy"))),
    "squared": lambda: with_biases(make_model((16,), loss="mean-squared-error")),
    "unit scaling, no temperature": lambda: replace(
        sharper(make_model((16,))), scaling=Scaling.unit(), temperature=1.0
    ),
    "normalized": lambda: normalized(with_biases(sharper(make_model((16,))))),
    "shared weights": lambda: with_biases(sharper(with_shared_weights())),
    "two classes": two_classes,
    "all alike": silent,
    "committee": committee,
}
"""Whatever a model file can hold."""


def rounded(model: Predictor) -> Committee:
    """The network or networks with the weights that int8 and a scale per column stand for."""
    members = []
    for member in fully_connected(model):
        layers = []
        for weights, biases in member.parameters:
            values, scales = quantized(weights)
            layers.append(Layer(values * scales, biases))
        members.append(replace(member, parameters=tuple(layers)))
    return Committee(tuple(members))


@pytest.fixture(scope="session")
def pictures(digits: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Written digits, noise, and pictures of one grey."""
    noise = np.random.default_rng(5).integers(0, 256, (50, 28, 28), np.uint8)
    greys = [np.full((1, 28, 28), grey, np.uint8) for grey in (0, 1, 128, 255)]
    return np.concatenate([digits[0][:300], noise, *greys])


@pytest.fixture(scope="session")
def test_pictures(mnist_arrays: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """MNIST's 10,000 test pictures and their labels."""
    return mnist_arrays[0][60_000:], mnist_arrays[1][60_000:]


def assert_agree(
    model: Predictor, pictures: np.ndarray, digits: np.ndarray, probabilities: np.ndarray
) -> None:
    """Probabilities are ours, and so is each digit unless two are as probable."""
    ours = model.predict_proba(pictures)
    assert probabilities.shape == ours.shape
    assert np.abs(probabilities - ours).max() <= AGREE
    assert digits.tolist() == model.classes[probabilities.argmax(axis=1)].tolist()
    second, first = np.sort(ours, axis=1)[:, -2:].T
    clear = first - second > 2 * AGREE
    assert (digits == model.predict(pictures))[clear].all()
