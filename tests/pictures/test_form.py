"""Ink of any size and any pen becomes a digit as MNIST's makers would have made it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image
from scipy import ndimage

from mnist_net.pictures.form import deslanted, fitted, narrowed, stretched
from tests.drawings import STROKES, centre_of_mass, distance, draw, extent, pixels


def strokes_fitted(ink: np.ndarray) -> np.ndarray:
    return fitted(ink, usual_strokes=True)


def ink_of(digit: int, unit: int, pen: int | None = None) -> np.ndarray:
    """A digit's ink, cropped to its box."""
    drawn = pixels(draw(digit, unit, (4 * unit, 4 * unit), pen)) < 128
    rows, columns = (np.flatnonzero(drawn.any(axis=axis)) for axis in (1, 0))
    return drawn[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)


def bar(height: int, width: int) -> np.ndarray:
    return np.ones((height, width), np.float32)


def ring(side: int, pen: int) -> np.ndarray:
    rows, columns = np.mgrid[:side, :side] - (side - 1) / 2.0
    radius = np.hypot(rows, columns)
    return ((radius <= side / 2.0) & (radius >= side / 2.0 - pen)).astype(np.float32)


@pytest.mark.parametrize("digit", STROKES)
@pytest.mark.parametrize("unit", [1, 2, 6, 25])
@pytest.mark.parametrize("pen", [0.2, 1.0, 2.5])
def test_the_longer_side_is_20_and_the_mass_is_in_the_middle(
    digit: int, unit: int, pen: float
) -> None:
    result = strokes_fitted(ink_of(digit, unit, max(1, round(pen * unit))))
    assert result.shape == (28, 28)
    assert result.dtype == np.uint8
    assert max(extent(result)) == 20
    assert all(abs(place - 14.0) <= 0.51 for place in centre_of_mass(result))
    assert result.max() == 255


@pytest.mark.parametrize(
    ("height", "width", "across"), [(200, 50, 5), (200, 100, 10), (80, 80, 20)]
)
def test_proportions_are_kept(height: int, width: int, across: int) -> None:
    """Of what is no stroke; a stroke's width is brought into MNIST's range."""
    frame = bar(height, width)
    frame[3:-3, 3:-3] = 0.0
    seen = extent(strokes_fitted(frame))
    assert seen[0] == 20
    assert abs(seen[1] - across) <= 1
    assert extent(strokes_fitted(frame.T)) == seen[::-1]


def stroke_width(ring_seen: np.ndarray) -> float:
    """Width of a ring of 20 pixels across from its mass: π w (20 - w)."""
    area = ring_seen.sum(dtype=float) / 255.0
    return float(10.0 - np.sqrt(100.0 - area / np.pi))


@pytest.mark.parametrize("pen", [1, 2, 4, 8, 16, 30, 40, 60])
def test_any_pen_draws_strokes_of_mnists_width(pen: int) -> None:
    """In 20 pixels: from hairlines, a tenth of one wide, to brushes of 6."""
    drawn = pen * 20.0 / 200.0
    wanted = max(float(np.clip(drawn, 1.8, 3.6)), drawn - 2.0)  # no blob becomes a stroke
    # Its edges move by half of the change; then what is 20 + change across is fitted into 20.
    expected = wanted * 20.0 / (20.0 + wanted - drawn)
    # The measure is a mean along the ridge, on a grid of quarter pixels.
    assert stroke_width(strokes_fitted(ring(200, pen))) == pytest.approx(expected, abs=0.35)


def test_a_pen_within_mnists_range_changes_nothing() -> None:
    """Antialiased by the library and by us, one ring is the same picture."""
    seen = strokes_fitted(ring(200, 26))[4:24, 4:24]
    large = Image.fromarray(ring(200, 26))
    expected = 255.0 * np.asarray(large.resize((20, 20), Image.Resampling.BOX))
    assert distance(seen, expected) < 6.0


@settings(max_examples=40)
@given(digit=st.sampled_from(sorted(STROKES)), first=st.integers(4, 30), second=st.integers(4, 30))
def test_size_hardly_changes_a_digit(digit: int, first: int, second: int) -> None:
    one, other = (strokes_fitted(ink_of(digit, unit)) for unit in (first, second))
    # A stroke's width is a whole number of pixels and so not in exact proportion; another digit
    # is at a distance of 24 or more.
    assert distance(one, other) < 20.0


