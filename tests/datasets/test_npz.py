""".npz: good files give the right pictures, bad ones one sentence that names them."""

import io
import pickle
import re
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_net.datasets.formats import read_npz
from mnist_net.datasets.loading import load_dataset
from tests.datasets.conftest import (
    RIGHT,
    N,
    Trap,
    assert_split,
    flipped,
    never_anything_else,
    refused,
    some_pictures,
)

# What is read


def write_npz(path: Path, **content: object) -> Path:
    np.savez(path, **content)
    return path


def test_npz_as_keras_ships_it(tmp_path: Path) -> None:
    images, labels = some_pictures()
    path = tmp_path / "set.npz"
    np.savez_compressed(
        path, x_test=images[9:], y_test=labels[9:], x_train=images[:9], y_train=labels[:9]
    )
    assert_split(read_npz(path), images, labels, 9)
    train, test = load_dataset(str(path))
    assert_split((*train[:2], *test[:2]), images, labels, 9)


@pytest.mark.parametrize(("n", "n_train"), [(2, 1), (7, 6), (13, 11), (14, 12), (70, 60)])
def test_npz_that_is_not_split(tmp_path: Path, n: int, n_train: int) -> None:
    images, labels = some_pictures(n)
    read = read_npz(write_npz(tmp_path / "set.npz", images=images, labels=labels))
    assert_split(read, images, labels, n_train)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64, np.uint64, np.float32, ">f8"])
def test_npz_of_rows_and_of_other_numbers(tmp_path: Path, dtype: object) -> None:
    images, labels = some_pictures()
    rows = np.asfortranarray(images.reshape(N, 784).astype(dtype))
    path = write_npz(tmp_path / "set.npz", images=rows, labels=labels.astype(dtype))
    assert_split(read_npz(path), images, labels, 12)


# What is refused


def changed(**changes: object) -> dict[str, object]:
    images, labels = some_pictures()
    return {"images": images, "labels": labels, **changes}


def with_value(value: float, dtype: type) -> np.ndarray:
    images = some_pictures()[0].astype(dtype)
    images[3, 3, 3] = value
    return images


