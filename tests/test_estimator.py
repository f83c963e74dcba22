"""The estimator: scikit-learn's own checks, and life among scikit-learn's other tools."""

import os
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits, make_classification
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mnist_net import DigitClassifier
from mnist_net.errors import DivergenceError
from mnist_net.learning.distortion import DISTORTIONS

SMALL = {"hidden_layer_sizes": (16,), "epochs": 10, "random_state": 0}


def test_passes_every_check_of_scikit_learn() -> None:
    # In a process of its own, since the check of array API input wants this variable at start-up.
    code = (
        "from sklearn.utils.estimator_checks import check_estimator\n"
        "import numpy as np\n"
        "from mnist_net import DigitClassifier\n"
        "class InFloat64(DigitClassifier):\n"
        "    _dtype = np.float64\n"
        # A weight of 2 is the example twice but for the last digits of a float32, and here seven
        # digits of the probabilities are asked for.
        "rounds = {'check_sample_weight_equivalence_on_dense_data': 'float32'}\n"
        "adamw = {'optimizer': 'adamw', 'learning_rate': 0.01, 'activation': 'relu'}\n"
        "for kind, options, expected in (\n"
        "    (DigitClassifier, {}, rounds), (DigitClassifier, adamw, rounds), (InFloat64, {}, {})\n"
        "):\n"
        "    results = check_estimator(\n"
        "        kind(**options), on_fail=None, on_skip=None, expected_failed_checks=expected\n"
        "    )\n"
        "    assert len(results) > 50\n"
        "    for result in results:\n"
        "        if result['status'] != 'passed' and result['check_name'] not in expected:\n"
        "            print(result['check_name'], result['status'], repr(result['exception']))\n"
    )
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "SCIPY_ARRAY_API": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    return load_digits(return_X_y=True)


def test_reads_digits_whatever_the_range_of_pixels(digits) -> None:
    X, y = digits
    scores = [
        DigitClassifier(random_state=0).fit(k * X[:1000], y[:1000]).score(k * X[1000:], y[1000:])
        for k in (1.0, 255.0 / 16.0, 1.0 / 16.0)
    ]
    assert min(scores) > 0.9
    assert max(scores) - min(scores) < 0.01  # one scalar mean and deviation undo the range


@pytest.mark.parametrize("scale", [1e-300, 1e-25, 1e20, 1e200])
def test_features_of_any_size(scale: float) -> None:
    X = np.random.default_rng(0).normal(size=(300, 5))
    y = X[:, 0] > 0.0
    assert DigitClassifier(**SMALL).fit(scale * X, y).score(scale * X, y) > 0.95
    half = (300.0 * X).astype(np.float16)
    assert DigitClassifier(**SMALL).fit(half, y).score(half, y) > 0.95


def test_any_labels(digits) -> None:
    X, y = digits
    names = np.array(["zero", "one", "two"])[y[y < 3]]
    network = DigitClassifier(**SMALL).fit(X[y < 3], names)
    assert network.classes_.tolist() == ["one", "two", "zero"]
    assert network.score(X[y < 3], names) > 0.97
    probabilities = network.predict_proba(X[:5])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    np.testing.assert_allclose(network.predict_log_proba(X[:5]), np.log(probabilities))


@pytest.mark.parametrize("loss", ["binary-cross-entropy", "mean-squared-error"])
def test_other_losses_give_probabilities_too(loss: str, digits) -> None:
    X, y = digits
    network = DigitClassifier(
        loss=loss, optimizer="adamw", learning_rate=0.01, **{**SMALL, "epochs": 30}
    ).fit(X, y)
    probabilities = network.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    assert (probabilities >= 0.0).all()
    assert network.score(X, y) > 0.9


def test_same_random_state_same_network_and_none_another(digits) -> None:
    X, y = digits
    networks = [DigitClassifier(**SMALL).fit(X, y) for _ in range(2)]
    assert (networks[0].parameters_[0].weights == networks[1].parameters_[0].weights).all()
    free = [DigitClassifier(**{**SMALL, "random_state": None}).fit(X, y) for _ in range(2)]
    assert (free[0].parameters_[0].weights != free[1].parameters_[0].weights).any()


def test_partial_fit_goes_on(digits) -> None:
    X, y = digits
    network = DigitClassifier(learning_rate=0.1, **SMALL)
    network.partial_fit(X[:500], y[:500], classes=np.arange(10))
    first = network.score(X[1000:], y[1000:])
    for _ in range(15):
        network.partial_fit(X[500:1000], y[500:1000])
    assert network.n_iter_ == 16
    assert network.score(X[1000:], y[1000:]) > max(first, 0.85)
    with pytest.raises(ValueError, match="not among the classes"):
        network.partial_fit(X[:10], y[:10] + 5)


def test_early_stopping_needs_and_uses_a_held_out_part(digits) -> None:
    X, y = digits
    stopping = {**SMALL, "epochs": 200, "patience": 2, "schedule": "constant"}
    with pytest.raises(ValueError, match="validation"):
        DigitClassifier(**stopping).fit(X, y)
    network = DigitClassifier(**stopping, validation_fraction=0.2).fit(X, y)
    assert network.n_iter_ < 200
    best = max(network.history_, key=lambda r: (r["validation_accuracy"], -r["validation_loss"]))
    assert network.n_iter_ == best["epoch"] + 2


