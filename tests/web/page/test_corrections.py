"""A hand is corrected on the page, and learned from what was kept: one way from end to end."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mnist_net.datasets.drawn import SHEET, DrawnDigit, drawings
from mnist_net.datasets.feedback import Feedback
from mnist_net.pictures.decoding import open_image
from mnist_net.reading.reader import Reader
from mnist_net.runs import adaptation
from mnist_net.trained.store import find_model
from tests.cli.conftest import invoke
from tests.web.page.browsing import answer, clear, draw, serving, until
from tests.web.page.conftest import Open

_PER_DIGIT = 5
_MINE = Path("models", "mine.joblib")


def upside_down(drawing: DrawnDigit) -> DrawnDigit:
    return drawing._replace(strokes=[SHEET - points for points in drawing.strokes])


def corrected(page: Any) -> list[tuple[int, int | None]]:
    """Draw a hand that writes upside down; what each digit is, and what was read before."""
    found = []
    taken: Counter[int] = Counter()
    for drawing in map(upside_down, drawings(200, 7)):
        if drawing.label not in (2, 4, 7) or taken[drawing.label] == _PER_DIGIT:
            continue
        taken[drawing.label] += 1
        draw(page, drawing)
        said = answer(page)
        page.click(f"#labels button:nth-child({drawing.label + 1})")
        until(page, f"document.getElementById('thanks').textContent.includes('a {drawing.label}')")
        found.append((drawing.label, int(said) if said.isdigit() else None))
        clear(page)
    return found


def test_a_hand_is_corrected_exported_and_learned(
    opened: Open,
    tmp_path: Path,
    reader: Reader,
    digits_model: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = tmp_path / "own.sqlite"
    with serving("--feedback", store) as address:
        told = corrected(opened(address))
    kept = Feedback(store).list()
    assert [(row.label, row.said) for row in kept] == told
    assert len(kept) == 3 * _PER_DIGIT
    # What was kept is what was read, not another view of it.
    read = [reading.digit for reading in reader.read(open_image(row.picture) for row in kept)]
    assert read == [said for _, said in told]

    assert invoke("feedback", "export", "own", "--feedback", store).exit_code == 0
    written = [Path("own", str(row.label), f"{row.id:06}.png").read_bytes() for row in kept]
    assert written == [row.picture for row in kept]

    # What a small network needs in place of the one that ships.
    fast = replace(adaptation.RECIPE, learning_rate=5e-3)
    monkeypatch.setattr(adaptation, "RECIPE", fast)
    monkeypatch.setattr(adaptation, "_DRAWN_INSTEAD", (600, 300))
    result = invoke("adapt", "--json", "--feedback", store, "-m", digits_model)
    said = json.loads(result.stdout)
    assert (result.exit_code, said["adopted"]) == (0, True)
    assert said["own"]["after"] < said["own"]["before"] <= said["own"]["n"] == len(kept)
    assert find_model() == _MINE.resolve()
    folder = invoke("adapt", "--json", "own", "-m", digits_model, "-o", "folder.joblib")
    assert json.loads(folder.stdout)["own"]["n"] == len(kept)
