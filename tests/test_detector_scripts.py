"""The drawings that the detector learns from, where no font is needed."""

import numpy as np
from scipy import ndimage

from scripts.detector.characters import draw_character
from scripts.detector.drawing import (
    CANVAS,
    EXTENT,
    as_mnist_shows,
    bezier,
    draw_lines,
    place,
    skeletons,
)
from scripts.detector.hands import DIGITS, LETTERS, draw_digit, draw_letter, forms_of
from scripts.detector.measure import misread


def test_skeleton_is_one_line_in_the_middle() -> None:
    bars = np.zeros((2, CANVAS, CANVAS), bool)
    bars[0, 20:27, 5:50] = True
    bars[1] = np.hypot(*(np.indices((CANVAS, CANVAS)) - 28)) < 20
    bars[1] &= np.hypot(*(np.indices((CANVAS, CANVAS)) - 28)) > 12
    bar, ring = skeletons(bars)
    assert set(np.flatnonzero(bar.any(axis=1))) == {23}
    assert bar.sum() > 35
    assert ndimage.label(ring, np.ones((3, 3)))[1] == 1
    assert ndimage.label(~ring)[1] == 2  # it still has an inside
    assert ring.sum() < 1.3 * 2 * np.pi * 16


def test_place_fills_the_box() -> None:
    ink = np.zeros((300, 100), np.uint8)
    ink[50:250, 40:60] = 90
    rows, columns = np.nonzero(place(ink))
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (EXTENT, 4)
    assert place(ink).max() == 255


def test_curve_keeps_its_ends() -> None:
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    curve = bezier(corners)
    np.testing.assert_allclose(curve[[0, -1]], corners[[0, -1]])


def test_finished_drawings_look_like_mnist_and_repeat() -> None:
    canvases = np.stack([draw_letter(np.random.default_rng(k)) for k in range(40)])
    images = as_mnist_shows(canvases, np.random.default_rng(0))
    assert images.shape == (40, 28, 28)
    assert images.dtype == np.uint8
    assert (images.max(axis=(1, 2)) > 64).all()
    np.testing.assert_array_equal(images, as_mnist_shows(canvases, np.random.default_rng(0)))


def test_thin_line_survives() -> None:
    canvas = draw_lines([np.array([[0.5, 0.0], [0.5, 1.0]])], 1.0)
    images = as_mnist_shows(np.repeat(canvas[None], 50, axis=0), np.random.default_rng(0))
    assert (images.max(axis=(1, 2)) > 64).mean() > 0.9


def test_forms_are_of_every_digit_and_of_no_digit() -> None:
    assert set(forms_of(DIGITS)) == set("0123456789")
    assert all(sign.isalpha() for sign in forms_of(LETTERS))
    everything = [*forms_of(DIGITS).values(), *forms_of(LETTERS).values()]
    strokes = [stroke for forms in everything for form in forms for stroke in form]
    assert all(len(stroke) >= 2 and stroke.shape[1] == 2 for stroke in strokes)


def test_who_errs_at_which_weight() -> None:
    """Of two digits the reader knows the first, the detector the second, and that one better."""
    reads = np.eye(10)[[3, 5]] * 0.8 + np.eye(10)[[4, 6]] * 0.2
    knows = np.hstack([np.zeros((2, 1)), np.eye(10)[[4, 6]] * 0.65 + np.eye(10)[[3, 5]] * 0.35]) / 2
    errors = misread(reads, knows, np.array([3, 6], np.uint8))
    # By hand: of both the reader's digit wins while 0.8 - 0.45 w > 0.2 + 0.45 w: w < 2 / 3.
    assert errors == dict.fromkeys(errors, 0.5)
    both = misread(reads, knows, np.array([3, 5], np.uint8))
    assert [w for w, error in both.items() if error == 1.0] == ["0.7", "0.75", "0.8", "0.9", "1.0"]


def test_a_zero_is_open_closed_or_crossed_out() -> None:
    random = np.random.default_rng(0)
    grounds = [ndimage.label(draw_digit(0, random) == 0)[1] for _ in range(60)]
    assert {1, 2, 3} <= set(grounds)


def test_characters_hang_together_and_differ() -> None:
    canvases = np.stack([draw_character(np.random.default_rng(k)) for k in range(60)])
    assert len(np.unique(canvases, axis=0)) == 60
    extents = [max(np.ptp(axis) for axis in np.nonzero(canvas)) for canvas in canvases]
    assert min(extents) >= EXTENT - 2
    in_one = [ndimage.label(canvas > 127, np.ones((3, 3)))[1] == 1 for canvas in canvases]
    assert 0.6 < np.mean(in_one) < 1.0  # strokes meet, or stand beside each other
