"""The tutorial, from its first line to its last, as a reader goes through it.

Every line is run as it stands, but for what sets up the machine, and for one epoch of MNIST by a
small network in place of twenty by a large one.  A block of text after commands is what they
print, or a part of it.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import ROOT
from tests.docs.examples import PAGES, blocks, commands
from tests.drawings import draw

BLOCKS = blocks(PAGES["tutorial"])
SETS_UP = ("git clone ", "python3 -m venv ", "pip install ")
SHORTER = {
    "mnist-net train": ["--epochs", "1", "--hidden", "64", "--drawn-digits", "1000"],
}


def run_python(*arguments: str) -> str:
    finished = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, timeout=600
    )
    assert finished.returncode == 0, (arguments, finished.stderr)
    return finished.stdout


def printed(line: str) -> str:
    """What a command of the tutorial prints."""
    program, *arguments = line.split()
    assert program == "mnist-net"
    return run_python("-m", "mnist_net", *arguments, *SHORTER.get(line, []))


@pytest.fixture
def reader_with_a_camera(
    tmp_path: Path,
    mnist_arrays: tuple[np.ndarray, np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The folder of the clone, MNIST where it is kept, and a photograph."""
    shutil.copytree(ROOT / "examples", "examples")
    draw(7, margin=(60, 50)).save("mine.jpg")
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    cache = Path(os.environ["SCIKIT_LEARN_DATA"], "mnist-net", "mnist.npz")
    cache.parent.mkdir(parents=True)
    np.savez(cache, images=mnist_arrays[0], labels=mnist_arrays[1].astype(np.uint8))


@pytest.mark.slow
@pytest.mark.usefixtures("reader_with_a_camera")
def test_the_tutorial_runs_from_its_first_line_to_its_last() -> None:
    output, n_shown = "", 0
    for block in BLOCKS:
        if block.language == "console":
            lines = [line for line in commands(block.text) if not line.startswith(SETS_UP)]
            output = "".join(map(printed, lines))
        elif block.language == "python":
            output = run_python("-W", "error", "-c", block.text)
        else:
            assert block.language == "text"
            assert block.text in output
            n_shown += 1
    assert n_shown >= 2
    assert len(list(Path("own").rglob("*.png"))) == 22
    assert Path("models", "latest.joblib").exists()
    assert Path("models", "mine.joblib").exists()
