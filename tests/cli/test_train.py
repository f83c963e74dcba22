"""The command line, as its users meet it: results, errors, interruptions.

Click's own runner where a process of its own would add nothing, and real processes for signals,
terminals, pipes and full disks.
"""

import json
import logging
import math
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from mnist_net.cli import main
from mnist_net.datasets.loading import load_digits_as_images
from mnist_net.learning import gradcheck, training
from mnist_net.learning.distortion import DISTORTIONS
from mnist_net.learning.recipe import PRESETS
from mnist_net.pictures.decoding import save_png
from mnist_net.runs import together
from mnist_net.runs.checkpoints import load_checkpoint, save_checkpoint
from mnist_net.runs.together import train_model
from mnist_net.trained.model import Model
from mnist_net.trained.store import SHIPPED_MODELS, load_model, save_model

posix = pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals, terminals or limits")

COMMANDS = ["train", "evaluate", "predict", "read", "info", "augment", "data", "gradcheck"]
PLAIN = ("--preset", "plain")
ANYTHING = ("--reject-below", 0)  # a network that has seen so little is sure of nothing
SMALL = ("--dataset", "digits", *PLAIN, "--hidden", 16)


@pytest.fixture(autouse=True)
def _tidy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One thread for processes that share the machine, usual buffers, the logger as before."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    logger = logging.getLogger("mnist_net")
    before = logger.handlers, logger.level, logger.propagate
    yield
    logger.handlers, logger.level, logger.propagate = before


def invoke(*arguments: object, **options: Any) -> Result:
    """Run a command in this process; an exception that escapes is an error here."""
    result = CliRunner().invoke(main, [str(a) for a in arguments], prog_name="mnist-net", **options)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def only_error(result: Any) -> str:
    """The sentence that stderr consists of."""
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    assert "Traceback" not in result.stderr
    return line


def same_parameters(one: Model, other: Model) -> bool:
    return all(
        a.tobytes() == b.tobytes()
        for ours, theirs in zip(one.parameters, other.parameters, strict=True)
        for a, b in zip(ours, theirs, strict=True)
    )


@pytest.fixture(scope="session")
def digits() -> tuple[np.ndarray, np.ndarray]:
    images, labels, *_ = load_digits_as_images()
    return images, labels


@pytest.fixture
def pictures(tmp_path: Path, digits: tuple[np.ndarray, np.ndarray]) -> Path:
    """A folder with the first five digits, 0 to 4, as pictures; and a text."""
    folder = tmp_path / "pictures"
    for number, image in enumerate(digits[0][:5]):
        save_png(image, folder / f"{number}.png")
    (folder / "notes.txt").write_text("no picture")
    return folder


# In general.


def test_the_overview_names_every_command() -> None:
    result = invoke("--help")
    assert result.exit_code == 0
    for command in COMMANDS:
        assert re.search(rf"^  {command} +\w", result.stdout, re.MULTILINE)
    assert "mnist-net train" in result.stdout


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_command_has_help_with_examples(command: str, option: str) -> None:
    result = invoke(command, option)
    assert result.exit_code == 0
    assert result.stderr == ""
    assert f"Usage: mnist-net {command}" in result.stdout
    assert re.search(rf"Examples:\n +mnist-net {command}", result.stdout)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_overview_says_what_each_command_says_of_itself(command: str) -> None:
    overview = " ".join(invoke("--help").stdout.split())
    own = invoke(command, "--help").stdout.split("\n\n")[1]
    summary = " ".join(own.split())
    assert summary.split(".")[0] in overview


