"""Measure what exported networks weigh, how often they err, and how fast they answer.

    python -m scripts.exporting --output results/exporting.json

Of MNIST's test pictures, in time of the processor on one thread, beside this package itself: ONNX
Runtime, and C as cc makes it with -O3, each with float and with int8 weights, in turns. Needs onnx,
onnxruntime, safetensors (`make test-extras` installs them) and cc.
"""

import os
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
from threadpoolctl import threadpool_limits

from mnist_net import load_dataset
from mnist_net.arrays import Bytes
from mnist_net.datasets.dataset import Dataset
from mnist_net.export.formats import FORMATS, export_model
from mnist_net.trained.committee import Predictor
from mnist_net.trained.store import SHIPPED, find_model, load_model
from scripts import options
from scripts.records import stamp, table, write_json
from scripts.speed.machine import describe

Predict = Callable[[Bytes], np.ndarray[Any, Any]]

OURS = "mnist-net"
COLUMNS = (
    "MB",
    "errors, %",
    "other digits than ours",
    "largest difference of a probability",
    "alone, µs",
    "all, µs each",
)


def onnx_session(path: Path) -> Predict:
    import onnxruntime as ort

    chosen = ort.SessionOptions()
    chosen.intra_op_num_threads = 1
    session = ort.InferenceSession(str(path), chosen, ["CPUExecutionProvider"])
    return lambda images: session.run(["probabilities"], {"pictures": images})[0]


def c_program(path: Path) -> Predict:
    program = path.with_suffix("")
    how = ("-std=c99", "-O3", "-DMNIST_NET_MAIN")
    subprocess.run(["cc", *how, str(path), "-lm", "-o", str(program)], check=True)

    def predict(images: Bytes) -> np.ndarray[Any, Any]:
        done = subprocess.run([program], input=images.tobytes(), capture_output=True, check=True)
        return np.array([line.split()[1:] for line in done.stdout.splitlines()], np.float32)

    return predict


RUNNERS: dict[str, Callable[[Path], Predict]] = {"onnx": onnx_session, "c": c_program}


def seconds(predict: Predict, batches: list[Bytes]) -> float:
    """Of the processor, for a picture in batches: what else the machine does hardly matters."""
    begin = sum(os.times()[:4])  # with those of programs that have ended
    for batch in batches:
        predict(batch)
    return (sum(os.times()[:4]) - begin) / sum(map(len, batches))


def timed(
    runners: dict[str, Predict], images: Bytes, n_alone: int, rounds: int
) -> dict[str, dict[str, float]]:
    """Median microseconds for a picture: given alone, and with all others."""
    alone = [image[None] for image in images[:n_alone]]
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in runners}
    for _ in range(rounds):
        for name, predict in runners.items():
            together = seconds(predict, [images])
            # The C program reads picture by picture anyway, and its start is not what is measured.
            apart = together if name.startswith("c") else seconds(predict, alone)
            found[name].append((apart, together))
    return {
        name: {
            "alone_us": round(statistics.median(apart for apart, _ in times) * 1e6, 1),
            "all_us": round(statistics.median(together for _, together in times) * 1e6, 1),
        }
        for name, times in found.items()
    }


def exported(model: Predictor, folder: Path) -> dict[str, Path]:
    """Each format, and its int8 variant, as a file."""
    files = {}
    for kind, row in FORMATS.items():
        if row.ending:
            (files[kind],) = export_model(model, folder / f"float{row.ending}", kind)
        if "quantize" in row.choices:
            place = folder / f"int8{row.ending}"
            (files[f"{kind}, int8"],) = export_model(model, place, kind, quantize=True)
    return files


def compared(found: Any, ours: Any, classes: Any, labels: Any) -> dict[str, Any]:
    """How far probabilities are from the labels, and from ours."""
    best = found.argmax(axis=1)
    return {
        "error": round(float((classes[best] != labels).mean()), 6),
        "other_digits": int((best != ours.argmax(axis=1)).sum()),
        "difference": float(np.abs(found - ours).max()),
    }


def measured(
    network: Predictor, test: Dataset, folder: Path, rounds: int, n_alone: int
) -> dict[str, dict[str, Any]]:
    """Figures of each format; of those that nothing here runs, the size alone."""
    files = exported(network, folder)
    figures: dict[str, dict[str, Any]] = {OURS: {}}
    figures |= {name: {"bytes": path.stat().st_size} for name, path in files.items()}
    runners: dict[str, Predict] = {OURS: network.predict_proba}
    for name, path in files.items():
        if run := RUNNERS.get(name.partition(",")[0]):
            runners[name] = run(path)
    ours = network.predict_proba(test.images)
    for name, predict in runners.items():
        found = predict(test.images)  # which warms it up, too
        figures[name] |= compared(found, ours, network.classes, test.labels)
    for name, times in timed(runners, test.images, n_alone, rounds).items():
        figures[name] |= times
    return figures


@click.command(help=options.paragraphs(__doc__))
@options.dataset
@click.option("--model", default=SHIPPED, show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=5, show_default=True)
@click.option("--alone", type=click.IntRange(min=1), default=5_000, show_default=True)
@click.option("--output", type=Path, help="Figures as JSON.  [default: none]")
def main(dataset: str, model: str, rounds: int, alone: int, output: Path | None) -> None:
    path, (_, test) = find_model(model), load_dataset(dataset)
    facts: dict[str, Any] = {**stamp(), "machine": describe(), "rounds": rounds}
    with threadpool_limits(1), tempfile.TemporaryDirectory() as folder:
        figures = measured(load_model(path), test, Path(folder), rounds, alone)
    figures[OURS] = {"bytes": path.stat().st_size, **figures[OURS]}
    if output:
        write_json(output, {**facts, "formats": figures})
    print(shown_table(figures))


def shown_table(figures: dict[str, dict[str, Any]]) -> str:
    return table(["", *COLUMNS], [[name, *shown(row)] for name, row in figures.items()])


def shown(row: dict[str, Any]) -> list[str]:
    size = f"{row['bytes'] / 1e6:.1f}"
    if "error" not in row:
        return [size, *("–" for _ in COLUMNS[1:])]
    return [
        size,
        f"{100 * row['error']:.2f}",
        f"{row['other_digits']}",
        f"{row['difference']:.1g}",
        f"{row['alone_us']:.0f}",
        f"{row['all_us']:.0f}",
    ]


if __name__ == "__main__":
    main()
