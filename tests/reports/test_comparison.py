"""McNemar's exact test, against a case worked by hand and against its definition."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix

from mnist_net.reports.comparison import compare


def test_a_case_worked_by_hand() -> None:
    # Of 11 that only one gets right, 1 is the first's: 2 (C(11, 0) + C(11, 1)) / 2^11.
    first = np.array([True] * 20 + [True] + [False] * 10 + [False] * 4)
    second = np.array([True] * 20 + [False] + [True] * 10 + [False] * 4)
    assert compare(first, second) == (20, 4, 1, 10, pytest.approx(24 / 2048))


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=80))
def test_it_is_the_test_that_it_says(pairs: list[tuple[bool, bool]]) -> None:
    first, second = np.array(pairs).T
    found = compare(first, second)
    ((neither, b), (c, both)) = confusion_matrix(second, first, labels=[False, True])
    assert found[:4] == (both, neither, b, c)
    # Two-sided: all splits of a fair coin that are as unlikely as this one.
    fewer, n = min(b, c), b + c
    tail = sum(math.comb(n, k) for k in range(fewer + 1)) / 2**n
    assert found.p_value == pytest.approx(min(1.0, 2.0 * tail))
    assert compare(second, first).p_value == found.p_value


def test_who_never_differ_do_not_differ() -> None:
    hits = np.array([True, False, True])
    assert compare(hits, hits).p_value == 1.0
