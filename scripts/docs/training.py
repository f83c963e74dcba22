"""Draw how the model that ships learned, and what its first layer looks for.

    python -m scripts.docs training
    python -m scripts.docs training --model models/latest.joblib --curves models/latest.joblib

Writes first-layer.png, the weights of the hidden units that the outputs listen to most, and
training.png: loss, validation accuracy, and norms over the epochs, of the network that
`scripts.release student` trained to validate on, since the one that ships has nothing to validate on.
"""

from pathlib import Path

import click

from mnist_net import load_model
from mnist_net.reports.plots import plot_first_layer, plot_training, save_figure
from mnist_net.trained.facts import first_layer_of, histories_of
from scripts import options


@click.command(help=options.paragraphs(__doc__))
@options.model
@options.file("--curves", "models/student-validation.joblib")
@options.file("--folder", "docs/images")
def main(model: Path, curves: Path, folder: Path) -> None:
    history, *_ = histories_of(load_model(curves))
    weights = first_layer_of(load_model(model))
    assert weights is not None
    save_figure(plot_training(history), folder / "training.png")
    save_figure(plot_first_layer(weights), folder / "first-layer.png")
    print(f"{folder / 'training.png'}, {folder / 'first-layer.png'}")
