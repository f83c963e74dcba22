"""Pictures that stay in their file, of which some rows at a time are read through a memory map.

A map lives no longer than one reading, so that its pages do not pile up in memory.  What can be
mapped lies in the file as it is in memory: an IDX file that is not packed, and an array in an .npz
as `numpy.savez` writes it, which is a zip archive without compression.
"""

import math
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mnist_net.arrays import IMAGE_SHAPE, Bytes
from mnist_net.datasets.formats import read_idx
from mnist_net.errors import DataError

_PIXELS = math.prod(IMAGE_SHAPE)
_IDX_HEADER, _IDX_MAGIC = 16, 2051
_ZIP_HEADER = 30  # bytes, of a member; two lengths at its end say what comes before the content


class ImagesInFile(NamedTuple):
    """Pictures that lie one after the other in a file: its path, where they begin, how many."""

    path: Path
    offset: int
    n: int

    def rows(self, begin: int, end: int) -> Bytes:
        """Some of them, copied to memory: uint8, N × 28 × 28.

        Raises
        ------
        DataError
            If the file has become shorter or is gone.
        """
        offset, shape = self.offset + begin * _PIXELS, (end - begin, *IMAGE_SHAPE)
        try:
            return np.array(np.memmap(self.path, np.uint8, "r", offset, shape))
        except (OSError, ValueError) as error:
            raise DataError(f"{self.path} has changed while it was read: {error}") from error


def open_pictures(path: Path) -> tuple[ImagesInFile, Bytes]:
    """Pictures of an .npz or of an IDX file, and their labels, uint8, in memory.

    Labels beside an IDX file of images are in the file that is named in the same way.

    Raises
    ------
    DataError
        If the file is not what its name says, or is compressed, or its numbers are others than
        uint8 in N × 28 × 28 (or N × 784), or there is not one label to each picture.
    """
    try:
        found = _in_npz(path) if path.suffix == ".npz" else _in_idx(path)
    except DataError:
        raise
    except Exception as error:  # whatever damaged bytes do to their decoders
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"cannot read {path}: {reason}") from error
    images, labels = found
    if labels.shape != (images.n,) or not images.n:
        raise DataError(
            f"{path}: {images.n:,} images but labels of shape {labels.shape}; there must be some "
            "images, and each needs one label"
        )
    if images.offset + images.n * _PIXELS > path.stat().st_size:
        raise DataError(f"{path} is shorter than its header announces: write it again")
    return images, labels


def _in_idx(path: Path) -> tuple[ImagesInFile, Bytes]:
    with path.open("rb") as stream:
        header = stream.read(_IDX_HEADER)
    magic, n, *shape = np.frombuffer(header.ljust(_IDX_HEADER, b"\0"), ">u4").tolist()
    if magic != _IDX_MAGIC or tuple(shape) != IMAGE_SHAPE:
        raise DataError(f"{path} is not an IDX file of images of 28 × 28")
    name = path.name.replace("images", "labels").replace("idx3", "idx1")
    return ImagesInFile(path, _IDX_HEADER, n), read_idx(path.with_name(name), "labels")


def _in_npz(path: Path) -> tuple[ImagesInFile, Bytes]:
    with np.load(path, allow_pickle=False) as archive:
        if not {"images", "labels"} <= {*archive.files}:
            raise DataError(f"{path} holds {', '.join(archive.files)}; expected images and labels")
        labels = np.asarray(archive["labels"])
    if labels.dtype.kind not in "ui" or not np.array_equal(labels, labels.astype(np.uint8)):
        raise DataError(f"{path}: the labels must be whole numbers from 0 to 255")
    with zipfile.ZipFile(path) as archive, archive.open("images.npy") as member:
        info = archive.getinfo("images.npy")
        if info.compress_type != zipfile.ZIP_STORED:
            raise DataError(
                f"{path} is compressed, and so cannot be streamed: write it with numpy.savez"
            )
        version = np.lib.format.read_magic(member)
        read = np.lib.format.read_array_header_1_0
        shape, by_columns, dtype = (
            read if version == (1, 0) else np.lib.format.read_array_header_2_0
        )(member)
        within = member.tell()
    if dtype != np.uint8 or by_columns or shape[1:] not in (IMAGE_SHAPE, (_PIXELS,)):
        raise DataError(
            f"{path}: the images must be uint8, N × 28 × 28 (or N × 784) row by row, not {dtype}, "
            + " × ".join(map(str, shape))
        )
    with path.open("rb") as stream:
        stream.seek(info.header_offset)
        lengths = np.frombuffer(stream.read(_ZIP_HEADER)[-4:], "<u2")
    offset = info.header_offset + _ZIP_HEADER + int(lengths.sum()) + within
    return ImagesInFile(path, offset, shape[0]), labels.astype(np.uint8)
