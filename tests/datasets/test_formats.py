"""IDX and .npz: good files give the right pictures, bad ones one sentence that names them."""

import gzip
import io
import pickle
import re
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mnist_net.datasets.formats import find_idx_files, read_idx, read_idx_folder, read_npz
from mnist_net.datasets.loading import load_dataset
from mnist_net.errors import DataError
from tests.datasets.openml_server import FILES, idx, idx_files

N, N_TRAIN = 14, 9


def pictures(n: int = N, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 256, (n, 28, 28), dtype=np.uint8)
    return images, generator.integers(0, 10, n, dtype=np.uint8)


def write_set(
    folder: Path, rename: Callable[[str], str] = str, *, seed: int = 0, zipped: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Write four IDX files whose names `rename` makes of the original ones."""
    images, labels = pictures(seed=seed)
    for name, content in idx_files(images, labels, N_TRAIN).items():
        path = folder / rename(name if zipped else name.removesuffix(".gz"))
        path.write_bytes(content if zipped else gzip.decompress(content))
    return images, labels


def refused(path: Path, read: Callable[[Path], object]) -> str:
    """The message of the `DataError`, which is one sentence that names the file."""
    with pytest.raises(DataError) as caught:
        read(path)
    message = str(caught.value)
    assert str(path) in message
    rest = message.replace(str(path), "PATH")
    assert "\n" not in rest
    assert ". " not in rest
    assert rest[-1] not in ".:"
    return rest


def read_images(path: Path) -> np.ndarray:
    return read_idx(path, "images")


def read_labels(path: Path) -> np.ndarray:
    return read_idx(path, "labels")


# IDX: what is read


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
@settings(deadline=None, max_examples=60, database=None)
def test_idx_round_trip(file: Path, array: np.ndarray, zipped: bool) -> None:
    file.write_bytes(gzip.compress(idx(array)) if zipped else idx(array))
    read = read_idx(file, "images" if array.ndim == 3 else "labels")
    np.testing.assert_array_equal(read, array, strict=True)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "file"


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
    np.testing.assert_array_equal(read.train_images, images[:N_TRAIN], strict=True)
    np.testing.assert_array_equal(read.train_labels, labels[:N_TRAIN], strict=True)
    np.testing.assert_array_equal(read.test_images, images[N_TRAIN:], strict=True)
    np.testing.assert_array_equal(read.test_labels, labels[N_TRAIN:], strict=True)


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
    np.testing.assert_array_equal(read.train_images, images[:60_000], strict=True)
    np.testing.assert_array_equal(read.train_labels, labels[:60_000], strict=True)
    np.testing.assert_array_equal(read.test_images, images[60_000:], strict=True)
    np.testing.assert_array_equal(read.test_labels, labels[60_000:], strict=True)


def test_real_digits_as_emnist_stores_them(tmp_path: Path, mnist_arrays: tuple) -> None:
    """A picture on its side is upright again; in a set that is not EMNIST it would stay."""
    images = mnist_arrays[0][:N]
    sideways = np.rot90(images, axes=(1, 2))[:, ::-1]  # what EMNIST's readers are told to undo
    for prefix, expected in (("emnist-mnist-", images), ("mnist-", sideways)):
        for name, content in idx_files(sideways, mnist_arrays[1][:N], N_TRAIN).items():
            (tmp_path / (prefix + name)).write_bytes(content)
        read = read_idx_folder(tmp_path / prefix)
        np.testing.assert_array_equal(read.train_images, expected[:N_TRAIN], strict=True)


# IDX: what is refused

GOOD = idx(pictures(2)[0])
BAD_IDX = {
    "empty": (b"", "magic number 2051, not 0"),
    "HTML": (b"<!DOCTYPE html><html>", "magic number 2051"),
    "labels": (idx(pictures(2)[1]), "magic number 2051, not 2049"),
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
        pytest.param((3, pictures(N - N_TRAIN + 1)[1]), "5 images but labels", id="labels"),
        pytest.param((1, pictures(N_TRAIN - 1)[1]), "9 images but labels", id="fewer labels"),
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


# .npz: what is read


def write_npz(path: Path, **content: object) -> Path:
    np.savez(path, **content)
    return path


def test_npz_as_keras_ships_it(tmp_path: Path) -> None:
    images, labels = pictures()
    path = tmp_path / "set.npz"
    np.savez_compressed(
        path, x_test=images[9:], y_test=labels[9:], x_train=images[:9], y_train=labels[:9]
    )
    for read in (read_npz(path), load_dataset(str(path))):
        train_images, train_labels, test_images, test_labels = (
            read if len(read) == 4 else (*read.train[:2], *read.test[:2])
        )
        np.testing.assert_array_equal(train_images, images[:9], strict=True)
        np.testing.assert_array_equal(train_labels, labels[:9], strict=True)
        np.testing.assert_array_equal(test_images, images[9:], strict=True)
        np.testing.assert_array_equal(test_labels, labels[9:], strict=True)


@pytest.mark.parametrize(("n", "n_train"), [(2, 1), (7, 6), (13, 11), (14, 12), (70, 60)])
def test_npz_that_is_not_split(tmp_path: Path, n: int, n_train: int) -> None:
    images, labels = pictures(n)
    read = read_npz(write_npz(tmp_path / "set.npz", images=images, labels=labels))
    np.testing.assert_array_equal(read.train_images, images[:n_train], strict=True)
    np.testing.assert_array_equal(read.train_labels, labels[:n_train], strict=True)
    np.testing.assert_array_equal(read.test_images, images[n_train:], strict=True)
    np.testing.assert_array_equal(read.test_labels, labels[n_train:], strict=True)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64, np.uint64, np.float32, ">f8"])
def test_npz_of_rows_and_of_other_numbers(tmp_path: Path, dtype: object) -> None:
    images, labels = pictures()
    rows = np.asfortranarray(images.reshape(N, 784).astype(dtype))
    path = write_npz(tmp_path / "set.npz", images=rows, labels=labels.astype(dtype))
    read = read_npz(path)
    np.testing.assert_array_equal(read.train_images, images[:12], strict=True)
    np.testing.assert_array_equal(read.test_labels, labels[12:], strict=True)


# .npz: what is refused


def changed(**changes: object) -> dict[str, object]:
    images, labels = pictures()
    return {"images": images, "labels": labels, **changes}


def with_value(value: float, dtype: type) -> np.ndarray:
    images = pictures()[0].astype(dtype)
    images[3, 3, 3] = value
    return images


BAD_NPZ = {
    "wrong keys": ({"a": np.zeros(1), "b": np.zeros(1)}, "holds a, b; expected x_train"),
    "half of Keras's": ({"x_train": np.zeros(1), "y_train": np.zeros(1)}, "expected x_train"),
    "nothing": ({}, "holds nothing"),
    "labels ≠ images": (changed(labels=pictures(N - 1)[1]), "14 images but .* shape .13,"),
    "one-hot labels": (changed(labels=np.eye(10)[pictures()[1]]), "14 images but labels"),
    "colour": (changed(images=np.zeros((N, 28, 28, 3))), "not 14 × 28 × 28 × 3"),
    "32 × 32": (changed(images=np.zeros((N, 32, 32))), "not 14 × 32 × 32"),
    "one row": (changed(images=np.zeros(784)), "not 784"),
    "a number": (changed(images=np.float64(3.0)), "images must be N × 28 × 28"),
    "no images": ({"images": np.zeros((0, 28, 28)), "labels": np.zeros(0)}, "the set is empty"),
    "one image": ({"images": np.zeros((1, 28, 28)), "labels": np.zeros(1)}, "one picture"),
    "scaled": (changed(images=pictures()[0] / 255.0), "images must be whole numbers .* float64"),
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


class Trap:
    """Its pickle makes a file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self.path,)


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
    np.save(array, pictures()[0])
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
    images, labels = pictures(2)
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
    _, labels = pictures()
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


