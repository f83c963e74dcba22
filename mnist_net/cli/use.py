"""``mnist-net use``."""

import click

from mnist_net.cli.shared import echo_line, epilog, quiet_option


@click.command(epilog=epilog("use shipped", "use latest", "use models/committee.joblib"))
@click.argument("model", metavar="shipped|latest|MODEL")
@quiet_option
def use(model: str) -> None:
    """Settle which model answers in this folder.

    It is the one that ships, the latest that was trained here (as if nothing had been settled), or
    a file. A model that is named with --model or MNIST_NET_MODEL goes before it.
    """
    from mnist_net.trained.store import use_model

    echo_line(f"{use_model(model)} answers from now on")
