"""Whether `mnist-net predict FOLDER` has a better choice of threads than its own.

    python -m scripts.speed.folders FOLDER ...   # some minutes; prints a table

Each folder is read by default, and with 1 and 2 BLAS threads asked for by hand; they take turns.
"Default / best" is the median of the paired ratios; the first answer counts from the start of the
process.
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import click

from scripts.records import table

CHOICES: dict[str, dict[str, str]] = {
    "default": {},
    "1 thread": {"OPENBLAS_NUM_THREADS": "1"},
    "2 threads": {"OPENBLAS_NUM_THREADS": "2"},
}


def timed(folder: Path, setting: dict[str, str]) -> tuple[float, float, int]:
    """Seconds to the first answer and to the last one, and how many there are."""
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "mnist_net", "predict", "-q", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **setting},
        text=True,
    ) as process:
        assert process.stdout is not None
        first, n = 0.0, 0
        for n, _ in enumerate(process.stdout, 1):  # noqa: B007
            first = first or time.perf_counter() - began
    return first, time.perf_counter() - began, n


@click.command(help=__doc__)
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--rounds", default=5, show_default=True)
def main(folders: tuple[Path, ...], rounds: int) -> None:
    rows = []
    for folder in folders:
        taken = [{name: timed(folder, s) for name, s in CHOICES.items()} for _ in range(rounds)]
        seconds = {name: statistics.median(one[name][1] for one in taken) for name in CHOICES}
        ratio = statistics.median(
            one["default"][1] / min(one[name][1] for name in list(CHOICES)[1:]) for one in taken
        )
        first = statistics.median(one["default"][0] for one in taken)
        rows.append(
            [
                f"{folder.name} ({taken[0]['default'][2]:,})",
                *(f"{seconds[name]:.2f} s" for name in CHOICES),
                f"{ratio:.2f}",
                f"{first:.2f} s",
            ]
        )
    print(table(["folder", *CHOICES, "default / best", "first answer"], rows))


if __name__ == "__main__":
    main()
