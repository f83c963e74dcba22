"""Drawn digits: every form in turn, in MNIST's form, and the same ones for the same seed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_net.datasets import drawn as handwriting
from mnist_net.datasets.drawn import digit_forms, draw_digits, smooth_curve
from mnist_net.reading.reader import Reader
from tests.drawings import centre_of_mass, distance, extent

FORMS = digit_forms()
LABELS = [digit for digit, _ in FORMS]


def test_the_same_seed_gives_the_same_bits_and_another_seed_others() -> None:
    images, labels = draw_digits(30, 5)
    again = draw_digits(30, 5)
    other = draw_digits(30, 6)
    assert images.tobytes() == again[0].tobytes()
    np.testing.assert_array_equal(labels, again[1])
    np.testing.assert_array_equal(labels, other[1])
    assert all((a != b).any() for a, b in zip(images, other[0], strict=True))


def test_fewer_are_the_first_of_more() -> None:
    np.testing.assert_array_equal(draw_digits(10, 1)[0], draw_digits(25, 1)[0][:10])


def test_every_form_has_its_turn() -> None:
    n = len(FORMS)
    labels = draw_digits(2 * n + 3)[1]
    assert labels.dtype == np.int64
    np.testing.assert_array_equal(labels, LABELS + LABELS + LABELS[:3])
    assert set(LABELS) == set(range(10))


@pytest.mark.parametrize("n", [0, 1])
def test_few_or_none(n: int) -> None:
    images, labels = draw_digits(n)
    assert images.shape == (n, 28, 28)
    assert labels.shape == (n,)


def test_drawings_are_in_mnists_form() -> None:
    images, _ = draw_digits(4 * len(FORMS), 2)
    assert images.dtype == np.uint8
    for image in images:
        assert image.max() == 255
        # A soft edge of less than half a grey level rounds to nothing, at each end.
        assert 18 <= max(extent(image)) <= 20
        assert all(abs(place - 14.0) <= 0.5 for place in centre_of_mass(image))


def test_two_drawings_of_a_form_differ_as_two_peoples_would() -> None:
    one, other = draw_digits(2 * len(FORMS), 3)[0].reshape(2, len(FORMS), 28, 28)
    differences = [distance(a, b) for a, b in zip(one, other, strict=True)]
    assert min(differences) > 1.0
    assert np.median(differences) > 20.0


@pytest.mark.parametrize(("digit", "form"), FORMS)
def test_forms_lie_in_the_box_of_the_digit(digit: int, form: list[np.ndarray]) -> None:
    points = np.concatenate(form)
    assert points.min() >= 0.0
    assert points.max() <= 1.0
    assert np.ptp(points[:, 1]) > 0.8  # it uses its height
    for stroke in form:
        assert len(stroke) >= 2
        curve = smooth_curve(stroke)
        # A smooth curve may leave its points' box by a little.
        assert curve.min() > -0.15
        assert curve.max() < 1.15


POINTS = st.lists(
    st.tuples(st.integers(0, 100), st.integers(0, 100)), min_size=2, max_size=8, unique=True
)


@settings(max_examples=100)
@given(POINTS)
def test_a_curve_goes_through_its_points(points: list[tuple[int, int]]) -> None:
    stroke = np.array(points, np.float64)
    curve = smooth_curve(stroke, steps=7)
    np.testing.assert_allclose(curve[::7], stroke, atol=1e-12)
    assert len(curve) == 7 * (len(points) - 1) + 1


def test_curves_by_hand() -> None:
    # Along a line at even distances nothing bends: at the ends it only starts more slowly.
    line = smooth_curve(np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 0.0]]), steps=2)
    np.testing.assert_allclose(line[:, 1], 0.0)
    np.testing.assert_allclose(line[3], [1.5, 0.0])
    # Between two corners the stroke is the straight line.
    square = smooth_curve(np.array([[0.0, 0.0], [0.0, 0.0], [4.0, 2.0], [4.0, 2.0]]), steps=4)
    np.testing.assert_allclose(square, [[0, 0], [1, 0.5], [2, 1], [3, 1.5], [4, 2]])
    # The tangent at a smooth point is half of the way between its neighbours (Catmull and Rom).
    bend = smooth_curve(np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 0.0]]), steps=1000)
    np.testing.assert_allclose((bend[1001] - bend[999]) * 500, [1.0, 0.0], atol=1e-3)


def test_the_points_of_a_corner_are_shaken_together() -> None:
    corner = np.array([[0.0, 0.0], [0.5, 0.5], [0.5, 0.5], [1.0, 0.0]])
    shaken = handwriting._shaken(corner, np.random.default_rng(0))
    np.testing.assert_array_equal(shaken[1], shaken[2])
    assert (shaken != corner).all()
    assert np.abs(shaken - corner).max() < 0.2


def test_the_network_reads_them(reader: Reader) -> None:
    """All but the narrowest and the most slanted, of which no label is certain."""
    images, labels = draw_digits(10 * len(FORMS), 12_345)
    assert (reader.model.predict(images) == labels).mean() > 0.95
