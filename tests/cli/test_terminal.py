"""What reaches a terminal or a pipe: names that are harmless there, and JSON that is JSON."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from mnist_net.datasets.loading import load_digits_as_images
from mnist_net.pictures.decoding import save_png
from mnist_net.trained.store import load_model, save_model
from tests.cli import conftest
from tests.cli.conftest import posix

EVIL = "\x1b[2J\nError: a\r"
"""It would clear the screen, and then pass for a message of ours."""
SHOWN = r"\x1b[2J\nError: a\r"


def invoke(*arguments: object) -> Result:
    """Run as on a terminal: click would take the escape sequences away elsewhere."""
    return conftest.invoke(*arguments, color=True)


def assert_harmless(result: Result, status: int = 0) -> None:
    """The name is there, escaped, and nothing of it as it is."""
    assert result.exit_code == status
    assert SHOWN in result.output
    for evil in ("\x1b[2J", "\r", "\nError: a"):
        assert evil not in result.output


@pytest.fixture
def images() -> np.ndarray:
    return load_digits_as_images().images[:70]


@pytest.fixture
def data(tmp_path: Path, images: np.ndarray) -> Path:
    """A data set with an evil name."""
    path = Path(f"{EVIL}.npz")
    np.savez(path, images=images, labels=load_digits_as_images().labels[:70])
    return path


@posix
def test_train_evaluate_and_info_show_names_escaped(data: Path) -> None:
    train = ("train", "--preset", "plain", "--epochs", 1, "--dataset", data)
    assert_harmless(invoke(*train, "-o", f"{EVIL}.joblib"))
    assert_harmless(invoke(*train, "-o", f"{EVIL}.joblib", "--checkpoint", f"{EVIL}c", "--resume"))
    assert_harmless(invoke(*train, "--checkpoint", f"{EVIL}c"), 2)
    assert_harmless(invoke(*train, "--checkpoint", f"{EVIL}.npz"), 1)
    assert_harmless(invoke(*train, "--plot", f"{EVIL}.txt"), 2)
    assert_harmless(invoke("evaluate", "-m", f"{EVIL}.joblib", "-o", f"{EVIL}.md"))
    assert_harmless(invoke("report", f"{EVIL}.joblib", "-o", f"{EVIL}.html"))
    assert_harmless(invoke("info", f"{EVIL}.joblib"))


@posix
def test_augment_and_data_show_names_escaped(data: Path) -> None:
    assert_harmless(invoke("augment", "--preview", f"{EVIL}.png", "--dataset", data))
    assert_harmless(invoke("augment", "--preview", f"{EVIL}.png", "--dataset", EVIL), 1)
    assert_harmless(invoke("data", "sample", f"{EVIL}.png", "--dataset", data))
    for command, status in (("show", 0), ("clear", 0), ("verify", 1)):
        assert_harmless(invoke("data", command, "--data-home", EVIL), status)
    assert_harmless(invoke("data", "fetch", "--offline", "--data-home", EVIL), 1)


@posix
def test_a_warning_shows_names_escaped(tmp_path: Path) -> None:
    cache = tmp_path / EVIL / "mnist-net" / "mnist.npz"
    cache.parent.mkdir(parents=True)
    cache.write_bytes(b"damaged")
    result = invoke("data", "fetch", "--offline", "--data-home", EVIL)
    assert_harmless(result, 1)
    assert result.stderr.startswith("\x1b[33mwarning:\x1b[0m ")


@posix
def test_pictures_are_shown_by_escaped_names(images: np.ndarray, digits_model: Path) -> None:
    save_png(images[0], Path(f"{EVIL}.png"))
    for command in ("predict", "read"):
        assert_harmless(invoke(command, "-m", digits_model, f"{EVIL}.png", f"{EVIL}.png"))
        assert_harmless(invoke(command, "-m", digits_model, f"{EVIL}.gif"), 1)


@pytest.mark.parametrize(
    "arguments",
    [
        ["info", "a", EVIL],
        ["train", EVIL],
        ["train", f"--{EVIL}"],
        ["train", "--epochs", EVIL],
        ["train", "--activation", EVIL],
        ["augment", "--preview", EVIL],
        ["read", "--annotate", EVIL, "a.png"],
        ["train", "-o", EVIL, "--plot", EVIL],
        [EVIL],
        ["data", EVIL],
    ],
    ids=ascii,
)
def test_wrong_usage_is_shown_escaped(arguments: list[str]) -> None:
    assert_harmless(invoke(*arguments), 2)


def test_help_stays_as_it_is() -> None:
    for arguments in ([], ["data"]):
        result = invoke(*arguments)
        assert "\n\nOptions:\n" in result.output
        assert "Commands:\n" in result.output


def test_metadata_are_shown_escaped(digits_model: Path) -> None:
    save_model(replace(load_model(digits_model), metadata={EVIL: EVIL}), "m.joblib")
    assert_harmless(invoke("info", "m.joblib"))


@posix
@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8", "utf-16"])
def test_json_is_valid_in_every_encoding(
    encoding: str, images: np.ndarray, digits_model: Path
) -> None:
    names = ["é.png", "\N{GRINNING FACE}.png", os.fsdecode(b"\xff.png"), "\x1b[2J\x7f.png", "Σ.gif"]
    for name in names[:-1]:
        save_png(images[0], Path(name))
    done = subprocess.run(
        [sys.executable, "-m", "mnist_net", "predict", "--json", "-m", digits_model, *names],
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1  # the last is missing
    lines = done.stdout.decode(encoding).splitlines()
    assert [json.loads(line)["image"] for line in lines] == names
    assert "Σ.gif: no such file" in json.loads(lines[-1])["error"]


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("--reject-below", "nan", "a.png"), "nan is not a number from 0 to 1"),
        (("--reject-below", "inf", "a.png"), "inf is not in the range"),
    ],
)
def test_what_is_no_probability_is_wrong_usage(command: tuple[str, ...], message: str) -> None:
    for reading in ("predict", "read"):
        result = invoke(reading, *command)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "--reject-below" in result.stderr
        assert message in result.stderr


@pytest.mark.parametrize("command", ["predict", "read"])
def test_an_empty_name_is_not_the_folder_that_we_are_in(
    command: str, images: np.ndarray, digits_model: Path
) -> None:
    save_png(images[0], Path("0.png"))
    result = invoke(command, "-m", digits_model, "")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.endswith(" '' is no name; give a picture, a folder, or -\n")
    answer = json.loads(invoke(command, "-m", digits_model, "--json", "").stdout)
    assert answer["image"] == ""
