"""Networks that are made once and kept: deep ones that teach, and the members of a committee."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from mnist_net import PRESETS, Hyperparameters, load_model, save_model
from mnist_net.datasets.dataset import Splits
from mnist_net.errors import MnistNetError
from mnist_net.learning.distortion import Distortion
from mnist_net.runs.run import prepare
from mnist_net.trained.model import Model
from scripts.release.network import train_model

ACCURATE = replace(PRESETS["accurate"], validation=0, patience=None)

DEEP = replace(ACCURATE, activation="relu", learning_rate=1e-3, epochs=60, distortion_fade=1 / 3)
SHARED = replace(PRESETS["convolutional"], validation=0, patience=None, drawn_digits=0)
"""With layers of shared weights."""

_STRONGER = Distortion(
    rotation=12.0, scale=0.15, shear=0.15, shift=1.0, elastic=1.3, smoothness=5.0
)

TEACHERS = {
    "deep-wide.joblib": replace(DEEP, hidden_layer_sizes=(1500, 750), random_state=11),
    "deep-three.joblib": replace(
        DEEP, hidden_layer_sizes=(1000, 1000, 500), distortion=_STRONGER, random_state=12
    ),
}
"""The student's, by the name of the model file."""

SHARED_TEACHERS = {"shared-relu.joblib": replace(SHARED, random_state=21)}
"""Another student's: it is a member of a committee too."""


def member(name: str, recipe: Hyperparameters, splits: Splits, folder: Path) -> Model:
    """A network as it is stored, trained if it is not there."""
    path = folder / "models" / name
    if not path.exists():
        run = prepare(splits.train, recipe, splits.train.name)
        preset = "convolutional" if recipe.feature_maps else "accurate"
        save_model(train_model(run, folder, path.stem, preset), path, dtype=np.float16)
    model = load_model(path)
    # What it does not name is younger than it, and had its default.
    learnt = Hyperparameters().as_dict() | model.metadata["hyperparameters"]
    if not isinstance(model, Model) or learnt != recipe.as_dict():
        raise MnistNetError(
            f"{path} is not what its recipe says: move it away, and it is made anew"
        )
    return model
