"""A minibatch's gradient is the mean of its parts'."""

from typing import Any

import numpy as np
import pytest

from mnist_net.learning.minibatches import Batch, one_hot
from mnist_net.learning.network import Architecture, initialize, loss_and_gradients
from mnist_net.learning.sharding import parts_of, sharded

ARCHITECTURE = Architecture((30, 20, 4), ("tanh", "identity"), "softmax-cross-entropy")


def batch(n: int, dtype: Any, weighted: bool = False) -> Batch:
    random = np.random.default_rng(0)
    X = random.normal(size=(n, 30)).astype(dtype)
    weights = random.uniform(0.5, 3.0, n).astype(dtype) if weighted else None
    return Batch(X, one_hot(random.integers(0, 4, n), 4).astype(dtype), weights)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_parts", [1, 2, 3, 16, 37, 100])
@pytest.mark.parametrize(
    # Sums of 37 terms in another order: the rounding of a few of them.
    ("dtype", "tolerance"),
    [(np.float64, 1e-14), (np.float32, 1e-6)],
)
def test_the_mean_of_the_parts_is_the_whole(
    n_parts: int, weighted: bool, dtype: Any, tolerance: float
) -> None:
    X, targets, weights = batch(37, dtype, weighted)
    parameters = initialize(ARCHITECTURE, np.random.default_rng(1), dtype=dtype)
    calls = []

    def each(tasks: Any) -> Any:
        calls.extend(tasks)
        return (loss_and_gradients(*task) for task in calls)

    given = (parameters, ARCHITECTURE, X, targets, 0.01, weights)
    loss, gradients = sharded(n_parts, each)(*given)
    expected_loss, expected = loss_and_gradients(*given)
    assert len(calls) == min(n_parts, 37)
    assert loss == pytest.approx(expected_loss, rel=tolerance)
    for layer, whole in zip(gradients, expected, strict=True):
        for found, array in zip(layer, whole, strict=True):
            assert found.dtype == dtype
            assert np.linalg.norm(found - array) <= tolerance * np.linalg.norm(array)
    if n_parts == 1:
        assert [a.tobytes() for layer in gradients for a in layer] == [
            a.tobytes() for layer in expected for a in layer
        ]


@pytest.mark.parametrize(("n", "sizes"), [(1, [7]), (3, [2, 2, 3]), (7, [1] * 7), (9, [1] * 7)])
def test_parts_are_as_equal_as_can_be(n: int, sizes: list[int]) -> None:
    whole = batch(7, np.float32, weighted=True)
    parts = parts_of(whole, n)
    assert [part.n_examples for part in parts] == sizes
    for column, array in enumerate(whole):
        np.testing.assert_array_equal(np.concatenate([part[column] for part in parts]), array)
