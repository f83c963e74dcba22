"""Checkpoints come back bit for bit; what does not add up is refused."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnist_net.learning.minibatches import Batch, one_hot
from mnist_net.learning.recipe import Hyperparameters
from mnist_net.learning.training import train
from mnist_net.runs.checkpoints import load_checkpoint, save_checkpoint
from mnist_net.trained.safe_joblib import write_contents
from mnist_net.trained.store import load_model, save_model
from tests.trained.conftest import make_model, refusal


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_a_checkpoint_comes_back_bit_for_bit(tmp_path: Path, optimizer: str) -> None:
    generator = np.random.default_rng(0)
    data = Batch(
        generator.normal(size=(50, 784)).astype(np.float32),
        one_hot(generator.integers(0, 10, 50), 10),
    )
    recipe = Hyperparameters(
        hidden_layer_sizes=(5,), optimizer=optimizer, learning_rate=0.01, epochs=3, batch_size=10
    )
    *_, progress = train(data, recipe, validation=data)
    identity = {"hyperparameters": recipe.as_dict(), "digest": "0" * 64}
    path = tmp_path / "checkpoint.joblib"
    save_checkpoint(path, progress, identity)
    loaded, loaded_identity = load_checkpoint(path)
    assert loaded_identity == identity
    assert loaded.history == progress.history
    for before, after in zip(
        (progress.latest, progress.best), (loaded.latest, loaded.best), strict=True
    ):
        assert before.number == after.number
        assert before.optimizer_state.step == after.optimizer_state.step
        kept = (before.parameters, *before.optimizer_state.moments)
        read = (after.parameters, *after.optimizer_state.moments)
        for ours, theirs in zip(kept, read, strict=True):
            for layer, other in zip(ours, theirs, strict=True):
                assert layer.weights.tobytes() == other.weights.tobytes()
                assert layer.biases.tobytes() == other.biases.tobytes()
    assert len(progress.latest.optimizer_state.moments) > 0

    assert "is not an mnist-net model" in refusal(path, load_model)


def test_a_model_is_no_checkpoint(tmp_path: Path) -> None:
    save_model(make_model(), tmp_path / "model.joblib")
    assert "is not an mnist-net checkpoint" in refusal(tmp_path / "model.joblib", load_checkpoint)


((W1, B1), _) = make_model().parameters

RECORD = {
    "epoch": 1,
    "loss": 0.5,
    "learning_rate": 0.1,
    "seconds": 1.0,
    "weight_norms": [1.0],
    "bias_norms": [0.0],
    "validation_loss": None,
    "validation_accuracy": None,
}


def checkpoint_contents(record: dict[str, Any], **changes: object) -> dict[str, Any]:
    epoch = {"number": 1, "weights": [W1], "biases": [B1], "step": 1, "moments": [], **changes}
    return {
        "format": "mnist-net checkpoint",
        "format_version": 1,
        "latest": epoch,
        "best": epoch,
        "history": [record],
        "identity": {},
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"step": 2.5}, "counts"),
        ({"step": math.nan}, "counts"),
        ({"number": True}, "counts"),
        ({"number": "1"}, "counts"),
        ({"number": 2}, "add up"),
        ({"number": math.inf}, "counts"),
    ],
)
def test_a_checkpoint_counts_in_whole_numbers(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    write_contents(tmp_path / "c.joblib", checkpoint_contents(RECORD, **changes))
    assert message in refusal(tmp_path / "c.joblib", load_checkpoint)


@pytest.mark.parametrize(
    "changes",
    [
        {"loss": "x"},
        {"seconds": None},
        {"weight_norms": None},
        {"bias_norms": ["x"]},
        {"validation_loss": 0.5},
        {"validation_accuracy": "x", "validation_loss": 0.5},
    ],
    ids=str,
)
def test_a_checkpoint_with_a_bad_history_is_refused(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    write_contents(tmp_path / "c.joblib", checkpoint_contents({**RECORD, **changes}))
    refused = refusal(tmp_path / "c.joblib", load_checkpoint)
    assert "a bad history" in refused or "do not fit together" in refused


@pytest.mark.parametrize("key", ["latest", "best", "history", "identity"])
def test_a_checkpoint_with_a_missing_key_is_refused(tmp_path: Path, key: str) -> None:
    contents = checkpoint_contents(RECORD)
    path = tmp_path / "c.joblib"
    write_contents(path, contents)
    load_checkpoint(path)
    del contents[key]
    write_contents(path, contents)
    assert f"'{key}' is missing" in refusal(path, load_checkpoint)
