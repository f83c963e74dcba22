"""What an idea changes in what a network learns from, epoch by epoch, or in how it does.

Each lesson takes the examples and the recipe of an epoch, and its number, and gives what the epoch
is to have instead. Those that change distorted pictures distort all of them before the epoch
begins, and leave nothing to distort to the recipe.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PIL import Image

from mnist_net.arrays import Array, Bytes
from mnist_net.learning.activations import ACTIVATIONS
from mnist_net.learning.distortion import Distortion, distort
from mnist_net.learning.losses import LOSSES
from mnist_net.learning.minibatches import Batch
from mnist_net.learning.network import Architecture, Layer, Parameters, forward
from mnist_net.learning.recipe import Hyperparameters
from mnist_net.learning.sharding import Gradients
from mnist_net.learning.training import learning_rate_at, steps_per_epoch

Lesson = Callable[[Batch, Hyperparameters, int], tuple[Batch, Hyperparameters]]

_CHUNK = 1_000  # pictures that are distorted at a time


def smoothed(share: float) -> Lesson:
    """Targets that give so much of their weight to all classes alike."""

    def lesson(data: Batch, recipe: Hyperparameters, _: int) -> tuple[Batch, Hyperparameters]:
        n_classes = data.targets.shape[1]
        targets = (1.0 - share) * data.targets + share / n_classes
        return data._replace(targets=targets.astype(data.targets.dtype)), recipe

    return lesson


def dropped(share: float) -> Lesson:
    """So many of the inputs of distorted pictures are 0, the others as much larger."""

    def lesson(data: Batch, recipe: Hyperparameters, epoch: int) -> tuple[Batch, Hyperparameters]:
        generator, (X, targets, weight), plain = _distorted(data, recipe, epoch)
        X *= generator.random(X.shape, np.float32) >= share
        X /= np.float32(1.0 - share)
        return Batch(X, targets, weight), plain

    return lesson


def mixed(concentration: float) -> Lesson:
    """Each distorted picture with a part of another, and as much of the other's target.

    The part follows Beta(concentration, concentration): Zhang et al. 2018, *mixup: Beyond empirical
    risk minimization*.
    """

    def lesson(data: Batch, recipe: Hyperparameters, epoch: int) -> tuple[Batch, Hyperparameters]:
        generator, (X, targets, weight), plain = _distorted(data, recipe, epoch)
        others = generator.permutation(len(X))
        part = generator.beta(concentration, concentration, (len(X), 1)).astype(np.float32)
        X += part * (X[others] - X)
        return Batch(X, targets + part * (targets[others] - targets), weight), plain

    return lesson


def enlarged(batch_size: int) -> Lesson:
    """Over the last third of the epochs larger minibatches, at the rate that the epoch has midway.

    That their gradients err less is what a falling rate is for, too: Smith et al. 2018, *Don't
    decay the learning rate, increase the batch size*.
    """

    def lesson(data: Batch, recipe: Hyperparameters, epoch: int) -> tuple[Batch, Hyperparameters]:
        if 3 * epoch <= 2 * recipe.epochs:
            return data, recipe
        n_steps = steps_per_epoch(data.n_examples, recipe)
        rate = learning_rate_at(int((epoch - 0.5) * n_steps), n_steps, recipe)
        steady = replace(recipe, schedule="constant", learning_rate=rate, warmup_epochs=0.0)
        return data, replace(steady, batch_size=batch_size)

    return lesson


def units_dropped(share: float, seed: int) -> Gradients:
    """Of one hidden layer so many units are 0 for an example, the others as much larger.

    Srivastava et al. 2014, *Dropout: A simple way to prevent neural networks from overfitting*.
    """
    generator = np.random.default_rng(seed)

    def gradients_of(
        parameters: Parameters, architecture: Architecture, X: Array, targets: Array, *_: object
    ) -> tuple[float, Parameters]:
        hidden = forward(parameters, architecture, X)[1]
        kept = (generator.random(hidden.shape, np.float32) >= share) / np.float32(1.0 - share)
        last = parameters[1]
        assert last.biases is not None
        outputs = (kept * hidden) @ last.weights + last.biases
        loss, delta = LOSSES[architecture.loss].function(outputs, targets, None)
        derivative = ACTIVATIONS[architecture.activations[0]].derivative(hidden)
        error = (delta @ last.weights.T) * kept * derivative
        first = Layer(X.T @ error, error.sum(axis=0))
        return loss, (first, Layer((kept * hidden).T @ delta, delta.sum(axis=0)))

    return gradients_of


def _distorted(
    data: Batch, recipe: Hyperparameters, epoch: int
) -> tuple[np.random.Generator, Batch, Hyperparameters]:
    """A generator for more chance, distorted copies of all pictures, and what is left to do."""
    generator = np.random.default_rng([recipe.random_state, epoch])
    X = np.empty_like(data.X)
    for begin in range(0, len(X), _CHUNK):
        rows = slice(begin, begin + _CHUNK)
        X[rows] = distort(data.X[rows], recipe.distortion, generator)
    return generator, data._replace(X=X), replace(recipe, distortion=Distortion())


def widened(images: Bytes, width: int) -> Bytes:
    """Each digit drawn out, or together, to so many columns (Meier et al. 2011)."""
    changed = np.zeros_like(images)
    side = images.shape[2]
    left = (side - width) // 2
    for image, new in zip(images, changed, strict=True):
        columns = np.flatnonzero(image.any(axis=0))
        if columns.size:
            box = (int(columns[0]), 0, int(columns[-1]) + 1, len(image))
            drawn = Image.fromarray(image).resize((width, side), Image.Resampling.BILINEAR, box)
            new[:, left : left + width] = np.asarray(drawn)
    return changed
