"""Figures as pictures: curves of a run, and the first layer."""

import sys
from pathlib import Path

import numpy as np
import pytest

from mnist_net.errors import MnistNetError
from mnist_net.reports.plots import (
    check_plot,
    plot_first_layer,
    plot_search,
    plot_training,
    save_figure,
)


def history(validation: bool, layers: int = 2) -> list[dict]:
    return [
        {
            "epoch": epoch,
            "loss": 1.0 / epoch,
            "validation_loss": 1.1 / epoch if validation else None,
            "validation_accuracy": 1 - 0.1 / epoch if validation else None,
            "learning_rate": 0.1,
            "seconds": 1.0,
            "weight_norms": [float(epoch)] * layers,
            "bias_norms": [0.1] * layers,
        }
        for epoch in (1, 2, 3)
    ]


@pytest.mark.parametrize("validation", [True, False])
@pytest.mark.parametrize("layers", [1, 3])
def test_the_curves_of_a_run_are_what_its_history_says(validation: bool, layers: int) -> None:
    figure = plot_training(history(validation, layers))
    drawn = {
        line.get_label(): list(line.get_ydata()) for axes in figure.axes for line in axes.lines
    }
    expected = {
        "training": [1.0, 1 / 2, 1 / 3],
        **{f"‖W‖, layer {n + 1}": [1.0, 2.0, 3.0] for n in range(layers)},
        **{f"‖b‖, layer {n + 1}": [0.1] * 3 for n in range(layers)},
    }
    if validation:
        expected["validation"] = [1.1, 1.1 / 2, 1.1 / 3]
        expected["validation accuracy, %"] = [90.0, 95.0, 100 * (1 - 0.1 / 3)]
    else:
        expected["learning rate"] = [0.1] * 3
    assert drawn.keys() == expected.keys()
    for label, values in expected.items():
        assert drawn[label] == pytest.approx(values)


def trial(number: int, error: float | None, *errors: float, **parameters: object) -> dict:
    return {"number": number, "error": error, "errors": list(errors), "parameters": parameters}


TRIALS = [
    trial(0, 0.2, 0.3, 0.2, rate=0.001, hidden="[8]", batch=10),
    trial(1, None, 0.5, rate=1.0, hidden="[8, 4]", batch=30),
    trial(2, 0.3, 0.4, 0.3, rate=0.01, hidden="[8]", batch=10),
    trial(3, 0.1, 0.2, 0.1, rate=0.1, hidden="[16]", batch=20),
    trial(4, None, rate=0.5, hidden="[16]", batch=20),
]


def test_a_search_is_drawn_trial_by_trial_epoch_by_epoch_and_value_by_value() -> None:
    by_trial, by_epoch, unused, rate, hidden, batch = plot_search(TRIALS).axes
    (best,) = by_trial.lines
    assert list(best.get_xdata()) == [0, 2, 3]
    assert list(best.get_ydata()) == pytest.approx([20, 20, 10])
    assert by_trial.collections[0].get_offsets().tolist() == [[0, 20], [2, 30], [3, 10]]
    curves = [list(line.get_ydata()) for line in by_epoch.lines]
    assert curves == [pytest.approx([100 * x for x in one["errors"]]) for one in TRIALS]
    assert [line.get_color() == "tab:gray" for line in by_epoch.lines] == [
        *(False, True, False, False, True)
    ]
    assert not unused.axison
    assert [axes.get_xlabel() for axes in (rate, hidden, batch)] == ["rate", "hidden", "batch"]
    (dots,) = rate.collections
    assert dots.get_offsets().tolist() == [[0.001, 20], [1.0, 50], [0.01, 30], [0.1, 10]]
    assert (rate.get_xscale(), batch.get_xscale()) == ("log", "linear")
    assert [label.get_text() for label in hidden.get_xticklabels()] == ["[8]", "[8, 4]", "[16]"]
    assert {axes.get_yscale() for axes in (by_trial, by_epoch, rate)} == {"log"}


def test_a_search_with_perfect_trials_is_drawn(tmp_path: Path) -> None:
    save_figure(plot_search([trial(0, 0.0, 0.1, 0.0, shuffle=True)]), tmp_path / "a.svg")
    figure = plot_search([trial(0, None)])
    assert len(figure.axes) == 3
    save_figure(figure, tmp_path / "b.png")


def test_the_first_layer_is_drawn_unit_by_unit() -> None:
    weights = np.random.default_rng(0).normal(size=(784, 70))
    weights[:, 1] = 0.0
    figure = plot_first_layer(weights)
    pictures = [axes.images[0] for axes in figure.axes]
    assert len(pictures) == 64
    for picture, unit in zip(pictures, weights.T, strict=False):
        assert (picture.get_array() == unit.reshape(28, 28)).all()
        assert picture.get_clim() == (-picture.get_clim()[1], np.abs(unit).max() or 1.0)
    assert len(plot_first_layer(weights[:, :3]).axes) == 64  # the places of the others stay empty


@pytest.mark.parametrize(
    ("name", "start"), [("p.png", b"\x89PNG"), ("p.SVG", b"<?xml"), ("p.pdf", b"%PDF")]
)
def test_figures_are_saved_in_the_format_of_their_name(
    tmp_path: Path, name: str, start: bytes
) -> None:
    check_plot(tmp_path / name)
    save_figure(plot_training(history(True)), tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(start)


def test_another_format_is_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(MnistNetError, match=r"p\.txt: .* must end in \.png, \.svg, \.pdf$"):
        check_plot(tmp_path / "p.txt")


def test_without_matplotlib_one_is_told_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MnistNetError, match=r"pip install 'mnist-net\[plot\]'$"):
        check_plot(tmp_path / "p.png")
