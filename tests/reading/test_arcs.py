"""Two digits that touch: what is asked of the network of pairs, and what becomes of its answer."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnist_net.errors import ModelFileError
from mnist_net.pictures.candidates import Candidate, candidates, figure_on
from mnist_net.pictures.form import stretched
from mnist_net.pictures.pieces import Box, Piece
from mnist_net.pictures.rows import Row, Sheet
from mnist_net.reading.arcs import DIGIT, NONE, PART, SIGNS, Arc, PageNetworks, with_halves
from mnist_net.reading.lattice import _expecting
from mnist_net.reading.networks import Networks
from mnist_net.reading.reader import Reader
from mnist_net.trained import companions, store
from tests.reading.test_lattice import LATTICE, Always


def row_of(*cut_from: int) -> Row:
    """Parts of 4 × 12 pixels side by side, and from which piece each was cut."""
    parts = tuple(
        Piece(k + 1, 48, Box(4 * k, 0, 4 * k + 4, 12), 0, cut_from=number)
        for k, number in enumerate(cut_from)
    )
    return Row(parts, (), 12.0, 6.0)


def arc_of(row: Row, begin: int, end: int, digit: int | None, probability: float) -> Arc:
    """Some parts that are a digit with so much probability, or parts of one."""
    kinds = np.zeros(len(SIGNS))
    kinds[[DIGIT, PART]] = probability, 1.0 - probability
    candidate = Candidate(row, begin, end, Box(4 * begin, 0, 4 * end, 12))
    if digit is None:
        return Arc(candidate, kinds)
    return Arc(candidate, kinds, np.eye(10)[digit], np.zeros((28, 28), np.uint8))


def two(left: int, right: int, probability: float) -> np.ndarray:
    """All of what the network of pairs says of two digits, 100."""
    said = np.zeros(100)
    said[10 * left + right] = probability
    return said


def test_halves_are_those_that_the_ink_is_cut_into_which_agree_best() -> None:
    row = row_of(7, 7, 7, 7)
    at = {
        (0, 1): arc_of(row, 0, 1, 4, 0.9),
        (1, 4): arc_of(row, 1, 4, 1, 0.9),  # likely a digit, but another one
        (0, 2): arc_of(row, 0, 2, 4, 0.6),
        (2, 4): arc_of(row, 2, 4, 7, 0.4),
        (0, 3): arc_of(row, 0, 3, 4, 0.5),
        (3, 4): arc_of(row, 3, 4, 7, 0.5),  # the same, but 0.25 together, not 0.24
        (0, 4): arc_of(row, 0, 4, None, 0.0),
    }
    *rest, whole = with_halves(list(at.values()), {6: two(4, 7, 0.64) + two(9, 7, 0.17)})
    assert rest == list(at.values())[:-1]
    assert whole.halves is not None
    assert [half.candidate for half in whole.halves] == [at[0, 3].candidate, at[3, 4].candidate]
    left, right = whole.halves
    for half in whole.halves:  # 0.81 that they are two, of which each has a share
        np.testing.assert_allclose(half.kinds[[NONE, DIGIT]], [0.1, 0.9])
        assert half.probabilities is not None
        assert half.probabilities.sum() == pytest.approx(1.0)
    assert left.probabilities is not None
    np.testing.assert_allclose(left.probabilities[[4, 9]], [0.64 / 0.81, 0.17 / 0.81])
    assert right.probabilities is not None
    assert right.probabilities[7] == pytest.approx(1.0)


def test_what_is_surely_no_digit_is_no_half() -> None:
    row = row_of(7, 7)
    arcs = [arc_of(row, 0, 1, 1, 0.9), arc_of(row, 1, 2, None, 0.9), arc_of(row, 0, 2, 3, 0.1)]
    assert with_halves(arcs, {2: two(4, 7, 0.8)})[2].halves is None


@pytest.mark.parametrize(("are_two", "text"), [(0.31, "47"), (0.3, "11")])
def test_two_digits_are_read_together_where_that_is_likelier(are_two: float, text: str) -> None:
    """By hand: parted they are (0.6 · 0.92)², and as one digit less than 0.1."""
    row = row_of(7, 7)
    arcs = [arc_of(row, 0, 1, 1, 0.6), arc_of(row, 0, 2, 3, 0.1), arc_of(row, 1, 2, 1, 0.6)]
    which = np.full(10, 0.01) + 0.91 * np.eye(10)[1]  # a little of each, so that 47 may be seen
    arcs = [arc._replace(probabilities=which) for arc in arcs]
    (path,) = LATTICE.best_paths(with_halves(arcs, {1: two(4, 7, are_two)}))
    assert path.text == text
    assert np.exp(path.score) == pytest.approx(max(are_two, 0.552**2))
    boxes = [step.arc.candidate.box for step in path.steps]
    assert boxes == [arcs[0].candidate.box, arcs[2].candidate.box]


def test_halves_are_of_the_same_row() -> None:
    rows = row_of(7, 7), row_of(7, 7)._replace(middle=40.0)
    arcs = [arc_of(row, *ends, 4, 0.5) for row in rows for ends in ((0, 1), (0, 2), (1, 2))]
    found = with_halves(arcs, {1: two(4, 4, 0.8), 4: two(4, 4, 0.8)})
    for k, row in ((1, rows[0]), (4, rows[1])):
        halves = found[k].halves
        assert halves is not None
        assert [half.candidate.row is row for half in halves] == [True, True]


def test_where_a_sign_is_expected_two_digits_are_as_much_less_likely_as_one() -> None:
    row = row_of(7, 7)
    arcs = [arc_of(row, 0, 1, 4, 0.5), arc_of(row, 0, 2, 4, 0.5), arc_of(row, 1, 2, 7, 0.5)]
    arcs[1].kinds[[DIGIT, PART, SIGNS.index("/")]] = 0.5, 0.3, 0.2
    before = with_halves(arcs, {1: two(4, 7, 0.8)})[1]
    (after,) = _expecting("/", [before])
    assert before.halves is not None
    assert after.halves is not None
    less = after.kinds[DIGIT] / before.kinds[DIGIT]
    assert less == pytest.approx(1.0 / 4.8)  # 0.5 + 0.3 + 20 · 0.2
    two_less = [a.kinds[DIGIT] / b.kinds[DIGIT] for a, b in zip(after.halves, before.halves)]  # noqa: B905
    assert np.prod(two_less) == pytest.approx(less)


class Kinds:
    """Stands for the networks of signs: says the same of all."""

    def __init__(self, several: float) -> None:
        self.said = np.zeros(len(SIGNS))
        self.said[[NONE, DIGIT, PART]] = 0.3, 0.7 - several, several

    def predict_proba(self, images: np.ndarray) -> np.ndarray:
        return np.tile(self.said, (len(images), 1))


class Pairs:
    """Stands for the network of pairs, and keeps what it saw."""

    classes = np.arange(101)
    seen: np.ndarray = np.zeros((0, 28, 28), np.uint8)

    def predict_proba(self, images: np.ndarray) -> np.ndarray:
        self.seen = images
        return np.tile(np.r_[0.2, two(4, 7, 0.8)], (len(images), 1))


@pytest.mark.parametrize(
    ("cut_from", "several", "n_asked"),
    [
        ((7, 7, 7), 0.02, 3),
        ((7, 7, 8), 0.5, 1),  # the first two; the last was cut from another piece
        ((7, 0, 7), 0.5, 1),  # all three, of which one lies between the others
        ((0, 0, 0), 0.5, 0),
        ((7, 7, 7), 0.009, 0),
    ],
)
def test_only_what_hangs_together_and_may_be_several_is_asked_for(
    cut_from: tuple[int, ...], several: float, n_asked: int
) -> None:
    row = row_of(*cut_from)
    numbers = np.repeat(np.arange(1, 4, dtype=np.int32), 4)[None].repeat(12, axis=0)
    sheet = Sheet((numbers > 0).astype(np.float32), numbers, (row,), 0.0, (12, 12))
    digits: Any = Networks(Always(np.full(10, 0.1)), None)  # type: ignore[arg-type]
    pairs, kinds = Pairs(), Kinds(several)
    arcs = PageNetworks(digits, kinds, pairs).arcs(sheet)  # type: ignore[arg-type]
    assert len(arcs) == len(list(candidates(row))) == 6
    asked = [arc for arc in arcs if arc.halves is not None]
    assert len(asked) == len(pairs.seen) == n_asked
    for arc in asked:
        assert arc.halves is not None
        of_two = np.prod([half.kinds[DIGIT] for half in arc.halves])
        assert of_two == pytest.approx(0.8 * 0.7)  # as a pair, and as writing of digits
    for arc, image in zip(asked, pairs.seen, strict=True):
        np.testing.assert_array_equal(image, stretched(figure_on(sheet, arc.candidate).ink))
    alone = PageNetworks(digits, kinds, None).arcs(sheet)  # type: ignore[arg-type]
    assert [arc.halves for arc in alone] == [None] * 6


@pytest.mark.parametrize("odds", [1.0, 4.0])
def test_where_digits_are_likelier_two_that_touch_are_too(odds: float) -> None:
    """By hand: 0.3 a digit and 0.4 a part of several, a tenth of it where reading goes, or none."""
    row = row_of(7, 7, 7)
    numbers = np.repeat(np.arange(1, 4, dtype=np.int32), 4)[None].repeat(12, axis=0)
    sheet = Sheet((numbers > 0).astype(np.float32), numbers, (row,), 0.0, (12, 12))
    digits: Any = Networks(Always(np.full(10, 0.1)), None)  # type: ignore[arg-type]
    said: Any = Kinds(0.4)
    arcs = PageNetworks(digits, said, Pairs()).arcs(sheet, odds=odds)  # type: ignore[arg-type]
    whole = next(arc for arc in arcs if arc.halves is not None)
    assert whole.halves is not None
    none, digit, part = whole.kinds[[NONE, DIGIT, PART]]
    assert digit / none == pytest.approx(odds)
    assert part / none == pytest.approx(odds * 0.04 / 0.3)
    of_two = np.prod([half.kinds[DIGIT] for half in whole.halves])
    assert of_two == pytest.approx(0.8 * odds * 0.7 / (odds * 0.7 + 0.3))


def test_which_network_reads_pairs(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shipped = companions.load_pairs()
    assert shipped is not None
    used = Reader(reader.model, reader.detector)._lattice.networks.pairs
    assert used is not None
    assert used.metadata == shipped.metadata
    other: Any = Pairs()
    assert Reader(reader.model, reader.detector, pairs=other)._lattice.networks.pairs is other
    # Without the detector nothing says that the classes are MNIST's digits.
    assert Reader(reader.model, None, pairs=other)._lattice.networks.pairs is None
    signs = next(path for path in store.SHIPPED_MODELS if path.exists()).with_name("signs.joblib")
    with pytest.raises(ModelFileError, match="not the network that reads two digits"):
        companions.load_pairs(signs)
    monkeypatch.setattr(store, "SHIPPED_MODELS", (tmp_path / "mnist.joblib",))
    assert companions.load_pairs() is None
