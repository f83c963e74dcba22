"""A hand is learned by a copy, and what it is worth is measured on what was not learned."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mnist_net.datasets.dataset import Dataset
from mnist_net.errors import DataError
from mnist_net.runs import adaptation
from mnist_net.runs.adaptation import Errors, Known, adapt_model, folds, known_digits
from mnist_net.runs.run import recipe_from_model
from mnist_net.trained.model import Model
from mnist_net.trained.store import load_model

RECIPE = replace(adaptation.RECIPE, learning_rate=5e-3, epochs=5)


@pytest.fixture(scope="module")
def base(digits_model: Path) -> Model:
    model = load_model(digits_model)
    assert isinstance(model, Model)
    return model


def part(digits: tuple[np.ndarray, np.ndarray], rows: slice) -> Dataset:
    return Dataset(digits[0][rows], digits[1][rows], "part", "")


@pytest.fixture
def known(digits: tuple[np.ndarray, np.ndarray]) -> Known:
    return Known(part(digits, slice(0, 500)), part(digits, slice(1000, 1400)))


def upside_down(
    digits: tuple[np.ndarray, np.ndarray], per_digit: int, only: int | None = None
) -> Dataset:
    wanted = range(10) if only is None else [only]
    rows = np.concatenate([np.flatnonzero(digits[1] == d)[:per_digit] for d in wanted])
    return Dataset(
        np.ascontiguousarray(digits[0][rows][:, ::-1, ::-1]), digits[1][rows], "hand", ""
    )


def test_folds_spread_each_label() -> None:
    labels = np.array([3] * 7 + [5] * 5 + [8], np.uint8)
    numbers = folds(labels, 0)
    assert sorted(np.bincount(numbers)) == [2, 2, 3, 3, 3]
    assert sorted(np.bincount(numbers[labels == 3])) == [1, 1, 1, 2, 2]
    assert np.bincount(numbers[labels == 5]).tolist() == [1] * 5
    np.testing.assert_array_equal(numbers, folds(labels, 0))
    assert (numbers != folds(labels, 1)).any()
    assert sorted(folds(labels[:2], 0)) == [0, 1]


def test_own_pictures_are_the_stated_share(
    digits: tuple[np.ndarray, np.ndarray],
    known: Known,
    base: Model,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No copy sees what it is judged by; the one that is kept sees all."""
    own = upside_down(digits, 1)
    seen: list[set[bytes]] = []

    def spied(model: Model, mixtures: list[Dataset], recipe: object) -> list[Model]:
        for mixture in mixtures:
            n_old = len(known.replayed.labels)
            assert len(mixture.labels) == pytest.approx(n_old / 0.8, abs=1)
            seen.append({image.tobytes() for image in mixture.images[n_old:]})
        return [model] * len(mixtures)

    monkeypatch.setattr(adaptation, "_trained", spied)
    adapt_model(base, own, known, own_share=0.2)
    everything = {image.tobytes() for image in own.images}
    assert seen[0] == everything
    left_out = [everything - one for one in seen[1:]]
    assert [len(one) for one in left_out] == [2] * 5
    assert set().union(*left_out) == everything


def test_a_model_that_did_not_change_is_refused(
    digits: tuple[np.ndarray, np.ndarray], known: Known, base: Model
) -> None:
    recipe = replace(RECIPE, learning_rate=0.0)
    adapted = adapt_model(base, upside_down(digits, 2), known, recipe=recipe)
    for errors in (adapted.own, adapted.known):
        assert errors.before == errors.after
        assert errors.expected_before == pytest.approx(errors.expected_after, rel=1e-6)
    assert adapted.step == 1.0
    assert adapted.reason == "own pictures that it had not learned from are read no better"
    for old, new in zip(base.parameters, adapted.model.parameters, strict=True):
        np.testing.assert_array_equal(old.weights, new.weights)


