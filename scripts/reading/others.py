"""Measure how other people's data sets are read: results/others.json, two minutes.

    python -m scripts.reading others
    python -m scripts.reading others --data FOLDER --sheets build/others

FOLDER holds `semeion.npz` and `optdigits32.npz` (digits of low resolution: images and labels),
`omniglot-letters.npz` (images of letters, which are no digits), and `register-cells/` (pictures of
one number each, which are read as pages, and a manifest.tsv).  Nothing is trained on them.  With
--sheets what is misread, refused or, of the letters, taken for a digit is drawn on contact sheets:
each picture as it came, beside the form that it was read in.
"""

import csv
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np

from mnist_net.arrays import IMAGE_SHAPE, Bytes
from mnist_net.pictures.decoding import Picture, open_image, save_png
from mnist_net.pictures.pieces import Mask
from mnist_net.reading.answers import Reading
from mnist_net.reading.reader import Reader
from mnist_net.trained.store import load_model
from scripts import options
from scripts.records import stamp, table, write_json

DIGITS, LETTERS = ("semeion", "optdigits32"), ("omniglot-letters",)
REGISTERS = "register-cells"
_COLUMNS = 12  # of a contact sheet
_CELL = 60  # its pixels for each of the two pictures
_MOST_SHOWN = 240


class Answers(NamedTuple):
    """What a reader that may refuse nothing says of a set: N pictures, N readings, labels."""

    images: Bytes
    readings: list[Reading]
    labels: Bytes | None

    def scores(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Of each picture; 0 where nothing is found."""
        return np.array([reading.score for reading in self.readings])

    def right(self) -> Mask:
        """Whether each digit is read as its label."""
        assert self.labels is not None
        return np.array([r.digit for r in self.readings], object) == self.labels.astype(object)


def read_set(path: Path, reader: Reader) -> Answers:
    """Read each picture of a file as a picture of one digit."""
    with np.load(path) as arrays:
        images, labels = arrays["images"], arrays.get("labels")
    readings = list(reader.read(Picture(image[..., None]) for image in images))
    return Answers(images, [r for r in readings if isinstance(r, Reading)], labels)


def figures_of(answers: Answers, threshold: float) -> dict[str, float]:
    """Shares: right if nothing is refused, and refused."""
    refused = answers.scores() < threshold
    shares = {"refused": float(refused.mean())}
    if answers.labels is not None:
        shares = {"right, nothing refused": float(answers.right().mean()), **shares}
    return {name: round(share, 4) for name, share in shares.items()}


def registers(folder: Path, reader: Reader) -> dict[str, float]:
    """Shares of the cells: whose number is read exactly, and on which nothing is."""
    with (folder / "manifest.tsv").open(encoding="utf-8", newline="") as file:
        cells = list(csv.DictReader(file, delimiter="\t"))
    pages = [reader.read_page(open_image(folder / cell["file"])) for cell in cells]
    read = ["".join(str(r.digit) for r in page.digits if r.digit is not None) for page in pages]
    exact = np.array([r == cell["label"] for r, cell in zip(read, cells, strict=True)])
    nothing = np.array([not r for r in read])
    shares = {"exact": exact.mean(), "nothing read": nothing.mean()}
    return {name: round(float(share), 4) for name, share in shares.items()}


def contact_sheet(answers: Answers, chosen: Mask) -> Bytes:
    """The chosen pictures, each beside its form: grey, in rows."""
    blank = np.zeros(IMAGE_SHAPE, np.uint8)
    pairs = []
    for k in np.flatnonzero(chosen)[:_MOST_SHOWN]:
        form = answers.readings[k].image
        pairs.append(
            np.hstack([_enlarged(answers.images[k]), _enlarged(blank if form is None else form)])
        )
    pairs += [np.zeros((_CELL + 2, 2 * _CELL + 4), np.uint8)] * (-len(pairs) % _COLUMNS)
    rows = [np.hstack(pairs[k : k + _COLUMNS]) for k in range(0, len(pairs), _COLUMNS)]
    return np.vstack(rows) if rows else blank


def _enlarged(image: Bytes) -> Bytes:
    places = np.arange(_CELL) * len(image) // _CELL
    return np.pad(image[np.ix_(places, places)], 1, constant_values=96)


@click.command(help=options.paragraphs(__doc__))
@options.file("--data", "../shared/data/other", help="The three files and the folder.")
@options.model
@options.detector
@options.file("--output", "results/others.json")
@click.option("--sheets", type=Path, help="A folder for contact sheets of what goes wrong.")
def main(data: Path, model: Path, detector: Path, output: Path, sheets: Path | None) -> None:
    reader = Reader(load_model(model), load_model(detector))
    anything, threshold = Reader(reader.model, reader.detector, 0.0), reader.reject_below
    result: dict[str, Any] = {"threshold": threshold}
    for name in (*DIGITS, *LETTERS):
        answers = read_set(data / f"{name}.npz", anything)
        result[name] = figures_of(answers, threshold)
        if sheets:
            refused = answers.scores() < threshold
            wrong = (
                {"refused": refused, "misread": ~answers.right()}
                if name in DIGITS
                else {"read": ~refused}
            )
            sheets.mkdir(parents=True, exist_ok=True)
            for what, chosen in wrong.items():
                save_png(contact_sheet(answers, chosen), sheets / f"{name}-{what}.png")
    result[REGISTERS] = registers(data / REGISTERS, reader)
    names = ("right, nothing refused", "refused", "exact", "nothing read")
    print(
        table(
            ["set", *names],
            [
                [n, *(f"{result[n].get(k, ''):}" for k in names)]
                for n in (*DIGITS, *LETTERS, REGISTERS)
            ],
        )
    )
    write_json(output, {**result, **stamp()})
