"""Data sets in parts on disk, which may be larger than memory.

A folder of shards holds ``train-0001.npz``, ``train-0002.npz``, … and one ``test-0001.npz`` or
more, each with the arrays ``images`` and ``labels`` as `numpy.savez` writes them; or, of IDX files,
``train-0001-images-idx3-ubyte`` with ``train-0001-labels-idx1-ubyte``, and so on.  Labels, a byte
each, and the test pictures are held in memory; the training pictures are not.

An epoch is shuffled on two levels.  A shard is cut into blocks of `BLOCK` pictures that lie
together, and first the order of all blocks of all shards is drawn.  In that order they fill a
buffer, `BUFFER` of them at a time, and then the order of the pictures in the buffer is drawn.
Minibatches are cut from that; what is left at the end of a buffer goes before the next one.  So a
minibatch is drawn from 65,536 pictures out of 16 places, and no picture is read alone.
"""

import hashlib
import math
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mnist_net.arrays import IMAGE_SHAPE, Bytes
from mnist_net.datasets.dataset import Dataset, Splits
from mnist_net.datasets.mapped import ImagesInFile, open_pictures
from mnist_net.errors import DataError
from mnist_net.files import atomic_write
from mnist_net.learning.distortion import Distortion, distort

BLOCK = 4096
"""Pictures that are read together: 3.2 MB."""

BUFFER = 16
"""Blocks among whose pictures the order is drawn: 51 MB."""

_SHARD = re.compile(r"(train|t10k|test)-\d+(\.npz|-images[-.]idx3-ubyte(\.gz)?)")
_CHUNK = 1000  # pictures that are distorted together


class Statistics(NamedTuple):
    """What pictures are made of.

    Attributes
    ----------
    levels
        How many pixels have each of the levels 0 to 255.
    inked
        28 × 28: whether the pixel is not black on all of them.
    """

    levels: npt.NDArray[np.int64]
    inked: npt.NDArray[np.bool_]

    def mean(self) -> float:
        """Mean of all pixels, as of an array of them."""
        n, total, _ = self._sums()
        return total / n

    def std(self) -> float:
        """Deviation of all pixels, as of an array of them."""
        n, total, squares = self._sums()  # whole numbers: nothing is lost before the root
        return math.sqrt(n * squares - total * total) / n

    def _sums(self) -> tuple[int, int, int]:
        powers = np.arange(256)[:, None] ** np.arange(3)
        n, total, squares = (self.levels @ powers).tolist()
        return n, total, squares


class _Block(NamedTuple):
    """Pictures that are read together: where they lie, and their labels."""

    images: ImagesInFile
    begin: int
    labels: Bytes

    def read(self) -> Bytes:
        return self.images.rows(self.begin, self.begin + len(self.labels))


class Shards(NamedTuple):
    """Labelled pictures on disk.

    Attributes
    ----------
    shards
        Where the pictures are, in the order of the files' names.
    labels
        uint8, N: of the first N pictures of the shards, which are those that count.
    name
        Path of the folder.
    digest
        `data_digest` of the whole set, the same as if it were in memory.
    """

    shards: tuple[ImagesInFile, ...]
    labels: Bytes
    name: str
    digest: str

    def split(self, n: int) -> tuple["Shards", Dataset]:
        """The first so many pictures, on disk; and the others, in memory."""
        others = [block.read() for block in self._blocks(n)]
        images = np.concatenate([np.empty((0, *IMAGE_SHAPE), np.uint8), *others])
        held_out = Dataset(images, self.labels[n:], self.name, self.digest)
        return self._replace(labels=self.labels[:n]), held_out

    def statistics(self) -> Statistics:
        """Read all pictures once, and say what they are made of."""
        levels, inked = np.zeros(256, np.int64), np.zeros(IMAGE_SHAPE, np.bool_)
        for block in self._blocks():
            images = block.read()
            levels += np.bincount(images.ravel(), minlength=256)
            inked |= images.any(axis=0)
        return Statistics(levels, inked)

    def minibatches(
        self, size: int, generator: np.random.Generator | None
    ) -> Iterator[tuple[Bytes, Bytes]]:
        """All pictures once with their labels, so many at a time but perhaps the last.

        The order is that of the module's second paragraph, drawn by the generator; without one it
        is that of the files.
        """
        blocks, last = list(self._blocks()), len(self.labels)
        if generator is not None:
            blocks = [blocks[k] for k in generator.permutation(len(blocks))]
        images, labels = np.empty((0, *IMAGE_SHAPE), np.uint8), self.labels[:0]
        for group in range(0, len(blocks), BUFFER):
            images, labels = _filled(images, labels, blocks[group : group + BUFFER])
            last -= (n := len(labels))
            order = np.arange(n) if generator is None else generator.permutation(n)
            end = n - n % size if last else n
            for begin in range(0, end, size):
                rows = order[begin : min(begin + size, end)]
                yield images[rows], labels[rows]
            images, labels = images[order[end:]], labels[order[end:]]
            last += len(labels)

    def digest_of_pictures(self) -> str:
        """`data_digest` of the pictures that count, read block by block."""
        digest = hashlib.sha256()
        for block in self._blocks():
            digest.update(block.read().data)
        digest.update(self.labels.data)
        return digest.hexdigest()

    def _blocks(self, begin: int = 0) -> Iterator[_Block]:
        """Blocks of the pictures from this one on, as they lie; none reaches into two shards."""
        first = 0  # of a shard, among all pictures
        for images in self.shards:
            within = range(max(begin - first, 0), min(images.n, len(self.labels) - first), BLOCK)
            for start in within:
                end = first + min(start + BLOCK, within.stop)
                yield _Block(images, start, self.labels[first + start : end])
            first += images.n


