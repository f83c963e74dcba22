"""The commands of this folder: see `python -m scripts.cluster --help`."""

import scripts.cluster
from scripts.cluster.streaming import streaming
from scripts.options import studies

commands = studies(scripts.cluster.__doc__, streaming=streaming)

if __name__ == "__main__":
    commands(prog_name="python -m scripts.cluster")
