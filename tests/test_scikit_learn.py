"""`docs/scikit-learn.md`: each row of its tables, and what others write for `MLPClassifier`."""

import inspect
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import ClassifierMixin
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.class_weight import compute_sample_weight

from mnist_net import DigitClassifier
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "scikit-learn.md").read_text(encoding="utf-8")
PARAMETERS, ATTRIBUTES = (
    [[cell.strip().strip("`") for cell in row.split("|")[1:-1]] for row in table.splitlines()]
    for table in re.findall(r"^\|---.*\n((?:\|.*\n)+)", PAGE, re.MULTILINE)[:2]
)
pytestmark = pytest.mark.filterwarnings(
    f"ignore::{ConvergenceWarning.__module__}.ConvergenceWarning"
)


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """300 of three classes, of mean 0 and deviation 1, so that our own scaling changes nothing."""
    X, y = load_digits(n_class=3, return_X_y=True)
    X, y = X[:300], y[:300]
    return (X - X.mean()) / X.std(), y


THEIRS: dict[str, Any] = {
    "hidden_layer_sizes": (8,),
    "activation": "logistic",
    "solver": "sgd",
    "alpha": 0.0,
    "batch_size": 50,
    "learning_rate": "constant",
    "learning_rate_init": 0.1,
    "max_iter": 3,
    "shuffle": False,
    "momentum": 0.9,
    "nesterovs_momentum": False,
    "tol": 0.0,
    "n_iter_no_change": 1000,
    "warm_start": True,
}
OURS: dict[str, Any] = {
    "hidden_layer_sizes": (8,),
    "activation": "sigmoid",
    "optimizer": "sgd",
    "l2_penalty": 0.0,
    "batch_size": 50,
    "schedule": "constant",
    "warmup_epochs": 0,
    "learning_rate": 0.1,
    "epochs": 3,
    "shuffle": False,
    "momentum": 0.9,
    "warm_start": True,
}


def curves(
    theirs: dict[str, Any], ours: dict[str, Any], X: np.ndarray, y: np.ndarray, **fit: Any
) -> tuple[list[float], list[float]]:
    """Losses of both from the same weights on; they end with the same probabilities."""
    oracle = MLPClassifier(**{**THEIRS, **theirs}).fit(X, y)  # to have arrays to write into
    network = DigitClassifier(**{**OURS, **ours}, random_state=0).fit(X, y)
    both = (one.coefs_ + one.intercepts_ for one in (oracle, network))
    for part, own in zip(*both, strict=True):
        part[...] = own
    n_before = len(oracle.loss_curve_)
    network.fit(X, y, **fit)
    oracle.fit(X, y, **fit)
    # What float32 rounds, over the few steps that are made.
    np.testing.assert_allclose(network.predict_proba(X), oracle.predict_proba(X), atol=2e-4)
    return network.loss_curve_, oracle.loss_curve_[n_before:]


SAME: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "hidden_layer_sizes": ({"hidden_layer_sizes": (7, 5)},) * 2,
    "activation": ({"activation": "relu"},) * 2,
    "activation, tanh": ({"activation": "tanh"},) * 2,
    "activation, identity": ({"activation": "identity", "learning_rate_init": 0.01},
                             {"activation": "identity", "learning_rate": 0.01}),
    "solver": ({"solver": "adam", "learning_rate_init": 0.01},
               {"optimizer": "adamw", "learning_rate": 0.01}),
    "alpha": ({"alpha": 1.0}, {"l2_penalty": 1.0 / (2 * 50)}),
    "batch_size": ({"batch_size": 100},) * 2,
    "learning_rate_init": ({"learning_rate_init": 0.05}, {"learning_rate": 0.05}),
    "max_iter": ({"max_iter": 5}, {"epochs": 5}),
    "momentum": ({"momentum": 0.5},) * 2,
    "nesterovs_momentum": ({"nesterovs_momentum": True}, {"optimizer": "nesterov"}),
    "beta_1": (
        {"solver": "adam", "learning_rate_init": 0.01, "beta_1": 0.7},
        {"optimizer": "adamw", "learning_rate": 0.01, "momentum": 0.7},
    ),
}  # fmt: skip
OTHERWISE = {
    "learning_rate": "test_the_default_schedule_is_another",
    "shuffle": "test_shuffle_and_random_state",
    "random_state": "test_shuffle_and_random_state",
    "warm_start": "test_warm_start",
    "early_stopping": "test_early_stopping",
    "validation_fraction": "test_early_stopping",
    "n_iter_no_change": "test_early_stopping",
}
"""The test of each row that is not among `SAME`."""


