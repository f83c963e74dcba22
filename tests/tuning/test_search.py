"""Searches: what a trial is, what ends one early, and that a study is what it says."""

import csv
import logging
import statistics
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from mnist_net.datasets.loading import load_dataset
from mnist_net.errors import DataError, MnistNetError, RecipeError
from mnist_net.learning.training import train
from mnist_net.runs.run import prepare
from mnist_net.tuning import search as search_module
from mnist_net.tuning.search import make_trial, tried
from mnist_net.tuning.study import ENDED, Trial, best_of, ranked, require_optuna, write_csv
from tests.conftest import extra
from tests.tuning.conftest import SPACE, found, searching


@pytest.fixture(autouse=True, scope="module")
def _optuna() -> None:
    extra("optuna")


def test_an_error_is_that_of_the_recipe_on_the_pictures_held_out(space: Path, npz: Path) -> None:
    """Against training as it is without a search."""
    search = searching(space, npz, pruner="none")
    assert search.n_held_out == 100
    for trial in found(search, 3):
        recipe = replace(search.recipe_of(trial), validation=100)
        run = prepare(load_dataset(str(npz)).train, recipe, str(npz))
        *_, progress = train(run.training, recipe, validation=run.validation)
        errors = [1.0 - record["validation_accuracy"] for record in progress.history]
        assert trial.errors == pytest.approx(errors, abs=1e-9)
        assert trial.error == trial.errors[-1]
        assert trial.state == "complete"
        assert len(trial.errors) == recipe.epochs == 4


def test_a_statement_that_is_interrupted_is_not_logged(
    space: Path, npz: Path, caplog: pytest.LogCaptureFixture
) -> None:
    found(searching(space, npz), 1)
    logging.getLogger("sqlalchemy.pool.impl.QueuePool").error("Error closing cursor")
    assert not caplog.records


def test_with_patience_the_epoch_that_is_kept_counts(space: Path, npz: Path) -> None:
    text = SPACE.replace("epochs = 4", "epochs = 9\nvalidation = 60\nschedule = 'constant'")
    space.write_text(text.replace("low = 1e-3", "low = 5") + "patience = [1]\n")
    trials = found(searching(space, npz, pruner="none"), 4)
    assert [trial.error for trial in trials] == [min(trial.errors) for trial in trials]
    assert any(trial.error < trial.errors[-1] for trial in trials)


def test_the_test_pictures_have_no_part_in_it(space: Path, npz: Path) -> None:
    arrays = dict(np.load(npz))
    arrays["y_test"] = (arrays["y_test"] + 1) % 10
    arrays["x_test"] = 255 - arrays["x_test"]
    np.savez("other.npz", **arrays)
    one = found(searching(space, npz), 4)
    other = found(searching(space, Path("other.npz"), "other.db"), 4)
    assert [(t.errors, t.parameters) for t in one] == [(t.errors, t.parameters) for t in other]


def test_a_trial_ends_early_if_it_is_worse_than_the_median_of_the_others(
    space: Path, npz: Path
) -> None:
    trials = found(searching(space, npz), 14)
    assert {trial.state for trial in trials} == {"complete", "pruned"}
    for trial in trials[5:]:
        for epoch in (2, 3):  # the first two are not judged before the second has ended
            if len(trial.errors) < epoch:
                continue
            before = [t for t in trials[: trial.number] if t.error is not None]
            best = [min(t.errors[:epoch]) for t in before]
            others = statistics.median([t.errors[epoch - 1] for t in before])
            pruned_here = trial.state == "pruned" and len(trial.errors) == epoch
            assert pruned_here == (min(trial.errors[:epoch]) > others), (trial, best)
    assert all(trial.error is None for trial in trials if trial.state == "pruned")


def test_without_a_pruner_all_go_to_their_end(space: Path, npz: Path) -> None:
    trials = found(searching(space, npz, pruner="none", sampler="random"), 8)
    assert [len(trial.errors) for trial in trials] == [4] * 8


def test_what_diverges_is_avoided_and_ends_nothing(space: Path, npz: Path) -> None:
    space.write_text(
        "[recipe]\npreset = 'plain'\nepochs = 2\nactivation = 'relu'\nhidden_layer_sizes = [8, 8]\n"
        "warmup_epochs = 0\n[space]\nlearning_rate = [0.1, 1e20]\n"
    )
    trials = found(searching(space, npz, sampler="random"), 6)
    states = {trial.parameters["learning_rate"]: trial.state for trial in trials}
    assert states == {0.1: "complete", 1e20: "diverged"}
    assert best_of(trials).parameters == {"learning_rate": 0.1}


