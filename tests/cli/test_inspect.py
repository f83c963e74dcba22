"""``mnist-net info`` and ``mnist-net gradcheck``."""

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from mnist_net.learning import gradcheck
from mnist_net.learning.presets import PRESETS
from mnist_net.trained.model import Model
from mnist_net.trained.store import load_model, save_model
from tests.cli.conftest import invoke


def test_info_shows_what_a_model_is(digits_model: Path) -> None:
    result = invoke("info", digits_model)
    assert result.exit_code == 0
    shown = dict(re.split(r"  +", line, maxsplit=1) for line in result.stdout.splitlines())
    assert shown["model"] == str(digits_model)
    assert shown["layer sizes"] == "784 32 10"
    assert shown["activations"] == "sigmoid identity"
    assert shown["parameters"] == f"{784 * 32 + 32 + 32 * 10 + 10:,}"
    assert shown["dtype"] == "float32"
    assert shown["temperature"] == "1"
    assert f"learning_rate {PRESETS['plain'].learning_rate:g}" in shown["hyperparameters"]
    assert "distortion (rotation 0, " in shown["hyperparameters"]
    assert "name digits" in shown["data"]
    assert "history" not in shown


def test_info_json_is_the_whole_record(digits_model: Path) -> None:
    values = json.loads(invoke("info", digits_model, "--json").stdout)
    metadata = load_model(digits_model).metadata
    assert values["bytes"] == digits_model.stat().st_size
    assert values["classes"] == list(range(10))
    assert values["scaling"] == {"shift": 0.0, "scale": 255.0, "normalization": "none"}
    assert values["temperature"] == 1.0
    assert values["loss"] == "softmax-cross-entropy"
    for key in ("preset", "data", "epoch", "history", "versions", "date", "accuracy"):
        assert values[key] == metadata[key]


def test_no_metadata_speak_for_the_network_and_all_is_json(
    digits_model: Path, tmp_path: Path
) -> None:
    model = load_model(digits_model)
    assert isinstance(model, Model)
    claims = {"parameters": 7, "bytes": 1, "model": "another", "history": [{"loss": math.nan}]}
    path = tmp_path / "claims.joblib"
    save_model(replace(model, metadata=claims), path)

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    values = json.loads(invoke("info", path, "--json").stdout, parse_constant=refuse)
    assert values["parameters"] == 784 * 32 + 32 + 32 * 10 + 10
    assert (values["model"], values["bytes"]) == (str(path), path.stat().st_size)
    assert values["history"] == [{"loss": None}]


def test_gradcheck_passes_and_says_what_it_checked() -> None:
    result = invoke("gradcheck")
    assert result.exit_code == 0
    *checks, summary = result.stdout.splitlines()
    assert all(line.endswith("  ok") for line in checks)
    assert summary.startswith(f"{len(checks)} arrays checked; the worst is ")
    assert "784-300-10" in result.stdout

    values = json.loads(invoke("gradcheck", "--json").stdout)
    assert values["passed"] is True
    assert values["threshold"] == 1e-7
    assert len(values["checks"]) == len(checks)
    assert all(set(check) == {"system", "array", "error"} for check in values["checks"])
    assert all(0.0 <= check["error"] <= 1e-7 for check in values["checks"])


def test_gradcheck_fails_when_a_gradient_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradcheck, "THRESHOLD", 1e-300)
    result = invoke("gradcheck")
    assert result.exit_code == 1
    assert "WRONG" in result.stdout
    as_json = invoke("gradcheck", "--json")
    assert as_json.exit_code == 1
    assert json.loads(as_json.stdout)["passed"] is False