def test_version() -> None:
    result = invoke("--version")
    assert result.exit_code == 0
    assert re.fullmatch(r"mnist-net, version \d+\.\d+\.\d+\n", result.stdout)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nonsense"],
        ["nonsense"],
        ["train", "--nonsense"],
        ["train", "--epochs", "0"],
        ["train", "--epochs", "many"],
        ["train", "--activation", "magic"],
        ["train", "--distortion", "mirror"],
        ["train", "--momentum", "1"],
        ["train", "--learning-rate", "nan"],
        ["train", "--learning-rate", "inf"],
        ["train", "--patience", "3"],
        ["train", "--resume"],
        ["train", "--hidden", "0"],
        ["predict"],
        ["predict", "--top", "0", "x.png"],
        ["evaluate", "--split", "all"],
        ["augment"],
        ["augment", "--preview", "a.png", "--count", "0"],
        ["gradcheck", "--seed", "-1"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_status_2(arguments: list[str]) -> None:
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Error: " in result.stderr
    assert not Path("models").exists()


def test_resume_says_what_it_needs() -> None:
    assert "--resume needs --checkpoint DIR" in invoke("train", "--resume").stderr


def test_the_module_is_the_command(run: Any) -> None:
    assert run("--version").stdout == invoke("--version").stdout


# train


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
    assert lines[3] == "next           python -m mnist_net evaluate"
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


def test_quiet_train_writes_nothing_to_stderr(run: Any) -> None:
    done = run("train", *SMALL, "--epochs", 2, "-q")
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.startswith("test accuracy")


def test_the_same_seed_gives_the_same_bits_and_another_seed_others() -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        invoke("train", *SMALL, "--epochs", 2, "--seed", seed, "-o", f"{name}.joblib")
    a, b, c = (load_model(f"{name}.joblib") for name in "abc")
    assert same_parameters(a, b)
    assert not same_parameters(a, c)

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
        ("--output", "folder"),
        ("--plot", "file/curves.png"),
        ("--plot", "curves.txt"),
        ("--checkpoint", "file"),
        ("--checkpoint", "file/run"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_written_is_found_out_before_training(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, str]
) -> None:
    def run_epoch(*_: object) -> None:
        raise AssertionError("training began")

    monkeypatch.setattr(training, "_run_epoch", run_epoch)
    Path("file").write_text("a file where a folder should be")
    Path("folder").mkdir()
    result = invoke("train", *SMALL, *arguments)
    assert result.exit_code == 1
    assert arguments[1].split("/")[0] in only_error(result)
    assert Path("file").read_text() == "a file where a folder should be"


def test_too_few_pictures_to_hold_some_out() -> None:
    result = invoke("train", *SMALL, "--validation", 1500)
    assert result.exit_code == 1
    assert "too few to hold 1,500 out" in only_error(result)


@posix
def test_a_full_disk_leaves_the_old_model(run: Any, digits_model: Path, tmp_path: Path) -> None:
    import resource

    model = tmp_path / "model.joblib"
    shutil.copy(digits_model, model)
    before = model.read_bytes()
    done = run(
        *("train", "--dataset", "digits", *PLAIN, "--epochs", 1, "-q", "-o", model),
        # A model of 300 hidden units takes 950 kB.
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000)),
    )
    assert done.returncode == 1
    assert "File too large" in only_error(done)
    assert model.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir() if "joblib" in p.name] == ["model.joblib"]


# Checkpoints and interruptions.


@contextmanager
def started(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "mnist_net", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for_epoch(process: subprocess.Popen[str], epoch: int) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if re.match(rf"epoch +{epoch}/", line):
            return
    raise AssertionError("it ended before")


@posix
@pytest.mark.parametrize(
    "options",
    [
        ("--validation", 200),
        ("--optimizer", "adamw", "--learning-rate", 0.003, "--warmup-epochs", 2, "--no-shuffle"),
        ("--distortion", "both"),
    ],
    ids=["sgd", "adamw", "distorted"],
)
def test_a_killed_run_resumes_to_the_same_bits(options: tuple[object, ...]) -> None:
    recipe = ("train", *SMALL, "--epochs", 60, "--batch-size", 20, *options)
    with started(*recipe, "--checkpoint", "run", "-o", "b.joblib") as process:
        wait_for_epoch(process, 4)
    assert process.returncode == -signal.SIGKILL
    assert not Path("b.joblib").exists()
    reached = load_checkpoint("run/checkpoint.joblib")[0].latest.number
    assert 4 <= reached < 60

    resumed = invoke(*recipe, "--checkpoint", "run", "--resume", "-o", "b.joblib")
    assert resumed.exit_code == 0
    said = resumed.stderr.splitlines()
    assert said[0] == f"going on after epoch {reached}"
    assert said[1].startswith(f"epoch {reached + 1:>2}/60")
    assert invoke(*recipe, "-q", "-o", "a.joblib").exit_code == 0
    a, b = load_model("a.joblib"), load_model("b.joblib")
    assert same_parameters(a, b)
    assert [r["loss"] for r in a.metadata["history"]] == [r["loss"] for r in b.metadata["history"]]
    assert len(b.metadata["history"]) == 60

    # A run that is over can be resumed too: nothing is left to do, and the model is the same.
    again = invoke(*recipe, "--checkpoint", "run", "--resume", "-o", "c.joblib")
    assert again.exit_code == 0
    assert again.stderr == "going on after epoch 60\n"
    assert same_parameters(a, load_model("c.joblib"))


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
def test_ctrl_c_after_an_epoch_saves_the_best_so_far() -> None:
    with started("train", *SMALL, "--epochs", 100_000, "--validation", 200) as process:
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


# Terminals.


def on_terminal(
    *arguments: object, interrupt_after: str | None = None, **environment: str
) -> tuple[int, str, str]:
    """Run with stderr on a pseudo-terminal; return status, stdout and what the terminal got."""
    import pty
    import termios

    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 120))
    seen = b""
    with subprocess.Popen(
        [sys.executable, "-m", "mnist_net", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, **environment},
    ) as process:
        os.close(theirs)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if not select.select([ours], [], [], 1.0)[0]:
                continue
            try:
                chunk = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            seen += chunk
            if not chunk:
                break
            if interrupt_after and interrupt_after in seen.decode(errors="replace"):
                process.send_signal(signal.SIGINT)
                interrupt_after = None
        assert process.stdout is not None
        stdout = process.stdout.read().decode()
    os.close(ours)
    return process.returncode, stdout, seen.decode()


