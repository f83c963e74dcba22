"""``python -m mnist_net`` is ``mnist-net``."""

from mnist_net.cli import main

main(prog_name="mnist-net")
