"""What the pages show works as it is written; exporting and the tutorial have their own tests."""

import importlib
import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest
from click.testing import CliRunner

from mnist_net.cli import main
from mnist_net.trained.store import SHIPPED_MODELS
from scripts.browsing import serving
from tests.conftest import ROOT
from tests.docs.examples import PAGES, blocks, commands
from tests.drawings import draw

TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf8"), re.MULTILINE))
NOT_OURS = ("./", "cc", "cd", "curl", "dask", "git", "pip", "podman", "python3")

CONSOLE = {
    name: [
        line
        for block in blocks(text)
        if block.language == "console"
        for line in commands(block.text)
    ]
    for name, text in PAGES.items()
}
PYTHON = {
    name: found
    for name, text in PAGES.items()
    if (found := [block.text for block in blocks(text) if block.language == "python"])
}


def check(line: str) -> None:
    """Parse a command; with --help at its end everything before it is parsed, and nothing done."""
    line = re.sub(r"\s[|>] .*", "", line)
    if line.startswith("make "):
        assert line.split()[1] in TARGETS, line
        return
    program, *arguments = shlex.split(line)
    group = main
    if program == "python" and arguments[0] == "-m":
        group = importlib.import_module(f"{arguments[1]}.__main__").main
        arguments = arguments[2:]
    else:
        assert program == "mnist-net", line
    result = CliRunner().invoke(group, [*arguments, "--help"])
    assert result.exit_code == 0, (line, result.output)


@pytest.mark.parametrize("page", [name for name, lines in CONSOLE.items() if lines])
def test_commands_have_the_options_that_are_shown(page: str) -> None:
    for line in CONSOLE[page]:
        if not line.startswith(NOT_OURS):
            check(line)


@pytest.mark.parametrize("page", PAGES)
def test_commands_in_sentences_too(page: str) -> None:
    text = re.sub(r"```.*?```", "", PAGES[page], flags=re.DOTALL)
    for line in re.findall(r"`((?:mnist-net|python -m scripts\.\w+|make) [^`]+)`", text):
        if "COMMAND" not in line and "…" not in line:
            check(line)


def test_what_is_not_there_is_found() -> None:
    for line in ("mnist-net read --fast a.png", "make tea", "python -m scripts.docs tea", "ls"):
        with pytest.raises(AssertionError):
            check(line)


@pytest.mark.parametrize("page", sorted(PYTHON.keys() - {"README", "exporting", "tutorial"}))
def test_python_runs(page: str) -> None:
    """The blocks of a page, one after the other, where the files are that it names."""
    shutil.copytree(ROOT / "examples", "examples")
    draw(7).save("form.png")
    with serving() as address:
        code = "\n".join(PYTHON[page]).replace("http://127.0.0.1:8000/", address)
        finished = subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            env={**os.environ, "MNIST_NET_MODEL": str(SHIPPED_MODELS[-1])},
            capture_output=True,
            text=True,
            check=False,
        )
    assert (finished.returncode, finished.stderr) == (0, "")
    if page == "serving":
        assert finished.stdout == "7\n"


def test_python_is_found() -> None:
    assert {"README", "pages", "serving", "tutorial"} <= PYTHON.keys()
