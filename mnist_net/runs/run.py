"""What a training run starts from: labelled pictures, made ready by a recipe."""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mnist_net.arrays import IMAGE_SHAPE, Array, Bytes, Labels
from mnist_net.datasets.dataset import Dataset, split
from mnist_net.datasets.drawn import draw_digits
from mnist_net.datasets.loading import DATASET_NAMES
from mnist_net.errors import DataError
from mnist_net.learning.minibatches import Batch, Teacher, one_hot
from mnist_net.learning.network import Parameters, map_arrays
from mnist_net.learning.recipe import Hyperparameters
from mnist_net.learning.scaling import SCALINGS, Scaling
from mnist_net.learning.training import Progress, beginning
from mnist_net.trained.committee import Committee, Predictor
from mnist_net.trained.contents import arrays_of, digest_of
from mnist_net.trained.model import Model


@dataclass(frozen=True, slots=True)
class Run:
    """What a training run starts from.

    Attributes
    ----------
    hyperparameters
        The recipe.
    training, validation
        Scaled inputs and one-hot targets, float32; validation is None if nothing is held out.
    pixels
        Indices of the pixels that are inputs: those that are not black on every training picture,
        or all if the pictures are distorted.  The others would teach nothing, and the weights that
        a model has from them are 0.
    classes
        Labels in the order of the network's outputs.
    scaling
        From pixels to inputs.
    data
        Name, digest and location of the data set.
    base
        The model whose weights it begins with, in place of random ones.
    teacher
        The model or committee that has a part in the targets.
    """

    hyperparameters: Hyperparameters
    training: Batch
    validation: Batch | None
    pixels: npt.NDArray[np.intp]
    classes: npt.NDArray[np.int64]
    scaling: Scaling
    data: dict[str, Any]
    base: Model | None = None
    teacher: Predictor | None = None

    def identity(self) -> dict[str, Any]:
        """What must not change between the parts of an interrupted run."""
        return {
            "hyperparameters": self.hyperparameters.as_dict(),
            "digest": self.data["digest"],
            "base": self.base and digest_of(arrays_of(self.base.parameters)),
            "teacher": self.teacher and teacher_facts(self.teacher),
        }

    def asked(self) -> Teacher | None:
        """What the teacher says of inputs of this run; None if there is no teacher."""
        teacher = self.teacher
        if teacher is None:
            return None

        def ask(X: Array) -> Array:
            images = np.zeros((len(X), math.prod(IMAGE_SHAPE)), np.float32)
            images[:, self.pixels] = self.scaling.undo(X)
            return teacher.probabilities_of(images)

        return ask

    def parameters_of(self, model: Model) -> Parameters:
        """A model's parameters, of which the first weights are those from the run's pixels."""
        first, *others = model.parameters
        return (first._replace(weights=first.weights[self.pixels]), *others)

    def start(self) -> Progress | None:
        """Before the first epoch, with the weights of the base; None for random ones.

        A teacher's temperature is that of the logits to learn, and so those of the base are
        divided by it at once.
        """
        if self.base is None:
            return None
        *others, last = self.parameters_of(self.base)
        if self.teacher:
            scale = np.float32(1.0 / self.hyperparameters.teacher_temperature)
            (last,) = map_arrays(lambda array: scale * array, (last,))
        return beginning((*others, last), self.hyperparameters)

    def with_seeds(self, n: int) -> "tuple[Run, ...]":
        """The same run so many times, with seeds from its own up."""
        seed = self.hyperparameters.random_state
        recipes = (replace(self.hyperparameters, random_state=seed + k) for k in range(n))
        return tuple(replace(self, hyperparameters=recipe) for recipe in recipes)


def teacher_facts(teacher: Predictor) -> dict[str, Any]:
    """Which teacher it is, in plain values: its networks, and a digest of their weights."""
    members = teacher.members if isinstance(teacher, Committee) else (teacher,)
    return {
        "networks": [
            {
                "layer_sizes": list(member.architecture.layer_sizes),
                "activations": list(member.architecture.activations),
                "digest": digest_of(arrays_of(member.parameters)),
            }
            for member in members
        ],
        "preset": teacher.metadata.get("preset"),
    }


