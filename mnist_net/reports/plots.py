"""Pictures of a training run and of a first layer, drawn by matplotlib (the extra ``plot``)."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mnist_net.arrays import IMAGE_SHAPE, Array
from mnist_net.errors import MnistNetError
from mnist_net.files import atomic_write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FORMATS = (".png", ".svg", ".pdf")
_WIDE = 20.0  # a range whose ends have this ratio, or a larger one, is drawn by its factors


def check_plot(path: Path) -> None:
    """Find out before the work and not after it that a picture cannot be drawn.

    Raises
    ------
    MnistNetError
        If matplotlib is missing, or the file's ending is not one of .png, .svg, .pdf.
    """
    if path.suffix.lower() not in _FORMATS:
        raise MnistNetError(f"{path}: a picture's name must end in {', '.join(_FORMATS)}")
    try:
        import matplotlib as mpl  # noqa: F401
    except Exception as error:  # a wrong MPLBACKEND is a ValueError
        raise MnistNetError(
            f"pictures need matplotlib ({error}): pip install 'mnist-net[plot]'"
        ) from error


def _figure(width: float, height: float) -> "Figure":
    # The object interface: no global state and no window, whatever matplotlib is set to.
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained", dpi=120)


def save_figure(figure: "Figure", path: Path) -> None:
    """Write a figure atomically, in the format that the file's ending names."""
    with atomic_write(path) as stream:
        figure.savefig(stream, format=path.suffix[1:].lower())


def plot_training(history: Sequence[dict[str, Any]]) -> "Figure":
    """Loss, accuracy, rate, and norms of weights and biases over the epochs of `Progress.history`.

    Where nothing was held out, the rate stands in the place of the accuracy.
    """
    from matplotlib.ticker import MaxNLocator

    columns = {key: [record[key] for record in history] for key in history[0]}
    epochs = columns["epoch"]
    figure = _figure(10.0, 6.0)
    (loss, accuracy), (weights, biases) = figure.subplots(2, 2, sharex=True)
    _curve(loss, epochs, columns["loss"], "training")
    if columns["validation_loss"][-1] is None:
        _curve(accuracy, epochs, columns["learning_rate"], "learning rate")
    else:
        _curve(loss, epochs, columns["validation_loss"], "validation")
        percent = [100.0 * fraction for fraction in columns["validation_accuracy"]]
        _curve(accuracy, epochs, percent, "validation accuracy, %")
    for axes, key, name in ((weights, "weight_norms", "‖W‖"), (biases, "bias_norms", "‖b‖")):
        for level, norms in enumerate(zip(*columns[key], strict=True), 1):
            _curve(axes, epochs, norms, f"{name}, layer {level}")
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    loss.set_ylabel("loss")
    return figure


def _curve(axes: "Axes", x: Sequence[float], y: Sequence[float], label: str) -> None:
    axes.plot(x, y, marker=".", label=label)
    axes.grid(alpha=0.3)
    axes.legend()


def plot_search(trials: Sequence[dict[str, Any]]) -> "Figure":
    """How a search went: errors by trial and by epoch, and by the value of each hyperparameter.

    Trials have number, error (None if not complete), errors after each epoch, all fractions, and
    parameters by name.
    """
    names = list(dict.fromkeys(name for trial in trials for name in trial["parameters"]))
    n_columns = 3
    n_rows = 1 + math.ceil(len(names) / n_columns)
    figure = _figure(4.0 * n_columns, 3.0 * n_rows)
    panels = figure.subplots(n_rows, n_columns, squeeze=False, sharey=True)
    by_trial, by_epoch, *unused = panels[0]
    _errors_by_trial(by_trial, trials)
    _errors_by_epoch(by_epoch, trials)
    values = panels[1:].ravel()
    for axes, name in zip(values, names, strict=False):
        _errors_by_value(axes, name, trials)
    for axes in (*unused, *values[len(names) :]):
        axes.set_axis_off()
    if all(error > 0.0 for trial in trials for error in trial["errors"]):
        by_trial.set_yscale("log")  # of all, for they share it
    for row in panels:
        row[0].set_ylabel("validation error, %")
    return figure


def _errors_by_trial(axes: "Axes", trials: Sequence[dict[str, Any]]) -> None:
    from matplotlib.ticker import MaxNLocator

    complete = [trial for trial in trials if trial["error"] is not None]
    numbers = [trial["number"] for trial in complete]
    percent = [100.0 * trial["error"] for trial in complete]
    axes.scatter(numbers, percent, s=12, label="complete")
    axes.step(numbers, np.minimum.accumulate(percent), where="post", label="best so far")
    axes.set_xlabel("trial")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.legend()


def _errors_by_epoch(axes: "Axes", trials: Sequence[dict[str, Any]]) -> None:
    from matplotlib.ticker import MaxNLocator

    for trial in trials:
        epochs = range(1, len(trial["errors"]) + 1)
        percent = [100.0 * error for error in trial["errors"]]
        axes.plot(epochs, percent, color=_colour(trial), marker=".", alpha=0.4)
    axes.set_xlabel("epoch (grey: not complete)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)


def _errors_by_value(axes: "Axes", name: str, trials: Sequence[dict[str, Any]]) -> None:
    known = [trial for trial in trials if trial["errors"] and name in trial["parameters"]]
    values = [trial["parameters"][name] for trial in known]
    if not all(isinstance(value, int | float) for value in values):
        values = [str(value) for value in values]
    elif values and 0.0 < _WIDE * min(values) < max(values):
        axes.set_xscale("log")
    percent = [100.0 * trial["errors"][-1] for trial in known]
    axes.scatter(values, percent, s=12, color=[_colour(trial) for trial in known])
    axes.set_xlabel(name)
    axes.grid(alpha=0.3)


def _colour(trial: dict[str, Any]) -> str:
    return "tab:gray" if trial["error"] is None else "tab:blue"


def plot_first_layer(weights: Array) -> "Figure":
    """What the first 64 units look for: ink where it is red, paper where it is blue.

    The weights are 784 × units; each unit is drawn as strong as its strongest weight.
    """
    figure = _figure(6.0, 6.0)
    for axes, unit in zip(figure.subplots(8, 8).flat, weights.T, strict=False):
        strongest = float(np.abs(unit).max()) or 1.0
        axes.imshow(unit.reshape(IMAGE_SHAPE), cmap="RdBu_r", vmin=-strongest, vmax=strongest)
    for axes in figure.axes:
        axes.set_axis_off()
    return figure
