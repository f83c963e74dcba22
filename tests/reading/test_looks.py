"""The ways to see a picture: in haste on clean paper, with care elsewhere."""

import numpy as np

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
