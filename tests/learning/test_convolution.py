"""Layers of shared weights: by hand, against SciPy's correlation, and by what P and Pᵀ must be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from mnist_net.arrays import Array
from mnist_net.errors import DataError
from mnist_net.learning.convolution import Convolution, convolutions
from mnist_net.learning.network import (
    Architecture,
    Parameters,
    forward,
    initialize,
    outputs_of,
)
from mnist_net.learning.recipe import Hyperparameters
from mnist_net.learning.training import classifier

LOSS = "softmax-cross-entropy"

shapes = st.builds(
    Convolution,
    side=st.integers(1, 9),
    channels=st.integers(1, 3),
    kernel=st.sampled_from([1, 3, 5, 7]),
    stride=st.integers(1, 4),
)


def test_squares_by_hand() -> None:
    """3 × 3 squares, two pixels apart, of a picture of 4 × 4: four, of which three reach beyond."""
    picture = np.arange(1.0, 17.0)[None]
    squares = Convolution(side=4, channels=1, kernel=3, stride=2).cut(picture)
    assert squares.tolist() == [
        [0, 0, 0, 0, 1, 2, 0, 5, 6],
        [0, 0, 0, 2, 3, 4, 6, 7, 8],
        [0, 5, 6, 0, 9, 10, 0, 13, 14],
        [6, 7, 8, 10, 11, 12, 14, 15, 16],
    ]


@given(shapes, st.integers(0, 2**32 - 1))
def test_putting_back_is_the_transpose_of_cutting(one: Convolution, seed: int) -> None:
    """⟨P a, s⟩ = ⟨a, Pᵀ s⟩ for any a and s, which makes (42) follow from (40)."""
    generator = np.random.default_rng(seed)
    A = generator.standard_normal((2, one.n_inputs))
    cut = one.cut(A)
    assert cut.shape == (2 * one.places**2, one.n_weights)
    squares = generator.standard_normal(cut.shape)
    back = one.put_back(squares)
    assert back.shape == A.shape
    np.testing.assert_allclose(np.vdot(cut, squares), np.vdot(A, back), rtol=1e-9, atol=1e-9)


def test_feature_maps_are_correlations() -> None:
    """As `scipy.signal` correlates each channel with each map's weights, and adds them up."""
    first, second = convolutions(100, (2, 3))
    assert (first.side, second.side, second.channels) == (10, 5, 2)
    generator = np.random.default_rng(0)
    A = generator.standard_normal((1, second.n_inputs))
    weights = generator.standard_normal((second.n_weights, 3))
    ours = (second.cut(A) @ weights).reshape(3, 3, 3)
    kernels = weights.reshape(5, 5, 2, 3)
    for feature_map in range(3):
        theirs = sum(
            signal.correlate2d(
                A.reshape(5, 5, 2)[..., channel], kernels[..., channel, feature_map], mode="same"
            )
            for channel in range(2)
        )
        np.testing.assert_allclose(ours[..., feature_map], theirs[::2, ::2], rtol=1e-12)


@pytest.fixture
def network() -> Architecture:
    recipe = Hyperparameters(feature_maps=(3, 4), hidden_layer_sizes=(6,), activation="tanh")
    return classifier(784, 10, recipe)


def test_what_a_recipe_with_feature_maps_makes(network: Architecture) -> None:
    assert network.layer_sizes == (784, 14 * 14 * 3, 7 * 7 * 4, 6, 10)
    assert network.weight_shapes == [(25, 3), (75, 4), (196, 6), (6, 10)]
    assert network.feature_maps == (3, 4)
    assert network.layer_convolutions[2:] == (None, None)


@given(shapes, st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_weights_of_a_unit_are_what_it_makes_of_each_input_alone(
    one: Convolution, n_maps: int, seed: int
) -> None:
    weights = np.random.default_rng(seed).standard_normal((one.n_weights, n_maps))
    units = np.arange(one.places**2 * n_maps)
    alone = (one.cut(np.eye(one.n_inputs)) @ weights).reshape(one.n_inputs, len(units))
    np.testing.assert_array_equal(one.weights_of(weights, units), alone.T)
    np.testing.assert_array_equal(one.weights_of(weights, units[::-2]), alone.T[::-2])


def test_answers_do_not_depend_on_how_many_are_asked_at_once(
    network: Architecture, monkeypatch: pytest.MonkeyPatch
) -> None:
    parameters = initialize(network, np.random.default_rng(0))
    X = np.random.default_rng(1).random((7, 784))
    at_once = forward(parameters, network, X)[-1]
    sizes = []

    def watched(parameters: Parameters, architecture: Architecture, X: Array) -> list[Array]:
        sizes.append(len(X))
        return forward(parameters, architecture, X)

    monkeypatch.setattr("mnist_net.learning.network.forward", watched)
    # The first layer looks at 14 × 14 squares of 25 numbers: more than any layer is wide.
    monkeypatch.setattr("mnist_net.learning.network._MOST_HELD", 3 * 14 * 14 * 25 + 1)
    np.testing.assert_allclose(outputs_of(parameters, network, X), at_once, rtol=1e-12)
    assert sizes == [3, 3, 1]
    monkeypatch.setattr("mnist_net.learning.network._MOST_HELD", 1)
    assert outputs_of(parameters, network, X[:2]).shape == (2, 10)
    assert sizes[3:] == [1, 1]


def test_no_pictures_at_all(network: Architecture) -> None:
    parameters = initialize(network, np.random.default_rng(0))
    assert forward(parameters, network, np.zeros((0, 784)))[-1].shape == (0, 10)
    assert outputs_of(parameters, network, np.zeros((0, 784))).shape == (0, 10)


def test_inputs_that_are_no_square() -> None:
    with pytest.raises(DataError, match="need square pictures, and 12 inputs are no square"):
        convolutions(12, (4,))
    assert convolutions(12, ()) == ()
