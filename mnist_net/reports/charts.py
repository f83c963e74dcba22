"""Charts as plain data, for a template to draw: where things are, and what stands at the axes."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

WIDTH, HEIGHT = 320.0, 200.0
"""Of what the axes enclose."""

_POINTS = 400  # of a curve, more than which nobody sees
_TINY = 1e-30  # less than which, and its inverse more than which, no axis shows
_STEPS = (1.0, 2.0, 5.0, 10.0)

Point = tuple[float, float]


class Scale(NamedTuple):
    """From values to fractions of an axis.

    Attributes
    ----------
    low, high
        What its ends stand for.
    unit
        What follows the numbers: ``%`` stands for hundredths.
    logarithmic
        Whether equal ratios, and not equal differences, are equally long; then both ends are above
        zero.
    """

    low: float
    high: float
    unit: str = ""
    logarithmic: bool = False

    def fraction(self, value: float) -> float:
        """0 at the low end, 1 at the high end."""
        low, high, at = (
            map(math.log, (self.low, self.high, value))
            if self.logarithmic
            else (self.low, self.high, value)
        )
        return (at - low) / (high - low)

    def shows(self, value: float) -> bool:
        """Whether a value has a place."""
        return math.isfinite(value) and (value > 0.0 or not self.logarithmic)

    def ticks(self) -> list[tuple[float, str]]:
        """Fractions and what stands there: a few round numbers."""
        values = self._powers() if self.logarithmic else []
        if len(values) < 2:
            values = self._multiples()
        return [(self.fraction(value), self._named(value)) for value in values]

    def _multiples(self) -> list[float]:
        rough = (self.high - self.low) / 6.0
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * step for step in _STEPS if power * step >= rough * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [step * number for number in range(first, last + 1)]

    def _powers(self) -> list[float]:
        exponents = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        steps = _STEPS[:3] if self.high < 1000.0 * self.low else _STEPS[:1]
        values = [step * 10.0**exponent for exponent in exponents for step in steps]
        return [value for value in values if self.low <= value <= self.high]

    def _named(self, value: float) -> str:
        return f"{100.0 * value:.6g} %" if self.unit == "%" else f"{value:.6g}"


class Line(NamedTuple):
    """A curve; its kind says how it is drawn: ``main``, ``other``, or ``guide``."""

    name: str
    points: Sequence[Point]
    kind: str = "main"


class Mark(NamedTuple):
    """A point with an interval of y, and what is said of it."""

    x: float
    y: float
    low: float
    high: float
    said: str


class Chart(NamedTuple):
    """What a template needs to draw a chart; y counts from the top, as in SVG."""

    x: Scale
    y: Scale
    x_name: str
    y_name: str
    lines: Sequence[Line]
    marks: Sequence[Mark] = ()

    def at(self, x: float, y: float) -> Point:
        """Place of a point."""
        return WIDTH * self.x.fraction(x), HEIGHT * (1.0 - self.y.fraction(y))

    def path(self, line: Line) -> str:
        """A line for the attribute ``d`` of a path; what has no place leaves a gap."""
        drawn, pen = [], "M"
        for x, y in line.points:
            if not (self.x.shows(x) and self.y.shows(y)):
                pen = "M"
                continue
            drawn.append("{}{:.1f} {:.1f}".format(pen, *self.at(x, y)))
            pen = "L"
        return "".join(drawn)


def logarithmic(values: Iterable[float]) -> Scale:
    """A scale that holds these, as far as they have a logarithm."""
    known = [value for value in values if _TINY < value < 1.0 / _TINY] or [1.0]
    low, high = min(known), max(known)
    return Scale(low / 1.1, high * 1.1, logarithmic=True)


def reliability_chart(bins: Sequence[dict[str, Any]]) -> Chart:
    """How often answers are right, against how sure they are; see `figures.reliability`."""
    whole = Scale(0.0, 1.0, "%")
    marks = [
        Mark(
            b["confidence"],
            b["accuracy"],
            b["low"],
            b["high"],
            f"{b['n']:,} answers {b['confidence']:.1%} sure: {b['accuracy']:.1%} right",
        )
        for b in bins
    ]
    guide = Line("as sure as right", [(0.0, 0.0), (1.0, 1.0)], "guide")
    return Chart(whole, whole, "how sure", "how often right", [guide], marks)


def refusal_chart(refused: Sequence[float], error_rates: Sequence[float]) -> Chart:
    """Errors among the answers that are given, against how many are refused, both fractions."""
    errors = max(error_rates) or 0.01
    none_left = next((r for r, e in zip(refused, error_rates, strict=True) if not e), 1.0)
    widest = min(max(none_left * 1.1, 0.01), 0.25)
    points = [(r, e) for r, e in zip(refused, error_rates, strict=True) if r <= widest]
    points = points[:: -(-len(points) // _POINTS)]
    x, y = Scale(0.0, widest, "%"), Scale(0.0, errors * 1.08, "%")
    return Chart(x, y, "refused", "wrong among the others", [Line("", points)])


def learning_charts(histories: Sequence[Sequence[dict[str, Any]]]) -> list[Chart]:
    """Loss, and where pictures were held out the errors on them, over the epochs of each network.

    The histories are as `Progress.history` has them; what is missing or no number is left out.
    """
    losses = _curves(histories, "loss", "training", "main")
    losses += _curves(histories, "validation_loss", "validation", "other")
    errors = _curves(histories, "validation_accuracy", "validation", "other")
    errors = [line._replace(points=[(x, 1.0 - y) for x, y in line.points]) for line in errors]
    charts = []
    for lines, name, unit in ((losses, "loss", ""), (errors, "errors", "%")):
        points = [point for line in lines for point in line.points]
        if points:
            epochs = [x for x, _ in points]
            x = Scale(min(*epochs, 1.0), max(*epochs, 2.0))
            y = logarithmic(y for _, y in points)._replace(unit=unit)
            charts.append(Chart(x, y, "epoch", name, lines))
    return charts


def _curves(
    histories: Sequence[Sequence[dict[str, Any]]], key: str, name: str, kind: str
) -> list[Line]:
    """One a network, of what is known of it; only the first has a name."""
    lines: list[Line] = []
    for history in histories:
        numbers = [(_number(record.get("epoch")), _number(record.get(key))) for record in history]
        points = [(x, y) for x, y in numbers if 0.0 <= x < 1.0 / _TINY]
        points = points if any(math.isfinite(y) for _, y in points) else []
        if points:
            lines.append(Line("" if lines else name, points, kind))
    return lines


def _number(value: Any) -> float:
    """What a file says, if it is a number; nan if not, or if it is larger than any."""
    try:
        return float(value) if isinstance(value, int | float) else math.nan
    except OverflowError:
        return math.nan
