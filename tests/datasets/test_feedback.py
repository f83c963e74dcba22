"""The store of corrections: what goes in comes out, whoever writes beside, and nothing is lost."""

import datetime as dt
import io
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnist_net.datasets.feedback import (
    FORMAT_VERSION,
    Correction,
    Feedback,
    corrected_digits,
    feedback_path,
)
from mnist_net.errors import DataError, ImageError
from tests.datasets.conftest import refused


def encoded(kind: str = "PNG", ink: int = 0) -> bytes:
    """A file of a picture with a stroke."""
    pixels = np.full((40, 30, 3), 250, np.uint8)
    pixels[5:35, 12:16] = ink
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


@pytest.fixture
def store(tmp_path: Path) -> Feedback:
    return Feedback(tmp_path / "new folder" / "what? is#this.sqlite")


def test_what_is_added_is_listed(store: Feedback) -> None:
    before = dt.datetime.now(dt.UTC).replace(microsecond=0)
    assert store.add(encoded(), 7, 1) == 1
    assert store.add(encoded(ink=50), label=0, said=None) == 2
    after = dt.datetime.now(dt.UTC)
    first, second = store.list()
    assert isinstance(first, Correction)
    assert (first.id, first.label, first.said, first.picture) == (1, 7, 1, encoded())
    assert (second.id, second.label, second.said) == (2, 0, None)
    assert before <= dt.datetime.fromisoformat(first.time) <= after
    assert list(store) == [first, second]
    assert len(Feedback(store.path)) == 2  # by another object


def test_other_formats_become_png(store: Feedback) -> None:
    store.add(encoded("BMP"), 1)
    (row,) = store
    with Image.open(io.BytesIO(row.picture)) as image:
        assert image.format == "PNG"
        np.testing.assert_array_equal(
            np.asarray(image.convert("RGB")), np.asarray(Image.open(io.BytesIO(encoded())))
        )


def test_nothing_is_made_before_the_first(store: Feedback) -> None:
    assert (store.list(), len(store), store.clear()) == ([], 0, 0)
    with pytest.raises(ImageError):
        store.add(b"no picture", 3)
    for label, said in ((10, None), (-1, None), ("3", None), (None, None), (3, 10)):
        with pytest.raises(DataError, match="not a digit from 0 to 9"):
            store.add(encoded(), label, said)  # type: ignore[arg-type]
    assert not store.path.parent.exists()


def test_clear_leaves_no_trace_and_no_number_twice(store: Feedback) -> None:
    ids = [store.add(encoded(), digit) for digit in range(3)]
    assert store.clear() == 3
    assert store.list() == []
    assert encoded()[-60:-20] not in store.path.read_bytes()
    assert store.add(encoded(), 1) == ids[-1] + 1


def test_the_last_word_on_a_picture_counts(store: Feedback) -> None:
    with pytest.raises(DataError, match="there are no corrections yet"):
        corrected_digits(store)
    store.add(encoded(), 7)
    store.add(encoded("PNG", ink=90), 4)
    store.add(encoded(), 1)
    digits = corrected_digits(store)
    assert digits.labels.tolist() == [1, 4]
    assert digits.images.shape == (2, 28, 28)
    assert digits.name == str(store.path)


def test_it_lies_under_the_data_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "home"))
    assert Feedback().path == tmp_path / "home" / "mnist-net" / "feedback.sqlite"
    assert feedback_path(tmp_path) == tmp_path / "mnist-net" / "feedback.sqlite"


PROGRAM = """
import sys
from pathlib import Path
from mnist_net.datasets.feedback import Feedback
store, picture = Feedback(Path(sys.argv[1])), Path(sys.argv[2]).read_bytes()
print(*[store.add(picture, int(sys.argv[3])) for _ in range(20)])
"""


def test_several_processes_write_one_store(store: Feedback, tmp_path: Path) -> None:
    """They begin together, with no file there yet."""
    (tmp_path / "a.png").write_bytes(encoded())
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, store.path, tmp_path / "a.png", str(digit)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for digit in range(4)
    ]
    said = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    told = {int(one): digit for digit, line in enumerate(said) for one in line.split()}
    assert {row.id: row.label for row in store} == told
    assert len(told) == 80


def test_several_threads_write_one_store(store: Feedback) -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda k: store.add(encoded(), k % 10), range(64)))
    assert sorted(ids) == list(range(1, 65))
    assert {row.id: row.label for row in store} == {n: k % 10 for k, n in enumerate(ids)}


def test_what_was_not_finished_never_was(store: Feedback) -> None:
    store.add(encoded(), 1)
    program = (
        "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "c.execute('PRAGMA cache_size = 1'); c.execute('BEGIN IMMEDIATE');"
        "c.execute('UPDATE corrections SET label = 9');"
        "c.execute('INSERT INTO corrections (time, label, picture) VALUES (?, 9, zeroblob(99999))',"
        "('',)); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", program, store.path], check=True)
    assert store.path.with_name(store.path.name + "-journal").exists()  # it was in the middle
    assert [row.label for row in store] == [1]


def calls(path: Path) -> list[str]:
    """What each method says of a file that it refuses."""
    store = Feedback(path)
    methods = (
        store.list,
        store.clear,
        store.__len__,
        lambda: store.add(encoded(), 1),
    )
    return [refused(path, lambda _, method=method: method()) for method in methods]


def test_a_foreign_file_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear Sir, " * 500)
    before = path.read_bytes()
    assert all("no store of corrections" in said for said in calls(path))
    assert path.read_bytes() == before


def test_a_database_of_something_else_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE corrections (mine TEXT)")
    other.close()
    before = path.read_bytes()
    assert all("a database of something else" in said for said in calls(path))
    assert path.read_bytes() == before


def test_a_later_version_is_left_as_it_is(store: Feedback) -> None:
    store.add(encoded(), 1)
    with sqlite3.connect(store.path) as later:
        later.execute(f"PRAGMA user_version = {FORMAT_VERSION + 1}")
    later.close()
    before = store.path.read_bytes()
    assert all(f"version {FORMAT_VERSION + 1}" in said for said in calls(store.path))
    assert store.path.read_bytes() == before


def test_a_damaged_file_is_one_sentence(store: Feedback) -> None:
    for k in range(30):
        store.add(encoded(), k % 10)
    content = bytearray(store.path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)  # the header still says what it is
    store.path.write_bytes(content)
    assert "damaged" in refused(store.path, lambda path: Feedback(path).list())
    assert store.path.read_bytes() == content


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    assert all("folder" in said for said in calls(tmp_path))


def test_an_empty_file_becomes_a_store_when_something_is_added(tmp_path: Path) -> None:
    path = tmp_path / "empty.sqlite"
    path.touch()
    assert Feedback(path).list() == []
    assert path.read_bytes() == b""
    assert Feedback(path).add(encoded(), 4) == 1
    assert [row.label for row in Feedback(path)] == [4]
