"""Data sets: where they are kept, and what proves that they are what they claim to be.

MNIST comes from the first source that works: our own cache (decoded, so that it loads in a
moment), OpenML, or a mirror.  None is trusted: one digest over the decoded bytes decides.  Other
sets come from a path, or from scikit-learn's bundle of 8 × 8 digits, the last resort of a machine
without a network.
"""

import hashlib
import logging
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mnist_net.arrays import IMAGE_SHAPE, Bytes
from mnist_net.errors import DataError
from mnist_net.files import atomic_write
from mnist_net.formats import FourArrays, find_idx_files, read_idx_folder, read_npz
from mnist_net.pictures.form import fit_image
from mnist_net.sources import sources

__all__ = [
    "DATASET_NAMES",
    "MNIST_DIGEST",
    "Dataset",
    "Splits",
    "cache_path",
    "data_digest",
    "data_home_path",
    "dataset_files",
    "load_dataset",
    "load_digits_as_images",
    "load_mnist",
    "read_cache",
]

MNIST_DIGEST = "c2069063c1105f2bf96266aef1ff68c6e13bdda7a54e37bf19c16f1db24efc83"
"""SHA-256 over the bytes of MNIST's 70,000 images and then of its labels, uint8."""

MNIST_TRAIN = 60_000
"""The first so many of the 70,000 are the training set, as the makers split them."""

DIGITS_TRAIN = 1_500
"""scikit-learn's 1,797 digits come unsplit; the first so many are for training here."""

DATASET_NAMES = ("auto", "mnist", "digits")
"""What `load_dataset` knows by name; all else is a path."""

log = logging.getLogger(__name__)


class Dataset(NamedTuple):
    """Labelled pictures.

    Attributes
    ----------
    images
        uint8, N × 28 × 28, ink bright on dark paper.
    labels
        uint8, N.
    name
        ``mnist``, ``digits``, or the path that they were read from.
    digest
        `data_digest` of the whole set, training and test pictures together.
    """

    images: Bytes
    labels: Bytes
    name: str
    digest: str


class Splits(NamedTuple):
    """A data set in two: to learn from, and to be judged by."""

    train: Dataset
    test: Dataset


def data_digest(images: Bytes, labels: Bytes) -> str:
    """SHA-256, in hexadecimal, over the bytes of the images and then of the labels."""
    digest = hashlib.sha256(np.ascontiguousarray(images).data)
    digest.update(np.ascontiguousarray(labels).data)
    return digest.hexdigest()


def data_home_path(data_home: Path | None = None) -> Path:
    """scikit-learn's data folder: the argument, ``SCIKIT_LEARN_DATA``, or ~/scikit_learn_data.

    The same rule as `sklearn.datasets.get_data_home`, without its cost of importing scikit-learn
    and without making the folder.
    """
    default = os.environ.get("SCIKIT_LEARN_DATA") or Path("~", "scikit_learn_data")
    try:
        return Path(data_home or default).expanduser()
    except RuntimeError as error:
        raise DataError(
            f"{data_home or default}: {error}; name a folder with --data-home"
        ) from error


def cache_path(data_home: Path | None = None) -> Path:
    """Where the decoded MNIST is kept."""
    return data_home_path(data_home) / "mnist-net" / "mnist.npz"


def read_cache(path: Path) -> Dataset:
    """Read the decoded MNIST, and prove that it is.

    Raises
    ------
    DataError
        If the file is missing, damaged or not MNIST.
    """
    if not path.exists():
        raise DataError(f"{path}: not there yet")
    try:
        # Opened here, since np.load leaves a damaged file open.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            images, labels = np.asarray(archive["images"]), np.asarray(archive["labels"])
    except Exception as error:  # whatever a damaged file does, it is rebuilt
        raise DataError(f"{path} is damaged ({type(error).__name__})") from error
    return _proven(images, labels, str(path))


def _proven(images: Bytes, labels: Bytes, source: str) -> Dataset:
    # The digest is over the bytes: only in this form are they these pictures.
    if not (
        images.dtype == labels.dtype == np.uint8
        and labels.ndim == 1
        and images.shape == (len(labels), *IMAGE_SHAPE)
    ):
        raise DataError(
            f"{source} gave something that is not MNIST: {images.dtype} {images.shape} and "
            f"{labels.dtype} {labels.shape}"
        )
    digest = data_digest(images, labels)
    if digest != MNIST_DIGEST:
        raise DataError(
            f"{source} gave something that is not MNIST: {len(images):,} pictures with SHA-256 "
            f"{digest[:12]}… instead of {MNIST_DIGEST[:12]}…"
        )
    return Dataset(images, labels, "mnist", digest)


