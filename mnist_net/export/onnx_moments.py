"""`learning.normalization`, by moments, as nodes of an ONNX graph: its names and its steps.

What is bilinear between the rows is a product with how near each is, ``max(0, 1 - |r - i|)``; along
a row, which is slanted by another amount than the next, two pixels are gathered.
"""

from typing import Any

import numpy as np

from mnist_net.arrays import IMAGE_SHAPE
from mnist_net.learning import normalization as by

_SIDE = IMAGE_SHAPE[0]
_LAST = _SIDE - 1
_PLACE = np.arange(_SIDE) - _LAST / 2


class _Steps:
    """Operators of a `Graph`, whose inputs are names of results, or constants."""

    def __init__(self, graph: Any) -> None:
        self.graph = graph

    def add(self, operator: str, *inputs: Any, **attributes: Any) -> str:
        names = [one if isinstance(one, str) else self.graph.constant(one) for one in inputs]
        return str(self.graph.node(operator, *names, **attributes))

    def reshaped(self, values: str, *shape: int) -> str:
        return self.add("Reshape", values, self.graph.constant(shape, np.int64))

    def whole(self, values: str) -> str:
        return self.add("Cast", values, to=self.graph.onnx.TensorProto.INT64)


def upright(graph: Any, pixels: str) -> str:
    """Add it to a `Graph`: grey levels, N × 784, from what is called so to what is returned."""
    steps = _Steps(graph)
    ink = steps.reshaped(pixels, -1, _SIDE, _SIDE)
    rows, columns = _places(steps, ink)
    return steps.reshaped(_bilinear(steps, ink, rows, columns), -1, _SIDE * _SIDE)


def _places(steps: _Steps, ink: str) -> tuple[str, str]:
    """Row, N × 28 × 1, and column, N × 28 × 28, that each pixel comes from, from the middle."""
    add = steps.add
    powers = np.stack([_PLACE**0, _PLACE, _PLACE**2], axis=1)
    moments = steps.reshaped(add("MatMul", powers.T, add("MatMul", ink, powers)), -1, 9, 1)

    def moment(i: int, j: int) -> str:
        one = steps.graph.constant([3 * i + j], np.int64)
        return add("Gather", moments, one, axis=1)  # N × 1 × 1, as all numbers of a picture

    mass = add("Max", moment(0, 0), by.TINY)
    row, column = add("Div", moment(1, 0), mass), add("Div", moment(0, 1), mass)
    height = add("Sub", add("Div", moment(2, 0), mass), add("Mul", row, row))
    breadth = add("Sub", add("Div", moment(0, 2), mass), add("Mul", column, column))
    both = add("Sub", add("Div", moment(1, 1), mass), add("Mul", row, column))
    slope = add("Div", both, add("Max", height, by.PIXEL))
    slant = add("Clip", slope, -by.STEEPEST, by.STEEPEST)
    tall = _towards(steps, by.HEIGHT, height)
    broad = _towards(steps, by.BREADTH, add("Sub", breadth, add("Mul", slant, both)))
    down, across = _PLACE[:, None], _PLACE[None, :]
    slanted = add("Mul", add("Mul", slant, tall), down)
    rows = add("Add", row, add("Mul", tall, down))
    return rows, add("Add", add("Add", column, add("Mul", broad, across)), slanted)


def _towards(steps: _Steps, usual: float, variance: str) -> str:
    deviation = steps.add("Sqrt", steps.add("Max", variance, by.PIXEL))
    ratio = steps.add("Sqrt", steps.add("Div", deviation, usual))
    return steps.add("Clip", ratio, 1 / by.MOST, by.MOST)


def _bilinear(steps: _Steps, ink: str, rows: str, columns: str) -> str:
    add = steps.add
    rows, columns = (
        add("Clip", add("Add", places, _LAST / 2), 0.0, _LAST) for places in (rows, columns)
    )
    near = add("Relu", add("Sub", 1.0, add("Abs", add("Sub", rows, np.arange(_SIDE)))))
    lines, left = add("MatMul", near, ink), add("Floor", columns)
    right = add("Min", add("Add", left, 1.0), _LAST)
    first, second = (
        add("GatherElements", lines, steps.whole(place), axis=2) for place in (left, right)
    )
    return add("Add", first, add("Mul", add("Sub", columns, left), add("Sub", second, first)))
