"""The six systems of the derivation, each worked by hand and in its own notation.

The numbers are small enough for paper; the arithmetic is written out, scalar by scalar, so that
it shares nothing with the code under test.  Each case gives the loss, all gradients, and the
parameters after one step of gradient descent at rate 0.1.
"""

import math

import numpy as np
import pytest

from mnist_net.learning.losses import softmax
from mnist_net.learning.network import (
    Architecture,
    Layer,
    Parameters,
    forward,
    input_gradient,
    loss_and_gradients,
)
from mnist_net.learning.optimizers import OPTIMIZERS

RATE = 0.1
EXACT = 1e-14  # a few roundings of float64


def logistic(z: float) -> float:
    return 1.0 / (1.0 + math.exp(-z))


def column(*values: float) -> np.ndarray:
    return np.array(values)[:, None]


def check(
    parameters: Parameters,
    architecture: Architecture,
    X: np.ndarray,
    targets: np.ndarray,
    loss: float,
    gradients: Parameters,
    input_derivative: np.ndarray,
) -> None:
    """Compare loss, gradients and one step with what was worked out by hand."""
    our_loss, our_gradients = loss_and_gradients(parameters, architecture, X, targets)
    assert our_loss == pytest.approx(loss, abs=EXACT)
    sgd = OPTIMIZERS["sgd"]
    stepped, state = sgd.update(parameters, our_gradients, sgd.start(parameters), RATE)
    assert state.step == 1
    for before, after, ours, by_hand in zip(
        parameters, stepped, our_gradients, gradients, strict=True
    ):
        for old, new, mine, theirs in zip(before, after, ours, by_hand, strict=True):
            if theirs is None:
                assert old is mine is new is None
                continue
            np.testing.assert_allclose(mine, theirs, rtol=0, atol=EXACT)
            np.testing.assert_allclose(new, old - RATE * theirs, rtol=0, atol=EXACT)
    np.testing.assert_allclose(
        input_gradient(parameters, architecture, X, targets), input_derivative, rtol=0, atol=EXACT
    )


def test_single_neuron_identity() -> None:
    # z = 0.5·1 - 0.25·2 + 0.1 = 0.1; loss (0.1 - 1)² = 0.81; dz = 2 (0.1 - 1) = -1.8
    check(
        (Layer(column(0.5, -0.25), np.array([0.1])),),
        Architecture((2, 1), ("identity",), "mean-squared-error"),
        np.array([[1.0, 2.0]]),
        column(1.0),
        0.81,
        (Layer(column(-1.8, -3.6), np.array([-1.8])),),
        np.array([[-0.9, 0.45]]),
    )


@pytest.mark.parametrize(
    ("activation", "outputs", "slopes"),
    [
        ("sigmoid", (logistic(0.1), logistic(-0.5)), lambda a: a * (1 - a)),
        ("tanh", (math.tanh(0.1), math.tanh(-0.5)), lambda a: 1 - a**2),
        ("relu", (0.1, 0.0), lambda a: 1.0 if a > 0 else 0.0),
    ],
)
def test_single_neuron_full_batch(activation, outputs, slopes) -> None:
    # Two examples: z₁ = 0.1 as above, z₂ = 0.5·(-1) - 0.25·0.4 + 0.1 = -0.5; targets 1 and 0.
    a1, a2 = outputs
    d1, d2 = 2 / 2 * (a1 - 1.0) * slopes(a1), 2 / 2 * (a2 - 0.0) * slopes(a2)
    check(
        (Layer(column(0.5, -0.25), np.array([0.1])),),
        Architecture((2, 1), (activation,), "mean-squared-error"),
        np.array([[1.0, 2.0], [-1.0, 0.4]]),
        column(1.0, 0.0),
        ((a1 - 1) ** 2 + a2**2) / 2,
        (Layer(column(d1 - d2, 2 * d1 + 0.4 * d2), np.array([d1 + d2])),),
        np.array([[0.5 * d1, -0.25 * d1], [0.5 * d2, -0.25 * d2]]),
    )