def test_forgetting_is_refused(
    digits: tuple[np.ndarray, np.ndarray], known: Known, base: Model
) -> None:
    """Nothing but own pictures of one digit: everything becomes that digit."""
    own = upside_down(digits, 12, only=2)
    known = known._replace(replayed=part(digits, slice(0, 100)))
    recipe = replace(RECIPE, learning_rate=0.05, epochs=10)
    adapted = adapt_model(base, own, known, recipe=recipe, own_share=0.95)
    assert adapted.own.after < adapted.own.before
    assert adapted.known.after > adapted.known.before
    assert adapted.step == 0.1  # the shortest was still too long
    assert adapted.reason is not None
    assert "part would be read worse, with more than 5% more errors" in adapted.reason


def test_the_step_is_as_long_as_is_tolerated(
    known: Known, base: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is tolerated: the next tenth would be too long."""
    recipe = recipe_from_model(base, replace(RECIPE, learning_rate=0.05))
    upside_down = known.replayed._replace(images=known.replayed.images[:, ::-1, ::-1].copy())
    (learned,) = adaptation._trained(base, [upside_down], recipe)
    for tolerated in (0.0, 0.2, 1.0, 99.0):
        monkeypatch.setattr(adaptation, "TOLERANCE", tolerated)
        step, errors = adaptation._furthest(base, learned, known.judged)
        assert not errors.rose or step == 0.1
        moved = adaptation._between(base, learned, min(step + 0.1, 1.0))
        misread = int((moved.predict(known.judged.images) != known.judged.labels).sum())
        assert misread > (1.0 + tolerated) * errors.before or step == 1.0
    assert step == 1.0


def test_errors_are_counted_and_expected() -> None:
    """Worked by hand: the second picture is misread after, and of the third nobody is sure."""
    before = np.array([[0.9, 0.1], [0.4, 0.6], [0.5, 0.5]])
    after = np.array([[1.0, 0.0], [0.7, 0.3], [0.5, 0.5]])
    errors = adaptation._errors(before, after, np.array([0, 1, 0]))
    assert errors[:3] == (0, 1, 3)
    assert errors[3:] == pytest.approx((0.1 + 0.4 + 0.5, 0.0 + 0.7 + 0.5))


def test_what_is_better_and_what_is_tolerated() -> None:
    """Of as many errors those count that are to be expected; 5 more than 100 are tolerated."""
    assert Errors(2, 1, 50, 3.0, 4.0).fell
    assert Errors(0, 0, 50, 3.0, 2.0).fell
    assert not Errors(0, 0, 50, 3.0, 2.8).fell
    assert not Errors(1, 2, 50, 3.0, 2.0).fell
    assert not Errors(100, 105, 10_000, 0.0, 9.0).rose
    assert Errors(100, 106, 10_000, 0.0, 0.0).rose
    assert not Errors(0, 0, 10_000, 0.0, 0.0).rose


def test_one_picture_is_too_few_and_a_letter_is_no_digit(
    digits: tuple[np.ndarray, np.ndarray], known: Known, base: Model
) -> None:
    with pytest.raises(DataError, match="1 picture is too few"):
        adapt_model(base, upside_down(digits, 1, only=3), known)
    letters = upside_down(digits, 1)._replace(labels=np.full(10, 65, np.uint8))
    with pytest.raises(DataError, match=r"hand has labels that the model does not know: \[65\]"):
        adapt_model(base, letters, known)


def test_what_is_judged_is_not_replayed(
    digits: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adaptation, "_DRAWN_INSTEAD", (400, 200))
    training = part(digits, slice(0, 1200))
    replayed, judged = known_digits(training)
    np.testing.assert_array_equal(judged.labels, training.labels[1000:])
    moved = np.abs(judged.images.astype(int) - training.images[1000:]).mean(axis=(1, 2))
    assert (moved > 1.0).all()  # levels: each is distorted, ...
    ink = [images.sum(dtype=int) for images in (training.images[1000:], judged.images)]
    assert ink[1] == pytest.approx(ink[0], rel=0.1)  # ... and is a picture still
    old = {image.tobytes() for image in training.images[:1000]}
    assert {image.tobytes() for image in replayed.images[:1000]} == old
    drawn = known_digits(None)
    both = [{image.tobytes() for image in one.images} for one in drawn]
    assert not both[0] & both[1]
    assert [one.name for one in drawn] == ["drawn digits", "drawn digits, distorted"]
