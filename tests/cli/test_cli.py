"""What holds for every command: help, wrong usage, terminals, pipes and full disks."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import SMALL, invoke, on_terminal, only_error, posix

COMMANDS = [
    "train",
    "evaluate",
    "report",
    "predict",
    "read",
    "info",
    "augment",
    "data",
    "gradcheck",
]


def test_the_overview_names_every_command() -> None:
    result = invoke("--help")
    assert result.exit_code == 0
    for command in COMMANDS:
        assert re.search(rf"^  {command} +\w", result.stdout, re.MULTILINE)
    assert "mnist-net train" in result.stdout


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_command_has_help_with_examples(command: str, option: str) -> None:
    result = invoke(command, option)
    assert result.exit_code == 0
    assert result.stderr == ""
    assert f"Usage: mnist-net {command}" in result.stdout
    assert re.search(rf"Examples:\n +mnist-net {command}", result.stdout)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_overview_says_what_each_command_says_of_itself(command: str) -> None:
    overview = " ".join(invoke("--help").stdout.split())
    own = invoke(command, "--help").stdout.split("\n\n")[1]
    summary = " ".join(own.split())
    assert summary.split(".")[0] in overview


def test_version() -> None:
    result = invoke("--version")
    assert result.exit_code == 0
    assert re.fullmatch(r"mnist-net, version \d+\.\d+\.\d+\n", result.stdout)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nonsense"],
        ["nonsense"],
        ["train", "--nonsense"],
        ["train", "--epochs", "0"],
        ["train", "--epochs", "many"],
        ["train", "--activation", "magic"],
        ["train", "--distortion", "mirror"],
        ["train", "--momentum", "1"],
        ["train", "--learning-rate", "nan"],
        ["train", "--learning-rate", "inf"],
        ["train", "--patience", "3"],
        ["train", "--resume"],
        ["train", "--hidden", "0"],
        ["predict"],
        ["predict", "--top", "0", "x.png"],
        ["evaluate", "--split", "none"],
        ["augment"],
        ["augment", "--preview", "a.png", "--count", "0"],
        ["gradcheck", "--seed", "-1"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_status_2(arguments: list[str]) -> None:
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Error: " in result.stderr
    assert not Path("models").exists()


def test_the_module_is_the_command(run: Any) -> None:
    assert run("--version").stdout == invoke("--version").stdout


def test_ctrl_c_elsewhere_is_one_word(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mnist_net.datasets.loading.load_dataset", interrupted)
    result = invoke("train", *SMALL)
    assert result.exit_code == 130
    assert result.stderr == "interrupted\n"
    assert not Path("models/latest.joblib").exists()


@posix
def test_colour_on_a_terminal_unless_it_is_not_wanted(digits_model: Path) -> None:
    arguments = ("predict", "--model", digits_model, "missing.png")
    status, stdout, terminal = on_terminal(*arguments)
    assert (status, stdout) == (1, "")
    assert "\x1b[31mError:\x1b[0m missing.png: no such file" in terminal
    assert "\x1b[33mwarning:\x1b[0m" in terminal
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b" not in on_terminal(*arguments, **environment)[2]


def test_without_a_model_one_is_told_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch, pictures: Path
) -> None:
    monkeypatch.setattr("mnist_net.trained.store.SHIPPED_MODELS", ())
    for command in (("predict", "pictures"), ("info",), ("evaluate",)):
        result = invoke(*command)
        assert result.exit_code == 1
        assert "there is no model yet" in only_error(result)
        assert "mnist-net train" in only_error(result)


@pytest.mark.parametrize("command", [("predict", "x.png", "-m"), ("info",), ("evaluate", "-m")])
def test_a_model_that_is_none_is_one_sentence(command: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "text.joblib").write_text("not a model")
    result = invoke(*command, "text.joblib")
    assert result.exit_code == 1
    assert "text.joblib is not a file that mnist-net wrote" in only_error(result)


@posix
@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["train", "--help"], ["info"], ["predict", "pictures"]],
    ids=" ".join,
)
def test_a_full_standard_output_is_one_sentence(
    run: Any, digits_model: Path, pictures: Path, arguments: list[str]
) -> None:
    with Path("/dev/full").open("w") as full:
        done = run(
            *arguments,
            capture_output=False,
            stdout=full,
            stderr=subprocess.PIPE,
            env={**os.environ, "MNIST_NET_MODEL": str(digits_model)},
        )
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if not line.startswith("warning:")]
    assert lines == ["Error: cannot write: No space left on device"]


def test_a_missing_matplotlib_is_found_out_before_any_work(
    monkeypatch: pytest.MonkeyPatch, no_work: None
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = invoke("train", *SMALL, "--plot", "p.png")
    assert result.exit_code == 1
    assert "pip install 'mnist-net[plot]'" in only_error(result)


def test_a_report_in_markdown_needs_no_extra(
    monkeypatch: pytest.MonkeyPatch, digits_model: Path
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    result = invoke("evaluate", "-m", digits_model, "--output", "r.md")
    assert result.exit_code == 0
    assert result.stderr == "wrote r.md, with pictures beside it\n"
    assert "Confusion matrix" in Path("r.md").read_text(encoding="utf-8")
    assert Path("r-mistakes.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("arguments", [("train", "--help"), ("gradcheck", "--help")])
def test_a_terminal_that_lacks_greek(arguments: tuple[str, ...]) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "mnist_net", *arguments],
        env={**os.environ, "PYTHONIOENCODING": "cp1252"},
        capture_output=True,
        check=False,
    )
    assert (finished.returncode, finished.stderr) == (0, b"")
