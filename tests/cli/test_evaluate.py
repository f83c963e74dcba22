"""``mnist-net evaluate``: figures of a model on data that it knows, and on no others."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mnist_net.datasets.loading import load_digits_as_images
from mnist_net.trained.store import load_model, save_model
from tests.cli.conftest import PLAIN, invoke, only_error

KEYS = [
    "accuracy",
    "accuracy_interval",
    "errors",
    "n",
    "log_loss",
    "ece",
    "per_class",
    "confusion_matrix",
    "worst",
    "reliability",
    "refusals",
    "dataset",
    "model",
]


def test_evaluate_prints_everything(digits_model: Path) -> None:
    result = invoke("evaluate", "--model", digits_model)
    assert result.exit_code == 0
    assert result.stderr == ""
    assert result.stdout.startswith(f"{digits_model} on the test pictures of digits\n")
    for title in ("errors", "accuracy", "log loss", "calibration error", "Per digit", "Worst"):
        assert re.search(rf"^{title}", result.stdout, re.MULTILINE)
    accuracy = load_model(digits_model).metadata["accuracy"]["test"]
    assert f"{accuracy:.2%} (95% interval" in result.stdout


def test_evaluate_json_has_the_keys_that_are_promised(digits_model: Path) -> None:
    result = invoke("evaluate", "--model", digits_model, "--json")
    (line,) = result.stdout.splitlines()
    values = json.loads(line)
    assert sorted(values) == sorted([*KEYS, "split"])
    assert (values["dataset"], values["split"]) == ("digits", "test")
    assert values["model"] == str(digits_model)
    assert values["n"] == 297
    assert values["accuracy"] == load_model(digits_model).metadata["accuracy"]["test"]
    assert np.sum(values["confusion_matrix"]) == 297
    assert len(values["per_class"]) == 10
    train = json.loads(invoke("evaluate", "-m", digits_model, "--json", "--split", "train").stdout)
    assert train["n"] == 1500
    assert train["split"] == "train"


def test_evaluate_writes_a_report(digits_model: Path) -> None:
    result = invoke("evaluate", "--model", digits_model, "--output", "out/report.md")
    assert result.exit_code == 0
    page = Path("out/report.md").read_text(encoding="utf-8")
    assert page.startswith("# digits.joblib on the test pictures of digits\n")
    (name,) = re.findall(r"!\[.*\]\((.*)\)", page)
    assert (Path("out") / name).read_bytes().startswith(b"\x89PNG")
    assert len(list(Path("out").iterdir())) == 2
    assert invoke("evaluate", "--model", digits_model, "--output", "out/report.html").exit_code == 0
    assert invoke("report", digits_model, "--output", "report.html").exit_code == 0
    assert Path("out/report.html").read_bytes() == Path("report.html").read_bytes()


def test_evaluate_finds_out_first_that_a_report_cannot_be_written(
    no_work: None, digits_model: Path
) -> None:
    Path("file").write_text("")
    result = invoke("evaluate", "--model", digits_model, "--output", "file/report.md")
    assert result.exit_code == 1
    assert "file" in only_error(result)


def test_evaluate_uses_the_data_of_the_model_from_anywhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, npz: Path
) -> None:
    assert invoke("train", *PLAIN, "--dataset", npz.name, "--epochs", 2).exit_code == 0
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    result = invoke("evaluate", "--model", "../models/latest.joblib", "--json")
    assert result.exit_code == 0
    values = json.loads(result.stdout)
    assert values["n"] == 100
    assert values["dataset"] == str(npz.resolve()) or values["dataset"] == str(npz)


def test_evaluate_refuses_data_that_have_changed(
    npz: Path, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    invoke("train", *PLAIN, "--dataset", npz, "--epochs", 1)
    np.savez(npz, images=digits[0][1:701], labels=digits[1][1:701])
    result = invoke("evaluate")
    assert result.exit_code == 1
    assert "is no longer the data set that trained models/latest.joblib" in only_error(result)
    assert invoke("evaluate", "--dataset", npz).exit_code == 0
    npz.unlink()
    gone = invoke("evaluate")
    assert gone.exit_code == 1
    assert str(npz) in only_error(gone)


def test_evaluate_never_falls_back(digits_model: Path) -> None:
    result = invoke("evaluate", "--model", digits_model, "--dataset", "auto")
    assert result.exit_code == 2
    model = load_model(digits_model)
    model.metadata["data"].update(name="mnist", location="mnist")
    save_model(model, "mnist.joblib")
    offline = invoke("evaluate", "--model", "mnist.joblib", "--offline")
    assert offline.exit_code == 1
    assert offline.stdout == ""
    assert "Error: no source of MNIST works" in offline.stderr


def test_evaluate_refuses_labels_that_the_model_does_not_know(
    tmp_path: Path, digits_model: Path, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    np.savez(tmp_path / "letters.npz", images=digits[0][:70], labels=digits[1][:70] + 5)
    result = invoke("evaluate", "--model", digits_model, "--dataset", "letters.npz")
    assert result.exit_code == 1
    assert "labels that the model does not know (11, 12, 14); it knows 0, 1" in only_error(result)


def test_a_report_does_not_overwrite_the_model(digits_model: Path) -> None:
    before = digits_model.read_bytes()
    assert invoke("evaluate", "-m", digits_model, "-o", digits_model).exit_code == 2
    assert digits_model.read_bytes() == before


def test_a_model_that_does_not_say_what_trained_it(digits_model: Path) -> None:
    save_model(replace(load_model(digits_model), metadata={}), "m.joblib")
    result = invoke("evaluate", "-m", "m.joblib")
    assert result.exit_code == 1
    assert "name a data set with --dataset" in only_error(result)
    assert invoke("evaluate", "-m", "m.joblib", "--dataset", "digits").exit_code == 0


def test_one_class_is_evaluated_too() -> None:
    images = load_digits_as_images().images[:50]
    np.savez("one.npz", images=images, labels=np.full(50, 3, np.uint8))
    assert invoke("train", *PLAIN, "--dataset", "one.npz", "--epochs", 1).exit_code == 0
    result = invoke("evaluate", "--json")
    assert json.loads(result.stdout)["accuracy"] == 1.0
