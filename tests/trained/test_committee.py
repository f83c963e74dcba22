"""Committees: what they answer, and how they are kept."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

from mnist_net.errors import ModelFileError
from mnist_net.trained.committee import Committee
from mnist_net.trained.model import Model
from mnist_net.trained.store import load_model, save_model
from tests.trained.conftest import (
    GOLDEN,
    assert_same_model,
    golden_pictures,
    make_model,
    model_contents,
)


def members(n: int = 3) -> tuple[Model, ...]:
    """Models that differ in their weights and in how sure they are."""
    return tuple(
        replace(make_model((8 + k,)), temperature=0.5 + k, metadata={"note": str(k)})
        for k in range(n)
    )


@pytest.fixture
def images(digits: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    return digits[0][1500:]


# What it answers.


def test_probabilities_are_the_mean_of_the_members(images: np.ndarray) -> None:
    committee = Committee(members())
    answers = [member.predict_proba(images).astype(np.float64) for member in committee.members]
    probabilities = committee.predict_proba(images)
    np.testing.assert_allclose(probabilities, sum(answers) / 3, atol=1e-7)
    assert (committee.predict(images) == probabilities.argmax(axis=1)).all()
    assert committee.classes.tolist() == list(range(10))
    alone = Committee(members(1))
    assert alone.predict_proba(images).tobytes() == alone.members[0].predict_proba(images).tobytes()


def test_two_outvote_a_third() -> None:
    class Sure(Model):
        def predict_proba(self, images: Any) -> np.ndarray:
            return np.array([[self.temperature, 1.0 - self.temperature]])

    model, picture = make_model(()), np.zeros((1, 28, 28), np.uint8)
    voters = tuple(
        Sure(model.architecture, model.parameters, np.array([3, 8]), model.scaling, {}, probability)
        for probability in (0.60, 0.60, 0.33)
    )
    assert [voter.predict(picture).tolist() for voter in voters] == [[3], [3], [8]]
    committee = Committee(voters)
    np.testing.assert_allclose(committee.predict_proba(picture), [[0.51, 0.49]])
    assert committee.predict(picture).tolist() == [3]


def test_members_must_know_the_same_classes() -> None:
    one, other = members(2)
    with pytest.raises(ValueError, match="the same classes"):
        Committee((one, replace(other, classes=np.arange(1, 11))))
    with pytest.raises(ValueError, match="needs members"):
        Committee(())


# How it is kept.


@pytest.mark.parametrize("dtype", [None, np.float16])
def test_comes_back_as_it_was(tmp_path: Path, dtype: Any, images: np.ndarray) -> None:
    committee = Committee(members(), {"data": {"name": "nothing"}, "n": 3})
    save_model(committee, tmp_path / "c.joblib", dtype=dtype)
    loaded = load_model(tmp_path / "c.joblib")
    assert isinstance(loaded, Committee)
    assert loaded.metadata == committee.metadata
    if dtype is None:
        for before, after in zip(committee.members, loaded.members, strict=True):
            assert_same_model(after, before)
    assert [a.parameters[0].weights.dtype for a in loaded.members] == [np.float32] * 3
    # float16 rounds each weight by 2^-11; the sum of 784 products with inputs of size 1 by 1e-2.
    np.testing.assert_allclose(
        loaded.predict_proba(images), committee.predict_proba(images), atol=0.02 if dtype else 0
    )


def test_the_golden_committee_still_answers_the_same() -> None:
    expected = json.loads((GOLDEN / "committee-format-2.json").read_text())
    committee = load_model(GOLDEN / "committee-format-2.joblib")
    assert isinstance(committee, Committee)
    assert [member.temperature for member in committee.members] == [1.0, 0.5, 2.0]
    answers = committee.predict_proba(golden_pictures())
    np.testing.assert_allclose(answers, expected["probabilities"], atol=5e-6)
    assert committee.metadata == expected["metadata"]


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ({"members": []}, "needs members"),
        ({"members": 3}, "damaged"),
        ({"members": ["ab"]}, "damaged"),
        ({"members": [model_contents(classes=np.arange(10)[::-1])]}, "classes"),
        ({"members": [model_contents(), model_contents(classes=np.arange(1, 11))]}, "same classes"),
        ({"members": [model_contents()], "metadata": 3}, "metadata"),
        ({"members": [{}]}, "is missing"),
    ],
    ids=str,
)
def test_a_file_of_members_that_do_not_fit_is_refused(
    tmp_path: Path, contents: dict[str, Any], message: str
) -> None:
    whole = {"format": "mnist-net model", "format_version": 2, "metadata": {}, **contents}
    joblib.dump(whole, tmp_path / "c.joblib", protocol=4)
    with pytest.raises(ModelFileError, match=message):
        load_model(tmp_path / "c.joblib")
