"""What the tests of data share: a few pictures that are MNIST for once, and who serves them."""

import hashlib
import logging
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import _openml

from mnist_net import Dataset
from mnist_net.datasets import loading, mnist, sources
from mnist_net.datasets.mnist import cache_path, data_home_path, load_mnist
from mnist_net.errors import DataError
from tests.datasets.openml_server import (
    FILES,
    MIRRORS,
    OPENML,
    Server,
    idx_files,
    openml_documents,
    serve,
)

N, N_TRAIN = 14, 12
FIRST, SECOND = ([mirror + name for name in FILES] for mirror in MIRRORS)
GATEWAY = b"<html><head><title>504 Gateway Time-out</title></head></html>"

Pictures = tuple[np.ndarray, np.ndarray]


def some_pictures(n: int = N, seed: int = 0) -> Pictures:
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 256, (n, 28, 28), dtype=np.uint8)
    return images, generator.integers(0, 10, n, dtype=np.uint8)


RIGHT, WRONG = some_pictures(seed=0), some_pictures(seed=1)
DIGEST = hashlib.sha256(RIGHT[0].tobytes() + RIGHT[1].tobytes()).hexdigest()


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that asks for a name or address beyond this machine fails."""
    resolve = socket.getaddrinfo

    def resolve_here(host: str | bytes | None, *arguments: object, **options: object) -> object:
        assert host == "127.0.0.1", f"a test must not look for {host!r}"
        return resolve(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_here)
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(variable, "127.0.0.1")


@pytest.fixture
def miniature(monkeypatch: pytest.MonkeyPatch) -> None:
    """MNIST is, for once, the few pictures of `RIGHT`."""
    for module in (mnist, loading):
        monkeypatch.setattr(module, "MNIST_DIGEST", DIGEST)
    monkeypatch.setattr(loading, "MNIST_TRAIN", N_TRAIN)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, miniature: None) -> Iterator[Server]:
    """OpenML and the mirrors, all well; what they should not do is for each test to say."""
    # fetch_openml waits a second before it asks again.
    monkeypatch.setattr(_openml, "time", SimpleNamespace(sleep=lambda _: None))
    with serve() as server:
        for name in ("_SEARCH_NAME", "_DATA_INFO", "_DATA_FEATURES", "_DATA_QUALITIES"):
            there = getattr(_openml, name).replace("https://www.openml.org", server.url)
            monkeypatch.setattr(_openml, name, there)
        monkeypatch.setattr(sources, "MIRRORS", tuple(server.url + mirror for mirror in MIRRORS))
        put_openml(server, RIGHT)
        for mirror in MIRRORS:
            put_mirror(server, mirror, RIGHT)
        yield server


def put_openml(server: Server, pictures: Pictures) -> None:
    server.put(openml_documents(*pictures, server.url))


def put_mirror(server: Server, mirror: str, pictures: Pictures) -> None:
    files = idx_files(*pictures, N_TRAIN)
    server.put({mirror + name: content for name, content in files.items()})


def close_openml(server: Server) -> None:
    for path in OPENML:
        server.change(path, status=503)


def close_mirrors(server: Server) -> None:
    for path in (*FIRST, *SECOND):
        server.change(path, status=503)


def assert_right(dataset: Dataset) -> None:
    np.testing.assert_array_equal(dataset.images, RIGHT[0], strict=True)
    np.testing.assert_array_equal(dataset.labels, RIGHT[1], strict=True)
    assert (dataset.name, dataset.digest) == ("mnist", DIGEST)


def assert_split(
    found: Sequence[np.ndarray], images: np.ndarray, labels: np.ndarray, n_train: int
) -> None:
    """Training images and labels, and those of the test, are these: so many are for training."""
    expected = (images[:n_train], labels[:n_train], images[n_train:], labels[n_train:])
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs, strict=True)


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]


@pytest.fixture
def openml_copy(server: Server) -> Path:
    """The folder of scikit-learn's copy, complete; our own cache is gone, the log empty."""
    load_mnist()
    cache_path().unlink()
    server.requests.clear()
    return data_home_path() / "openml" / "openml.org"


def write_cache(path: Path, **arrays: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **arrays)


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


# Files.


class Trap:
    """Its pickle makes a file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


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


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "file"


def never_anything_else(path: Path, content: bytes, read: Callable[[Path], object]) -> bool:
    path.write_bytes(content)
    try:
        read(path)
    except DataError:
        return False
    return True


def flipped(content: bytes, place: int) -> bytes:
    """With one bit the other way."""
    byte, bit = divmod(place % (8 * len(content)), 8)
    damaged = bytearray(content)
    damaged[byte] ^= 1 << bit
    return bytes(damaged)
