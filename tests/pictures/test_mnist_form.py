"""What is in MNIST's form is known; ink is fitted into it, and its strokes left as they are."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis.extra.numpy import array_shapes, arrays

from mnist_net.pictures.form import fitted, in_mnist_form
from tests.drawings import STROKES, centre_of_mass, draw, extent, pixels

# In it already.


def test_mnist_is_in_mnist_form_and_is_left_as_it_is(
    mnist_arrays: tuple[np.ndarray, np.ndarray],
) -> None:
    test = mnist_arrays[0][60_000:]
    known = 0
    for image in test[:1000]:
        for shown in (image, 255 - image):
            found = in_mnist_form(shown[..., None])
            if found is not None:
                np.testing.assert_array_equal(found, image)
                known += 1
    # A few of MNIST's digits are not 20 pixels long: theirs is not the way that is described.
    assert known >= 0.97 * 2000


def test_mnist_form_by_hand() -> None:
    def bar_with(rows: slice, columns: slice, level: int) -> np.ndarray:
        changed = bar.copy()
        changed[rows, columns] = level
        return changed

    bar = np.zeros((28, 28, 1), np.uint8)
    bar[4:24, 12:16] = 255
    np.testing.assert_array_equal(in_mnist_form(bar), bar[..., 0])
    np.testing.assert_array_equal(in_mnist_form(255 - bar), bar[..., 0])
    assert in_mnist_form(np.zeros_like(bar)) is None
    assert in_mnist_form(np.full_like(bar, 255)) is None
    assert in_mnist_form(np.repeat(bar, 3, axis=2)) is None  # in colour
    assert in_mnist_form(bar[1:]) is None  # not 28 × 28
    assert in_mnist_form(np.pad(bar, ((0, 0), (1, 1), (0, 0)))) is None
    assert in_mnist_form(np.roll(bar, 2, axis=0)) is None  # off the centre
    assert in_mnist_form(np.roll(bar, -2, axis=1)) is None
    assert in_mnist_form(bar_with(np.s_[4:5], np.s_[12:16], 0)) is None  # 19 pixels high
    assert in_mnist_form(bar_with(np.s_[3:4], np.s_[12:16], 255)) is None  # 21
    assert in_mnist_form(bar_with(np.s_[0:1], np.s_[0:1], 1)) is None  # ink on the border
    assert in_mnist_form(bar // 3) is None  # nowhere half bright
    assert in_mnist_form(bar // 2 + 1) is None  # black is not 0 and white not 255


# Fitting and centring.


@pytest.mark.parametrize("digit", STROKES)
@pytest.mark.parametrize("unit", [1, 2, 6, 25])
def test_the_longer_side_is_20_and_the_mass_is_in_the_middle(digit: int, unit: int) -> None:
    result = fitted(255 - pixels(draw(digit, unit)))
    # A soft edge of less than half a grey level rounds to nothing, at each end.
    assert 18 <= max(extent(result)) <= 20
    assert all(abs(place - 14.0) <= 0.5 for place in centre_of_mass(result))
    assert result.max() == 255


def test_proportions_are_kept() -> None:
    page = np.zeros((300, 300), np.uint8)
    page[50:250, 100:150] = 255
    assert extent(fitted(page)) == (20, 5)


def test_a_digit_too_lopsided_to_be_centred_stays_in_the_field() -> None:
    ink = np.zeros((20, 20), np.uint8)
    ink[19, :] = ink[:, 19] = 255
    ink[0, 0] = ink[0, 1] = 255
    result = fitted(ink)
    assert result.shape == (28, 28)
    assert int(result.astype(int).sum()) == int(ink.astype(int).sum())


@pytest.mark.parametrize("level", [1, 2, 3, 100, 127, 128, 255])
def test_faint_ink_is_fitted_as_full_ink_is(level: int) -> None:
    ink = np.zeros((40, 40), np.uint8)
    ink[5:35, 10:18] = level
    full = fitted(np.where(ink > 0, 255, 0).astype(np.uint8))
    np.testing.assert_allclose(fitted(ink).astype(int), full.astype(int), atol=1)


@settings(max_examples=200)
@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=40)))
@example(np.array([[0, 255]], np.uint8))
@example(np.array([[255], [0]], np.uint8))
def test_whatever_has_ink_can_be_fitted(ink: np.ndarray) -> None:
    ink = ink.copy()
    ink.flat[0] |= 1
    before = ink.copy()
    result = fitted(ink)
    assert result.shape == (28, 28)
    assert result.dtype == np.uint8
    assert result.max() == 255
    np.testing.assert_array_equal(ink, before)
