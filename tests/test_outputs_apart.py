"""What is written never replaces what is read."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from mnist_net.cli import main
from tests.conftest import ROOT


@pytest.mark.parametrize("command", ["predict", "read"])
def test_what_was_seen_does_not_replace_the_pictures(command: str, tmp_path: Path) -> None:
    picture = tmp_path / "7.png"
    shutil.copy(ROOT / "examples" / "7.png", picture)
    before = picture.read_bytes()
    result = CliRunner().invoke(main, [command, "--save-input", str(tmp_path), str(picture)])
    assert result.exit_code == 2
    assert "would overwrite its pictures: name another" in result.stderr
    assert picture.read_bytes() == before