BAD_NPZ = {
    "wrong keys": ({"a": np.zeros(1), "b": np.zeros(1)}, "holds a, b; expected x_train"),
    "half of Keras's": ({"x_train": np.zeros(1), "y_train": np.zeros(1)}, "expected x_train"),
    "nothing": ({}, "holds nothing"),
    "labels ≠ images": (changed(labels=some_pictures(N - 1)[1]), "14 images but .* shape .13,"),
    "one-hot labels": (changed(labels=np.eye(10)[some_pictures()[1]]), "14 images but labels"),
    "colour": (changed(images=np.zeros((N, 28, 28, 3))), "not 14 × 28 × 28 × 3"),
    "32 × 32": (changed(images=np.zeros((N, 32, 32))), "not 14 × 32 × 32"),
    "one row": (changed(images=np.zeros(784)), "not 784"),
    "a number": (changed(images=np.float64(3.0)), "images must be N × 28 × 28"),
    "no images": ({"images": np.zeros((0, 28, 28)), "labels": np.zeros(0)}, "the set is empty"),
    "one image": ({"images": np.zeros((1, 28, 28)), "labels": np.zeros(1)}, "one picture"),
    "scaled": (changed(images=RIGHT[0] / 255.0), "images must be whole numbers .* float64"),
    "not a number": (changed(images=with_value(np.nan, np.float32)), "images must be whole"),
    "infinite": (changed(images=with_value(np.inf, np.float64)), "images must be whole"),
    "too bright": (changed(images=with_value(256, np.int64)), "images must be .* 0 to 256"),
    "negative": (changed(images=with_value(-1, np.int8)), "images must be whole .* int8 from -"),
    "large labels": (changed(labels=np.full(N, 300)), "labels must be .* from 300 to 300"),
    "names as labels": (changed(labels=np.array(["zero"] * N)), "labels must be numbers, not <U4"),
    "truth as labels": (changed(labels=np.full(N, True)), "labels must be numbers, not bool"),
    "complex": (changed(images=with_value(1j, np.complex64)), "images must be numbers"),
    "records": (changed(labels=np.zeros(N, "u1,u1")), "labels must be numbers"),
    "times": (changed(labels=np.zeros(N, "M8[s]")), "labels must be numbers"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_NPZ)
def test_bad_npz(tmp_path: Path, case: str) -> None:
    content, reason = BAD_NPZ[case]
    path = write_npz(tmp_path / "set.npz", **content)
    assert re.search(reason, refused(path, read_npz))


def in_zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_what_is_not_needed_is_not_even_read(tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    other = np.array([Trap(sprung)] * N, dtype=object)
    read_npz(write_npz(tmp_path / "set.npz", **changed(other=other)))
    assert not sprung.exists()


@pytest.mark.parametrize("where", ["images", "labels", "a pickle in the zip"])
def test_an_object_array_is_refused_and_runs_nothing(tmp_path: Path, where: str) -> None:
    sprung = tmp_path / "sprung"
    trap = np.array([Trap(sprung)] * N, dtype=object)
    path = tmp_path / "set.npz"
    if where == "a pickle in the zip":
        in_zip(path, {"images.npy": pickle.dumps(trap), "labels.npy": pickle.dumps(trap)})
    else:
        write_npz(path, **changed(**{where: trap}))
    message = refused(path, read_npz)
    assert ("Object arrays" in message) == (where != "a pickle in the zip")
    assert not sprung.exists()
    if where != "a pickle in the zip":  # the trap is one: it is sprung where pickles are allowed
        with np.load(path, allow_pickle=True) as archive:
            archive[where]
        assert sprung.exists()


@pytest.mark.parametrize("name", ["a pickle", "text", "an .npy", "HTML", "nothing"])
def test_what_is_named_npz_and_is_none(tmp_path: Path, name: str) -> None:
    sprung = tmp_path / "sprung"
    array = io.BytesIO()
    np.save(array, some_pictures()[0])
    content = {
        "a pickle": pickle.dumps(Trap(sprung)),
        "text": b"only text\n",
        "an .npy": array.getvalue(),
        "HTML": b"<!DOCTYPE html>",
        "nothing": b"",
    }[name]
    path = tmp_path / "set.npz"
    path.write_bytes(content)
    assert "is not a zip file" in refused(path, read_npz)
    assert not sprung.exists()


@pytest.mark.parametrize("path", ["missing.npz", "folder.npz", "missing/set.npz", "n" * 300])
def test_npz_that_is_no_file(tmp_path: Path, path: str) -> None:
    (tmp_path / "folder.npz").mkdir()
    refused(tmp_path / path, read_npz)


@pytest.fixture(scope="module")
def npz() -> bytes:
    stream = io.BytesIO()
    images, labels = some_pictures(2)
    np.savez_compressed(stream, images=images, labels=labels)
    return stream.getvalue()


@pytest.mark.parametrize("part", [0.01, 0.5, 0.9, 0.99])
def test_truncated_npz(tmp_path: Path, npz: bytes, part: float) -> None:
    path = tmp_path / "set.npz"
    path.write_bytes(npz[: int(part * len(npz))])
    refused(path, read_npz)


def npy(descr: str, shape: str, content: bytes = b"x") -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + content


@pytest.mark.parametrize(
    "member",
    [
        pytest.param(npy("'|u1'", f"({2**62}, 28, 28)"), id="too many for any machine"),
        pytest.param(npy("'|u1'", f"({10**13}, 28, 28)"), id="8 PB"),
        pytest.param(npy("'|u1'", "(1000000, 28, 28)"), id="784 MB"),
        pytest.param(npy("'|u1'", "(-1, 28, 28)"), id="negative"),
        pytest.param(npy("'|u1'", "(" * 40), id="parentheses"),
        pytest.param(npy("'|u1'", "(1L,", b""), id="Python 2"),
        pytest.param(npy("__import__('os')", "(1,)"), id="code"),
        pytest.param(npy("'|u1'", "(1,)" + " " * 20_000), id="long header"),
        pytest.param(npy("'|u1'", "{[]: 1}"), id="unhashable"),
        pytest.param(b"just text", id="no array"),
    ],
)
def test_npz_with_a_bad_header(tmp_path: Path, member: bytes) -> None:
    _, labels = some_pictures()
    stream = io.BytesIO()
    np.save(stream, labels)
    path = in_zip(tmp_path / "set.npz", {"images.npy": member, "labels.npy": stream.getvalue()})
    refused(path, read_npz)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, zipfile.ZIP_DEFLATED])
def test_npz_with_damaged_compression(tmp_path: Path, method: int) -> None:
    path = tmp_path / "set.npz"
    content = np.random.default_rng(0).bytes(5_000)
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("images.npy", npy("'|u1'", "(5000,)", content))
    damaged = bytearray(path.read_bytes())
    damaged[1_000:2_000] = bytes(1_000)
    path.write_bytes(damaged)
    refused(path, read_npz)


# Whatever the bytes


@pytest.fixture(scope="module")
def small_npz() -> bytes:
    """Short content, so that a flipped bit often hits a header."""
    stream = io.BytesIO()
    np.savez(stream, images=np.zeros((2, 1, 1), np.uint8), labels=np.zeros(2, np.uint8))
    return stream.getvalue()


@given(st.data())
@settings(max_examples=300)
def test_any_bytes_are_npz_or_a_data_error(
    file: Path, small_npz: bytes, data: st.DataObject
) -> None:
    content = data.draw(
        st.binary(max_size=60)
        | st.binary(max_size=60).map(b"PK\x03\x04".__add__)
        | st.integers(0, 8 * len(small_npz)).map(lambda place: flipped(small_npz, place))
        | st.integers(0, len(small_npz)).map(lambda end: small_npz[:end])
    )
    # Not one of these is a data set: the whole pictures are 1 × 1.
    assert not never_anything_else(file, content, read_npz)


@given(st.binary(max_size=120))
@settings(max_examples=200)
def test_any_header_of_an_array_is_a_data_error(file: Path, header: bytes) -> None:
    """Within an intact zip archive, whose checksums would hide the header from the test above."""
    array = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header
    in_zip(file, {"images.npy": array, "labels.npy": array})
    assert not never_anything_else(file, file.read_bytes(), read_npz)
