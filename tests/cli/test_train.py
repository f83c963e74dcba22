"""``mnist-net train``: the model that it leaves, what it says, and what it refuses."""

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnist_net.learning.distortion import DISTORTIONS
from mnist_net.learning.presets import PRESETS
from mnist_net.learning.recipe import TAUGHT
from mnist_net.runs import together
from mnist_net.trained.model import Model
from mnist_net.trained.store import SHIPPED_MODELS, load_model, save_model
from tests.cli.conftest import PLAIN, SMALL, invoke, only_error, posix
from tests.conftest import Run, bits


def test_train_ends_with_all_that_one_wants_to_know() -> None:
    result = invoke("train", *SMALL, "--epochs", 3)
    assert result.exit_code == 0
    model = load_model("models/latest.joblib")
    accuracy = model.metadata["accuracy"]
    assert accuracy["n"] == 297
    assert 0.5 < accuracy["test"] < 1.0
    assert accuracy["standard_error"] == pytest.approx(
        np.sqrt(accuracy["test"] * (1 - accuracy["test"]) / 297)
    )
    lines = result.stdout.splitlines()
    assert lines[0] == (
        f"test accuracy  {accuracy['test']:.2%} ± {accuracy['standard_error']:.2%} "
        "(standard error; 297 pictures of scikit-learn's 8 × 8 digits)"
    )
    assert re.fullmatch(r"training time  \d+\.\d s", lines[1])
    assert lines[2] == "model          models/latest.joblib"
    named = " --model models/latest.joblib"  # for it has seen the bundled digits alone
    assert lines[3] == f"next           python -m mnist_net evaluate{named}"
    assert len(lines) == 4
    # One plain line an epoch, off a terminal.
    shown = result.stderr.splitlines()
    assert len(shown) == 3
    for number, line in enumerate(shown, 1):
        assert re.fullmatch(
            rf"epoch {number}/3  loss \d\.\d{{4}}  rate [\d.e-]+  \d+\.\d\d s", line
        )


def test_the_next_command_works() -> None:
    result = invoke("train", *SMALL, "--epochs", 1)
    command = re.search(r"^next +python -m mnist_net (.*)$", result.stdout, re.MULTILINE)
    assert command
    assert invoke(*command[1].split()).exit_code == 0


def test_validation_accuracy_is_shown() -> None:
    result = invoke("train", *SMALL, "--epochs", 2, "--validation", 100)
    assert len(re.findall(r"  validation \d+\.\d\d%  ", result.stderr)) == 2


def test_quiet_train_writes_nothing_to_stderr(run: Run, lean: tuple[object, ...]) -> None:
    done = run("train", *lean, "--epochs", 2, "-q")
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.startswith("test accuracy")


def test_the_same_seed_gives_the_same_bits_and_another_seed_others() -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        invoke("train", *SMALL, "--epochs", 2, "--seed", seed, "-o", f"{name}.joblib")
    a, b, c = (load_model(f"{name}.joblib") for name in "abc")
    assert bits(a) == bits(b)
    assert bits(a) != bits(c)

    def timeless(model: Model) -> dict[str, Any]:
        history = [
            {k: v for k, v in r.items() if k != "seconds"} for r in model.metadata["history"]
        ]
        return {**model.metadata, "history": history, "date": None}

    assert timeless(a) == timeless(b)


def test_a_preset_and_what_overrides_it_end_up_in_the_model() -> None:
    invoke(
        *("train", "--preset", "cs229", "--dataset", "digits", "--epochs", 2),
        *("--batch-size", 50, "--validation", 200, "--hidden", 20),
    )
    metadata = load_model("models/latest.joblib").metadata
    assert metadata["preset"] == "cs229"
    expected = replace(
        PRESETS["cs229"], epochs=2, batch_size=50, validation=200, hidden_layer_sizes=(20,)
    )
    assert metadata["hyperparameters"] == expected.as_dict()
    assert metadata["data"]["n_train"] == 1300


def test_every_option_reaches_the_recipe() -> None:
    recipe = replace(
        PRESETS["default"],
        hidden_layer_sizes=(9, 7),
        activation="tanh",
        loss="mean-squared-error",
        optimizer="nesterov",
        learning_rate=0.01,
        momentum=0.5,
        weight_decay=0.02,
        l2_penalty=0.003,
        schedule="step",
        warmup_epochs=0.5,
        batch_size=33,
        epochs=2,
        distortion=DISTORTIONS["affine"],
        drawn_digits=5,
        shuffle=False,
        validation=50,
        patience=4,
        random_state=7,
    )
    options = (
        "--hidden 9 --hidden 7 --activation tanh --loss mean-squared-error --optimizer nesterov "
        "--learning-rate 0.01 --momentum 0.5 --weight-decay 0.02 --l2-penalty 0.003 "
        "--schedule step --warmup-epochs 0.5 --batch-size 33 --epochs 2 --distortion affine "
        "--drawn-digits 5 --no-shuffle --validation 50 --patience 4 --seed 7"
    )
    assert invoke("train", "--dataset", "digits", *options.split()).exit_code == 0
    model = load_model("models/latest.joblib")
    assert model.metadata["hyperparameters"] == recipe.as_dict()
    assert model.architecture.layer_sizes == (784, 9, 7, 10)