def never_anything_else(path: Path, content: bytes, read: Callable[[Path], object]) -> bool:
    path.write_bytes(content)
    try:
        read(path)
    except DataError:
        return False
    return True


header = st.builds(
    lambda magic, lengths: struct.pack(f">{1 + len(lengths)}I", magic, *lengths),
    st.sampled_from([2049, 2051]),
    st.lists(st.integers(0, 4) | st.integers(0, 2**32 - 1), max_size=4),
)
idx_bytes = st.binary(max_size=40) | st.builds(bytes.__add__, header, st.binary(max_size=30))


@given(idx_bytes, st.sampled_from(["plain", "gzip", "damaged gzip"]), st.integers(0, 10**6))
@settings(deadline=None, max_examples=300, database=None)
def test_any_bytes_are_idx_or_a_data_error(
    file: Path, content: bytes, packing: str, place: int
) -> None:
    if packing != "plain":
        content = gzip.compress(content)
    if packing == "damaged gzip":
        content = flipped(content, place)
    for read in (read_images, read_labels):
        never_anything_else(file, content, read)


def flipped(content: bytes, place: int) -> bytes:
    """With one bit the other way."""
    byte, bit = divmod(place % (8 * len(content)), 8)
    damaged = bytearray(content)
    damaged[byte] ^= 1 << bit
    return bytes(damaged)


@pytest.fixture(scope="module")
def small_npz() -> bytes:
    """Short content, so that a flipped bit often hits a header."""
    stream = io.BytesIO()
    np.savez(stream, images=np.zeros((2, 1, 1), np.uint8), labels=np.zeros(2, np.uint8))
    return stream.getvalue()


@given(st.data())
@settings(deadline=None, max_examples=300, database=None)
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
@settings(deadline=None, max_examples=200, database=None)
def test_any_header_of_an_array_is_a_data_error(file: Path, header: bytes) -> None:
    """Within an intact zip archive, whose checksums would hide the header from the test above."""
    array = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header
    in_zip(file, {"images.npy": array, "labels.npy": array})
    assert not never_anything_else(file, file.read_bytes(), read_npz)


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
