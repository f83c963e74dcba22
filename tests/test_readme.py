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


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#:]+)\)", README))
def test_links_lead_somewhere(target: str) -> None:
    assert (ROOT / target).exists()
