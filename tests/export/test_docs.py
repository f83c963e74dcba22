"""What `docs/exporting.md` shows works as it is written, from its top to its end."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from mnist_net.cli import main
from mnist_net.export.c_source import c_source
from mnist_net.trained.store import load_model
from scripts.exporting.__main__ import shown_table
from scripts.records import read_json
from tests.conftest import ROOT, extra

PAGE = (ROOT / "docs" / "exporting.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(console|python|c)\n(.*?)```", PAGE, re.DOTALL)
PYTHON = [text for kind, text in BLOCKS if kind == "python"]
CONSOLE = [text for kind, text in BLOCKS if kind == "console"]
((_, PROGRAM),) = [block for block in BLOCKS if block[0] == "c"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "examples" / "7.png", tmp_path)
    (tmp_path / "seven.c").write_text(PROGRAM)
    run_python(PYTHON[0], tmp_path)  # the picture
    return tmp_path


def run_python(text: str, folder: Path) -> str:
    return answer([sys.executable, "-W", "error", "-c", text], folder)


def run_console(lines: str, folder: Path) -> str:
    script = lines.replace("mnist-net ", f"{shlex.quote(sys.executable)} -m mnist_net ")
    return answer(["sh", "-e", "-c", script], folder)


def answer(command: list[str], folder: Path) -> str:
    """What it prints last."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.rpartition("\n")[0].rpartition("\n")[2]


def commands_for(name: str) -> str:
    """The line of the first block that writes a file."""
    (line,) = [line for line in CONSOLE[0].splitlines() if f" {name} " in line]
    return line


def test_onnx(folder: Path) -> None:
    extra("onnx")
    extra("onnxruntime")
    run_console(commands_for("digits.onnx"), folder)
    assert run_python(PYTHON[1], folder) == "7"


def test_npz(folder: Path) -> None:
    run_console(commands_for("digits.npz"), folder)
    assert run_python(PYTHON[2], folder) == "7"


def test_safetensors(folder: Path) -> None:
    extra("safetensors")
    run_console(commands_for("digits.safetensors"), folder)
    assert run_python(PYTHON[3], folder) == "(784, 2500)"


def test_c(folder: Path) -> None:
    if shutil.which("cc") is None:
        pytest.skip("no C compiler is here: apt install gcc")
    assert len(PYTHON) == 4
    assert commands_for("digits.c").split(" #")[0].split() == CONSOLE[1].splitlines()[0].split()
    assert run_console(CONSOLE[1], folder) == "7"


@pytest.mark.parametrize("line", [line for block in CONSOLE for line in block.splitlines()])
def test_every_command_has_the_options_that_are_shown(line: str) -> None:
    words = shlex.split(line, comments=True)
    if words[0] == "mnist-net":
        result = CliRunner().invoke(main, [*words[1:], "--help"])
        assert result.exit_code == 0, result.output


def test_a_small_network_is_as_small_as_is_said(digits_model: Path) -> None:
    text = c_source(load_model(digits_model), quantize=True)  # of 32 hidden units, as there
    tables = re.findall(r"static const (signed char|float) \w+\[(\d+)\]", text)
    size = sum(int(n) * (1 if kind == "signed char" else 4) for kind, n in tables)
    assert f"takes {round(size / 1000)} kB" in PAGE


def test_the_figures_are_those_that_were_measured() -> None:
    found = read_json(ROOT / "results" / "exporting.json")["formats"]
    assert shown_table(found) in PAGE
    # Not more than 0.03 points, as it is promised.
    for kind in ("onnx", "c"):
        assert found[f"{kind}, int8"]["error"] - found["mnist-net"]["error"] <= 0.0003 + 1e-9
