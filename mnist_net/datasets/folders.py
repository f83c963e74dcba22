"""One's own pictures as a data set: folders that are named as what is in them, or a list of files.

``own/3/*.png``, ``own/7/*.png``, …: each folder's name is the label of the pictures in it (and
below it).  Or a .csv or .tsv file, with a header, of which the columns ``path`` and ``label`` are
read; a path is relative to the file's folder.  Every picture becomes one of 28 × 28 in the way that
reading begins with, so what is learned from them serves reading.

A folder ``train`` beside a folder ``test`` is a split; so is a column ``split`` that says ``train``
or ``test``.  Else the last seventh of each label's pictures, in the order of their names, is for
testing, as of MNIST itself.
"""

import csv
import logging
import reprlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mnist_net.arrays import Bytes
from mnist_net.datasets.dataset import Dataset, Splits, data_digest, split
from mnist_net.errors import DataError, ImageError
from mnist_net.pictures.decoding import is_image_name, open_image
from mnist_net.pictures.looks import first_sight

LISTS = (".csv", ".tsv")
"""Endings of the names of lists of files."""

_TEST_SHARE = 7  # one picture of so many
_LABELS = range(256)

log = logging.getLogger(__name__)


class LabelledFile(NamedTuple):
    """A picture's file, its label, and the part of the data set that it is said to be of."""

    path: Path
    label: int
    split: str | None = None


def is_own_pictures(path: Path) -> bool:
    """Whether a path is a list of files, or a folder with folders that are named as labels."""
    with suppress(OSError):  # whoever reads it says what is wrong
        return path.suffix.lower() in LISTS or (path.is_dir() and bool(_label_folders(path)))
    return False


def labelled_files(path: Path, *, warns: bool = True) -> list[LabelledFile]:
    """Files of a data set of one's own, by label and then by name.

    Folders that hold pictures and are not named as labels are told of, if `warns`.

    Raises
    ------
    DataError
        If there are none, or a label is no whole number from 0 to 255; the message names the place.
    """
    found = _listed(path) if path.suffix.lower() in LISTS else _in_folders(path)
    files = sorted(found, key=lambda file: (file.label, str(file.path)))
    if not files:
        raise DataError(f"{path}: no pictures; expected folders named 0 to 9 with pictures in them")
    if warns and (others := _passed_over(path)):
        log.warning(
            "%s is passed over: folders of pictures are named as their label, a number from 0 to "
            "255%s",
            others[0],
            f"; so are {len(others) - 1} more" if others[1:] else "",
        )
    return files


def _listed(path: Path) -> Iterator[LabelledFile]:
    delimiter = "," if path.suffix.lower() == ".csv" else "\t"
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = csv.DictReader(stream, delimiter=delimiter)
            if not {"path", "label"} <= {*(rows.fieldnames or ())}:
                raise DataError(f"{path}: its first line must name the columns path and label")
            for row in rows:
                name, label, part = row["path"], row["label"] or "", row.get("split") or None
                where = f"{path}, line {rows.line_num}"
                if not name or "\0" in name:
                    raise DataError(f"{where}: the path is {name!r}, which is no file's")
                if not _is_label(label):
                    shown = reprlib.repr(label)
                    raise DataError(f"{where}: the label is {shown}, not a number from 0 to 255")
                if part not in (None, "train", "test"):
                    raise DataError(f"{where}: the split is {part!r}, not train or test")
                yield LabelledFile(path.parent / name, int(label), part)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"cannot read {path}: {reason}") from error


def _label_folders(path: Path) -> list[tuple[Path, str | None]]:
    """Folders named as labels, and the part that they are of."""
    return [(folder, part) for folder, part in _folders(path) if _is_number(folder.name)]


def _passed_over(path: Path) -> list[Path]:
    """Folders beside these in which there are pictures too."""
    return [
        folder
        for folder, _ in (_folders(path) if path.is_dir() else [])
        if not (_is_number(folder.name) or folder.name.startswith("."))
        and any(is_image_name(file) for file in folder.rglob("*"))
    ]


