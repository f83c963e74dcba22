"""Check the constants by which pictures are read: results/reading.json, an hour.

    python -m scripts.reading constants

Each constant in turn takes other values, and the pictures of half 0 of the sources (and no others;
`Row.half` says which) are read with each.  "Digits" is the accuracy on pictures of one digit, as a
mean over sources; "surprise" the mean over sources of -log of the probability that the
right answer was given, which tells values apart that give the same answers; "pages" is how many
pictures of several digits are read without a mistake.  A constant is to be changed where another
value has no fewer digits and pages right, and less surprise by more than its standard error over
sources, and where the tests on drawn papers still pass; then all are to be checked again.
"""

import math
import statistics
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, NamedTuple
from unittest.mock import patch

import click

from mnist_net.pictures.decoding import Picture, open_image
from mnist_net.reading.answers import Reading
from mnist_net.reading.reader import Reader
from mnist_net.trained.store import load_model
from scripts import options
from scripts.reading.foreign import PageAnswer, Row, read_manifest
from scripts.reading.measures import APART
from scripts.records import read_json, stamp, table, write_json

HALF = 0  # the other one is for reporting
MOST_SURPRISE = 5.0  # what is refused or entirely wrong

ALTERNATIVES: dict[str, tuple[Any, ...]] = {
    "reading.judge.SURE": (0.8, 0.9, 0.92, 0.95),
    "pictures.looks._SURE_OF_PAPER": (0.5, 1.0, 1.5),
    "pictures.looks._LESS_LIKELY": (0.6, 0.8, 0.9),
    "pictures.looks._LIKELIER_AS_IT_IS": (0.9, 0.95, 1.0),
    "pictures.form._WIDTHS": ((1.6, 3.8), (1.8, 3.6), (2.0, 3.4), (2.2, 3.2)),
    "pictures.form._MOST_THINNING": (1.0, 2.0, 4.0),
    "pictures.ink._LEAST_CONTRAST": (0.04, 0.06, 0.08),
    "pictures.ink._NOISE": (3.0, 4.0, 5.0),
    "pictures.ink._CLEAR": (1.0, 1.25, 1.5),
    "pictures.ink._EDGE": (0.36, 0.42, 0.48),
    "pictures.ink._SOLID": (0.5, 0.6, 0.75),
    "pictures.ink._MOST_INK": (0.6, 0.7, 0.8),
    "pictures.ink._WINDOW": (0.3, 0.4, 0.5),
    "pictures.not_writing._SPECK": (0.01, 0.02, 0.04),
    "pictures.not_writing._LARGE": (0.08, 0.12, 0.16),
    "pictures.layout._NEAR": (0.15, 0.2, 0.25),
    "pictures.rows._SAME_SIZE": (0.3, 0.4, 0.5),
    "pictures.rows._CUT_WIDER_THAN": (0.6, 0.7, 0.8),
}


class Outcome(NamedTuple):
    """Of each source the share of digits read right and the mean surprise; pages read right."""

    digits: dict[str, float]
    surprise: dict[str, float]
    pages: int


def surprise(reading: Reading, label: str, classes: Sequence[int]) -> float:
    """-log of the probability of the label, where one was given."""
    if reading.probabilities is None:
        return MOST_SURPRISE
    probability = float(reading.probabilities[list(classes).index(int(label))])
    return min(-math.log(max(probability, 1e-9)), MOST_SURPRISE)


Pictures = list[tuple[Row, Picture]]


def outcome(single: Pictures, multi: Pictures, reader: Reader) -> Outcome:
    """Read all pictures of one digit and of several with the constants as they are now."""
    hits: dict[str, list[float]] = defaultdict(list)
    surprises: dict[str, list[float]] = defaultdict(list)
    classes = reader.model.classes.tolist()
    readings = reader.read(picture for _, picture in single)
    for (row, _), reading in zip(single, readings, strict=True):
        assert isinstance(reading, Reading)
        hits[row.source].append(str(reading.digit) == row.label)
        surprises[row.source].append(surprise(reading, row.label, classes))
    right = [PageAnswer(row, reader.read_page(page)).is_right for row, page in multi]
    return Outcome(_means(hits), _means(surprises), sum(right))


def _means(by_source: dict[str, list[float]]) -> dict[str, float]:
    return {source: statistics.fmean(values) for source, values in by_source.items()}


def compared(other: Outcome, committed: Outcome) -> dict[str, float]:
    """The figures of a value, and its differences from the committed one over sources."""
    differences = [other.surprise[s] - committed.surprise[s] for s in committed.surprise]
    spread = statistics.stdev(differences) if len(differences) > 1 else 0.0
    return {
        "digits": round(statistics.fmean(other.digits.values()), 4),
        "surprise": round(statistics.fmean(other.surprise.values()), 4),
        "surprise more than committed": round(statistics.fmean(differences), 4),
        "standard error": round(spread / math.sqrt(len(differences)), 4),
        "pages": other.pages,
    }


@click.command(help=options.paragraphs(__doc__))
@options.data
@options.model
@options.detector
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(list(ALTERNATIVES)),
    help="One of the constants; may be given again, and the others are kept as they were.",
)
@options.file("--output", "results/reading.json")
def main(data: Path, model: Path, detector: Path, only: tuple[str, ...], output: Path) -> None:
    rows = [r for r in read_manifest(data) if r.half == HALF and r.source != APART]
    single, multi = (
        [(row, open_image(row.file, row.path)) for row in rows if row.kind == kind]
        for kind in ("single", "multi")
    )
    reader = Reader(load_model(model), load_model(detector), reject_below=0.0)
    committed = outcome(single, multi, reader)
    found = read_json(output).get("constants", {}) if only else {}
    for name in only or ALTERNATIVES:
        found[name] = []
        for value in ALTERNATIVES[name]:
            is_committed = value == resolve_name(f"mnist_net.{name}")
            with patch(f"mnist_net.{name}", value):
                figures = compared(outcome(single, multi, reader), committed)
            found[name].append({"value": value, "committed": is_committed, **figures})
        print(table([name, *list(found[name][0])[1:]], [row.values() for row in found[name]]))
        print(f"of {len(multi)} pages\n", flush=True)
    write_json(output, {"constants": found, **stamp()})