def test_relu_regressor() -> None:
    # D-H-K = 1-2-1, N = 2, L = (1/N) Σ (ŷ - y)², dL/dŷ = (2/N)(ŷ - y).
    # x = 1: hidden pre-activations (2, -1) → (2, 0); ŷ = 3·2 + 5·0 + 1 = 7.   y = 5 → dŷ = 2
    # x = -1: (-2, 1) + biases (0, 0) → (0, 1);       ŷ = 3·0 + 5·1 + 1 = 6.   y = 7 → dŷ = -1
    check(
        (
            Layer(np.array([[2.0, -1.0]]), np.zeros(2)),
            Layer(column(3.0, 5.0), np.array([1.0])),
        ),
        Architecture((1, 2, 1), ("relu", "identity"), "mean-squared-error"),
        column(1.0, -1.0),
        column(5.0, 7.0),
        (2.0**2 + 1.0**2) / 2,
        (
            # dh = dŷ W2ᵀ where the unit is alive: (6, 0) and (0, -5)
            Layer(np.array([[6.0 * 1.0, -5.0 * -1.0]]), np.array([6.0, -5.0])),
            Layer(column(2.0 * 2.0, -1.0 * 1.0), np.array([1.0])),
        ),
        column(6.0 * 2.0, -5.0 * -1.0),
    )


def test_binary_relu_without_hidden_bias() -> None:
    # 2-3-1: x = (1, 2); W1 columns (1, 1), (1, -1), (-1, 1) → (3, -1, 1) → (3, 0, 1).
    # z = 1·3 + 1·0 - 3·1 + 0 = 0, so ŷ = ½; target 1: loss log 2, dz = -½.
    check(
        (
            Layer(np.array([[1.0, 1.0, -1.0], [1.0, -1.0, 1.0]]), None),
            Layer(column(1.0, 1.0, -3.0), np.array([0.0])),
        ),
        Architecture((2, 3, 1), ("relu", "identity"), "binary-cross-entropy", (False, True)),
        np.array([[1.0, 2.0]]),
        column(1.0),
        math.log(2.0),
        (
            # dh = -½ (1, 1, -3), alive units 1 and 3: (-½, 0, 3/2)
            Layer(np.array([[-0.5, 0.0, 1.5], [-1.0, 0.0, 3.0]]), None),
            Layer(column(-1.5, 0.0, -0.5), np.array([-0.5])),
        ),
        np.array([[-0.5 * 1 + 1.5 * -1, -0.5 * 1 + 1.5 * 1]]),
    )


def test_binary_tanh_in_its_own_notation() -> None:
    # D-h-1 with W1 of h × D and one example a column: dZ2 = A2 - Y, dW2 = dZ2 A1ᵀ / m,
    # dZ1 = W2ᵀ dZ2 ⊙ (1 - A1²), dW1 = dZ1 Xᵀ / m, and row sums over m for the biases.
    X = [[0.5, -1.0, 2.0], [1.5, 0.25, -0.5]]  # 2 features × 3 examples
    Y, m = [1.0, 0.0, 1.0], 3
    W1, b1 = [[0.3, -0.2], [0.7, 0.1]], [0.05, -0.1]  # 2 hidden units × 2 features
    W2, b2 = [0.6, -0.4], 0.2
    A1 = [
        [math.tanh(sum(W1[h][d] * X[d][n] for d in range(2)) + b1[h]) for n in range(m)]
        for h in range(2)
    ]
    A2 = [logistic(sum(W2[h] * A1[h][n] for h in range(2)) + b2) for n in range(m)]
    loss = -sum(y * math.log(a) + (1 - y) * math.log(1 - a) for y, a in zip(Y, A2, strict=True)) / m
    dZ2 = [a - y for a, y in zip(A2, Y, strict=True)]
    dW2 = [sum(dZ2[n] * A1[h][n] for n in range(m)) / m for h in range(2)]
    dZ1 = [[W2[h] * dZ2[n] * (1 - A1[h][n] ** 2) for n in range(m)] for h in range(2)]
    dW1 = [[sum(dZ1[h][n] * X[d][n] for n in range(m)) / m for d in range(2)] for h in range(2)]
    dX = [[sum(W1[h][d] * dZ1[h][n] for h in range(2)) / m for n in range(m)] for d in range(2)]
    check(
        (Layer(np.array(W1).T, np.array(b1)), Layer(column(*W2), np.array([b2]))),
        Architecture((2, 2, 1), ("tanh", "identity"), "binary-cross-entropy"),
        np.array(X).T,
        column(*Y),
        loss,
        (
            Layer(np.array(dW1).T, np.array([sum(row) / m for row in dZ1])),
            Layer(column(*dW2), np.array([sum(dZ2) / m])),
        ),
        np.array(dX).T,
    )


