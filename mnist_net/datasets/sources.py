"""Where MNIST comes from: scikit-learn's OpenML, and two mirrors of the original files.

Each source is a function that returns (images, labels), 70,000 of them, the 60,000 of the training
set first, or raises.  None is trusted: `data` proves what they return by its digest.
"""

import logging
import socket
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NoReturn

import numpy as np

from mnist_net.arrays import IMAGE_SHAPE, Bytes
from mnist_net.datasets.formats import read_idx_folder
from mnist_net.errors import DataError

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
TIMEOUT = 15.0
"""Seconds that a server may be silent before it counts as down."""
RETRIES = 1

log = logging.getLogger(__name__)

Source = Callable[[], tuple[Bytes, Bytes]]


@contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    # fetch_openml has no timeout of its own: a server that accepts and says nothing would hold
    # the caller for ever.
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


@contextmanager
def _no_network() -> Iterator[None]:
    # What fetch_openml lacks in its cache, or cannot parse, it would fetch.
    from urllib import request

    class Refusal(request.BaseHandler):
        def default_open(self, _: request.Request) -> NoReturn:
            raise DataError("its copy on this machine is incomplete or damaged")

    before = getattr(request, "_opener", None)
    request.install_opener(request.build_opener(Refusal))
    try:
        yield
    finally:
        request.install_opener(before)


def openml(data_home: Path, *, offline: bool = False) -> tuple[Bytes, Bytes]:
    """Fetch MNIST through scikit-learn's `fetch_openml`, or from its cache in `data_home`."""
    from sklearn.datasets import fetch_openml

    log.info("fetching MNIST from OpenML; to parse it takes about half a minute, this once ...")
    network = _no_network() if offline else _socket_timeout(TIMEOUT)
    with network, warnings.catch_warnings():
        # It warns of every retry; what matters is said once, if it fails in the end.
        warnings.simplefilter("ignore")
        # The pandas parser fails on this data set with pandas 3, and throws the download away.
        bunch = fetch_openml(
            "mnist_784",
            version=1,
            as_frame=False,
            parser="liac-arff",
            data_home=str(data_home),
            n_retries=RETRIES,
        )
        images = np.asarray(bunch.data).astype(np.uint8).reshape(-1, *IMAGE_SHAPE)
    return images, bunch.target.astype(np.uint8)


def openml_is_cached(data_home: Path) -> bool:
    """Whether `openml` would find the pictures on this machine."""
    return any((data_home / "openml").rglob("mnist_784.arff.gz"))


def mirror(address: str, progress: bool) -> tuple[Bytes, Bytes]:
    """Download the four original files from one mirror."""
    import pooch

    log.info("downloading MNIST from %s ...", address)
    download = pooch.HTTPDownloader(progressbar=progress, timeout=TIMEOUT)
    with tempfile.TemporaryDirectory(prefix="mnist-net-") as folder:
        for name in FILES:
            download(address + name, str(Path(folder, name)), None)
        try:
            arrays = read_idx_folder(Path(folder))
        except DataError as error:
            # The folder is ours and will be gone: name the address instead.
            raise DataError(str(error).replace(f"{folder}/", address)) from None
    return (
        np.concatenate([arrays.train_images, arrays.test_images]),
        np.concatenate([arrays.train_labels, arrays.test_labels]),
    )


def sources(data_home: Path, *, offline: bool, progress: bool) -> Iterator[tuple[str, Source]]:
    """Name and function of each source, in the order in which to try them; see `load_mnist`."""
    if not offline or openml_is_cached(data_home):
        yield "OpenML", partial(openml, data_home, offline=offline)
    if not offline:
        for address in MIRRORS:
            yield address, partial(mirror, address, progress)
