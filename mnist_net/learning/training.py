"""The training loop.

`train` turns a recipe and arrays into a stream of `Progress`, one an epoch.  Nothing here prints,
saves or catches Ctrl-C: that is the caller's loop.  Each epoch's order comes from (random_state,
epoch) alone, and a minibatch's distortion from (random_state, epoch, minibatch); so a run that
resumes after any epoch goes on to the same bits as one that was never interrupted.
"""

import math
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from mnist_net.arrays import keep_freed_memory
from mnist_net.errors import DivergenceError
from mnist_net.learning.convolution import convolutions
from mnist_net.learning.losses import LOSSES
from mnist_net.learning.minibatches import Batch, Examples, Lessons, Teacher
from mnist_net.learning.network import (
    Architecture,
    Parameters,
    initialize,
    loss_and_gradients,
    outputs_of,
)
from mnist_net.learning.optimizers import OPTIMIZERS, SCHEDULES, OptimizerState
from mnist_net.learning.recipe import Hyperparameters
from mnist_net.learning.sharding import Gradients, halved


class Epoch(NamedTuple):
    """The network after an epoch, and all that is needed to go on from there."""

    number: int
    parameters: Parameters
    optimizer_state: OptimizerState


@dataclass(frozen=True, slots=True)
class Progress:
    """A run up to and including its latest epoch.

    Attributes
    ----------
    latest, best
        Epochs; the best is the one of highest validation accuracy (of equal ones the one of
        lower validation loss), or the latest where nothing is held out.
    history
        One dict an epoch: epoch, loss (mean over the epoch's batches, penalty included),
        learning_rate (at its end), seconds, weight_norms and bias_norms (Frobenius, one a layer),
        and validation_loss, validation_accuracy (None without a validation split).
    """

    latest: Epoch
    best: Epoch
    history: tuple[dict[str, Any], ...]

    def chosen(self, hyperparameters: Hyperparameters) -> Epoch:
        """Epoch to keep: the best under early stopping, else the latest."""
        return self.latest if hyperparameters.patience is None else self.best


def beginning(parameters: Parameters, hyperparameters: Hyperparameters) -> Progress:
    """Before the first epoch, with these parameters."""
    epoch = Epoch(0, parameters, OPTIMIZERS[hyperparameters.optimizer].start(parameters))
    return Progress(epoch, epoch, ())


def classifier(n_features: int, n_classes: int, hyperparameters: Hyperparameters) -> Architecture:
    """Architecture that a recipe asks for.

    Raises
    ------
    DataError
        If it has feature maps and the inputs are no square pictures.
    """
    looks_at = convolutions(n_features, hyperparameters.feature_maps)
    maps = zip(looks_at, hyperparameters.feature_maps, strict=True)
    shared = tuple(one.places**2 * n_maps for one, n_maps in maps)
    hidden = (*shared, *hyperparameters.hidden_layer_sizes)
    output = LOSSES[hyperparameters.loss].output_activation
    return Architecture(
        layer_sizes=(n_features, *hidden, n_classes),
        activations=(hyperparameters.activation,) * len(hidden) + (output,),
        loss=hyperparameters.loss,
        convolutions=looks_at,
    )


def steps_per_epoch(n_examples: int, hyperparameters: Hyperparameters) -> int:
    """Updates in one pass over so many examples."""
    return math.ceil(n_examples / hyperparameters.batch_size)


def learning_rate_at(step: int, epoch_steps: int, hyperparameters: Hyperparameters) -> float:
    """Learning rate of the update number `step`, counted from 0, with so many in an epoch."""
    warmup_steps = hyperparameters.warmup_epochs * epoch_steps
    if step < warmup_steps:
        return hyperparameters.learning_rate * (step + 1) / (warmup_steps + 1)
    n_steps = max(hyperparameters.epochs * epoch_steps - warmup_steps, 1)
    factor = SCHEDULES[hyperparameters.schedule]((step - warmup_steps) / n_steps)
    return hyperparameters.learning_rate * factor


def _run_epoch(
    previous: Epoch,
    architecture: Architecture,
    lessons: Lessons,
    gradients_of: Gradients,
    helper: Executor,
) -> tuple[Epoch, float]:
    """One pass over the data: the next epoch and its mean loss."""
    data, hyperparameters = lessons.data, lessons.hyperparameters
    number, parameters, state = previous.number + 1, previous.parameters, previous.optimizer_state
    update = partial(
        OPTIMIZERS[hyperparameters.optimizer].update,
        momentum=hyperparameters.momentum,
        weight_decay=hyperparameters.weight_decay,
    )
    n_steps = steps_per_epoch(data.n_examples, hyperparameters)
    loss_sum, gradients = 0.0, None

    def move() -> tuple[Parameters, OptimizerState]:
        rate = learning_rate_at(state.step, n_steps, hyperparameters)
        return update(parameters, gradients, state, rate)

    for step, batch in enumerate(lessons.of_epoch(number, helper)):
        # Each step's update waits until the helper makes the next minibatch, which takes as long.
        if gradients is not None:
            parameters, state = move()
        X, targets, sample_weight = batch
        loss, gradients = gradients_of(
            parameters, architecture, X, targets, hyperparameters.l2_penalty, sample_weight
        )
        if not math.isfinite(loss):
            raise _divergence(f"the loss is {loss}", number, step + 1, n_steps)
        loss_sum += loss * batch.weight
    parameters, state = move()
    return Epoch(number, parameters, state), loss_sum / data.weight


