"""The script that measures the service works, on a few requests."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT


@pytest.mark.skipif(sys.platform != "linux", reason="servers are kept to a core as Linux does it")
def test_the_service_is_measured(tmp_path: Path) -> None:
    command = [
        *(sys.executable, "-m", "scripts.serving", "--dataset", "digits", "--rounds", "1"),
        *("--requests", "320", "--memory-requests", "320", "--output", str(tmp_path / "out.json")),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    found = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert found["medians"]["ours"]["errors"] == 0
    assert found["beyond"]["statuses"].keys() <= {"200", "429", "503"}
    assert found["beyond"]["statuses_after"] == {"200": 320}
    assert [part["requests"] for part in found["memory"]] == list(range(32, 321, 32))
    assert "| ours |" in done.stdout
