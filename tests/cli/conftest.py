"""What the tests of the command line share: commands in this process, and as processes."""

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from mnist_net.cli import main
from mnist_net.pictures.decoding import save_png
from mnist_net.trained.store import SHIPPED_MODELS
from tests.drawings import draw

posix = pytest.mark.skipif(
    os.name == "nt", reason="needs POSIX signals, terminals, links, limits or names"
)

PLAIN = ("--preset", "plain")
SMALL = ("--dataset", "digits", *PLAIN, "--hidden", 16)
BLANK = "nothing on it is darker or lighter than its paper"
UNLIKE = "what is on it does not look like a digit"


@pytest.fixture(autouse=True)
def _processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread for processes that share the machine, usual buffers."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)


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


@contextmanager
def started(*arguments: object, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A command as a process, which does not outlive the block."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(
        [sys.executable, "-m", "mnist_net", *map(str, arguments)], **{**pipes, **options}
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


def on_terminal(
    *arguments: object,
    stdout: int | None = subprocess.PIPE,
    interrupt_after: str | None = None,
    **environment: str,
) -> tuple[int, str, str]:
    """Run with stderr on a pseudo-terminal, and stdout too where it is None.

    Returned are the status, stdout, and what the terminal got.
    """
    import pty
    import termios

    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (60, 120))
    seen = b""
    with started(
        *arguments,
        stdout=theirs if stdout is None else stdout,
        stderr=theirs,
        text=False,
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
            if not chunk:
                break
            seen += chunk
            if interrupt_after and interrupt_after in seen.decode(errors="replace"):
                process.send_signal(signal.SIGINT)
                interrupt_after = None
        else:
            raise AssertionError(f"no end in sight after {seen!r}")
        said = process.stdout.read().decode() if process.stdout else ""
        process.wait()
    os.close(ours)
    return process.returncode, said, seen.decode().replace("\r\n", "\n")


@pytest.fixture(scope="session")
def lean(
    tmp_path_factory: pytest.TempPathFactory, digits: tuple[np.ndarray, np.ndarray]
) -> tuple[object, ...]:
    """As `SMALL`, from a file: no process has to import scikit-learn for its digits."""
    path = tmp_path_factory.mktemp("digits") / "digits.npz"
    np.savez(path, images=digits[0], labels=digits[1])
    return ("--dataset", path, *PLAIN, "--hidden", 16)


@pytest.fixture
def pictures(tmp_path: Path, digits: tuple[np.ndarray, np.ndarray]) -> Path:
    """A folder with the first five digits, 0 to 4, as pictures; and a text."""
    folder = tmp_path / "pictures"
    for number, image in enumerate(digits[0][:5]):
        save_png(image, folder / f"{number}.png")
    (folder / "notes.txt").write_text("no picture")
    return folder


@pytest.fixture
def npz(tmp_path: Path, digits: tuple[np.ndarray, np.ndarray]) -> Path:
    path = tmp_path / "set.npz"
    np.savez(path, images=digits[0][:700], labels=digits[1][:700])
    return path


@pytest.fixture
def no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a command finds out, it finds out before it loads any data."""

    def loading(*_: object, **__: object) -> None:
        raise AssertionError("work began")

    monkeypatch.setattr("mnist_net.datasets.loading.load_dataset", loading)


@pytest.fixture
def shipped_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model that ships is the one of the environment."""
    monkeypatch.setenv("MNIST_NET_MODEL", str(next(p for p in SHIPPED_MODELS if p.exists())))


@pytest.fixture
def five(tmp_path: Path) -> Path:
    """The name of a picture of a 5."""
    draw(5).save(tmp_path / "five.png")
    return Path("five.png")


@pytest.fixture
def number(tmp_path: Path) -> Path:
    """The name of a picture of two rows: 2 5 and 7 1."""
    sheet = Image.new("L", (220, 300), 255)
    for place, digit in enumerate((2, 5, 7, 1)):
        sheet.paste(draw(digit), (10 + place % 2 * 100, 10 + place // 2 * 140))
    sheet.save(tmp_path / "number.png")
    return Path("number.png")