def test_zero_overrides_a_preset() -> None:
    invoke(
        *("train", *SMALL, "--preset", "cs229", "--epochs", 1),
        *("--validation", 0, "--l2-penalty", 0, "--seed", 0),
    )
    recipe = load_model("models/latest.joblib").metadata["hyperparameters"]
    assert (recipe["validation"], recipe["l2_penalty"]) == (0, 0.0)


@pytest.mark.parametrize("name", ["curves.png", "new/curves.svg"])
def test_plot_draws_the_run(name: str) -> None:
    assert invoke("train", *SMALL, "--epochs", 2, "--plot", name).exit_code == 0
    start = Path(name).read_bytes()[:5]
    assert start in (b"\x89PNG\r", b"<?xml")


def test_early_stopping_keeps_the_best_epoch() -> None:
    invoke("train", *SMALL, "--epochs", 40, "--validation", 200, "--patience", 2)
    metadata = load_model("models/latest.joblib").metadata
    history = metadata["history"]
    assert len(history) < 40
    best = max(history, key=lambda r: (r["validation_accuracy"], -r["validation_loss"]))
    assert metadata["epoch"] == best["epoch"] == len(history) - 2


def test_divergence_names_epoch_and_step_and_a_remedy() -> None:
    result = invoke("train", *SMALL, "--learning-rate", "1e30", "--activation", "relu", "-q")
    assert result.exit_code == 1
    assert result.stdout == ""
    n_steps = -(-1500 // PRESETS["plain"].batch_size)
    assert re.search(
        rf"^Error: training diverged: the loss is \w+ in epoch 1, step \d+ of {n_steps}; lower the",
        only_error(result),
    )
    assert not Path("models/latest.joblib").exists()


def test_a_poor_result_comes_with_a_warning() -> None:
    result = invoke("train", *SMALL, "--epochs", 1, "--learning-rate", 0, "-q")
    assert result.exit_code == 0
    assert result.stderr.startswith("warning: that is poor")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--output", "file/model.joblib"),
        ("--output", "folder.joblib"),
        ("--plot", "file/curves.png"),
        ("--checkpoint", "file"),
        ("--checkpoint", "file/run"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_written_is_found_out_before_training(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, str]
) -> None:
    def train(*_: object, **__: object) -> None:
        raise AssertionError("training began")

    monkeypatch.setattr(together, "train", train)
    Path("file").write_text("a file where a folder should be")
    Path("folder.joblib").mkdir()
    result = invoke("train", *SMALL, *arguments)
    assert result.exit_code == 1
    assert arguments[1].split("/")[0] in only_error(result)
    assert Path("file").read_text() == "a file where a folder should be"


def test_too_few_pictures_to_hold_some_out() -> None:
    result = invoke("train", *SMALL, "--validation", 1500)
    assert result.exit_code == 1
    assert "too few to hold 1,500 out" in only_error(result)


@posix
def test_a_full_disk_leaves_the_old_model(
    run: Run, lean: tuple[object, ...], digits_model: Path, tmp_path: Path
) -> None:
    import resource

    model = tmp_path / "model.joblib"
    shutil.copy(digits_model, model)
    before = model.read_bytes()
    done = run(
        *("train", *lean, "--epochs", 1, "-q", "-o", model),
        # The model takes 50 kB.
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000)),
    )
    assert done.returncode == 1
    assert "File too large" in only_error(done)
    assert model.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir() if "joblib" in p.name] == ["model.joblib"]


def test_training_never_writes_to_the_shipped_model() -> None:
    for path in SHIPPED_MODELS:
        assert path.name != "latest.joblib"
    result = invoke("train", "--help")
    assert "[default: models/latest.joblib]" in " ".join(result.stdout.split())


