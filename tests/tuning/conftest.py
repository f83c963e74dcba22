"""What the tests of searches share: small pictures, small spaces, and the search of a study."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnist_net.datasets.loading import load_dataset
from mnist_net.tuning.search import Search, search_for, tried
from mnist_net.tuning.space import read_space
from mnist_net.tuning.study import Trial
from tests.cli.conftest import no_work

__all__ = ["no_work"]

SPACE = """
[recipe]
preset = "plain"
epochs = 4

[space]
hidden_layer_sizes = [[8], [16], [16, 8]]
learning_rate = { low = 1e-3, high = 10, log = true }
batch_size = { low = 10, high = 90, step = 20 }
"""


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")


@pytest.fixture
def space(tmp_path: Path) -> Path:
    path = tmp_path / "space.toml"
    path.write_text(SPACE, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def npz(tmp_path_factory: pytest.TempPathFactory, digits: tuple[np.ndarray, np.ndarray]) -> Path:
    """600 digits to learn from and 60 for a test, in a file that every process reads quickly."""
    path = tmp_path_factory.mktemp("pictures") / "digits.npz"
    images, labels = digits
    train, test = slice(600), slice(600, 660)
    arrays = {"x_train": images[train], "y_train": labels[train]}
    np.savez(path, **arrays, x_test=images[test], y_test=labels[test])
    return path


def searching(space: Path, npz: Path, study: str = "study.db", **choices: Any) -> Search:
    training = load_dataset(str(npz)).train
    return search_for(read_space(space), Path(study), training, str(npz), **choices)


def found(search: Search, n_trials: int, **how: Any) -> list[Trial]:
    """All trials of a search that goes on until there are so many."""
    for _ in tried(search, n_trials, **how):
        pass
    return search.trials()


@contextmanager
def tuning(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """``mnist-net tune`` as a process, with a group of its own that does not outlive the block."""
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    command = [sys.executable, "-m", "mnist_net", "tune", *map(str, arguments)]
    with subprocess.Popen(command, **pipes, start_new_session=True) as process:
        try:
            yield process
        finally:
            kill(process)


def kill(process: subprocess.Popen[str]) -> None:
    """End a process and what it started as a power cut would."""
    if process.poll() is None:
        os.killpg(process.pid, 9)
        process.wait()
