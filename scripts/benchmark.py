"""Measure how fast training, predicting, starting and loading are, beside others and the metal.

    python -m scripts.benchmark                             # everything: about an hour
    python -m scripts.benchmark --only training,predicting  # some parts of it
    python -m scripts.benchmark --quick                     # proves that it works, no more

Each competitor is a process of its own with the same threads, pictures, architecture, batch,
optimizer and float32; they take turns, round by round, and ratios are medians over the rounds. The
floor is the matrix products of a step alone, each in the memory layout that is fastest for it.
The part "training" is of plain SGD, "momentum" of SGD with momentum 0.9. "ours" is `training.train`
with its finite checks and progress. It leaves out the 67 pixels that are black on all training
pictures, as `mnist-net train` does; "ours, all pixels" does not, nor does any other. "ours, own
threads" has as many threads as `train_model` gives it.
The machine should have nothing else to do: its load before is written down with the figures.

Prints tables in Markdown, and writes results/speed.json after each part, the others in it as they
were: each part has its own machine, settings, commit and date.

The peers are no dependencies; those that are not installed are left out. An environment with them,
outside this folder:

    python3 -m venv ../peers
    ../peers/bin/pip install --require-hashes -r requirements/run.txt
    ../peers/bin/pip install torch==2.13.0 onnxruntime onnx 'pandas<3'
    ../peers/bin/pip install --no-build-isolation --no-deps --editable .
    ../peers/bin/python -m scripts.benchmark

scikit-learn's MLPClassifier comes with our own dependencies; torch.compile wants a C++ compiler.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import click

from mnist_net.errors import MnistNetError
from mnist_net.files import check_writable
from scripts.records import commit, now, read_json, write_json
from scripts.speed import learning, predicting, processes, reaching
from scripts.speed.machine import cores, describe, missing
from scripts.speed.settings import Settings
from scripts.speed.workers import CompetitorError

Rows = list[dict[str, Any]]


class Part(NamedTuple):
    """A kind of measurement: how its rows are made, and how they are shown."""

    measure: Callable[[Settings], Iterator[dict[str, Any]]]
    table: Callable[[Rows], str]


PARTS = {
    "training": Part(partial(learning.measure_training, momentum=0.0), learning.training_table),
    "momentum": Part(partial(learning.measure_training, momentum=0.9), learning.training_table),
    "reaching": Part(reaching.measure_reaching, reaching.reaching_table),
    "growth": Part(learning.measure_growth, learning.growth_table),
    "distortion": Part(learning.measure_distortion, learning.distortion_table),
    "memory": Part(learning.measure_memory, learning.memory_table),
    "predicting": Part(predicting.measure_predicting, predicting.predicting_table),
    "startup": Part(processes.measure_startup, processes.startup_table),
    "loading": Part(processes.measure_loading, processes.loading_table),
}


def chosen(only: str) -> list[str]:
    """Names of the parts that are wanted, in their order here."""
    names = [name.strip() for name in only.split(",") if name.strip()]
    if unknown := set(names) - set(PARTS):
        raise click.BadParameter(f"{', '.join(sorted(unknown))}: there are {', '.join(PARTS)}")
    return [name for name in PARTS if name in names or not names]


def measure(name: str, settings: Settings, machine: dict[str, Any]) -> dict[str, Any]:
    """The rows of one part, and what they belong to."""
    stamp = {
        "machine": machine,
        "rounds": settings.rounds,
        "threads": settings.threads,
        "quick": settings.quick,
        "date": now(),
        "commit": commit(),
    }
    began = time.perf_counter()
    rows: Rows = []
    for row in PARTS[name].measure(settings):
        rows.append(row)
        click.echo(f"{name}: {len(rows)} done, {time.perf_counter() - began:.0f} s", err=True)
    found = {**stamp, "rows": rows}
    if name == "growth":
        found["slopes"] = learning.slopes(rows)
    return found


_RESULTS = Path("results/speed.json")


def _require_figures(output: Path) -> None:
    try:
        check_writable(output)
        found = read_json(output)
    except (MnistNetError, OSError, ValueError) as error:
        raise click.ClickException(f"{output}: {error}") from error
    if not isinstance(found, dict):
        raise click.ClickException(f"{output} has no figures of this benchmark: name another file")


# \b keeps click from joining the lines of the commands.
@click.command(help=__doc__.replace("\n\n    ", "\n\n\b\n    "))
@click.option("--only", default="", help=f"Parts: {', '.join(PARTS)}.")
@click.option("--dataset", default="mnist", show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=5, show_default=True)
@click.option(
    "--threads", type=click.IntRange(min=1), default=cores(), help="By default all cores."
)
@click.option("--quick", is_flag=True, help="Tiny problems: proves that it works, and no more.")
@click.option("--peers/--no-peers", default=True, help="Measure other libraries too.")
@click.option(
    "--openml-home",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of a cache of fetch_openml to load from.",
)
@click.option(
    "--output", type=Path, help=f"Figures as JSON.  [default: {_RESULTS}; with --quick, none]"
)
def main(only: str, output: Path | None, **options: Any) -> None:
    settings = Settings(**options)
    output = output or (None if settings.quick else _RESULTS)
    if output:  # before the work, not after it
        _require_figures(output)
    machine = describe()  # before it is we who keep it busy
    for name in chosen(only):
        try:
            found = measure(name, settings, machine)
        except CompetitorError as error:
            raise click.ClickException(f"{name}: {error}") from error
        if not found["rows"]:
            print(f"{name}: nothing to measure with --dataset {settings.dataset}\n")
            continue
        if output:
            write_json(output, {**read_json(output), name: found})
        print(PARTS[name].table(found["rows"]) + "\n", flush=True)
    if settings.peers:
        print("\n".join(missing()))


if __name__ == "__main__":
    main()
