"""A `DigitClassifier` and the steps before it as one ONNX graph, which ONNX Runtime answers by."""

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.ensemble import VotingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mnist_net import DigitClassifier
from mnist_net.export import skl2onnx_converter
from mnist_net.learning.activations import ACTIVATIONS
from mnist_net.learning.losses import LOSSES
from tests.conftest import extra
from tests.export.conftest import AGREE

X, Y = (array[:300] for array in load_digits(return_X_y=True))
LABELS = {
    "digits": Y,
    "words": np.array([f"digit {k}" for k in Y]),
    "truth": Y > 4,
    "two words": np.where(Y > 4, "large", "small"),
}


@pytest.fixture(autouse=True)
def _converter() -> None:
    extra("skl2onnx")
    extra("onnxruntime")
    skl2onnx_converter.register_converter()


def answers(fitted: Any, features: np.ndarray, **options: Any) -> tuple[Any, Any]:
    """Labels and probabilities of the graph, which is valid."""
    graph = extra("skl2onnx").to_onnx(fitted, features[:1], options={"zipmap": False, **options})
    extra("onnx").checker.check_model(graph, full_check=True)
    session = extra("onnxruntime").InferenceSession(graph.SerializeToString())
    return session.run(None, {session.get_inputs()[0].name: features})


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_network_answers_as_here(activation: str, loss: str) -> None:
    network = DigitClassifier(
        (8, 6), activation=activation, loss=loss, learning_rate=0.02, epochs=3, random_state=0
    ).fit(X, Y)
    labels, probabilities = answers(network, X.astype(np.float32))
    assert np.abs(probabilities - network.predict_proba(X)).max() <= AGREE
    second, first = np.sort(network.predict_proba(X), axis=1)[:, -2:].T
    clear = first - second > 2 * AGREE
    assert (labels == network.predict(X))[clear].all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize("labels", LABELS)
def test_features_and_labels_of_every_kind(labels: str, dtype: type) -> None:
    fitted = make_pipeline(StandardScaler(), DigitClassifier((8,), epochs=3, random_state=0))
    fitted.fit(X, LABELS[labels])
    found, probabilities = answers(fitted, X.astype(dtype))
    assert probabilities.dtype == (np.float64 if dtype is np.float64 else np.float32)
    assert np.abs(probabilities - fitted.predict_proba(X)).max() <= AGREE
    assert found.tolist() == fitted.predict(X).tolist()


def test_two_in_one_graph() -> None:
    members = [(f"of {n}", DigitClassifier((n,), epochs=3, random_state=n)) for n in (8, 9)]
    fitted = VotingClassifier(members, voting="soft", flatten_transform=False).fit(X, Y)
    _, probabilities = answers(fitted, X.astype(np.float32))
    assert np.abs(probabilities - fitted.predict_proba(X)).max() <= AGREE