def test_the_bundled_digits_do_not_replace_a_model_of_something_else(
    monkeypatch: pytest.MonkeyPatch, digits_model: Path
) -> None:
    # No source works: nothing is cached, and the addresses lead nowhere.
    monkeypatch.setattr("mnist_net.datasets.mnist.sources", lambda *_, **__: iter(()))
    train = ("train", *PLAIN, "--epochs", 1, "-o", "m.joblib")
    assert invoke(*train).exit_code == 0  # nothing there
    assert invoke(*train).exit_code == 0  # a model of the bundled digits
    model = load_model("m.joblib")
    save_model(replace(model, metadata={"data": {"name": "mnist"}}), "m.joblib")
    refused = invoke(*train)
    assert refused.exit_code == 1
    assert "m.joblib holds a model of mnist" in refused.stderr
    assert load_model("m.joblib").metadata["data"] == {"name": "mnist"}
    assert invoke(*train, "--dataset", "digits").exit_code == 0  # asked for by name


def test_early_stopping_says_which_epoch_it_keeps() -> None:
    stopping = ("--validation", 300, "--patience", 1, "--schedule", "constant")
    result = invoke("train", *SMALL, "--epochs", 100, "--learning-rate", 1.0, *stopping)
    model = load_model("models/latest.joblib")
    last, kept = len(model.metadata["history"]), model.metadata["epoch"]
    assert kept == last - 1 < 99
    told = f"stopped after epoch {last}: none was better than epoch {kept}, which is kept"
    assert told in result.stderr.splitlines()


def test_a_teacher_teaches_and_is_on_record() -> None:
    train = ("train", *SMALL, "--epochs", 2)
    assert invoke(*train, "-o", "teacher.joblib").exit_code == 0
    taught = (*train, "--teacher", "teacher.joblib", "--seed", 1)
    assert invoke(*taught, "-o", "a.joblib").exit_code == 0
    assert invoke(*train, "--seed", 1, "-o", "b.joblib").exit_code == 0
    student, alone = load_model("a.joblib"), load_model("b.joblib")
    assert TAUGHT.items() <= student.metadata["hyperparameters"].items()
    assert student.metadata["hyperparameters"]["normalization"] == "none"
    assert student.temperature == alone.temperature == 1.0
    goes_on = ("train", "--dataset", "digits", "--epochs", 1, "--from", "a.joblib")
    assert invoke(*goes_on, "--teacher", "teacher.joblib", "-o", "c.joblib").exit_code == 0
    refused = invoke(*taught, "--normalization", "moments", "-o", "d.joblib")
    assert refused.exit_code == 1
    assert "normalization must be none" in refused.stderr
    assert student.metadata["teacher"]["networks"][0]["layer_sizes"] == [784, 16, 10]
    assert "teacher" not in alone.metadata
    assert bits(student) != bits(alone)


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (("--teacher-weight", 0.5), 2, "--teacher-weight needs --teacher MODEL"),
        (("--teacher-temperature", 4), 2, "--teacher-temperature needs --teacher MODEL"),
        (("--teacher", "shipped", "--teacher-weight", 0), 2, "so teaches nothing"),
        (("--teacher", "shipped", "--teacher-weight", 2), 2, "0.0<=x<=1.0"),
        (("--teacher", "none.joblib"), 1, "none.joblib"),
    ],
)
def test_a_teacher_without_weight_or_file_is_refused(
    options: tuple[object, ...], status: int, words: str
) -> None:
    result = invoke("train", *SMALL, "--epochs", 1, *options)
    assert result.exit_code == status
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_two_outputs_in_one_file_are_refused() -> None:
    options = ("-o", "run/checkpoint.joblib", "--checkpoint", "run")
    result = invoke("train", *SMALL, "--epochs", 1, *options)
    assert result.exit_code == 2
    assert "are one file" in result.stderr
    assert not Path(options[1]).exists()


def test_numbers_that_overflow_are_divergence_and_no_model() -> None:
    extreme = ("--learning-rate", 1e30, "--activation", "relu", "--momentum", 0)
    once = ("--epochs", 1, "--batch-size", 100_000, "--warmup-epochs", 0)
    result = invoke("train", *SMALL, *extreme, *once)
    assert result.exit_code == 1
    assert "training diverged" in only_error(result)
    assert not Path("models").joinpath("latest.joblib").exists()


def test_metadata_of_numpy_are_saved_as_plain_values(digits_model: Path) -> None:
    model = load_model(digits_model)
    save_model(replace(model, metadata={"a": np.float64(1.5), "b": (1, 2)}), "m.joblib")
    assert load_model("m.joblib").metadata == {"a": 1.5, "b": [1, 2]}
    with pytest.raises(TypeError):
        save_model(replace(model, metadata={"a": object()}), "n.joblib")
    assert not Path("n.joblib").exists()


@posix
def test_a_loop_of_links_is_one_sentence() -> None:
    Path("loop.joblib").symlink_to("loop.joblib")
    result = invoke("train", *SMALL, "--epochs", 1, "-o", "loop.joblib")
    assert result.exit_code == 1
    assert "loop" in only_error(result)
