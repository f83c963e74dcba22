"""How well pages are read, kind by kind: what is written, and where.

Pages are drawn in memory, each from its seed, and read as anybody's pictures are.  A digit counts
as found where the middle of its box lies in that of a digit that was read, or the boxes overlap.
"""

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import click
from threadpoolctl import threadpool_limits

from mnist_net.arrays import Bytes
from mnist_net.pictures.decoding import open_image, save_png
from mnist_net.reading import answers
from mnist_net.reading.annotation import annotated
from mnist_net.reading.reader import Reader
from mnist_net.trained.companions import load_detector, load_pairs, load_signs
from mnist_net.trained.store import load_cached
from scripts import options
from scripts.pages.kinds import GRIDS, KINDS, NOTHING
from scripts.pages.make import contact_sheet, half_option, kind_option, seed_option
from scripts.pages.page import Page, Truth, draw_page
from scripts.pages.sources import Half, load_half
from scripts.reading.foreign import edit_distance
from scripts.records import stamp, table, write_json

Box = tuple[int, int, int, int]
_OVERLAP = 0.3  # intersection over union


class Score(NamedTuple):
    """How one page was read; counts where no other unit is named.

    Of the digits read, `n_found` are right, and `n_placed` are where there is one, right or not.
    """

    kind: str
    seed: int
    truth: str
    read: str
    digits_exact: bool
    text_exact: bool
    n_digits: int
    edits: int
    n_read: int
    n_found: int
    n_placed: int
    cells: tuple[int, int] | None
    seconds: float

    @property
    def is_mistake(self) -> bool:
        """Whether a digit, or a cell, is not as in truth."""
        return self.cells[0] < self.cells[1] if self.cells else not self.digits_exact


def only_digits(text: str) -> str:
    """Digits of a page's text, rows on lines; rows without any are left out."""
    rows = ("".join(filter("0123456789".__contains__, line)) for line in text.split("\n"))
    return "\n".join(row for row in rows if row)


def corners(box: Sequence[int]) -> Box:
    """A reading's x, y, width and height as left, top, right and bottom."""
    x, y, width, height = box
    return x, y, x + width, y + height


def overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    both = shared(one, other)
    return both / (shared(one, one) + shared(other, other) - both)


