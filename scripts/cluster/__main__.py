"""The commands of this folder: see `python -m scripts.cluster --help`."""

import scripts.cluster
from scripts.cluster.speedup import speedup
from scripts.cluster.step import step
from scripts.cluster.streaming import streaming
from scripts.options import studies

main = studies(scripts.cluster.__doc__, streaming=streaming, workers=speedup, step=step)

if __name__ == "__main__":
    main(prog_name="python -m scripts.cluster")
