"""What the pages say of searches is so: the spaces they show, the figures, and the comparison."""

import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from mnist_net.datasets.loading import load_dataset
from mnist_net.learning.presets import PRESETS
from mnist_net.runs.recipe_file import read_toml
from mnist_net.tuning.space import DEFAULT_SPACE, Choice, read_space
from scripts.records import read_json
from scripts.tuning import __main__ as study
from tests.conftest import ROOT, extra

TUNING = (ROOT / "docs" / "tuning.md").read_text(encoding="utf-8")
BESIDE = (
    (ROOT / "docs" / "scikit-learn.md")
    .read_text(encoding="utf-8")
    .partition("## Beside MLPClassifier, skorch and Keras\n")[2]
    .partition("\n## ")[0]
)


def test_the_space_that_is_shown_is_one() -> None:
    (shown,) = re.findall(r"```toml\n(.*?)```", TUNING, re.DOTALL)
    Path("space.toml").write_text(shown, encoding="utf-8")
    space = read_space(Path("space.toml"))
    assert space.recipe.epochs == read_space(DEFAULT_SPACE).recipe.epochs
    assert isinstance(space.dimensions["distortion"], Choice)


def test_every_cell_beside_the_others_leads_to_what_proves_it() -> None:
    head, _, *rows = [line for line in BESIDE.splitlines() if line.startswith("|")]
    names = [cell.strip() for cell in head.strip("|").split("|")]
    assert names == ["", "Here", "`MLPClassifier`", "skorch", "Keras"]
    assert len(rows) > 8
    for row in rows:
        subject, *cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert len(cells) == 4
        for cell in cells:
            assert re.fullmatch(r"(\[[^]]+\]\([^)]+\)(, )?)+", cell), (subject, cell)
        assert "../" in cells[0]


def test_figures_are_those_on_record() -> None:
    figures = read_json(ROOT / "results" / "tuning.json")
    assert study.shown(figures["medians"]) in TUNING
    assert figures["medians"] == study.medians(figures["rounds"])
    assert f"--seconds {figures['seconds']:.0f}" in TUNING
    assert f"medians of {len(figures['rounds'])} round" in TUNING


def test_distributions_are_those_of_the_space() -> None:
    space = read_space(study.SPACE)
    found = dict(study.distributions(space))
    assert found.keys() == space.dimensions.keys()
    for name, one in space.dimensions.items():
        if isinstance(one, Choice):
            assert [study._plain(value) for value in found[name]] == list(one.values)
            continue
        drawn = np.array([found[name].rvs(random_state=seed) for seed in range(400)])
        assert one.low <= drawn.min() <= drawn.max() <= one.high
        # Half lie below the middle, be it of the logarithms; so many may lie elsewhere by chance.
        middle = np.sqrt(one.low * one.high) if one.log else (one.low + one.high) / 2
        assert abs((drawn < middle).mean() - 0.5) < 0.1, name
        if isinstance(one.low, int):
            assert all(isinstance(found[name].rvs(random_state=s), int) for s in range(3))


@pytest.mark.parametrize(("seconds", "n"), [(45, 81), (15, 27), (5, 27), (46, 83)])
def test_halving_gets_as_many_candidates_as_its_pilot_says(seconds: float, n: int) -> None:
    pilot = study.Found(PRESETS["plain"], 0.1, 15.0, 27, 81)
    assert study.n_candidates_for(seconds, pilot) == n


def test_what_judges_is_what_no_search_has_seen(npz: Path, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(study, "SPACE", small_space())
        files = study.subsets(str(npz), 200, tmp_path)
    whole = load_dataset(str(npz)).train.images
    searched, judging = (load_dataset(str(path)).train.images for path in files)
    assert np.array_equal(searched, np.concatenate([whole[:200], whole[500:]]))
    assert np.array_equal(judging, whole[:500])


def small_space() -> Path:
    text = study.SPACE.read_text(encoding="utf-8").replace("4_000", "100")
    text = text.replace("[[100], [300], [600], [300, 100]]", "[[4], [8]]")
    Path("space.toml").write_text(text, encoding="utf-8")
    assert read_toml(Path("space.toml"))["recipe"]["validation"] == 100
    return Path("space.toml")


@pytest.mark.slow
def test_the_study_runs_and_its_figures_are_what_was_found(
    npz: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra("optuna")
    monkeypatch.setattr(study, "SPACE", small_space())
    asked = ["--dataset", str(npz), "--pictures", "200", "--seconds", "2", "--rounds", "1"]
    done = CliRunner().invoke(study.main, [*asked, "--output", "t.json"], catch_exceptions=False)
    assert done.exit_code == 0
    figures = read_json(Path("t.json"))
    assert done.stdout == study.shown(figures["medians"]) + "\n"
    (found,) = figures["rounds"]
    assert found.keys() == {*study.SAMPLERS, study.HALVING}
    for one in found.values():
        assert 0.0 <= one["error"] < 1.0
        assert 0.0 <= one["error_anew"] < 1.0
        assert one["recipe"].keys() == read_space(study.SPACE).dimensions.keys()
    assert found["random search"]["epochs"] == 9 * found["random search"]["recipes"]
    assert found[study.HALVING]["epochs"] >= 27 + 9 * 3 + 3 * 9
    assert found[study.HALVING]["recipes"] >= 27
