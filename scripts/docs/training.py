"""Draw how the model that ships learned, and what its first layer looks for.

    python -m scripts.docs training
    python -m scripts.docs training --model models/latest.joblib --curves models/latest.joblib

Writes first-layer.png, the weights of the hidden units that the outputs listen to most, and
training.png: loss, validation accuracy, and norms over the epochs, of the network that
`scripts.release` trained to validate on, since the one that ships has nothing to validate on.
"""

from pathlib import Path

import click
import numpy as np

from mnist_net import load_model
from mnist_net.reports.plots import plot_first_layer, plot_training, save_figure
from mnist_net.trained.committee import Committee
from mnist_net.trained.model import Model
from scripts import options


def one_network(path: Path) -> Model:
    """A model, or the first member of a committee."""
    loaded = load_model(path)
    return loaded.members[0] if isinstance(loaded, Committee) else loaded


@click.command(help=options.paragraphs(__doc__))
@options.model
@options.file("--curves", "models/accurate-validation.joblib")
@options.file("--folder", "docs/images")
def main(model: Path, curves: Path, folder: Path) -> None:
    network, validated = one_network(model), one_network(curves)
    first, second = network.parameters[:2]
    loudest = np.argsort(-np.linalg.norm(second.weights, axis=1), kind="stable")
    save_figure(plot_training(validated.metadata["history"]), folder / "training.png")
    save_figure(plot_first_layer(first.weights[:, loudest]), folder / "first-layer.png")
    print(f"{folder / 'training.png'}, {folder / 'first-layer.png'}")
