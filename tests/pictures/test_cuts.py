"""Cuts between characters that touch: they cross little, go around what hangs over, lose none."""

from itertools import count

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from mnist_net.pictures import cuts
from mnist_net.pictures.cuts import cut_apart
from mnist_net.pictures.pieces import Box, Piece, find_pieces, is_of

Mask = np.ndarray


def parts_of(mask: Mask, height: float) -> tuple[np.ndarray, tuple[Piece, ...]]:
    numbers, pieces = find_pieces(mask)
    return numbers, cut_apart(pieces, height, numbers, count(int(numbers.max()) + 1))


def pixels(numbers: np.ndarray, parts: tuple[Piece, ...]) -> Mask:
    return np.isin(numbers, [part.number for part in parts])


def under_a_roof() -> tuple[Mask, Mask]:
    """A 7 whose bar hangs over a 1, which it touches at its foot: no straight line parts them."""
    seven, one = np.zeros((2, 40, 44), bool)
    seven[0:4, 4:32] = seven[4:40, 4:8] = True
    one[12:40, 26:30] = True
    return seven, one


def test_a_cut_goes_around_what_hangs_over() -> None:
    seven, one = under_a_roof()
    both = seven | one
    both[37:39, 8:26] = True  # where they touch
    numbers, parts = parts_of(both, 36.0)
    right = tuple(part for part in parts if part.box.left >= 8 and part.box.bottom == 40)
    assert (pixels(numbers, right) & one).sum() >= 0.95 * one.sum()
    assert not (pixels(numbers, right) & seven).any()


@pytest.mark.parametrize("lean", [0.0, 0.4])
def test_two_rings_that_touch_are_parted_where_they_do(lean: float) -> None:
    y, x = np.mgrid[0:60, 0:160]
    leant = x - lean * (60 - y)
    rings = [np.hypot((leant - middle) / 18, (y - 30) / 28) for middle in (40.0, 84.0)]
    left, right = (np.abs(ring - 1.0) < 0.12 for ring in rings)
    bridge = (np.abs(leant - 62.0) < 4) & (np.abs(y - 30) < 2) & ~left & ~right
    numbers, parts = parts_of(left | right | bridge, 56.0)
    found = []
    for k in range(1, len(parts)):
        own = pixels(numbers, parts[:k])
        found.append((own & left).sum() / (own | left).sum())
    assert max(found) > 0.95


def test_what_is_narrow_stays_whole() -> None:
    mask = np.zeros((40, 40), bool)
    mask[5:35, 5:25] = True
    numbers, pieces = find_pieces(mask)
    assert cut_apart(pieces, 30.0, numbers, count(2)) == tuple(pieces)


def test_parts_know_the_piece_that_they_were_cut_from() -> None:
    mask = np.zeros((40, 200), bool)
    for left in (5, 105):
        mask[5:35, left : left + 4] = mask[5:35, left + 50 : left + 54] = True
        mask[18:21, left : left + 54] = True
    mask[5:35, 92:96] = True
    numbers, pieces = find_pieces(mask)
    first, narrow, other = sorted(pieces, key=lambda piece: piece.box.left)
    parts = cut_apart(pieces, 30.0, numbers, count(4))
    assert narrow in parts
    for part in parts:
        expected = 0 if part == narrow else (first if part.box.right < 92 else other).number
        assert part.cut_from == expected
    assert {part.cut_from for part in parts} == {0, first.number, other.number}


@given(arrays(bool, st.tuples(st.integers(1, 30), st.integers(1, 60))), st.floats(1.0, 40.0))
def test_every_pixel_is_in_one_part(mask: Mask, height: float) -> None:
    numbers, parts = parts_of(mask, height)
    np.testing.assert_array_equal(numbers > 0, mask)
    assert sorted(p.number for p in parts) == sorted(set(numbers[mask].tolist()))
    for part in parts:
        own = numbers == part.number
        y, x = np.nonzero(own)
        assert part.area == own.sum()
        assert part.box == Box(x.min(), y.min(), x.max() + 1, y.max() + 1)


@given(arrays(np.float32, (6, 7), elements=st.integers(0, 9).map(lambda n: np.float32(n / 8))))
def test_paths_are_the_shortest(ink: np.ndarray) -> None:
    """Against Dijkstra's, on the graph of steps down, straight or aside."""
    rows, columns = ink.shape
    graph = np.full((ink.size + 1, ink.size + 1), np.inf)
    source = ink.size
    for y in range(rows):
        for x in range(columns):
            here = y * columns + x
            if y == 0:
                graph[source, here] = ink[y, x] + 1.0  # 0 would be no edge
            for aside in (-1, 0, 1):
                if y and 0 <= x + aside < columns:
                    before = here - columns + aside
                    graph[before, here] = ink[y, x] + cuts._ASIDE * abs(aside) + 1.0
    graph[np.isinf(graph)] = 0.0
    shortest = dijkstra(csr_matrix(graph), indices=source)[:-1].reshape(rows, columns)
    expected = shortest - np.arange(1, rows + 1)[:, None]
    found = cuts._least_ink(ink)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    for x in range(columns):
        path = cuts._followed(found[::-1], x)[::-1]
        cost = ink[np.arange(rows), path].sum() + cuts._ASIDE * np.abs(np.diff(path)).sum()
        assert cost == pytest.approx(found[-1, x], abs=1e-5)


@given(arrays(np.int32, (5, 6), elements=st.integers(0, 9)), st.sets(st.integers(1, 9), min_size=1))
def test_pixels_of_pieces_are_those_with_their_numbers(numbers: np.ndarray, own: set[int]) -> None:
    pieces = [Piece(number, 1, Box(0, 0, 1, 1), 0) for number in own]
    np.testing.assert_array_equal(is_of(pieces, numbers), np.isin(numbers, list(own)))
