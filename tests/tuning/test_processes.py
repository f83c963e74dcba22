"""Searches as processes: killed, started again, and several at one study."""

import os
import signal
import time
from pathlib import Path

import pytest

from mnist_net.tuning import study as study_module
from mnist_net.tuning.study import ENDED, Trial
from tests.cli.conftest import posix
from tests.conftest import Run, extra
from tests.tuning.conftest import SPACE, found, kill, searching, tuning

pytestmark = posix


@pytest.fixture(autouse=True, scope="module")
def _optuna() -> None:
    extra("optuna")


def ended(trials: list[Trial]) -> list[Trial]:
    return [trial for trial in trials if trial.state in ENDED]


@pytest.mark.slow
def test_killed_and_started_again_it_repeats_no_finished_trial(
    space: Path, npz: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    space.write_text(SPACE.replace("epochs = 4", "epochs = 30"))
    asked = (space, "--dataset", npz, "--workers", 1, "--study", "study.db", "--trials")
    search = searching(space, npz)
    with tuning(*asked, 50) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("trial   2"):
                break
        while not (search.trials()[-1].state == "running" and search.trials()[-1].errors):
            assert process.poll() is None
        kill(process)
    assert process.returncode == -signal.SIGKILL
    *before, lost = search.trials()
    n_ended = len(before)
    assert ended(before) == before
    assert (lost.number, lost.state) == (n_ended, "running")

    again = run("tune", *asked, n_ended + 2)
    assert again.returncode == 0, again.stderr
    said = again.stderr.splitlines()
    assert said[0] == f"going on after {n_ended} trials"
    assert len(said) == 1 + 2  # one line each of those that were left to do
    after = search.trials()
    assert ended(after)[:n_ended] == before
    assert len(ended(after)) == n_ended + 2

    # Who gave no sign of life for long is dead; what it was at is tried again.
    monkeypatch.setattr(study_module, "_SILENT", 1)
    study_module._storage.cache_clear()
    time.sleep(1.1)
    trials = found(search, n_ended + 3)
    assert trials[lost.number].state == "interrupted"
    assert trials[-1].parameters == lost.parameters
    assert trials[-1].state in ENDED
    study_module._storage.cache_clear()


@pytest.mark.slow
def test_processes_that_begin_at_once_share_a_study(space: Path, npz: Path) -> None:
    asked = (space, "--dataset", npz, "--workers", 1, "--trials", 6, "--study", "study.db", "-q")
    with tuning(*asked, "-o", "a.toml") as one, tuning(*asked, "-o", "b.toml") as other:
        for process in (one, other):
            output, errors = process.communicate(timeout=300)
            assert (process.returncode, errors) == (0, "")
            assert "recipe  " in output
    trials = searching(space, npz).trials()
    assert 6 <= len(ended(trials)) == len(trials) <= 7  # one may have been under way elsewhere
    assert len({trial.parameters["learning_rate"] for trial in trials}) == len(trials)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_search_keeps_what_it_found(
    space: Path, npz: Path, workers: int, number: int, status: int
) -> None:
    asked = (space, "--dataset", npz, "--workers", workers, "--trials", 500, "--study", "study.db")
    with tuning(*asked) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("trial"):
                break
        os.killpg(process.pid, number)  # as a terminal does
        output, errors = process.communicate(timeout=120)
    assert process.returncode == status
    assert "interrupted: study.db has every trial that ended; the same command goes on" in errors
    assert "Traceback" not in errors
    assert "recipe  recipe.toml\n" in output
    assert Path("recipe.toml").is_file()
