"""Ink is told from paper, whatever the light, the colours and the pen."""

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import ImageFilter

from mnist_net.pictures.ink import (
    NARROW,
    WIDE,
    clean_paper,
    find_ink,
    otsu_threshold,
    paper_lightness,
)
from tests.drawings import STROKES, as_picture, draw, pixels

CLEAN = pixels(draw(5))
TRUTH = CLEAN < 128


def channels(levels: np.ndarray) -> np.ndarray:
    return as_picture(levels).pixels


def rounded(levels: np.ndarray) -> np.ndarray:
    return np.clip(np.round(levels), 0, 255).astype(np.uint8)


def agreement(found: np.ndarray | None, truth: np.ndarray) -> float:
    """Intersection over union of two masks."""
    assert found is not None
    return float(((found >= 0.5) & truth).sum() / ((found >= 0.5) | truth).sum())


def place(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of each pixel, from 0 to 1."""
    rows, columns = np.mgrid[:height, :width]
    return rows / max(height - 1, 1), columns / max(width - 1, 1)


# Otsu's threshold.


def variance_between(values: np.ndarray, threshold: float) -> float:
    """Otsu 1979, equation 18, straight from its definition."""
    lower, upper = values[values <= threshold], values[values > threshold]
    if not len(lower) or not len(upper):
        return 0.0
    return len(lower) * len(upper) / len(values) ** 2 * float(upper.mean() - lower.mean()) ** 2


@settings(max_examples=200)
@example([0, 86, 90, 176])  # two pairs of peaks, between which all levels are as good
@given(st.lists(st.integers(0, 255), min_size=2, max_size=60))
def test_no_level_parts_two_classes_better_than_otsus(levels: list[int]) -> None:
    values = np.array(levels, np.float64)
    assume(values.min() < values.max())
    best = max(variance_between(values, level) for level in values)
    # Values in one of the 256 bins cannot be parted: each end may be off by a bin's width.
    bin_width = float(np.ptp(values)) / 256.0
    reached = variance_between(values, otsu_threshold(values))
    assert reached**0.5 >= best**0.5 - bin_width


def test_otsu_by_hand() -> None:
    assert 2.0 < otsu_threshold(np.array([1.0, 1.0, 2.0, 8.0, 9.0])) < 8.0
    # Between two peaks all levels are as good: the middle one is taken.
    assert otsu_threshold(np.array([0.0, 100.0])) == pytest.approx(50.0, abs=1.0)
    assert otsu_threshold(np.full(5, 7.0)) == 7.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_otsu_parts_levels_that_hardly_differ(dtype: type) -> None:
    level = np.float32(0.9705016)
    values = np.array([level, np.nextafter(level, np.float32(1.0))], dtype)
    assert values[0] <= otsu_threshold(values) < values[1]


# Ink.


@pytest.mark.parametrize("digit", STROKES)
@pytest.mark.parametrize(
    ("paper", "ink"),
    [(255, 0), (0, 255), (200, 90), (90, 200), (140, 110), (30, 60), (255, 230)],
)
def test_clean_strokes_are_found_to_the_pixel(digit: int, paper: int, ink: int) -> None:
    drawn = pixels(draw(digit, paper=paper, ink=ink))
    found = find_ink(channels(drawn), dark=ink < paper)
    assert found is not None
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found >= 0.5, drawn == ink)
    assert len(np.unique(found)) == 2


@settings(max_examples=100)
@given(
    arrays(np.uint8, array_shapes(min_dims=3, max_dims=3, max_side=24)),
    st.sampled_from([WIDE, NARROW, None]),
)
@example(channels(np.eye(12, dtype=np.uint8) * 200), WIDE)
def test_white_on_black_is_black_on_white_exactly(
    picture: np.ndarray, widest: float | None
) -> None:
    picture = picture[..., :1]
    one = find_ink(picture, dark=True, widest=widest)
    other = find_ink(255 - picture, dark=False, widest=widest)
    assert (one is None) == (other is None)
    if one is not None:
        assert one.shape == picture.shape[:2]
        assert ((one >= 0.0) & (one <= 1.0)).all()
        assert one.max() >= 0.5
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("level", [0, 1, 128, 255])
@pytest.mark.parametrize("dark", [True, False])
def test_a_blank_page_has_no_ink(level: int, dark: bool) -> None:
    assert find_ink(np.full((40, 60, 1), level, np.uint8), dark=dark) is None
    assert find_ink(np.full((40, 60, 3), level, np.uint8), dark=dark) is None


@pytest.mark.parametrize("seed", range(5))
def test_a_breath_of_noise_or_of_light_is_no_ink(seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0.0, 2.0, (100, 80))
    rows, columns = place(100, 80)
    assert find_ink(channels(rounded(230 + noise))) is None
    assert find_ink(channels(rounded(240 - 60 * rows - 30 * columns + noise))) is None


LIGHTS = {
    "from the left": lambda rows, columns: 1.0 - 0.5 * columns,
    "from a corner": lambda rows, columns: 0.5 + 0.25 * rows + 0.25 * columns,
    "vignette": lambda rows, columns: 1.0 - 1.2 * ((rows - 0.5) ** 2 + (columns - 0.5) ** 2),
    "shadow with a sharp edge": lambda rows, columns: np.where(columns + rows > 1.1, 0.55, 1.0),
    "two shadows": lambda rows, columns: (
        np.where(columns < 0.3, 0.7, 1.0) * np.where(rows > 0.6, 0.7, 1.0)
    ),
}


@pytest.mark.parametrize("light", LIGHTS)
@pytest.mark.parametrize("ink", [0, 110])
def test_light_and_shadow_are_not_ink(light: str, ink: int) -> None:
    drawn = pixels(draw(5, unit=12, margin=(60, 50), ink=ink))
    rows, columns = place(*drawn.shape)
    noise = np.random.default_rng(0).normal(0.0, 2.0, drawn.shape)
    lit = drawn * np.clip(LIGHTS[light](rows, columns), 0.0, 1.0) + noise
    found = find_ink(channels(rounded(lit)))
    assert found is not None
    # Around the digit: a shadow's corners, at the border, may well be as dark as ink.
    around = np.s_[50:-50, 40:-40]
    # The edge of a stroke that a shadow's edge crosses may be off by a pixel here and there.
    assert agreement(found[around], (drawn == ink)[around]) > 0.95


@pytest.mark.parametrize(
    ("paper", "ink"),
    [
        ((255, 255, 255), (20, 20, 120)),
        ((250, 240, 140), (20, 20, 120)),
        ((255, 0, 0), (0, 130, 0)),  # of one lightness: 0.299 × 255 = 0.587 × 130
        ((200, 60, 60), (60, 131, 60)),
        ((120, 120, 120), (120, 120, 240)),
    ],
)
def test_ink_of_any_colour_is_found(paper: tuple[int, int, int], ink: tuple[int, int, int]) -> None:
    coloured = np.where(TRUTH[..., None], ink, paper).astype(np.uint8)
    found = [find_ink(coloured, dark=dark) for dark in (True, False)]
    assert max(agreement(f, TRUTH) for f in found if f is not None) == 1.0


def test_colours_on_grainy_paper_are_told_apart_with_and_without_shadows() -> None:
    """In green alone the ink is the paper, and what it encloses seems to be the ink."""
    noise = np.random.default_rng(0).normal(0.0, 3.0, (*TRUTH.shape, 3))
    coloured = rounded(np.where(TRUTH[..., None], (40, 121, 40), (200, 40, 40)) + noise)
    for widest in (WIDE, None):
        assert agreement(find_ink(coloured, widest=widest), TRUTH) > 0.95


def test_faint_pieces_without_a_solid_pixel_are_left_out() -> None:
    drawn = pixels(draw(5, ink=60, margin=(12, 30))).copy()
    truth = drawn == 60
    drawn[140:146, 10:60] = 160  # half as dark, and apart
    found = find_ink(channels(drawn))
    assert found is not None
    np.testing.assert_array_equal(found >= 0.5, truth)


@pytest.mark.parametrize(("contrast", "found"), [(66, True), (54, False)])
def test_a_point_that_is_half_as_dark_as_strokes_is_ink(contrast: int, found: bool) -> None:
    """A camera blurs a small point more than a stroke."""
    grain = np.random.default_rng(0).normal(200.0, 1.5, (120, 160))
    grain[30:90, 40:46] -= 120.0
    grain[84:90, 60:66] -= contrast
    ink = find_ink(channels(np.clip(grain, 0, 255).astype(np.uint8)))
    assert ink is not None
    assert (ink[30:90, 40:46] >= 0.5).all()
    assert (ink[84:90, 60:66] >= 0.5).any() == found


def test_what_is_darker_is_no_less_ink() -> None:
    soft = pixels(draw(5, unit=12).filter(ImageFilter.GaussianBlur(1.5)))
    found = find_ink(channels(soft))
    assert found is not None
    by_level = [np.unique(found[soft == level]) for level in np.unique(soft)]
    assert all(len(same) == 1 for same in by_level)
    assert (np.diff(np.concatenate(by_level)) <= 0.0).all()
    assert any(0.2 < same[0] < 0.8 for same in by_level)
    assert agreement(found, soft < 128) > 0.9


@pytest.mark.parametrize("contrast", [20, 40])
def test_a_faint_pencil_on_grainy_paper_is_found(contrast: int) -> None:
    drawn = pixels(draw(5, unit=12, margin=(40, 40), paper=225, ink=225 - contrast)).astype(float)
    noise = np.random.default_rng(0).normal(0.0, contrast / 12.0, drawn.shape)
    truth = drawn < 225
    assert agreement(find_ink(channels(rounded(drawn + noise))), truth) > 0.95


def test_a_hairline_on_a_large_page_is_found() -> None:
    page = np.full((1000, 1000), 255, np.uint8)
    page[100:900, 500] = 0
    page[500, 300:500] = 0
    found = find_ink(channels(page))
    assert found is not None
    np.testing.assert_array_equal(found >= 0.5, page == 0)


@pytest.mark.parametrize("digit", STROKES)
def test_strokes_that_touch_the_border_are_found(digit: int) -> None:
    """A picture without any margin: the paper's level cannot be read off the border."""
    drawn = pixels(draw(digit, unit=20, margin=(0, 0)))
    assert agreement(find_ink(channels(drawn), widest=None), drawn < 128) > 0.99


def test_what_is_wider_than_a_stroke_is_ink_where_shadows_are_not_followed() -> None:
    """A thick brush: half of the picture's width, and so a shadow to whoever follows shadows."""
    page = np.full((100, 60), 250, np.uint8)
    page[10:90, 12:44] = 20
    page[::7, ::5] -= 3  # no clean drawing
    assert agreement(find_ink(channels(page), widest=None), page < 128) == 1.0


def test_a_picture_full_of_ink_is_none() -> None:
    page = np.full((50, 50), 20, np.uint8)
    page[0] = page[-1] = page[:, 0] = page[:, -1] = 250
    assert find_ink(channels(page), dark=True, widest=None) is None


# Polarity.


@pytest.mark.parametrize("digit", STROKES)
@pytest.mark.parametrize("margin", [6, 12, 60])
@pytest.mark.parametrize("noise", [0.0, 6.0])
def test_paper_is_told_from_ink(digit: int, margin: int, noise: float) -> None:
    drawn = pixels(draw(digit, margin=(margin, margin), paper=220, ink=60))
    page = rounded(drawn + np.random.default_rng(0).normal(0.0, noise, drawn.shape))
    assert paper_lightness(channels(page)) > 1.0
    assert paper_lightness(channels(255 - page)) < -1.0


@settings(max_examples=100)
@given(arrays(np.uint8, array_shapes(min_dims=3, max_dims=3, max_side=20)))
def test_the_evidence_is_bounded(picture: np.ndarray) -> None:
    assert -3.0 <= paper_lightness(picture) <= 3.0


@pytest.mark.parametrize("ink", [0, 255])
def test_without_grey_there_is_no_shadow_even_where_ink_reaches_the_border(ink: int) -> None:
    """A 2 as a scanner of few pixels shows it: its base fills the lower border."""
    scan = np.full((32, 32, 1), 255 - ink, np.uint8)
    scan[24:, 4:30] = scan[2:24, 14:20] = ink
    assert clean_paper(scan) == 255 - ink
    found = find_ink(scan, dark=ink == 0)
    assert found is not None
    np.testing.assert_array_equal(found >= 0.5, scan[..., 0] == ink)


def test_what_most_of_a_picture_without_grey_is_must_be_most_of_its_border_too() -> None:
    scan = np.zeros((32, 32, 1), np.uint8)
    scan[2:-2, 2:-2] = 255
    assert clean_paper(scan[:-2]) is None  # a frame: more light than dark, but not at the border
    scan[16, 16] = 128
    scan[0, :8] = 255
    assert clean_paper(scan) is None  # a third level
