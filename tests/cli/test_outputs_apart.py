"""What is written never replaces what is read."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from mnist_net.datasets.loading import dataset_files, load_digits_as_images
from tests.cli.conftest import invoke, posix
from tests.conftest import ROOT


def assert_refused(result: Result, *names: object) -> None:
    """It was wrong usage, and nothing was done."""
    assert (result.exit_code, result.stdout) == (2, "")
    *_, last = result.stderr.splitlines()
    assert last == f"Error: {names[0]} and {names[1]} are one file: name two"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "examples" / "7.png", tmp_path / "7.png")
    return Path("7.png")


@pytest.fixture
def npz(tmp_path: Path) -> Path:
    images, labels, *_ = load_digits_as_images()
    np.savez(tmp_path / "set.npz", images=images[:70], labels=labels[:70])
    return Path("set.npz")


@pytest.fixture
def idx(tmp_path: Path) -> Path:
    """The names of a folder's files, which hold nothing: it should not come to reading them."""
    folder = tmp_path / "idx"
    folder.mkdir()
    for part in ("train", "t10k"):
        for kind in ("images-idx3", "labels-idx1"):
            (folder / f"{part}-{kind}-ubyte").write_bytes(b"")
    return Path("idx")


@pytest.mark.parametrize("command", ["predict", "read"])
def test_what_was_seen_does_not_replace_the_pictures(command: str, tmp_path: Path) -> None:
    picture = tmp_path / "7.png"
    shutil.copy(ROOT / "examples" / "7.png", picture)
    before = picture.read_bytes()
    result = invoke(command, "--save-input", tmp_path, picture)
    assert result.exit_code == 2
    assert "would overwrite its pictures: name another" in result.stderr
    assert picture.read_bytes() == before


@posix
@pytest.mark.parametrize("to", ["7.png", "other.png", "seen/7.png", "nowhere/7.png"])
def test_what_was_seen_does_not_go_through_a_link(picture: Path, to: str) -> None:
    Path("seen").mkdir()
    shutil.copy(picture, "other.png")
    Path("seen", "7.png").symlink_to(Path(to).absolute())
    before = picture.read_bytes()
    result = invoke("predict", "--save-input", "seen", picture)
    assert (result.exit_code, result.stderr) == (0, "")
    assert picture.read_bytes() == Path("other.png").read_bytes() == before
    assert Path("seen", "7.png").is_symlink()
    assert Path("seen", "7-2.png").read_bytes().startswith(b"\x89PNG")


@posix
def test_what_was_seen_of_a_picture_with_the_longest_name_has_a_shorter_one(picture: Path) -> None:
    longest = [Path(folder, "é" * 125 + ".png") for folder in ("one", "other")]  # 254 bytes
    for path in longest:
        path.parent.mkdir()
        shutil.copy(picture, path)
    result = invoke("predict", "--save-input", "seen", *longest, picture)
    assert (result.exit_code, result.stderr) == (0, "")
    assert len(list(Path("seen").iterdir())) == 3


def test_an_annotated_picture_does_not_replace_the_choices(picture: Path) -> None:
    Path("roster.png").write_text("7\n", encoding="ascii")
    result = invoke("read", "--choices", "roster.png", "--annotate", "roster.png", picture)
    assert_refused(result, "roster.png", "roster.png")
    assert Path("roster.png").read_text(encoding="ascii") == "7\n"


@pytest.mark.parametrize("annotated", ["seen/7.png", "seen/../seen/7-2.png"])
def test_what_was_seen_does_not_replace_the_annotated_picture(
    picture: Path, annotated: str
) -> None:
    result = invoke("read", "--annotate", annotated, "--save-input", "seen", picture)
    assert result.exit_code == 2
    assert "would overwrite its pictures: name another" in result.stderr
    assert not Path("seen").exists()


