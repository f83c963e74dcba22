"""A picture and the same one written with another slant, size and breadth become alike."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from mnist_net.learning.distortion import Distortion, distort
from mnist_net.learning.normalization import NORMALIZATIONS
from mnist_net.learning.scaling import Scaling
from tests.moments import between, places, upright

MOMENTS = NORMALIZATIONS["moments"]
SIDES = st.integers(2, 9)


@st.composite
def pictures(draw: st.DrawFn) -> np.ndarray:
    side = draw(SIDES)
    return draw(npst.arrays(np.float64, (2, side, side), elements=st.integers(0, 255)))


@given(pictures())
def test_it_is_what_the_definition_says(images: np.ndarray) -> None:
    flat = images.reshape(2, -1)
    expected = np.stack([upright(image) for image in images]).reshape(flat.shape)
    np.testing.assert_allclose(MOMENTS.apply(flat), expected, atol=1e-4)


def test_written_digits_by_the_definition(digits: tuple[np.ndarray, np.ndarray]) -> None:
    images = digits[0][:20].astype(np.float32)
    expected = [upright(image).ravel() for image in images]
    made = MOMENTS.apply(images.reshape(20, -1))
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, expected, atol=0.02)  # grey levels, of 255


def test_two_dots_aslant_by_hand() -> None:
    """They come to stand in one column, 4 / sqrt(4 / 10) rows above and below the middle."""
    image = np.zeros((28, 28))
    image[10, 10] = image[18, 18] = 200.0  # 4 rows from the mean, (14, 14), and 4 columns
    made = MOMENTS.apply(image.reshape(1, -1)).reshape(28, 28)
    # The deviation is 4 along the rows, and the slant 1; along the columns none is left, so there a
    # pixel is the half of one, which is the least. A dot is as wide as what is between pixels: 1 of
    # the picture either way, so 1.6 rows and 2 columns, half a pixel less or more.
    ink_rows, ink_columns = np.nonzero(made)
    distance = 4 / np.sqrt(4 / 10)
    assert np.abs(np.abs(ink_rows - 13.5) - distance).max() <= 2.0
    assert np.abs(ink_columns - 13.5).max() <= 2.5
    np.testing.assert_allclose(made[::-1, ::-1], made, atol=1e-9)  # about the middle


def spread_of(images: np.ndarray) -> np.ndarray:
    """How far pictures are from their mean, of their own size."""
    return np.linalg.norm(images - images.mean(axis=0)) / np.linalg.norm(images)


@pytest.mark.parametrize(
    "hand",
    [Distortion(shear=0.3), Distortion(shift=3.0), Distortion(scale=0.2)],
    ids=["slant", "place", "size"],
)
def test_other_hands_become_alike(digits: tuple[np.ndarray, np.ndarray], hand: Distortion) -> None:
    for digit in digits[0][:5]:
        copies = np.repeat(digit.reshape(1, -1).astype(np.float32), 30, axis=0)
        written = distort(copies, hand, np.random.default_rng(1))
        assert spread_of(MOMENTS.apply(written)) < 0.6 * spread_of(written)


def test_nothing_is_blank_or_broken_by_odd_pictures() -> None:
    dot = np.zeros((28, 28), np.float32)
    dot[3, 25] = 255.0
    row = np.zeros((28, 28), np.float32)
    row[14] = 255.0
    for image in (dot, row, np.zeros((28, 28)), np.full((28, 28), 255.0)):
        made = MOMENTS.apply(image.astype(np.float32).reshape(1, -1))
        assert np.isfinite(made).all()
        assert made.max() > 0.0 or not image.any()
        assert made.max() <= image.max()
    assert MOMENTS.apply(np.zeros((0, 784), np.float32)).shape == (0, 784)


def test_ink_in_one_row_has_no_slant() -> None:
    """By rounding alone, its height and its slant would be anything."""
    random = np.random.default_rng(6)
    images = np.zeros((50, 28, 28), np.float32)
    for image in images:
        left, right = np.sort(random.integers(2, 26, 2))
        image[random.integers(2, 26), left : right + 1] = random.integers(50, 256)
    made = MOMENTS.apply(images.reshape(50, -1)).reshape(images.shape)
    expected = np.stack([*map(upright, images)])
    np.testing.assert_allclose(made, expected, atol=0.5)


def test_one_picture_does_not_depend_on_those_beside_it(
    digits: tuple[np.ndarray, np.ndarray],
) -> None:
    images = np.resize(digits[0][:300], (230, 784)).astype(np.float32)
    together = MOMENTS.apply(images)
    np.testing.assert_allclose(together[210:211], MOMENTS.apply(images[210:211]), atol=0.01)


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_gradients_by_the_pixels(digits: tuple[np.ndarray, np.ndarray], normalization: str) -> None:
    """With its moments held fast, what becomes of a picture is linear in its pixels."""
    image, scaling = digits[0][7], Scaling(30.0, 200.0, normalization)
    gradient = np.random.default_rng(2).normal(size=(1, 784))
    back = scaling.backward(image[None], gradient)
    for k in (0, 300, 385, 406, 470):
        only = np.zeros((28, 28))
        only.flat[k] = 1.0
        seen = only.ravel()
        if normalization == "moments":
            seen = np.array([between(only, *place) for place in places(image)])
        assert back[0, k] == pytest.approx(float(gradient[0] @ seen) / 200.0, abs=1e-9)
