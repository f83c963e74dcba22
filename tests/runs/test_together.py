"""Several networks trained side by side, round by round."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mnist_net.datasets.loading import load_dataset
from mnist_net.errors import DivergenceError
from mnist_net.learning.recipe import Hyperparameters
from mnist_net.learning.training import train
from mnist_net.runs.run import prepare
from mnist_net.runs.together import train_committee, train_together
from tests.conftest import bits

RECIPE = Hyperparameters(hidden_layer_sizes=(16,), epochs=3, random_state=5)


@pytest.fixture(scope="module")
def digits() -> Any:
    return load_dataset("digits")


@pytest.fixture(scope="module")
def runs(digits: Any) -> Any:
    return prepare(digits.train, RECIPE, "digits").with_seeds(3)


def test_each_member_is_the_network_of_its_seed(runs: Any) -> None:
    *_, reached = train_together(runs)
    for seed, run, progress in zip((5, 6, 7), runs, reached, strict=True):
        assert run.hyperparameters == replace(RECIPE, random_state=seed)
        *_, alone = train(run.training, run.hyperparameters)
        for beside, apart in zip(progress.latest.parameters, alone.latest.parameters, strict=True):
            # To the bit on equal threads; else products of 784 terms differ in their rounding.
            np.testing.assert_allclose(beside.weights, apart.weights, atol=1e-5)


def test_rounds_go_on_from_wherever_each_member_stood(runs: Any) -> None:
    whole = list(train_together(runs))
    assert [[p.latest.number for p in reached] for reached in whole] == [[1] * 3, [2] * 3, [3] * 3]
    starts = (whole[0][0], None, whole[2][2])
    rounds = list(train_together(runs, starts))
    assert [[p.latest.number for p in reached] for reached in rounds] == [
        [2, 1, 3],
        [3, 2, 3],
        [3, 3, 3],
    ]
    for resumed, straight in zip(rounds[-1], whole[-1], strict=True):
        for ours, theirs in zip(resumed.latest.parameters, straight.latest.parameters, strict=True):
            assert ours.weights.tobytes() == theirs.weights.tobytes()


def test_members_stop_when_each_has_learned_enough(digits: Any) -> None:
    recipe = replace(
        RECIPE, epochs=60, validation=300, patience=1, schedule="constant", learning_rate=1.0
    )
    *_, reached = train_together(prepare(digits.train, recipe, "digits").with_seeds(3))
    ends = [progress.latest.number for progress in reached]
    assert len(set(ends)) > 1
    assert [p.best.number for p in reached] == [n - 1 for n in ends]


def test_the_divergence_of_one_is_told(digits: Any) -> None:
    recipe = replace(RECIPE, learning_rate=1e30, activation="relu")
    with pytest.raises(DivergenceError, match="training diverged"):
        list(train_together(prepare(digits.train, recipe, "digits").with_seeds(2)))


@pytest.mark.parametrize("n_members", [0, -1])
def test_a_committee_to_be_trained_needs_members(n_members: int) -> None:
    with pytest.raises(
        ValueError, match=f"^a committee needs at least one member, not {n_members}$"
    ):
        train_committee(n_members, "nowhere")  # nor are the data looked for


def test_train_committee_from_start_to_end(digits: Any) -> None:
    committee = train_committee(3, "digits", RECIPE)
    assert [m.metadata["hyperparameters"]["random_state"] for m in committee.members] == [5, 6, 7]
    assert len({bits(member)[0] for member in committee.members}) == 3
    right = (committee.predict(digits.test.images) == digits.test.labels).mean()
    assert committee.metadata["accuracy"]["test"] == right
    alone = [member.metadata["accuracy"]["test"] for member in committee.members]
    assert right >= np.mean(alone)
    assert committee.metadata["data"]["name"] == "digits"
    assert "history" not in committee.metadata
