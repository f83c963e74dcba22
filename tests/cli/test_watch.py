"""``mnist-net train`` while it runs: what it shows, what Ctrl-C keeps, and how it goes on."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnist_net.learning import training
from mnist_net.runs import together
from mnist_net.runs.checkpoints import load_checkpoint, save_checkpoint
from mnist_net.runs.together import train_model
from mnist_net.trained.store import load_model
from tests.cli.conftest import (
    PLAIN,
    SMALL,
    invoke,
    on_terminal,
    only_error,
    posix,
    started,
    wait_for_epoch,
)
from tests.conftest import ROOT, bits


def test_resume_says_what_it_needs() -> None:
    assert "--resume needs --checkpoint DIR" in invoke("train", "--resume").stderr


@posix
@pytest.mark.parametrize(
    ("epochs", "options"),
    [
        (60, ("--validation", 200)),
        (
            60,
            (
                "--optimizer",
                "adamw",
                "--learning-rate",
                0.003,
                "--warmup-epochs",
                2,
                "--no-shuffle",
            ),
        ),
        (30, ("--distortion", "both")),
    ],
    ids=["sgd", "adamw", "distorted"],
)
def test_a_killed_run_resumes_to_the_same_bits(
    lean: tuple[object, ...], epochs: int, options: tuple[object, ...]
) -> None:
    """With so many epochs that it is killed long before the last."""
    recipe = ("train", *lean, "--epochs", epochs, "--batch-size", 20, *options)
    with started(*recipe, "--checkpoint", "run", "-o", "b.joblib") as process:
        wait_for_epoch(process, 4)
    assert process.returncode == -signal.SIGKILL
    assert not Path("b.joblib").exists()
    reached = load_checkpoint("run/checkpoint.joblib")[0].latest.number
    assert 4 <= reached < epochs

    resumed = invoke(*recipe, "--checkpoint", "run", "--resume", "-o", "b.joblib")
    assert resumed.exit_code == 0
    said = resumed.stderr.splitlines()
    assert said[0] == f"going on after epoch {reached}"
    assert said[1].startswith(f"epoch {reached + 1:>2}/{epochs}")
    assert invoke(*recipe, "-q", "-o", "a.joblib").exit_code == 0
    a, b = load_model("a.joblib"), load_model("b.joblib")
    assert bits(a) == bits(b)
    assert [r["loss"] for r in a.metadata["history"]] == [r["loss"] for r in b.metadata["history"]]
    assert len(b.metadata["history"]) == epochs

    # A run that is over can be resumed too: nothing is left to do, and the model is the same.
    again = invoke(*recipe, "--checkpoint", "run", "--resume", "-o", "c.joblib")
    assert again.exit_code == 0
    assert again.stderr == f"going on after epoch {epochs}\n"
    assert bits(a) == bits(load_model("c.joblib"))


def test_resume_without_a_checkpoint_yet_starts_and_says_so() -> None:
    result = invoke("train", *SMALL, "--epochs", 1, "--checkpoint", "run", "--resume")
    assert result.exit_code == 0
    assert "run/checkpoint.joblib does not exist yet: starting" in result.stderr


def test_an_earlier_run_is_not_overwritten_by_accident() -> None:
    recipe = ("train", *SMALL, "--epochs", 1, "--checkpoint", "run")
    assert invoke(*recipe).exit_code == 0
    before = Path("run/checkpoint.joblib").read_bytes()
    result = invoke(*recipe)
    assert result.exit_code == 2
    assert "run/checkpoint.joblib holds an earlier run: add --resume" in result.stderr
    assert Path("run/checkpoint.joblib").read_bytes() == before


def test_a_checkpoint_of_another_recipe_is_refused_and_the_difference_named() -> None:
    recipe = ("train", *SMALL, "--epochs", 1, "--checkpoint", "run")
    assert invoke(*recipe, "--learning-rate", 0.2, "--batch-size", 100).exit_code == 0
    result = invoke(*recipe, "--resume", "--learning-rate", 0.1, "--batch-size", 10, "-q")
    assert result.exit_code == 1
    message = only_error(result)
    assert "(learning_rate was 0.2, is 0.1; batch_size was 100, is 10)" in message


def test_a_checkpoint_from_before_there_were_distortions_goes_on_without() -> None:
    recipe = ("train", *SMALL, "--epochs", 2, "--checkpoint", "run")
    assert invoke(*recipe).exit_code == 0
    progress, identity = load_checkpoint("run/checkpoint.joblib")
    del identity["hyperparameters"]["distortion"]
    save_checkpoint("run/checkpoint.joblib", progress, identity)
    assert invoke(*recipe, "--resume").exit_code == 0
    message = only_error(invoke(*recipe, "--resume", "--distortion", "affine", "-q"))
    assert "(distortion was {'rotation': 0.0, " in message
    identity["hyperparameters"]["telepathy"] = True
    save_checkpoint("run/checkpoint.joblib", progress, identity)
    assert "(telepathy is not known here)" in only_error(invoke(*recipe, "--resume", "-q"))


def test_a_checkpoint_of_other_data_is_refused(npz: Path) -> None:
    recipe = ("train", *PLAIN, "--hidden", 16, "--epochs", 1, "--checkpoint", "run", "-q")
    assert invoke(*recipe, "--dataset", "digits").exit_code == 0
    result = invoke(*recipe, "--dataset", npz, "--resume")
    assert result.exit_code == 1
    assert "its data differ" in only_error(result)


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "checkpoint.joblib").write_bytes(b"no checkpoint")
    result = invoke("train", *SMALL, "--checkpoint", "run", "--resume")
    assert result.exit_code == 1
    assert "run/checkpoint.joblib is not a file that mnist-net wrote" in only_error(result)


@posix
def test_ctrl_c_after_an_epoch_saves_the_best_so_far(lean: tuple[object, ...]) -> None:
    with started("train", *lean, "--epochs", 100_000, "--validation", 200) as process:
        wait_for_epoch(process, 2)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    metadata = load_model("models/latest.joblib").metadata
    best = max(metadata["history"], key=lambda r: (r["validation_accuracy"], -r["validation_loss"]))
    assert metadata["epoch"] == best["epoch"]
    assert stderr.splitlines()[-1] == (
        f"interrupted: epoch {best['epoch']}, the best so far, is kept"
    )
    assert "Traceback" not in stderr
    assert stdout.startswith("test accuracy")
    assert "models/latest.joblib" in stdout


def test_ctrl_c_keeps_the_best_epoch_and_not_the_latest(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: Any, **options: Any) -> Iterator[training.Progress]:
        for progress in train_epochs(*arguments, **options):
            yield progress
            if progress.best is not progress.latest:
                raise KeyboardInterrupt

    train_epochs = training.train
    monkeypatch.setattr(together, "train", interrupted)
    result = invoke("train", *SMALL, "--validation", 200, "--learning-rate", 2, "--epochs", 30)
    assert result.exit_code == 130
    metadata = load_model("models/latest.joblib").metadata
    assert metadata["epoch"] == len(metadata["history"]) - 1
    assert f"interrupted: epoch {metadata['epoch']}, the best so far, is kept" in result.stderr


@posix
def test_a_terminal_gets_a_progress_bar(lean: tuple[object, ...]) -> None:
    status, stdout, terminal = on_terminal("train", *lean, "--epochs", 5, "--validation", 100)
    assert status == 0
    assert stdout.startswith("test accuracy")
    assert "\r" in terminal
    last = terminal.split("\r")[-1]
    assert re.search(r"100%\|█+\| 5/5 \[.*loss \d\.\d+  validation \d+\.\d+%  rate [\d.e-]+", last)
    assert "epoch 1/5" not in terminal


@posix
def test_a_quiet_run_draws_no_bar_on_a_terminal(lean: tuple[object, ...]) -> None:
    assert on_terminal("train", *lean, "--epochs", 2, "-q")[2] == ""


@posix
def test_ctrl_c_before_the_first_epoch_writes_nothing(lean: tuple[object, ...]) -> None:
    # 1,500 steps with 16 million weights take a minute; the empty bar shows that they have begun.
    status, stdout, terminal = on_terminal(
        *("train", *lean, "--hidden", 4000, "--hidden", 4000, "--batch-size", 1),
        *("--checkpoint", "run", "--epochs", 30),
        interrupt_after="0/30",
    )
    assert status == 130, terminal
    assert stdout == ""
    assert "Traceback" not in terminal
    last = "interrupted before the first epoch ended: there is nothing to save"
    assert terminal.endswith(f"{last}\n")
    assert [path for path in Path().rglob("*") if path.is_file()] == []


def test_an_interrupt_within_an_executed_text_ends_with_its_status(tmp_path: Path) -> None:
    (tmp_path / "interrupted.py").write_text(
        "import sys\n"
        "import mnist_net.cli\n"
        "from mnist_net.__main__ import run\n"
        "def main(prog_name):\n"
        "    try:\n"
        "        exec('raise KeyboardInterrupt')\n"
        "    except KeyboardInterrupt:\n"
        "        sys.exit(130)\n"
        "mnist_net.cli.main = main\n"
        "run()\n"
    )
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    command = [sys.executable, "-m", "interrupted"]
    assert subprocess.run(command, env=environment, check=False).returncode == 130


DRAWING = "drawing digits in forms that MNIST lacks, which takes some seconds ...\n"


def test_drawing_is_announced() -> None:
    train = ("train", *SMALL, "--epochs", 1)
    assert invoke(*train, "--drawn-digits", 5).stderr.startswith(f"{DRAWING}epoch 1/1")
    assert invoke(*train, "--drawn-digits", 5, "-q").stderr == ""
    assert DRAWING not in invoke(*train).stderr


def test_none_are_drawn_unasked_for_classes_that_may_be_no_digits(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (90, 28, 28), np.uint8)
    np.savez(tmp_path / "clothes.npz", images=images, labels=np.arange(90) % 10)
    train = ("train", "--dataset", "clothes.npz", "--hidden", 4, "--epochs", 1)
    assert DRAWING not in invoke(*train).stderr
    model = load_model("models/latest.joblib")
    assert model.metadata["hyperparameters"]["drawn_digits"] == 0
    assert model.metadata["data"]["n_train"] == 77
    assert invoke(*train, "--drawn-digits", 5).stderr.startswith(DRAWING)
    trained = train_model("clothes.npz")
    assert trained.metadata["hyperparameters"]["drawn_digits"] == 0


@posix
def test_ctrl_c_while_digits_are_drawn_is_one_word(tmp_path: Path) -> None:
    images = np.zeros((70_000, 28, 28), np.uint8)
    np.savez(tmp_path / "set.npz", images=images, labels=np.arange(len(images)) % 10)
    with started("train", "--dataset", "set.npz", "--drawn-digits", 20_000) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == DRAWING
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (130, "interrupted\n")
    assert not Path("models").joinpath("latest.joblib").exists()


@posix
@pytest.mark.parametrize("stderr", ["2>&-", "2>/dev/full", "2>&1 | head -1"])
def test_training_survives_a_stderr_that_nobody_reads(
    lean: tuple[object, ...], stderr: str
) -> None:
    train = shlex.join(map(str, (sys.executable, "-m", "mnist_net", "train", *lean)))
    command = f"{train} --epochs 50 {stderr}"
    subprocess.run(["bash", "-c", command], check=False, capture_output=True)
    assert len(load_model().metadata["history"]) == 50


@posix
def test_more_interruptions_lose_nothing(lean: tuple[object, ...]) -> None:
    with started("train", *lean, "--hidden", 500, "--epochs", 10_000) as process:
        wait_for_epoch(process, 1)
        for _ in range(50):  # until it has ended, most likely
            process.send_signal(signal.SIGINT)
            time.sleep(0.002)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "is kept" in said
    assert load_model().metadata["history"]


def test_a_checkpoint_of_another_shape_is_refused() -> None:
    recipe = ("train", *SMALL, "--epochs", 2, "--checkpoint", "run")
    assert invoke(*recipe).exit_code == 0
    progress, identity = load_checkpoint("run/checkpoint.joblib")
    (first, second) = progress.latest.parameters
    narrow = (first._replace(weights=first.weights[:, :8], biases=first.biases[:8]), second)
    tampered = replace(progress, latest=progress.latest._replace(parameters=narrow))
    save_checkpoint("run/checkpoint.joblib", tampered, identity)
    result = invoke(*recipe, "--resume")
    assert result.exit_code == 1
    assert "is damaged" in only_error(result)
