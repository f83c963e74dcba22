"""scikit-learn's own perceptron and optimizers as independent oracles."""

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer

from mnist_net.learning.losses import LOSSES
from mnist_net.learning.network import (
    Architecture,
    Layer,
    forward,
    initialize,
    loss_and_gradients,
    map_arrays,
)
from mnist_net.learning.optimizers import OPTIMIZERS

N, D, RATE = 40, 6, 0.05
OUR_NAME = {"logistic": "sigmoid", "tanh": "tanh", "relu": "relu"}


@pytest.mark.parametrize("hidden", [(7,), (5, 4)])
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("activation", OUR_NAME)
def test_same_weights_same_probabilities_loss_and_update(
    activation: str, n_classes: int, hidden: tuple[int, ...]
) -> None:
    generator = np.random.default_rng(0)
    X, y = generator.standard_normal((N, D)), np.arange(N) % n_classes
    n_outputs = 1 if n_classes == 2 else n_classes  # scikit-learn's binary net has one output
    architecture = Architecture(
        (D, *hidden, n_outputs),
        (*(OUR_NAME[activation],) * len(hidden), "identity"),
        "binary-cross-entropy" if n_classes == 2 else "softmax-cross-entropy",
    )
    parameters = initialize(architecture, generator)
    parameters = tuple(Layer(w, b + generator.standard_normal(b.shape)) for w, b in parameters)
    l2_penalty = 0.3

    theirs = MLPClassifier(
        hidden,
        activation=activation,
        solver="sgd",
        learning_rate_init=RATE,
        momentum=0.0,
        alpha=2 * N * l2_penalty,  # their penalty is alpha / (2 N) Σ ‖W‖²
        batch_size=N,
        shuffle=False,
    )
    theirs.partial_fit(X, y, classes=np.arange(n_classes))  # to have arrays to write into
    for level, (weights, biases) in enumerate(parameters):
        theirs.coefs_[level][...] = weights
        theirs.intercepts_[level][...] = biases

    outputs = forward(parameters, architecture, X)[-1]
    if n_classes == 2:
        ours = 1.0 / (1.0 + np.exp(-outputs))
        np.testing.assert_allclose(ours[:, 0], theirs.predict_proba(X)[:, 1], rtol=1e-12)
    else:
        ours = LOSSES[architecture.loss].probabilities(outputs)
        np.testing.assert_allclose(ours, theirs.predict_proba(X), rtol=1e-12)

    targets = y[:, None].astype(float) if n_classes == 2 else np.eye(n_classes)[y]
    loss, gradients = loss_and_gradients(parameters, architecture, X, targets, l2_penalty)
    theirs.partial_fit(X, y)  # one minibatch, one update
    assert loss == pytest.approx(theirs.loss_, rel=1e-12)
    sgd = OPTIMIZERS["sgd"]
    updated, _ = sgd.update(parameters, gradients, sgd.start(parameters), RATE)
    for layer, weights, biases in zip(updated, theirs.coefs_, theirs.intercepts_, strict=True):
        np.testing.assert_allclose(layer.weights, weights, rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(layer.biases, biases, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(
    ("name", "options", "oracle"),
    [
        ("sgd", {}, lambda p: SGDOptimizer(p, RATE, momentum=0.0, nesterov=False)),
        ("sgd", {"momentum": 0.9}, lambda p: SGDOptimizer(p, RATE, momentum=0.9, nesterov=False)),
        ("nesterov", {"momentum": 0.9}, lambda p: SGDOptimizer(p, RATE, momentum=0.9)),
        # Their epsilon comes before the bias correction, ours after: compare without.
        (
            "adamw",
            {"momentum": 0.8, "epsilon": 0.0},
            lambda p: AdamOptimizer(p, RATE, beta_1=0.8, epsilon=0.0),
        ),
    ],
)
def test_ten_steps_of_each_update_rule(name: str, options: dict, oracle) -> None:
    generator = np.random.default_rng(1)
    parameters = (Layer(generator.standard_normal((3, 2)), generator.standard_normal(2)),)
    theirs = [array.copy() for array in parameters[0]]
    optimizer, reference = OPTIMIZERS[name], oracle(theirs)
    state = optimizer.start(parameters)
    for _ in range(10):
        gradients = map_arrays(lambda a: generator.standard_normal(a.shape), parameters)
        parameters, state = optimizer.update(parameters, gradients, state, RATE, **options)
        reference.update_params(theirs, list(gradients[0]))
    for ours, expected in zip(parameters[0], theirs, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-12)


def test_first_step_of_adamw_by_hand() -> None:
    # m̂ = g and ŝ = g², so the step is η g / (|g| + ε); the decay takes η λ θ from the weights.
    parameters = (Layer(np.array([[2.0]]), np.array([2.0])),)
    gradients = (Layer(np.array([[-3.0]]), np.array([1e-8])),)
    optimizer = OPTIMIZERS["adamw"]
    state = optimizer.start(parameters)
    (layer,), _ = optimizer.update(parameters, gradients, state, 0.5, weight_decay=0.1)
    assert layer.weights[0, 0] == pytest.approx(2.0 * 0.95 + 0.5)
    assert layer.biases[0] == pytest.approx(2.0 - 0.5 * 0.5)  # |g| = ε: half a step


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_decoupled_decay_shrinks_weights_and_not_biases(name: str) -> None:
    parameters = (Layer(np.full((2, 2), 3.0), np.full(2, 3.0)),)
    zero = map_arrays(np.zeros_like, parameters)
    optimizer = OPTIMIZERS[name]
    state = optimizer.start(parameters)
    for _ in range(2):
        parameters, state = optimizer.update(parameters, zero, state, 0.5, weight_decay=0.1)
    np.testing.assert_allclose(parameters[0].weights, 3.0 * 0.95**2, rtol=1e-15)
    assert (parameters[0].biases == 3.0).all()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_float32_stays_float32(name: str) -> None:
    architecture = Architecture((4, 3, 2), ("sigmoid", "identity"), "softmax-cross-entropy")
    parameters = initialize(architecture, np.random.default_rng(0), dtype=np.float32)
    X, targets = np.ones((5, 4), np.float32), np.eye(2, dtype=np.float32)[[0, 1, 0, 1, 1]]
    _, gradients = loss_and_gradients(parameters, architecture, X, targets, 0.1)
    optimizer = OPTIMIZERS[name]
    parameters, state = optimizer.update(
        parameters, gradients, optimizer.start(parameters), 0.1, momentum=0.9, weight_decay=0.1
    )
    for tree in (parameters, gradients, *state.moments):
        assert all(array.dtype == np.float32 for layer in tree for array in layer)