@posix
def test_a_terminal_gets_a_progress_bar() -> None:
    status, stdout, terminal = on_terminal("train", *SMALL, "--epochs", 5, "--validation", 100)
    assert status == 0
    assert stdout.startswith("test accuracy")
    assert "\r" in terminal
    last = terminal.replace("\r\n", "\n").split("\r")[-1]
    assert re.search(r"100%\|█+\| 5/5 \[.*loss \d\.\d+  validation \d+\.\d+%  rate [\d.e-]+", last)
    assert "epoch 1/5" not in terminal


@posix
def test_a_quiet_run_draws_no_bar_on_a_terminal() -> None:
    assert on_terminal("train", *SMALL, "--epochs", 2, "-q")[2] == ""


@posix
def test_ctrl_c_before_the_first_epoch_writes_nothing() -> None:
    # 1,500 steps with 19 million weights take a minute; the empty bar shows that they have begun.
    status, stdout, terminal = on_terminal(
        *("train", "--dataset", "digits", *PLAIN, "--hidden", 4000, "--hidden", 4000),
        *("--batch-size", 1),
        *("--checkpoint", "run", "--epochs", 30),
        interrupt_after="0/30",
    )
    assert status == 130
    assert stdout == ""
    assert "Traceback" not in terminal
    last = "interrupted before the first epoch ended: there is nothing to save"
    assert terminal.endswith(f"{last}\r\n")
    assert [path for path in Path().rglob("*") if path.is_file()] == []


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


def test_ctrl_c_elsewhere_is_one_word(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mnist_net.datasets.loading.load_dataset", interrupted)
    result = invoke("train", *SMALL)
    assert result.exit_code == 130
    assert result.stderr == "interrupted\n"
    assert not Path("models/latest.joblib").exists()


@posix
def test_colour_on_a_terminal_unless_it_is_not_wanted(digits_model: Path) -> None:
    arguments = ("predict", "--model", digits_model, "missing.png")
    status, stdout, terminal = on_terminal(*arguments)
    assert (status, stdout) == (1, "")
    assert "\x1b[31mError:\x1b[0m missing.png: no such file" in terminal
    assert "\x1b[33mwarning:\x1b[0m" in terminal
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b" not in on_terminal(*arguments, **environment)[2]


# predict

PREDICTED = ["image", "digit", "probability", "score", "probabilities", "box", "reason"]


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
    assert "Error: - is not a picture" in nothing.stderr


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


def test_without_a_model_one_is_told_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch, pictures: Path
) -> None:
    monkeypatch.setattr("mnist_net.trained.store.SHIPPED_MODELS", ())
    for command in (("predict", "pictures"), ("info",), ("evaluate",)):
        result = invoke(*command)
        assert result.exit_code == 1
        assert "there is no model yet" in only_error(result)
        assert "mnist-net train" in only_error(result)


def test_the_model_of_the_environment_is_used(
    monkeypatch: pytest.MonkeyPatch, digits_model: Path, pictures: Path
) -> None:
    monkeypatch.setenv("MNIST_NET_MODEL", str(digits_model))
    assert invoke("predict", "pictures").exit_code == 0
    assert json.loads(invoke("info", "--json").stdout)["model"] == str(digits_model)
    monkeypatch.setenv("MNIST_NET_MODEL", "gone.joblib")
    assert "gone.joblib: no such file" in only_error(invoke("predict", "pictures"))


