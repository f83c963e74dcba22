"""The options that name other machines, and what they stand for."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import click

from mnist_net.cli import options

if TYPE_CHECKING:
    from mnist_net.cluster import Cluster


def cluster_options(work: str) -> options.Decorator:
    """``--backend`` and ``--scheduler``, for the work that the help says."""
    return options.together(
        click.option("--backend", type=click.Choice(["dask"]), help=f"Whose workers {work}."),
        click.option(
            "--scheduler",
            metavar="ADDRESS",
            help="Where the backend's scheduler is, as in tcp://10.0.0.1:8786; needs [cluster].",
        ),
    )


def cluster_of(backend: str | None, scheduler: str | None) -> "Opened":
    """Where the options lead; to no cluster if they are not given.

    An address of no characters, of a variable that is not set, is none.
    """
    if bool(backend) != bool(scheduler):
        raise click.UsageError("--backend dask and --scheduler ADDRESS go together")
    if not scheduler:
        return nullcontext
    from mnist_net.cluster import connected

    return lambda: connected(scheduler)


Opened = Callable[[], "AbstractContextManager[Cluster | None]"]
