"""Measure how pictures that are not MNIST's are read: the README's table, results/foreign.json.

    python -m scripts.benchmark_foreign           # some minutes
    python -m scripts.benchmark_foreign --time    # and how fast
    python -m scripts.benchmark_foreign --data FOLDER --model FILE

FOLDER is as scripts/foreign.py says.  Sources, those who made the pictures, differ in how many
they made: unless it says "pooled", an accuracy is the mean over sources of that within a source.
"Naive" is the same network on the picture squashed to 28 × 28, "ours" is what the reader reads if
it must read something, and in the third column a refusal is an error.  Sources are in two halves
by a hash of their name: constants were chosen on half 0, and half 1 shows what that is worth
elsewhere; both columns are of "ours".  The contact sheet of the mistakes shows other people's
pictures: it is not ours to publish.
"""

import json
import platform
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click
import numpy as np

from mnist_net import load_dataset
from mnist_net.files import atomic_write, check_writable
from mnist_net.formats import Bytes
from mnist_net.images import Picture
from mnist_net.persistence import load_model
from mnist_net.plots import check_plot, save_figure
from mnist_net.reading import Reader, Reading
from scripts.contact_sheet import digit_cell, page_cell, save_sheet
from scripts.foreign import (
    Answer,
    PageAnswer,
    Row,
    read_manifest,
    read_one_each,
    read_pages,
)
from scripts.measure_speed import measure_speed

APART = "bilal02s"  # crops from old registers, with pieces of their neighbours: reported apart
STYLES = ("photo", "scan", "paint", "other")
VALIDATION = 10_000  # of MNIST's training pictures, the last, that no network was trained on
THRESHOLDS = (0.0, 0.001, 0.002, 0.005, *(round(0.01 * k, 2) for k in range(1, 101)))

Share = float | None  # None: of nothing
Rule = Callable[[Answer], bool]
A = TypeVar("A", Answer, PageAnswer)


def share(truths: Iterable[bool]) -> Share:
    """Of these, how many are true."""
    values = list(truths)
    return round(sum(values) / len(values), 4) if values else None


def pooled(answers: Sequence[Answer], rule: Rule) -> Share:
    """Share of the pictures for which a rule holds."""
    return share(map(rule, answers))


def over_sources(answers: Sequence[Answer], rule: Rule) -> Share:
    """Mean over sources of the share within a source."""
    within = [
        [rule(answer) for answer in answers if answer.row.source == source]
        for source in sorted({answer.row.source for answer in answers})
    ]
    return round(float(np.mean([np.mean(one) for one in within])), 4) if within else None


def counts(answers: Sequence[Answer | PageAnswer]) -> dict[str, int]:
    """How many pictures, and by how many."""
    return {"sources": len({a.row.source for a in answers}), "pictures": len(answers)}


def half_of(answers: Sequence[A], half: int) -> list[A]:
    """Answers on pictures of the sources of one half."""
    return [answer for answer in answers if answer.row.half == half]


def accuracies(
    answers: Sequence[Answer],
    threshold: float,
    mean: Callable[[Sequence[Answer], Rule], Share] = over_sources,
) -> dict[str, Any]:
    """A line of the table."""
    return {
        "naive": mean(answers, lambda a: a.naive_is_right),
        "ours": mean(answers, Answer.is_right),
        "ours, refusals are errors": mean(answers, lambda a: a.is_right(threshold)),
        "half 0": mean(half_of(answers, 0), Answer.is_right),
        "half 1": mean(half_of(answers, 1), Answer.is_right),
        **counts(answers),
    }


def measure_single(answers: Sequence[Answer], threshold: float) -> dict[str, Any]:
    """Accuracies by style and over all; `APART` is in neither."""
    usual = [a for a in answers if a.row.source != APART]
    found = {a.row.style for a in usual}
    result = {}
    for style in (*STYLES, *sorted(found.difference(STYLES))):
        of_style = [a for a in usual if a.row.style == style]
        if of_style:
            result[style] = accuracies(of_style, threshold)
        if of_style and style == "photo":
            result["photo, pooled"] = accuracies(of_style, threshold, pooled)
    result["all"] = accuracies(usual, threshold)
    apart = [a for a in answers if a.row.source == APART]
    return result | ({APART: accuracies(apart, threshold)} if apart else {})


def measure_sources(answers: Sequence[Answer], threshold: float) -> dict[str, Any]:
    """Accuracies of each source."""
    result = {}
    for source in sorted({a.row.source for a in answers}):
        of_source = [a for a in answers if a.row.source == source]
        result[source] = {
            "styles": sorted({a.row.style for a in of_source}),
            "half": of_source[0].row.half,
            "pictures": len(of_source),
            "naive": pooled(of_source, lambda a: a.naive_is_right),
            "ours": pooled(of_source, Answer.is_right),
            "ours, refusals are errors": pooled(of_source, lambda a: a.is_right(threshold)),
        }
    return result


