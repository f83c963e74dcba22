"""``mnist-net report``: one page, of one model or several."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mnist_net.pictures.decoding import save_png
from mnist_net.trained.committee import Committee
from mnist_net.trained.store import load_model, save_model
from tests.cli.conftest import invoke, only_error
from tests.conftest import ROOT, Run


@pytest.fixture
def committee(digits_model: Path) -> Path:
    """Two networks that answer as one."""
    member = load_model(digits_model)
    save_model(Committee((member, member), member.metadata), "two.joblib")
    return Path("two.joblib")


def test_a_report_is_one_file(run: Run, digits_model: Path, tmp_path: Path) -> None:
    done = run("report", digits_model)
    said = (done.returncode, done.stdout, done.stderr)
    assert said == (0, "report.html\n", "wrote report.html\n")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    page = Path("report.html").read_text(encoding="utf-8")
    model = load_model(digits_model)
    error = 1.0 - model.metadata["accuracy"]["test"]
    assert f"{100 * error:.2f}&#8239;%" in page
    assert "<h1>digits.joblib</h1>" in page
    assert "of 297" in page
    assert "The loss from epoch to epoch" in page


def test_several_are_compared(digits_model: Path, committee: Path) -> None:
    result = invoke("report", digits_model, committee, "--output", "new/both.html")
    assert result.exit_code == 0
    page = Path("new/both.html").read_text(encoding="utf-8")
    assert "2 models, side by side" in page
    assert "<em>p</em> = 1<" in page  # they never differ
    assert "a line for each of its networks" in page


@pytest.mark.parametrize("arguments", [("--format", "md"), ("-o", "report.md")], ids=" ".join)
def test_markdown_has_pictures_beside_it(arguments: tuple[str, ...], digits_model: Path) -> None:
    result = invoke("report", digits_model, *arguments)
    assert (result.exit_code, result.stdout) == (0, "report.md\n")
    page = Path("report.md").read_text(encoding="utf-8")
    assert page.startswith("# digits.joblib on the test pictures of digits\n")
    (name,) = re.findall(r"!\[.*\]\((.*)\)", page)
    assert Path(name).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--format", "md", "-o", "r.html"), "--output r.html is not --format md"),
        (("-o", "r.pdf"), "must be a name that ends in .html or .md"),
        (("--dataset", "auto"), "name one"),
        (("shipped", "shipped"), "a model is named twice"),
    ],
)
def test_wrong_usage_is_said(no_work: None, arguments: tuple[str, ...], said: str) -> None:
    result = invoke("report", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_models_that_learned_from_different_data_need_a_set_to_be_named(
    no_work: None, digits_model: Path
) -> None:
    result = invoke("report", "shipped", digits_model)
    assert result.exit_code == 2
    assert "the models learned from different data (mnist, digits): name one" in result.stderr


def test_without_jinja_one_is_told_before_the_work(
    no_work: None, monkeypatch: pytest.MonkeyPatch, digits_model: Path
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    result = invoke("report", digits_model)
    assert result.exit_code == 1
    error = only_error(result)
    assert "pip install 'mnist-net[report]'" in error
    assert "Markdown" in error


def test_an_old_report_stays_if_the_new_one_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, digits_model: Path, tmp_path: Path
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    Path("report.html").write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    result = invoke("report", digits_model)
    assert result.exit_code == 1
    assert only_error(result) == "Error: report.html: No space left on device"
    assert Path("report.html").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_what_is_compared_must_answer_the_same_question(digits_model: Path) -> None:
    model = load_model(digits_model)
    save_model(replace(model, classes=np.arange(10, 20)), "letters.joblib")  # type: ignore[type-var]
    result = invoke("report", digits_model, "letters.joblib", "--dataset", "digits")
    assert result.exit_code == 1
    assert "letters.joblib [10, 11," in only_error(result)
    assert "compare models of the same classes" in only_error(result)


def test_a_model_is_the_same_by_another_path(no_work: None, digits_model: Path) -> None:
    result = invoke("report", digits_model, Path(digits_model.resolve()))
    assert result.exit_code == 2
    assert "a model is named twice" in result.stderr


def test_labels_that_the_model_does_not_know_are_named(
    digits: tuple[np.ndarray, np.ndarray], digits_model: Path
) -> None:
    np.savez("letters.npz", images=digits[0][:70], labels=digits[1][:70] + 5)
    for kind in ("html", "md"):
        result = invoke("report", digits_model, "--dataset", "letters.npz", "--format", kind)
        assert result.exit_code == 1
        assert "labels that the model does not know (11, 12, 14); it" in only_error(result)
    assert not list(Path().glob("report*"))


def test_a_file_without_a_history_says_so(digits_model: Path) -> None:
    model = load_model(digits_model)
    save_model(replace(model, metadata={}), "bare.joblib")  # type: ignore[type-var]
    assert invoke("report", "bare.joblib").exit_code == 1
    assert invoke("report", "bare.joblib", "--dataset", "digits").exit_code == 0
    assert "does not say how it was trained" in Path("report.html").read_text(encoding="utf-8")


def test_a_file_may_say_anything_of_how_it_was_trained(digits_model: Path) -> None:
    model = load_model(digits_model)
    strange = {
        "history": [1, {}, {"epoch": "one", "loss": None}, {"epoch": 2, "loss": 10**400}],
        "seconds": "soon",
        "epoch": [2],
        "data": {"n_train": "many", "name": 1},
    }
    save_model(replace(model, metadata=strange), "strange.joblib")  # type: ignore[type-var]
    assert invoke("report", "strange.joblib", "--dataset", "digits").exit_code == 0
    assert "does not say how it was trained" in Path("report.html").read_text(encoding="utf-8")


def test_files_of_one_name_are_told_apart(digits_model: Path, committee: Path) -> None:
    Path("other").mkdir()
    committee.rename("other/digits.joblib")
    assert invoke("report", digits_model, "other/digits.joblib").exit_code == 0
    page = Path("report.html").read_text(encoding="utf-8")
    assert f"{digits_model}</a>" in page
    assert "other/digits.joblib</a>" in page


def test_own_pictures_are_called_by_their_files(
    digits: tuple[np.ndarray, np.ndarray], digits_model: Path
) -> None:
    for number in range(12):
        label = int(digits[1][number])
        save_png(digits[0][number], Path("own", str(label), f"{number}.png"))
    result = invoke("report", digits_model, "--dataset", "own")
    assert result.exit_code == 0
    page = Path("report.html").read_text(encoding="utf-8")
    assert "all pictures of own, as predict reads them" in page
    assert page.count("own/3/3.png") >= 1
    assert "Answered rightly" in page


def test_the_example_of_the_documentation_runs() -> None:
    text = (ROOT / "docs" / "report.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    subprocess.run([sys.executable, "-W", "error", "-c", example], check=True)
    assert "1 of 4" in Path("coin.html").read_text(encoding="utf-8")


def test_help_has_examples() -> None:
    result = invoke("report", "--help")
    assert result.exit_code == 0
    assert "mnist-net report shipped models/latest.joblib" in result.stdout
    assert "[report]" in result.stdout
