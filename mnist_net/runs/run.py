"""What a training run starts from: labelled pictures, made ready by a recipe."""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mnist_net.arrays import IMAGE_SHAPE, Array, Labels
from mnist_net.datasets.dataset import Dataset, split
from mnist_net.datasets.drawn import draw_digits
from mnist_net.datasets.loading import DATASET_NAMES
from mnist_net.datasets.shards import Shards, Statistics
from mnist_net.errors import DataError
from mnist_net.learning.distortion import DISTORTIONS
from mnist_net.learning.minibatches import Batch, Examples, Teacher
from mnist_net.learning.network import Parameters, map_arrays
from mnist_net.learning.recipe import Hyperparameters
from mnist_net.learning.scaling import SCALINGS, Pixels, Scaling
from mnist_net.learning.training import Progress, beginning
from mnist_net.runs.streaming import Preparation, Stream
from mnist_net.trained.committee import Predictor
from mnist_net.trained.contents import arrays_of, digest_of
from mnist_net.trained.facts import networks_of
from mnist_net.trained.model import Model


@dataclass(frozen=True, slots=True)
class Run:
    """What a training run starts from.

    Attributes
    ----------
    hyperparameters
        The recipe.
    training, validation
        Scaled inputs and one-hot targets, float32; in memory, or a `Stream` of what is on disk.
        Validation is None if nothing is held out.
    pixels
        Indices of the pixels that are inputs: those that are not black on every training picture,
        or all if the pictures are normalized or distorted.  The others would teach nothing, and the
        weights that a model has from them are 0.
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
    dataset
        The pictures, also those that are held out.
    """

    hyperparameters: Hyperparameters
    training: Examples
    validation: Batch | None
    pixels: npt.NDArray[np.intp]
    classes: npt.NDArray[np.int64]
    scaling: Scaling
    data: dict[str, Any]
    base: Model | None
    teacher: Predictor | None
    dataset: Dataset | Shards

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

    @property
    def rows(self) -> npt.NDArray[np.intp] | slice:
        """Rows of a model's first weights that are from the run's pixels; all, if shared."""
        return slice(None) if self.hyperparameters.feature_maps else self.pixels

    def parameters_of(self, model: Model) -> Parameters:
        """A model's parameters, of which the first weights are those from the run's pixels."""
        first, *others = model.parameters
        return (first._replace(weights=first.weights[self.rows]), *others)

    def start(self) -> Progress | None:
        """Before the first epoch, with the weights of the base; None for random ones.

        A teacher's temperature is that of the logits to learn, as far as the teacher's part goes,
        and so those of the base are divided by it at once.
        """
        if self.base is None:
            return None
        *others, last = self.parameters_of(self.base)
        if self.teacher:
            recipe = self.hyperparameters
            scale = np.float32(recipe.teacher_temperature**-recipe.teacher_weight)
            (last,) = map_arrays(lambda array: scale * array, (last,))
        return beginning((*others, last), self.hyperparameters)

    def with_seeds(self, n: int) -> "tuple[Run, ...]":
        """The same run so many times, with seeds from its own up."""
        seed = self.hyperparameters.random_state
        recipes = (replace(self.hyperparameters, random_state=seed + k) for k in range(n))
        return tuple(replace(self, hyperparameters=recipe) for recipe in recipes)


def teacher_facts(teacher: Predictor) -> dict[str, Any]:
    """Which teacher it is, in plain values: its networks, and a digest of their weights."""
    return {
        "networks": [
            {
                "layer_sizes": list(member.architecture.layer_sizes),
                "activations": list(member.architecture.activations),
                "digest": digest_of(arrays_of(member.parameters)),
            }
            for member in networks_of(teacher)
        ],
        "preset": teacher.metadata.get("preset"),
    }


def recipe_from_model(model: Model, hyperparameters: Hyperparameters) -> Hyperparameters:
    """A recipe with the layers, activation, loss and normalization of a model to go on from."""
    architecture = model.architecture
    return replace(
        hyperparameters,
        hidden_layer_sizes=architecture.layer_sizes[1 + len(architecture.feature_maps) : -1],
        feature_maps=architecture.feature_maps,
        activation=(architecture.activations[:-1] or (hyperparameters.activation,))[0],
        loss=architecture.loss,
        normalization=model.scaling.normalization,
    )


def recipe_for(dataset: Dataset | Shards, hyperparameters: Hyperparameters) -> Hyperparameters:
    """Leave drawn digits out of a recipe, unless the data set's classes are known to be digits."""
    known = dataset.name in DATASET_NAMES
    return hyperparameters if known else replace(hyperparameters, drawn_digits=0)