def measure_multi(
    answers: Sequence[PageAnswer], nothing_refused: Sequence[PageAnswer]
) -> dict[str, Any]:
    """How often all digits of a picture are right, and the edits a digit."""
    return {
        **_exact(answers),
        "nothing refused": _exact(nothing_refused),
        "half 0": _exact(half_of(answers, 0)),
        "half 1": _exact(half_of(answers, 1)),
        **counts(answers),
    }


def _exact(answers: Sequence[PageAnswer]) -> dict[str, Share]:
    n_digits = sum(a.n_digits for a in answers)
    edits = sum(a.edits for a in answers)
    return {
        "exact": share(a.is_right for a in answers),
        "edits a digit": round(edits / n_digits, 4) if n_digits else None,
    }


def counted(junk: Sequence[Answer]) -> list[Answer]:
    """Junk without the letters that look like digits."""
    return [a for a in junk if not a.row.is_lookalike]


def refused(answers: Sequence[Answer], below: float) -> Share:
    """Share that a threshold refuses."""
    return pooled(answers, lambda a: a.is_refused(below))


def measure_refusals(answers: Sequence[Answer], threshold: float) -> dict[str, Any]:
    """Share refused of digits, or of what is none, and in either half."""
    return {
        "refused": refused(answers, threshold),
        "mean over sources": over_sources(answers, lambda a: a.is_refused(threshold)),
        "half 0": refused(half_of(answers, 0), threshold),
        "half 1": refused(half_of(answers, 1), threshold),
        **counts(answers),
    }


def measure_junk(answers: Sequence[Answer], threshold: float) -> dict[str, Any]:
    """Refusals of what is no digit, and those of each group of it."""
    groups: dict[str, list[Answer]] = {}
    for answer in answers:
        name = "look-alike letters, not counted" if answer.row.is_lookalike else answer.row.group
        groups.setdefault(name, []).append(answer)
    by_group = {
        name: {"refused": refused(some, threshold), "pictures": len(some)}
        for name, some in sorted(groups.items())
    }
    return {**measure_refusals(counted(answers), threshold), "groups": by_group}


def measure_curve(
    junk: Sequence[Answer], single: Sequence[Answer], validation: Sequence[float]
) -> dict[str, list[Share]]:
    """Share that each threshold refuses of junk, of foreign digits, and of MNIST's."""
    curve: dict[str, list[Share]] = {"thresholds": list(THRESHOLDS)}
    for name, answers in (("junk", junk), ("digits", single)):
        parts = {"": answers, ", half 0": half_of(answers, 0), ", half 1": half_of(answers, 1)}
        for suffix, part in parts.items():
            curve[name + suffix] = [refused(part, below) for below in THRESHOLDS]
    curve["digits, mean over sources"] = [
        over_sources(single, partial(Answer.is_refused, below=below)) for below in THRESHOLDS
    ]
    curve["MNIST"] = [share(score < below for score in validation) for below in THRESHOLDS]
    return curve


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


def percent(value: Share) -> str:
    """As the table shows it."""
    return "–" if value is None else f"{value:.1%}"


def table_line(name: str, figures: dict[str, Any]) -> str:
    """A line of the table; what is not measured is a dash."""
    columns = ("naive", "ours", "ours, refusals are errors", "half 0", "half 1")
    cells = [percent(figures.get(column)) for column in columns]
    return f"| {' | '.join([name, *cells])} | {figures['sources']} | {figures['pictures']} |"


def table(result: dict[str, Any]) -> str:
    """The figures in Markdown."""
    multi, junk, digits = (result[name] for name in ("multi", "junk", "digits"))
    exact = {half: multi[half]["exact"] for half in ("half 0", "half 1")}
    lines = [
        "| pictures | naive | ours | refusals are errors | half 0 | half 1 | sources | pictures |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
        *(table_line(name, figures) for name, figures in result["single"].items()),
        table_line("several digits, all right", {**multi, **exact, "ours": multi["exact"]}),
        table_line("no digit, refused, pooled", {**junk, "ours": junk["refused"]}),
        table_line("digits, refused, pooled", {**digits, "ours": digits["refused"]}),
        table_line("printed, pooled", result["printed"]),
    ]
    return "\n".join(lines)


def notes(result: dict[str, Any]) -> str:
    """What the table has no room for."""
    multi, unrefused = result["multi"], result["multi"]["nothing refused"]
    digits = result["digits"]
    groups = result["junk"]["groups"].items()
    by_group = (f"{name} {percent(g['refused'])} of {g['pictures']}" for name, g in groups)
    lines = [
        f"several digits: {percent(multi['edits a digit'])} edits a digit",
        f"the same if nothing is refused: {percent(unrefused['edits a digit'])}",
        f"several digits, all right if nothing is refused: {percent(unrefused['exact'])}",
        f"no digit, refused: {', '.join(by_group)}",
        f"digits, refused, mean over sources: {percent(digits['mean over sources'])}",
        f"MNIST's validation digits, refused: {percent(result['MNIST refused'])}",
        f"MNIST's test digits, refused: {percent(result.get('MNIST test refused'))}",
        *(f"{name}: {value:,}" for name, value in result.get("speed", {}).items()),
    ]
    return "\n".join(lines)


