"""The two file formats in which sets of digits travel: IDX, and NumPy's .npz.

IDX is the format of the original MNIST: a magic number (2051 for images, 2049 for labels), the
lengths as big-endian 32-bit integers, then one byte a pixel or label
(LeCun, Cortes and Burges, *The MNIST database of handwritten digits*).
"""

import gzip
import math
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mnist_net.arrays import IMAGE_SHAPE, Bytes
from mnist_net.errors import DataError

_MAGIC = {"images": 2051, "labels": 2049}
_IDX_NAME = re.compile(
    r"(?P<prefix>.*?)(?P<split>train|t10k|test)-(?P<kind>images|labels)[-.]idx[13]-ubyte(\.gz)?"
)
_SPLIT, _WHOLE = ("x_train", "y_train", "x_test", "y_test"), ("images", "labels")  # in an .npz


class FourArrays(NamedTuple):
    """A data set as its makers split it: images N × 28 × 28 and labels N, all uint8."""

    train_images: Bytes
    train_labels: Bytes
    test_images: Bytes
    test_labels: Bytes


def read_idx(path: Path, kind: str) -> Bytes:
    """Read one IDX file, gzipped or not: ``images``, N × rows × columns, or ``labels``, N.

    Raises
    ------
    DataError
        If the file is missing or is not an IDX file of this kind and of the length it states.
    """
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
        with gzip.open(path) if zipped else path.open("rb") as stream:
            size = 16 if kind == "images" else 8
            header = stream.read(size)
            magic = int.from_bytes(header[:4], "big")
            if magic != _MAGIC[kind]:
                raise DataError(
                    f"{path} is not an IDX file of {kind}: it must begin with the magic number "
                    f"{_MAGIC[kind]}, not {magic}"
                )
            if len(header) < size:
                raise EOFError("it ends within its header")
            shape = tuple(np.frombuffer(header, dtype=">u4")[1:].tolist())
            expected = math.prod(shape)
            # One byte more than expected, to notice a longer file without unpacking all of it.
            content = stream.read(expected + 1)
        if len(content) != expected:
            amount = "more" if len(content) > expected else f"only {len(content):,}"
            raise DataError(
                f"{path} has the wrong length: its header announces {expected:,} bytes "
                f"({' × '.join(map(str, shape))}), it has {amount}; fetch the file again"
            )
        return np.frombuffer(content, dtype=np.uint8).reshape(shape)
    except (OSError, EOFError, ValueError, zlib.error, OverflowError, MemoryError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"cannot read {path}: {_reason(error)}") from error