def load_mnist(
    data_home: Path | None = None, *, offline: bool = False, progress: bool = False
) -> Dataset:
    """Load MNIST from the first source that works, and keep a decoded copy.

    Parameters
    ----------
    data_home
        scikit-learn's data folder, by default ``SCIKIT_LEARN_DATA`` or ~/scikit_learn_data.
    offline
        Use only what this machine has.
    progress
        Show a progress bar of a download on stderr.

    Returns
    -------
    Dataset
        70,000 images, of which the first 60,000 are the training set.

    Raises
    ------
    DataError
        If no source works; the message names every one and why it failed.
    """
    path = cache_path(data_home)
    failures = []
    try:
        return read_cache(path)
    except DataError as error:
        failures.append(f"cache: {error}")
        if path.exists():
            log.warning("%s; it will be rebuilt", error)
    for name, source in sources(data_home_path(data_home), offline=offline, progress=progress):
        try:
            dataset = _proven(*source(), name)
        except Exception as error:  # noqa: BLE001  (it may fail in any way: try the next)
            failures.append(f"{name}: {_root_cause(error)}")
        else:
            for failure in failures[1:]:
                log.warning("%s", failure)
            _write_cache(path, dataset)
            return dataset
    if offline:
        failures.append("network: not tried, because of --offline")
    raise DataError(
        "no source of MNIST works; connect to the network, or name a folder that has its four "
        "files with --dataset\n  " + "\n  ".join(failures)
    )


def _root_cause(error: BaseException) -> str:
    """What lies behind the wrappings that networking libraries put around an error."""
    while not isinstance(error, DataError) and (below := error.__cause__ or error.__context__):
        error = below
    return " ".join(str(error).split()) or type(error).__name__


def _write_cache(path: Path, dataset: Dataset) -> None:
    try:
        with atomic_write(path) as stream:
            np.savez(stream, images=dataset.images, labels=dataset.labels)
    except OSError as error:  # the data are here, and only the next start will be slow
        log.warning("cannot keep MNIST in %s (%s); it will be fetched again", path, error.strerror)


def load_digits_as_images() -> Dataset:
    """scikit-learn's bundled 1,797 digits of 8 × 8 pixels, drawn as MNIST would have drawn them.

    They are the test set of *Optical Recognition of Handwritten Digits* (Alpaydin and Kaynak
    1998).  Each is scaled to fit MNIST's box of 20 × 20 and centred by mass in 28 × 28.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    pixels = np.round(bunch.images * (255.0 / 16.0)).astype(np.uint8)
    images = np.stack([fit_image(picture) for picture in pixels])
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
        (and not `offline`), the bundle, with a warning; or the path of an .npz file or of a folder
        of IDX files (see `read_npz`, `read_idx_folder`).
    data_home, offline, progress
        As for `load_mnist`.

    Raises
    ------
    DataError
        If it cannot be had.
    """
    if dataset == "digits":
        return _split(load_digits_as_images(), DIGITS_TRAIN)
    if dataset not in DATASET_NAMES:
        return _load_path(Path(dataset))
    try:
        return _split(load_mnist(data_home, offline=offline, progress=progress), MNIST_TRAIN)
    except DataError as error:
        if dataset == "mnist" or offline:
            raise
        log.warning(
            "MNIST COULD NOT BE LOADED, so scikit-learn's 1,797 bundled digits of 8 × 8 pixels "
            "take its place. A model of these is a toy and misreads real pictures. Because %s",
            error,
        )
        return _split(load_digits_as_images(), DIGITS_TRAIN)


def dataset_files(dataset: str, data_home: Path | None = None) -> list[Path]:
    """Files that `load_dataset` reads; see there."""
    if dataset == "digits":
        return []
    if dataset in DATASET_NAMES:
        return [cache_path(data_home)]
    path = Path(dataset)
    return [path] if path.suffix == ".npz" else [*find_idx_files(path).values()]


def _split(whole: Dataset, n_train: int) -> Splits:
    images, labels, name, digest = whole
    return Splits(
        Dataset(images[:n_train], labels[:n_train], name, digest),
        Dataset(images[n_train:], labels[n_train:], name, digest),
    )


def _load_path(path: Path) -> Splits:
    arrays: FourArrays = read_npz(path) if path.suffix == ".npz" else read_idx_folder(path)
    images = np.concatenate([arrays.train_images, arrays.test_images])
    labels = np.concatenate([arrays.train_labels, arrays.test_labels])
    digest = data_digest(images, labels)
    if digest == MNIST_DIGEST:
        name = "mnist"
    else:  # a folder that is named "digits" is not scikit-learn's bundle
        name = f"./{path}" if str(path) in DATASET_NAMES else str(path)
    return _split(Dataset(images, labels, name, digest), len(arrays.train_labels))