class Answers(NamedTuple):
    """What was read on the pictures of each kind; pages twice."""

    single: list[Answer]
    multi: list[PageAnswer]
    multi_nothing_refused: list[PageAnswer]
    junk: list[Answer]
    printed: list[Answer]


def read_all(rows: Sequence[Row], reader: Reader, anything: Reader) -> Answers:
    """Read the pictures of every kind; what refuses nothing reads the single digits."""

    def of_kind(kind: str) -> list[Row]:
        return [row for row in rows if row.kind == kind]

    return Answers(
        single=read_one_each(of_kind("single"), anything),
        multi=read_pages(of_kind("multi"), reader),
        multi_nothing_refused=read_pages(of_kind("multi"), anything),
        junk=read_one_each(of_kind("junk"), anything),
        printed=read_one_each(of_kind("printed"), anything),
    )


def measure(answers: Answers, validation: Sequence[float], threshold: float) -> dict[str, Any]:
    """All figures."""
    digits = [a for a in answers.single if a.row.source != APART]
    return {
        "threshold": threshold,
        "single": measure_single(answers.single, threshold),
        "sources": measure_sources(answers.single, threshold),
        "multi": measure_multi(answers.multi, answers.multi_nothing_refused),
        "junk": measure_junk(answers.junk, threshold),
        "digits": measure_refusals(digits, threshold),
        "MNIST refused": share(score < threshold for score in validation),
        "printed": accuracies(answers.printed, threshold, pooled),
        "curve": measure_curve(counted(answers.junk), digits, validation),
    }


def save_mistakes(answers: Answers, threshold: float, path: Path) -> None:
    """Draw the contact sheet of the mistakes of every kind."""
    sections = {
        f"one digit, without {APART}": [a for a in answers.single if a.row.source != APART],
        "printed": answers.printed,
        APART: [a for a in answers.single if a.row.source == APART],
    }
    cells = {
        name: [digit_cell(a, threshold) for a in some if not a.is_right(threshold)]
        for name, some in sections.items()
    }
    read = [a for a in counted(answers.junk) if not a.is_refused(threshold)]
    save_sheet(
        {
            "several digits": [page_cell(a) for a in answers.multi if not a.is_right],
            "no digit, not refused": [digit_cell(a, threshold) for a in read],
            **cells,
        },
        path,
    )


@click.command(help=__doc__)
@click.option("--data", type=Path, default=Path("../shared/data/foreign"), show_default=True)
@click.option("--model", type=Path, default=Path("models/mnist.joblib"), show_default=True)
@click.option("--detector", type=Path, default=Path("models/detector.joblib"), show_default=True)
@click.option("--dataset", default="mnist", show_default=True, help="For refusals and --time.")
@click.option("--out", type=Path, default=Path("results/foreign.json"), show_default=True)
@click.option("--plot", type=Path, default=Path("docs/images/rejection.png"), show_default=True)
@click.option(
    "--mistakes", type=Path, default=Path("build/foreign-mistakes.png"), show_default=True
)
@click.option("--time", "with_time", is_flag=True, help="Measure the speed too.")
def main(
    data: Path,
    model: Path,
    detector: Path,
    dataset: str,
    out: Path,
    plot: Path,
    mistakes: Path,
    with_time: bool,
) -> None:
    check_plot(plot)
    for path in (out, plot, mistakes):
        check_writable(path)
    reader = Reader(load_model(model), load_model(detector))
    anything = Reader(reader.model, reader.detector, reject_below=0.0)
    answers = read_all(read_manifest(data), reader, anything)
    splits = load_dataset(dataset)
    validation = scores_of(splits.train.images[-VALIDATION:], anything)
    result = measure(answers, validation, reader.reject_below)
    # For the record: nothing was chosen by it.
    of_test = scores_of(splits.test.images, anything)
    result["MNIST test refused"] = share(s < reader.reject_below for s in of_test)
    if with_time:
        result["speed"] = measure_speed(splits.test.images, reader)
    result["machine"] = f"{platform.machine()}, Python {platform.python_version()}"
    print(table(result), notes(result), sep="\n\n")
    save_mistakes(answers, reader.reject_below, mistakes)
    plot_curve(result["curve"], reader.reject_below, plot)
    with atomic_write(out) as stream:
        stream.write(json.dumps(result, indent=1, ensure_ascii=False).encode() + b"\n")


if __name__ == "__main__":
    main()
