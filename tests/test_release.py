"""The scripts behind the shipped model: a trial of the whole protocol on the bundled digits."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from mnist_net import Hyperparameters
from mnist_net.datasets.loading import load_dataset
from mnist_net.reports.figures import evaluate
from mnist_net.trained.committee import Committee
from mnist_net.trained.contents import arrays_of, digest_of
from mnist_net.trained.store import load_model
from scripts.release.card import latest_of_each_seed
from scripts.release.committee import COMMITTEES
from scripts.release.student import STUDENT
from scripts.release.teachers import TEACHERS
from tests.conftest import study

TRIAL = ("--dataset", "digits", "--held-out", 300, "--trial")


def release(folder: Path, *arguments: object, status: int = 0) -> Result:
    plain = (*TRIAL, "--preset", "plain", "--folder", folder)
    return study("release", *plain, *arguments, status=status)


def evaluations(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "results" / "test_evaluations.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which both stages ran, with the preset that ships, in no time."""
    folder = tmp_path_factory.mktemp("release")
    study("release", *TRIAL, "--folder", folder, "--stage", 1)
    study("release", *TRIAL, "--folder", folder, "--stage", 2, "--seed", 0)
    return folder


def test_stage_1_freezes_a_temperature_that_stage_2_uses(released: Path) -> None:
    frozen = json.loads((released / "results" / "release.json").read_text())["accurate"]
    assert frozen["hyperparameters"]["validation"] == 300
    assert frozen["validation"]["n"] == 300
    validated = load_model(released / "models" / "accurate-validation.joblib")
    assert validated.temperature == frozen["temperature"]
    final = validated.metadata["history"][-1]["validation_accuracy"]
    assert frozen["validation"]["error"] == pytest.approx(1.0 - final, abs=0.01)  # float16
    before = frozen["validation before calibration"]
    assert frozen["validation"]["log_loss"] <= before["log_loss"]
    model = load_model(released / "models" / "mnist.joblib")
    assert model.temperature == frozen["temperature"] != 1.0
    assert model.metadata["hyperparameters"]["validation"] == 0
    assert model.metadata["data"]["n_train"] == 1500


def test_what_was_evaluated_is_what_is_stored(released: Path) -> None:
    model, test = load_model(released / "models" / "mnist.joblib"), load_dataset("digits").test
    weights = model.parameters[0].weights
    assert (weights == weights.astype(np.float16)).all()
    found = evaluate(test.labels, model.predict_proba(test.images), model.classes)
    (recorded,) = evaluations(released)
    assert recorded["errors"] == found.errors
    assert recorded["error"] == found.errors / 297
    assert recorded["ece"] == found.ece
    assert (recorded["recipe"], recorded["seed"], recorded["n"]) == ("accurate", 0, 297)
    assert recorded["hyperparameters"] == model.metadata["hyperparameters"]
    assert recorded["commit"] == "unknown" or len(recorded["commit"]) >= 12
    assert model.metadata["accuracy"]["test"] == pytest.approx(1.0 - recorded["error"])


def test_the_card_says_what_was_recorded(released: Path) -> None:
    study("release", "card", "--folder", released)
    page = (released / "models" / "README.md").read_text(encoding="utf-8")
    (recorded,) = evaluations(released)
    assert f"**{recorded['error']:.2%} error** on the 297 test pictures" in page
    assert f"**{recorded['ece']:.2%}**" in page
    assert "784-20-10" in page
    assert f"{15_910:,} parameters" in page  # 784 · 20 + 20 + 20 · 10 + 10
    assert "Not measured yet" in page
    for heading in ("Intended use", "Data", "Recipe", "Error", "Calibration", "What it is bad at"):
        assert f"\n## {heading}\n" in page
    figures = {"ours": 0.9, "ours, refusals are errors": 0.85, "sources": 7, "pictures": 1234}
    foreign = {"single": {"photo": figures}}
    (released / "results" / "foreign.json").write_text(json.dumps(foreign))
    study("release", "card", "--folder", released)
    page = (released / "models" / "README.md").read_text(encoding="utf-8")
    assert "| photo | 90.0% | 85.0% | 7 | 1,234 |" in page


def test_seeds_apart_and_again(tmp_path: Path) -> None:
    done = release(tmp_path)
    shown = [line for line in done.stdout.splitlines() if "epoch" not in line]
    assert shown[0].startswith("plain: validation error ")
    assert [line.split(":")[0] for line in shown[1:]] == [f"plain, seed {n}" for n in (0, 1, 2)]
    # A finished run is not trained again, but its evaluation is an evaluation.
    again = release(tmp_path, "--stage", 2, "--seed", 1)
    assert "epoch" not in again.stdout
    records = evaluations(tmp_path)
    assert [record["seed"] for record in records] == [0, 1, 2, 1]
    assert records[1]["error"] == records[3]["error"]
    assert len({record["log_loss"] for record in records}) == 3
    assert not (tmp_path / "models" / "mnist.joblib").exists()  # that of `accurate`


def test_the_temperature_belongs_to_one_recipe(tmp_path: Path) -> None:
    early = release(tmp_path, "--stage", 2, status=1)
    assert early.stderr == ("Error: there is no temperature for 'plain' yet: run --stage 1 first\n")
    # The network is kept, so that stage 1 may also run beside stage 2, or after it.
    release(tmp_path, "--stage", 1)
    late = release(tmp_path, "--stage", 2, "--seed", 0)
    assert "epoch" not in late.stdout
    assert len(evaluations(tmp_path)) == 1
    other = release(tmp_path, "--stage", 2, "--seed", 1, "--epochs", 2, status=1)
    assert "the recipe 'plain' has changed since stage 1" in other.stderr
    assert len(evaluations(tmp_path)) == 1


