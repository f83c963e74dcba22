"""What the README shows works as it is written."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from mnist_net.cli import main
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMANDS = re.findall(r"^mnist-net (\w.*?)(?:\s+#.*)?$", README, re.MULTILINE)


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_snippets_run(number: int, digits_model: Path) -> None:
    assert len(SNIPPETS) == 2
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", SNIPPETS[number]],
        cwd=ROOT,
        env={**os.environ, "MNIST_NET_MODEL": str(digits_model)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (finished.returncode, finished.stderr) == (0, "")


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_have_the_options_that_are_shown(command: str) -> None:
    assert len(COMMANDS) >= 10
    # With --help at the end everything before it is parsed, and nothing is done.
    result = CliRunner().invoke(main, [*shlex.split(command), "--help"])
    assert result.exit_code == 0, result.output


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "models" / "README.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (page.parent / target).exists(), target


def test_the_picture_of_the_architecture_names_every_module() -> None:
    (picture,) = re.findall(r"```text\n(.*?)```", README, re.DOTALL)
    for path in (ROOT / "mnist_net").rglob("*.py"):
        room = path.relative_to(ROOT / "mnist_net").parts[0]
        if not path.name.startswith("__") and room != "cli":
            assert path.stem in picture.replace(".py", "").split(), path
