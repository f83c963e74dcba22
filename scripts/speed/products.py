"""The floor: the matrix products of a network and nothing else.

Each operand and result may lie in memory row by row (C) or column by column (F). All eight layouts
of each product are tried and the fastest is kept; the operands then lie so without any copying, and
results are written into arrays that are there already.
"""

import itertools
import time
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from mnist_net.arrays import Array
from scripts.speed.problems import Problem
from scripts.speed.workers import Trial

Order = Literal["C", "F"]
Shape = tuple[int, int, int]  # rows, inner, columns

_TRIALS = 7
_ENOUGH = 0.3  # seconds for the trials of one layout; large products need fewer


class Product(NamedTuple):
    """Operands and the array for the result of one matrix product."""

    left: Array
    right: Array
    out: Array

    def __call__(self) -> None:
        np.matmul(self.left, self.right, out=self.out)


class Layout(NamedTuple):
    """How the two operands and the result lie in memory."""

    left: Order
    right: Order
    out: Order


def laid_out(array: Array, order: Order) -> Array:
    """The same numbers, contiguous in this order."""
    return np.array(array, order=order)


def product(shape: Shape, layout: Layout) -> Product:
    """One with random operands."""
    rows, inner, columns = shape
    generator = np.random.default_rng(0)

    def draw(rows: int, columns: int, order: Order) -> Array:
        return laid_out(generator.random((rows, columns), np.float32), order)

    return Product(
        draw(rows, inner, layout.left),
        draw(inner, columns, layout.right),
        np.empty((rows, columns), np.float32, order=layout.out),
    )


def fastest_seconds(work: Product) -> float:
    """Of a few calls, after one that does not count."""
    work()
    found: list[float] = []
    while len(found) < _TRIALS and sum(found) < _ENOUGH:
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return min(found)


def best_layout(shape: Shape) -> Layout:
    """The fastest of the eight."""
    orders: tuple[Order, Order] = ("C", "F")
    layouts = [Layout(*choice) for choice in itertools.product(orders, repeat=3)]
    return min(layouts, key=lambda layout: fastest_seconds(product(shape, layout)))


def forward_shapes(sizes: Sequence[int], n_rows: int) -> list[Shape]:
    """Of A⁽ˡ⁻¹⁾ W⁽ˡ⁾, layer by layer: equation (2)."""
    return [(n_rows, a, b) for a, b in itertools.pairwise(sizes)]


def step_shapes(sizes: Sequence[int], n_rows: int) -> list[Shape]:
    """Of all products of a training step; the first and the last have the inputs in them.

    Forward (2), then the deltas of the hidden layers (16), then the gradients (17) with the first
    layer's last.
    """
    pairs = list(itertools.pairwise(sizes))
    deltas = [(n_rows, b, a) for a, b in reversed(pairs[1:])]
    gradients = [(a, n_rows, b) for a, b in reversed(pairs)]
    return forward_shapes(sizes, n_rows) + deltas + gradients


def _steps(X: Array, batch_size: int, sizes: Sequence[int]) -> tuple[list[Product], list[Layout]]:
    """The products of one epoch in order; each batch of inputs is laid out for its two products."""
    known: dict[int, tuple[list[Layout], list[Product]]] = {}
    all_products: list[Product] = []
    for begin in range(0, len(X), batch_size):
        batch = X[begin : begin + batch_size]
        shapes = step_shapes(sizes, len(batch))
        if len(batch) not in known:
            layouts = [best_layout(shape) for shape in shapes]
            known[len(batch)] = layouts, list(map(product, shapes, layouts))
        layouts, products = known[len(batch)]
        first = products[0]._replace(left=laid_out(batch, layouts[0].left))
        # Row by row is column by column of the transpose: the same memory, if both lie so.
        shared = layouts[0].left != layouts[-1].left
        transposed = first.left.T if shared else laid_out(batch.T, layouts[-1].left)
        last = products[-1]._replace(left=transposed)
        all_products += [first, *products[1:-1], last]
    return all_products, known[min(batch_size, len(X))][0]


def training_floor(problem: Problem) -> Trial:
    """An epoch of bare products on the real inputs, contiguous batch by batch."""
    X, targets = problem.training_set()
    sizes = (X.shape[1], *problem.recipe.hidden_layer_sizes, targets.shape[1])
    products, layouts = _steps(X, problem.recipe.batch_size, sizes)

    def run() -> None:
        for left, right, out in products:
            np.matmul(left, right, out=out)

    return Trial(run, {"layouts (left, right, result)": ["".join(one) for one in layouts]})


def prediction_floor(sizes: Sequence[int], n_rows: int, calls: int) -> Trial:
    """The products of a forward pass, all rows at once or a thousand at a time."""
    best: tuple[float, list[Product], dict[str, Any]] | None = None
    for chunk in sorted({n_rows, min(n_rows, 1_000)}):
        layouts = [best_layout(shape) for shape in forward_shapes(sizes, chunk)]
        one = [
            product(shape, layout)
            for shape, layout in zip(forward_shapes(sizes, chunk), layouts, strict=True)
        ]
        repeats = n_rows // chunk
        seconds = repeats * sum(map(fastest_seconds, one))
        facts = {"rows at a time": chunk, "layouts": ["".join(layout) for layout in layouts]}
        if best is None or seconds < best[0]:
            best = seconds, one * repeats, facts
    assert best is not None
    _, products, facts = best

    def run() -> None:
        for _ in range(calls):
            for left, right, out in products:
                np.matmul(left, right, out=out)

    return Trial(run, facts)
