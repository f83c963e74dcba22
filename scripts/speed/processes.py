"""Whole processes: starting the command line, and loading MNIST."""

import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mnist_net.datasets.dataset import data_digest
from mnist_net.datasets.loading import load_dataset
from mnist_net.datasets.mnist import MNIST_DIGEST, cache_path, load_mnist
from scripts.records import ROOT, table
from scripts.speed.figures import duration, medians, ratio, times
from scripts.speed.settings import Settings
from scripts.speed.workers import Entry, Trial, alone, take_turns

PICTURE = ROOT / "examples" / "7.png"
LIBRARIES = "numpy, PIL.Image, joblib, click"
_IMPORTS = f"import {LIBRARIES}"


def command_line() -> list[str]:
    """`mnist-net` as it was installed beside this Python, or else as a module."""
    script = Path(sys.executable).with_name("mnist-net")
    return [str(script)] if script.exists() else [sys.executable, "-m", "mnist_net"]


def commands(settings: Settings) -> dict[str, list[str]]:
    """What is started."""

    def python(code: str) -> list[str]:
        return [sys.executable, "-c", code]

    found = {
        "python, nothing": python("pass"),
        _IMPORTS: python(_IMPORTS),
        "mnist-net --help": [*command_line(), "--help"],
        "mnist-net predict": [*command_line(), "predict", str(PICTURE)],
    }
    for module, package in (("sklearn.neural_network", "sklearn"), ("torch", "torch")):
        if settings.has(package):
            found[f"import {module}"] = python(f"import {module}")
    return found


def run_command(command: Sequence[str]) -> None:
    """To its end, without showing what it says."""
    # An installed package has its bytecode: without leave to keep it, ours alone would be compiled
    # each time.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")


def process(command: Sequence[str]) -> Trial:
    """From its start to its end."""
    return Trial(functools.partial(run_command, command), {})


def measure_startup(settings: Settings) -> Iterator[dict[str, Any]]:
    """Each command, again and again."""
    made = {name: Entry(process, (command,)) for name, command in commands(settings).items()}
    rounds = settings.rounds if settings.quick else 4 * settings.rounds
    outcomes = take_turns(made, rounds, settings.threads)
    seconds = {name: outcome.seconds for name, outcome in outcomes.items()}
    middle = medians(seconds)
    for name, rounds_ in seconds.items():
        yield {
            "command": name,
            "seconds": rounds_,
            "median": middle[name],
            "over_imports": ratio(seconds, name, _IMPORTS),
            "over_predict": ratio(seconds, name, "mnist-net predict"),
        }


def startup_table(rows: list[dict[str, Any]]) -> str:
    """Medians, beside the bare imports and beside ours."""
    return table(
        ["whole process", "seconds", "over the four imports", "over mnist-net predict"],
        (
            [
                row["command"],
                duration(row["median"]),
                times(row["over_imports"]),
                times(row["over_predict"]),
            ]
            for row in rows
        ),
    )


# --- loading -----------------------------------------------------------------------------------


def write_cache(dataset: str, data_home: str) -> Trial:
    """Write our cache from a data set, if that is MNIST; True if it is."""

    def run() -> bool:
        train, test = load_dataset(dataset)
        images = np.concatenate([train.images, test.images])
        labels = np.concatenate([train.labels, test.labels])
        if data_digest(images, labels) != MNIST_DIGEST:
            return False
        path = cache_path(Path(data_home))
        path.parent.mkdir(parents=True)
        np.savez(path, images=images, labels=labels)
        return True

    return Trial(run, {})


def from_our_cache(data_home: str) -> Trial:
    """`load_mnist()`, its digest included."""

    def run() -> None:
        load_mnist(Path(data_home), offline=True)

    return Trial(run, {})


def from_openml_cache(data_home: str, parser: str) -> Trial:
    """`fetch_openml()` by one of its two parsers."""
    from sklearn.datasets import fetch_openml

    def run() -> None:
        fetch_openml("mnist_784", version=1, as_frame=False, parser=parser, data_home=data_home)

    return Trial(run, {})


def measure_loading(settings: Settings) -> Iterator[dict[str, Any]]:
    """Each time in a fresh process; imports are not counted. Nothing if the data are not MNIST."""
    with tempfile.TemporaryDirectory() as folder:
        written = alone(Entry(write_cache, (settings.dataset, folder)), settings.threads)
        if not written.results[0]:
            return
        made = {"load_mnist()": Entry(from_our_cache, (folder,))}
        if settings.openml_home is not None:
            # A copy: fetch_openml deletes what it fails to parse.
            home = shutil.copytree(settings.openml_home, Path(folder, "openml"))
            for parser, package in (("pandas", "pandas"), ("liac-arff", "sklearn")):
                if settings.has(package):
                    entry = Entry(from_openml_cache, (str(home), parser))
                    made[f"fetch_openml(parser={parser!r})"] = entry
        seconds: dict[str, list[float]] = {}
        for name, entry in made.items():
            outcomes = [alone(entry, settings.threads) for _ in range(settings.rounds)]
            seconds[name] = [outcome.seconds[0] for outcome in outcomes]
            yield {
                "call": name,
                "seconds": seconds[name],
                "median": medians(seconds)[name],
                "over_ours": ratio(seconds, name, "load_mnist()"),
                "peak_megabytes": max(outcome.peak or 0.0 for outcome in outcomes),
            }


def loading_table(rows: list[dict[str, Any]]) -> str:
    """Medians and memory."""
    return table(
        ["loading MNIST from a cache", "seconds", "× ours", "peak memory, MB"],
        (
            [
                row["call"],
                duration(row["median"]),
                times(row["over_ours"]),
                f"{row['peak_megabytes']:.0f}",
            ]
            for row in rows
        ),
    )
