"""A fast command does not wait for slow libraries."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnist_net.pictures.decoding import save_png
from mnist_net.trained.store import SHIPPED_MODELS

SLOW = {"sklearn", "scipy", "pandas", "matplotlib", "optuna", "pooch", "requests", "tqdm"}

PROGRAM = """
import json, sys
from mnist_net.cli import main
try:
    main(sys.argv[1:], prog_name="mnist-net")
except SystemExit as end:
    status = end.code
imported = sorted({name.partition(".")[0] for name in sys.modules})
print(json.dumps([status, imported]), file=sys.stderr)
"""


def imported_by(*arguments: object) -> set[str]:
    """Top-level packages that are in memory when a command has ended well."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
    )
    status, names = json.loads(done.stderr.splitlines()[-1])
    assert status == 0
    return set(names)


def test_help_imports_neither_numpy_nor_anything_slow() -> None:
    imported = imported_by("--help")
    assert "click" in imported
    assert not imported & (SLOW | {"numpy", "joblib", "PIL"})


@pytest.mark.parametrize(
    "command",
    [
        "train",
        "evaluate",
        "report",
        "predict",
        "read",
        "info",
        "augment",
        "data",
        "gradcheck",
        "adapt",
        "feedback",
        "serve",
        "export",
        "tune",
    ],
)
def test_help_of_a_command_imports_nothing_slow(command: str) -> None:
    assert not imported_by(command, "--help") & SLOW


def test_predict_imports_nothing_slow(tmp_path: Path, digits_model: Path) -> None:
    picture = np.zeros((28, 28), np.uint8)
    picture[4:24, 12:16] = 255
    save_png(picture, tmp_path / "folder" / "one.png")
    # Dark on white too, and in whatever form grey is stored.
    for mode in ("RGB", "RGBA", "P", "1"):
        stored = Image.fromarray(255 - picture).convert(mode)
        stored.save(tmp_path / "folder" / f"{mode}.png")
    imported = imported_by(
        *("predict", "--model", digits_model, "--show", "--save-input", tmp_path / "seen"),
        *(tmp_path / "folder" / "one.png", tmp_path / "folder"),
    )
    assert {"numpy", "PIL", "joblib"} <= imported
    assert not imported & SLOW
    assert len(list((tmp_path / "seen").iterdir())) == 6


def test_what_is_drawn_on_clean_paper_needs_nothing_slow() -> None:
    examples = Path(__file__).parent.parent / "examples"
    pictures = [examples / f"{digit}.png" for digit in (0, 1, 2, 4, 5, 6, 7, 9)]
    assert not imported_by("predict", "--model", SHIPPED_MODELS[-1], *pictures) & SLOW


def test_only_what_must_be_searched_for_ink_imports_scipy(
    tmp_path: Path, digits_model: Path
) -> None:
    """And nothing of scikit-learn, whose import takes longer still."""
    picture = np.full((40, 40), 255, np.uint8)
    picture[4:24, 12:16] = 0
    picture[-4:] -= 20  # a shadow
    save_png(picture, tmp_path / "one.png")
    for command in ("predict", "read"):
        imported = imported_by(command, "--model", digits_model, tmp_path / "one.png")
        assert imported & SLOW == {"scipy"}


def test_info_imports_nothing_slow(digits_model: Path) -> None:
    assert not imported_by("info", digits_model) & SLOW


def test_the_package_alone_imports_nothing() -> None:
    """Every public name is imported when it is first used."""
    program = "import sys, mnist_net; dir(mnist_net); print(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    tops = {name.partition(".")[0] for name in done.stdout.split()}
    assert not tops & (SLOW | {"numpy", "joblib", "PIL", "click"})
