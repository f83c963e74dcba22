"""The ways to see a picture: in haste on clean paper, with care elsewhere."""

import numpy as np
import pytest

from mnist_net.pictures.looks import looks
from tests.drawings import as_picture, first_look, on_a_page, ten_times_as_large, views


def test_the_first_look_sees_on_clean_paper_what_mnist_shows(
    sample: tuple[np.ndarray, np.ndarray],
) -> None:
    images = [image for image in sample[0] if image.any(axis=0).sum() == 20]
    for number, image in enumerate(images[:20]):
        for page in (on_a_page(image, number), 255 - on_a_page(image, number)):
            (view,) = first_look(as_picture(page).pixels)
            left, top, right, bottom = view.figure.box
            rows, columns = (np.flatnonzero((page != page[0, 0]).any(axis=a)) for a in (1, 0))
            assert columns[0] <= left < right <= columns[-1] + 1
            assert rows[0] <= top < bottom <= rows[-1] + 1
            assert overlap_of(view.image, image) > 0.9


def overlap_of(one: np.ndarray, other: np.ndarray) -> float:
    """Cosine of two pictures."""
    a, b = (levels.ravel().astype(float) for levels in (one, other))
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def test_the_first_look_leaves_to_the_others_what_is_not_clean() -> None:
    shaded = np.full((40, 40), 255, np.uint8)
    shaded[10:30, 18:22] = 0
    assert len(first_look(shaded[..., None])) == 1
    shaded[:, 0] = 254
    assert first_look(shaded[..., None]) == []
    assert first_look(np.full((40, 40, 1), 255, np.uint8)) == []
    faint = np.full((40, 40, 1), 255, np.uint8)
    faint[10:30, 18:22] = 245
    assert first_look(faint) == []


def test_the_size_of_the_page_makes_no_difference_to_a_single_bit(
    sample: tuple[np.ndarray, np.ndarray],
) -> None:
    for number, image in enumerate(sample[0][:12]):
        small, large = (
            views(as_picture(on_a_page(image, number, side)).pixels) for side in (200, 1000)
        )
        assert [v.image.tobytes() for v in small] == [v.image.tobytes() for v in large]


def test_polarity_makes_no_difference_to_a_single_bit(
    sample: tuple[np.ndarray, np.ndarray],
) -> None:
    for number, image in enumerate(sample[0][:40]):
        large = ten_times_as_large(image, number)
        one, other = (views(as_picture(levels).pixels) for levels in (large, 255 - large))
        assert [v.image.tobytes() for v in one] == [v.image.tobytes() for v in other]


@pytest.mark.parametrize(
    ("before", "after", "across", "expected"),
    [(0, 0, 0, True), (1, 1, 1, True), (0, 0, 9, True), (2, 0, 0, False), (0, 2, 0, False)],
)
@pytest.mark.parametrize("quarters", [0, 1])
def test_what_ends_where_its_ink_does_was_prepared_for_a_reader(
    sample: tuple[np.ndarray, np.ndarray],
    before: int,
    after: int,
    across: int,
    expected: bool,
    quarters: int,
) -> None:
    masks = 255 * (sample[0][:20] > 127)
    for ink in masks:
        rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
        digit = 255 - ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.uint8)
        shorter, longer = sorted(digit.shape)
        if shorter == longer or longer > 2 * shorter:
            continue  # neither side is the longer one, or a 1 that fills it may be the paper
        margins = ((before, after), (across, across))
        upright = len(digit) > digit.shape[1]
        page = np.pad(digit, margins if upright else margins[::-1], constant_values=255)
        page = np.rot90(page, quarters)[..., None]
        # Of a digit on its side, the foot of a 2 may be a line.
        for view in (*first_look(page), *([] if quarters else views(page))):
            assert view.prepared == expected


def test_a_photograph_was_not_prepared_where_writing_leaves_it() -> None:
    noise = np.random.default_rng(0).normal(0.0, 2.0, (200, 60, 1))
    page = np.full((200, 60, 1), 200.0) + noise
    page[:, 20:40] = 40.0 + noise[:, 20:40]
    small = page[::4, ::4].astype(np.uint8)  # as one may clip a digit out of it
    assert all(view.prepared for view in views(small))
    assert not any(v.prepared for s in looks(page.astype(np.uint8)) for k in s for v in k.digit())