def _folders(path: Path) -> list[tuple[Path, str | None]]:
    """Folders in a folder, or in its parts for training and for testing, which are named."""
    parts: dict[str | None, Path] = {"train": path / "train", "test": path / "test"}
    if not all(part.is_dir() for part in parts.values()):
        parts = {None: path}
    return [
        (folder, name)
        for name, part in parts.items()
        for folder in sorted(part.iterdir())
        if folder.is_dir()
    ]


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdigit()


def _is_label(text: str) -> bool:
    return _is_number(text) and len(text) <= len(str(_LABELS[-1])) and int(text) in _LABELS


def _in_folders(path: Path) -> Iterator[LabelledFile]:
    for folder, part in _label_folders(path):
        if not _is_label(folder.name):
            raise DataError(f"{folder}: a folder's name is a label, a number from 0 to 255")
        for file in folder.rglob("*"):
            if is_image_name(file) and file.is_file():
                yield LabelledFile(file, int(folder.name), part)


def load_own_pictures(path: Path) -> Splits:
    """Read a data set of one's own; see above.

    Pictures that cannot be read, or that are blank, are left out with a warning.

    Raises
    ------
    DataError
        If there are no such pictures, or too few to train and to test.
    """
    images, labels, files = _read(path)
    return _split(path, images, labels, files)


def all_own_pictures(path: Path) -> Dataset:
    """The same pictures in one part, by label and then by name, whatever split is said.

    Raises
    ------
    DataError
        If there are none that can be read.
    """
    images, labels, _ = _read(path)
    return Dataset(images, labels, str(path), data_digest(images, labels))


def _read(path: Path) -> tuple[Bytes, Bytes, list[LabelledFile]]:
    files = labelled_files(path)
    images, kept = first_sights(((str(file.path), file.path) for file in files), str(path))
    files = [files[k] for k in kept]
    return images, np.array([file.label for file in files], np.uint8), files


def first_sights(
    pictures: Iterable[tuple[str, Path | bytes]], source: str
) -> tuple[Bytes, list[int]]:
    """Pictures as reading first sees them, each given by its name and its file or bytes.

    What cannot be read, or is blank, is left out with a warning.  Returned are the images, uint8,
    N × 28 × 28, and which of the pictures they are.

    Raises
    ------
    DataError
        If none is left; it names the source.
    """
    images, kept, problems = [], [], []
    for number, (name, picture) in enumerate(pictures):
        try:
            image = first_sight(open_image(picture, name).pixels)
            if image is None:
                raise ImageError(f"{name} is blank")
        except ImageError as error:
            problems.append(str(error))
        else:
            images.append(image)
            kept.append(number)
    total = len(kept) + len(problems)
    if not kept:
        because = f"; the first: {problems[0]}" if problems else ""
        raise DataError(f"{source}: none of {total} pictures can be read{because}")
    if problems:
        log.warning(
            "%d of %d pictures are left out; the first: %s", len(problems), total, problems[0]
        )
    return np.stack(images), kept


def _split(path: Path, images: Bytes, labels: Bytes, files: list[LabelledFile]) -> Splits:
    for_test = np.array([file.split == "test" for file in files], bool)
    if all(file.split is None for file in files):
        for label in np.unique(labels):
            rows = np.flatnonzero(labels == label)
            for_test[rows[len(rows) - len(rows) // _TEST_SHARE :]] = True
    if not for_test.any() or for_test.all():
        raise DataError(
            f"{path}: {len(files):,} pictures that can be read are too few to train and to test; "
            f"there must be {_TEST_SHARE} of some label"
        )
    order = np.concatenate([np.flatnonzero(~for_test), np.flatnonzero(for_test)])
    images, labels = images[order], labels[order]
    whole = Dataset(images, labels, str(path), data_digest(images, labels))
    return split(whole, int((~for_test).sum()))
