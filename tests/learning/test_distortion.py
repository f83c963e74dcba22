"""Distortions: by hand, against SciPy's resampling, and by what they look like on average."""

import math
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import affine_transform, map_coordinates
from threadpoolctl import threadpool_limits

from mnist_net.errors import DataError
from mnist_net.learning import minibatches
from mnist_net.learning.distortion import DISTORTIONS, Distortion, _basis, contact_sheet, distort
from mnist_net.learning.minibatches import Batch, one_hot
from mnist_net.learning.network import initialize, loss_and_gradients
from mnist_net.learning.optimizers import OPTIMIZERS
from mnist_net.learning.presets import PRESETS
from mnist_net.learning.recipe import Hyperparameters
from mnist_net.learning.training import Progress, classifier, train

BOTH = DISTORTIONS["both"]


class Scripted:
    """Random numbers as we want them: angle, height, width, shear, down, right; the waves."""

    def __init__(self, fractions: list[float], waves: np.ndarray | None = None) -> None:
        self.fractions: Iterator[float] = iter(fractions)
        self.waves = waves

    def uniform(self, low: float, high: float, size: Any) -> np.ndarray:
        assert (low, high) == (-1.0, 1.0)
        n_amounts, n = (1, size) if isinstance(size, int) else size
        fractions = [next(self.fractions) for _ in range(n_amounts)]
        return np.repeat(fractions, n).reshape(size)

    def standard_normal(self, size: Any, dtype: Any) -> np.ndarray:
        assert self.waves is not None
        return np.broadcast_to(self.waves, size).astype(dtype)


def pictures(n: int, side: int = 28, dtype: Any = np.float32) -> np.ndarray:
    """Smooth pictures: any two differ, and none is symmetric."""
    generator = np.random.default_rng(11)
    rows, columns = np.mgrid[:side, :side] / side
    a, b, c = generator.uniform(1.0, 9.0, (3, n, 1, 1))
    images = 0.5 + 0.5 * np.sin(a * rows + b * columns + c * rows * columns + a)
    return images.reshape(n, -1).astype(dtype)


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# One picture, worked by hand.


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("side", [2, 5, 8, 28])
def test_no_distortion_changes_not_a_bit(side: int, dtype: Any) -> None:
    images = generator().random((7, side * side)).astype(dtype)
    distorted = distort(images, Distortion(), generator())
    assert distorted.dtype == dtype
    assert distorted.tobytes() == images.tobytes()


def test_a_shift_by_whole_pixels() -> None:
    # Each pixel is taken from one row below and two columns to the left; the border goes on.
    image = np.arange(16, dtype=np.float32).reshape(1, 16)
    moved = distort(image, Distortion(shift=2.0), Scripted([0, 0, 0, 0, 0.5, -1.0]))
    assert moved.reshape(4, 4).tolist() == [
        [4, 4, 4, 5],
        [8, 8, 8, 9],
        [12, 12, 12, 13],
        [12, 12, 12, 13],
    ]


def test_a_shift_by_half_a_pixel_averages_neighbours() -> None:
    image = np.array([[0, 4, 8, 16]], dtype=np.float32)  # 0 4 / 8 16
    moved = distort(image, Distortion(shift=0.5), Scripted([0, 0, 0, 0, 1.0, 1.0]))
    assert moved.tolist() == [[7, 10, 12, 16]]


@pytest.mark.parametrize(("degrees", "turns"), [(90.0, 1), (180.0, 2), (270.0, 3)])
def test_a_rotation_by_quarter_turns(degrees: float, turns: int) -> None:
    image = pictures(1)
    turned = distort(image, Distortion(rotation=degrees), Scripted([1.0, 0, 0, 0, 0, 0]))
    expected = np.rot90(image.reshape(28, 28), turns)
    # Coordinates up to 27 in float32 are good to 2e-6 pixels, and a pixel differs by at most 0.4
    # from its neighbour.
    np.testing.assert_allclose(turned.reshape(28, 28), expected, atol=5e-6)


