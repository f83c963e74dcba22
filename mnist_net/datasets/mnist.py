"""MNIST, from the first source that works: our own cache, OpenML, or a mirror.

The cache is decoded, so that it loads in a moment.  No source is trusted: one digest over the
decoded bytes decides.
"""

import logging
import os
from pathlib import Path

import numpy as np

from mnist_net.arrays import IMAGE_SHAPE, MNIST_DIGEST, Bytes
from mnist_net.datasets.dataset import Dataset, data_digest
from mnist_net.datasets.sources import sources
from mnist_net.errors import DataError
from mnist_net.files import atomic_write

MNIST_TRAIN = 60_000
"""The first so many of the 70,000 are the training set, as the makers split them."""

log = logging.getLogger(__name__)


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
