"""Two digits that touch: what is asked of the network of pairs, and what becomes of its answer."""

from typing import Any

import numpy as np
import pytest

from mnist_net.errors import ModelFileError
from mnist_net.pictures.candidates import Candidate, candidates
from mnist_net.pictures.pieces import Box, Piece
from mnist_net.pictures.rows import Row, Sheet
from mnist_net.reading.arcs import DIGIT, NONE, PART, SIGNS, Arc, PageNetworks, with_halves
from mnist_net.reading.lattice import Lattice
from mnist_net.reading.networks import Networks
from mnist_net.trained import companions, store
from tests.reading.test_lattice import LATTICE, Always, Digits


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
    row = row_of(7, 7, 7)
    at = {
        (0, 1): arc_of(row, 0, 1, 4, 0.9),
        (1, 3): arc_of(row, 1, 3, 1, 0.9),  # likely a digit, but another one
        (0, 2): arc_of(row, 0, 2, 4, 0.5),
        (2, 3): arc_of(row, 2, 3, 7, 0.5),
        (0, 3): arc_of(row, 0, 3, None, 0.0),
    }
    *rest, whole = with_halves(list(at.values()), {4: two(4, 7, 0.64) + two(9, 7, 0.17)})
    assert rest == list(at.values())[:-1]
    assert whole.halves is not None
    assert [half.candidate for half in whole.halves] == [at[0, 2].candidate, at[2, 3].candidate]
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


class Kinds:
    """Stands for the networks of signs: says the same of all, and counts."""

    def __init__(self, several: float) -> None:
        self.said = np.zeros(len(SIGNS))
        self.said[[DIGIT, PART]] = 1.0 - several, several

    def predict_proba(self, images: np.ndarray) -> np.ndarray:
        return np.tile(self.said, (len(images), 1))


@pytest.mark.parametrize(
    ("cut_from", "several", "n_asked"),
    [
        ((7, 7, 7), 0.5, 3),
        ((7, 7, 8), 0.5, 1),  # the first two; the last was cut from another piece
        ((7, 0, 7), 0.5, 1),  # all three, of which one lies between the others
        ((0, 0, 0), 0.5, 0),
        ((7, 7, 7), 0.005, 0),
    ],
)
def test_only_what_hangs_together_and_may_be_several_is_asked_for(
    cut_from: tuple[int, ...], several: float, n_asked: int
) -> None:
    row = row_of(*cut_from)
    numbers = np.repeat(np.arange(1, 4, dtype=np.int32), 4)[None].repeat(12, axis=0)
    sheet = Sheet((numbers > 0).astype(np.float32), numbers, (row,), 0.0, (12, 12))
    pairs = Always(np.r_[0.2, two(4, 7, 0.8)])
    one: Any = Always(np.full(10, 0.1))
    networks = PageNetworks(Networks(one, None), Kinds(several), pairs)  # type: ignore[arg-type]
    arcs = networks.arcs(sheet)
    assert len(arcs) == len(list(candidates(row))) == 6
    assert pairs.seen == n_asked
    assert sum(arc.halves is not None for arc in arcs) == n_asked


def test_without_the_network_of_pairs_none_are_told_of() -> None:
    assert PageNetworks(Networks(Digits(), None), Digits()).pairs is None  # type: ignore[arg-type]


def test_which_network_reads_pairs(
    reader: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    shipped = companions.load_pairs()
    assert shipped is not None
    assert isinstance(reader._lattice, Lattice)
    assert reader._lattice.networks.pairs is shipped
    signs = next(path for path in store.SHIPPED_MODELS if path.exists()).with_name("signs.joblib")
    with pytest.raises(ModelFileError, match="not the network that reads two digits"):
        companions.load_pairs(signs)
    monkeypatch.setattr(store, "SHIPPED_MODELS", (tmp_path / "mnist.joblib",))
    assert companions.load_pairs() is None
