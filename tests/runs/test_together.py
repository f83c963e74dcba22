"""Committees: what they answer, how they are trained, and how they are kept."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from click.testing import CliRunner, Result

from mnist_net.cli import main
from mnist_net.datasets.loading import load_dataset
from mnist_net.errors import DivergenceError, ModelFileError
from mnist_net.learning.recipe import Hyperparameters
from mnist_net.learning.training import train
from mnist_net.runs import together
from mnist_net.runs.checkpoints import load_checkpoint
from mnist_net.runs.run import prepare
from mnist_net.runs.together import train_committee, train_together
from mnist_net.trained.committee import Committee
from mnist_net.trained.model import Model
from mnist_net.trained.store import load_model, save_model
from tests.trained.test_store import assert_same_model, make_model, model_contents

GOLDEN = Path(__file__).parent.parent / "trained" / "golden"
RECIPE = Hyperparameters(hidden_layer_sizes=(16,), epochs=3, random_state=5)
SMALL = ("--dataset", "digits", "--preset", "plain", "--hidden", 16, "--epochs", 3)


def invoke(*arguments: object) -> Result:
    result = CliRunner().invoke(main, [str(a) for a in arguments], prog_name="mnist-net")
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def bits(model: Model) -> list[bytes]:
    return [a.tobytes() for layer in model.parameters for a in layer if a is not None]


def members(n: int = 3) -> tuple[Model, ...]:
    """Models that differ in their weights and in how sure they are."""
    return tuple(
        replace(make_model((8 + k,)), temperature=0.5 + k, metadata={"note": str(k)})
        for k in range(n)
    )


@pytest.fixture(scope="module")
def digits() -> Any:
    return load_dataset("digits")


@pytest.fixture(scope="module")
def runs(digits: Any) -> Any:
    return prepare(digits.train, RECIPE, "digits").with_seeds(3)


@pytest.fixture
def images(digits: Any) -> np.ndarray:
    return digits.test.images


# What it answers.


def test_probabilities_are_the_mean_of_the_members(images: np.ndarray) -> None:
    committee = Committee(members())
    answers = [member.predict_proba(images).astype(np.float64) for member in committee.members]
    probabilities = committee.predict_proba(images)
    np.testing.assert_allclose(probabilities, sum(answers) / 3, atol=1e-7)
    assert (committee.predict(images) == probabilities.argmax(axis=1)).all()
    assert committee.classes.tolist() == list(range(10))
    alone = Committee(members(1))
    assert alone.predict_proba(images).tobytes() == alone.members[0].predict_proba(images).tobytes()


def test_two_outvote_a_third() -> None:
    class Sure(Model):
        def predict_proba(self, images: Any) -> np.ndarray:
            return np.array([[self.temperature, 1.0 - self.temperature]])

    model, picture = make_model(()), np.zeros((1, 28, 28), np.uint8)
    voters = tuple(
        Sure(model.architecture, model.parameters, np.array([3, 8]), model.scaling, {}, probability)
        for probability in (0.60, 0.60, 0.33)
    )
    assert [voter.predict(picture).tolist() for voter in voters] == [[3], [3], [8]]
    committee = Committee(voters)
    np.testing.assert_allclose(committee.predict_proba(picture), [[0.51, 0.49]])
    assert committee.predict(picture).tolist() == [3]


def test_members_must_know_the_same_classes() -> None:
    one, other = members(2)
    with pytest.raises(ValueError, match="the same classes"):
        Committee((one, replace(other, classes=np.arange(1, 11))))
    with pytest.raises(ValueError, match="needs members"):
        Committee(())


# How it is kept.


@pytest.mark.parametrize("dtype", [None, np.float16])
def test_comes_back_as_it_was(tmp_path: Path, dtype: Any, images: np.ndarray) -> None:
    committee = Committee(members(), {"data": {"name": "nothing"}, "n": 3})
    save_model(committee, tmp_path / "c.joblib", dtype=dtype)
    loaded = load_model(tmp_path / "c.joblib")
    assert isinstance(loaded, Committee)
    assert loaded.metadata == committee.metadata
    if dtype is None:
        for before, after in zip(committee.members, loaded.members, strict=True):
            assert_same_model(after, before)
    assert [a.parameters[0].weights.dtype for a in loaded.members] == [np.float32] * 3
    # float16 rounds each weight by 2^-11; the sum of 784 products with inputs of size 1 by 1e-2.
    np.testing.assert_allclose(
        loaded.predict_proba(images), committee.predict_proba(images), atol=0.02 if dtype else 0
    )


def test_the_golden_committee_still_answers_the_same() -> None:
    expected = json.loads((GOLDEN / "committee-format-2.json").read_text())
    committee = load_model(GOLDEN / "committee-format-2.joblib")
    assert isinstance(committee, Committee)
    assert [member.temperature for member in committee.members] == [1.0, 0.5, 2.0]
    rows, columns = np.mgrid[:28, :28]
    pictures = np.stack([(7 * rows * k + 13 * columns + 5 * k) % 256 for k in (1, 2, 3)])
    answers = committee.predict_proba(pictures.astype(np.uint8))
    np.testing.assert_allclose(answers, expected["probabilities"], atol=5e-6)
    assert committee.metadata == expected["metadata"]


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ({"members": []}, "needs members"),
        ({"members": 3}, "damaged"),
        ({"members": ["ab"]}, "damaged"),
        ({"members": [model_contents(classes=np.arange(10)[::-1])]}, "classes"),
        ({"members": [model_contents(), model_contents(classes=np.arange(1, 11))]}, "same classes"),
        ({"members": [model_contents()], "metadata": 3}, "metadata"),
        ({"members": [{}]}, "is missing"),
    ],
    ids=str,
)
def test_a_file_of_members_that_do_not_fit_is_refused(
    tmp_path: Path, contents: dict[str, Any], message: str
) -> None:
    whole = {"format": "mnist-net model", "format_version": 2, "metadata": {}, **contents}
    joblib.dump(whole, tmp_path / "c.joblib", protocol=4)
    with pytest.raises(ModelFileError, match=message):
        load_model(tmp_path / "c.joblib")


# How it is trained.


def test_each_member_is_the_network_of_its_seed(runs: Any) -> None:
    *_, reached = train_together(runs)
    for seed, run, progress in zip((5, 6, 7), runs, reached, strict=True):
        assert run.hyperparameters == replace(RECIPE, random_state=seed)
        *_, alone = train(run.training, run.hyperparameters)
        for beside, apart in zip(progress.latest.parameters, alone.latest.parameters, strict=True):
            # To the bit on equal threads; else products of 784 terms differ in their rounding.
            np.testing.assert_allclose(beside.weights, apart.weights, atol=1e-5)


def test_rounds_go_on_from_wherever_each_member_stood(runs: Any) -> None:
    whole = list(train_together(runs))
    assert [[p.latest.number for p in reached] for reached in whole] == [[1] * 3, [2] * 3, [3] * 3]
    starts = (whole[0][0], None, whole[2][2])
    rounds = list(train_together(runs, starts))
    assert [[p.latest.number for p in reached] for reached in rounds] == [
        [2, 1, 3],
        [3, 2, 3],
        [3, 3, 3],
    ]
    for resumed, straight in zip(rounds[-1], whole[-1], strict=True):
        for ours, theirs in zip(resumed.latest.parameters, straight.latest.parameters, strict=True):
            assert ours.weights.tobytes() == theirs.weights.tobytes()


def test_members_stop_when_each_has_learned_enough(digits: Any) -> None:
    recipe = replace(
        RECIPE, epochs=60, validation=300, patience=1, schedule="constant", learning_rate=1.0
    )
    *_, reached = train_together(prepare(digits.train, recipe, "digits").with_seeds(3))
    ends = [progress.latest.number for progress in reached]
    assert len(set(ends)) > 1
    assert [p.best.number for p in reached] == [n - 1 for n in ends]


def test_the_divergence_of_one_is_told(digits: Any) -> None:
    recipe = replace(RECIPE, learning_rate=1e30, activation="relu")
    with pytest.raises(DivergenceError, match="training diverged"):
        list(train_together(prepare(digits.train, recipe, "digits").with_seeds(2)))


@pytest.mark.parametrize("n_members", [0, -1])
def test_a_committee_to_be_trained_needs_members(n_members: int) -> None:
    with pytest.raises(
        ValueError, match=f"^a committee needs at least one member, not {n_members}$"
    ):
        train_committee(n_members, "nowhere")  # nor are the data looked for


def test_train_committee_from_start_to_end(digits: Any) -> None:
    committee = train_committee(3, "digits", RECIPE)
    assert [m.metadata["hyperparameters"]["random_state"] for m in committee.members] == [5, 6, 7]
    assert len({bits(member)[0] for member in committee.members}) == 3
    right = (committee.predict(digits.test.images) == digits.test.labels).mean()
    assert committee.metadata["accuracy"]["test"] == right
    alone = [member.metadata["accuracy"]["test"] for member in committee.members]
    assert right >= np.mean(alone)
    assert committee.metadata["data"]["name"] == "digits"
    assert "history" not in committee.metadata


# On the command line.


@pytest.fixture
def committee_file() -> Path:
    result = invoke("train", *SMALL, "--committee", 3, "--seed", 5, "-q")
    assert (result.exit_code, result.stderr) == (0, "")
    return Path("models/latest.joblib")


def test_train_says_what_the_members_are_worth() -> None:
    result = invoke("train", *SMALL, "--committee", 3)
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
    assert invoke("train", *SMALL, "--seed", 6, "-q", "-o", "one.joblib").exit_code == 0
    assert bits(committee.members[1]) == bits(load_model("one.joblib"))


def test_other_commands_understand_it(committee_file: Path, images: np.ndarray) -> None:
    from mnist_net.pictures.decoding import save_png

    evaluated = json.loads(invoke("evaluate", "--json").stdout)
    committee = load_model(committee_file)
    assert evaluated["accuracy"] == committee.metadata["accuracy"]["test"]
    save_png(images[0], Path("digit.png"))
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
    recipe = ("train", *SMALL, "--committee", 2, "--checkpoint", "run")
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


def start_committee(*options: object) -> "subprocess.Popen[str]":
    command = ["train", *SMALL, "--committee", 3, "--checkpoint", "run", *options]
    return subprocess.Popen(
        [sys.executable, "-m", "mnist_net", *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_killed_committee_resumes_to_the_same_bits() -> None:
    with start_committee("--epochs", 40, "-o", "b.joblib") as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("epoch  3/40"):
                break
        process.kill()
    reached = [load_checkpoint(f"run/checkpoint-{n}.joblib")[0].latest.number for n in (1, 2, 3)]
    assert max(reached) - min(reached) <= 1
    assert 3 <= min(reached) < 40
    recipe = ("train", *SMALL, "--committee", 3, "--epochs", 40, "-q")
    assert invoke(*recipe, "--checkpoint", "run", "--resume", "-o", "b.joblib").exit_code == 0
    assert invoke(*recipe, "-o", "a.joblib").exit_code == 0
    a, b = load_model("a.joblib"), load_model("b.joblib")
    assert list(map(bits, a.members)) == list(map(bits, b.members))


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_ctrl_c_keeps_the_best_epoch_of_each_member() -> None:
    with start_committee("--epochs", 100_000, "--hidden", 200) as process:
        assert process.stderr is not None
        process.stderr.readline()
        process.stderr.readline()
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
    result = invoke("train", *SMALL, "--committee", 2)
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
    result = invoke("train", *SMALL, *options)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())
