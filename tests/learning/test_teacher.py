"""Learning from a teacher: targets by hand, and what the training loop asks of it."""

from dataclasses import replace

import numpy as np
import pytest

from mnist_net.learning.distortion import DISTORTIONS
from mnist_net.learning.losses import soft_targets, softmax, softmax_cross_entropy
from mnist_net.learning.minibatches import Batch, one_hot
from mnist_net.learning.recipe import Hyperparameters
from mnist_net.learning.training import train

RECIPE = Hyperparameters(
    hidden_layer_sizes=(6,),
    l2_penalty=0.0,
    warmup_epochs=0.0,
    batch_size=20,
    epochs=4,
    teacher_weight=0.75,
    random_state=5,
)


def pictures(n: int = 50) -> Batch:
    generator = np.random.default_rng(1)
    return Batch(generator.random((n, 64), np.float32), one_hot(generator.integers(3, size=n), 3))


def always(*probabilities: float):
    return lambda X: np.tile(np.array(probabilities, X.dtype), (len(X), 1))


def last(data: Batch, recipe: Hyperparameters, **options: object) -> list[bytes]:
    *_, progress = train(data, recipe, **options)
    return [array.tobytes() for layer in progress.latest.parameters for array in layer]


def test_targets_by_hand() -> None:
    label, said = np.array([[0.0, 1.0, 0.0]]), np.array([[0.04, 0.64, 0.32]])
    np.testing.assert_allclose(soft_targets(label, said, 0.5, 1.0), [[0.02, 0.82, 0.16]])
    # Roots at temperature 2: 0.2, 0.8 and 0.4 √2.
    roots = np.array([[0.2, 0.8, 0.4 * 2**0.5]])
    np.testing.assert_allclose(soft_targets(label, said, 1.0, 2.0), roots / roots.sum())
    np.testing.assert_array_equal(soft_targets(label, said, 0.0, 2.0), label)


def test_a_temperature_divides_the_logits_of_a_softmax() -> None:
    logits = np.random.default_rng(0).normal(0.0, 5.0, (9, 4))
    found = soft_targets(np.zeros((9, 4)), softmax(logits), 1.0, 3.0)
    np.testing.assert_allclose(found, softmax(logits / 3.0), rtol=1e-12)


def test_a_teacher_that_is_certain_in_float32_makes_no_nan() -> None:
    certain = softmax(np.array([[0.0, 200.0]], np.float32))
    assert certain[0, 0] == 0.0
    targets = soft_targets(np.array([[1.0, 0.0]], np.float32), certain, 0.5, 4.0)
    assert targets.dtype == np.float32
    np.testing.assert_array_equal(targets, [[0.5, 0.5]])


def test_a_cold_teacher_is_certain_of_its_first_choice() -> None:
    doubtful = np.array([[0.4, 0.35, 0.25]], np.float32)
    np.testing.assert_array_equal(
        soft_targets(np.eye(3, dtype=np.float32)[:1], doubtful, 1.0, 0.001), [[1.0, 0.0, 0.0]]
    )


def test_the_loss_is_least_where_the_network_says_what_the_targets_say() -> None:
    targets = soft_targets(np.eye(3), softmax(np.arange(9.0).reshape(3, 3)), 0.4, 2.0)
    loss, derivative = softmax_cross_entropy(np.log(targets), targets)
    assert loss == pytest.approx(-(targets * np.log(targets)).sum() / 3)  # their mean entropy
    np.testing.assert_allclose(derivative, 0.0, atol=1e-16)


def test_a_teacher_of_all_the_weight_replaces_the_labels() -> None:
    data = pictures()
    recipe = replace(RECIPE, teacher_weight=1.0)
    said = np.tile(np.float32([0.25, 0.25, 0.5]), (len(data.X), 1))
    # In the loop they are normalized once more, which 0.25 + 0.25 + 0.5 does not change.
    expected = last(Batch(data.X, said), replace(recipe, teacher_weight=0.0))
    assert last(data, recipe, teacher=always(0.25, 0.25, 0.5)) == expected
    assert last(data, recipe) != expected


def test_the_teacher_is_asked_of_each_distorted_picture_anew() -> None:
    data, asked = pictures(), []

    def teacher(X: np.ndarray) -> np.ndarray:
        asked.append(X.copy())
        return np.full((len(X), 3), 1 / 3, X.dtype)

    last(data, replace(RECIPE, distortion=DISTORTIONS["both"]), teacher=teacher)
    assert [len(X) for X in asked] == [20, 20, 10] * 4
    seen = np.concatenate(asked)
    assert len(np.unique(seen, axis=0)) == 4 * len(data.X)
    assert not (seen[:, None] == data.X).all(axis=2).any()


def test_epochs_that_come_again_are_the_same_and_ask_nothing() -> None:
    data, asked = pictures(), []

    def teacher(X: np.ndarray) -> np.ndarray:
        asked.append(X.copy())
        return softmax(X[:, :3])

    recipe = replace(RECIPE, distortion=DISTORTIONS["both"], epochs=5, fresh_epochs=2)
    taught = last(data, recipe, teacher=teacher)
    assert [len(X) for X in asked] == [20, 20, 10] * 2
    # What was kept is what a teacher that is asked each time would say.
    five = list(asked)
    asked.clear()
    last(data, replace(recipe, fresh_epochs=None, epochs=2), teacher=teacher)
    assert all((a == b).all() for a, b in zip(five, asked, strict=True))
    # A run that goes on after epoch 3 has to ask again, and ends with the same bits.
    third = next(p for p in train(data, recipe, teacher=teacher) if p.latest.number == 3)
    assert last(data, recipe, teacher=teacher, start=third) == taught
    assert last(data, replace(recipe, fresh_epochs=None), teacher=teacher) != taught