def shared(one: Box, other: Box) -> int:
    """Pixels that are in both."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0) * max(height, 0)


def is_at(truth: Box, read: Box) -> bool:
    """Whether a digit was read where there is one."""
    x, y = (truth[0] + truth[2]) / 2, (truth[1] + truth[3]) / 2
    inside = read[0] <= x < read[2] and read[1] <= y < read[3]
    return inside or overlap(truth, read) > _OVERLAP


def found(truth: Sequence[tuple[str, Box]], read: Sequence[tuple[str, Box]]) -> int:
    """What was read as what it is, where it is; each box counts once."""
    left, n = list(read), 0
    for digit, box in truth:
        at = [one for one in left if one[0] == digit and is_at(box, one[1])]
        if at:
            left.remove(max(at, key=lambda one: overlap(box, one[1])))
            n += 1
    return n


def score(kind: str, seed: int, truth: Truth, page: answers.Page, seconds: float) -> Score:
    """Compare what was read with the truth."""
    digits, expected = only_digits(page.text), only_digits(truth.text)
    readings = [
        (str(r.digit), corners(r.box)) for r in page.digits if r.digit is not None and r.box
    ]
    return Score(
        kind,
        seed,
        truth.text,
        page.text,
        digits == expected,
        page.text == truth.text,
        len(truth.digits),
        edit_distance(digits, expected),
        len(readings),
        found([(item.text, item.box) for item in truth.digits], readings),
        found([("", item.box) for item in truth.digits], [("", box) for _, box in readings]),
        None,
        seconds,
    )


def same_cells(truth: Sequence[Sequence[str]], read: Sequence[Sequence[str]]) -> tuple[int, int]:
    """Cells that are right, blanks included, and how many there are."""
    n = sum(map(len, truth))
    if list(map(len, truth)) != list(map(len, read)):
        return 0, n
    pairs = ((t, r) for a, b in zip(truth, read, strict=True) for t, r in zip(a, b, strict=True))
    return sum(one == other for one, other in pairs), n


def read_drawn(kind: str, page: Page, seed: int, reader: Reader) -> tuple[Score, Bytes]:
    """Read one page; also its picture, with the boxes of what was read."""
    began = time.perf_counter()
    picture = open_image(page.pixels)
    if page.truth.cells is not None:
        read = reader.read_grid(picture).cells
        seconds = time.perf_counter() - began
        text = "\n".join("\t".join(row) for row in read)
        result = score(kind, seed, page.truth, answers.Page(()), seconds)
        cells = same_cells(page.truth.cells, read)
        return result._replace(read=text, cells=cells), page.pixels
    answer = reader.read_page(picture)
    seconds = time.perf_counter() - began
    return score(kind, seed, page.truth, answer, seconds), annotated(picture, answer)


class Tools(NamedTuple):
    """What a process needs to draw and to read."""

    half: Half
    reader: Reader


_tools: list[Tools] = []  # of this process


def _prepare(
    half: str, dataset: str, data: Path, model: Path, detector: Path, signs: Path, pairs: Path
) -> None:
    threadpool_limits(1)
    network, knows = load_cached(model), load_detector(detector)
    reader = Reader(network, knows, signs=load_signs(signs), pairs=load_pairs(pairs))
    _tools[:] = [Tools(load_half(half, dataset, data), reader)]


def _measured(task: tuple[str, int], *, pictures: bool) -> tuple[Score, Bytes | None]:
    kind, seed = task
    half, reader = _tools[0]
    result, picture = read_drawn(kind, draw_page(half, kind, seed), seed, reader)
    return result, picture if pictures and result.is_mistake else None


def summary(scores: Sequence[Score]) -> dict[str, Any]:
    """Figures of the pages of one kind, or of several."""
    n_digits, n_read, n_found, n_placed = (
        sum(getattr(s, f"n_{what}") for s in scores)
        for what in ("digits", "read", "found", "placed")
    )
    result: dict[str, Any] = {"pages": len(scores)}
    if scores[0].cells:
        right, n_cells = (sum(s.cells[k] for s in scores if s.cells) for k in (0, 1))
        result |= {"cells": right / n_cells}
    elif not n_digits:
        result |= {"nothing": sum(not s.n_read for s in scores) / len(scores)}
        result |= {"extra digits a page": n_read / len(scores)}
    else:
        result |= {
            "digits exact": sum(s.digits_exact for s in scores) / len(scores),
            "text exact": sum(s.text_exact for s in scores) / len(scores),
            "digit errors": sum(s.edits for s in scores) / n_digits,
            "precision": n_found / max(n_read, 1),
            "recall": n_found / n_digits,
            "extra digits": (n_read - n_placed) / n_digits,
        }
    result["seconds"] = sum(s.seconds for s in scores) / len(scores)
    return {name: round(value, 4) for name, value in result.items()}


def groups(scores: Sequence[Score]) -> Iterator[tuple[str, list[Score]]]:
    """Pages of each kind; of all on which there are digits outside grids; and those of nothing."""
    by_kind: dict[str, list[Score]] = defaultdict(list)
    for one in scores:
        by_kind[one.kind].append(one)
    yield from by_kind.items()
    written = [s for s in scores if s.kind not in (*GRIDS, *NOTHING)]
    empty = [s for s in scores if s.kind in NOTHING]
    yield from (
        (name, some) for name, some in (("all digits", written), ("all nothing", empty)) if some
    )


COLUMNS = (
    *("digits exact", "text exact", "digit errors", "precision", "recall", "extra digits"),
    *("nothing", "cells"),
)


def table_of(figures: dict[str, dict[str, Any]]) -> str:
    """The figures in Markdown."""
    rows = [
        [
            name,
            of["pages"],
            *(f"{of[column]:.1%}" if column in of else "" for column in COLUMNS),
            f"{of['seconds']:.2f}",
        ]
        for name, of in figures.items()
    ]
    return table(["kind", "pages", *COLUMNS, "s a page"], rows)


def save_mistakes(mistakes: Sequence[tuple[Score, Bytes]], folder: Path) -> None:
    """A sheet of each kind: pictures, truth, and what was read."""
    sheets: dict[str, list[tuple[Bytes, str]]] = defaultdict(list)
    for one, picture in mistakes:
        sheets[one.kind].append(
            (picture, f"{one.seed}: {one.truth[:60]!r}\nread {one.read[:60]!r}")
        )
    folder.mkdir(parents=True, exist_ok=True)
    for kind, cells in sheets.items():
        save_png(contact_sheet(cells), folder / f"{kind}.png")


@click.command(help=options.paragraphs(__doc__))
@half_option
@kind_option
@click.option("--count", default=40, show_default=True, help="Pages of each kind.")
@seed_option
@options.dataset
@options.data
@options.model
@options.detector
@options.file("--signs", "models/signs.joblib")
@options.file("--pairs", "models/pairs.joblib")
@options.jobs
@click.option("--output", type=Path, help="JSON of all figures.")
@click.option("--mistakes", type=Path, help="Folder for a sheet of each kind's mistakes.")
def main(
    half: str,
    kinds: tuple[str, ...],
    count: int,
    seed: int,
    dataset: str,
    data: Path,
    model: Path,
    detector: Path,
    signs: Path,
    pairs: Path,
    jobs: int,
    output: Path | None,
    mistakes: Path | None,
) -> None:
    tasks = [(kind, seed + k) for kind in kinds or KINDS for k in range(count)]
    sources = load_half(half, dataset, data).summary()
    click.echo(sources, err=True)
    work = partial(_measured, pictures=mistakes is not None)
    with get_context("spawn").Pool(
        jobs, _prepare, (half, dataset, data, model, detector, signs, pairs)
    ) as pool:
        results = list(pool.imap(work, tasks, chunksize=4))
    figures = {name: summary(some) for name, some in groups([one for one, _ in results])}
    click.echo(table_of(figures))
    if mistakes:
        save_mistakes([(one, pixels) for one, pixels in results if pixels is not None], mistakes)
    if output:
        record = {"half": half, "sources": sources, "count": count, "seed": seed, "kinds": figures}
        write_json(output, {**record, **stamp()})