def test_a_shear_slides_rows_against_each_other() -> None:
    # The stroke is upright, so afterwards the column of its ink says how far each row went.
    image = np.zeros((1, 5, 5), np.float32)
    image[0, :, 2] = 1.0
    slanted = distort(image.reshape(1, 25), Distortion(shear=1.0), Scripted([0, 0, 0, 1.0, 0, 0]))
    assert slanted.reshape(5, 5).tolist() == np.eye(5)[::-1].tolist()


def test_a_scale_of_a_half_shrinks_to_two_thirds() -> None:
    # Taken from 1.5 times as far from the middle: a bar 6 high becomes 4 high, and no narrower.
    image = np.zeros((1, 12, 12), np.float32)
    image[0, 3:9, :] = 1.0
    shrunk = distort(image.reshape(1, 144), Distortion(scale=0.5), Scripted([0, 1.0, 0, 0, 0, 0]))
    np.testing.assert_allclose(
        shrunk.reshape(12, 12), np.repeat([0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0], 12).reshape(12, 12)
    )


# Against SciPy.


@pytest.mark.parametrize("seed", range(5))
def test_the_affine_part_is_scipys_affine_transform(seed: int) -> None:
    angle, height, width, shear, down, right = generator(seed).uniform(-1.0, 1.0, 6)
    image = pictures(1)
    ours = distort(
        image,
        Distortion(rotation=40.0, scale=0.3, shear=0.5, shift=4.0),
        Scripted([angle, height, width, shear, down, right]),
    )
    turn = math.radians(40.0 * angle)
    rotation = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    shearing = np.array([[1.0, 0.0], [0.5 * shear, 1.0]])
    matrix = np.diag([1.0 + 0.3 * height, 1.0 + 0.3 * width]) @ shearing @ rotation
    middle = np.array([13.5, 13.5])
    offset = middle - matrix @ middle + 4.0 * np.array([down, right])
    theirs = affine_transform(
        image.reshape(28, 28).astype(np.float64), matrix, offset, order=1, mode="nearest"
    )
    # Ours finds the places in float32: as for the rotation above.
    np.testing.assert_allclose(ours.reshape(28, 28), theirs, atol=2e-5)


def test_the_elastic_part_is_scipys_map_coordinates() -> None:
    waves = generator(3).standard_normal((2, 1, 7, 7))
    image, basis = pictures(1), _basis(28, 4.0)[:, 2:].astype(np.float64)
    ours = distort(image, Distortion(elastic=2.0), Scripted([0] * 6, waves))
    places = np.mgrid[:28, :28] + 2.0 * (basis @ waves[:, 0] @ basis.T)
    theirs = map_coordinates(
        image.reshape(28, 28).astype(np.float64), places, order=1, mode="nearest"
    )
    np.testing.assert_allclose(ours.reshape(28, 28), theirs, atol=2e-5)


# The random field, on average.


@pytest.mark.parametrize("smoothness", [2.0, 4.0, 8.0])
def test_the_waves_have_the_covariance_of_smoothed_noise(smoothness: float) -> None:
    # Exactly: the noise of a fine grid, smoothed by a Gaussian, at two places of distance d.
    fine = np.arange(-100.0, 100.0, 0.05)
    kernels = np.exp(-((fine - np.arange(28.0)[:, None]) ** 2) / (2.0 * smoothness**2))
    covariance = kernels @ kernels.T / (kernels[0] @ kernels[0])
    waves = _basis(28, smoothness)[:, 2:].astype(np.float64)
    # A wave that is left out has at most 1/1000 of the variance of 28 places, the next far less.
    np.testing.assert_allclose(waves @ waves.T, covariance, atol=0.028)
    assert np.trace(waves @ waves.T) > 0.998 * 28


