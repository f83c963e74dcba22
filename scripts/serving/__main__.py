"""Measure the service under load, on loopback: the server has one core, the clients another.

Of pictures of 28 × 28 as PNG: requests a second and how long they take, with 32 connections; what
becomes of 512 connections at once, and of the first requests after them; the memory over many
requests; and how soon it is ready. Beside it, in turns, if it is given a Python that has them, apps
by Flask and by gradio with scikit-learn's MLPClassifier:

    python3 -m venv ../peer
    ../peer/bin/pip install flask gradio scikit-learn pillow
    python -m scripts.serving --flask ../peer/bin/python --gradio ../peer/bin/python

"Had core" is the share of the time in which the server had its core: where others use the machine
too, it tells whose fault a slow round is.
"""

import io
import statistics
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
from PIL import Image

from mnist_net import load_dataset
from mnist_net.datasets.dataset import Dataset
from scripts import options
from scripts.records import stamp, table, write_json
from scripts.serving.load import Load, load
from scripts.serving.servers import OURS, Running, Server, flask, gradio, on_core, running
from scripts.speed.machine import cores, describe

_CONNECTIONS = 32
_TOO_MANY = 512
_LEARNED = 10_000  # pictures, by the peer
_ASKED = 1_000  # different pictures
_PYTHON = click.Path(exists=True, path_type=Path)


def as_png(image: np.ndarray[Any, Any]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "PNG")
    return stream.getvalue()


def measured_rounds(
    servers: dict[str, Server], pictures: list[bytes], rounds: int, n_requests: int
) -> dict[str, list[dict[str, Any]]]:
    """Each server anew in each round, and under load."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in servers}
    for number in range(rounds):
        for name, how in servers.items():
            with running(how, core=0) as server:
                load(server.target, pictures, _CONNECTIONS * 4, _CONNECTIONS)  # to warm up
                before = server.computed_seconds()
                borne = load(server.target, pictures, n_requests, _CONNECTIONS)
                had = (server.computed_seconds() - before) / borne.took
            ready = {"ready_s": round(server.ready_seconds, 3)}
            found[name].append({**ready, **borne.figures(), "had_core": round(had, 2)})
            click.echo(f"round {number + 1}, {name}: {found[name][-1]}", err=True)
    return found


def medians(rows: list[dict[str, Any]]) -> dict[str, Any]:
    best = {key: statistics.median(row[key] for row in rows) for key in rows[0]}
    return {**best, "errors": sum(row["errors"] for row in rows)}


def beyond_the_limit(server: Running, pictures: list[bytes]) -> dict[str, Any]:
    """Too many at once: how they are answered, and whether all is well at once after them."""
    during = load(server.target, pictures, 4 * _TOO_MANY, _TOO_MANY)
    after: Load = load(server.target, pictures, 320, _CONNECTIONS)
    return {
        "connections": _TOO_MANY,
        "statuses": dict(sorted(during.statuses.items())),
        "statuses_after": dict(sorted(after.statuses.items())),
    }


def memory(
    server: Running, pictures: list[bytes], n_requests: int
) -> Iterator[tuple[int, float, Counter[str]]]:
    """Megabytes after each tenth of so many requests."""
    for part in range(1, 11):
        found = load(server.target, pictures, n_requests // 10, _CONNECTIONS)
        yield part * (n_requests // 10), round(server.megabytes(), 1), found.statuses


def learned(train: Dataset, folder: Path) -> Path:
    path = folder / "learned.npz"
    np.savez(path, images=train.images[:_LEARNED], labels=train.labels[:_LEARNED])
    return path


@click.command(help=options.paragraphs(__doc__))
@options.dataset
@click.option("--rounds", type=click.IntRange(min=1), default=5, show_default=True)
@click.option("--requests", type=click.IntRange(min=320), default=6_400, show_default=True)
@click.option("--memory-requests", type=click.IntRange(min=320), default=100_000, show_default=True)
@click.option("--flask", "flask_python", type=_PYTHON, help="Python of the peer by Flask.")
@click.option("--gradio", "gradio_python", type=_PYTHON, help="Python of the peer by gradio.")
@click.option("--output", type=Path, help="Figures as JSON.  [default: none]")
def main(
    dataset: str,
    rounds: int,
    requests: int,
    memory_requests: int,
    flask_python: Path | None,
    gradio_python: Path | None,
    output: Path | None,
) -> None:
    warnings.simplefilter("ignore")
    facts: dict[str, Any] = {**stamp(), "machine": describe()}
    train, test = load_dataset(dataset)
    pictures = [as_png(image) for image in test.images[:_ASKED]]
    with on_core(cores() - 1), tempfile.TemporaryDirectory() as folder:
        servers = {"ours": OURS}
        if flask_python:
            servers["flask"] = flask(flask_python, learned(train, Path(folder)))
        if gradio_python:
            servers["gradio"] = gradio(gradio_python, learned(train, Path(folder)))
        found = measured_rounds(servers, pictures, rounds, requests)
    with on_core(cores() - 1), running(OURS, core=0) as server:
        beyond = beyond_the_limit(server, pictures)
        held = list(memory(server, pictures, memory_requests))
    summary = {name: medians(rows) for name, rows in found.items()}
    facts |= {"rounds": rounds, "requests": requests, "connections": _CONNECTIONS}
    facts |= {"medians": summary, "all": found, "beyond": beyond}
    facts["memory"] = [{"requests": n, "megabytes": mb, "statuses": s} for n, mb, s in held]
    if output:
        write_json(output, facts)
    columns = list(summary["ours"])
    print(table(["", *columns], [[n, *row.values()] for n, row in summary.items()]))
    print(
        f"\n{_TOO_MANY} connections at once: {beyond['statuses']}; then {beyond['statuses_after']}"
    )
    print("Megabytes:", ", ".join(f"{mb:g} after {n:,}" for n, mb, _ in held))


if __name__ == "__main__":
    main()