@posix
def test_an_annotated_picture_does_not_replace_the_model(picture: Path, digits_model: Path) -> None:
    Path("model.png").symlink_to(digits_model)
    before = digits_model.read_bytes()
    result = invoke("read", "-m", digits_model, "--annotate", "model.png", picture)
    assert_refused(result, "model.png", digits_model)
    assert digits_model.read_bytes() == before


@posix
def test_a_picture_is_known_by_its_other_names(picture: Path) -> None:
    os.link(picture, "other.png")
    assert_refused(invoke("read", "--annotate", "other.png", picture), "other.png", picture)


@posix
@pytest.mark.parametrize("command", ["train", "evaluate", "augment", "sample"])
@pytest.mark.parametrize("kind", ["npz", "idx"])
def test_no_output_replaces_the_data(
    command: str, kind: str, npz: Path, idx: Path, digits_model: Path
) -> None:
    dataset = {"npz": npz, "idx": idx}[kind]
    data = {"npz": npz, "idx": idx / "t10k-labels-idx1-ubyte"}[kind]
    before = data.read_bytes()
    for output in (data, data.parent / ".." / data.absolute().parent.name / data.name):
        written = Path("link" + {"train": ".joblib", "evaluate": ".md"}.get(command, ".png"))
        written.unlink(missing_ok=True)
        written.symlink_to(output)
        arguments: tuple[object, ...] = {
            "train": ("train", "-o", written),
            "evaluate": ("evaluate", "-m", digits_model, "-o", written),
            "augment": ("augment", "--preview", written),
            "sample": ("data", "sample", written),
        }[command]
        assert_refused(invoke(*arguments, "--dataset", dataset), written, data)
        assert data.read_bytes() == before


@posix
def test_no_picture_of_a_report_and_no_plot_replaces_the_data(
    npz: Path, digits_model: Path
) -> None:
    for name in ("report-mistakes.png", "curves.png"):
        Path(name).symlink_to(npz)
    result = invoke("evaluate", "-m", digits_model, "--dataset", npz, "-o", "report.md")
    assert_refused(result, "report-mistakes.png", npz)
    assert_refused(invoke("train", "--dataset", npz, "--plot", "curves.png"), "curves.png", npz)


def test_a_model_may_lie_beside_the_data_that_it_is_trained_on(npz: Path, tmp_path: Path) -> None:
    images, labels, *_ = load_digits_as_images()
    for part, rows in (("train", slice(60)), ("t10k", slice(60, 70))):
        for kind, magic, array in (("images", 2051, images[rows]), ("labels", 2049, labels[rows])):
            header = np.array([magic, *array.shape], ">u4").tobytes()
            name = f"{part}-{kind}-idx{array.ndim}-ubyte"
            (tmp_path / name).write_bytes(header + array.tobytes())
    train = ("train", "--preset", "plain", "--epochs", 1, "--dataset", ".", "-o", "m.joblib")
    assert invoke(*train).exit_code == 0
    assert invoke(*train).exit_code == 0  # and be replaced by the next


@posix
def test_the_cache_is_what_is_read_of_mnist() -> None:
    (cache,) = dataset_files("mnist", Path("home"))
    assert dataset_files("auto", Path("home")) == [cache]
    Path("m.joblib").symlink_to(cache)
    result = invoke("train", "--data-home", "home", "-o", "m.joblib", "--offline")
    assert_refused(result, "m.joblib", cache)
    assert dataset_files("digits") == []


@pytest.mark.parametrize("name", ["out.jpg", "out", "out.png.txt", "folder"])
def test_a_png_file_must_be_named_one(name: str, picture: Path, npz: Path) -> None:
    Path("folder").mkdir()
    for command in (
        ("read", "--annotate", name, picture),
        ("augment", "--dataset", npz, "--preview", name),
    ):
        result = invoke(*command)
        assert (result.exit_code, result.stdout) == (2, "")
        assert f"{name} must be a name that ends in .png" in result.stderr
    assert not Path(name).is_file()
    assert invoke("read", "--annotate", "OUT.PNG", picture).exit_code == 0