def fields(n: int, elastic: float, smoothness: float) -> np.ndarray:
    """Displacements, 2 × n × 28 × 28, read off the only way that one can: from pictures.

    In a picture of its own coordinates a pixel says where it was taken from.
    """
    coordinates = np.mgrid[:28, :28].reshape(2, 1, 784).astype(np.float64)
    distortion = Distortion(elastic=elastic, smoothness=smoothness)
    taken = [distort(np.repeat(c, n, axis=0), distortion, generator(5)) for c in coordinates]
    return (np.stack(taken) - coordinates).reshape(2, n, 28, 28)


@pytest.mark.parametrize(("elastic", "smoothness"), [(1.0, 4.0), (0.5, 8.0)])
def test_the_elastic_field_has_the_variance_and_the_correlation_that_it_promises(
    elastic: float, smoothness: float
) -> None:
    n = 4_000
    inner = fields(n, elastic, smoothness)[:, :, 6:22, 6:22]  # nearer the border it is clamped
    # Of n independent numbers of variance 1, the mean has the deviation 1/√n, the variance √(2/n).
    # Neighbours are no independent numbers, so the mean over pixels is hardly more certain.
    bound = 5.0 * math.sqrt(2.0 / n)
    assert np.abs(inner.mean(axis=1)).max() < bound * elastic
    np.testing.assert_allclose(inner.var(axis=1), elastic**2, rtol=bound + 0.002)
    for distance in (1, 3, 6, 9):
        expected = elastic**2 * math.exp(-(distance**2) / (4.0 * smoothness**2))
        along = (inner[:, :, :, distance:] * inner[:, :, :, :-distance]).mean()
        down = (inner[:, :, distance:] * inner[:, :, :-distance]).mean()
        assert along == pytest.approx(expected, abs=bound * elastic**2)
        assert down == pytest.approx(expected, abs=bound * elastic**2)
    rows, columns = inner
    assert abs((rows * columns).mean()) < bound * elastic**2  # independent of each other


# Properties.


@given(seed=st.integers(0, 2**32), side=st.integers(2, 12), size=st.floats(0.0, 3.0))
def test_no_pixel_leaves_the_range_of_its_picture(seed: int, side: int, size: float) -> None:
    images = generator(seed).normal(size=(4, side * side))
    distortion = Distortion(
        rotation=60 * size, scale=0.3 * size, shear=size, shift=3 * size, elastic=3 * size
    )
    distorted = distort(images, distortion, generator(seed))
    rounding = 1e-14  # of a + t (b - a)
    assert (distorted.max(axis=1) <= images.max(axis=1) + rounding).all()
    assert (distorted.min(axis=1) >= images.min(axis=1) - rounding).all()


def test_paper_stays_paper() -> None:
    paper = np.full((50, 784), -0.4, np.float32)
    assert distort(paper, BOTH, generator()).tobytes() == paper.tobytes()


def test_same_seed_same_bits_and_each_picture_its_own_way() -> None:
    images = np.repeat(pictures(1), 20, axis=0)
    before = images.copy()
    first = distort(images, BOTH, generator(1))
    assert first.tobytes() == distort(images, BOTH, generator(1)).tobytes()
    assert first.tobytes() != distort(images, BOTH, generator(2)).tobytes()
    assert len({row.tobytes() for row in first}) == 20
    assert images.tobytes() == before.tobytes()  # what is given is not touched


def test_one_picture_and_pictures_of_any_memory_layout() -> None:
    images = pictures(6, dtype=np.float64)
    expected = distort(images, BOTH, generator())
    strided = np.repeat(images, 2, axis=1)[:, ::2]
    assert distort(np.asfortranarray(images), BOTH, generator()).tobytes() == expected.tobytes()
    assert distort(strided, BOTH, generator()).tobytes() == expected.tobytes()
    assert distort(images[:1], BOTH, generator()).shape == (1, 784)
    assert distort(images[:0], BOTH, generator()).shape == (0, 784)


