"""Measure how pictures that are not MNIST's are read: the README's table, results/foreign.json.

    python -m scripts.reading           # some minutes
    python -m scripts.reading --time    # and how fast
    python -m scripts.reading --data FOLDER --model FILE

FOLDER is as scripts/reading/foreign.py says.  Sources, those who made the pictures, differ in how
many they made: unless it says "pooled", an accuracy is the mean over sources of that within a
source.  "Naive" is the same network on the picture squashed to 28 × 28, "ours" is what the reader
reads if it must read something, and in the third column a refusal is an error.  Sources are in two
halves by a hash of their name: constants are checked on half 0 alone (`python -m scripts.reading
constants`), though mistakes in both were looked at; both columns are of "ours".  It also draws what
each threshold refuses, and all mistakes: other people's pictures, which are not ours to publish.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click

from mnist_net import load_dataset
from mnist_net.arrays import Bytes
from mnist_net.files import check_writable
from mnist_net.pictures.decoding import Picture
from mnist_net.reading.answers import Reading
from mnist_net.reading.reader import Reader
from mnist_net.reports.plots import check_plot, save_figure
from mnist_net.trained.store import load_model
from scripts import options
from scripts.reading import measures
from scripts.reading.foreign import (
    Answer,
    PageAnswer,
    Row,
    read_manifest,
    read_one_each,
    read_pages,
)
from scripts.reading.measures import APART, Share
from scripts.reading.mistakes import digit_cell, page_cell, save_sheet
from scripts.records import stamp, write_json
from scripts.speed.reading import measure_speed

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


class Answers(NamedTuple):
    """What was read on the pictures of each kind; pages twice."""

    single: list[Answer]
    junk: list[Answer]
    printed: list[Answer]
    multi: list[PageAnswer]
    multi_nothing_refused: list[PageAnswer]

    @property
    def usual(self) -> list[Answer]:
        """Single digits of all sources but the one apart."""
        return [answer for answer in self.single if answer.row.source != APART]


def read_all(rows: Sequence[Row], reader: Reader, anything: Reader) -> Answers:
    """Read the pictures of every kind; what refuses nothing reads the single digits."""
    single, junk, printed, multi = (
        [row for row in rows if row.kind == kind] for kind in ("single", "junk", "printed", "multi")
    )
    return Answers(
        read_one_each(single, anything),
        read_one_each(junk, anything),
        read_one_each(printed, anything),
        read_pages(multi, reader),
        read_pages(multi, anything),
    )


def measure(
    answers: Answers, validation: Sequence[float], test: Sequence[float], threshold: float
) -> dict[str, Any]:
    """All figures; of MNIST's scores of digits are given."""
    return {
        "threshold": threshold,
        "single": measures.measure_single(answers.single, threshold),
        "sources": measures.measure_sources(answers.single, threshold),
        "multi": measures.measure_multi(answers.multi, answers.multi_nothing_refused),
        "junk": measures.measure_junk(answers.junk, threshold),
        "digits": measures.measure_refusals(answers.usual, threshold),
        "MNIST refused": measures.share(score < threshold for score in validation),
        "printed": measures.accuracies(answers.printed, threshold, measures.pooled),
        "curve": measures.measure_curve(measures.counted(answers.junk), answers.usual, validation),
        # For the record: nothing was chosen by it.
        "MNIST test refused": measures.share(score < threshold for score in test),
    }


def save_mistakes(answers: Answers, threshold: float, path: Path) -> None:
    """Draw the mistakes of every kind."""
    junk = measures.counted(answers.junk)
    sections = {
        "no digit, not refused": [a for a in junk if not a.is_refused(threshold)],
        f"one digit, without {APART}": [a for a in answers.usual if not a.is_right(threshold)],
        "printed": [a for a in answers.printed if not a.is_right(threshold)],
    }
    apart = [a for a in answers.single if a.row.source == APART]
    sections[APART] = [a for a in apart if not a.is_right(threshold)]
    cells = {name: [digit_cell(a, threshold) for a in some] for name, some in sections.items()}
    pages = [page_cell(a) for a in answers.multi if not a.is_right]
    save_sheet({"several digits": pages, **cells}, path)


@click.command(help=options.paragraphs(__doc__))
@options.data
@options.model
@options.detector
@options.dataset
@options.file("--output", "results/foreign.json")
@options.file("--plot", "docs/images/rejection.png")
@options.file("--mistakes", "build/foreign-mistakes.png")
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
    threshold = reader.reject_below
    answers = read_all(read_manifest(data), reader, anything)
    splits = load_dataset(dataset)
    validation = scores_of(splits.train.images[-VALIDATION:], anything)
    result = measure(answers, validation, scores_of(splits.test.images, anything), threshold)
    if with_time:
        result["speed"] = measure_speed(splits.test.images, reader)
    print(measures.table_of(result), measures.notes(result), sep="\n\n")
    save_mistakes(answers, threshold, mistakes)
    plot_curve(result["curve"], threshold, plot)
    write_json(output, {**result, "curve": measures.kept(result["curve"]), **stamp()})
