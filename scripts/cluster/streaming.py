"""Peak memory and speed of training on digits that are streamed from disk.

    python -m scripts.cluster streaming --times 135 --scratch /data/shards

MNIST's 60,000 training pictures are written so many times, each time distorted anew: 135 times are
8.1 million, as many as infimnist's files have.  Then a network makes one pass over them, as a
process of its own, whose peak memory Linux tells.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click

from scripts import options
from scripts.records import ROOT, read_json, stamp, write_json

RESULTS = Path("results", "cluster.json")


# Not getrusage's figure, in which is what the process that started this one had.
_PROGRAM = """
import re, sys
from pathlib import Path
from mnist_net.cli import main
try:
    main(sys.argv[1:], prog_name="mnist-net")
finally:
    print("peak", re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1], "kB")
"""


def measured(*arguments: object) -> tuple[float, float, str]:
    """Seconds, peak memory in MB, and stdout, of a command of ours that ends well."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *map(str, arguments)],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise click.ClickException(f"it ended with status {done.returncode}")
    (peak,) = re.findall(r"peak (\d+) kB", done.stdout)
    return time.perf_counter() - began, int(peak) * 1024 / 1e6, done.stdout


def keep(folder: Path, name: str, figures: dict[str, Any]) -> None:
    """Put figures into the results, under their name."""
    path = folder / RESULTS
    write_json(path, {**read_json(path), name: {**stamp(), **figures}})
    click.echo(f"{name}: {figures}")


@click.command()
@options.dataset
@options.folder
@click.option("--times", default=135, show_default=True, help="How often MNIST is written.")
@click.option("--scratch", type=Path, required=True, help="Folder for the shards, removed after.")
@click.option("--hidden", default="300", show_default=True)
def streaming(dataset: str, folder: Path, times: int, scratch: Path, hidden: str) -> None:
    """Measure one pass over digits on disk."""
    try:
        writing, _, wrote = measured(
            "augment", "--output", scratch, "--times", times, "--dataset", dataset
        )
        n_bytes = sum(file.stat().st_size for file in scratch.iterdir())
        recipe = (
            "--preset",
            "plain",
            "--hidden",
            hidden,
            "--batch-size",
            256,
            "--epochs",
            1,
            *("--warmup-epochs", 0.02),
        )
        model = scratch / "model.joblib"
        seconds, peak, said = measured("train", "--dataset", scratch, *recipe, "--output", model)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    n = times * int(re.findall(r"× ([\d,]+) training", wrote)[0].replace(",", ""))
    (training,) = re.findall(r"training time +([\d.]+)", said)
    figures = {
        "pictures": n,
        "bytes_on_disk": n_bytes,
        "hidden": hidden,
        "seconds_writing": round(writing, 1),
        "seconds_of_the_command": round(seconds, 1),
        "seconds_of_the_epoch": float(training),
        "peak_memory_mb": round(peak, 1),
    }
    keep(folder, f"streaming {n:,}", figures)