def _divergence(what: str, epoch: int, step: int, n_steps: int) -> DivergenceError:
    return DivergenceError(
        f"training diverged: {what} in epoch {epoch}, step {step} of {n_steps}; "
        "lower the learning rate (a tenth is a good next try), or scale the inputs to about 1"
    )


def loss_and_accuracy(
    parameters: Parameters, architecture: Architecture, data: Batch | None
) -> tuple[float | None, float | None]:
    """Mean loss without penalty, and accuracy as a fraction; None for no data."""
    if data is None:
        return None, None
    outputs = outputs_of(parameters, architecture, data.X)
    loss, _ = LOSSES[architecture.loss].function(outputs, data.targets, data.sample_weight)
    hits = outputs.argmax(axis=1) == data.targets.argmax(axis=1)
    return loss, float(np.average(hits, weights=data.sample_weight))


def train(
    data: Examples,
    hyperparameters: Hyperparameters,
    *,
    validation: Batch | None = None,
    start: Progress | None = None,
    teacher: Teacher | None = None,
    gradients_of: Gradients | None = None,
    n_threads: int = 2,
) -> Iterator[Progress]:
    """Train a classifier, epoch by epoch.

    Parameters
    ----------
    data
        Examples to learn from; their dtype (float32 or float64) is that of all arithmetic.
    hyperparameters
        The recipe.  Its `validation` is not consulted here: hold out beforehand.
    validation
        Examples to choose the best epoch by.
    start
        Progress to go on from; by default new random weights.
    teacher
        What has the recipe's `teacher_weight` in the targets.
    gradients_of
        What computes a minibatch's loss and gradients, such as `sharding.sharded`; by default this
        machine, where the recipe distorts in halves.
    n_threads
        With 2, both halves at once; with 1 one after the other, to the same bits.

    Yields
    ------
    Progress
        After each epoch.  The last one has all that a caller wants to keep.

    Raises
    ------
    DivergenceError
        If the loss or a parameter is no longer finite; it names epoch and step.
    DataError
        If the recipe distorts and the examples are no square pictures.
    """
    architecture = classifier(*data.sizes, hyperparameters)
    if isinstance(data, Batch):
        # Minibatches are rows; of an array that lies column by column each would copy all of it.
        X, targets = map(np.ascontiguousarray, data[:2])
        data = Batch(X, targets, data.sample_weight)
    keep_freed_memory()
    if start is None:
        parameters = initialize(
            architecture,
            np.random.default_rng(hyperparameters.random_state),
            initialization=hyperparameters.initialization,
            dtype=data.dtype,
        )
        start = beginning(parameters, hyperparameters)
    latest, best, history = start.latest, start.best, start.history
    lessons = Lessons(data, hyperparameters, teacher)
    patience = hyperparameters.patience or math.inf
    while latest.number < hyperparameters.epochs and latest.number - best.number < patience:
        began = time.perf_counter()
        # Overflow is looked for in the loss, once a step, and reported in words; NumPy's own
        # warnings would only come before them.
        with np.errstate(over="ignore", invalid="ignore"), ThreadPoolExecutor(1) as helper:
            halves = halved(helper if n_threads > 1 else None)
            default = halves if hyperparameters.distortion else loss_and_gradients
            latest, loss = _run_epoch(
                latest, architecture, lessons, gradients_of or default, helper
            )
            judged = loss_and_accuracy(latest.parameters, architecture, validation)
            record = _record(latest, hyperparameters, data.n_examples, loss, *judged)
        history = (*history, {**record, "seconds": time.perf_counter() - began})
        if best.number == 0 or _score(record) > _score(history[best.number - 1]):
            best = latest
        yield Progress(latest, best, history)


def _score(record: dict[str, Any]) -> tuple[float, float]:
    """What makes an epoch better: accuracy, then loss; without validation, being later."""
    if record["validation_accuracy"] is None:
        return record["epoch"], 0.0
    return record["validation_accuracy"], -record["validation_loss"]


def _record(
    epoch: Epoch,
    hyperparameters: Hyperparameters,
    n_examples: int,
    loss: float,
    validation_loss: float | None,
    validation_accuracy: float | None,
) -> dict[str, Any]:
    n_steps = steps_per_epoch(n_examples, hyperparameters)
    weight_norms, bias_norms = (
        [0.0 if array is None else float(np.linalg.norm(array)) for array in arrays]
        for arrays in zip(*epoch.parameters, strict=True)
    )
    if not np.isfinite(weight_norms + bias_norms).all():
        raise _divergence("the parameters overflow", epoch.number, n_steps, n_steps)
    return {
        "epoch": epoch.number,
        "loss": loss,
        "validation_loss": validation_loss,
        "validation_accuracy": validation_accuracy,
        "learning_rate": learning_rate_at(epoch.optimizer_state.step - 1, n_steps, hyperparameters),
        "weight_norms": weight_norms,
        "bias_norms": bias_norms,
    }
