"""Pictures that were read wrongly, and what they are in truth: a store of corrections.

It is one SQLite file under the data home, in which each correction is a row.  Every call opens the
file for itself and works in one transaction, so several threads and processes may use one store.
Nothing is sent anywhere.
"""

import datetime as dt
import io
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from PIL import Image

from mnist_net.datasets.dataset import Dataset, data_digest
from mnist_net.datasets.folders import first_sights
from mnist_net.datasets.mnist import data_home_path
from mnist_net.errors import DataError
from mnist_net.files import resolved
from mnist_net.pictures.decoding import open_image

FORMAT_VERSION = 1
"""What SQLite's ``user_version`` of a store says."""

_APPLICATION = 0x6D6E6664  # "mnfd": SQLite's mark of whose file it is
_PATIENCE = 30.0  # seconds, while another process writes
_PNG = b"\x89PNG\r\n\x1a\n"
_DIGITS = range(10)
_DAMAGED = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)
_TABLE = """
CREATE {kind} TABLE corrections (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time TEXT NOT NULL,
    label INTEGER NOT NULL CHECK (label BETWEEN 0 AND 9),
    said INTEGER CHECK (said BETWEEN 0 AND 9),
    picture BLOB NOT NULL CHECK (typeof(picture) = 'blob')
)
"""

Answer = TypeVar("Answer")


class Correction(NamedTuple):
    """A picture and what is on it.

    Attributes
    ----------
    id
        A number that no other correction of the store has had.
    time
        When it was added, UTC, as in 2025-01-31T23:59:59+00:00.
    label
        The digit that it is, 0 to 9.
    said
        The digit that was read; None if it was none, or if nobody knows.
    picture
        The bytes of a PNG file.
    """

    id: int
    time: str
    label: int
    said: int | None
    picture: bytes


Corrections = list[Correction]


def feedback_path(data_home: Path | None = None) -> Path:
    """Where corrections are kept; see `data_home_path`."""
    return data_home_path(data_home) / "mnist-net" / "feedback.sqlite"


class Feedback:
    """A store of corrections, oldest first; its file is made with the first of them.

    Parameters
    ----------
    path
        The file.  By default `feedback_path`.

    Raises
    ------
    DataError
        By every method: if the file is damaged, is something else, is of a later version, or cannot
        be used.  Whatever it is, it stays as it is.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or feedback_path()

    def add(self, picture: bytes, label: int, said: int | None = None) -> int:
        """Keep a picture, in any common format, with the digit that it is, and that was read.

        A PNG file is kept as it is, anything else as a PNG of what `open_image` makes of it.
        Returned is its id.

        Raises
        ------
        ImageError
            If it is no picture.
        DataError
            If the label, or what was read, is no digit; and see above.
        """
        for name, value in (("label", label), ("answer", said)):
            if value not in _DIGITS and not (name == "answer" and value is None):
                raise DataError(f"the {name} of a correction is {value!r}, not a digit from 0 to 9")
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        row = (now, int(label), None if said is None else int(said), _as_png(picture))

        def insert(store: sqlite3.Connection) -> int:
            found = store.execute(
                "INSERT INTO corrections (time, label, said, picture) VALUES (?, ?, ?, ?)", row
            ).lastrowid
            assert found is not None
            return found

        if not self.path.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True)
        return self._write(insert)

    def clear(self) -> int:
        """Remove all corrections, so that nothing of them stays on the disk; return how many."""
        if not self.path.exists():
            return 0

        def delete(store: sqlite3.Connection) -> int:
            store.execute("PRAGMA secure_delete = ON")
            return store.execute("DELETE FROM corrections").rowcount

        return self._write(delete)

    def __len__(self) -> int:
        """Count the corrections."""
        if not self.path.exists():
            return 0
        with self._opened() as store:
            (count,) = store.execute("SELECT count(*) FROM corrections").fetchone()
            return int(count)

    def __iter__(self) -> Iterator[Correction]:
        """Go through them as they are now, oldest first."""
        return iter(self.list())

    def list(self) -> Corrections:
        """All of them, oldest first; none if there is no file."""
        if not self.path.exists():
            return []
        with self._opened() as store:
            rows = store.execute("SELECT id, time, label, said, picture FROM corrections")
            return [Correction(*row) for row in rows]

    def _write(self, change: Callable[[sqlite3.Connection], Answer]) -> Answer:
        with self._opened(makes=True) as store:
            return change(store)

    @contextmanager
    def _opened(self, *, makes: bool = False) -> Iterator[sqlite3.Connection]:
        """The store within a transaction, which is kept if the block ends well."""
        if self.path.is_dir():
            raise DataError(f"{self.path} is a folder: name a file for the corrections")
        try:
            mode = "rwc" if makes else "rw"
            where = f"{resolved(self.path).as_uri()}?mode={mode}"
            with closing(
                sqlite3.connect(where, uri=True, timeout=_PATIENCE, isolation_level=None)
            ) as store:
                store.execute("BEGIN IMMEDIATE" if makes else "BEGIN")
                self._require_ours(store, makes=makes)
                yield store
                store.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._sentence(error) from error

    def _require_ours(self, store: sqlite3.Connection, *, makes: bool) -> None:
        """Refuse what is no store, or a later one; make one of a file that is empty."""
        (version,) = store.execute("PRAGMA user_version").fetchone()
        (application,) = store.execute("PRAGMA application_id").fetchone()
        (n_tables,) = store.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if (version, application, n_tables) == (0, 0, 0):
            # Whoever only reads may not write, and sees a table that lives in memory.
            store.execute(_TABLE.format(kind="" if makes else "TEMP"))
            if makes:
                store.execute(f"PRAGMA application_id = {_APPLICATION}")
                store.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
        elif application != _APPLICATION:
            raise DataError(
                f"{self.path} is a database of something else: name another file for the "
                "corrections with --feedback"
            )
        elif version != FORMAT_VERSION:
            raise DataError(
                f"{self.path} is a store of corrections of version {version}, and this mnist-net "
                f"knows version {FORMAT_VERSION}: take a later mnist-net, or name another file "
                "with --feedback"
            )

    def _sentence(self, error: sqlite3.Error) -> DataError:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
            return DataError(
                f"{self.path} is no store of corrections, or it is damaged ({error}): move it "
                "away, or name another file with --feedback"
            )
        return DataError(f"cannot use {self.path}: {error}")


def corrected_digits(feedback: Feedback) -> Dataset:
    """Corrections as labelled pictures, oldest first, each as reading first sees it.

    Of several corrections of one picture only the last counts.

    Raises
    ------
    DataError
        If there are none.
    """
    latest = {row.picture: row for row in feedback}  # in its first place, with its last label
    rows, source = list(latest.values()), str(feedback.path)
    if not rows:
        raise DataError(
            f"{source}: there are no corrections yet; make some on the page of `mnist-net serve`, "
            "or with `mnist-net feedback add`, or name a folder of folders 0 to 9"
        )
    images, kept = first_sights(
        ((f"{source}, correction {row.id}", row.picture) for row in rows), source
    )
    labels = np.array([rows[k].label for k in kept], np.uint8)
    return Dataset(images, labels, source, data_digest(images, labels))


def _as_png(picture: bytes) -> bytes:
    pixels = open_image(picture, "the picture of a correction").pixels
    if picture.startswith(_PNG):
        return bytes(picture)
    stream = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(stream, "PNG")
    return stream.getvalue()
