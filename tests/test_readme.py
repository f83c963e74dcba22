"""What the README shows works as it is written; its commands and links: see tests/docs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


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


def test_the_picture_of_the_architecture_names_every_module() -> None:
    (picture,) = re.findall(r"```text\n(.*?)```", README, re.DOTALL)
    for path in (ROOT / "mnist_net").rglob("*.py"):
        room = path.relative_to(ROOT / "mnist_net").parts[0]
        if not path.name.startswith("__") and room != "cli":
            assert path.stem in picture.replace(".py", "").split(), path