def test_training_never_writes_to_the_shipped_model() -> None:
    for path in SHIPPED_MODELS:
        assert path.name != "latest.joblib"
    result = invoke("train", "--help")
    assert "[default: models/latest.joblib]" in " ".join(result.stdout.split())


@pytest.mark.parametrize("command", [("predict", "x.png", "-m"), ("info",), ("evaluate", "-m")])
def test_a_model_that_is_none_is_one_sentence(command: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "text.joblib").write_text("not a model")
    result = invoke(*command, "text.joblib")
    assert result.exit_code == 1
    assert "text.joblib is not a file that mnist-net wrote" in only_error(result)


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


@posix
@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["train", "--help"], ["info"], ["predict", "pictures"]],
    ids=" ".join,
)
def test_a_full_standard_output_is_one_sentence(
    run: Any, digits_model: Path, pictures: Path, arguments: list[str]
) -> None:
    with Path("/dev/full").open("w") as full:
        done = run(
            *arguments,
            capture_output=False,
            stdout=full,
            stderr=subprocess.PIPE,
            env={**os.environ, "MNIST_NET_MODEL": str(digits_model)},
        )
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if not line.startswith("warning:")]
    assert lines == ["Error: cannot write: No space left on device"]


# augment


def test_augment_draws_pictures_beside_their_distortions(run: Any) -> None:
    done = run("augment", "--preview", "new/sheet.png", "--dataset", "digits", "--count", 4, "-q")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "new/sheet.png: 4 training pictures of digits, each beside distortions\n"
    )
    with Image.open("new/sheet.png") as image:
        assert (image.format, image.mode, image.size) == ("PNG", "L", (3 * 300, 3 * 120))


def test_augment_draws_the_same_for_the_same_seed_only(
    digits: tuple[np.ndarray, np.ndarray],
) -> None:
    def drawn(*options: object) -> np.ndarray:
        assert (
            invoke("augment", "--preview", "a.png", "--dataset", "digits", *options).exit_code == 0
        )
        with Image.open("a.png") as image:
            return np.asarray(image)[::3, ::3].reshape(10, 30, 10, 30)[:, 1:-1, :, 1:-1]

    assert (drawn() == drawn()).all()
    assert (drawn() != drawn("--seed", 1)).any()
    assert (drawn() != drawn("--distortion", "affine")).any()
    undistorted = drawn("--distortion", "none")
    assert (undistorted == undistorted[:, :, :1]).all()
    # The first of each row is one of the training pictures, as it is.
    training_pictures = {image.tobytes() for image in digits[0][:1500]}
    assert all(picture.tobytes() in training_pictures for picture in undistorted[:, :, 0])


def test_augment_finds_out_first_that_it_could_not_write() -> None:
    Path("file").write_text("a file where a folder should be")
    result = invoke("augment", "--preview", "file/a.png", "--offline")
    assert result.exit_code == 1
    assert "file/a.png: cannot write" in only_error(result)


# evaluate

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
    assert page.startswith(f"# {digits_model} on the test pictures of digits")
    for name in re.findall(r"!\[.*\]\((.*)\)", page):
        assert (Path("out") / name).read_bytes().startswith(b"\x89PNG")
    assert len(list(Path("out").iterdir())) == 3


def test_evaluate_finds_out_first_that_a_report_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, digits_model: Path
) -> None:
    def loading(*_: object, **__: object) -> None:
        raise AssertionError("work began")

    monkeypatch.setattr("mnist_net.datasets.loading.load_dataset", loading)
    Path("file").write_text("")
    result = invoke("evaluate", "--model", digits_model, "--output", "file/report.md")
    assert result.exit_code == 1
    assert "file" in only_error(result)


@pytest.mark.parametrize(
    "command",
    [("train", *SMALL, "--plot", "p.png"), ("evaluate", "--output", "r.md")],
    ids=["train", "evaluate"],
)
def test_a_missing_matplotlib_is_found_out_before_any_work(
    monkeypatch: pytest.MonkeyPatch, digits_model: Path, command: tuple[object, ...]
) -> None:
    def loading(*_: object, **__: object) -> None:
        raise AssertionError("work began")

    monkeypatch.setattr("mnist_net.datasets.loading.load_dataset", loading)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setenv("MNIST_NET_MODEL", str(digits_model))
    result = invoke(*command)
    assert result.exit_code == 1
    assert "pip install 'mnist-net[plot]'" in only_error(result)


@pytest.fixture
def npz(tmp_path: Path, digits: tuple[np.ndarray, np.ndarray]) -> Path:
    path = tmp_path / "set.npz"
    np.savez(path, images=digits[0][:700], labels=digits[1][:700])
    return path


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