def prepare(
    dataset: Dataset | Shards,
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
        If nothing is left to train on, there are labels that the model does not know, the teacher
        knows others, or a run with a teacher normalizes.
    ValueError
        If there is a teacher without weight, or a weight without teacher.
    """
    if (teacher is None) != (hyperparameters.teacher_weight == 0.0):
        raise ValueError("a teacher needs a teacher_weight above 0, and that needs a teacher")
    kept, held_out = _hold_out(dataset, hyperparameters)
    classes = base.classes if base else np.unique(dataset.labels).astype(np.int64)
    _check_classes(dataset, classes, teacher)
    # On disk, one pass over the pictures finds out all that is asked of them.
    pictures = kept.statistics() if isinstance(kept, Shards) else kept.images
    scaling = base.scaling if base else _scaling_for(pictures, hyperparameters)
    if teacher and scaling.normalization != "none":
        raise DataError(
            "a teacher looks at the pictures as they are, and a run that normalizes them has none "
            "to show: normalization must be none"
        )
    kept = _with_drawn_digits(kept, classes, hyperparameters)
    inked = pictures.inked if isinstance(pictures, Statistics) else _inked(kept)
    # Normalization and distortion move ink to where there was none; squares need whole pictures.
    moved = scaling.normalization != "none" or bool(hyperparameters.distortion)
    all_count = moved or bool(hyperparameters.feature_maps) or not inked.any()
    pixels = np.flatnonzero(inked | all_count)
    preparation = Preparation(scaling, pixels, classes)
    return Run(
        hyperparameters,
        Stream(kept, preparation)
        if isinstance(kept, Shards)
        else preparation.examples(kept.images, kept.labels),
        preparation.examples(*held_out[:2]) if hyperparameters.validation else None,
        *(pixels, classes, scaling),
        {
            "name": dataset.name,
            "digest": dataset.digest,
            "location": dataset.name if source in DATASET_NAMES else str(Path(source).resolve()),
            "n_train": len(dataset.labels) - hyperparameters.validation,
        },
        base,
        teacher,
        dataset,
    )


def _scaling_for(pictures: Pixels, hyperparameters: Hyperparameters) -> Scaling:
    """How a recipe makes inputs of pixels, when it learns from these pictures."""
    scaling = SCALINGS[hyperparameters.scaling](pictures)
    return scaling._replace(normalization=hyperparameters.normalization)


def prepared_for(hyperparameters: Hyperparameters) -> Hyperparameters:
    """What `prepare` looks at of a recipe: a run of one will do for all that are alike in it."""
    return Hyperparameters(
        scaling=hyperparameters.scaling,
        normalization=hyperparameters.normalization,
        drawn_digits=hyperparameters.drawn_digits,
        validation=hyperparameters.validation,
        random_state=hyperparameters.random_state,
        feature_maps=hyperparameters.feature_maps and (1,),
        distortion=DISTORTIONS["both" if hyperparameters.distortion else "none"],
        teacher_weight=hyperparameters.teacher_weight,
    )


def _hold_out(
    dataset: Dataset | Shards, hyperparameters: Hyperparameters
) -> tuple[Dataset | Shards, Dataset]:
    """Pictures to train on, and the last ones, to validate on, in memory."""
    n_train = len(dataset.labels) - hyperparameters.validation
    if n_train < 1:
        raise DataError(
            f"{dataset.name} has {len(dataset.labels):,} training pictures: too few to hold "
            f"{hyperparameters.validation:,} out for validation"
        )
    return dataset.split(n_train) if isinstance(dataset, Shards) else split(dataset, n_train)


def _check_classes(dataset: Dataset | Shards, classes: Labels, teacher: Predictor | None) -> None:
    if unknown := sorted({*np.unique(dataset.labels).tolist()} - {*classes.tolist()}):
        raise DataError(f"{dataset.name} has labels that the model does not know: {unknown}")
    if teacher and teacher.classes.tolist() != classes.tolist():
        raise DataError(
            f"the teacher knows the classes {teacher.classes.tolist()}, and {dataset.name} has "
            f"{classes.tolist()}: name a teacher that was trained on the same"
        )


def _with_drawn_digits(
    dataset: Dataset | Shards, classes: Labels, hyperparameters: Hyperparameters
) -> Dataset | Shards:
    # A seasoning, not the meal.
    n = min(hyperparameters.drawn_digits, len(dataset.labels) // 3)
    if not n:
        return dataset
    if isinstance(dataset, Shards):
        raise DataError(
            f"{dataset.name} is streamed, and drawn digits only join pictures in memory: leave out "
            "--drawn-digits"
        )
    drawn, digits = draw_digits(n, hyperparameters.random_state)
    known = np.isin(digits, classes)
    return dataset._replace(
        images=np.concatenate([dataset.images, drawn[known]]),
        labels=np.concatenate([dataset.labels, digits[known]]),
    )


def _inked(dataset: Dataset | Shards) -> npt.NDArray[np.bool_]:
    """Whether each pixel is not black on all pictures."""
    if isinstance(dataset, Shards):
        return dataset.statistics().inked
    return np.asarray(dataset.images.any(axis=0))
