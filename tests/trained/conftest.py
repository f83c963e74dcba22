"""What the tests of models and their files share: models, and how a file is refused."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnist_net.errors import ModelFileError
from mnist_net.learning.convolution import convolutions
from mnist_net.learning.network import Architecture, initialize
from mnist_net.learning.scaling import Scaling
from mnist_net.trained.model import Model
from mnist_net.trained.store import load_model, save_model

GOLDEN = Path(__file__).parent / "golden"

METADATA = {
    "preset": "default",
    "hyperparameters": {"hidden_layer_sizes": [8], "momentum": 0.9, "random_state": 2**70},
    "data": {"name": "nothing", "digest": "0" * 64, "n_train": 0},
    "history": [{"epoch": 1, "loss": 2.5, "validation_loss": None, "weight_norms": [1.0, 2.0]}],
    "note": "Ziffern, цифры, 数字: longer than the 255 bytes of a short string. " * 5,
    "flag": True,
    "negative": -(2**40),
}


def make_model(
    hidden: tuple[int, ...] = (8,),
    dtype: Any = np.float32,
    biases: tuple[bool, ...] | bool = True,
    loss: str = "softmax-cross-entropy",
    activation: str = "sigmoid",
) -> Model:
    output = "sigmoid" if loss == "mean-squared-error" else "identity"
    architecture = Architecture(
        (784, *hidden, 10), (activation,) * len(hidden) + (output,), loss, biases
    )
    parameters = initialize(architecture, np.random.default_rng(3), dtype=dtype)
    return Model(architecture, parameters, np.arange(10), Scaling(33.3, 78.6), METADATA, 1.25)


def with_shared_weights(dtype: Any = np.float32) -> Model:
    """Two layers of shared weights before a hidden one."""
    architecture = Architecture(
        (784, 14 * 14 * 3, 7 * 7 * 4, 6, 10),
        ("relu", "tanh", "sigmoid", "identity"),
        "softmax-cross-entropy",
        convolutions=convolutions(784, (3, 4)),
    )
    parameters = initialize(architecture, np.random.default_rng(5), dtype=dtype)
    return replace(make_model(), architecture=architecture, parameters=parameters)


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    path = tmp_path / "model.joblib"
    save_model(make_model(), path)
    return path


def golden_pictures() -> np.ndarray:
    """Three pictures by formula, as `make_golden` has them."""
    rows, columns = np.mgrid[:28, :28]
    return np.stack([(7 * rows * k + 13 * columns + 5 * k) % 256 for k in (1, 2, 3)]).astype("u1")


def refusal(path: Path, load: Callable[[Path], Any] = load_model) -> str:
    """The message with which a file is refused: one line that names the file."""
    with pytest.raises(ModelFileError) as caught:
        load(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    assert "\x1b" not in message
    assert len(message) < 400 + len(str(path))
    return message


def assert_same_model(actual: Model, expected: Model) -> None:
    assert actual.architecture == expected.architecture
    assert actual.scaling == expected.scaling
    assert actual.temperature == expected.temperature
    assert actual.metadata == expected.metadata
    assert actual.classes.dtype == np.int64
    assert actual.classes.tolist() == expected.classes.tolist()
    for before, after in zip(expected.parameters, actual.parameters, strict=True):
        for ours, theirs in zip(before, after, strict=True):
            if ours is None:
                assert theirs is None
            else:
                assert theirs.dtype == ours.dtype
                assert theirs.shape == ours.shape
                assert theirs.tobytes() == ours.tobytes()


def model_contents(**changes: Any) -> dict[str, Any]:
    model = make_model()
    return {
        "format": "mnist-net model",
        "format_version": 1,
        "layer_sizes": [784, 8, 10],
        "activations": ["sigmoid", "identity"],
        "loss": "softmax-cross-entropy",
        "classes": model.classes,
        "scaling": {"shift": 0.0, "scale": 255.0},
        "weights": [layer.weights for layer in model.parameters],
        "biases": [layer.biases for layer in model.parameters],
        "metadata": METADATA,
        **changes,
    }