def recipe_from_model(model: Model, hyperparameters: Hyperparameters) -> Hyperparameters:
    """A recipe with the layers, the activation and the loss of a model to go on from."""
    architecture = model.architecture
    return replace(
        hyperparameters,
        hidden_layer_sizes=architecture.layer_sizes[1:-1],
        activation=(architecture.activations[:-1] or (hyperparameters.activation,))[0],
        loss=architecture.loss,
    )


def recipe_for(dataset: Dataset, hyperparameters: Hyperparameters) -> Hyperparameters:
    """Leave drawn digits out of a recipe, unless the data set's classes are known to be digits."""
    known = dataset.name in DATASET_NAMES
    return hyperparameters if known else replace(hyperparameters, drawn_digits=0)


def prepare(
    dataset: Dataset,
    hyperparameters: Hyperparameters,
    source: str = "auto",
    *,
    base: Model | None = None,
    teacher: Predictor | None = None,
) -> Run:
    """Make a training run's arrays from pictures, of which the last `validation` are held out.

    The source is what `load_dataset` was asked for; if it was a path, the data are found there
    again.  A model to go on from brings its classes and its scaling; see `Run.start`.  A teacher
    must know the same classes, and has the recipe's `teacher_weight`.

    Raises
    ------
    DataError
        If nothing is left to train on, there are labels that the model does not know, or the
        teacher knows others.
    ValueError
        If there is a teacher without weight, or a weight without teacher.
    """
    if (teacher is None) != (hyperparameters.teacher_weight == 0.0):
        raise ValueError("a teacher needs a teacher_weight above 0, and that needs a teacher")
    n_train = len(dataset.images) - hyperparameters.validation
    if n_train < 1:
        raise DataError(
            f"{dataset.name} has {len(dataset.images):,} training pictures: too few to hold "
            f"{hyperparameters.validation:,} out for validation"
        )
    kept, held_out = split(dataset, n_train)
    scaling = base.scaling if base else SCALINGS[hyperparameters.scaling](kept.images)
    classes = base.classes if base else np.unique(dataset.labels)
    if unknown := sorted(set(dataset.labels.tolist()) - set(classes.tolist())):
        raise DataError(f"{dataset.name} has labels that the model does not know: {unknown}")
    if teacher and teacher.classes.tolist() != classes.tolist():
        raise DataError(
            f"the teacher knows the classes {teacher.classes.tolist()}, and {dataset.name} has "
            f"{classes.tolist()}: name a teacher that was trained on the same"
        )
    images, labels = _with_drawn_digits(kept, classes, hyperparameters)
    # Distortion moves ink to where there was none.
    keep_all = bool(hyperparameters.distortion) or not images.any()
    pixels = np.flatnonzero(images.any(axis=0) | keep_all)

    def batch(images: Bytes, labels: Labels) -> Batch:
        targets = one_hot(np.searchsorted(classes, labels), len(classes))
        return Batch(scaling.apply(images.reshape(len(images), -1).take(pixels, axis=1)), targets)

    return Run(
        hyperparameters,
        batch(images, labels),
        batch(held_out.images, held_out.labels) if hyperparameters.validation else None,
        pixels,
        classes.astype(np.int64),
        scaling,
        {
            "name": dataset.name,
            "digest": dataset.digest,
            "location": dataset.name if source in DATASET_NAMES else str(Path(source).resolve()),
            "n_train": n_train,
        },
        base,
        teacher,
    )


def _with_drawn_digits(
    dataset: Dataset, classes: Labels, hyperparameters: Hyperparameters
) -> tuple[Bytes, Labels]:
    n = min(hyperparameters.drawn_digits, len(dataset.images) // 3)  # a seasoning, not the meal
    if not n:
        return dataset.images, dataset.labels
    drawn, digits = draw_digits(n, hyperparameters.random_state)
    known = np.isin(digits, classes)
    return (
        np.concatenate([dataset.images, drawn[known]]),
        np.concatenate([dataset.labels, digits[known]]),
    )
