"""What a model file must contain: each value that does not fit is refused for its own reason."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnist_net.learning.quantization import quantized
from mnist_net.trained.safe_joblib import write_contents
from mnist_net.trained.store import load_model
from tests.trained.conftest import make_model, model_contents, refusal


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "not a file that mnist-net wrote", id="0 bytes"),
        pytest.param(b"Dear reader,\nhow are you?\n", "not a file that mnist-net wrote", id="text"),
        pytest.param(pickle.dumps(3), "is not an mnist-net model", id="a number"),
        pytest.param(pickle.dumps([1, 2]), "is not an mnist-net model", id="a list"),
        pytest.param(pickle.dumps({}), "is not an mnist-net model", id="an empty dict"),
        pytest.param(b"\x89PNG\r\n\x1a\n", "not a file that mnist-net wrote", id="a picture"),
    ],
)
def test_what_is_no_model_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "m.joblib").write_bytes(content)
    assert message in refusal(tmp_path / "m.joblib")


def weights_with(value: float) -> list[np.ndarray]:
    weights = [layer.weights.copy() for layer in make_model().parameters]
    weights[1][3, 4] = value
    return weights


W1, W2 = (layer.weights for layer in make_model().parameters)
B1, B2 = (layer.biases for layer in make_model().parameters)
(Q1, S1), (Q2, S2) = map(quantized, (W1, W2))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"format_version": 4},
            "version 4; this mnist-net reads versions from 1 to 3: install",
        ),
        ({"format_version": 0}, "format version 0"),
        ({"format_version": "1"}, "is not an mnist-net model"),
        ({"format_version": np.arange(3)}, "is not an mnist-net model"),
        ({"format": np.arange(3)}, "is not an mnist-net model"),
        ({"format": "another model"}, "is not an mnist-net model"),
        ({"weights": [W1.T, W2]}, "another shape"),
        ({"weights": [W1[:-1], W2]}, "another shape"),
        ({"weights": [W1], "biases": [B1]}, "another shape"),
        ({"weights": [W1, W2, W2]}, "damaged"),
        ({"weights": [W1[None], W2]}, "no matrix"),
        ({"weights": []}, "damaged"),
        ({"weights": 3}, "do not fit together"),
        ({"biases": [B1, B2[:-1]]}, "biases of another shape"),
        ({"biases": [B1[:, None], B2]}, "biases of another shape"),
        ({"biases": [B1]}, "not as many weights as biases"),
        ({"biases": [B1, "none"]}, "not finite"),
        ({"weights": weights_with(np.nan)}, "not finite"),
        ({"weights": weights_with(np.inf)}, "not finite"),
        ({"biases": [B1, np.full(10, -np.inf, np.float32)]}, "not finite"),
        ({"weights": [W1.astype(np.int64), W2]}, "not finite"),
        ({"weights": [W1.astype(np.uint8), W2]}, "not finite"),
        ({"weights": [W1.tolist(), W2.tolist()]}, "not finite"),
        ({"classes": np.arange(9)}, "classes"),
        ({"classes": np.arange(10.0)}, "classes"),
        ({"classes": list(range(10))}, "classes"),
        ({"classes": np.arange(10)[::-1]}, "classes"),
        ({"classes": np.zeros(10, np.int64)}, "classes"),
        ({"layer_sizes": [784, 8, 9]}, "another shape"),
        ({"layer_sizes": [784]}, "another shape"),
        ({"layer_sizes": None}, "damaged"),
        ({"activations": ["sigmoid"]}, "activations"),
        ({"activations": ["sigmoid", "magic"]}, "unknown activation 'magic'"),
        ({"activations": ["sigmoid", ["identity"]]}, "unknown activation"),
        ({"loss": "none"}, "unknown loss 'none'"),
        ({"loss": {}}, "unknown loss"),
        ({"scaling": {"shift": 0.0, "scale": 0.0}}, "scaling"),
        ({"scaling": {"shift": float("nan"), "scale": 1.0}}, "scaling"),
        ({"scaling": {"shift": 0.0}}, "damaged"),
        ({"scaling": {"shift": 0.0, "scale": 1.0, "more": 1.0}}, "damaged"),
        ({"scaling": None}, "do not fit together"),
        ({"scaling": {"shift": "x", "scale": 1.0}}, "do not fit together"),
        ({"scaling": {"shift": 0.0, "scale": 10**400}}, "do not fit together"),
        ({"scaling": {"shift": 0.0, "scale": 1.0, "normalization": "magic"}}, "'magic'"),
        ({"scaling": {"shift": 0.0, "scale": 1.0, "normalization": [1]}}, "unknown normalization"),
        ({"scales": [S1, S2]}, "not whole numbers"),
        ({"weights": [Q1, Q2]}, "not finite"),
        ({"weights": [Q1, Q2], "scales": [S1]}, "do not fit together"),
        ({"weights": [Q1, Q2], "scales": [S1, S1[:3]]}, "scales that do not fit"),
        ({"weights": [Q1, Q2], "scales": [S1, S2.astype(np.float64)]}, "scales that do not fit"),
        ({"weights": [Q1, Q2], "scales": [S1, S2 * np.float32(np.nan)]}, "not finite"),
        ({"weights": [Q1, Q2], "scales": [S1, None]}, "do not fit together"),
        ({"layer_sizes": [784, W1, 10]}, "a layer without units"),
        ({"temperature": 0.0}, "an odd temperature"),
        ({"temperature": -1.0}, "an odd temperature"),
        ({"temperature": float("nan")}, "an odd temperature"),
        ({"temperature": float("inf")}, "an odd temperature"),
        ({"temperature": "1.0"}, "an odd temperature"),
        ({"metadata": None}, "metadata"),
        ({"metadata": {"data": None}}, "metadata"),
        ({"metadata": {"x": W2}}, "metadata are not plain"),
    ],
    ids=str,
)
def test_contents_that_do_not_fit_are_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    write_contents(tmp_path / "m.joblib", model_contents(**changes))
    assert message in refusal(tmp_path / "m.joblib")


def test_contents_that_fit_are_accepted(tmp_path: Path) -> None:
    write_contents(tmp_path / "m.joblib", model_contents())
    model = load_model(tmp_path / "m.joblib")
    assert model.architecture.layer_sizes == (784, 8, 10)
    assert model.temperature == 1.0
    write_contents(tmp_path / "m.joblib", model_contents(format_version=2, temperature=0.5))
    assert load_model(tmp_path / "m.joblib").temperature == 0.5


@pytest.mark.parametrize("key", model_contents())
def test_a_missing_key_is_named(tmp_path: Path, key: str) -> None:
    contents = model_contents()
    del contents[key]
    write_contents(tmp_path / "m.joblib", contents)
    message = refusal(tmp_path / "m.joblib")
    if not key.startswith("format"):
        assert f"'{key}' is missing" in message


def test_another_input_than_784_pixels_is_refused(tmp_path: Path) -> None:
    contents = model_contents(layer_sizes=[64, 8, 10], weights=[W1[:64], W2])
    write_contents(tmp_path / "m.joblib", contents)
    assert "784" in refusal(tmp_path / "m.joblib")
