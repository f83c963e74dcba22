"""``mnist-net predict``: answers, pictures that cannot be read, and which model answers."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnist_net.datasets.loading import load_digits_as_images
from mnist_net.pictures.decoding import save_png
from mnist_net.trained.store import load_model, save_model
from tests.cli.conftest import invoke, only_error, posix

ANYTHING = ("--reject-below", 0)  # a network that has seen so little is sure of nothing


PREDICTED = ["image", "digit", "probability", "score", "box", "probabilities", "reason", "model"]


def test_predict_answers_for_files_and_folders(digits_model: Path, pictures: Path) -> None:
    result = invoke("predict", "-m", digits_model, *ANYTHING, "pictures", "./pictures/3.png")
    assert result.exit_code == 0
    answers = [re.fullmatch(r"(\S+): (\d) \((\d+\.\d)%\)", li) for li in result.stdout.splitlines()]
    assert all(answers)
    assert [a[1] for a in answers] == [
        *(f"pictures/{n}.png" for n in range(5)),
        "./pictures/3.png",
    ]
    assert [a[2] for a in answers][:5] == list("01234")
    assert answers[3].groups()[1:] == answers[5].groups()[1:]


def test_predict_warns_of_a_toy_model_on_stderr_only(digits_model: Path, pictures: Path) -> None:
    result = invoke("predict", "--model", digits_model, "pictures", "-q")
    assert result.stderr.startswith("warning: this model has only seen scikit-learn's 8×8 digits")
    assert len(result.stderr.splitlines()) == 1
    assert "warning" not in result.stdout
    model = load_model(digits_model)
    model.metadata["data"]["name"] = "mnist"
    save_model(model, "real.joblib")
    assert invoke("predict", "--model", "real.joblib", "pictures").stderr == ""


def test_predict_reads_standard_input(digits_model: Path, pictures: Path) -> None:
    content = (pictures / "2.png").read_bytes()
    result = invoke("predict", "-m", digits_model, *ANYTHING, "--json", "-", input=content)
    answer = json.loads(result.stdout)
    assert (answer["image"], answer["digit"]) == ("-", 2)
    nothing = invoke("predict", "--model", digits_model, "-", input=b"")
    assert nothing.exit_code == 1
    assert "Error: -: standard input is empty; send a picture" in nothing.stderr


def test_predict_top_lists_the_most_probable_first(digits_model: Path, pictures: Path) -> None:
    options = ("--model", digits_model, *ANYTHING)
    result = invoke("predict", *options, "--top", 3, "pictures/4.png")
    shown = re.findall(r"(\d) \((\d+\.\d)%\)", result.stdout)
    assert shown[0][0] == "4"
    assert len(shown) == len({digit for digit, _ in shown}) == 3
    percents = [float(percent) for _, percent in shown]
    assert percents == sorted(percents, reverse=True)
    everything = invoke("predict", *options, "--top", 99, "pictures/4.png")
    assert len(re.findall(r"\(\d+\.\d%\)", everything.stdout)) == 10


def test_predict_json_has_one_object_a_picture(
    digits_model: Path, pictures: Path, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    result = invoke("predict", "--model", digits_model, *ANYTHING, "--json", "pictures")
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(answers) == 5
    for number, answer in enumerate(answers):
        assert list(answer) == PREDICTED
        assert answer["reason"] is None
        assert 0.0 < answer["score"] <= 1.0
        assert answer["image"] == f"pictures/{number}.png"
        assert type(answer["digit"]) is int
        assert list(answer["probabilities"]) == [str(digit) for digit in range(10)]
        assert answer["probability"] == answer["probabilities"][str(answer["digit"])]
        assert answer["probability"] == max(answer["probabilities"].values())
        assert sum(answer["probabilities"].values()) == pytest.approx(1.0, abs=1e-5)
    # The answers are those of the library.
    model = load_model(digits_model)
    expected = model.predict_proba(digits[0][:5])
    assert [a["digit"] for a in answers] == expected.argmax(axis=1).tolist()


def test_a_bad_picture_among_good_ones(digits_model: Path, pictures: Path) -> None:
    (pictures / "1.png").write_text("not a picture")
    (pictures / "2.png").write_bytes((pictures / "0.png").read_bytes()[:60])
    (pictures / "3.png").write_bytes(b"")
    Image.new("L", (30, 30), 255).save(pictures / "5.png")
    (pictures / "folder.png").mkdir()
    options = ("--model", digits_model, *ANYTHING)
    result = invoke("predict", *options, "pictures", "gone.png", "-q")
    assert result.exit_code == 1
    *read, blank = result.stdout.splitlines()
    assert [line.split(":")[0] for line in read] == ["pictures/0.png", "pictures/4.png"]
    assert blank == "pictures/5.png: - (nothing on it is darker or lighter than its paper)"
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    names = ["pictures/1.png", "pictures/2.png", "pictures/3.png", "gone.png"]
    assert len(errors) == len(names)
    assert all(name in error for name, error in zip(names, errors, strict=True))

    as_json = invoke("predict", *options, "--json", "pictures", "gone.png")
    assert as_json.exit_code == 1
    answers = [json.loads(line) for line in as_json.stdout.splitlines()]
    failed = [answer for answer in answers if "error" in answer]
    assert len(answers) == 7
    assert [answer["image"] for answer in failed] == names
    assert all(list(answer) == ["image", "error"] for answer in failed)
    assert all("error:" not in line for line in as_json.stderr.splitlines())


def test_a_folder_without_pictures(digits_model: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("no picture")
    result = invoke("predict", "--model", digits_model, "empty")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "Error: empty: no pictures in this folder" in result.stderr


def test_the_model_of_the_environment_is_used(
    monkeypatch: pytest.MonkeyPatch, digits_model: Path, pictures: Path
) -> None:
    monkeypatch.setenv("MNIST_NET_MODEL", str(digits_model))
    assert invoke("predict", "pictures").exit_code == 0
    assert json.loads(invoke("info", "--json").stdout)["model"] == str(digits_model)
    monkeypatch.setenv("MNIST_NET_MODEL", "gone.joblib")
    assert "gone.joblib: no such file" in only_error(invoke("predict", "pictures"))


@posix
def test_a_reader_that_has_seen_enough_is_no_error(
    digits_model: Path, pictures: Path, tmp_path: Path
) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for number in range(400):
        os.link(pictures / "3.png", many / f"{number:03}.png")
    command = f"{sys.executable} -m mnist_net predict -m {digits_model} --reject-below 0 many"
    command += " | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert re.fullmatch(r"many/000\.png: 3 \(\d+\.\d%\)\n", done.stdout)
    assert len(done.stderr.splitlines()) == 1  # the warning of the toy model
    assert done.stderr.startswith("warning:")


def test_a_model_that_overflows_says_so(digits_model: Path) -> None:
    model = load_model(digits_model)
    save_model(replace(model, scaling=model.scaling._replace(scale=5e-324)), "m.joblib")
    save_png(load_digits_as_images().images[0], Path("a.png"))
    result = invoke("predict", "-m", "m.joblib", "a.png")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "overflow" in result.stderr


@posix
def test_standard_input_that_is_closed(digits_model: Path) -> None:
    command = f"{sys.executable} -m mnist_net predict -m {digits_model} - <&-"
    finished = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert finished.returncode == 1
    assert "standard input is closed" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_names_and_models_do_not_steer_the_terminal(digits_model: Path) -> None:
    name = "\x1b[31m.png"
    save_png(load_digits_as_images().images[0], Path(name))
    result = invoke("predict", "-m", digits_model, name)
    assert result.exit_code == 0
    # What click strips where there is no terminal, it leaves on one: nothing may get that far.
    assert result.stdout.startswith(r"\x1b[31m.png: ")
    missing = invoke("predict", "-m", digits_model, "\x1b[31m.gif")
    assert r"\x1b[31m.gif: no such file" in missing.stderr


def test_a_postscript_file_starts_no_program(digits_model: Path) -> None:
    Path("a.png").write_bytes(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"
    )
    result = invoke("predict", "-m", digits_model, "a.png")
    assert result.exit_code == 1
    assert "format EPS, which is not read" in result.stderr
