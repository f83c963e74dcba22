"""Train the two smallest networks that learn something, and draw how they do it.

    python -m scripts.docs worked

A single sigmoid neuron learns "1 if the first of three features is 1", by full-batch and by
minibatch descent; a 2-3-1 network with ReLU and without hidden biases learns XOR.  Writes
neuron.png and xor.png: weights, biases and loss over the steps.  `docs/worked-examples.md` shows
them.
"""

from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from matplotlib.figure import Figure

from mnist_net.arrays import Array
from mnist_net.learning.network import Architecture, Parameters, initialize, loss_and_gradients
from mnist_net.learning.optimizers import OPTIMIZERS
from mnist_net.reports.plots import save_figure
from scripts import options

NEURON_X = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)], dtype=float)
NEURON_Y = NEURON_X[:, :1]
XOR_X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
XOR_Y = np.array([[0], [1], [1], [0]], dtype=float)

NEURON = Architecture((3, 1), ("sigmoid",), "mean-squared-error")
XOR = Architecture((2, 3, 1), ("relu", "identity"), "binary-cross-entropy", (False, True))
N_STEPS = 2000


class Step(NamedTuple):
    """Where descent stood: the parameters, and their loss on the batch at hand."""

    parameters: Parameters
    loss: float


def descend(
    architecture: Architecture, X: Array, Y: Array, batch_size: int, learning_rate: float, seed: int
) -> list[Step]:
    """Plain gradient descent; a batch smaller than the data is drawn anew at each step."""
    generator = np.random.default_rng(seed)
    parameters = initialize(architecture, generator)
    sgd = OPTIMIZERS["sgd"]
    state = sgd.start(parameters)
    steps = []
    for _ in range(N_STEPS):
        rows = np.arange(len(X))
        if batch_size < len(X):
            rows = generator.choice(len(X), batch_size, replace=False)
        loss, gradients = loss_and_gradients(parameters, architecture, X[rows], Y[rows])
        steps.append(Step(parameters, loss))
        parameters, state = sgd.update(parameters, gradients, state, learning_rate)
    loss, _ = loss_and_gradients(parameters, architecture, X, Y)
    return [*steps, Step(parameters, loss)]


def learn_neuron(batch_size: int, seed: int = 0) -> list[Step]:
    return descend(NEURON, NEURON_X, NEURON_Y, batch_size, 1.0, seed)


def learn_xor(seed: int = 1) -> list[Step]:
    return descend(XOR, XOR_X, XOR_Y, len(XOR_X), 0.3, seed)


def draw(runs: dict[str, list[Step]]) -> Figure:
    """Weights, biases and loss over the steps, a column a run."""
    figure = Figure(figsize=(5.0 * len(runs), 8.0), layout="constrained", dpi=100)
    grid = figure.subplots(3, len(runs), squeeze=False)
    for (weights, biases, loss), (title, steps) in zip(grid.T, runs.items(), strict=True):
        weights.set_title(title)
        for level, layers in enumerate(zip(*(step.parameters for step in steps), strict=True)):
            curves = np.array([layer.weights.ravel() for layer in layers])
            labels = [f"layer {level + 1}", *["_"] * (curves.shape[1] - 1)]
            weights.plot(curves, color=f"C{level}", lw=1, label=labels)
            if layers[0].biases is not None:
                of_layer = [layer.biases for layer in layers]
                biases.plot(of_layer, color=f"C{level}", lw=1, label=f"layer {level + 1}")
        loss.semilogy([step.loss for step in steps], color="black", lw=1)
        for axes, name in ((weights, "weights"), (biases, "biases"), (loss, "loss")):
            axes.set_ylabel(name)
            axes.grid(alpha=0.3)
        weights.legend()
        biases.legend()
        loss.set_xlabel("step")
    return figure


@click.command(help=options.paragraphs(__doc__))
@options.file("--folder", "docs/images")
def main(folder: Path) -> None:
    neuron = {"full batch (8)": learn_neuron(8), "minibatch (2)": learn_neuron(2)}
    save_figure(draw(neuron), folder / "neuron.png")
    for name, steps in neuron.items():
        (weights, biases), loss = steps[-1].parameters[0], steps[-1].loss
        print(f"neuron, {name}: w = {weights.ravel().round(2)}, b = {biases}, loss {loss:.5f}")
    steps = learn_xor()
    save_figure(draw({"2-3-1, XOR": steps}), folder / "xor.png")
    learned = sum(learn_xor(seed)[-1].loss < 0.05 for seed in range(100))
    print(f"XOR: loss {steps[-1].loss:.5f}; {learned} of 100 random starts learn it")