def test_a_seed_settles_what_is_proposed_and_another_proposes_otherwise(
    space: Path, npz: Path
) -> None:
    def proposed(study: str, seed: int, n: int) -> list[dict[str, Any]]:
        trials = found(searching(space, npz, study, seed=seed), n)
        return [trial.parameters for trial in trials]

    whole = proposed("a.db", 1, 13)
    assert proposed("b.db", 2, 3) != whole[:3]
    # Also beyond the first ten, which know nothing of each other; and in parts.
    proposed("c.db", 1, 4)
    assert proposed("c.db", 1, 13) == whole


def test_parzen_estimators_come_back_to_where_it_was_good(space: Path, npz: Path) -> None:
    """Of six decades of rates four are hopeless; half of what is drawn blindly is below 1e-3."""
    space.write_text(
        "[recipe]\npreset = 'plain'\nepochs = 3\nhidden_layer_sizes = [16]\n"
        "[space]\nlearning_rate = { low = 1e-6, high = 1.0, log = true }\n"
    )
    trials = found(searching(space, npz, pruner="none"), 22)[10:]  # the first are drawn blindly
    assert np.median([trial.parameters["learning_rate"] for trial in trials]) > 0.03


def test_processes_share_the_work_and_propose_different_things(space: Path, npz: Path) -> None:
    trials = found(searching(space, npz), 8, n_workers=2)
    assert sorted(trial.number for trial in trials) == list(range(8))
    assert all(trial.state in ENDED for trial in trials)
    rates = [trial.parameters["learning_rate"] for trial in trials]
    assert len(set(rates)) == 8


