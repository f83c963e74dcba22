"""IDX: good files give the right pictures, bad ones one sentence that names them."""

import gzip
import re
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mnist_net.datasets.formats import find_idx_files, read_idx, read_idx_folder
from mnist_net.errors import DataError
from tests.datasets.conftest import (
    N,
    assert_split,
    flipped,
    never_anything_else,
    refused,
    some_pictures,
)
from tests.datasets.openml_server import FILES, idx, idx_files

N_TRAIN = 9


def write_set(
    folder: Path, rename: Callable[[str], str] = str, *, seed: int = 0, zipped: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Write four IDX files whose names `rename` makes of the original ones."""
    images, labels = some_pictures(seed=seed)
    for name, content in idx_files(images, labels, N_TRAIN).items():
        path = folder / rename(name if zipped else name.removesuffix(".gz"))
        path.write_bytes(content if zipped else gzip.decompress(content))
    return images, labels


def read_images(path: Path) -> np.ndarray:
    return read_idx(path, "images")


def read_labels(path: Path) -> np.ndarray:
    return read_idx(path, "labels")


# What is read


def test_idx_worked_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "two"
    path.write_bytes(bytes.fromhex("00000803 00000002 00000001 00000003 000102 fdfeff"))
    expected = [[[0, 1, 2]], [[253, 254, 255]]]
    np.testing.assert_array_equal(read_images(path), np.array(expected), strict=False)
    path.write_bytes(bytes.fromhex("00000801 00000004 07020100"))
    labels = read_labels(path)
    assert labels.tolist() == [7, 2, 1, 0]
    assert labels.dtype == np.uint8


shapes = st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5))


@given(arrays(np.uint8, shapes | shapes.map(lambda shape: shape[:1])), st.booleans())
@settings(max_examples=60)
def test_idx_round_trip(file: Path, array: np.ndarray, zipped: bool) -> None:
    file.write_bytes(gzip.compress(idx(array)) if zipped else idx(array))
    read = read_idx(file, "images" if array.ndim == 3 else "labels")
    np.testing.assert_array_equal(read, array, strict=True)


@pytest.mark.parametrize("zipped", [True, False], ids=["gz", "plain"])
@pytest.mark.parametrize(
    "rename",
    [
        pytest.param(str, id="MNIST, Fashion-MNIST, KMNIST"),
        pytest.param(lambda name: name.replace("-idx", ".idx"), id="dot"),
        pytest.param(lambda name: f"kmnist-{name}", id="prefix"),
        pytest.param(lambda name: name.replace("t10k", "test"), id="test"),
    ],
)
def test_names_of_files(tmp_path: Path, rename: Callable[[str], str], zipped: bool) -> None:
    images, labels = write_set(tmp_path, rename, zipped=zipped)
    (tmp_path / "README").write_text("not a part of it")
    read = read_idx_folder(tmp_path)
    assert_split(read, images, labels, N_TRAIN)


def test_a_folder_named_as_the_file_is_passed_over(tmp_path: Path) -> None:
    """As in a copy that is handed around: train-images-idx3-ubyte/train-images-idx3-ubyte."""
    images, _ = write_set(tmp_path, lambda name: name.replace("-idx", ".idx"), zipped=False)
    for name in FILES:
        (tmp_path / name.removesuffix(".gz")).mkdir()
    np.testing.assert_array_equal(read_idx_folder(tmp_path).train_images, images[:N_TRAIN])


def test_emnist_is_turned_upright(tmp_path: Path) -> None:
    """Its bytes run down the columns, which is written out here pixel by pixel."""
    images, labels = write_set(
        tmp_path, lambda name: f"emnist-digits-{name}".replace("t10k", "test")
    )
    for split, part in (("train", images[:N_TRAIN]), ("test", images[N_TRAIN:])):
        content = struct.pack(">4I", 2051, len(part), 28, 28) + bytes(
            int(picture[row, column])
            for picture in part
            for column in range(28)
            for row in range(28)
        )
        path = tmp_path / f"emnist-digits-{split}-images-idx3-ubyte.gz"
        path.write_bytes(gzip.compress(content))
    read = read_idx_folder(tmp_path)
    np.testing.assert_array_equal(read.train_images, images[:N_TRAIN], strict=True)
    np.testing.assert_array_equal(read.test_images, images[N_TRAIN:], strict=True)
    np.testing.assert_array_equal(read.train_labels, labels[:N_TRAIN], strict=True)
    assert read.train_images.flags.c_contiguous


def test_one_of_several_sets(tmp_path: Path) -> None:
    digits, _ = write_set(tmp_path, lambda name: f"emnist-digits-{name}", seed=1)
    letters, _ = write_set(tmp_path, lambda name: f"emnist-letters-{name}", seed=2)
    message = refused(tmp_path, read_idx_folder)
    assert "PATH/emnist-digits, PATH/emnist-letters" in message
    for prefix, images in (("emnist-digits", digits), ("emnist-letters-", letters)):
        read = read_idx_folder(tmp_path / prefix)
        np.testing.assert_array_equal(read.test_images, images[N_TRAIN:].transpose(0, 2, 1))
    assert "no data set" in refused(tmp_path / "emnist", read_idx_folder)


def test_a_folder_means_the_set_without_a_prefix(tmp_path: Path) -> None:
    """Else nothing could name MNIST where EMNIST lies beside it."""
    write_set(tmp_path, lambda name: f"emnist-digits-{name}", seed=1)
    images, _ = write_set(tmp_path, seed=2)
    np.testing.assert_array_equal(read_idx_folder(tmp_path).train_images, images[:N_TRAIN])


def test_unpacked_files_are_preferred(tmp_path: Path) -> None:
    write_set(tmp_path, seed=1)
    images, _ = write_set(tmp_path, seed=2, zipped=False)
    np.testing.assert_array_equal(read_idx_folder(tmp_path).train_images, images[:N_TRAIN])


def test_the_real_mnist_by_its_pixels(mnist_folder: Path, mnist_arrays: tuple) -> None:
    images, labels = mnist_arrays
    read = read_idx_folder(mnist_folder)
    assert_split(read, images, labels, 60_000)


def test_real_digits_as_emnist_stores_them(tmp_path: Path, mnist_arrays: tuple) -> None:
    """A picture on its side is upright again; in a set that is not EMNIST it would stay."""
    images = mnist_arrays[0][:N]
    sideways = np.rot90(images, axes=(1, 2))[:, ::-1]  # what EMNIST's readers are told to undo
    for prefix, expected in (("emnist-mnist-", images), ("mnist-", sideways)):
        for name, content in idx_files(sideways, mnist_arrays[1][:N], N_TRAIN).items():
            (tmp_path / (prefix + name)).write_bytes(content)
        read = read_idx_folder(tmp_path / prefix)
        np.testing.assert_array_equal(read.train_images, expected[:N_TRAIN], strict=True)


# What is refused

GOOD = idx(some_pictures(2)[0])
BAD_IDX = {
    "empty": (b"", "magic number 2051, not 0"),
    "HTML": (b"<!DOCTYPE html><html>", "magic number 2051"),
    "labels": (idx(some_pictures(2)[1]), "magic number 2051, not 2049"),
    "doubles": (bytes([0, 0, 14, 3]) + GOOD[4:], "magic number 2051, not 3587"),
    "little-endian": (GOOD[3::-1] + GOOD[4:], "magic number 2051"),
    "cut in the magic number": (GOOD[:3], "magic number|header"),
    "cut after the magic number": (GOOD[:4], "within its header"),
    "cut in the lengths": (GOOD[:10], "within its header"),
    "cut before the last length": (GOOD[:12], "within its header"),
    "without content": (GOOD[:16], "announces 1,568 bytes .2 × 28 × 28., it has only 0"),
    "too short": (GOOD[:-1], "announces 1,568 bytes .*, it has only 1,567"),
    "too long": (GOOD + b"\0", "announces 1,568 bytes .*, it has more"),
    "huge": (struct.pack(">4I", 2051, *[2**32 - 1] * 3) + b"x", "cannot read"),
    "large": (
        struct.pack(">4I", 2051, 10**6, 28, 28) + b"x",
        "784,000,000 bytes .*, it has only 1",
    ),
}


@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("case", BAD_IDX)
def test_bad_idx(tmp_path: Path, case: str, zipped: bool) -> None:
    content, reason = BAD_IDX[case]
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(content) if zipped else content)
    message = refused(path, read_images)
    assert re.search(reason, message), message
    assert "not 2051" not in message


ZIPPED = gzip.compress(GOOD)
BAD_GZIP = {
    "cut": ZIPPED[:-20],
    "cut in the checksum": ZIPPED[:-5],
    "only the beginning": ZIPPED[:2],
    "wrong checksum": ZIPPED[:-8] + bytes(4) + ZIPPED[-4:],
    "garbage within": ZIPPED[:500] + bytes(500) + ZIPPED[1000:],
    "garbage after": ZIPPED + b"garbage",
}


@pytest.mark.parametrize("case", BAD_GZIP)
def test_bad_gzip(tmp_path: Path, case: str) -> None:
    path = tmp_path / "file.gz"
    path.write_bytes(BAD_GZIP[case])
    assert refused(path, read_images).startswith("cannot read PATH: ")


def test_a_gzip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(GOOD)
        for _ in range(64):
            stream.write(bytes(1 << 20))
    tracemalloc.start()
    try:
        message = refused(path, read_images)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "it has more" in message
    assert peak < 2 << 20  # the bomb would take 64


@pytest.mark.parametrize("path", ["missing", ".", "missing/file"])
def test_idx_that_is_no_file(tmp_path: Path, path: str) -> None:
    refused(tmp_path / path, read_labels)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param((3, some_pictures(N - N_TRAIN + 1)[1]), "5 images but labels", id="labels"),
        pytest.param((1, some_pictures(N_TRAIN - 1)[1]), "9 images but labels", id="fewer labels"),
        pytest.param((0, np.zeros((N_TRAIN, 28, 27), np.uint8)), "9 × 28 × 27", id="narrow"),
        pytest.param((0, np.zeros((N_TRAIN, 14, 56), np.uint8)), "9 × 14 × 56", id="wide"),
        pytest.param((2, np.zeros((0, 28, 28), np.uint8)), "0 images but", id="no images"),
    ],
)
def test_sets_that_do_not_fit(tmp_path: Path, change: tuple[int, np.ndarray], reason: str) -> None:
    write_set(tmp_path)
    which, array = change
    (tmp_path / FILES[which]).write_bytes(idx(array))
    with pytest.raises(DataError, match=reason) as caught:
        read_idx_folder(tmp_path)
    assert str(tmp_path / FILES[which // 2 * 2]) in str(caught.value)


def test_empty_idx_set(tmp_path: Path) -> None:
    write_set(tmp_path)
    (tmp_path / FILES[2]).write_bytes(idx(np.zeros((0, 28, 28), np.uint8)))
    (tmp_path / FILES[3]).write_bytes(idx(np.zeros(0, np.uint8)))
    assert "the set is empty" in refused(
        tmp_path / FILES[2], lambda path: read_idx_folder(tmp_path)
    )


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    write_set(tmp_path)
    (tmp_path / name).unlink()
    split = "train" if name.startswith("train") else "test"
    kind = "images" if "images" in name else "labels"
    assert f"the file of the {split} {kind} is missing" in refused(tmp_path, find_idx_files)


@pytest.mark.parametrize("path", ["", "missing", "missing/set", "text", "text/set", "n" * 300])
def test_places_without_a_set(tmp_path: Path, path: str) -> None:
    (tmp_path / "text").write_text("text")
    refused(tmp_path / path, find_idx_files)


# Whatever the bytes


header = st.builds(
    lambda magic, lengths: struct.pack(f">{1 + len(lengths)}I", magic, *lengths),
    st.sampled_from([2049, 2051]),
    st.lists(st.integers(0, 4) | st.integers(0, 2**32 - 1), max_size=4),
)
idx_bytes = st.binary(max_size=40) | st.builds(bytes.__add__, header, st.binary(max_size=30))


@given(idx_bytes, st.sampled_from(["plain", "gzip", "damaged gzip"]), st.integers(0, 10**6))
@settings(max_examples=300)
def test_any_bytes_are_idx_or_a_data_error(
    file: Path, content: bytes, packing: str, place: int
) -> None:
    if packing != "plain":
        content = gzip.compress(content)
    if packing == "damaged gzip":
        content = flipped(content, place)
    for read in (read_images, read_labels):
        never_anything_else(file, content, read)


def test_every_flipped_bit_of_a_gzip_is_noticed(file: Path) -> None:
    """Exhaustively, past the ten bytes of gzip's header, which holds nothing that matters."""
    array = np.arange(3, dtype=np.uint8)
    content = gzip.compress(idx(array), mtime=0)
    for place in range(80, 8 * len(content)):
        damaged = flipped(content, place)
        if zlib_accepts(damaged):  # the unused bits of the last byte
            continue
        assert not never_anything_else(file, damaged, read_labels)


def zlib_accepts(content: bytes) -> bool:
    try:
        return gzip.decompress(content) != b""
    except (OSError, EOFError, zlib.error):
        return False


def test_no_pictures_of_a_size_that_no_array_has(tmp_path: Path) -> None:
    """A product of 0, which is what the file holds, and a shape that NumPy refuses."""
    path = tmp_path / "file"
    path.write_bytes(bytes.fromhex("00000803 00000000 81000000 fe040000"))
    with pytest.raises(DataError, match=r"cannot read .*file: array is too big"):
        read_idx(path, "images")
