"""Other people's data sets are read, counted, and shown where that goes wrong."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from mnist_net.reading.answers import Reading
from mnist_net.trained.store import SHIPPED_MODELS
from scripts.reading.__main__ import main
from scripts.reading.others import Answers, contact_sheet, figures_of

SHIPPED = next(path for path in SHIPPED_MODELS if path.exists())


def digits(n: int) -> np.ndarray:
    """Pictures of a 1 that fills them, and one of nothing."""
    images = np.zeros((n, 16, 16), np.uint8)
    images[:-1, :, 7:9] = 255
    return images


def answers() -> Answers:
    scores, given = (0.9, 0.1, 0.8, 0.0), (1, 1, 7, None)
    readings = [Reading(digit, 0.9, score) for digit, score in zip(given, scores, strict=True)]
    return Answers(digits(4), readings, np.ones(4, np.uint8))


def test_what_is_right_and_what_is_refused_is_counted_apart() -> None:
    found = answers()
    assert figures_of(found, 0.5) == {"right, nothing refused": 0.5, "refused": 0.5}
    assert figures_of(found._replace(labels=None), 0.5) == {"refused": 0.5}


def test_a_sheet_shows_each_chosen_picture_beside_its_form() -> None:
    sheet = contact_sheet(answers(), np.array([True, False, False, True]))
    assert sheet.shape == (62, 12 * 124)
    assert (sheet[:, :62] == 255).any()  # the 1
    assert not (sheet[:, 62:248] == 255).any()  # no form was given, and nothing is on the last one
    assert not contact_sheet(answers(), np.zeros(4, bool)).any()


def test_the_command_writes_figures_and_sheets(tmp_path: Path) -> None:
    for name in ("semeion", "optdigits32"):
        np.savez(tmp_path / f"{name}.npz", images=digits(3), labels=np.ones(3, np.uint8))
    np.savez(tmp_path / "omniglot-letters.npz", images=digits(2))
    cells = tmp_path / "register-cells"
    cells.mkdir()
    shown = np.full((60, 60), 255, np.uint8)
    Image.fromarray(shown).save(cells / "empty.png")
    shown[10:50, 28:33] = 0
    Image.fromarray(shown).save(cells / "one.png")
    (cells / "manifest.tsv").write_text("file\tlabel\none.png\t1\nempty.png\t7\n")
    files = ["--model", str(SHIPPED), "--detector", str(SHIPPED.with_name("detector.joblib"))]
    output, sheets = tmp_path / "others.json", tmp_path / "sheets"
    command = ["others", "--data", str(tmp_path), *files, "--output", str(output)]
    result = CliRunner().invoke(main, [*command, "--sheets", str(sheets)])
    assert result.exit_code == 0, result.output
    written = json.loads(output.read_text())
    assert written["semeion"]["right, nothing refused"] == pytest.approx(2 / 3, abs=1e-4)
    assert written["omniglot-letters"] == {"refused": 0.5}
    assert written["register-cells"] == {"exact": 0.5, "nothing read": 0.5}
    with Image.open(sheets / "semeion-misread.png") as sheet:
        assert sheet.size == (12 * 124, 62)
