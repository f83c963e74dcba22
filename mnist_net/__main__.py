"""The program ``mnist-net``, also as ``python -m mnist_net``."""

import os
import signal


def run() -> None:
    """Start the command line; Ctrl-C ends it even before it can say so."""
    heard = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if heard:
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    from mnist_net.cli import main

    if heard:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    main(prog_name="mnist-net")


if __name__ == "__main__":
    run()
