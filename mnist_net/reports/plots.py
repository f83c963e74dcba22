"""Pictures of a training run and of a first layer, drawn by matplotlib (the extra ``plot``)."""

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
