"""The ideas of scripts/accuracy: what each changes, by hand and on the bundled digits."""

from dataclasses import replace

import numpy as np
import pytest

from mnist_net import Hyperparameters
from mnist_net.datasets.loading import load_dataset
from mnist_net.learning.distortion import DISTORTIONS, Distortion
from mnist_net.learning.minibatches import Batch, one_hot
from mnist_net.learning.network import Architecture, Parameters, initialize, loss_and_gradients
from mnist_net.runs.outcome import model_of
from mnist_net.runs.run import Run, prepare
from mnist_net.trained.model import Model
from scripts.accuracy import asking, ideas, lessons

STILL = Hyperparameters(epochs=12, distortion=Distortion())
MOVING = replace(STILL, distortion=DISTORTIONS["both"])


@pytest.fixture(scope="module")
def run() -> Run:
    recipe = replace(MOVING, hidden_layer_sizes=(8,), epochs=3, drawn_digits=0, validation=300)
    return prepare(load_dataset("digits").train, recipe)


@pytest.fixture(scope="module")
def model(run: Run) -> Model:
    *_, progress = ideas.epochs(run, ideas.Idea())
    return model_of(run, progress)


def batch(n: int) -> Batch:
    """Pictures of 4 × 4 whose first pixels are their targets."""
    targets = one_hot(np.arange(n) % 4, 4)
    return Batch(np.concatenate([targets, np.ones((n, 12), np.float32)], axis=1), targets)


def test_a_lesson_that_changes_nothing_leaves_the_same_bits(run: Run) -> None:
    plain = list(ideas.epochs(run, ideas.Idea()))
    same = ideas.Idea(lesson=lambda data, recipe, _: (data, recipe))
    taught = list(ideas.epochs(run, same))
    assert len(plain) == len(taught) == 3
    for one, other in zip(plain, taught, strict=True):
        for layer, same in zip(one.latest.parameters, other.latest.parameters, strict=True):
            np.testing.assert_array_equal(layer.weights, same.weights)


def test_smoothed_targets() -> None:
    data, recipe = lessons.smoothed(0.2)(batch(4), STILL, 1)
    assert recipe is STILL
    np.testing.assert_allclose(data.targets[0], [0.85, 0.05, 0.05, 0.05], rtol=1e-6)


def test_batches_grow_over_the_last_third_and_the_rate_falls_as_it_would() -> None:
    recipe = replace(STILL, batch_size=5, learning_rate=0.4, warmup_epochs=0.0, schedule="cosine")
    lesson = lessons.enlarged(20)
    assert lesson(batch(40), recipe, 8)[1] is recipe
    rates = []
    for epoch in range(9, 13):
        _, changed = lesson(batch(40), recipe, epoch)
        assert (changed.batch_size, changed.schedule) == (20, "constant")
        rates.append(changed.learning_rate)
    midway = np.array([8.5, 9.5, 10.5, 11.5]) / 12
    np.testing.assert_allclose(rates, 0.2 * (1.0 + np.cos(np.pi * midway)), rtol=1e-12)


def test_inputs_are_dropped() -> None:
    data, recipe = lessons.dropped(0.25)(batch(4_000), STILL, 1)
    assert not recipe.distortion
    ones = data.X[:, 4:]
    assert set(np.unique(ones)) == {np.float32(0.0), np.float32(1.0) / np.float32(0.75)}
    # 48,000 draws: the standard error of the share is 0.002.
    assert (ones == 0.0).mean() == pytest.approx(0.25, abs=0.01)


def test_pictures_and_targets_are_mixed_alike() -> None:
    data, _ = lessons.mixed(0.2)(batch(400), STILL, 1)
    np.testing.assert_allclose(data.X[:, :4], data.targets, atol=1e-6)
    np.testing.assert_allclose(data.targets.sum(axis=1), 1.0, rtol=1e-6)
    assert 0.0 < data.targets.max(axis=1).min() < 0.9
    again, _ = lessons.mixed(0.2)(batch(400), STILL, 2)
    assert (again.X != data.X).any()


