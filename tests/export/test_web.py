"""The page in the browser alone reads as Python does."""

import base64
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mnist_net import Hyperparameters, train_model
from mnist_net.datasets.drawn import drawings
from mnist_net.errors import ModelFileError
from mnist_net.export.web import export_web, golden_cases
from mnist_net.learning.network import Layer
from mnist_net.pictures.decoding import open_image
from mnist_net.reading.reader import Reader
from mnist_net.trained.committee import Committee
from tests.conftest import ROOT, Run
from tests.drawings import as_picture

BROWSER = ROOT / "mnist_net" / "export" / "browser"
DRIVER = Path(__file__).with_name("drive.mjs")


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory, reader: Reader) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    export_web(reader, folder)
    return folder


def compared(cases: list[Any], exported: Path) -> list[dict[str, Any]]:
    """What JavaScript reads differently, case by case."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not here: apt install nodejs")
    done = subprocess.run(
        [node, DRIVER, BROWSER, exported],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    differences: list[dict[str, Any]] = json.loads(done.stdout)
    return differences


def as_cases(reader: Reader, pictures: list[np.ndarray]) -> list[dict[str, Any]]:
    """As `golden_cases` has them, of any pictures."""

    def encoded(array: np.ndarray) -> str:
        return base64.b64encode(array.tobytes()).decode()

    readings = list(reader.read(map(open_image, pictures)))
    return [
        {
            "size": picture.shape[::-1],
            "pixels": encoded(picture),
            "seen": encoded(reading.image),
            "digit": reading.digit,
            "score": reading.score,
            "probabilities": None if reading.box is None else reading.probabilities.tolist(),
        }
        for picture, reading in zip(pictures, readings, strict=True)
    ]


def sheets(n: int, seed: int, side: int | None = None) -> list[np.ndarray]:
    """Drawn digits, dark on white, at their own size or with the soft edges of another."""
    pictures = [Image.fromarray(255 - drawing.sheet()) for drawing in drawings(n, seed)]
    return [np.asarray(one.resize((side, side)) if side else one) for one in pictures]


@pytest.mark.slow
def test_a_thousand_drawn_digits_are_read_alike(exported: Path, reader: Reader) -> None:
    cases = as_cases(reader, [*sheets(500, 5), *sheets(500, 6, side=400)])
    differences = compared(cases, exported)
    assert len(differences) == 1000
    assert sum(one["digit"] for one in differences) >= 998
    same = [one for one in differences if one["seen"] == 0]
    assert len(same) >= 980  # a level that is half a grey apart is rounded either way
    assert max(one["probability"] for one in same) <= 1e-3
    assert max(one["score"] for one in same) <= 1e-3


def test_what_is_hard_is_read_alike(exported: Path, reader: Reader) -> None:
    """Nothing, blobs, hairlines, dirt, white on black, ink at the border, MNIST's own form."""
    (thin, thick, *others) = sheets(12, 9, side=300)
    dirt = thin.copy()
    dirt[20:26, 20:26] = 90
    blob = np.full((120, 120), 255, np.uint8)
    blob[30:90, 30:90] = 0
    rows, columns = (np.flatnonzero((thick < 128).any(axis=axis)) for axis in (1, 0))
    cut = thick[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    hairline = np.full((200, 200), 255, np.uint8)
    hairline[20:180, 100] = 0
    form = next(iter(reader.read([as_picture(thick)]))).image
    pictures = [
        np.full((50, 50), 255, np.uint8),
        np.full((50, 50), 30, np.uint8),
        255 - thin,
        dirt,
        blob,
        np.pad(cut, 1, constant_values=255),
        hairline,
        form,
        255 - form,
        *(np.where(one < 128, 200, 240).astype(np.uint8) for one in others),  # pencil
        *(np.where(one < 128, 20, 90).astype(np.uint8) for one in others),
    ]
    cases = as_cases(reader, pictures)
    assert {case["digit"] for case in cases} >= {None}
    for one, case in zip(compared(cases, exported), cases, strict=True):
        assert one["digit"], case["digit"]
        assert one["seen"] <= 1
        assert one["probability"] <= 1e-3
        assert one["score"] <= 1e-3


def test_the_golden_cases_are_what_python_reads(exported: Path, reader: Reader) -> None:
    script = (exported / "page" / "golden.js").read_text()
    cases = json.loads(script.partition("=")[2].strip().rstrip(";"))
    assert cases == json.loads(json.dumps(golden_cases(reader)))
    assert len(cases) == 20
    assert all(one["digit"] and one["probability"] < 1e-3 for one in compared(cases, exported))


def test_a_comparison_can_fail(exported: Path, reader: Reader) -> None:
    (case,) = golden_cases(reader, 1)
    wrong = {**case, "digit": (case["digit"] + 1) % 10, "score": case["score"] / 2}
    (difference,) = compared([wrong], exported)
    assert not difference["digit"]
    assert difference["score"] == pytest.approx(case["score"] / 2, abs=1e-3)


def test_a_committee_without_a_detector_is_read_alike(tmp_path: Path) -> None:
    recipe = Hyperparameters(hidden_layer_sizes=(12,), epochs=3, activation="tanh")
    deeper = replace(recipe, hidden_layer_sizes=(10, 8), activation="relu")
    networks = [
        train_model("digits", one)
        for one in (recipe, deeper, replace(recipe, normalization="moments"))
    ]
    reader = Reader(Committee(tuple(networks)), None, 0.0)
    export_web(reader, tmp_path)
    differences = compared(as_cases(reader, sheets(20, 2)), tmp_path)
    assert all(one["digit"] for one in differences)
    # The weights are float16, whose steps are 2⁻¹¹ of what they are.
    assert max(one["probability"] for one in differences) < 5e-3


def test_networks_that_the_page_cannot_read_are_refused(tmp_path: Path) -> None:
    squared = train_model(
        "digits", Hyperparameters(hidden_layer_sizes=(4,), epochs=1, loss="mean-squared-error")
    )
    with pytest.raises(ModelFileError, match="softmax-cross-entropy; this one has mean-squared"):
        export_web(Reader(squared), tmp_path / "page")
    model = train_model("digits", Hyperparameters(hidden_layer_sizes=(4,), epochs=1))
    first, *rest = model.parameters
    huge = replace(model, parameters=(Layer(first.weights * 1e8, first.biases), *rest))
    with pytest.raises(ModelFileError, match="too large for float16"):
        export_web(Reader(huge), tmp_path / "page")
    assert not (tmp_path / "page").exists()


def test_the_command_writes_a_page_and_says_where(run: Run, tmp_path: Path) -> None:
    done = run("export", "--format", "web", "--model", "shipped", "alone", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "alone\n"), done.stderr
    assert "open alone/index.html in a browser" in done.stderr.replace("\\", "/")
    index = (tmp_path / "alone" / "index.html").read_text()
    assert "module" not in index
    for name in ("weights.js", "page.js", "page.css", "icon.svg"):
        assert f'"page/{name}"' in index
        assert (tmp_path / "alone" / "page" / name).exists()
    assert (tmp_path / "alone" / "page" / "weights.js").stat().st_size < 8_200_000


def test_the_command_says_what_is_in_the_way(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run("export", "file", cwd=tmp_path)
    assert done.returncode == 2
    assert "is a file" in done.stderr
