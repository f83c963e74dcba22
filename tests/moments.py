"""Normalization by moments as the definition says it: pixel by pixel, in float64."""

import math

import numpy as np


def upright(picture: np.ndarray) -> np.ndarray:
    """What a network makes of a square picture of not negative numbers."""
    values = [between(picture, *place) for place in places(picture)]
    return np.array(values).reshape(picture.shape)


def places(picture: np.ndarray) -> list[tuple[float, float]]:
    """Row and column, from the middle, that each pixel comes from."""
    side = len(picture)
    middle = (side - 1) / 2
    ink = [(float(picture[i, j]), i - middle, j - middle) for i in range(side) for j in range(side)]
    mass = max(sum(a for a, _, _ in ink), 1e-6)
    row = sum(a * r for a, r, _ in ink) / mass
    column = sum(a * c for a, _, c in ink) / mass
    height = sum(a * (r - row) ** 2 for a, r, _ in ink) / mass
    breadth = sum(a * (c - column) ** 2 for a, _, c in ink) / mass
    both = sum(a * (r - row) * (c - column) for a, r, c in ink) / mass
    slant = min(max(both / max(height, 1 / 12), -1.0), 1.0)
    tall = towards(10.0, height)
    broad = towards(8.0, breadth - slant * both)
    return [(row + tall * r, column + broad * c + slant * tall * r) for _, r, c in ink]


def towards(usual: float, variance: float) -> float:
    """The root of the ratio of a deviation to the usual one, from a half to 2."""
    return min(max((math.sqrt(max(variance, 1 / 12)) / usual) ** 0.5, 0.5), 2.0)


def between(picture: np.ndarray, row: float, column: float) -> float:
    """What is at a place, from the middle, bilinear; the border goes on."""
    last = len(picture) - 1
    row, column = (min(max(place + last / 2, 0.0), last) for place in (row, column))
    total = 0.0
    for i in {math.floor(row), math.ceil(row)}:
        for j in {math.floor(column), math.ceil(column)}:
            near = max(0.0, 1.0 - abs(row - i)) * max(0.0, 1.0 - abs(column - j))
            total += near * float(picture[i, j])
    return total
