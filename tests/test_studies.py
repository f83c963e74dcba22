"""The scripts that study what was built: trials of them on the bundled digits."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from PIL import Image

from mnist_net.learning.distortion import DISTORTIONS
from mnist_net.learning.recipe import TAUGHT
from mnist_net.pictures.decoding import open_image
from mnist_net.trained.committee import Committee
from mnist_net.trained.store import load_model, save_model
from scripts.accuracy import adapt, ideas, validation
from tests.conftest import ROOT, study


@pytest.mark.parametrize("folder", ["accuracy", "docs", "pages", "release"])
def test_a_study_is_a_program(folder: str) -> None:
    """The others run in this process."""
    command = [sys.executable, "-W", "error", "-m", f"scripts.{folder}", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"Usage: python -m scripts.{folder} [OPTIONS] COMMAND")


def run_ablation(output: Path, *arguments: object, status: int = 0) -> Result:
    small = ("--held-out", 300, "--trial", "--epochs", 2, "--jobs", 1)
    named = ("--dataset", "digits", *small, "--output", output)
    return study("accuracy", "ablation", *named, *arguments, status=status)


def test_ablation_measures_each_distortion_and_goes_on(tmp_path: Path) -> None:
    output = tmp_path / "ablation.json"
    done = run_ablation(output, "--seeds", 1)
    found = json.loads(output.read_text())
    assert found["errors"].keys() == DISTORTIONS.keys()
    assert all(0.0 < error < 1.0 for of in found["errors"].values() for error in of.values())
    assert "4 of 4 runs" in done.stdout
    # What is there is not measured again, and what is missing is.
    found["errors"]["none"]["0"] = 0.25
    del found["errors"]["both"]
    output.write_text(json.dumps(found))
    again = run_ablation(output, "--seeds", 1)
    assert again.stdout.startswith("3 of 4 runs\n4 of 4 runs\n")
    errors = json.loads(output.read_text())["errors"]
    assert errors["none"] == {"0": 0.25}
    assert "| none | 25.00 ± 0.00 | 1 |" in again.stdout
    other = run_ablation(output, "--seeds", 1, "--epochs", 3, status=2)
    assert "is about another recipe" in other.stderr


def test_ablation_by_hand() -> None:
    found: dict[str, Any] = {
        "none": {"0": 0.020, "1": 0.022, "2": 0.024},
        "affine": {"0": 0.010, "1": 0.012, "2": 0.014},
        "elastic": {"0": 0.008, "1": 0.009, "2": 0.010},
        "both": {"0": 0.006, "1": 0.006, "2": 0.006},
    }
    lines = validation.tables(found).splitlines()
    # 2.0, 2.2, 2.4: their deviation is 0.2, and 0.2 / √3 is 0.115.
    assert "| none | 2.20 ± 0.12 | 3 |" in lines
    # Seed by seed affine saves 1.0 each time; elastic 1.2, 1.3, 1.4, of deviation 0.1.
    # Beside elastic affine saves 0.2, 0.3, 0.4; elastic beside affine 0.4, 0.6, 0.8.
    assert "| affine | 1.00 ± 0.00 | 0.30 ± 0.06 |" in lines
    assert "| elastic | 1.30 ± 0.06 | 0.60 ± 0.12 |" in lines


def test_ideas_are_measured_once(tmp_path: Path) -> None:
    output = tmp_path / "results" / "ideas.json"
    small = ("--dataset", "digits", "--held-out", 300, "--trial", "--folder", tmp_path)
    taught = ("accuracy", "ideas", *small, "--seeds", 1)
    done = study(*taught, "--only", "labels alone")
    found = json.loads(output.read_text())["ideas"]
    assert all(0.0 < of["0"]["error"] < 1.0 < of["0"]["log loss"] * 10 for of in found.values())
    again = study(*taught, "--only", "labels alone")
    assert again.stdout == done.stdout[done.stdout.index("| idea") :]


def test_a_taught_default_is_on_record(tmp_path: Path, digits_model: Path) -> None:
    small = ("--dataset", "digits", "--trial", "--seeds", 1, "--folder", tmp_path)
    done = study("accuracy", "taught", *small, "--model", digits_model)
    (line,) = (tmp_path / "results" / "test_evaluations.jsonl").read_text().splitlines()
    record = json.loads(line)
    assert record["hyperparameters"]["teacher_temperature"] == TAUGHT["teacher_temperature"]
    assert f"seed 0: test error {record['error']:.2%}" in done.stdout
    assert record["n"] == 297


def test_ideas_by_hand() -> None:
    def one(error: float, averaged: float, seconds: float) -> dict[str, float]:
        figures = {"error": error, "averaged error": averaged, "log loss": 10 * error}
        return {**figures, "averaged log loss": 0.5, "seconds": seconds}

    found = {
        "a": {"0": one(0.010, 0.02, 3.0), "1": one(0.012, 0.02, 5.0)},
        "b": {"0": one(0, 0, 1)},
    }
    lines = ideas.tables(found).splitlines()
    # 1.0 and 1.2: their deviation is 0.141, and 0.141 / √2 is 0.1.
    assert lines[2] == "| a | 1.10 ± 0.10 | 2.00 ± 0.00 | 11.00 ± 1.00 | 50.00 ± 0.00 | 4 | 2 |"
    assert lines[3] == "| b | 0.00 | 0.00 | 0.00 | 50.00 | 1 | 1 |"


def test_adapting_by_hand() -> None:
    """Where the new model is refused, the old one goes on reading."""
    runs: list[dict[str, Any]] = [
        {"hand": [40, 20, 100], "test": [54, 60], "adopted": True, "seconds": 20.0},
        {"hand": [20, 10, 100], "test": [54, 99], "adopted": False, "seconds": 30.0},
    ]
    test = "0.54 % → 0.57 % (0.60 %)"
    row = ["a", "30.0 of 100", "20.0", "-33%", "-50%", test, "1 of 2", "25 s"]
    assert adapt.row("other/a.npz", runs) == row
    assert adapt.row("a", runs[1:])[2:5] == ["20.0", "+0%", ""]


def test_what_is_learned_is_not_measured() -> None:
    picture = open_image(np.eye(28, dtype=np.uint8) * 255)
    hand = [(picture, digit) for digit in range(10) for _ in range(4)]
    own, rest = adapt.drawn_by(hand, 3, seed=0)
    assert sorted(own.labels.tolist()) == sorted([*range(10)] * 3)
    assert [hand[k][1] for k in rest] == [*range(10)]


@pytest.mark.parametrize("of", ["model", "committee"])
def test_training_is_drawn(of: str, tmp_path: Path, digits_model: Path) -> None:
    path = digits_model
    if of == "committee":
        path = tmp_path / "c.joblib"
        save_model(Committee((load_model(digits_model),)), path)
    new = tmp_path / "new"
    study("docs", "training", "--model", path, "--curves", path, "--folder", new)
    for name in ("training.png", "first-layer.png"):
        with Image.open(new / name) as image:
            assert image.format == "PNG"
            assert min(image.size) > 500
