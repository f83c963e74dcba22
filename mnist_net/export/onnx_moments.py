"""The normalization by moments as nodes of an ONNX graph, its names and its steps.

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


def upright(graph: Any, pixels: str) -> str:
    """Add it to a `Graph`: grey levels, N × 784, from what is called so to what is returned."""

    def add(operator: str, *inputs: Any, **attributes: Any) -> str:
        names = [one if isinstance(one, str) else graph.constant(one) for one in inputs]
        return str(graph.node(operator, *names, **attributes))

    def reshaped(values: str, *shape: int) -> str:
        return add("Reshape", values, graph.constant(shape, np.int64))

    def moment(i: int, j: int) -> str:
        one = graph.constant([3 * i + j], np.int64)
        return add("Gather", moments, one, axis=1)  # N × 1 × 1, as all numbers of a picture

    def mean(i: int, j: int) -> str:
        return add("Div", moment(i, j), mass)

    def towards(usual: float, variance: str) -> str:
        deviation = add("Sqrt", add("Max", variance, by.PIXEL))
        return add("Clip", add("Sqrt", add("Div", deviation, usual)), 1 / by.MOST, by.MOST)

    def on_paper(places: str) -> str:
        return add("Clip", add("Add", places, _LAST / 2), 0.0, _LAST)

    ink = reshaped(pixels, -1, _SIDE, _SIDE)
    powers = np.stack([_PLACE**0, _PLACE, _PLACE**2], axis=1)
    moments = reshaped(add("MatMul", powers.T, add("MatMul", ink, powers)), -1, 9, 1)
    mass = add("Max", moment(0, 0), by.TINY)
    row, column = mean(1, 0), mean(0, 1)
    height = add("Sub", mean(2, 0), add("Mul", row, row))
    breadth = add("Sub", mean(0, 2), add("Mul", column, column))
    both = add("Sub", mean(1, 1), add("Mul", row, column))
    slant = add("Div", both, add("Max", height, by.PIXEL))
    slant = add("Clip", slant, -by.STEEPEST, by.STEEPEST)
    tall = towards(by.HEIGHT, height)
    broad = towards(by.BREADTH, add("Sub", breadth, add("Mul", slant, both)))

    down, across = _PLACE[:, None], _PLACE[None, :]
    rows = on_paper(add("Add", row, add("Mul", tall, down)))  # N × 28 × 1
    near = add("Relu", add("Sub", 1.0, add("Abs", add("Sub", rows, np.arange(_SIDE)))))
    columns = add("Add", column, add("Mul", broad, across))
    slanted = add("Mul", add("Mul", slant, tall), down)
    columns = on_paper(add("Add", columns, slanted))  # N × 28 × 28
    lines = add("MatMul", near, ink)
    left = add("Floor", columns)
    right = add("Min", add("Add", left, 1.0), _LAST)
    first, second = (
        add("GatherElements", lines, add("Cast", place, to=graph.onnx.TensorProto.INT64), axis=2)
        for place in (left, right)
    )
    step = add("Mul", add("Sub", columns, left), add("Sub", second, first))
    return reshaped(add("Add", first, step), -1, _SIDE * _SIDE)
