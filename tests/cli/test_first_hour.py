"""What newcomers try in their first hour: each line was seen to fail once."""

import io
import json
import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mnist_net import PRESETS, Hyperparameters, Model, train_epochs, train_model
from mnist_net.pictures.decoding import save_png
from mnist_net.trained.store import SHIPPED_MODELS, load_model, save_model
from tests.cli.conftest import (
    SMALL,
    invoke,
    only_error,
    posix,
    started,
    wait_for_epoch,
)
from tests.drawings import draw, pixels

SHIPPED = next(file for file in SHIPPED_MODELS if file.exists())
TINY = Hyperparameters(hidden_layer_sizes=(8,), epochs=2)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Folders of classes: eight 5s and eight 7s."""
    for digit in (5, 7):
        for number in range(8):
            path = tmp_path / "own" / str(digit) / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            save_png(pixels(draw(digit, paper=255 - number)), path)
    return Path("own")


# Finding pictures.


def test_pictures_further_down_are_hinted_at_and_found(own: Path) -> None:
    hint = "Error: own: no pictures in this folder; there are some in folders below it: add -r"
    assert only_error(invoke("predict", own)) == hint
    found = invoke("predict", "-r", own).stdout.splitlines()
    assert [line.split(":")[1][:2] for line in found] == [" 5"] * 8 + [" 7"] * 8


def test_patterns_that_no_shell_has_seen_are_files(own: Path) -> None:
    found = invoke("predict", "own/*/[0-2].png").stdout.splitlines()
    assert [line.split(":")[0] for line in found] == [
        f"own/{digit}/{number}.png" for digit in (5, 7) for number in range(3)
    ]
    assert "own/*.gif: no such file" in only_error(invoke("predict", "own/*.gif"))


def test_a_home_that_no_shell_has_seen_is_found(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(own.resolve()))
    monkeypatch.setenv("USERPROFILE", str(own.resolve()))
    assert f"{own.resolve()}/5/0.png: 5" in invoke("predict", "~/5/0.png").stdout
    assert len(invoke("predict", "~/5/*.png").stdout.splitlines()) == 8
    assert "~/5/gone.png" not in only_error(invoke("predict", "~/5/gone.png"))
    save_png(pixels(draw(7)), Path("~.png"))
    assert invoke("predict", "~.png").stdout.startswith("~.png: 7")


@pytest.mark.parametrize("command", ["predict", "read"])
def test_what_cannot_be_saved_is_found_out_before_reading(own: Path, command: str) -> None:
    Path("file").write_text("no folder")
    result = invoke(command, "-r", own, "--save-input", "file")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "cannot write" in only_error(result)


def test_of_several_digits_one_is_not_read_without_a_word() -> None:
    page = Image.new("L", (400, 360), 255)
    for place, digit in enumerate((2, 5, 7, 1)):
        page.paste(draw(digit), (10 + place % 2 * 200, 10 + place // 2 * 140))
    page.save("page.png")
    draw(5, margin=(200, 200)).save("five.png")
    hint = "page.png shows several digits, and this is one of them: `mnist-net read` has all\n"
    for options in ((), ("--json",), ("-j", 2, *["five.png"] * 64)):
        told = invoke("predict", "page.png", *options)
        assert (told.exit_code, told.stderr) == (0, hint)
    assert invoke("predict", "-q", "page.png").stderr == ""
    assert invoke("predict", "five.png").stderr == invoke("read", "page.png").stderr == ""


def test_a_neighbour_that_is_cut_off_is_none() -> None:
    strip = Image.new("L", (300, 120), 255)
    for left in (-50, 110, 260):
        strip.paste(draw(5), (left, 0))
    strip.save("clipping.png")
    assert invoke("predict", "clipping.png").stderr == ""


def test_jobs_change_no_answer(own: Path) -> None:
    for number in range(60):
        save_png(pixels(draw(5, paper=250 - number)), own / "5" / f"more-{number}.png")
    one, two = (invoke("predict", "-r", own, "-j", jobs).stdout for jobs in (1, 2))
    assert one == two
    assert len(one.splitlines()) == 76


def test_pages_of_a_file_are_chosen(tmp_path: Path) -> None:
    draw(5).save("pages.tiff", save_all=True, append_images=[draw(7)])
    first = invoke("predict", "pages.tiff")
    assert first.stdout.startswith("pages.tiff: 5")
    assert first.stderr == "pages.tiff has 2 pages; this is the first (--page all)\n"
    assert invoke("predict", "-q", "pages.tiff").stderr == ""
    assert invoke("read", "--page", 2, "pages.tiff").stdout == "7\n"
    pages = invoke("read", "--page", "all", "pages.tiff").stdout
    assert pages == "pages.tiff page 1:\n5\npages.tiff page 2:\n7\n"
    assert "has no page 3: it has 2" in only_error(invoke("read", "--page", 3, "pages.tiff"))
    assert invoke("read", "--page", "0", "pages.tiff").exit_code == 2


@posix
def test_a_pipe_is_read_once_for_all_its_pages(tmp_path: Path) -> None:
    draw(5).save("pages.tiff", save_all=True, append_images=[draw(7)])
    os.mkfifo("pipe")
    content = Path("pages.tiff").read_bytes()
    with ThreadPoolExecutor(1) as helper:
        helper.submit(Path("pipe").write_bytes, content)
        pages = invoke("read", "--page", "all", "pipe").stdout
    assert pages == "pipe page 1:\n5\npipe page 2:\n7\n"


def test_a_folder_that_cannot_be_looked_into_is_told(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed, scan = str(own / "7"), os.scandir

    def scandir(path: str) -> Any:
        if str(path) == closed:
            raise PermissionError(13, "Permission denied", closed)
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    result = invoke("predict", "-r", own)
    assert len(result.stdout.splitlines()) == 8
    assert result.exit_code == 1
    assert result.stderr == f"Error: {closed}: Permission denied\n"


# Which model answers.


@pytest.mark.parametrize("command", ["predict -m", "export", "train --teacher", "train --from"])
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("detector", "tells digits from other things"),
        ("signs", "tells signs from digits at"),
        ("pairs", "reads two digits that touch"),
        ("textures", "tells what is written on a photograph"),
    ],
)
def test_the_networks_beside_the_model_are_no_model(command: str, name: str, told: str) -> None:
    save_png(pixels(draw(5)), Path("5.png"))
    companion = SHIPPED.with_name(f"{name}.joblib")
    rest = {"predict -m": ["5.png"], "export": ["out.npz"]}.get(command, [])
    message = only_error(invoke(*command.split(), companion, *rest))
    assert f"{companion} {told}" in message
    assert message.endswith(": name another model")
    assert not Path("out.npz").exists()


def test_an_odd_kind_in_a_file_is_no_companion() -> None:
    model = load_model(SHIPPED)
    save_model(replace(model, metadata={**model.metadata, "kind": ["detector"]}), "odd.joblib")
    save_png(pixels(draw(5)), Path("5.png"))
    assert invoke("predict", "-m", "odd.joblib", "5.png").stdout.startswith("5.png: 5")


def trained_here(test: float, name: str = "mnist") -> None:
    """The shipped network as if it had been trained in this folder."""
    model = load_model(SHIPPED)
    metadata = {**model.metadata, "accuracy": {**model.metadata["accuracy"], "test": test}}
    metadata["data"] = {**metadata["data"], "name": name}
    save_model(replace(model, metadata=metadata), "models/latest.joblib", dtype=np.float16)


def test_a_better_proven_model_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MNIST_NET_MODEL", raising=False)
    save_png(pixels(draw(5)), Path("5.png"))
    trained_here(0.99)
    told = invoke("predict", "5.png")
    assert told.stderr.startswith(
        "models/latest.joblib answers, with 1.00% errors on test pictures"
    )
    assert "--model shipped" in told.stderr
    assert told.stdout.startswith("5.png: 5")
    for silent in (("-q",), ("-m", "latest"), ("-m", "shipped")):
        assert invoke("predict", *silent, "5.png").stderr == ""
    answer = json.loads(invoke("predict", "--json", "5.png").stdout)
    assert answer["model"] == "models/latest.joblib"
    trained_here(0.999)
    assert invoke("predict", "5.png").stderr == ""


def test_what_is_to_be_used_is_settled_for_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MNIST_NET_MODEL", raising=False)
    trained_here(0.99)

    def answers() -> str:
        return str(json.loads(invoke("info", "--json").stdout)["model"])

    assert answers() == "models/latest.joblib"
    assert invoke("use", "shipped").stdout == f"{SHIPPED} answers from now on\n"
    assert answers() == str(SHIPPED)
    assert "gone.joblib: no such file" in only_error(invoke("use", "gone.joblib"))
    assert answers() == str(SHIPPED)
    assert invoke("use", "latest").exit_code == 0
    assert answers() == "models/latest.joblib"


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a\0b", b"x" * 10_000])
def test_a_damaged_choice_is_none(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MNIST_NET_MODEL", raising=False)
    Path("models").mkdir()
    Path("models", "chosen").write_bytes(content)
    result = invoke("info", "--json")
    named = json.loads(result.stdout)["model"] if not result.exit_code else only_error(result)
    assert str(SHIPPED) in named or "no such file" in named


def test_what_a_model_settles_is_not_asked_for() -> None:
    result = invoke("train", "--dataset", "digits", "--from", "shipped", "--hidden", 7)
    assert result.exit_code == 2
    assert "--from keeps what the model has: leave out its hidden_layer_sizes" in result.stderr


def test_a_toy_answers_only_if_it_is_named(
    digits_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MNIST_NET_MODEL", raising=False)
    save_png(pixels(draw(5)), Path("5.png"))
    Path("models").mkdir()
    Path("models", "latest.joblib").write_bytes(digits_model.read_bytes())
    answer = json.loads(invoke("predict", "--json", "5.png").stdout)
    assert answer["model"] == str(SHIPPED)
    named = invoke("predict", "--json", "-m", "latest", "5.png")
    assert json.loads(named.stdout)["model"] == "models/latest.joblib"
    assert "this model has only seen scikit-learn's 8×8 digits" in named.stderr


@pytest.mark.parametrize("place", [0.3, 0.5, 0.7, 0.9])
def test_damage_to_the_numbers_of_a_model_is_found(place: float) -> None:
    content = bytearray(SHIPPED.read_bytes())
    content[int(place * len(content))] ^= 1  # within the weights, which are nearly all of it
    Path("damaged.joblib").write_bytes(content)
    save_png(pixels(draw(5)), Path("5.png"))
    message = only_error(invoke("predict", "-m", "damaged.joblib", "5.png"))
    assert "damaged" in message


# Own pictures.


def test_own_pictures_are_evaluated_as_predict_reads_them(own: Path) -> None:
    save_png(np.full((40, 40), 255, np.uint8), own / "7" / "blank.png")
    (own / "7" / "none.png").write_bytes(b"no picture")
    result = invoke("evaluate", "--dataset", own)
    assert "on all pictures of own, as predict reads them" in result.stdout
    assert "warning: 1 picture cannot be read; the first: own/7/none.png is not" in result.stderr
    facts = json.loads(invoke("evaluate", "--dataset", own, "--json").stdout)
    assert (facts["n"], facts["split"]) == (18, "all")
    assert (facts["cannot be read"], facts["refused"], facts["answered rightly"]) == (1, 1, 16)


@pytest.mark.parametrize("command", ["evaluate", "report"])
def test_of_own_pictures_that_cannot_be_read_nothing_is_said(command: str) -> None:
    Path("own", "3").mkdir(parents=True)
    Path("own", "3", "a.png").write_bytes(b"no picture")
    message = only_error(invoke(command, "--dataset", "own"))
    assert "own: none of 1 pictures can be read; the first: own/3/a.png is not" in message


def test_folders_that_are_not_named_as_labels_are_told_of(own: Path) -> None:
    save_png(pixels(draw(5)), own / "three" / "deep" / "a.png")
    save_png(pixels(draw(5)), own / ".cache" / "a.png")
    (own / "notes").mkdir()
    once = "warning: own/three is passed over: folders of pictures are named as their label"
    for command in (("evaluate",), ("train", "--preset", "plain", "--epochs", 1)):
        told = invoke(*command, "--dataset", own).stderr
        assert told.count(" is passed over") == told.count(once) == 1
    save_png(pixels(draw(5)), own / "four" / "a.png")
    assert "four is passed over" in (told := invoke("evaluate", "--dataset", own).stderr)
    assert "; so are 1 more" in told


@pytest.mark.parametrize("named", ["own/5", "named"])
@pytest.mark.usefixtures("own")
def test_what_a_folder_of_classes_looks_like_is_said(named: str) -> None:
    save_png(pixels(draw(5)), Path("named", "digit3", "a.png"))
    for command in ("evaluate", "train"):
        message = only_error(invoke(command, "--dataset", named))
        assert "a folder whose folders are named as the label of the pictures in them" in message


def test_own_pictures_are_trained_on(own: Path) -> None:
    trained = invoke(
        "train", "--dataset", own, "--preset", "plain", "--hidden", "8,4", "--epochs", 2
    )
    assert trained.exit_code == 0
    model = load_model("models/latest.joblib")
    assert isinstance(model, Model)
    assert model.classes.tolist() == [5, 7]
    assert model.architecture.layer_sizes == (784, 8, 4, 2)
    assert model.metadata["data"]["n_train"] == 14


def test_weights_are_shared_if_asked_and_training_goes_on_with_them(own: Path) -> None:
    recipe = ("train", "--dataset", own, "--preset", "plain", "--epochs", 2)
    shared = (*recipe, "--hidden", "8", "--feature-maps", "3,4", "--checkpoint", "run")
    assert invoke(*shared).exit_code == 0
    longer = invoke(*shared, "--epochs", 3, "--resume")
    assert "going on after epoch 2" in longer.stderr
    model = load_model("models/latest.joblib")
    assert isinstance(model, Model)
    assert model.architecture.weight_shapes == [(25, 3), (75, 4), (196, 8), (8, 2)]
    assert model.metadata["hyperparameters"]["feature_maps"] == [3, 4]
    further = invoke(*recipe, "--from", "models/latest.joblib", "--output", "further.joblib")
    assert further.exit_code == 0
    assert load_model("further.joblib").architecture == model.architecture
    none = ("--preset", "convolutional", "--feature-maps", "none", "--output", "none.joblib")
    assert invoke(*recipe, "--hidden", "8", *none).exit_code == 0
    assert load_model("none.joblib").architecture.layer_sizes == (784, 8, 2)
    refused = invoke(*recipe, "--feature-maps", "3,4", "--from", "models/latest.joblib")
    assert refused.exit_code == 2
    assert "leave out its feature_maps" in refused.stderr
    assert invoke("info", "further.joblib").exit_code == 0
    assert invoke("report", "further.joblib", "--dataset", own, "--output", "r.html").exit_code == 0


# Training on.


def test_training_goes_on_for_more_epochs() -> None:
    recipe = ("train", *SMALL, "--checkpoint", "run")
    assert invoke(*recipe, "--epochs", 2).exit_code == 0
    longer = invoke(*recipe, "--epochs", 4, "--resume")
    assert "going on after epoch 2" in longer.stderr
    model = load_model("models/latest.joblib")
    assert [record["epoch"] for record in model.metadata["history"]] == [1, 2, 3, 4]
    shorter = invoke(*recipe, "--epochs", 3, "--resume")
    assert "epochs was 4, is 3" in only_error(shorter)


def test_training_goes_on_from_a_model() -> None:
    assert invoke("train", *SMALL, "--epochs", 8, "-o", "base.joblib").exit_code == 0
    base = load_model("base.joblib")
    tuned = ("train", "--dataset", "digits", "--preset", "plain", "--from", "base.joblib")
    assert invoke(*tuned, "--epochs", 1, "-o", "tuned.joblib").exit_code == 0
    model = load_model("tuned.joblib")
    assert isinstance(model, Model)
    assert isinstance(base, Model)
    assert model.architecture == base.architecture
    assert model.metadata["hyperparameters"]["learning_rate"] == pytest.approx(0.03)
    # It begins where the other ended: a first epoch with the loss of a late one.
    first, late = model.metadata["history"][0]["loss"], base.metadata["history"]
    assert first < late[1]["loss"]
    assert "gone.joblib: no such file" in only_error(invoke(*tuned[:-1], "gone.joblib"))


def test_a_checkpoint_knows_what_it_began_from() -> None:
    """To go on with other first weights, or without their model, is another run."""
    for seed in (0, 1):
        made = ("train", *SMALL, "--epochs", 1, "--seed", seed, "-o", f"{seed}.joblib")
        assert invoke(*made).exit_code == 0
    run = ("train", "--dataset", "digits", "--preset", "plain", "--learning-rate", 0.03)
    run = (*run, "--epochs", 2, "--checkpoint", "run")
    assert invoke(*run, "--from", "0.joblib").exit_code == 0
    other = only_error(invoke(*run, "--from", "1.joblib", "--resume"))
    assert "belongs to another run (it began --from another model, or from none)" in other
    assert "it began --from another" in only_error(invoke(*run, "--hidden", 16, "--resume"))
    same = invoke(*run[:-4], "--epochs", 3, *run[-2:], "--from", "0.joblib", "--resume")
    assert "going on after epoch 2" in same.stderr


@posix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_whoever_ends_training_leaves_the_best_epoch(number: signal.Signals) -> None:
    with started("train", *SMALL, "--epochs", 100_000) as process:
        wait_for_epoch(process, 2)
        process.send_signal(number)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert "the best so far, is kept" in stderr
    assert load_model("models/latest.joblib").metadata["epoch"] >= 2


def test_training_is_watched_from_python() -> None:
    seen: list[int] = []
    model = train_model("digits", TINY, progress=lambda p: seen.append(p.latest.number))
    assert seen == [1, 2]
    for standing in train_epochs("digits", TINY):
        if standing.progress.latest.number == 1:
            break
    early = standing.finished()
    assert early.metadata["epoch"] == 1
    assert early.metadata["history"][0]["loss"] == model.metadata["history"][0]["loss"]


def test_arrays_are_no_data_set_but_become_one() -> None:
    images = np.stack([np.full((28, 28), level, np.uint8) for level in range(70)])
    labels = np.arange(70, dtype=np.uint8) % 2
    with pytest.raises(TypeError, match=r"not ndarray; .*numpy\.savez\('own.npz'"):
        train_model(images, labels)  # type: ignore[arg-type]
    np.savez("own.npz", images=images, labels=labels)
    assert train_model("own.npz", TINY).classes.tolist() == [0, 1]


def test_what_failed_leaves_no_folder(tmp_path: Path) -> None:
    assert invoke("train", "--dataset", "nowhere").exit_code == 1
    assert invoke("read", "--save-input", "new", "gone.png").exit_code == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("evaluate", "--output", "report.pdf"),
        ("train", "--plot", "curves.txt"),
        ("train", "-o", "h.pkl"),
        ("data", "sample", "any.jpg"),
        ("read", "--annotate", "a.jpg", "b.png"),
        ("augment", "--preview", "a.gif"),
    ],
    ids=" ".join,
)
def test_a_name_says_what_a_file_is_or_is_refused(arguments: tuple[str, ...]) -> None:
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert re.search(r"must be a name that ends in \.", result.stderr)


# Words.


def test_a_slip_of_the_finger_is_forgiven() -> None:
    result = invoke("predit", "a.png")
    assert result.exit_code == 2
    assert "No such command 'predit'. Did you mean 'predict'?" in result.stderr


def test_help_is_a_command_too() -> None:
    assert invoke("help").stdout == invoke("--help").stdout
    assert "IMAGE is a picture of one digit" in invoke("help", "predict").stdout
    assert invoke("help", "nothing").exit_code == 2


def test_help_goes_down_to_the_commands_of_a_command() -> None:
    assert invoke("help", "data", "sample").stdout == invoke("data", "sample", "--help").stdout
    assert "No such command 'nothing'" in invoke("help", "data", "nothing").stderr
    assert "mnist-net use has no commands" in invoke("help", "use", "latest").stderr


def test_the_choices_of_a_missing_word_are_on_one_line() -> None:
    result = invoke("completion")
    assert result.exit_code == 2
    assert "Choose from: bash, zsh, fish" in result.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed(shell: str) -> None:
    assert "_MNIST_NET_COMPLETE" in invoke("completion", shell).stdout


def test_presets_print_as_a_table() -> None:
    lines = str(PRESETS).splitlines()
    assert lines[0].split() == ["default", "accurate", "convolutional", "plain", "cs229"]
    assert ["epochs", "22", "120", "40", "30", "30"] in [line.split() for line in lines]


def test_help_of_the_package_lists_its_names() -> None:
    import mnist_net

    for name in mnist_net.__all__:
        assert re.search(rf"^ *`?{name}\b", mnist_net.__doc__ or "", re.MULTILINE), name


@posix
def test_ctrl_c_while_the_program_is_still_starting_has_no_traceback() -> None:
    code = (
        "import builtins, os, signal\n"
        "importing = builtins.__import__\n"
        "def slow(name, *rest):\n"
        "    if name == 'click': os.kill(os.getpid(), signal.SIGINT)\n"
        "    return importing(name, *rest)\n"
        "from mnist_net.__main__ import run\n"
        "builtins.__import__ = slow\n"
        "run()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (130, b"")


def test_standard_input_may_be_a_picture_of_any_kind() -> None:
    stream = io.BytesIO()
    Image.open(io.BytesIO(draw_bytes())).save(stream, "WEBP", lossless=True)
    assert invoke("predict", "-", input=stream.getvalue()).stdout.startswith("-: 5")


def draw_bytes() -> bytes:
    stream = io.BytesIO()
    draw(5).save(stream, "PNG")
    return stream.getvalue()