@pytest.mark.parametrize("n_pixels", [1, 6, 783])
def test_what_is_no_square_is_refused(n_pixels: int) -> None:
    with pytest.raises(DataError, match=f"square pictures, and {n_pixels} inputs are no square"):
        distort(np.zeros((2, n_pixels), np.float32), BOTH, generator())


@pytest.mark.parametrize(
    ("amounts", "words"),
    [
        ({"rotation": -1.0}, "rotation is -1.0; it must be finite and not negative"),
        ({"elastic": math.inf}, "elastic is inf"),
        ({"shift": math.nan}, "shift is nan"),
        ({"shear": -0.1}, "shear"),
        ({"scale": 1.0}, "scale is 1.0; it must be below 1"),
        ({"smoothness": 0.0}, "smoothness is 0; it must be above 0"),
    ],
)
def test_refuses_impossible_amounts(amounts: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Distortion(**amounts)


def test_the_parts_make_the_whole() -> None:
    assert not DISTORTIONS["none"]
    assert not DISTORTIONS["affine"].elastic
    assert replace(DISTORTIONS["affine"], elastic=DISTORTIONS["elastic"].elastic) == BOTH
    assert DISTORTIONS["elastic"] == replace(BOTH, rotation=0.0, scale=0.0, shear=0.0, shift=0.0)
    assert all(DISTORTIONS[name] for name in ("affine", "elastic", "both"))


def test_a_sheet_of_pictures_beside_their_versions() -> None:
    images = (255 * pictures(3)).astype(np.uint8).reshape(3, 28, 28)
    sheet = contact_sheet(images, BOTH, generator(), n_versions=4)
    assert (sheet.shape, sheet.dtype) == ((3 * 30, 5 * 30), np.uint8)
    cells = sheet.reshape(3, 30, 5, 30)
    frame = np.concatenate([cells[:, [0, -1]].ravel(), cells[:, :, :, [0, -1]].ravel()])
    assert np.ptp(frame) == 0
    inner = cells[:, 1:-1, :, 1:-1]
    assert (inner[:, :, 0] == images).all()
    # Versions of a picture resemble it more than they do another picture.
    for row in range(3):
        versions = inner[row].swapaxes(0, 1)[1:].astype(float)
        distances = np.abs(versions[:, None] - images).mean(axis=(2, 3))
        assert (distances.argmin(axis=1) == row).all()
        assert (distances[:, row] > 0).all()
        assert len({inner[row, :, column].tobytes() for column in range(5)}) == 5
    nothing = contact_sheet(images, Distortion(), generator(), n_versions=1).reshape(3, 30, 2, 30)
    assert (nothing[:, :, 0] == nothing[:, :, 1]).all()


# In training.

RECIPE = Hyperparameters(
    hidden_layer_sizes=(8,), distortion=BOTH, batch_size=16, epochs=4, validation=10, random_state=3
)


def labelled(n: int = 40) -> Batch:
    return Batch(pictures(n), one_hot(np.arange(n) % 3, 3))


def last(*arguments: Any, **options: Any) -> Progress:
    *_, progress = train(*arguments, **options)
    return progress


def bits(progress: Progress) -> list[bytes]:
    return [a.tobytes() for layer in progress.latest.parameters for a in layer if a is not None]


def test_distortion_fades_over_the_last_third() -> None:
    recipe = replace(RECIPE, epochs=12, distortion_fade=1 / 3)
    rotations = [recipe.distortion_in(epoch).rotation for epoch in (1, 8, 9, 11)]
    assert rotations == pytest.approx([BOTH.rotation * part for part in (1.0, 1.0, 0.75, 0.25)])
    assert recipe.distortion_in(11).smoothness == BOTH.smoothness
    assert not recipe.distortion_in(12)
    assert RECIPE.distortion_in(RECIPE.epochs) is BOTH


def test_an_epoch_is_distorted_as_it_says() -> None:
    fading = replace(RECIPE, distortion_fade=1.0)
    first, second = list(train(labelled(), fading))[:2]
    at_three_quarters = replace(RECIPE, distortion=fading.distortion_in(1))
    assert bits(first) == bits(next(train(labelled(), at_three_quarters)))
    at_half = replace(RECIPE, distortion=fading.distortion_in(2))
    assert bits(second) == bits(next(train(labelled(), at_half, start=first)))


@pytest.mark.parametrize("n", [255, 300, 512])
def test_halves_at_once_and_one_after_the_other_are_the_same(n: int) -> None:
    recipe = replace(RECIPE, batch_size=n, epochs=2)
    by_two, by_one, whole = (
        last(labelled(n + 20), recipe, **how)
        for how in ({"n_threads": 2}, {"n_threads": 1}, {"gradients_of": loss_and_gradients})
    )
    assert bits(by_two) == bits(by_one)
    for layer, same in zip(by_two.latest.parameters, whole.latest.parameters, strict=True):
        np.testing.assert_allclose(layer.weights, same.weights, rtol=1e-4, atol=1e-6)
    assert (bits(by_two) == bits(whole)) == (n < 256)


@pytest.mark.parametrize("epoch", [1, 3])
def test_resuming_goes_on_to_the_same_distortions(epoch: int) -> None:
    whole = list(train(labelled(), RECIPE))
    assert bits(last(labelled(), RECIPE, start=whole[epoch - 1])) == bits(whole[-1])
    assert bits(last(labelled(), RECIPE)) == bits(whole[-1])
    assert bits(last(labelled(), replace(RECIPE, distortion=Distortion()))) != bits(whole[-1])
    assert bits(last(labelled(), replace(RECIPE, random_state=4))) != bits(whole[-1])


def test_each_minibatch_of_each_epoch_is_distorted_by_numbers_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn = []

    def spy(images: np.ndarray, distortion: Distortion, random: np.random.Generator) -> np.ndarray:
        assert distortion is BOTH
        drawn.append(tuple(random.integers(2**60, size=4)))
        return images

    monkeypatch.setattr(minibatches, "distort", spy)
    last(labelled(), RECIPE)
    orders = [tuple(generator([3, epoch]).integers(2**60, size=4)) for epoch in range(1, 5)]
    assert len(drawn) == 4 * 3
    assert len({*drawn, *orders}) == 4 * 3 + 4  # nor is one the beginning of an epoch's order


def test_the_validation_pictures_are_not_distorted() -> None:
    frozen = replace(RECIPE, learning_rate=0.0, epochs=2)
    first, second = last(labelled(), frozen, validation=labelled()).history
    assert first["validation_loss"] == second["validation_loss"]
    assert first["loss"] != second["loss"]


def test_features_that_are_no_pictures_are_refused() -> None:
    data = Batch(np.zeros((20, 6), np.float32), one_hot(np.arange(20) % 2, 2))
    with pytest.raises(DataError, match="square pictures, and 6 inputs are no square"):
        last(data, RECIPE)


def test_a_distorted_step_costs_at_most_twice_a_plain_one() -> None:
    recipe, images = PRESETS["default"], pictures(256)
    targets = one_hot(np.arange(256) % 10, 10)
    architecture = classifier(784, 10, replace(recipe, hidden_layer_sizes=(800,)))
    optimizer = OPTIMIZERS[recipe.optimizer]
    parameters = initialize(architecture, generator(), dtype=np.float32)
    state = optimizer.start(parameters)
    plain, extra = [], []
    with threadpool_limits(1, user_api="blas"):  # as runs with distortions train
        for _ in range(30):
            began = time.process_time()  # which no other process on the machine prolongs
            distort(images, BOTH, generator())
            between = time.process_time()
            _, gradients = loss_and_gradients(parameters, architecture, images, targets)
            parameters, state = optimizer.update(parameters, gradients, state, 1e-3)
            plain.append(time.process_time() - between)
            extra.append(between - began)
    assert min(extra) <= min(plain)
