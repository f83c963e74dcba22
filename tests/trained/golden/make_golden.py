"""Made the files of format 3, once, and before them those of formats 1 and 2.

Models of a format must load for ever, so no golden file is ever made again: a later format gets
files of its own beside them.  The expected probabilities are worked out here in plain float64,
without the package.

    python -m tests.trained.golden.make_golden
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mnist_net.learning.convolution import convolutions
from mnist_net.learning.network import Architecture, Layer
from mnist_net.learning.scaling import Scaling
from mnist_net.trained.committee import Committee, Predictor
from mnist_net.trained.model import Model
from mnist_net.trained.store import save_model
from tests.moments import upright

HERE = Path(__file__).parent

METADATA = {
    "preset": "default",
    "hyperparameters": {"hidden_layer_sizes": (8,), "distortion": {"rotation": 10.0}},
    "data": {"name": "nothing", "digest": "0" * 64, "location": "nowhere", "n_train": 0},
    "epoch": 1,
    "history": [{"epoch": 1, "loss": 2.5, "validation_accuracy": None}],
    "versions": {"python": "3.11", "mnist-net": "0.1.0"},
    "date": "2026-01-01T00:00:00+00:00",
}


def pictures() -> np.ndarray:
    """Three pictures by formula, so that they depend on nobody's random numbers."""
    rows, columns = np.mgrid[:28, :28]
    return np.stack([(7 * rows * k + 13 * columns + 5 * k) % 256 for k in (1, 2, 3)]).astype("u1")


def make(
    seed: int, temperature: float, normalization: str = "none", *, whole: bool = False
) -> tuple[Model, np.ndarray]:
    """A model, and its probabilities for the pictures; with `whole` as int8 will have it."""
    generator = np.random.default_rng(seed)
    W1, b1 = generator.normal(0, 0.05, (784, 8)), generator.normal(0, 1, 8)
    W2, b2 = generator.normal(0, 1, (8, 10)), generator.normal(0, 1, 10)
    W1, b1, W2, b2 = (array.astype(np.float16) for array in (W1, b1, W2, b2))
    model = Model(
        Architecture((784, 8, 10), ("sigmoid", "identity"), "softmax-cross-entropy"),
        (Layer(W1, b1), Layer(W2, b2)),
        np.arange(10),
        Scaling(33.0, 78.0, normalization),
        METADATA,
        temperature,
    )
    seen = pictures() if normalization == "none" else np.stack([*map(upright, pictures())])
    X = (seen.reshape(3, 784) - 33.0) / 78.0
    W1, b1, W2, b2 = (array.astype(np.float64) for array in (W1, b1, W2, b2))
    if whole:
        steps = [np.float32(np.abs(W).max(axis=0) / 127) for W in (W1, W2)]
        W1, W2 = (np.rint(W / step) * step for W, step in zip((W1, W2), steps, strict=True))
    hidden = 1.0 / (1.0 + np.exp(-(X @ W1 + b1)))
    powers = np.exp((hidden @ W2 + b2) / temperature)
    return model, powers / powers.sum(axis=1, keepdims=True)


def make_shared(seed: int, temperature: float) -> tuple[Model, np.ndarray]:
    """A model with two feature maps, and its probabilities, square by square."""
    generator = np.random.default_rng(seed)
    W1, b1 = generator.normal(0, 0.3, (25, 2)), generator.normal(0, 1, 2)
    W2, b2 = generator.normal(0, 0.1, (392, 10)), generator.normal(0, 1, 10)
    W1, b1, W2, b2 = (array.astype(np.float16) for array in (W1, b1, W2, b2))
    model = Model(
        Architecture(
            (784, 392, 10),
            ("tanh", "identity"),
            "softmax-cross-entropy",
            convolutions=convolutions(784, (2,)),
        ),
        (Layer(W1, b1), Layer(W2, b2)),
        np.arange(10),
        Scaling(33.0, 78.0),
        METADATA,
        temperature,
    )
    W1, b1, W2, b2 = (array.astype(np.float64) for array in (W1, b1, W2, b2))
    answers = []
    for picture in pictures():
        paper = np.zeros((32, 32))
        paper[2:30, 2:30] = (picture - 33.0) / 78.0
        hidden = [
            np.tanh(
                sum(paper[2 * y + i, 2 * x + j] * W1[5 * i + j] for i in range(5) for j in range(5))
                + b1
            )
            for y in range(14)
            for x in range(14)
        ]
        powers = np.exp((np.concatenate(hidden) @ W2 + b2) / temperature)
        answers.append(powers / powers.sum())
    return model, np.array(answers)


def write(
    name: str,
    model: Predictor,
    probabilities: np.ndarray,
    metadata: Any,
    dtype: npt.DTypeLike = np.float16,
) -> None:
    """A model and what it is expected to say, unless they are there."""
    file = HERE / f"{name}.joblib"
    if file.exists():
        return
    save_model(model, file, dtype=dtype)
    expected = {"probabilities": probabilities.tolist(), "metadata": metadata}
    (HERE / f"{name}.json").write_text(json.dumps(expected, indent=1) + "\n")


def main() -> None:
    model, probabilities = make(20260202, 1.75)
    write("model-format-2", model, probabilities, METADATA)
    members = [make(20260203 + k, temperature) for k, temperature in enumerate((1.0, 0.5, 2.0))]
    committee = Committee(tuple(member for member, _ in members), {"preset": "default"})
    mean = np.mean([answers for _, answers in members], axis=0)
    write("committee-format-2", committee, mean, committee.metadata)
    model, probabilities = make(20261128, 1.25, "moments", whole=True)
    write("model-format-3", model, probabilities, METADATA, np.int8)
    model, probabilities = make_shared(20261129, 1.5)
    write("shared-format-3", model, probabilities, METADATA)


if __name__ == "__main__":
    main()
