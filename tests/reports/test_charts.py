"""Charts are where their numbers are."""

import math
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_net.reports.charts import (
    HEIGHT,
    WIDTH,
    Line,
    Scale,
    learning_charts,
    refusal_chart,
    reliability_chart,
)
from tests.reports.test_plots import history


@given(
    st.floats(-1e6, 1e6),
    st.floats(1e-6, 1e6),
)
def test_ticks_are_few_round_and_inside(low: float, width: float) -> None:
    scale = Scale(low, low + width)
    if scale.high - scale.low < 1e-9 * abs(low):  # more digits than are shown
        return
    ticks = scale.ticks()
    assert 2 <= len(ticks) <= 7
    assert all(-1e-6 <= at <= 1.0 + 1e-6 for at, _ in ticks)
    gaps = [b - a for (a, _), (b, _) in pairwise(ticks)]
    assert gaps == pytest.approx([gaps[0]] * len(gaps))
    step = gaps[0] * (scale.high - scale.low)
    assert round(step / 10.0 ** math.floor(math.log10(step * 1.000001)), 3) in (1, 2, 5)


def test_ticks_of_fractions_and_of_powers() -> None:
    assert Scale(0.0, 1.0, "%").ticks()[1] == (pytest.approx(0.2), "20 %")
    ticks = Scale(0.04, 1.3, logarithmic=True).ticks()
    assert [name for _, name in ticks] == ["0.05", "0.1", "0.2", "0.5", "1"]
    assert ticks[1][0] == pytest.approx(math.log(0.1 / 0.04) / math.log(1.3 / 0.04))
    narrow = Scale(0.43, 0.48, logarithmic=True).ticks()
    assert [name for _, name in narrow] == ["0.43", "0.44", "0.45", "0.46", "0.47", "0.48"]
    wide = Scale(1e-5, 20.0, logarithmic=True).ticks()
    assert [name for _, name in wide] == ["1e-05", "0.0001", "0.001", "0.01", "0.1", "1", "10"]


def test_a_line_is_drawn_through_its_points_and_not_through_what_is_none() -> None:
    (chart,) = learning_charts([history(validation=False)])
    assert [line.name for line in chart.lines] == ["training"]
    drawn = chart.path(chart.lines[0])
    assert re.fullmatch(r"M0\.0 [\d.]+L160\.0 [\d.]+L320\.0 [\d.]+", drawn)
    for x, y in ((1.0, 1.0), (2.0, 0.5)):
        across, down = chart.at(x, y)
        assert across == pytest.approx(WIDTH * (x - 1) / 2)
        share = (math.log(y) - math.log(1 / 3 / 1.1)) / (math.log(1.1) - math.log(1 / 3 / 1.1))
        assert down == pytest.approx(HEIGHT * (1 - share))
    broken = Line("", [(1.0, 1.0), (1.5, math.nan), (2.0, 0.0), (3.0, 0.5), (3.0, 1.0)])
    assert chart.path(broken).count("M") == 2


def test_learning_curves_are_what_a_history_says() -> None:
    losses, errors = learning_charts([history(validation=True), history(validation=False)])
    assert [line.name for line in losses.lines] == ["training", "", "validation"]
    assert list(losses.lines[0].points) == [(1.0, 1.0), (2.0, 0.5), (3.0, 1 / 3)]
    assert [y for _, y in errors.lines[0].points] == pytest.approx([0.1, 0.05, 0.1 / 3])
    assert learning_charts([]) == []


def test_what_is_no_number_is_left_out() -> None:
    assert learning_charts([[{"epoch": n, "loss": math.nan} for n in (1, 2)]]) == []
    assert learning_charts([[{"epoch": "one", "loss": 1.0}, {"loss": 1.0}, {"epoch": 1}]]) == []
    strange = [{"epoch": 1, "loss": 10**400}, {"epoch": 1e300, "loss": 1.0}]
    usual = [{"epoch": 2, "loss": 1e200}, {"epoch": 3, "loss": "2"}, {"epoch": 4, "loss": 0.5}]
    (chart,) = learning_charts([[*strange, *usual]])
    assert chart.path(chart.lines[0]).count("M") == 2
    assert chart.x.ticks()
    assert chart.y.ticks()


def test_one_epoch_is_a_curve_too() -> None:
    charts = learning_charts([history(validation=True)[:1]])
    assert all(chart.path(line) for chart in charts for line in chart.lines)
    assert all(chart.x.ticks() and chart.y.ticks() for chart in charts)


def test_reliability_has_a_mark_for_each_bin() -> None:
    bins = [{"n": 1200, "confidence": 0.5, "accuracy": 0.25, "low": 0.2, "high": 0.3}]
    chart = reliability_chart(bins)
    (mark,) = chart.marks
    assert chart.at(mark.x, mark.y) == (WIDTH / 2, HEIGHT * 0.75)
    assert mark.said == "1,200 answers 50.0% sure: 25.0% right"
    assert chart.path(chart.lines[0]) == f"M0.0 {HEIGHT}L{WIDTH} 0.0"


def test_refusing_is_shown_until_no_error_is_left() -> None:
    chart = refusal_chart([0.0, 0.02, 0.05, 0.5], [0.04, 0.02, 0.0, 0.0])
    assert chart.x.high == pytest.approx(0.055)
    assert list(chart.lines[0].points) == [(0.0, 0.04), (0.02, 0.02), (0.05, 0.0)]
    faultless = refusal_chart([0.0], [0.0])
    assert faultless.path(faultless.lines[0])
    assert faultless.y.ticks()