def test_pipeline_grid_search_cross_validation_and_calibration() -> None:
    X, y = make_classification(200, 8, n_informative=5, n_classes=3, random_state=0)
    pipeline = make_pipeline(StandardScaler(), DigitClassifier(**SMALL))
    assert cross_val_score(pipeline, X, y, cv=3).mean() > 0.6
    grid = {"digitclassifier__hidden_layer_sizes": [(4,), (16, 8)]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(X, y)
    assert search.best_params_["digitclassifier__hidden_layer_sizes"] in [(4,), (16, 8)]
    calibrated = CalibratedClassifierCV(DigitClassifier(**SMALL), cv=3).fit(X, y)
    np.testing.assert_allclose(calibrated.predict_proba(X).sum(axis=1), 1.0)


def test_clone_has_the_same_parameters() -> None:
    network = DigitClassifier((5, 4), loss="mean-squared-error", patience=3)
    assert clone(network).get_params() == network.get_params()


def test_features_are_no_pictures_so_nothing_is_distorted() -> None:
    assert "distortion" not in DigitClassifier().get_params()
    assert not DigitClassifier()._hyperparameters(0).distortion
    with pytest.raises(TypeError):
        DigitClassifier(distortion=DISTORTIONS["both"])


def test_unfitted_and_diverging() -> None:
    X, y = make_classification(100, random_state=0)
    with pytest.raises(NotFittedError):
        DigitClassifier().predict(X)
    wild = DigitClassifier(activation="relu", learning_rate=1e30, random_state=0)
    with pytest.raises(DivergenceError, match=r"epoch \d, step \d of 2"):
        wild.fit(X, y)


def test_on_real_mnist(mnist_arrays) -> None:
    images, labels = mnist_arrays
    X = images.reshape(-1, 784)
    network = DigitClassifier(epochs=3, random_state=0).fit(X[:10_000], labels[:10_000])
    assert network.score(X[60_000:], labels[60_000:]) > 0.92


def test_widths_that_are_not_whole_are_refused(digits) -> None:
    X, y = digits
    with pytest.raises(ValueError, match=r"10\.7; each must be a whole number"):
        DigitClassifier(hidden_layer_sizes=(10.7,)).fit(X[:100], y[:100])


def test_what_is_set_after_a_fit_is_for_the_next_one(digits) -> None:
    X, y = digits
    fitted = DigitClassifier(**SMALL).fit(X[:300], y[:300])
    before = fitted.predict_proba(X[300:320])
    fitted.set_params(activation="relu", hidden_layer_sizes=(3,), loss="mean-squared-error")
    np.testing.assert_array_equal(fitted.predict_proba(X[300:320]), before)


def test_partial_fits_have_one_rate(digits) -> None:
    X, y = digits
    classifier = DigitClassifier(**SMALL, batch_size=50, learning_rate=0.1)
    for n in (100, 300, 200):
        classifier.partial_fit(X[:n], y[:n], classes=range(10))
    assert [record["learning_rate"] for record in classifier.history_] == [0.1] * 3


def test_a_fit_that_fails_leaves_what_was_fitted(digits) -> None:
    X, y = digits
    fitted = DigitClassifier(**SMALL).fit(X[:300], y[:300])
    before = fitted.predict_proba(X[300:320])
    with pytest.raises(DivergenceError):
        fitted.set_params(learning_rate=1e30).fit(X[:300] * 100, y[:300])
    with pytest.raises(ValueError, match="learning_rate"):
        fitted.set_params(learning_rate=-1.0).fit(X[:300, :10], y[:300] % 3)
    np.testing.assert_array_equal(fitted.predict_proba(X[300:320]), before)
    never = DigitClassifier(learning_rate=-1.0)
    with pytest.raises(ValueError, match="learning_rate"):
        never.fit(X, y)
    with pytest.raises(NotFittedError):
        never.predict(X)


@pytest.mark.parametrize(
    "change",
    [
        {"optimizer": "adamw"},
        {"hidden_layer_sizes": (7,)},
        {"hidden_layer_sizes": (16, 16)},
        {"activation": "relu"},
        {"loss": "mean-squared-error"},
    ],
)
def test_partial_fit_goes_on_with_the_same_network_or_not_at_all(change, digits) -> None:
    X, y = digits
    fitted = DigitClassifier(**SMALL).fit(X[:300], y[:300]).set_params(**change)
    with pytest.raises(ValueError, match="set them back, or call fit"):
        fitted.partial_fit(X[:300], y[:300])


def test_partial_fit_knows_its_classes_from_the_first_call(digits) -> None:
    X, y = digits
    fitted = DigitClassifier(**SMALL).fit(X[:300], y[:300])
    assert fitted.partial_fit(X[:300], y[:300], classes=range(10)).n_iter_ == 11
    with pytest.raises(ValueError, match="not what it was at the first call"):
        fitted.partial_fit(X[:300], y[:300], classes=["a", "b"])


def test_features_out_of_all_proportion_are_refused(digits) -> None:
    X, y = digits
    fitted = DigitClassifier(**SMALL).fit(X[:300] * 1e-300, y[:300])
    with pytest.raises(ValueError, match="far beyond what fit has seen"):
        fitted.predict_proba(X * 1e300)