def test_every_parameter_of_theirs_has_a_row_and_every_row_a_test() -> None:
    rows = {theirs: ours for theirs, ours, _ in PARAMETERS}
    assert list(rows) == list(inspect.signature(MLPClassifier).parameters)
    own = DigitClassifier().get_params().keys()
    absent = {theirs for theirs, ours in rows.items() if ours == "–"}
    assert not absent & own
    assert {ours for theirs, ours in rows.items() if theirs not in absent} <= own
    tested = {name.split(",")[0] for name in SAME} | OTHERWISE.keys()
    assert tested == rows.keys() - absent
    assert set(OTHERWISE.values()) <= globals().keys()


@pytest.mark.parametrize("row", SAME)
def test_both_become_the_same_network(row: str, digits) -> None:
    theirs, ours = SAME[row]
    name, *_ = row.split(",")
    changed = next(one for key, one, _ in PARAMETERS if key == name)
    assert changed in ours
    network, oracle = curves(theirs, ours, *digits)
    np.testing.assert_allclose(network, oracle, rtol=1e-4)  # a loss of float32 weights
    unchanged, _ = curves({}, {}, *digits)
    assert len(network) != len(unchanged) or not np.allclose(network, unchanged, rtol=1e-3)


def test_weights_of_examples_are_theirs(digits) -> None:
    X, y = digits
    weight = np.random.default_rng(0).uniform(0.0, 3.0, len(X))
    weight[::7] = 0.0
    # All in one batch, since ours leaves out what counts for nothing before it makes batches.
    whole = {"batch_size": len(X), "max_iter": 10}, {"batch_size": len(X), "epochs": 10}
    network, oracle = curves(*whole, X, y, sample_weight=weight)
    np.testing.assert_allclose(network, oracle, rtol=1e-4)
    # In several the networks are the same again; their curve averages over batches, not weights.
    network, _ = curves({}, {}, X, y, sample_weight=np.maximum(weight, 0.01))
    assert not np.allclose(network, curves({}, {}, X, y)[0], rtol=1e-3)


def test_the_default_schedule_is_another(digits) -> None:
    rates = [
        [record["learning_rate"] for record in DigitClassifier(**options).fit(*digits).history_]
        for options in ({**OURS, "epochs": 6}, {"epochs": 6, "learning_rate": 0.1})
    ]
    assert rates[0] == [0.1] * 6
    assert rates[1][0] < rates[1][1] > rates[1][-1]


def test_shuffle_and_random_state(digits) -> None:
    def weights(**changes: Any) -> bytes:
        return DigitClassifier(**{**OURS, **changes}).fit(*digits).coefs_[0].tobytes()

    assert weights(random_state=0) == weights(random_state=0) != weights(random_state=1)
    assert weights(random_state=0, shuffle=True) != weights(random_state=0)


def test_warm_start(digits) -> None:
    X, y = digits
    network = DigitClassifier(**OURS, random_state=0).fit(X, y)
    first, weights = network.loss_curve_, network.coefs_[0]
    assert network.fit(X, y).loss_curve_[0] < first[-1]
    assert network.n_iter_ == 3
    assert (network.coefs_[0] != weights).any()
    with pytest.raises(ValueError, match="not among the classes"):
        network.fit(X, y + 1)
    with pytest.raises(ValueError, match="features"):
        network.fit(X[:, :9], y)
    with pytest.raises(ValueError, match="set them back"):
        network.set_params(activation="tanh").fit(X, y)
    cold = network.set_params(activation="sigmoid", warm_start=False).fit(X, y)
    assert cold.loss_curve_ == first


def test_early_stopping(digits) -> None:
    X, y = digits
    wrong = np.random.default_rng(0).random(len(y)) < 0.2  # so that there is something to overfit
    y = np.where(wrong, (y + 1) % 3, y)
    theirs = MLPClassifier(
        **{**THEIRS, "max_iter": 200, "n_iter_no_change": 3, "tol": 1e-4, "early_stopping": True},
        validation_fraction=0.2,
    ).fit(X, y)
    ours = DigitClassifier(
        **{**OURS, "epochs": 200}, patience=3, validation_fraction=0.2, random_state=0
    ).fit(X, y)
    for network in (theirs, ours):
        assert network.n_iter_ == len(network.loss_curve_) == len(network.validation_scores_)
        assert network.n_iter_ < 200
        assert max(network.validation_scores_) > 0.6
    assert DigitClassifier(**OURS).fit(X, y).validation_scores_ is None
    assert MLPClassifier(**THEIRS).fit(X, y).validation_scores_ is None