def _filled(images: Bytes, labels: Bytes, blocks: list[_Block]) -> tuple[Bytes, Bytes]:
    """A buffer: what was left of the one before, and then the blocks."""
    labels = np.concatenate([labels, *(block.labels for block in blocks)])
    filled = np.empty((len(labels), *IMAGE_SHAPE), np.uint8)
    filled[: len(images)], end = images, len(images)
    for block in blocks:
        begin, end = end, end + len(block.labels)
        filled[begin:end] = block.read()
    return filled, labels


class ShardedSplits(NamedTuple):
    """A data set in two: to learn from, on disk; and to be judged by, in memory."""

    train: Shards
    test: Dataset


def is_sharded(path: Path) -> bool:
    """Whether a path is a folder of shards."""
    with suppress(OSError):  # whoever reads it says what is wrong
        return path.is_dir() and bool(shard_files(path))
    return False


def shard_files(path: Path) -> list[Path]:
    """Files of a folder of shards that hold pictures, by name."""
    return sorted(file for file in path.iterdir() if _SHARD.fullmatch(file.name))


def open_shards(path: Path) -> ShardedSplits:
    """Open a folder of shards.  All pictures are read once, to prove by their digest what they are.

    Raises
    ------
    DataError
        If a shard is not what `open_pictures` takes, or there is none to train on or to test on.
    """
    parts: dict[str, list[tuple[ImagesInFile, Bytes]]] = {"train": [], "test": []}
    for file in shard_files(path):
        if file.suffix == ".gz":
            raise DataError(f"{file} is packed, and so cannot be streamed: gunzip it")
        part = "train" if file.name.startswith("train") else "test"
        parts[part].append(open_pictures(file))
    for part, found in parts.items():
        if not found:
            raise DataError(
                f"{path}: no shard to {part} on; expected {part}-0001.npz, or {part}-0001-images-"
                f"idx3-ubyte and {part}-0001-labels-idx1-ubyte"
            )
    images, labels = zip(*parts["train"], *parts["test"], strict=True)
    whole = Shards(images, np.concatenate(labels), str(path), "")
    whole = whole._replace(digest=whole.digest_of_pictures())
    return ShardedSplits(*whole.split(sum(images.n for images, _ in parts["train"])))


def load_shards(path: Path) -> Splits:
    """The same pictures, all in memory."""
    train, test = open_shards(path)
    return Splits(train.split(0)[1], test)


def write_shards(
    folder: Path, splits: Splits, n_shards: int, distortion: Distortion, seed: int
) -> Iterator[Path]:
    """Write a folder of shards: all training pictures distorted so many times, each time anew.

    The first shard has them as they are.  The test pictures are written as they are.

    Yields
    ------
    Path
        Of each shard when it is written.

    Raises
    ------
    DataError
        If there are shards in the folder already.
    """
    if is_sharded(folder):
        raise DataError(f"{folder} has shards already: remove them, or name another folder")
    yield _write(folder / "test-0001.npz", splits.test.images, splits.test.labels)
    images, labels, _, _ = splits.train
    for number in range(n_shards):
        if number:
            images = _distorted(splits.train.images, distortion, [seed, number])
        yield _write(folder / f"train-{number + 1:04}.npz", images, labels)


def _write(path: Path, images: Bytes, labels: Bytes) -> Path:
    with atomic_write(path) as stream:
        np.savez(stream, images=images, labels=labels)
    return path


def _distorted(images: Bytes, distortion: Distortion, seed: list[int]) -> Bytes:
    generator, made = np.random.default_rng(seed), np.empty_like(images)
    for begin in range(0, len(images), _CHUNK):
        rows = images[begin : begin + _CHUNK].reshape(-1, math.prod(IMAGE_SHAPE))
        levels = np.rint(distort(rows.astype(np.float32), distortion, generator))
        made[begin : begin + _CHUNK] = levels.reshape(-1, *IMAGE_SHAPE)
    return made