def test_cs229_in_its_own_notation() -> None:
    # Column vectors, W1 of d × h as in the handout: a = σ(W1ᵀ x + b1), z = W2ᵀ a + b2,
    # ŷ = softmax(z), CE = -Σ y log ŷ, averaged over B examples; ∂CE/∂z = ŷ - y.
    examples = [([0.2, -0.4, 1.0], 0), ([1.0, 0.5, -0.3], 2)]
    W1 = [[0.1, -0.3], [0.4, 0.2], [-0.5, 0.6]]
    b1 = [0.05, -0.02]
    W2 = [[0.7, -0.1, 0.3], [-0.6, 0.2, 0.5]]
    b2 = [0.0, 0.1, -0.1]
    B, loss = len(examples), 0.0
    dW1, db1 = np.zeros((3, 2)), np.zeros(2)
    dW2, db2 = np.zeros((2, 3)), np.zeros(3)
    dX = np.zeros((2, 3))
    for n, (x, label) in enumerate(examples):
        a = [logistic(sum(W1[i][j] * x[i] for i in range(3)) + b1[j]) for j in range(2)]
        z = [sum(W2[j][k] * a[j] for j in range(2)) + b2[k] for k in range(3)]
        total = sum(math.exp(value) for value in z)
        y_hat = [math.exp(value) / total for value in z]
        loss -= math.log(y_hat[label]) / B
        for k in range(3):
            error = (y_hat[k] - (k == label)) / B
            db2[k] += error
            for j in range(2):
                dW2[j, k] += a[j] * error
                inner = W2[j][k] * error * a[j] * (1 - a[j])
                db1[j] += inner
                for i in range(3):
                    dW1[i, j] += x[i] * inner
                    dX[n, i] += W1[i][j] * inner
    check(
        (Layer(np.array(W1), np.array(b1)), Layer(np.array(W2), np.array(b2))),
        Architecture((3, 2, 3), ("sigmoid", "identity"), "softmax-cross-entropy"),
        np.array([x for x, _ in examples]),
        np.eye(3)[[label for _, label in examples]],
        loss,
        (Layer(dW1, db1), Layer(dW2, db2)),
        dX,
    )


def test_deep_network_by_deltas() -> None:
    # 1-1-1-1, so that each δ is one number: δ³ = 2 (a³ - t), δ² = w³ δ³ (1 - a²²), …
    w1, w2, w3, x, t = 0.8, -1.2, 0.5, 0.7, 0.25
    a1 = logistic(w1 * x)
    a2 = math.tanh(w2 * a1)
    a3 = w3 * a2
    d3 = 2 * (a3 - t)
    d2 = w3 * d3 * (1 - a2 * a2)
    d1 = w2 * d2 * a1 * (1 - a1)
    zero = np.zeros(1)
    check(
        tuple(Layer(column(w), zero) for w in (w1, w2, w3)),
        Architecture((1, 1, 1, 1), ("sigmoid", "tanh", "identity"), "mean-squared-error"),
        column(x),
        column(t),
        (a3 - t) ** 2,
        (
            Layer(column(x * d1), np.array([d1])),
            Layer(column(a1 * d2), np.array([d2])),
            Layer(column(a2 * d3), np.array([d3])),
        ),
        column(w1 * d1),
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss", ["softmax-cross-entropy", "binary-cross-entropy"])
def test_logits_of_ten_thousand_are_safe(loss: str, dtype: type) -> None:
    # A network of one layer and weight 1, so that the inputs are the logits.
    architecture = Architecture((2, 2), ("identity",), loss)
    parameters = (Layer(np.eye(2, dtype=dtype), np.zeros(2, dtype)),)
    X = np.array([[1e4, -1e4], [-1e4, 1e4], [1e4, 1e4]], dtype)
    targets = np.array([[1, 0], [1, 0], [0, 1]], dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        value, gradients = loss_and_gradients(parameters, architecture, X, targets)
        probabilities = softmax(forward(parameters, architecture, X)[-1])
    # Right, wrong by 2·10⁴, and a tie: in nats, per example.
    by_hand = {
        "softmax-cross-entropy": (0.0 + 2e4 + math.log(2.0)) / 3,
        "binary-cross-entropy": (0.0 + 2e4 + 1e4) / 3,
    }
    assert value == pytest.approx(by_hand[loss], rel=1e-6)
    assert all(np.isfinite(array).all() for array in gradients[0])
    np.testing.assert_allclose(probabilities, [[1, 0], [0, 1], [0.5, 0.5]], atol=1e-7)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
def test_activations_of_ten_thousand_are_safe(activation: str) -> None:
    parameters = (Layer(np.eye(1), np.zeros(1)),)
    architecture = Architecture((1, 1), (activation,), "mean-squared-error")
    with np.errstate(all="raise"):
        outputs = forward(parameters, architecture, column(-1e4, 0.0, 1e4))[-1].ravel()
    by_hand = {"sigmoid": [0.0, 0.5, 1.0], "tanh": [-1.0, 0.0, 1.0], "relu": [0.0, 0.0, 1e4]}
    assert outputs.tolist() == by_hand[activation]