# info and gradcheck


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
    assert values["scaling"] == {"shift": 0.0, "scale": 255.0}
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
    model = load_model()
    last, kept = len(model.metadata["history"]), model.metadata["epoch"]
    assert kept == last - 1 < 99
    told = f"stopped after epoch {last}: none was better than epoch {kept}, which is kept"
    assert told in result.stderr.splitlines()


@pytest.mark.parametrize(
    "options",
    [
        ("-o", "m.png", "--plot", "./m.png"),
        ("-o", "run/checkpoint.joblib", "--checkpoint", "run"),
    ],
)
def test_two_outputs_in_one_file_are_refused(options: tuple[str, ...]) -> None:
    result = invoke("train", *SMALL, "--epochs", 1, *options)
    assert result.exit_code == 2
    assert "are one file" in result.stderr
    assert not Path(options[1]).exists()


def test_a_report_does_not_overwrite_the_model(digits_model: Path) -> None:
    before = digits_model.read_bytes()
    assert invoke("evaluate", "-m", digits_model, "-o", digits_model).exit_code == 2
    assert digits_model.read_bytes() == before


@posix
@pytest.mark.parametrize("stderr", ["2>&-", "2>/dev/full", "2>&1 | head -1"])
def test_training_survives_a_stderr_that_nobody_reads(stderr: str) -> None:
    train = "train --dataset digits --preset plain --hidden 5 --epochs 50"
    command = f"{sys.executable} -m mnist_net {train} {stderr}"
    subprocess.run(["bash", "-c", command], check=False, capture_output=True)
    assert len(load_model().metadata["history"]) == 50


@posix
def test_more_interruptions_lose_nothing() -> None:
    command = [sys.executable, "-m", "mnist_net", "train", "--dataset", "digits", *PLAIN]
    with subprocess.Popen(
        [*command, "--hidden", "500", "--epochs", "10000"], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        process.stderr.readline()  # one epoch is over
        for _ in range(50):  # until it has ended, most likely
            process.send_signal(signal.SIGINT)
            time.sleep(0.002)
        said = process.stderr.read()
    assert process.returncode == 130
    assert "is kept" in said
    assert load_model().metadata["history"]


def test_numbers_that_overflow_are_divergence_and_no_model() -> None:
    extreme = ("--learning-rate", 1e30, "--activation", "relu", "--momentum", 0)
    once = ("--epochs", 1, "--batch-size", 100_000, "--warmup-epochs", 0)
    result = invoke("train", *SMALL, *extreme, *once)
    assert result.exit_code == 1
    assert "training diverged" in only_error(result)
    assert not Path("models").joinpath("latest.joblib").exists()


def test_a_model_that_overflows_says_so(digits_model: Path) -> None:
    model = load_model(digits_model)
    save_model(replace(model, scaling=model.scaling._replace(scale=5e-324)), "m.joblib")
    save_png(load_digits_as_images().images[0], Path("a.png"))
    result = invoke("predict", "-m", "m.joblib", "a.png")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "overflow" in result.stderr


def test_metadata_of_numpy_are_saved_as_plain_values(digits_model: Path) -> None:
    model = load_model(digits_model)
    save_model(replace(model, metadata={"a": np.float64(1.5), "b": (1, 2)}), "m.joblib")
    assert load_model("m.joblib").metadata == {"a": 1.5, "b": [1, 2]}
    with pytest.raises(TypeError):
        save_model(replace(model, metadata={"a": object()}), "n.joblib")
    assert not Path("n.joblib").exists()


@posix
def test_a_loop_of_links_is_one_sentence() -> None:
    Path("loop").symlink_to("loop")
    result = invoke("train", *SMALL, "--epochs", 1, "-o", "loop")
    assert result.exit_code == 1
    assert "loop" in only_error(result)


@posix
def test_standard_input_that_is_closed(digits_model: Path) -> None:
    command = f"{sys.executable} -m mnist_net predict -m {digits_model} - <&-"
    finished = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert finished.returncode == 1
    assert "standard input is closed" in finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize("arguments", [("train", "--help"), ("gradcheck", "--help")])
def test_a_terminal_that_lacks_greek(arguments: tuple[str, ...]) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "mnist_net", *arguments],
        env={**os.environ, "PYTHONIOENCODING": "cp1252"},
        capture_output=True,
        check=False,
    )
    assert (finished.returncode, finished.stderr) == (0, b"")


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
