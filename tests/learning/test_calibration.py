"""The temperature: by hand, against SciPy's minimizer, and what it does to answers."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from mnist_net.datasets.dataset import Dataset
from mnist_net.datasets.loading import load_digits_as_images
from mnist_net.errors import DataError
from mnist_net.learning.calibration import fit_temperature
from mnist_net.learning.losses import LOSSES
from mnist_net.learning.minibatches import one_hot
from mnist_net.learning.recipe import Hyperparameters
from mnist_net.learning.training import train
from mnist_net.reports.figures import evaluate
from mnist_net.runs.outcome import calibrate, model_of
from mnist_net.runs.run import prepare
from mnist_net.runs.together import blas_threads
from mnist_net.trained.model import Model

SOFTMAX, BINARY = "softmax-cross-entropy", "binary-cross-entropy"


def answers(temperature: float, n: int = 5_000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and labels that are drawn from the softmax of the logits / temperature."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(0.0, 3.0, (n, 10))
    cumulative = softmax(logits / temperature, axis=1).cumsum(axis=1)
    labels = (cumulative < generator.random((n, 1))).sum(axis=1).clip(0, 9)
    return logits, one_hot(labels, 10)


def test_two_classes_by_hand() -> None:
    # Always the logits 2 and 0, and three answers of four are right: so p = σ(2 / T) must be 3/4,
    # and 2 / T = log(p / (1 - p)) = log 3.
    logits = np.array([[2.0, 0.0]] * 4)
    targets = np.array([[1.0, 0.0]] * 3 + [[0.0, 1.0]])
    assert fit_temperature(logits, targets, SOFTMAX) == pytest.approx(2.0 / math.log(3.0))


def test_one_sigmoid_by_hand() -> None:
    # Nine of ten are right with the logit -3: σ(3 / T) = 9/10.
    logits, targets = np.full((10, 1), -3.0), np.zeros((10, 1))
    targets[4] = 1.0
    assert fit_temperature(logits, targets, BINARY) == pytest.approx(3.0 / math.log(9.0))


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_finds_the_minimum_that_scipy_finds(temperature: float) -> None:
    logits, targets = answers(temperature)

    def negative_log_likelihood(logarithm: float) -> float:
        return -float((targets * log_softmax(logits / math.exp(logarithm), axis=1)).sum())

    found = minimize_scalar(negative_log_likelihood, bounds=(-4.0, 4.0), options={"xatol": 1e-9})
    fitted = fit_temperature(logits, targets, SOFTMAX)
    # A minimum of a sum of size 1e4 is flat to its rounding, 1e-12, within 1e-6 or so.
    assert fitted == pytest.approx(math.exp(found.x), rel=1e-5)
    # And the labels were drawn with that temperature: to about 1/√5000.
    assert fitted == pytest.approx(temperature, rel=0.05)


@pytest.mark.parametrize("loss", [SOFTMAX, BINARY])
def test_is_where_the_loss_has_no_slope(loss: str) -> None:
    logits, targets = answers(1.7, seed=3)
    temperature = fit_temperature(logits, targets, loss)
    function = LOSSES[loss].function
    values = [function(logits / (temperature * k), targets)[0] for k in (0.999, 1.0, 1.001)]
    assert values[1] < min(values[0], values[2])


@settings(max_examples=25)
@given(factor=st.floats(0.2, 5.0), loss=st.sampled_from([SOFTMAX, BINARY]))
def test_larger_logits_need_a_higher_temperature(factor: float, loss: str) -> None:
    logits, targets = answers(1.3, n=300)
    once = fit_temperature(logits, targets, loss)
    assert fit_temperature(factor * logits, targets, loss) == pytest.approx(factor * once, rel=1e-6)


def test_without_a_minimum_it_ends_at_the_end() -> None:
    logits = np.random.default_rng(0).normal(size=(50, 3))
    right, wrong = (np.eye(3)[pick(axis=1)] for pick in (logits.argmax, logits.argmin))
    assert fit_temperature(logits, right, SOFTMAX) == pytest.approx(1 / 64)
    assert fit_temperature(logits, wrong, SOFTMAX) == pytest.approx(64)


def test_float32_logits_are_as_good() -> None:
    logits, targets = answers(2.0)
    narrow = fit_temperature(logits.astype(np.float32), targets, SOFTMAX)
    assert narrow == pytest.approx(fit_temperature(logits, targets, SOFTMAX), rel=1e-6)


def test_the_squared_error_has_no_logits() -> None:
    with pytest.raises(ValueError, match="mean-squared-error has no logits to divide"):
        fit_temperature(np.ones((2, 2)), np.eye(2), "mean-squared-error")


# Models.


@pytest.fixture(scope="module")
def trained() -> tuple[Any, Model, Dataset]:
    """A run that has memorized its pictures, its model, and pictures that neither has seen."""
    digits = load_digits_as_images()
    order = np.random.default_rng(0).permutation(len(digits.images))  # they are sorted by writer
    images, labels = digits.images[order], digits.labels[order]
    recipe = Hyperparameters(
        hidden_layer_sizes=(64,), learning_rate=1.0, epochs=60, l2_penalty=0.0, validation=280
    )
    run = prepare(Dataset(images[:400], labels[:400], "digits", "0" * 64), recipe)
    with blas_threads(recipe):
        *_, progress = train(run.training, recipe, validation=run.validation)
    unseen = Dataset(images[400:], labels[400:], "digits", "0" * 64)
    return run, model_of(run, progress), unseen


def test_a_calibrated_model_is_as_sure_as_it_is_right(trained: tuple) -> None:
    run, model, unseen = trained
    assert model.temperature == 1.0
    calibrated = calibrate(model, run)
    assert calibrated.temperature > 1.2  # it was too sure of what it had not seen
    before, after = (
        evaluate(unseen.labels, m.predict_proba(unseen.images), m.classes)
        for m in (model, calibrated)
    )
    assert after.errors == before.errors
    assert after.log_loss < 0.9 * before.log_loss
    assert after.ece < 0.8 * before.ece


def test_the_temperature_divides_the_logits(trained: tuple) -> None:
    _, model, unseen = trained
    probabilities = model.predict_proba(unseen.images)
    cooled = replace(model, temperature=0.5).predict_proba(unseen.images)
    # softmax(2 z) is softmax(z)² made to sum to 1.
    expected = probabilities.astype(np.float64) ** 2
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(cooled, expected, atol=1e-5)
    assert cooled.dtype == probabilities.dtype == np.float32
    one = replace(model, temperature=1.0)
    assert one.predict_proba(unseen.images).tobytes() == probabilities.tobytes()
    assert (
        replace(model, temperature=9.0).predict(unseen.images) == model.predict(unseen.images)
    ).all()


def test_calibration_needs_pictures_that_were_held_out(trained: tuple) -> None:
    run, model, _ = trained
    with pytest.raises(DataError, match="hold pictures out"):
        calibrate(model, replace(run, validation=None))
