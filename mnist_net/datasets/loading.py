"""Data sets by name or by path.

MNIST has its own module.  Other sets come from a path, or from scikit-learn's bundle of 8 × 8
digits, the last resort of a machine without a network.
"""

import logging
from pathlib import Path
from typing import Any

import numpy as np

from mnist_net.arrays import MNIST_DIGEST
from mnist_net.datasets.dataset import Dataset, Splits, data_digest, split
from mnist_net.datasets.folders import is_own_pictures, labelled_files, load_own_pictures
from mnist_net.datasets.formats import FourArrays, find_idx_files, read_idx_folder, read_npz
from mnist_net.datasets.mnist import MNIST_TRAIN, cache_path, load_mnist
from mnist_net.datasets.shards import (
    ShardedSplits,
    is_sharded,
    load_shards,
    open_shards,
    shard_files,
)
from mnist_net.errors import DataError
from mnist_net.pictures.form import fitted

DATASET_NAMES = ("auto", "mnist", "digits")
"""What `load_dataset` knows by name; all else is a path."""

DIGITS_TRAIN = 1_500
"""scikit-learn's 1,797 digits come unsplit; the first so many are for training here."""

log = logging.getLogger(__name__)


def load_digits_as_images() -> Dataset:
    """scikit-learn's bundled 1,797 digits of 8 × 8 pixels, drawn as MNIST would have drawn them.

    They are the test set of *Optical Recognition of Handwritten Digits* (Alpaydin and Kaynak
    1998).  Each is scaled to fit MNIST's box of 20 × 20 and centred by mass in 28 × 28.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    pixels = np.round(bunch.images * (255.0 / 16.0)).astype(np.uint8)
    images = np.stack([fitted(picture) for picture in pixels])
    labels = bunch.target.astype(np.uint8)
    return Dataset(images, labels, "digits", data_digest(images, labels))


def load_dataset(
    dataset: str = "auto",
    data_home: Path | None = None,
    *,
    offline: bool = False,
    progress: bool = False,
) -> Splits:
    """Load a data set by name or path.

    Parameters
    ----------
    dataset
        ``mnist``; ``digits`` (scikit-learn's bundle); ``auto``: MNIST, and if every source fails
        (and not `offline`), the bundle, with a warning; or the path of an .npz file, of a folder of
        IDX files, of one's own pictures, or of shards (see `read_npz`, `read_idx_folder`,
        `folders`, `shards`).
    data_home, offline, progress
        As for `load_mnist`.

    Raises
    ------
    DataError
        If it cannot be had.
    TypeError
        If it is neither a name nor a path.
    """
    if not isinstance(dataset, str | Path):
        raise TypeError(
            f"a data set is a name or a path, not {type(dataset).__name__}; to make one of arrays: "
            "numpy.savez('own.npz', images=images, labels=labels), and give 'own.npz'"
        )
    if dataset == "digits":
        return split(load_digits_as_images(), DIGITS_TRAIN)
    if dataset not in DATASET_NAMES:
        path = Path(dataset)
        if is_sharded(path):
            return load_shards(path)
        return load_own_pictures(path) if is_own_pictures(path) else _load_path(path)
    try:
        return split(load_mnist(data_home, offline=offline, progress=progress), MNIST_TRAIN)
    except DataError as error:
        if dataset == "mnist" or offline:
            raise
        log.warning(
            "MNIST COULD NOT BE LOADED, so scikit-learn's 1,797 bundled digits of 8 × 8 pixels "
            "take its place. A model of these is a toy and misreads real pictures. Because %s",
            error,
        )
        return split(load_digits_as_images(), DIGITS_TRAIN)


def open_dataset(dataset: str = "auto", *args: Any, **source: Any) -> Splits | ShardedSplits:
    """`load_dataset`, but that the training pictures of a folder of shards stay on disk."""
    if isinstance(dataset, str | Path):  # else the next says what it is
        path = Path(dataset)
        if dataset not in DATASET_NAMES and is_sharded(path):
            return open_shards(path)
    return load_dataset(dataset, *args, **source)


def dataset_files(dataset: str, data_home: Path | None = None) -> list[Path]:
    """Files that `load_dataset` reads; see there."""
    if dataset == "digits":
        return []
    if dataset in DATASET_NAMES:
        return [cache_path(data_home)]
    path = Path(dataset)
    if is_sharded(path):
        return shard_files(path)
    if is_own_pictures(path):
        return [file.path for file in labelled_files(path, warns=False)]
    return [path] if path.suffix == ".npz" else [*find_idx_files(path).values()]


def _load_path(path: Path) -> Splits:
    arrays: FourArrays = read_npz(path) if path.suffix == ".npz" else read_idx_folder(path)
    images = np.concatenate([arrays.train_images, arrays.test_images])
    labels = np.concatenate([arrays.train_labels, arrays.test_labels])
    digest = data_digest(images, labels)
    if digest == MNIST_DIGEST:
        name = "mnist"
    else:  # a folder that is named "digits" is not scikit-learn's bundle
        name = f"./{path}" if str(path) in DATASET_NAMES else str(path)
    return split(Dataset(images, labels, name, digest), len(arrays.train_labels))