def test_every_attribute_of_theirs_is_there_or_can_be_had_so(digits) -> None:
    X, y = digits
    frame = pd.DataFrame(X, columns=[f"pixel {k}" for k in range(64)])
    theirs = MLPClassifier(**THEIRS, early_stopping=True, validation_fraction=0.2).fit(frame, y)
    ours = DigitClassifier(**OURS, validation_fraction=0.2, random_state=0).fit(frame, y)
    learned = {name for name in vars(theirs) if name.endswith("_") and not name.startswith("_")}
    assert {name for name, _ in ATTRIBUTES} == learned
    for name, how in ATTRIBUTES:
        expected = getattr(theirs, name)
        found = eval(how, {"n_examples": 240, "min": min, "max": max, "len": len}, vars(ours))
        assert (
            np.shape(found) == np.shape(expected)
            if name not in {"coefs_", "intercepts_"}
            else ([one.shape for one in found] == [one.shape for one in expected])
        ), name
        if name in {"classes_", "feature_names_in_", "out_activation_"} or isinstance(found, int):
            assert np.array_equal(found, expected), name


@pytest.mark.parametrize("class_weight", ["balanced", {0: 3.0, 1: 0.5}])
def test_weights_of_classes_are_weights_of_their_examples(class_weight: Any, digits) -> None:
    X, y = (array[:150] for array in digits)
    y = np.minimum(y, 1)  # two classes of which one has twice as many
    own = np.linspace(1.0, 2.0, len(X))

    def probabilities(**fit: Any) -> np.ndarray:
        return DigitClassifier(**OURS, random_state=0).fit(X, y, **fit).predict_proba(X)

    cold = {**OURS, "warm_start": False}
    weighted = DigitClassifier(**cold, class_weight=class_weight, random_state=0)
    expected = probabilities(sample_weight=compute_sample_weight(class_weight, y))
    np.testing.assert_allclose(weighted.fit(X, y).predict_proba(X), expected, rtol=1e-5)
    assert not np.allclose(expected, probabilities(), rtol=1e-2)
    if class_weight != "balanced":
        both = own * compute_sample_weight(class_weight, y)
        np.testing.assert_allclose(
            weighted.fit(X, y, sample_weight=own).predict_proba(X),
            probabilities(sample_weight=both),
            rtol=1e-5,
        )


def test_equal_weights_are_none_and_zero_is_absence(digits) -> None:
    X, y = digits

    def weights(X: np.ndarray, y: np.ndarray, weight: Any = None) -> bytes:
        return DigitClassifier(**OURS, random_state=0).fit(X, y, weight).coefs_[0].tobytes()

    assert weights(X, y, np.full(len(X), 0.3)) == weights(X, y)
    there = np.arange(len(X)) % 3 > 0
    assert weights(X, y, there) == weights(X[there], y[there])
    assert weights(X, y, there + 1e-300) != weights(X[there], y[there])  # finite, and not absent


@pytest.mark.parametrize(
    ("options", "weight", "words"),
    [
        ({}, -1.0, "Negative values"),
        ({}, [1.0, 2.0], "sample_weight"),
        ({}, 0.0, "zero"),
        ({"class_weight": {0: 0.0}}, None, "class_weight must be positive"),
        ({"class_weight": "even"}, None, "class_weight"),
    ],
)
def test_weights_that_make_no_sense_are_refused(options, weight, words: str, digits) -> None:
    X, y = digits
    weight = np.full(len(X), weight) if isinstance(weight, float) else weight
    with pytest.raises(ValueError, match=words):
        DigitClassifier(**OURS, **options).fit(X, y, sample_weight=weight)


def test_partial_fit_takes_weights_but_cannot_balance(digits) -> None:
    X, y = digits
    networks = [
        DigitClassifier(**OURS, random_state=0).partial_fit(X, y, sample_weight=weight)
        for weight in (None, np.ones(len(X)), y + 1.0)
    ]
    plain, ones, heavy = (network.coefs_[0] for network in networks)
    assert (plain == ones).all()
    assert (plain != heavy).any()
    with pytest.raises(ValueError, match="as a dict"):
        DigitClassifier(class_weight="balanced").partial_fit(X, y)


