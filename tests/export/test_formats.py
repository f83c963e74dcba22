"""The table of formats, as the command line has it."""

import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mnist_net.cli import main
from mnist_net.errors import MnistNetError
from mnist_net.export.formats import FORMATS, export_model
from mnist_net.trained.store import save_model
from tests.conftest import Run, extra
from tests.export.conftest import committee
from tests.trained.conftest import make_model

FILES = {kind: row.ending for kind, row in FORMATS.items() if row.ending}
NEEDS_PACKAGE = ("onnx", "safetensors")


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.joblib"
    save_model(make_model(), path)
    return path


def export(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["export", *map(str, arguments)])


def needs(kind: str) -> None:
    if kind in NEEDS_PACKAGE:
        extra(kind)


@pytest.mark.parametrize("kind", FILES)
def test_the_ending_says_what_is_written(kind: str, mine: Path, tmp_path: Path) -> None:
    needs(kind)
    out = tmp_path / "new" / f"it{FILES[kind].upper()}"
    done = export("--model", mine, out)
    assert (done.exit_code, done.stdout) == (0, f"{out}\n"), done.output
    assert "MB" in done.stderr
    named = tmp_path / f"named{FILES[kind]}"
    again = export("-q", "--format", kind, mine, named)
    assert (again.exit_code, again.output) == (0, f"{named}\n")
    assert named.read_bytes() == out.read_bytes()  # the same network, the same bytes
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.joblib", named.name, "new"]


def test_a_folder_becomes_a_page(mine: Path, tmp_path: Path) -> None:
    for arguments in (["page"], ["--format", "web", "page.v2"], ["page.v2"]):
        done = export("--model", mine, *arguments)
        assert done.exit_code == 0, done.output
        assert Path(arguments[-1], "index.html").exists()


@pytest.mark.parametrize("out", ["site", "."])
def test_no_page_is_written_among_other_files(out: str, mine: Path) -> None:
    Path("site").mkdir()
    Path("site", "index.html").write_text("mine", encoding="utf-8")
    done = export("--model", mine, out)
    assert done.exit_code == 1
    assert f"{out} has other files in it" in done.stderr
    assert [str(path) for path in Path("site").rglob("*")] == ["site/index.html"]
    assert Path("site", "index.html").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["it.onx"], "it.onx must be a name that ends in .onnx or .c or .npz or .safetensors"),
        (["--format", "onnx", "it.c"], "it.c must be a name that ends in .onnx"),
        (["--quantize", "it.npz"], "--quantize is of onnx and c, not of npz"),
        (["--input", "float", "it.c"], "--input is of onnx, not of c"),
        (["--quantize", "page"], "--quantize is of onnx and c, not of web"),
        (["--model", "shipped", "latest", "it.c"], "MODEL and --model are the same"),
        (["one", "two", "it.c"], "MODEL and OUT are two names; this is 3"),
        ([], "Missing argument 'OUT'"),
    ],
)
def test_wrong_use_is_a_sentence(arguments: list[str], sentence: str, tmp_path: Path) -> None:
    done = export(*arguments)
    assert done.exit_code == 2
    assert sentence in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_stands_in_the_way_is_a_sentence(mine: Path, tmp_path: Path) -> None:
    (tmp_path / "folder.c").mkdir()
    done = export("--format", "c", mine, "folder.c")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "folder.c: Is a directory" in done.stderr
    done = export("no.joblib", "it.c")
    assert done.exit_code == 1
    assert "no.joblib" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("kind", NEEDS_PACKAGE)
def test_a_missing_package_is_a_sentence_and_changes_nothing(
    kind: str, mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (kind, f"{kind}.numpy"):
        monkeypatch.setitem(sys.modules, module, None)
    out = tmp_path / f"it{FILES[kind]}"
    out.write_text("as before")
    done = export(mine, out)
    assert (done.exit_code, done.stdout) == (1, "")
    assert f"needs the package {kind}" in done.stderr
    assert f"pip install 'mnist-net[{kind}]'" in done.stderr
    assert out.read_text() == "as before"
    with pytest.raises(MnistNetError, match="needs the package"):
        export_model(make_model(), out, kind)


@pytest.mark.parametrize("kind", FILES)
def test_a_committee_is_written_too(kind: str, tmp_path: Path) -> None:
    needs(kind)
    out = tmp_path / f"it{FILES[kind]}"
    assert export_model(committee(), out, kind) == [out]
    assert out.stat().st_size > 100_000


def test_the_network_that_refuses_is_not_taken_for_one_that_reads(tmp_path: Path) -> None:
    from mnist_net.trained.companions import find_detector

    done = export(find_detector(), "it.c")
    assert done.exit_code == 1
    assert "tells digits from other things" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_help_has_every_format_and_examples_that_are_right() -> None:
    text = " ".join(export("--help").output.split())
    for kind, row in FORMATS.items():
        assert f"{kind}: {row.meaning}" in text
    examples = re.findall(r"^ +mnist-net export (.*)$", export("--help").output, re.MULTILINE)
    assert len(examples) >= 4
    for example in examples:
        words = example.partition(" &&")[0].split()
        assert export(*words, "--help").exit_code == 0


def test_the_command_as_a_process(run: Run, mine: Path, tmp_path: Path) -> None:
    done = run("export", mine, "it.npz", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "it.npz\n"), done.stderr