def test_pictures_that_are_changed_were_distorted(run: Run) -> None:
    before = run.training.X.copy()
    data, recipe = lessons.dropped(0.0)(run.training, run.hyperparameters, 1)
    assert not recipe.distortion
    assert (before != data.X).mean() > 0.1
    np.testing.assert_array_equal(run.training.X, before)


def test_hidden_units_are_dropped_and_the_gradient_is_of_what_is_left() -> None:
    architecture = Architecture((16, 50, 4), ("sigmoid", "identity"), "softmax-cross-entropy")
    data, parameters = batch(6), initialize(architecture, np.random.default_rng(0))
    none = lessons.units_dropped(0.0, 0)(parameters, architecture, *data[:2])
    loss, gradients = loss_and_gradients(parameters, architecture, *data[:2])
    assert none[0] == loss
    for one, other in zip(none[1], gradients, strict=True):
        np.testing.assert_allclose(one.weights, other.weights, atol=1e-12)
        np.testing.assert_allclose(one.biases, other.biases, atol=1e-12)

    def dropped(weights: np.ndarray) -> tuple[float, Parameters]:
        changed = (parameters[0]._replace(weights=weights), parameters[1])
        return lessons.units_dropped(0.5, 3)(changed, architecture, *data[:2])

    weights = parameters[0].weights
    _, gradients = dropped(weights)
    for place in ((0, 0), (5, 20), (12, 49)):
        step = np.zeros_like(weights)
        step[place] = 1e-5
        slope = (dropped(weights + step)[0] - dropped(weights - step)[0]) / 2e-5
        assert gradients[0].weights[place] == pytest.approx(slope, rel=1e-5, abs=1e-9)
    assert dropped(weights)[0] != loss


def test_weights_of_members_are_those_of_a_mixture() -> None:
    """One is right nine times of ten and the other says nothing: its share is all."""
    targets = one_hot(np.arange(2_000) % 4, 4)
    uniform = np.full((2_000, 4), 0.25, np.float32)
    sure = 0.9 * targets + 0.1 / 4
    found = asking.weighted([uniform, sure.astype(np.float32)], targets)
    np.testing.assert_allclose(found, sure, atol=0.01)
    np.testing.assert_allclose(asking.weighted([sure, sure], targets), sure, atol=1e-6)


def test_digits_of_one_width() -> None:
    images = np.zeros((2, 28, 28), np.uint8)
    images[0, 4:24, 10:13] = 255
    widened = lessons.widened(images, 14)
    assert np.flatnonzero(widened[0].any(axis=0)).tolist() == [*range(7, 21)]
    assert np.flatnonzero(widened[0].any(axis=1)).tolist() == [*range(4, 24)]
    assert not widened[1].any()


def test_shifts_are_answered_together(model: Model) -> None:
    images = load_dataset("digits").test.images[:20]
    images = np.pad(images[:, 1:-1, 1:-1], ((0, 0), (1, 1), (1, 1)))  # nothing falls off
    moved = [np.roll(images, (y, x), (1, 2)) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    expected = np.mean([model.predict_proba(pictures) for pictures in moved], axis=0)
    np.testing.assert_allclose(asking.over_shifts(model, images), expected, atol=1e-6)


def test_int8_has_255_levels_a_unit(model: Model) -> None:
    images = load_dataset("digits").test.images
    rounded = asking.in_int8(model, images)
    # Half a level of 254 in each weight: far less than what separates digits, and not nothing.
    np.testing.assert_allclose(rounded, model.predict_proba(images), atol=0.05)
    assert (rounded != model.predict_proba(images)).any()


def test_certain_answers_are_judged_by_hand() -> None:
    targets = one_hot(np.array([0, 1, 1, 1]), 2)
    logits = np.log(np.array([[0.8, 0.2], [0.2, 0.8], [0.2, 0.8], [0.8, 0.2]], np.float32))
    error, log_loss = ideas.outcome(logits, targets)
    assert error == 0.25
    # At the best temperature a quarter is doubted: the entropy of 3/4 and 1/4, in nats.
    assert log_loss == pytest.approx(0.562335, abs=1e-4)
