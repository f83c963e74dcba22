"""What spoke for an answer, against finite differences and by hand."""

import numpy as np
import pytest

from mnist_net import Committee, Model
from mnist_net.export.contract import fully_connected
from mnist_net.learning.network import Architecture, forward, initialize, logit_gradients
from mnist_net.learning.scaling import Scaling
from mnist_net.trained.explanation import explain
from mnist_net.trained.facts import first_layer_of
from tests.moments import between, places
from tests.trained.conftest import with_shared_weights


def made(
    *hidden: int,
    activation: str = "tanh",
    seed: int = 0,
    scale: float = 255.0,
    normalization: str = "none",
) -> Model:
    sizes = (784, *hidden, 3)
    activations = (*[activation] * len(hidden), "identity")
    architecture = Architecture(sizes, activations, "softmax-cross-entropy")
    parameters = initialize(architecture, np.random.default_rng(seed))
    return Model(architecture, parameters, np.array([2, 5, 7]), Scaling(33.0, scale, normalization))


def logit(model: Model, pixels: np.ndarray, k: int) -> float:
    X = (pixels.reshape(1, 784) - model.scaling.shift) / model.scaling.scale
    return forward(model.parameters, model.architecture, X)[-1][0, k]


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (28, 28)).astype(np.uint8)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
@pytest.mark.parametrize("hidden", [(), (12,), (9, 7, 5)])
def test_saliency_is_what_a_pixel_changes(
    image: np.ndarray, hidden: tuple[int, ...], activation: str
) -> None:
    model = made(*hidden, activation=activation, scale=100.0)
    saliency = explain(model, image, 5).saliency
    for row, column in np.random.default_rng(2).integers(0, 28, (20, 2)):
        step = np.zeros((28, 28))
        step[row, column] = 1e-3 * 255.0
        change = logit(model, image + step, 1) - logit(model, image - step, 1)
        # float32 inputs, on which ours is computed, have seven digits
        assert saliency[row, column] == pytest.approx(change / 2e-3, rel=1e-3, abs=1e-5)


def test_shared_weights_are_explained_as_if_they_were_written_out(image: np.ndarray) -> None:
    model = with_shared_weights(np.float64)
    (written_out,) = fully_connected(model)
    ours, theirs = explain(model, image, 7), explain(written_out, image, 7)
    np.testing.assert_allclose(ours.saliency, theirs.saliency, rtol=1e-9, atol=1e-15)
    for one, other in zip(ours.units, theirs.units, strict=True):
        assert one.unit == other.unit
        assert one.push == pytest.approx(other.push)
        np.testing.assert_array_equal(one.weights, other.weights)


def test_of_shared_weights_each_feature_map_is_shown_once() -> None:
    model = with_shared_weights()
    (written_out,) = fully_connected(model)
    shown = first_layer_of(model)
    assert shown is not None
    middle = 7 * 14 + 7  # of 14 × 14 squares
    of_the_middle = written_out.parameters[0].weights[:, 3 * middle : 3 * middle + 3]
    # How much the next layer hears of each map, place by place.
    heard = model.parameters[1].weights.reshape(5, 5, 3, 4)
    loudness = [np.linalg.norm(heard[:, :, k]) for k in range(3)]
    np.testing.assert_array_equal(shown, of_the_middle[:, np.argsort(loudness)[::-1]])


def test_saliency_of_a_normalized_picture_is_by_its_own_pixels(image: np.ndarray) -> None:
    model = made(9, scale=100.0, normalization="moments")
    saliency = explain(model, image, 5).saliency
    held = places(image)  # as if no pixel moved a moment

    def seen(pixels: np.ndarray) -> np.ndarray:
        return np.array([between(pixels, *place) for place in held])

    for row, column in ((3, 3), (14, 14), (20, 9)):
        step = np.zeros((28, 28))
        step[row, column] = 1e-3 * 255.0
        change = logit(model, seen(image + step), 1) - logit(model, seen(image - step), 1)
        assert saliency[row, column] == pytest.approx(change / 2e-3, rel=1e-3, abs=1e-5)


def test_gradients_of_hidden_activations_are_the_derivatives(image: np.ndarray) -> None:
    model = made(9, 7, 5, activation="sigmoid")
    architecture, parameters = model.architecture, model.parameters
    X = model.scaling.apply(image[None]).astype(np.float64)
    A = forward(parameters, architecture, X)
    gradients = logit_gradients(parameters, architecture, A, 2)
    assert [g.shape for g in gradients] == [a.shape for a in A[:-1]]
    for level in range(4):
        rest = architecture._replace(activations=architecture.activations[level:])
        for unit in range(3):
            step = np.zeros_like(A[level])
            step[0, unit] = 1e-5
            ends = [
                forward(parameters[level:], rest, A[level] + s)[-1][0, 2] for s in (step, -step)
            ]
            slope = (ends[0] - ends[1]) / 2e-5
            assert gradients[level][0, unit] == pytest.approx(slope, rel=1e-7, abs=1e-9)


def test_units_are_those_that_pushed_most(image: np.ndarray) -> None:
    model = made(12)
    X = model.scaling.apply(image[None])
    hidden = forward(model.parameters, model.architecture, X)[1][0]
    pushes = hidden * model.parameters[1].weights[:, 2]
    units = explain(model, image, 7).units
    assert [unit.unit for unit in units] == np.argsort(-pushes)[:8].tolist()
    for unit in units:
        assert unit.activation == pytest.approx(hidden[unit.unit])
        assert unit.push == pytest.approx(pushes[unit.unit])
        incoming = model.parameters[0].weights[:, unit.unit]
        np.testing.assert_array_equal(unit.weights.ravel(), incoming)


def test_a_network_without_hidden_units_has_none(image: np.ndarray) -> None:
    model = made()
    explanation = explain(model, image, 2)
    assert explanation.units == []
    np.testing.assert_allclose(
        explanation.saliency.ravel(), model.parameters[0].weights[:, 0], rtol=1e-12
    )


def test_of_a_committee_it_is_the_mean_and_the_first_s_units(image: np.ndarray) -> None:
    members = made(12), made(9, 7, seed=1)
    whole = explain(Committee(members), image, 5)
    one, other = (explain(member, image, 5) for member in members)
    np.testing.assert_allclose(whole.saliency, (one.saliency + other.saliency) / 2)
    assert [unit.unit for unit in whole.units] == [unit.unit for unit in one.units]
