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
    try:
        main(prog_name="mnist-net")
    finally:
        # An interrupt that came while a text was executed, as where a named tuple is made, Python
        # still holds for unhandled and would end by the signal; the next text makes it forget.
        exec("")


if __name__ == "__main__":
    run()