def _reason(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text.splitlines()[0].rstrip(".")


def find_idx_files(path: Path) -> dict[tuple[str, str], Path]:
    """The four files of one data set, by (``train`` or ``test``, ``images`` or ``labels``).

    The path is a folder; or, where a folder holds several sets (as EMNIST's does), the folder and
    the beginning of the names, as in ``gzip/emnist-digits``.
    """
    try:
        folder, wanted = (path, None) if path.is_dir() else (path.parent, path.name.rstrip("-_."))
        candidates = sorted(filter(Path.is_file, folder.iterdir())) if folder.is_dir() else []
    except OSError as error:
        raise DataError(f"cannot read {path}: {_reason(error)}") from error
    found: dict[str, dict[tuple[str, str], Path]] = {}
    for file in candidates:
        if match := _IDX_NAME.fullmatch(file.name):
            prefix = match["prefix"].rstrip("-_.")
            split = "train" if match["split"] == "train" else "test"
            if wanted in (None, prefix):
                # Unpacked files sort before the gzipped ones; the first one found is used.
                found.setdefault(prefix, {}).setdefault((split, match["kind"]), file)
    if not found:
        raise DataError(
            f"{path}: no data set here; expected a folder with train-images-idx3-ubyte, "
            "train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte "
            "(or the same with .gz), an .npz file, or a folder whose folders are named as the "
            "label of the pictures in them, as in own/3/*.png and own/7/*.png"
        )
    if "" not in found and len(found) > 1:
        names = ", ".join(str(folder / prefix) for prefix in sorted(found))
        raise DataError(f"{path} holds several data sets; name one of them: {names}")
    files = found.get("") or next(iter(found.values()))
    if missing := [f"{s} {k}" for s in ("train", "test") for k in _MAGIC if (s, k) not in files]:
        raise DataError(f"{path}: the file of the {' and of the '.join(missing)} is missing")
    return files


def read_idx_folder(path: Path) -> FourArrays:
    """Read MNIST, Fashion-MNIST, KMNIST or a part of EMNIST, see `find_idx_files`.

    EMNIST's pictures are stored column by column, and so lie on their side for every reader of
    MNIST (Cohen et al., *EMNIST*, 2017); files whose names begin with ``emnist`` are transposed.
    """
    files = find_idx_files(path)
    arrays = []
    for split in ("train", "test"):
        images = read_idx(files[split, "images"], "images")
        labels = read_idx(files[split, "labels"], "labels")
        if files[split, "images"].name.lower().startswith("emnist"):
            images = np.ascontiguousarray(images.transpose(0, 2, 1))
        arrays += [*_checked(files[split, "images"], images, labels)]
    return FourArrays(*arrays)


def _checked(path: Path, images: Any, labels: Any) -> tuple[Bytes, Bytes]:
    """Both as uint8, or a `DataError` that says what is wrong with them."""
    if images.ndim == 2 and images.shape[1] == 784:
        images = images.reshape(-1, *IMAGE_SHAPE)
    if images.ndim != 3 or images.shape[1:] != IMAGE_SHAPE:
        shape = " × ".join(map(str, images.shape))
        raise DataError(f"{path}: the images must be N × 28 × 28 (or N × 784), not {shape}")
    if labels.shape != (len(images),):
        raise DataError(
            f"{path}: {len(images):,} images but labels of shape {labels.shape}; "
            "each image needs one label"
        )
    if not len(images):
        raise DataError(f"{path}: the set is empty")
    for name, array in (("images", images), ("labels", labels)):
        if array.dtype.kind not in "uif":
            raise DataError(f"{path}: the {name} must be numbers, not {array.dtype}")
        with np.errstate(invalid="ignore"):  # not a number is not whole either
            whole = np.array_equal(array, array.astype(np.uint8))
        if not whole:
            raise DataError(
                f"{path}: the {name} must be whole numbers from 0 to 255, not {array.dtype} "
                f"from {array.min()} to {array.max()}"
            )
    return (
        np.ascontiguousarray(images, dtype=np.uint8),
        np.ascontiguousarray(labels, dtype=np.uint8),
    )


def read_npz(path: Path) -> FourArrays:
    """Read an .npz archive, of ``x_train, y_train, x_test, y_test`` as Keras ships MNIST.

    Or of ``images, labels``: the first six sevenths (rounded down) are for training, as in MNIST
    itself, and the rest for testing.

    Raises
    ------
    DataError
        If it holds something else.  An array of Python objects is refused: to read it would be to
        run whatever code its author put there.
    """
    try:
        zipfile.ZipFile(path).close()  # np.load takes what is no archive for a pickle
        with np.load(path, allow_pickle=False) as archive:
            # What is no array, np.load returns as bytes.
            names = {*_SPLIT, *_WHOLE} & {*archive.files}
            arrays = {name: np.asarray(archive[name]) for name in names}
            found = ", ".join(archive.files[:10])
    except Exception as error:  # whatever damaged bytes do to their decoders
        reason = _reason(error)
        raise DataError(f"cannot read {path} as an .npz of plain arrays: {reason}") from error
    if arrays.keys() >= {*_SPLIT}:
        x_train, y_train, x_test, y_test = (arrays[name] for name in _SPLIT)
        return FourArrays(*_checked(path, x_train, y_train), *_checked(path, x_test, y_test))
    if arrays.keys() >= {*_WHOLE}:
        images, labels = _checked(path, *(arrays[name] for name in _WHOLE))
        n_train = 6 * len(images) // 7
        if not n_train:
            raise DataError(f"{path}: one picture is not enough to train and to test")
        return FourArrays(images[:n_train], labels[:n_train], images[n_train:], labels[n_train:])
    raise DataError(
        f"{path} holds {found or 'nothing'}; expected x_train, y_train, x_test and "
        "y_test, or images and labels"
    )
