"""Committees on the command line: trained, resumed, interrupted, and understood by the others."""

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnist_net.pictures.decoding import save_png
from mnist_net.runs import together
from mnist_net.runs.checkpoints import load_checkpoint
from mnist_net.trained.store import load_model
from tests.cli.conftest import SMALL, invoke, posix, started, wait_for_epoch
from tests.conftest import bits

TRAIN = ("train", *SMALL, "--epochs", 3)


@pytest.fixture
def committee_file() -> Path:
    result = invoke(*TRAIN, "--committee", 3, "--seed", 5, "-q")
    assert (result.exit_code, result.stderr) == (0, "")
    return Path("models/latest.joblib")


def test_train_says_what_the_members_are_worth() -> None:
    result = invoke(*TRAIN, "--committee", 3)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].startswith("test accuracy  ")
    assert re.fullmatch(r"members        3, alone \d\d\.\d\d% on average", lines[1])
    assert len(lines) == 5
    shown = result.stderr.splitlines()
    assert len(shown) == 3
    for number, line in enumerate(shown, 1):
        pattern = rf"epoch {number}/3  loss \d\.\d{{4}}  rate [\d.]+  \d+\.\d\d s  mean of 3"
        assert re.fullmatch(pattern, line)


def test_the_same_seeds_give_the_same_members(committee_file: Path) -> None:
    committee = load_model(committee_file)
    assert invoke(*TRAIN, "--seed", 6, "-q", "-o", "one.joblib").exit_code == 0
    assert bits(committee.members[1]) == bits(load_model("one.joblib"))


def test_other_commands_understand_it(
    committee_file: Path, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    assert invoke("use", committee_file).exit_code == 0
    evaluated = json.loads(invoke("evaluate", "--json").stdout)
    committee = load_model(committee_file)
    assert evaluated["accuracy"] == committee.metadata["accuracy"]["test"]
    save_png(digits[0][0], Path("digit.png"))
    answer = json.loads(invoke("predict", "--json", "digit.png").stdout)
    assert answer["digit"] in range(10)

    shown = invoke("info").stdout
    assert re.search(r"^members +3$", shown, re.MULTILINE)
    assert re.search(r"^every member\nlayer sizes +784 16 10$", shown, re.MULTILINE)
    assert len(re.findall(r"^member \d\nhyperparameters ", shown, re.MULTILINE)) == 3
    values = json.loads(invoke("info", "--json").stdout)
    assert [m["hyperparameters"]["random_state"] for m in values["members"]] == [5, 6, 7]
    assert len(values["members"][0]["history"]) == 3
    assert values["accuracy"] == committee.metadata["accuracy"]


def test_checkpoints_are_kept_for_each_member() -> None:
    recipe = (*TRAIN, "--committee", 2, "--checkpoint", "run")
    assert invoke(*recipe, "-q", "-o", "a.joblib").exit_code == 0
    files = sorted(path.name for path in Path("run").iterdir())
    assert files == ["checkpoint-1.joblib", "checkpoint-2.joblib"]
    assert invoke(*recipe).exit_code == 2  # an earlier run
    again = invoke(*recipe, "--resume", "-o", "b.joblib")
    assert again.stderr.splitlines() == ["going on after epoch 3"] * 2
    a, b = load_model("a.joblib"), load_model("b.joblib")
    assert list(map(bits, a.members)) == list(map(bits, b.members))
    other = invoke(*recipe, "--resume", "--seed", 1)
    assert other.exit_code == 1
    assert "random_state was 0, is 1" in other.stderr


def test_a_killed_committee_resumes_to_the_same_bits(lean: tuple[object, ...]) -> None:
    recipe = ("train", *lean, "--committee", 3, "--epochs", 40)
    with started(*recipe, "--checkpoint", "run", "-o", "b.joblib") as process:
        wait_for_epoch(process, 3)
    reached = [load_checkpoint(f"run/checkpoint-{n}.joblib")[0].latest.number for n in (1, 2, 3)]
    assert max(reached) - min(reached) <= 1
    assert 3 <= min(reached) < 40
    resumed = invoke(*recipe, "-q", "--checkpoint", "run", "--resume", "-o", "b.joblib")
    assert resumed.exit_code == 0
    assert invoke(*recipe, "-q", "-o", "a.joblib").exit_code == 0
    a, b = load_model("a.joblib"), load_model("b.joblib")
    assert list(map(bits, a.members)) == list(map(bits, b.members))


@posix
def test_ctrl_c_keeps_the_best_epoch_of_each_member(lean: tuple[object, ...]) -> None:
    long = ("--epochs", 100_000, "--hidden", 200, "--checkpoint", "run")
    with started("train", *lean, "--committee", 3, *long) as process:
        wait_for_epoch(process, 2)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    committee = load_model("models/latest.joblib")
    kept = ", ".join(str(member.metadata["epoch"]) for member in committee.members)
    last = stderr.splitlines()[-1]
    assert last == f"interrupted: epochs {kept}, the best so far, are kept; go on with --resume"
    assert stdout.startswith("test accuracy")


def test_ctrl_c_before_an_epoch_of_each_member_saves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(*_: Any, **__: Any) -> Iterator[Any]:
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(together, "train", interrupted)
    result = invoke(*TRAIN, "--committee", 2)
    assert result.exit_code == 130
    assert "there is nothing to save" in result.stderr
    assert not [path for path in Path().rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--committee", 1), "1 is not in the range x>=2"),
        (("--committee", 2, "--plot", "p.png"), "draws the training of one network"),
        (("--committee", 2, "--resume"), "--resume needs --checkpoint"),
        (("--committee", 2, "--checkpoint", "run", "-o", "run/checkpoint-2.joblib"), "one file"),
    ],
)
def test_wrong_usage(options: tuple[object, ...], words: str) -> None:
    result = invoke(*TRAIN, *options)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())
