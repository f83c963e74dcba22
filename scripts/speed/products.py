"""The floor: the matrix products of a network and nothing else.

Each operand and result may lie in memory row by row (C) or column by column (F). All eight layouts
of each product ("CFC": left, right, result) are tried and the fastest is kept; the operands then
lie so without any copying, and results are written into arrays that are there already.
"""

import itertools
import timeit
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from mnist_net.arrays import Array
from scripts.speed.problems import Problem
from scripts.speed.workers import Trial

Shape = tuple[int, int, int]  # rows, inner, columns

_LAYOUTS = ["".join(orders) for orders in itertools.product("CF", repeat=3)]
_TRIALS = 7


class Product(NamedTuple):
    """Operands and the array for the result of one matrix product."""

    left: Array
    right: Array
    out: Array

    def __call__(self) -> None:
        np.matmul(self.left, self.right, out=self.out)


def _laid_out(array: Array, order: Any) -> Array:
    return np.array(array, order=order)


def product(shape: Shape, layout: str) -> Product:
    """One with random operands."""
    rows, inner, columns = shape
    generator = np.random.default_rng(0)
    sizes = (rows, inner), (inner, columns), (rows, columns)
    arrays = [generator.random(size, np.float32) for size in sizes]
    return Product(*map(_laid_out, arrays, layout))


def fastest_seconds(work: Product) -> float:
    """Of a few calls, after one that does not count."""
    work()
    return min(timeit.repeat(work.__call__, repeat=_TRIALS, number=1))


def best_layout(shape: Shape) -> str:
    """The fastest of the eight."""
    return min(_LAYOUTS, key=lambda layout: fastest_seconds(product(shape, layout)))


def forward_shapes(sizes: Sequence[int], n_rows: int) -> list[Shape]:
    """Of A⁽ˡ⁻¹⁾ W⁽ˡ⁾, layer by layer: equation (2)."""
    return [(n_rows, a, b) for a, b in itertools.pairwise(sizes)]


def step_shapes(sizes: Sequence[int], n_rows: int) -> list[Shape]:
    """Forward (2), the deltas of the hidden layers (16), the gradients (17): first layer last."""
    pairs = list(itertools.pairwise(sizes))
    deltas = [(n_rows, b, a) for a, b in reversed(pairs[1:])]
    gradients = [(a, n_rows, b) for a, b in reversed(pairs)]
    return forward_shapes(sizes, n_rows) + deltas + gradients


def _steps(X: Array, batch_size: int, sizes: Sequence[int]) -> tuple[list[Product], list[str]]:
    """The products of one epoch in order; each batch of inputs is laid out for its two products."""
    known: dict[int, tuple[list[str], list[Product]]] = {}
    all_products: list[Product] = []
    for begin in range(0, len(X), batch_size):
        batch = X[begin : begin + batch_size]
        if len(batch) not in known:
            shapes = step_shapes(sizes, len(batch))
            layouts = [best_layout(shape) for shape in shapes]
            known[len(batch)] = layouts, list(map(product, shapes, layouts))
        layouts, products = known[len(batch)]
        first = products[0]._replace(left=_laid_out(batch, layouts[0][0]))
        # Row by row is column by column of the transpose: the same memory, if both lie so.
        shared = layouts[0][0] != layouts[-1][0]
        transposed = first.left.T if shared else _laid_out(batch.T, layouts[-1][0])
        all_products += [first, *products[1:-1], products[-1]._replace(left=transposed)]
    return all_products, known[min(batch_size, len(X))][0]


def _trial(products: Sequence[Product], calls: int, facts: dict[str, Any]) -> Trial:
    def run() -> None:
        for _ in range(calls):
            for left, right, out in products:
                np.matmul(left, right, out=out)

    return Trial(run, facts)


def training_floor(problem: Problem) -> Trial:
    """An epoch of bare products on the real inputs, contiguous batch by batch."""
    X, targets, _ = problem.training_set()
    sizes = (X.shape[1], *problem.recipe.hidden_layer_sizes, targets.shape[1])
    products, layouts = _steps(X, problem.recipe.batch_size, sizes)
    return _trial(products, 1, {"layouts": " ".join(layouts)})


def prediction_floor(sizes: Sequence[int], n_rows: int, calls: int) -> Trial:
    """The products of a forward pass, all rows at once or a thousand at a time."""
    found: dict[float, tuple[list[Product], dict[str, Any]]] = {}
    for chunk in sorted({n_rows, min(n_rows, 1_000)}):
        shapes = forward_shapes(sizes, chunk)
        layouts = [best_layout(shape) for shape in shapes]
        once, repeats = list(map(product, shapes, layouts)), n_rows // chunk
        facts = {"layouts": " ".join(layouts), "rows at a time": chunk}
        found[repeats * sum(map(fastest_seconds, once))] = once * repeats, facts
    products, facts = found[min(found)]
    return _trial(products, calls, facts)
