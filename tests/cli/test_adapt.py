"""``mnist-net adapt``: what is better answers from then on, what is not is not written."""

import functools
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnist_net.pictures.decoding import save_png
from mnist_net.runs import adaptation
from mnist_net.trained.committee import Committee
from mnist_net.trained.model import Model
from mnist_net.trained.store import SHIPPED_MODELS, find_model, load_model, save_model
from tests.cli.conftest import invoke, only_error
from tests.conftest import Run

MINE = Path("models", "mine.joblib")
drawn_once = functools.cache(adaptation.draw_digits)


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a small network needs in place of the one that ships."""
    monkeypatch.setattr(
        adaptation, "RECIPE", replace(adaptation.RECIPE, learning_rate=5e-3, epochs=6)
    )
    monkeypatch.setattr(adaptation, "_N_REPLAYED", 600)
    monkeypatch.setattr(adaptation, "_DRAWN_INSTEAD", (600, 300))
    monkeypatch.setattr(adaptation, "draw_digits", drawn_once)


@pytest.fixture
def own(tmp_path: Path, digits: tuple[np.ndarray, np.ndarray]) -> Path:
    """A hand that writes upside down: four of each of six digits."""
    for digit in (2, 3, 4, 5, 7, 1):
        for number, row in enumerate(np.flatnonzero(digits[1] == digit)[:4]):
            save_png(digits[0][row][::-1, ::-1], tmp_path / "own" / str(digit) / f"{number}.png")
    return Path("own")


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def adapted(*arguments: object) -> tuple[int, dict[str, Any]]:
    result = invoke("adapt", "--json", *arguments)
    return result.exit_code, json.loads(result.stdout)


def test_what_is_better_answers_until_it_is_undone(own: Path, digits_model: Path) -> None:
    before, shipped = digest(digits_model), digest(SHIPPED_MODELS[-1])
    status, said = adapted(own, "-m", digits_model)
    assert status == 0
    assert (said["adopted"], said["model"], said["reason"]) == (True, str(MINE), None)
    assert said["own"]["after"] < said["own"]["before"] <= said["own"]["n"] == 24
    assert said["known"]["name"] == "drawn digits, distorted"  # for MNIST is not there
    assert find_model() == MINE.resolve()
    record = load_model(MINE).metadata["adapted"]
    assert record["from"] == {"path": str(digits_model.resolve()), "sha256": before}
    assert (record["own"], record["step"]) == (said["own"], said["step"])
    assert "adapted" in invoke("info").stdout
    assert invoke("use", "shipped").exit_code == 0
    assert find_model() == SHIPPED_MODELS[-1]
    assert (digest(digits_model), digest(SHIPPED_MODELS[-1])) == (before, shipped)


def test_the_same_seed_gives_the_same_model(own: Path, digits_model: Path) -> None:
    found = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        drawn_once.cache_clear()
        assert adapted(own, "-m", digits_model, "-o", name, "--seed", seed)[0] == 0
        model = load_model(Path(name))
        assert isinstance(model, Model)
        found.append(np.concatenate([layer.weights.ravel() for layer in model.parameters]))
    np.testing.assert_array_equal(found[0], found[1])
    assert (found[0] != found[2]).any()


def test_what_is_not_better_is_not_written(
    tmp_path: Path, digits: tuple[np.ndarray, np.ndarray], digits_model: Path
) -> None:
    """One picture with two labels: what one teaches, the other does not confirm."""
    own = tmp_path / "own"
    for label in "23":
        save_png(digits[0][0], own / label / "a 0.png")
    result = invoke("adapt", own, "-m", digits_model, "--dataset", "digits")
    assert result.exit_code == 1
    assert "not adopted: " in result.stdout
    assert "Error" not in result.stderr
    assert not Path("models").exists()
    status, said = adapted(own, "-m", digits_model, "--dataset", "digits")
    assert (status, said["adopted"], said["model"]) == (1, False, None)
    assert said["reason"]


def test_corrections_are_learned_and_no_picture_counts_twice(own: Path, digits_model: Path) -> None:
    for folder in sorted(own.iterdir()):
        invoke("feedback", "add", *sorted(folder.iterdir()), "--label", folder.name)
    invoke("feedback", "add", *sorted((own / "2").iterdir()), "--label", 2)  # once more
    status, said = adapted("-m", digits_model)
    assert (status, said["own"]["n"]) == (0, 24)
    assert load_model(MINE).metadata["adapted"]["data"].endswith("feedback.sqlite")


def test_an_adapted_model_begins_again_where_it_began(own: Path, digits_model: Path) -> None:
    """Else a copy would be judged by pictures that it has learned from."""
    _, first = adapted(own, "-m", digits_model)
    _, second = adapted(own, "--overwrite")
    assert {**second, "seconds": 0} == {**first, "seconds": 0}
    gone = Path("gone.joblib")
    gone.write_bytes(digits_model.read_bytes())
    assert adapted(own, "-m", gone, "--overwrite")[0] == 0
    gone.unlink()
    assert "not there any more" in only_error(invoke("adapt", own, "--overwrite"))


def test_nothing_is_overwritten_unasked(own: Path, digits_model: Path, no_work: None) -> None:
    Path("there").write_text("a letter")
    result = invoke("adapt", own, "-m", digits_model, "-o", "there")
    assert result.exit_code == 2
    assert "there is there already" in result.stderr
    assert Path("there").read_text() == "a letter"
    for output, base in ((digits_model, digits_model), (SHIPPED_MODELS[-1], digits_model)):
        result = invoke("adapt", own, "-m", base, "-o", output, "--overwrite")
        assert result.exit_code == 2
        assert "are one file" in result.stderr


def test_what_cannot_be_adapted_is_one_sentence(own: Path, digits_model: Path) -> None:
    model = load_model(digits_model)
    assert isinstance(model, Model)
    save_model(Committee((model, model)), Path("two.joblib"))
    assert "two.joblib is a committee" in only_error(invoke("adapt", own, "-m", "two.joblib"))
    assert "there are no corrections yet" in only_error(invoke("adapt", "-m", digits_model))
    assert "neither a folder" in only_error(invoke("adapt", "models", "-m", digits_model))
    one = Path("one")
    one.joinpath("2").mkdir(parents=True)
    min((own / "2").iterdir()).rename(one / "2" / "a.png")
    said = invoke("adapt", "one", "-m", digits_model, "-q")
    assert "1 picture is too few" in only_error(said)
    assert invoke("adapt", own, "--feedback", "x").exit_code == 2


def test_mnist_is_replayed_where_it_is(
    run: Run, own: Path, digits_model: Path, mnist_folder: Path
) -> None:
    """As a process, with the recipe that is the default."""
    done = run("adapt", own, "-m", digits_model, "--dataset", mnist_folder, "--json")
    said = json.loads(done.stdout)
    assert done.returncode == (0 if said["adopted"] else 1)
    assert said["known"]["name"] == "mnist, distorted"
    assert said["known"]["n"] == 10_000
    assert Path("models").exists() == said["adopted"]
