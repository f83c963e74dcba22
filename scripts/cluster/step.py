"""What a step costs whose gradients are computed in parts, by two workers on this machine.

And what the journey costs that a network makes for each epoch on a cluster, there and back.

    python -m scripts.cluster step

The whole minibatch is computed by this process on one thread, for comparison. Nothing goes over a
network here: what would, is counted in bytes.
"""

import os
import pickle
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from threadpoolctl import threadpool_limits

from mnist_net.cluster import Cluster, connected
from mnist_net.learning.minibatches import one_hot
from mnist_net.learning.network import (
    Architecture,
    initialize,
    loss_and_gradients,
    map_arrays,
)
from mnist_net.learning.optimizers import OPTIMIZERS
from mnist_net.learning.presets import PRESETS
from mnist_net.learning.sharding import Gradients
from mnist_net.learning.training import Epoch, Progress, classifier
from mnist_net.runs.elsewhere import gradients_elsewhere
from scripts import options
from scripts.cluster.processes import workers
from scripts.cluster.streaming import keep

_SIZES: dict[str, tuple[tuple[int, ...], int]] = {
    "784-10, batch 256": ((784, 10), 256),
    "784-800-10, batch 256": ((784, 800, 10), 256),
    "784-2500-2000-1500-1000-500-10, batch 256": ((784, 2500, 2000, 1500, 1000, 500, 10), 256),
    "784-2500-2000-1500-1000-500-10, batch 1024": ((784, 2500, 2000, 1500, 1000, 500, 10), 1024),
}


def problem(sizes: tuple[int, ...], n: int) -> tuple[Any, ...]:
    """Arguments of `loss_and_gradients`."""
    n_hidden = len(sizes) - 2
    activations = ("sigmoid",) * n_hidden + ("identity",)
    architecture = Architecture(sizes, activations, "softmax-cross-entropy")
    random = np.random.default_rng(0)
    parameters = initialize(architecture, random, dtype=np.float32)
    X = random.random((n, sizes[0]), np.float32)
    return parameters, architecture, X, one_hot(random.integers(0, 10, n), 10)


def seconds(gradients_of: Gradients, arguments: tuple[Any, ...], rounds: int) -> float:
    """Median of so many steps, after one."""

    def once() -> float:
        began = time.perf_counter()
        gradients_of(*arguments)
        return time.perf_counter() - began

    return statistics.median([once() for _ in range(rounds + 1)][1:])


def measured(arguments: tuple[Any, ...], spread: Callable[[int], Gradients], rounds: int) -> Any:
    """Milliseconds of a step in one piece, and in parts; and the bytes of the parameters."""
    parameters = arguments[0]
    n_bytes = sum(array.nbytes for layer in parameters for array in layer if array is not None)
    whole = seconds(loss_and_gradients, arguments, rounds)
    return {
        "parameters_mb": round(n_bytes / 1e6, 2),
        "whole_ms": round(1e3 * whole, 2),
        "one_part_ms": round(1e3 * seconds(spread(1), arguments, rounds), 2),
        "two_parts_ms": round(1e3 * seconds(spread(2), arguments, rounds), 2),
    }


def there_and_back(_: None, progress: Progress) -> Progress:
    """On a worker: nothing."""
    return progress


def journey(cluster: Cluster, n_hidden: int, rounds: int) -> Any:
    """Milliseconds for which a network travels, with AdamW's moments, and its megabytes one way."""
    recipe = replace(PRESETS["default"], hidden_layer_sizes=(n_hidden,))
    random = np.random.default_rng(0)
    start = initialize(classifier(784, 10, recipe), random, dtype=np.float32)
    state = OPTIMIZERS[recipe.optimizer].start(start)
    moments = tuple(map_arrays(np.copy, moment) for moment in state.moments)  # not one array twice
    epoch = Epoch(0, start, state._replace(moments=moments))
    progress, each = Progress(epoch, epoch, ()), cluster.sharing(None)
    n_bytes = len(pickle.dumps(progress))

    def once() -> float:
        began = time.perf_counter()
        list(each(there_and_back, [(progress,)]))
        return time.perf_counter() - began

    seconds = statistics.median([once() for _ in range(rounds + 1)][1:])
    return {"one_way_mb": round(n_bytes / 1e6, 1), "there_and_back_ms": round(1e3 * seconds, 1)}


@click.command()
@options.folder
@options.trial
@click.option("--rounds", default=3, show_default=True)
def step(folder: Path, trial: bool, rounds: int) -> None:
    """Measure a step whose gradients are computed in parts."""
    figures: dict[str, Any] = {}
    with (
        threadpool_limits(1, user_api="blas"),
        workers(2) as address,
        connected(address) as cluster,
    ):
        for name, (sizes, n) in list(_SIZES.items())[: 2 if trial else None]:
            figures[name] = measured(
                problem(sizes, n), lambda parts: gradients_elsewhere(cluster, parts), rounds
            )
        for n_hidden in (800, 2500):
            figures[f"journey of 784-{n_hidden}-10"] = journey(cluster, n_hidden, rounds)
    keep(folder, "step", {**figures, "load": round(os.getloadavg()[0], 1)})
