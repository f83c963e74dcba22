"""What the container file copies is all that the service needs; the file itself no test runs."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen
from zipfile import ZipFile

import pytest

from tests.conftest import ROOT
from tests.web.conftest import SEVEN

LINES = (ROOT / "Containerfile").read_text(encoding="utf-8").replace("\\\n", "").splitlines()


def said(instruction: str) -> list[str]:
    return [
        line.removeprefix(instruction).strip() for line in LINES if line.startswith(instruction)
    ]


def copied() -> list[str]:
    """What is copied from the project, and not from another stage."""
    return [name for line in said("COPY") if "--from" not in line for name in line.split()[:-1]]


def test_what_is_copied_is_not_ignored() -> None:
    lines = (ROOT / ".containerignore").read_text(encoding="utf-8").splitlines()
    admitted = {line[1:].split("/*")[0] for line in lines if line.startswith("!")}
    assert set(copied()) == admitted


def test_each_requirement_has_a_digest() -> None:
    """Else pip would refuse all of them."""
    (step,) = [line for line in said("RUN") if "--require-hashes" in line]
    (lock,) = re.findall(r"-r (\S+)", step)
    pinned = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", "").splitlines()
    packages = [line for line in pinned if line and not line.lstrip().startswith("#")]
    assert packages
    assert all("==" in line and "--hash=sha256:" in line for line in packages)


@pytest.mark.slow
def test_the_service_starts_from_what_is_copied(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="the wheel is built without a network: make test")
    source, installed = tmp_path / "source", tmp_path / "installed"
    source.mkdir()
    for name in copied():
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            (source / name).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--no-index", "--wheel-dir", tmp_path, source], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    ZipFile(wheel).extractall(installed)

    (entry,) = said("ENTRYPOINT")
    program, *arguments = json.loads(entry)
    assert Path(program).name == "mnist-net"
    with subprocess.Popen(
        [sys.executable, "-m", "mnist_net", *arguments, "--port", "0"],
        cwd=installed,
        env={"PYTHONPATH": str(installed), "HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        request = Request(f"{address}api/predict", SEVEN, {"Content-Type": "image/png"})
        with urlopen(request) as response:
            assert json.load(response)["readings"][0]["digit"] == 7
        process.terminate()


def test_the_port_that_is_said_is_the_one_that_is_served() -> None:
    (port,) = said("EXPOSE")
    (options,) = map(json.loads, said("CMD"))
    assert options == ["--port", port]
    assert said("USER") not in ([], ["root"])