@pytest.mark.parametrize("digit", STROKES)
def test_a_hairline_of_a_huge_digit_is_not_averaged_away(digit: int) -> None:
    hairline = strokes_fitted(ink_of(digit, 100, 1))
    assert distance(hairline, strokes_fitted(ink_of(digit, 100, 120))) < 12.0


@settings(max_examples=300)
@given(
    arrays(
        np.float32,
        array_shapes(min_dims=2, max_dims=2, max_side=40),
        elements=st.floats(0.0, 1.0, width=32),
    )
)
def test_whatever_has_ink_can_be_fitted(ink: np.ndarray) -> None:
    ink.flat[ink.size // 2] = 1.0
    before = ink.copy()
    for shown in (ink, narrowed(ink), deslanted(ink)):
        result = strokes_fitted(shown)
        assert result.shape == (28, 28)
        assert result.dtype == np.uint8
        assert result.max() == 255
    np.testing.assert_array_equal(ink, before)
    assert stretched(ink).max() == 255


@pytest.mark.parametrize("width", [30, 60, 120])
def test_two_digits_fill_a_square_of_24(width: int) -> None:
    """A frame of any width: its strokes lie at the square's edges."""
    frame = np.pad(bar(40, width), 6)
    frame[12:-12, 12:-12] = 0.0
    seen = stretched(frame)
    assert not np.delete(seen, slice(2, 26), axis=0).any()
    assert not np.delete(seen, slice(2, 26), axis=1).any()
    for row, column in ((2, 14), (25, 14), (14, 2), (14, 25)):
        assert seen[row, column] > 128
    assert not seen[14, 14]
    thin = np.pad(bar(40, width), 6)
    thin[7:-7, 7:-7] = 0.0
    inked = [np.count_nonzero(one > 128) for one in (seen, stretched(thin))]
    assert inked[1] > 0.6 * inked[0]  # of strokes a sixth as wide


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (1, 2000), (2000, 3)])
def test_specks_and_lines_can_be_fitted(shape: tuple[int, int]) -> None:
    result = strokes_fitted(np.ones(shape, np.float32))
    assert result.max() == 255
    assert max(extent(result)) <= 20


def test_mnist_ten_times_as_large_comes_back(
    mnist_arrays: tuple[np.ndarray, np.ndarray],
) -> None:
    differences = []
    for image in mnist_arrays[0][60_000:60_100]:
        large = np.asarray(Image.fromarray(image).resize((280, 280), Image.Resampling.BICUBIC))
        ink = large.astype(np.float32) / 255.0
        rows, columns = (np.flatnonzero((ink >= 0.5).any(axis=axis)) for axis in (1, 0))
        cropped = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        differences.append(distance(strokes_fitted(cropped), image))
    # MNIST's own edges are of all kinds, ours of one, and they are a third of a digit's pixels.
    assert np.median(differences) < 10.0
    assert np.quantile(differences, 0.95) < 20.0


# The same digit, upright and narrower.


def main_axis_slope(ink: np.ndarray) -> float:
    """Columns a row, by least squares over the ink."""
    rows, columns = np.nonzero(ink >= 0.5)
    return float(np.polyfit(rows, columns, 1)[0])


@pytest.mark.parametrize("slant", [-0.6, -0.2, 0.0, 0.3, 0.8])
def test_a_slanted_stroke_is_put_upright(slant: float) -> None:
    rows, columns = np.mgrid[:100, :200]
    ink = (np.abs(columns - 100 - slant * (rows - 50)) < 8).astype(np.float32)
    columns_with_ink = np.flatnonzero(ink.any(axis=0))
    ink = ink[:, columns_with_ink[0] : columns_with_ink[-1] + 1]
    assert main_axis_slope(ink) == pytest.approx(slant, abs=0.02)
    upright = deslanted(ink)
    assert abs(main_axis_slope(upright)) < 0.02
    assert upright.sum() == pytest.approx(ink.sum(), rel=0.02)


def test_a_digit_that_is_upright_stays() -> None:
    np.testing.assert_allclose(deslanted(ring(101, 12)), ring(101, 12), atol=1e-6)


def test_narrowed_is_four_fifths_as_wide() -> None:
    assert narrowed(ring(100, 10)).shape == (100, 80)
    expected = ndimage.zoom(ring(100, 10), (1.0, 0.8), order=1)
    assert ((narrowed(ring(100, 10)) >= 0.5) != (expected >= 0.5)).mean() < 0.03
    assert narrowed(bar(9, 1)).shape == (9, 1)