def test_weights_find_their_way_through_pipelines_and_searches(digits) -> None:
    X, y = digits
    weight = y + 1.0
    with sklearn.config_context(enable_metadata_routing=True):
        network = DigitClassifier(**OURS, random_state=0)
        network.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        pipeline = make_pipeline(MinMaxScaler(), network)
        grid = {"digitclassifier__epochs": [3]}
        search = GridSearchCV(pipeline, grid, cv=2).fit(X, y, sample_weight=weight)
    alone = DigitClassifier(**OURS, random_state=0)
    alone.fit(MinMaxScaler().fit_transform(X), y, sample_weight=weight)
    found = search.best_estimator_["digitclassifier"]
    assert (found.coefs_[0] == alone.coefs_[0]).all()


def training_curves(make: Callable[..., ClassifierMixin], digits) -> dict[str, float]:
    """How fast rates and rules learn, on one data set after another."""
    X, y = digits
    reached = {}
    for name, options in STRATEGIES[make].items():
        network = make(random_state=0, **options).fit(X, y)
        assert len(network.loss_curve_) == network.n_iter_
        assert network.loss_curve_[-1] == network.loss_
        assert network.score(X, y) > 0.5
        reached[name] = network.loss_
    return reached


STRATEGIES: dict[Any, dict[str, dict[str, Any]]] = {
    MLPClassifier: {
        "constant": {"solver": "sgd", "learning_rate_init": 0.1, "momentum": 0.0, "max_iter": 15},
        "momentum": {"solver": "sgd", "learning_rate_init": 0.1, "momentum": 0.9,
                     "nesterovs_momentum": False, "max_iter": 15},
        "nesterov": {"solver": "sgd", "learning_rate_init": 0.1, "momentum": 0.9, "max_iter": 15},
        "adam": {"solver": "adam", "learning_rate_init": 0.01, "max_iter": 15},
    },
    DigitClassifier: {
        "constant": {"learning_rate": 0.1, "momentum": 0.0, "epochs": 15},
        "momentum": {"learning_rate": 0.1, "momentum": 0.9, "epochs": 15},
        "nesterov": {"optimizer": "nesterov", "learning_rate": 0.1, "momentum": 0.9, "epochs": 15},
        "adam": {"optimizer": "adamw", "learning_rate": 0.01, "epochs": 15},
    },
}  # fmt: skip


@pytest.mark.parametrize("make", STRATEGIES)
def test_a_comparison_of_training_curves(make, digits) -> None:
    reached = training_curves(make, digits)
    assert reached["momentum"] < reached["constant"]
    assert reached["nesterov"] < reached["constant"]


@pytest.mark.parametrize("make", STRATEGIES)
def test_a_look_at_the_first_layer(make, digits) -> None:
    """What each hidden unit looks for, as pictures of one scale."""
    from matplotlib.figure import Figure

    options = STRATEGIES[make]["momentum"]
    network = make(hidden_layer_sizes=(16,), random_state=0, **options).fit(*digits)
    figure = Figure()
    limit = abs(network.coefs_[0]).max()
    for unit, axes in zip(network.coefs_[0].T, figure.subplots(4, 4).ravel(), strict=True):
        shown = axes.matshow(unit.reshape(8, 8), cmap="gray", vmin=-limit, vmax=limit)
        assert shown.get_array().shape == (8, 8)
    figure.canvas.draw()
    assert network.intercepts_[0].shape == (16,)


def test_tags_names_and_representation(digits) -> None:
    X, y = digits
    tags = get_tags(DigitClassifier())
    assert tags.classifier_tags.multi_class
    assert not tags.classifier_tags.multi_label
    assert not tags.input_tags.sparse
    assert not tags.array_api_support  # answers are NumPy's
    assert not hasattr(DigitClassifier(), "set_output")
    frame = pd.DataFrame(X, columns=[f"pixel {k}" for k in range(64)])
    pipeline = make_pipeline(StandardScaler(), DigitClassifier(**OURS)).set_output(
        transform="pandas"
    )
    network = pipeline.fit(frame, y)["digitclassifier"]
    assert network.feature_names_in_.tolist() == list(frame.columns)
    html = network._repr_html_()
    for words in ("DigitClassifier", "hidden_layer_sizes", "docs/scikit-learn.md", "Fitted"):
        assert words in html
