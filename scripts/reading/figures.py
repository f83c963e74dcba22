"""Measure how pictures that are not MNIST's are read: the README's table, results/foreign.json.

    python -m scripts.reading           # some minutes
    python -m scripts.reading --time    # and how fast
    python -m scripts.reading --data FOLDER --model FILE

FOLDER is as scripts/reading/foreign.py says.  Sources, those who made the pictures, differ in how
many they made: unless it says "pooled", an accuracy is the mean over sources of that within a
source.  "Naive" is the same network on the picture squashed to 28 × 28, "ours" is what the reader
reads if it must read something, and in the third column a refusal is an error.  Sources are in two
halves by a hash of their name, which show how far a figure depends on who drew; both columns are of
"ours".  It also draws what each threshold refuses, and lists the mistakes; `mnist-net predict
--show` and `mnist-net read --annotate` draw what was seen of one of them.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import click

from mnist_net import load_dataset
from mnist_net.arrays import Bytes
from mnist_net.files import atomic_write, check_writable
from mnist_net.pictures.decoding import Picture
from mnist_net.reading.answers import Reading
from mnist_net.reading.reader import Reader
from mnist_net.reports.plots import check_plot, save_figure
from mnist_net.trained.store import load_model
from scripts import options
from scripts.reading import measures
from scripts.reading.foreign import Answer, PageAnswer, read_manifest, read_one_each, read_pages
from scripts.reading.measures import Share, counted, share, usual
from scripts.reading.speed import measure_speed
from scripts.records import stamp, write_json

VALIDATION = 10_000  # of MNIST's training pictures, the last, that no network was trained on


def scores_of(images: Bytes, reader: Reader) -> list[float]:
    """Score that the reader gives each of MNIST's pictures; 0 where it finds nothing."""
    readings = reader.read(Picture(image[..., None]) for image in images)
    return [r.score if isinstance(r, Reading) else 0.0 for r in readings]


def plot_curve(curve: dict[str, list[Share]], threshold: float, path: Path) -> None:
    """Draw what each threshold refuses, and what junk refused costs in digits."""
    from matplotlib.figure import Figure

    percent = {name: [100.0 * (value or 0.0) for value in values] for name, values in curve.items()}
    figure = Figure(figsize=(10.0, 4.2), layout="constrained", dpi=120)
    by_threshold, trade = figure.subplots(1, 2)
    by_threshold.plot(curve["thresholds"], percent["junk"], "k-", label="junk")
    for name, label, style in (
        ("digits", "digits that are not MNIST's", "C3-"),
        ("digits, mean over sources", "the same, mean over sources", "C1-."),
        ("MNIST", "MNIST's validation digits", "C0--"),
    ):
        by_threshold.plot(curve["thresholds"], percent[name], style, label=label)
        trade.plot(percent[name], percent["junk"], style, marker=".", label=label)
    by_threshold.axvline(threshold, color="grey", linestyle=":", label="default threshold")
    by_threshold.set(xlabel="threshold of the score", ylabel="refused, %")
    trade.set(xlabel="digits refused, %", ylabel="junk refused, %", xlim=(-0.1, 10.0))
    for axes in (by_threshold, trade):
        axes.grid(alpha=0.3)
        axes.legend()
    save_figure(figure, path)


def measure(
    answers: dict[str, list[Answer]],
    pages: Sequence[PageAnswer],
    unrefused: Sequence[PageAnswer],
    validation: Sequence[float],
    threshold: float,
) -> dict[str, Any]:
    """All figures but those of the test set; of MNIST's validation digits the scores are given."""
    single, junk = answers["single"], answers["junk"]
    return {
        "threshold": threshold,
        "single": measures.measure_single(single, threshold),
        "multi": measures.measure_multi(pages, unrefused),
        "junk": measures.measure_junk(junk, threshold),
        "digits": measures.measure_refusals(usual(single), threshold),
        "MNIST refused": share(score < threshold for score in validation),
        "printed": measures.accuracies(answers["printed"], threshold, measures.pooled),
        "curve": measures.measure_curve(counted(junk), usual(single), validation),
    }


def mistakes_of(
    answers: dict[str, list[Answer]], pages: Sequence[PageAnswer], threshold: float
) -> Iterator[str]:
    """A line for each answer that is wrong: its picture, what was read, and the score."""
    yield from (f"{a.row.path}\t{a.text or 'nothing'}\n" for a in pages if not a.is_right)
    for answer in chain(counted(answers["junk"]), answers["single"], answers["printed"]):
        refused = answer.is_refused(threshold)
        if not (refused if answer.row.kind == "junk" else answer.is_right(threshold)):
            said = f"{answer.reading.digit}{', refused' if refused else ''}"
            yield f"{answer.row.path}\t{said}\tscore {answer.reading.score:.2f}\n"


@click.command(help=options.paragraphs(__doc__))
@options.data
@options.model
@options.detector
@options.dataset
@options.file("--output", "results/foreign.json")
@options.file("--plot", "docs/images/rejection.png")
@options.file("--mistakes", "build/foreign-mistakes.txt")
@click.option("--time", "with_time", is_flag=True, help="Measure the speed too.")
def main(
    data: Path,
    model: Path,
    detector: Path,
    dataset: str,
    output: Path,
    plot: Path,
    mistakes: Path,
    with_time: bool,
) -> None:
    check_plot(plot)
    for path in (output, plot, mistakes):
        check_writable(path)
    reader = Reader(load_model(model), load_model(detector))
    anything = Reader(reader.model, reader.detector, reject_below=0.0)
    rows, splits, threshold = read_manifest(data), load_dataset(dataset), reader.reject_below
    answers = {
        kind: read_one_each([row for row in rows if row.kind == kind], anything)
        for kind in ("junk", "single", "printed")
    }
    several = [row for row in rows if row.kind == "multi"]
    pages, unrefused = read_pages(several, reader), read_pages(several, anything)
    validation = scores_of(splits.train.images[-VALIDATION:], anything)
    result = measure(answers, pages, unrefused, validation, threshold)
    # For the record: nothing was chosen by it.
    of_test = scores_of(splits.test.images, anything)
    result["MNIST test refused"] = share(score < threshold for score in of_test)
    if with_time:
        result["speed"] = measure_speed(splits.test.images, reader)
    print(measures.table_of(result), measures.notes(result), sep="\n\n")
    with atomic_write(mistakes) as stream:
        stream.write("".join(mistakes_of(answers, pages, threshold)).encode())
    plot_curve(result["curve"], threshold, plot)
    write_json(output, {**result, "curve": measures.kept(result["curve"]), **stamp()})
