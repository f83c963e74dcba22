"""Pictures that are not MNIST's: a folder of them, and what is read on each.

The folder has a `manifest.tsv`, tab-separated, with a header; of its columns are used kind
(`single`: one digit; `multi`: several, the label's rows parted by `-`; `junk`: none; `printed`: one
typeset digit), path (below the folder: kind/source/file), label, and style.
"""

import csv
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from mnist_net.arrays import IMAGE_SHAPE, Bytes
from mnist_net.errors import ImageError
from mnist_net.pictures.decoding import Picture, open_image
from mnist_net.reading.answers import Page, Reading
from mnist_net.reading.reader import Reader

LOOKALIKES = frozenset("olszbgiq")
"""Letters that are digits too: nobody can be blamed for reading them."""

_GROUPS = {
    "letter": "letters",
    "greek": "Greek letters",
    "object": "objects",
    **dict.fromkeys(("word", "text", "printed"), "words and pages"),
}


class Row(NamedTuple):
    """A row of the manifest, and where its picture lies."""

    file: Path
    path: str
    kind: str
    label: str
    style: str

    @property
    def source(self) -> str:
        """Who made it."""
        return self.path.split("/")[1]

    @property
    def half(self) -> int:
        """0 or 1, by a hash of the source: how far a figure depends on who drew."""
        return hashlib.sha256(self.source.encode()).digest()[0] % 2

    @property
    def is_lookalike(self) -> bool:
        """Whether it is a letter that looks like a digit."""
        kind, _, letter = self.label.lower().partition("-")
        return kind == "letter" and letter in LOOKALIKES

    @property
    def group(self) -> str:
        """Which sort of junk it is."""
        found = (group for start, group in _GROUPS.items() if self.label.lower().startswith(start))
        return next(found, "other")


class Answer(NamedTuple):
    """What was read on a picture of one digit or none, by a reader that may refuse nothing.

    `naive` is what the network alone reads, see `squashed`; None if the picture cannot be opened.
    """

    row: Row
    naive: int | None
    reading: Reading

    def is_refused(self, below: float) -> bool:
        """Whether it is no digit to a reader with this threshold."""
        return self.reading.digit is None or self.reading.score < below

    def is_right(self, below: float = 0.0) -> bool:
        """Whether such a reader gives the label."""
        return not self.is_refused(below) and str(self.reading.digit) == self.row.label

    @property
    def naive_is_right(self) -> bool:
        """Whether the network alone gives the label."""
        return str(self.naive) == self.row.label


class PageAnswer(NamedTuple):
    """What was read on a picture of several digits."""

    row: Row
    page: Page

    @property
    def text(self) -> str:
        """As labels are written: `-` parts the rows."""
        return self.page.digits_only.replace("\n", "-")

    @property
    def is_right(self) -> bool:
        """Whether every digit is, and there are no others."""
        return self.text == self.row.label

    @property
    def edits(self) -> int:
        """So many changes of one character lead from the answer to the label."""
        return edit_distance(self.text, self.row.label)

    @property
    def n_digits(self) -> int:
        """How many digits there are in truth."""
        return sum(character.isdigit() for character in self.row.label)


def read_manifest(folder: Path) -> list[Row]:
    """All pictures of a folder."""
    with (folder / "manifest.tsv").open(encoding="utf-8", newline="") as stream:
        return [
            Row(folder / row["path"], row["path"], row["kind"], row["label"], row["style"])
            for row in csv.DictReader(stream, delimiter="\t")
        ]


def squashed(picture: Picture) -> Bytes:
    """What one would try first: grey, 28 × 28, and inverted if the border is light."""
    pixels = picture.pixels
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).convert("L")
    grey = np.asarray(image.resize(IMAGE_SHAPE[::-1]))
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    return 255 - grey if border.mean() > 127.5 else grey


def read_one_each(rows: Sequence[Row], reader: Reader) -> list[Answer]:
    """Read one digit on each picture, our way and naively, by a reader whose threshold is 0."""
    if reader.reject_below > 0.0:
        raise ValueError("this reader refuses pictures")
    small = np.zeros((len(rows), *IMAGE_SHAPE), np.uint8)

    def pictures() -> Iterator[Picture | ImageError]:
        for row, image in zip(rows, small, strict=True):
            picture = opened(row)
            if isinstance(picture, Picture):
                image[:] = squashed(picture)
            yield picture

    readings = list(reader.read(pictures()))
    return [
        Answer(row, int(digit), reading)
        if isinstance(reading, Reading)
        else Answer(row, None, Reading(None))
        for row, digit, reading in zip(rows, reader.model.predict(small), readings, strict=True)
    ]


def read_pages(rows: Sequence[Row], reader: Reader) -> list[PageAnswer]:
    """Read all digits of each picture; none where it cannot be opened."""
    return [
        PageAnswer(row, reader.read_page(p) if isinstance(p, Picture) else Page(()))
        for row, p in zip(rows, map(opened, rows), strict=True)
    ]


def opened(row: Row) -> Picture | ImageError:
    """Its picture, or why that cannot be opened."""
    try:
        return open_image(row.file, row.path)
    except ImageError as error:
        return error


def edit_distance(a: str, b: str) -> int:
    """Fewest insertions, deletions and replacements that turn one into the other (Levenshtein)."""
    above = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b):
            row.append(min(above[j] + (x != y), above[j + 1] + 1, row[j] + 1))
        above = row
    return above[-1]