def test_no_card_without_an_evaluation(released: Path, tmp_path: Path) -> None:
    for folder in ("models", "results"):
        (tmp_path / folder).mkdir()
    model = (released / "models" / "mnist.joblib").read_bytes()
    (tmp_path / "models" / "mnist.joblib").write_bytes(model)
    (tmp_path / "results" / "test_evaluations.jsonl").write_text("")
    done = study("release", "card", "--folder", tmp_path, status=1)
    assert "there is no recorded evaluation of this model" in done.stderr


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with a student and its teachers, and what was said of them."""
    folder = tmp_path_factory.mktemp("student")
    return folder, study("release", "student", *TRIAL, "--folder", folder).stdout


def test_a_student_and_its_teachers(taught: tuple[Path, str]) -> None:
    """The teachers of stage 1 have not seen what the student's temperature is fitted on."""
    folder, said = taught
    seen = {
        name: load_model(folder / "models" / name).metadata["data"]["n_train"]
        for name in (*TEACHERS, *(f"validated-{name}" for name in TEACHERS))
    }
    assert seen == {name: 1200 if name.startswith("validated") else 1500 for name in seen}
    student = load_model(folder / "models" / "student-seed-0.joblib")
    frozen = json.loads((folder / "results" / "release.json").read_text())
    assert student.temperature == frozen["student"]["temperature"]
    assert frozen["student-alone"]["hyperparameters"]["teacher_weight"] == 0.0
    assert len(student.architecture.layer_sizes) == 3
    teachers = [load_model(folder / "models" / name) for name in TEACHERS]
    assert [one["digest"] for one in student.metadata["teacher"]["networks"]] == [
        digest_of(arrays_of(one.parameters)) for one in teachers
    ]
    (recorded,) = evaluations(folder)
    assert recorded["recipe"] == "student"
    assert recorded["hyperparameters"]["teacher_weight"] == STUDENT.teacher_weight
    assert f"student, seed 0: test error {recorded['error']:.2%}" in said


def test_the_card_of_a_student_names_its_teachers(taught: tuple[Path, str], tmp_path: Path) -> None:
    shutil.copytree(taught[0], tmp_path, dirs_exist_ok=True)
    models = tmp_path / "models"
    (models / "student-seed-0.joblib").replace(models / "mnist.joblib")
    study("release", "card", "--folder", tmp_path)
    page = (models / "README.md").read_text(encoding="utf-8")
    assert "Taught by 784-20-10 (relu), 784-20-10 (relu)" in page
    assert "python -m scripts.release student  # trains" in page


@pytest.mark.parametrize(("kind", "name"), [("connected", ""), ("shared", "-shared")])
def test_a_committee_of_members_that_differ(tmp_path: Path, kind: str, name: str) -> None:
    trial = ("--of", kind, "--dataset", "digits", "--trial", "--folder", tmp_path)
    file = tmp_path / "models" / list(COMMITTEES[kind])[-1]
    study("release", "committee", *trial, "--only", file.name)
    assert not (tmp_path / "results").exists()
    kept = file.read_bytes()
    done = study("release", "committee", *trial)
    assert file.read_bytes() == kept
    (recorded,) = evaluations(tmp_path)
    assert f"test error {recorded['error']:.2%}" in done.stdout
    committee, test = (
        load_model(tmp_path / "models" / f"committee{name}.joblib"),
        load_dataset("digits").test,
    )
    assert isinstance(committee, Committee)
    assert recorded["recipe"] == committee.metadata["preset"] == f"committee{name}"
    assert len(committee.members) == len(recorded["members"]) == len(COMMITTEES[kind])
    # The mean of the members' probabilities, each from its own file.
    members = [load_model(tmp_path / "models" / name) for name in COMMITTEES[kind]]
    mean = np.mean([member.predict_proba(test.images) for member in members], axis=0)
    assert recorded["errors"] == (mean.argmax(axis=1) != test.labels).sum()
    for member, errors in zip(members, recorded["members"].values(), strict=True):
        assert errors == (member.predict(test.images) != test.labels).sum()
    shares = [bool(recipe["feature_maps"]) for recipe in recorded["hyperparameters"].values()]
    assert shares == [kind == "shared"] * len(members)


def test_a_member_of_another_recipe_is_not_taken(tmp_path: Path) -> None:
    trial = ("--dataset", "digits", "--trial", "--folder", tmp_path, "--only")
    study("release", "committee", *trial, "deep-tanh.joblib")
    (tmp_path / "models" / "deep-tanh.joblib").rename(tmp_path / "models" / "deep-relu.joblib")
    done = study("release", "committee", *trial, "deep-relu.joblib", status=1)
    assert "deep-relu.joblib is not what its recipe says" in done.stderr


def test_seeds_are_of_one_recipe_however_old_their_records() -> None:
    def record(seed: int, **hyperparameters: Any) -> dict[str, Any]:
        recipe = {"epochs": 7, "random_state": seed, **hyperparameters}
        return {"seed": seed, "temperature": 1.0, "hyperparameters": recipe}

    default = Hyperparameters().teacher_weight
    records = [record(0), record(1), record(2, epochs=8), record(0, teacher_weight=default)]
    assert latest_of_each_seed(records[3], records) == [records[3], records[1]]
