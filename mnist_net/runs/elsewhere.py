"""Training on a cluster: a task is one epoch of one network.

The network travels to a worker and back, which costs little beside an epoch, and so each epoch is
seen, and saved, where the training was started: whatever machine is lost, at most an epoch of each
network is computed again.  The pictures stay where they are: a worker has them, by their digest, in
its own data home or at the same path as here; or else they are sent to every worker, once.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from mnist_net.arrays import MNIST_DIGEST
from mnist_net.cluster import Cluster, Each
from mnist_net.datasets.dataset import Dataset
from mnist_net.datasets.loading import open_dataset
from mnist_net.datasets.shards import Shards
from mnist_net.errors import ClusterError, DataError
from mnist_net.learning.network import Parameters, loss_and_gradients
from mnist_net.learning.recipe import Hyperparameters
from mnist_net.learning.sharding import Gradients, sharded
from mnist_net.learning.training import Progress, train
from mnist_net.runs.run import Run, prepare, prepared_for
from mnist_net.trained.committee import Predictor
from mnist_net.trained.model import Model


class _Order(NamedTuple):
    """From which a worker makes the run that is meant, with or without its pictures."""

    pictures: Dataset | None
    digest: str
    location: str
    hyperparameters: Hyperparameters
    base: Model | None
    teacher: Predictor | None


def train_elsewhere(
    cluster: Cluster, runs: Sequence[Run], starts: Sequence[Progress | None]
) -> Iterator[tuple[Progress | None, ...]]:
    """`train_together` on a cluster.

    The runs differ in their seeds only.  What is yielded is, to the bit, what one machine of the
    workers' kind would yield.
    """
    each, reached = _shared(cluster, runs[0]), tuple(starts)
    recipes = [run.hyperparameters for run in runs]
    while any(advanced := [*each(_advance, zip(recipes, reached, strict=True))]):
        reached = tuple(new or old for new, old in zip(advanced, reached, strict=True))
        yield reached


def gradients_elsewhere(cluster: Cluster, n: int) -> Gradients:
    """The loss and the gradients of a minibatch, of which workers compute so many parts.

    The parameters and a part of the minibatch travel to each, and its gradients come back, in every
    step: docs/many-machines.md says when that pays.
    """
    each = cluster.sharing(None)
    return sharded(n, partial(each, _gradients))


def _gradients(_: None, *arguments: Any) -> tuple[float, Parameters]:
    """On a worker: of a part of a minibatch."""
    return loss_and_gradients(*arguments)


def _shared(cluster: Cluster, run: Run) -> Each:
    """The run, on every worker: as an order, and with its pictures if one lacks them."""
    data = run.data
    have = cluster.everywhere(_has_pictures, data["digest"], data["location"])
    lacking = [worker for worker, found in have.items() if found is not True]
    pictures = run.dataset if lacking else None
    if isinstance(pictures, Shards):
        raise ClusterError(
            f"the worker at {lacking[0]} has not the pictures of {data['location']}, which are too "
            "many to be sent: put the folder where all workers have it, at the same path"
        )
    order = _Order(
        *(pictures, data["digest"], data["location"]),
        *(prepared_for(run.hyperparameters), run.base, run.teacher),
    )
    return cluster.sharing(order, _prepared)


def _at_hand(digest: str, location: str) -> Dataset | Shards | None:
    """On a worker: the training pictures, if it has them."""
    for name in ["mnist"] * (digest == MNIST_DIGEST) + [location]:
        with suppress(DataError, OSError):
            pictures = open_dataset(name, offline=True).train
            if pictures.digest == digest:
                return pictures
    return None


def _has_pictures(digest: str, location: str) -> bool:
    return _at_hand(digest, location) is not None


def _prepared(order: _Order) -> Run:
    """On a worker, once: the run."""
    pictures = order.pictures or _at_hand(order.digest, order.location)
    if pictures is None:
        raise ClusterError(
            f"a worker that joined later has not the pictures of {order.location}: start again, "
            "and they are sent to it too"
        )
    return prepare(
        pictures, order.hyperparameters, order.location, base=order.base, teacher=order.teacher
    )


def _advance(run: Run, recipe: Hyperparameters, start: Progress | None) -> Progress | None:
    """On a worker: one epoch more, or None at the end."""
    epochs = train(
        run.training,
        recipe,
        validation=run.validation,
        start=start,
        teacher=run.asked(),
        n_threads=1,  # a worker has one core
    )
    return next(epochs, None)