def test_processes_that_began_in_another_folder_find_data_and_study(
    space: Path, npz: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found(searching(space, npz), 2, n_workers=2)  # joblib keeps its processes
    Path("folder").mkdir()
    monkeypatch.chdir("folder")
    Path("here.npz").write_bytes(npz.read_bytes())
    trials = found(searching(space, Path("here.npz")), 3, n_workers=2)
    assert [trial.state in ENDED for trial in trials] == [True] * 3
    assert Path("study.db").is_file()


def test_a_study_has_as_many_trials_as_are_asked_for(space: Path, npz: Path) -> None:
    search = searching(space, npz)
    assert len(list(tried(search, 2))) == 2
    assert len(list(tried(search, 5))) == 3
    assert list(tried(search, 5)) == []
    assert list(tried(search, 4)) == []
    assert len(search.trials()) == 5


@pytest.mark.parametrize("name", ["a?b.db", "a%20b.db", "new folder/é#.db"])
def test_a_study_is_where_it_is_asked_to_be(space: Path, npz: Path, name: str) -> None:
    if "?" in name and sys.platform == "win32":
        pytest.skip("Windows has no such names")
    found(searching(space, npz, name), 1)
    assert Path(name).read_bytes().startswith(b"SQLite")


def test_no_trial_begins_when_time_is_up(space: Path, npz: Path) -> None:
    assert list(tried(searching(space, npz), 5, seconds=0.0)) == []


def test_products_have_one_thread(space: Path, npz: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    real = search_module.train_together

    def spied(runs: Any, **how: Any) -> Any:
        seen.extend(one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas")
        return real(runs, **how)

    monkeypatch.setattr(search_module, "train_together", spied)
    with threadpool_limits(2, user_api="blas"):
        make_trial(searching(space, npz))
        after = {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}
    assert set(seen) == {1}
    assert after == {2}


def test_an_interrupted_trial_is_made_again(
    space: Path, npz: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = searching(space, npz)
    found(search, 1)

    def interrupted(runs: Any, **_: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(search_module, "train_together", interrupted)
        with pytest.raises(KeyboardInterrupt):
            found(search, 2)
    first, second = search.trials()
    assert (first.state, second.state) == ("complete", "interrupted")
    *_, again = found(search, 2)
    assert again.number == 2
    assert again.state == "complete"
    assert again.parameters == second.parameters


def test_a_study_of_another_search_is_refused(space: Path, npz: Path, digits: Any) -> None:
    found(searching(space, npz), 1)
    images, labels = digits
    np.savez("other.npz", images=images[:700], labels=labels[:700])
    with pytest.raises(RecipeError, match=r"study\.db holds a study of another search \(its data "):
        found(searching(space, Path("other.npz")), 1)
    space.write_text(SPACE.replace("epochs = 4", "epochs = 5"))
    with pytest.raises(RecipeError, match=r"\(its trials begin elsewhere\): name another --study"):
        found(searching(space, npz), 1)
    space.write_text(SPACE.replace("high = 10", "high = 9"))
    with pytest.raises(RecipeError, match=r"\(it tries other values\)"):
        found(searching(space, npz), 1)


@pytest.mark.parametrize("contents", [b"not a study", b"SQLite format 3\0 and then nonsense"])
def test_a_file_that_is_no_study_is_refused_and_kept(
    space: Path, npz: Path, contents: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mnist_net.tuning.study._PAUSE", 0.0)
    Path("study.db").write_bytes(contents)
    with pytest.raises(RecipeError, match=r"study\.db is no study.*: name another --study$"):
        searching(space, npz).trials()
    assert Path("study.db").read_bytes() == contents


def test_data_that_changed_meanwhile_are_found_out(space: Path, npz: Path, digits: Any) -> None:
    copy = Path("copy.npz")
    copy.write_bytes(npz.read_bytes())
    search = searching(space, copy)
    images, labels = digits
    np.savez(copy, images=images[:700], labels=labels[:700])
    with pytest.raises(DataError, match=r"copy\.npz is not what it was when the search began"):
        found(search, 1)


@pytest.mark.parametrize("n_workers", [1, 2])
def test_too_few_pictures_are_one_sentence(space: Path, digits: Any, n_workers: int) -> None:
    images, labels = digits
    few, one = slice(3), slice(1)
    arrays = {"x_test": images[one], "y_test": labels[one]}
    np.savez("few.npz", x_train=images[few], y_train=labels[few], **arrays)
    assert searching(space, Path("few.npz")).n_held_out == 1
    space.write_text(SPACE.replace("epochs = 4", "epochs = 4\nvalidation = 3"))
    with pytest.raises(DataError, match=r"few\.npz has 3 training pictures: too few to hold 3 out"):
        found(searching(space, Path("few.npz")), 2, n_workers=n_workers)


def test_drawn_digits_are_left_out_where_classes_may_be_no_digits(space: Path, npz: Path) -> None:
    space.write_text("[recipe]\nepochs = 1\n[space]\nmomentum = [0]\n")
    assert searching(space, npz).space.recipe.drawn_digits == 0
    space.write_text("[recipe]\ndrawn_digits = 30\nepochs = 1\n[space]\nmomentum = [0]\n")
    assert searching(space, npz).space.recipe.drawn_digits == 30


def test_without_optuna_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MnistNetError, match=r"pip install 'mnist-net\[tune\]'$"):
        require_optuna()


def trial(number: int, error: float | None, *errors: float, **parameters: Any) -> Trial:
    state = "pruned" if error is None else "complete"
    return Trial(number, state, error, errors, 1.5, parameters)


def test_ranks_and_the_best_of_equals_is_the_first() -> None:
    trials = [
        trial(0, None, 0.5),
        trial(1, 0.2, 0.3, 0.2),
        trial(2, None, 0.4, 0.3),
        trial(3, 0.1, 0.2, 0.1),
        trial(4, 0.1, 0.3, 0.1),
        trial(5, None),
    ]
    assert [one.number for one in ranked(trials)] == [3, 4, 1, 2, 0, 5]
    assert best_of(trials) is trials[3]
    assert best_of(trials[:1]) is best_of([]) is None


def test_the_table_has_a_line_for_each_trial() -> None:
    trials = [trial(0, 0.1, 0.2, 0.1, hidden="[8, 4]"), trial(1, None, 0.5, rate=0.3)]
    write_csv(trials, Path("trials.csv"))
    with Path("trials.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    assert rows == [
        ["number", "state", "error", "epochs", "seconds", "hidden", "rate"],
        ["0", "complete", "0.1", "2", "1.5", "[8, 4]", ""],
        ["1", "pruned", "", "1", "1.5", "", "0.3"],
    ]


def test_warnings_of_optuna_do_not_reach_the_user(space: Path, npz: Path) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found(searching(space, npz), 2)
    assert [str(one.message) for one in caught if "optuna" in str(one.filename)] == []
