"""What the tests share: real MNIST, a small trained model, and the command line as a process."""

import contextlib
import functools
import gc
import gzip
import importlib
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

# There are as many workers as cores: one core for the matrix products of each, and of the processes
# that it starts. The libraries look once, when they are loaded: so this stands before NumPy.
if "PYTEST_XDIST_WORKER" in os.environ:
    for library in ("OPENBLAS_NUM", "OMP_NUM", "MKL_NUM", "VECLIB_MAXIMUM"):
        os.environ.setdefault(f"{library}_THREADS", "1")

import numpy as np
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from mnist_net.reading.reader import Reader

# What a shell starts in the background, or nohup, ignores signals, and so does what it starts. What
# has a handler does not hand it on.
for number in (signal.SIGINT, getattr(signal, "SIGHUP", signal.SIGINT)):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, lambda *_: None)

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("MNIST_NET_SHARED", ROOT.parent / "shared"))

# However busy the machine, and whatever an earlier run has left.
settings.register_profile(
    "here",
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("here")


def pytest_collection_finish() -> None:
    """What was imported and collected stays: garbage is not looked for in it again and again."""
    gc.freeze()


@pytest.fixture(autouse=True)
def _apart_from_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees or touches the data, models and settings of whoever runs it."""
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "scikit_learn_data"))
    monkeypatch.delenv("MNIST_NET_MODEL", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    # A worker of pytest-xdist is a `python -c`; commands that are run in it say how to call them.
    monkeypatch.setattr(sys, "argv", [str(ROOT / "mnist_net" / "__main__.py")])
    monkeypatch.chdir(tmp_path)


def shared_data(name: str) -> Path:
    """A folder of data that are not ours; skips without them, unless they are required."""
    folder = SHARED / "data" / name
    if not folder.is_dir():
        message = f"{name} is not at {folder} (MNIST_NET_SHARED names another place)"
        if os.environ.get("MNIST_NET_REQUIRE_SHARED") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture(scope="session")
def mnist_folder() -> Path:
    """The four files of the real MNIST."""
    return shared_data("mnist")


def extra(module: str) -> Any:
    """A module that an extra installs; skips without it, unless the extras are required."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        if os.environ.get("MNIST_NET_REQUIRE_EXTRAS") == "1":
            pytest.fail(f"an extra is missing: {error}")
        pytest.skip(f"{module} is not here: make test-extras")


def read_idx_plainly(path: Path, header: int) -> np.ndarray:
    """Read an IDX file without the code under test."""
    return np.frombuffer(gzip.decompress(path.read_bytes())[header:], dtype=np.uint8)


@pytest.fixture(scope="session")
def mnist_arrays(mnist_folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images (70,000 × 28 × 28) and labels of the real MNIST, training set first."""
    images = [
        read_idx_plainly(mnist_folder / f"{part}-images-idx3-ubyte.gz", 16)
        for part in ("train", "t10k")
    ]
    labels = [
        read_idx_plainly(mnist_folder / f"{part}-labels-idx1-ubyte.gz", 8)
        for part in ("train", "t10k")
    ]
    return np.concatenate(images).reshape(-1, 28, 28), np.concatenate(labels)


@pytest.fixture(scope="session", autouse=True)
def _digits_drawn_once() -> Iterator[None]:
    """scikit-learn's digits take longer to redraw as MNIST's than a small network to learn them."""
    from mnist_net.datasets import loading

    @functools.cache
    def drawn() -> Any:
        dataset = draw()
        for array in (dataset.images, dataset.labels):
            array.flags.writeable = False  # whoever changes them is found out
        return dataset

    draw = loading.load_digits_as_images
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "load_digits_as_images", drawn)
        yield


@pytest.fixture(scope="session")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """Images (1,797 × 28 × 28) and labels of scikit-learn's digits, as we load them."""
    from mnist_net.datasets import loading

    images, labels, *_ = loading.load_digits_as_images()
    return images, labels


@pytest.fixture(scope="session")
def digits_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file: a small network, trained briefly on the bundled 8 × 8 digits."""
    from mnist_net import Hyperparameters, save_model, train_model

    path = tmp_path_factory.mktemp("model") / "digits.joblib"
    save_model(train_model("digits", Hyperparameters(hidden_layer_sizes=(32,), epochs=5)), path)
    return path


@functools.cache
def shipped_reader() -> "Reader":
    """A reader with the networks that ship."""
    from mnist_net.reading.reader import Reader
    from mnist_net.trained.companions import load_detector
    from mnist_net.trained.store import SHIPPED_MODELS, load_model

    # By name: whoever runs the tests may have a latest model of their own.
    return Reader(
        load_model(next(path for path in SHIPPED_MODELS if path.exists())), load_detector()
    )


@pytest.fixture(scope="session")
def reader() -> "Reader":
    return shipped_reader()


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run() -> Run:
    """Run ``mnist-net`` as a user does: a process of its own, output captured as text."""

    def run_command(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: PLW1510  (the tests look at the status)
            [sys.executable, "-m", "mnist_net", *map(str, arguments)],
            **{"capture_output": True, "text": True, "timeout": 300, **options},
        )

    return run_command


def study(folder: str, *arguments: object, status: int | None = 0) -> Result:
    """Run ``python -m scripts.folder`` in this process, which has imported scikit-learn already.

    What is not the expected status, None for any, is an error here; so is a warning.
    """
    main = importlib.import_module(f"scripts.{folder}.__main__").main
    with contextlib.chdir(ROOT):
        result = CliRunner().invoke(main, [*map(str, arguments)], prog_name=f"scripts.{folder}")
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert status in (None, result.exit_code), result.stderr
    return result


@pytest.fixture(autouse=True)
def logger_as_before() -> Iterator[None]:
    """The command line sets up the package's logger; no test leaves that to the next."""
    logger = logging.getLogger("mnist_net")
    before = logger.handlers, logger.level, logger.propagate
    yield
    logger.handlers, logger.level, logger.propagate = before


def bits(trained: Any) -> list[bytes]:
    """The parameters of a model, or of an epoch, as bytes: to compare two to the last bit."""
    return [a.tobytes() for layer in trained.parameters for a in layer if a is not None]
