"""``mnist-net use``."""

import click

from mnist_net.cli import options
from mnist_net.cli.terminal import echo_line


@options.command("use shipped", "use latest", "use models/committee.joblib")
@click.argument("model", metavar="shipped|latest|MODEL")
@options.quiet
def use(model: str) -> None:
    """Settle which model answers in this folder.

    It is the one that ships, the latest that was trained here, or a file. A model that is named
    with --model or MNIST_NET_MODEL goes before it.
    """
    from mnist_net.trained.store import use_model

    echo_line(f"{use_model(model)} answers from now on")
