"""Measure how fast training, predicting, starting and loading are, beside others and the metal.

    python -m scripts.speed                             # everything: more than an hour
    python -m scripts.speed --only training,predicting  # some parts of it
    python -m scripts.speed --quick                     # proves that it works, no more

Each competitor is a process of its own with the same threads, pictures, architecture, batch,
optimizer and float32; they take turns, and ratios are medians over the rounds, in brackets over
those in which the cores were near. "products" are the matrix products alone, each in its fastest
memory layout; "training" is plain SGD, "momentum" SGD with momentum 0.9. "ours" is `training.train`
with its finite checks and progress, without the 67 pixels that are black on all training pictures,
as `mnist-net train` has it; "ours, all pixels" and all others have them. "ours, own threads" has as
many threads as `train_model` gives it. The machine should have nothing else to do.

Prints tables in Markdown, and writes medians and spreads to results/speed.json after each part, the
others in it as they were. Peers that are not installed are left out; an environment with them:

    python3 -m venv ../peers
    ../peers/bin/pip install --require-hashes -r requirements/run.txt
    ../peers/bin/pip install torch==2.13.0 onnxruntime onnx 'pandas<3'  # and a C++ compiler
    ../peers/bin/pip install --no-build-isolation --no-deps --editable .
    ../peers/bin/python -m scripts.speed
"""

from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from mnist_net.errors import MnistNetError
from mnist_net.files import check_writable
from scripts import options
from scripts.records import commit, now, read_json
from scripts.speed import predicting, processes, reaching, training
from scripts.speed.figures import Row, table_of, write_figures
from scripts.speed.machine import PEERS, cores, describe
from scripts.speed.problems import Settings
from scripts.speed.workers import CompetitorError

PARTS: dict[str, Callable[[Settings], Iterator[Row]]] = {
    "training": partial(training.measure_training, momentum=0.0),
    "momentum": partial(training.measure_training, momentum=0.9),
    "reaching": reaching.measure_reaching,
    "growth": training.measure_growth,
    "distortion": training.measure_distortion,
    "memory": training.measure_memory,
    "predicting": predicting.measure_predicting,
    "startup": processes.measure_startup,
    "loading": processes.measure_loading,
}

_RESULTS = Path("results/speed.json")
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


def chosen(only: str) -> list[str]:
    """Names of the parts that are wanted, in their order here."""
    names = [name.strip() for name in only.split(",") if name.strip()]
    if unknown := set(names) - set(PARTS):
        raise click.BadParameter(f"{', '.join(sorted(unknown))}: there are {', '.join(PARTS)}")
    return [name for name in PARTS if name in names or not names]


def _require_figures(output: Path) -> None:
    try:
        check_writable(output)
        found = read_json(output)
    except (MnistNetError, OSError, ValueError) as error:
        raise click.ClickException(f"{output}: {error}") from error
    if not isinstance(found, dict):
        raise click.ClickException(f"{output} has no figures of this benchmark: name another file")


@click.command(help=options.paragraphs(__doc__))
@click.option("--only", default="", help=f"Parts: {', '.join(PARTS)}.")
@options.dataset
@click.option("--rounds", type=click.IntRange(min=1), default=5, show_default=True)
@click.option("--threads", type=click.IntRange(min=1), default=cores(), help="By default all.")
@click.option("--quick", is_flag=True, help="Tiny problems: proves that it works, and no more.")
@click.option("--peers/--no-peers", default=True, help="Measure other libraries too.")
@click.option("--openml-home", type=_FOLDER, help="A cache of fetch_openml to load from.")
@click.option(
    "--output", type=Path, help=f"Figures as JSON.  [default: {_RESULTS}; with --quick, none]"
)
def main(only: str, output: Path | None, **choices: Any) -> None:
    settings = Settings(**choices)
    output = output or (None if settings.quick else _RESULTS)
    if output:  # before the work, not after it
        _require_figures(output)
    stamp = {name: getattr(settings, name) for name in ("rounds", "threads", "quick")}
    stamp = {"machine": describe(), **stamp}  # before it is we who keep it busy
    for name in chosen(only):
        stamp |= {"date": now(), "commit": commit()}
        rows = []
        try:
            for row in PARTS[name](settings):
                rows.append(row)
                click.echo(f"{name}: {row['problem']} done", err=True)
        except CompetitorError as error:
            raise click.ClickException(f"{name}: {error}") from error
        if not rows:
            print(f"{name}: nothing to measure with --dataset {settings.dataset}\n")
            continue
        if output:
            write_figures(output, {**read_json(output), name: {**stamp, "rows": rows}})
        print(table_of(name, rows) + "\n", flush=True)
    if absent := [name for name in PEERS if settings.peers and not find_spec(name)]:
        print(f"Not installed and left out: {', '.join(absent)}.")


if __name__ == "__main__":
    main()
