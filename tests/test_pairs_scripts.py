"""The pictures of two digits that touch, which the network of pairs learns from."""

import numpy as np
import pytest
from scipy import ndimage

from mnist_net.datasets.drawn import draw_digits
from scripts.detector.digits import enlarge
from scripts.detector.drawing import CANVAS, EXTENT
from scripts.pairs import drawing
from scripts.pairs.drawing import NONE, Strokes, draw_many, strokes_of
from scripts.pairs.measure import measured


@pytest.fixture(scope="module")
def strokes() -> Strokes:
    images, labels = draw_digits(60, 0)
    return strokes_of(enlarge(images), labels.astype(np.uint8), np.random.default_rng(0))


def test_pictures_repeat_and_both_sorts_are_among_them(strokes: Strokes) -> None:
    images, labels = draw_many(60, strokes, np.random.default_rng(1))
    again, same = draw_many(60, strokes, np.random.default_rng(1))
    np.testing.assert_array_equal(images, again)
    np.testing.assert_array_equal(labels, same)
    assert images.shape == (60, 28, 28)
    assert (images.max(axis=(1, 2)) > 200).all()
    assert 0.5 < (labels != NONE).mean() < 0.9
    assert labels.max() <= 100


def bars() -> Strokes:
    """A tall bar that is called 3, and a short one, called 8."""
    ink = np.zeros((2, CANVAS, CANVAS), np.float32)
    ink[0, 8:48, 24:32] = ink[1, 20:36, 24:32] = 1.0
    lines = np.zeros(ink.shape, bool)
    lines[0, 10:46, 28] = lines[1, 22:34, 28] = True
    return Strokes(ink, lines, np.array([3, 8], np.uint8))


@pytest.mark.parametrize("pen", [None, 5.0])
@pytest.mark.parametrize("slivers", [0.0, 1.0])
def test_two_are_told_of_from_the_left(
    pen: float | None, slivers: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the heights of the outer columns; of a third one here not even a sliver is left."""

    def nothing_left(
        hand: drawing._Hand, digits: list[np.ndarray], *, left: bool, share: object
    ) -> np.ndarray:
        return hand.joined(digits[1:] if left else digits[:2])[0]

    monkeypatch.setattr(drawing, "_SLIVERS", slivers)
    monkeypatch.setattr(drawing._Hand, "_cut", nothing_left)
    hand = drawing._Hand(bars(), np.random.default_rng(4))
    hand.pen = pen
    seen = set()
    for _ in range(30):
        drawn, *digits = hand.two()
        columns = np.flatnonzero((drawn > 0.5).any(axis=0))
        heights = [np.count_nonzero(drawn[:, x] > 0.5) for x in (columns[1], columns[-2])]
        assert digits == [3 if height > 24 else 8 for height in heights]
        seen.add(tuple(digits))
    assert seen == {(3, 3), (3, 8), (8, 3), (8, 8)}


def test_the_label_is_one_more_than_the_number(
    strokes: Strokes, monkeypatch: pytest.MonkeyPatch
) -> None:
    square = np.ones((EXTENT, EXTENT), np.float32)
    monkeypatch.setattr(drawing._Hand, "two", lambda _: (square, 4, 7))
    _, labels = draw_many(30, strokes, np.random.default_rng(1))
    assert set(labels.tolist()) == {NONE, 48}


def test_what_is_not_two_is_one_or_three_or_a_part(
    strokes: Strokes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How many digits are asked for, and how they are joined, tells which."""
    asked: list[int] = []

    def joined(hand: drawing._Hand, parts: list[np.ndarray]) -> tuple[np.ndarray, list[int]]:
        asked.append(len(parts))
        return parts[0], [0] * len(parts)

    def cut(hand: drawing._Hand, digits: list[np.ndarray], *, left: bool, share: object) -> object:
        asked.append(10 * len(digits))
        return digits[0]

    monkeypatch.setattr(drawing._Hand, "joined", joined)
    monkeypatch.setattr(drawing._Hand, "_cut", cut)
    monkeypatch.setattr(drawing._Hand, "sign", lambda _: np.zeros((9, 9), np.float32))
    hand = drawing._Hand(strokes, np.random.default_rng(5))
    alone = 0
    for _ in range(200):
        n = len(asked)
        hand.not_two()
        alone += len(asked) == n
    assert 25 < alone < 55
    assert set(asked) == {2, 3, 20, 30}  # with a sign or a letter, three, with a part


def test_where_two_meet_by_hand() -> None:
    before, part = np.zeros((4, 12), np.float32), np.zeros((4, 3), np.float32)
    before[0, 2:5] = before[2, 2:8] = 1.0
    part[0, 0] = part[2, 2] = part[3, 0] = 1.0
    # In the first row it may begin at 5, in the third, where its ink is 2 columns in, at 6.
    assert drawing._where_they_meet(before, part) == 6
    assert drawing._where_they_meet(before, part[[1, 0, 1, 1]]) is None


def test_joined_digits_touch_where_nothing_is_between(
    strokes: Strokes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing._Hand, "_gap", lambda _: (-2.0, False))
    hand = drawing._Hand(strokes, np.random.default_rng(2))
    hand.pen = 4.0
    square = np.ones((EXTENT, EXTENT // 2), np.float32)
    ink, begins = hand.joined([square] * 3)
    assert ndimage.label(ink > 0.5)[1] == 1
    assert np.diff(begins).tolist() == [EXTENT // 2 - 2] * 2
    roof = np.zeros(square.shape, np.float32)  # a stem on the left, under a roof
    roof[:, :6] = roof[:6] = 1.0
    _, begins = hand.joined([roof, roof[::-1, ::-1]])  # the other's foot goes below the roof
    assert np.diff(begins).tolist() == [6 - 2]


@pytest.mark.parametrize("left", [True, False])
def test_a_part_is_cut_off_at_its_outer_side(
    strokes: Strokes, left: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing._Hand, "_gap", lambda _: (0.0, False))
    hand = drawing._Hand(strokes, np.random.default_rng(3))
    square = np.ones((EXTENT, EXTENT), np.float32)
    for _ in range(10):
        cut = hand._cut([square, square], left=left, share=(0.2, 0.65))
        columns = np.flatnonzero((cut > 0.5).any(axis=0))
        assert 0.55 < cut.sum() / (2 * square.sum()) < 0.95
        assert (columns[0] > EXTENT + 5, columns[-1] < 3 * EXTENT - 5) == (left, not left)


def test_figures_by_hand() -> None:
    said = np.zeros((4, 101))
    said[0, [0, 48]] = 0.4, 0.6  # 47, read right
    said[1, [0, 48]] = 0.95, 0.05  # likewise, but hardly two
    said[2, [0, 1]] = 0.2, 0.8  # 00, and it is 01
    said[3, [0, 9]] = 0.6, 0.4  # not two
    figures = measured(said, np.array([48, 48, 2, NONE], np.uint8))
    assert figures["pairs"] == 3
    assert figures["read right"] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["what is not two"] == 1
    taken = figures["taken for two, by threshold"]
    assert taken["0.3"] == [pytest.approx(2 / 3, abs=1e-4), 1.0]
    assert taken["0.5"] == [pytest.approx(2 / 3, abs=1e-4), 0.0]
