"""MNIST from every source, through the real `fetch_openml` and the real downloader.

The server is ours and the pictures are few; the proof, the order of the sources, the cache and the
error messages are those of the real thing.  Nothing here can reach beyond 127.0.0.1.
"""

import hashlib
import importlib.util
import io
import json
import logging
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import sklearn.datasets
from PIL import Image
from sklearn.datasets import _openml

from mnist_net import Dataset
from mnist_net.datasets import loading, mnist, sources
from mnist_net.datasets.dataset import data_digest
from mnist_net.datasets.loading import load_dataset, load_digits_as_images
from mnist_net.datasets.mnist import (
    MNIST_DIGEST,
    cache_path,
    data_home_path,
    load_mnist,
    read_cache,
)
from mnist_net.errors import DataError
from tests.conftest import SHARED, Run
from tests.datasets.openml_server import (
    ARFF,
    DESCRIPTION,
    FEATURES,
    FILES,
    MIRRORS,
    OPENML,
    QUALITIES,
    SEARCH,
    Server,
    idx,
    idx_files,
    openml_documents,
    serve,
)

N, N_TRAIN = 14, 12
SILENCE = 0.3  # seconds until a silent server counts as down, where a test waits for that
FIRST, SECOND = ([mirror + name for name in FILES] for mirror in MIRRORS)
GATEWAY = b"<html><head><title>504 Gateway Time-out</title></head></html>"

Pictures = tuple[np.ndarray, np.ndarray]


def some_pictures(seed: int) -> Pictures:
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 256, (N, 28, 28), dtype=np.uint8)
    return images, generator.integers(0, 10, N, dtype=np.uint8)


RIGHT, WRONG = some_pictures(0), some_pictures(1)
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


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]


# What proves that it is MNIST


def test_the_digest_is_that_of_the_real_mnist(mnist_arrays: Pictures) -> None:
    images, labels = mnist_arrays
    assert images.shape == (70_000, 28, 28)
    assert hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest() == MNIST_DIGEST
    assert data_digest(images, labels) == MNIST_DIGEST
    # The makers' own checksums, as published with the files, of what is digested here.
    published = {
        "train-images": ("6bbc9ace898e44ae57da46a324031adb", images[:60_000]),
        "train-labels": ("a25bea736e30d166cdddb491f175f624", labels[:60_000]),
        "t10k-images": ("2646ac647ad5339dbf082846283269ea", images[60_000:]),
        "t10k-labels": ("27ae3e4e09519cfbb04c329615203637", labels[60_000:]),
    }
    for md5, array in published.values():
        assert hashlib.md5(idx(array)).hexdigest() == md5


def test_the_real_mnist_from_a_folder(mnist_folder: Path, mnist_arrays: Pictures) -> None:
    images, labels = mnist_arrays
    train, test = load_dataset(str(mnist_folder))
    assert {train.name, test.name} == {"mnist"}
    assert {train.digest, test.digest} == {MNIST_DIGEST}
    np.testing.assert_array_equal(train.images, images[:60_000], strict=True)
    np.testing.assert_array_equal(train.labels, labels[:60_000], strict=True)
    np.testing.assert_array_equal(test.images, images[60_000:], strict=True)
    np.testing.assert_array_equal(test.labels, labels[60_000:], strict=True)


def test_another_set_is_named_after_its_path(tmp_path: Path) -> None:
    images, labels = RIGHT
    for name, content in idx_files(images, labels, N_TRAIN).items():
        (tmp_path / name).write_bytes(content)
    train, test = load_dataset(str(tmp_path))
    assert {train.name, test.name} == {str(tmp_path)}
    assert {train.digest, test.digest} == {DIGEST}
    np.testing.assert_array_equal(train.images, images[:N_TRAIN], strict=True)
    np.testing.assert_array_equal(test.labels, labels[N_TRAIN:], strict=True)


def test_a_folder_with_the_name_of_a_set_is_not_that_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("digits").mkdir()
    for name, content in idx_files(*RIGHT, N_TRAIN).items():
        Path("digits", name).write_bytes(content)
    assert load_dataset("./digits").train.name == "./digits"
    assert load_dataset("digits").train.name == "digits"


def test_the_digest_is_of_the_pixels_and_not_of_their_layout() -> None:
    images, labels = RIGHT
    assert data_digest(np.asfortranarray(images), labels) == DIGEST
    assert data_digest(images[::-1][::-1], labels[::-1][::-1]) == DIGEST
    assert data_digest(images, labels[::-1]) != DIGEST


def test_the_bundled_digits() -> None:
    train, test = load_dataset("digits")
    whole = load_digits_as_images()
    assert (len(train.labels), len(test.labels)) == (1_500, 297)
    assert train.name == test.name == whole.name == "digits"
    assert train.digest == test.digest == data_digest(whole.images, whole.labels)
    np.testing.assert_array_equal(np.concatenate([train.images, test.images]), whole.images)
    np.testing.assert_array_equal(whole.labels, sklearn.datasets.load_digits().target)
    assert whole.images.shape == (1_797, 28, 28)
    assert whole.images.dtype == whole.labels.dtype == np.uint8
    # As MNIST: nothing outside the box that is centred by mass, bright ink, all of it.
    ink = whole.images.astype(np.float64)
    mass = ink.sum((1, 2))
    rows = (ink.sum(2) @ np.arange(28)) / mass
    columns = (ink.sum(1) @ np.arange(28)) / mass
    assert np.abs(rows - 13.5).max() <= 1.0
    assert np.abs(columns - 13.5).max() <= 1.0
    assert (whole.images.max((1, 2)) > 200).all()
    assert (np.median(whole.images, (1, 2)) == 0).all()
    extent = (whole.images > 0).any(2).sum(1)
    assert extent.max() == 20


# Each source, well


def test_openml_comes_first(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    assert_right(load_mnist())
    assert server.requests == list(OPENML)
    assert not warnings_in(caplog)
    assert "half a minute" in caplog.text


def test_then_the_first_mirror(server: Server) -> None:
    close_openml(server)
    assert_right(load_mnist())
    assert list(dict.fromkeys(server.requests)) == [SEARCH, *FIRST]


def test_then_the_second(server: Server) -> None:
    close_openml(server)
    server.change(FIRST[2], status=404)
    assert_right(load_mnist())
    assert list(dict.fromkeys(server.requests)) == [SEARCH, *FIRST[:3], *SECOND]


def test_the_pictures_are_split_as_their_makers_did(server: Server) -> None:
    train, test = load_dataset("mnist")
    np.testing.assert_array_equal(train.images, RIGHT[0][:N_TRAIN], strict=True)
    np.testing.assert_array_equal(train.labels, RIGHT[1][:N_TRAIN], strict=True)
    np.testing.assert_array_equal(test.images, RIGHT[0][N_TRAIN:], strict=True)
    np.testing.assert_array_equal(test.labels, RIGHT[1][N_TRAIN:], strict=True)
    assert train[2:] == test[2:] == ("mnist", DIGEST)


def test_a_progress_bar_of_a_download(
    server: Server, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    close_openml(server)
    load_mnist(tmp_path / "quiet")
    assert capfd.readouterr() == ("", "")
    load_mnist(tmp_path / "talking", progress=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("100%") == len(FILES)


def test_a_download_leaves_nothing_behind(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    close_openml(server)
    server.change(FIRST[3], cut=5)
    load_mnist()
    assert not list(scratch.iterdir())


def test_the_state_of_the_process_is_left_alone(server: Server) -> None:
    """The limits that are set for fetch_openml end with it, however it ends."""
    mine = urllib.request.build_opener()
    urllib.request.install_opener(mine)
    try:
        load_mnist()
        cache_path().unlink()
        load_mnist(offline=True)
        cache_path().unlink()
        (data_home_path() / "openml" / "openml.org" / f"{SEARCH[1:]}.gz").unlink()
        with pytest.raises(DataError):
            load_mnist(offline=True)
        close_openml(server)
        load_mnist()
        assert urllib.request._opener is mine  # type: ignore[attr-defined]
    finally:
        urllib.request.install_opener(None)  # type: ignore[arg-type]
    assert socket.getdefaulttimeout() is None


# Each source, badly: name → what goes wrong at one path, and what the message must say

Spoil = Callable[[Server, str], None]

FAILURES: dict[str, tuple[Spoil, str]] = {
    "504": (lambda server, path: server.change(path, body=GATEWAY, status=504), "504"),
    "404": (lambda server, path: server.change(path, status=404), "404"),
    "silent": (lambda server, path: server.change(path, silence=60.0), "timed out"),
    "falls silent": (
        lambda server, path: server.change(
            path, piece=len(server.answers[path].body) // 2, pause=60.0
        ),
        "timed out",
    ),
    "HTML": (lambda server, path: server.change(path, body=GATEWAY), ""),
    "empty": (lambda server, path: server.change(path, body=b""), ""),
    "breaks off": (
        lambda server, path: server.change(path, cut=len(server.answers[path].body) // 2),
        "",
    ),
    "garbage": (lambda server, path: server.change(path, body=bytes(range(256)) * 9), ""),
}


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("path", [SEARCH, DESCRIPTION, FEATURES, ARFF], ids=lambda p: p[-12:])
def test_openml_fails(
    server: Server,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    failure: str,
) -> None:
    spoil, reason = FAILURES[failure]
    if "silent" in failure:
        monkeypatch.setattr(sources, "TIMEOUT", SILENCE)
    spoil(server, path)
    start = time.monotonic()
    assert_right(load_mnist())
    assert time.monotonic() - start < 20.0  # of 60 that it could be silent, 30 that pooch waits
    (warning,) = warnings_in(caplog)
    assert warning.startswith("OpenML: ")
    assert reason in warning
    assert len(warning) > len("OpenML: ")
    assert server.requests[-4:] == FIRST
    # The failure is not kept: what OpenML said is asked for again once it is well.
    cache_path().unlink()
    put_openml(server, RIGHT)
    caplog.clear()
    server.requests.clear()
    assert_right(load_mnist())
    assert not warnings_in(caplog)
    assert path in server.requests


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("path", FIRST[:2], ids=["images", "labels"])
def test_a_mirror_fails(
    server: Server,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    failure: str,
) -> None:
    close_openml(server)
    spoil, reason = FAILURES[failure]
    if "silent" in failure:
        monkeypatch.setattr(sources, "TIMEOUT", SILENCE)
    spoil(server, path)
    start = time.monotonic()
    assert_right(load_mnist())
    assert time.monotonic() - start < 20.0  # of 60 that it could be silent, 30 that pooch waits
    _, warning = warnings_in(caplog)
    assert warning.startswith(f"{server.url}{MIRRORS[0]}: ")
    assert reason in warning
    if failure in {"HTML", "empty", "garbage"}:  # the file is named by its address
        assert f"{server.url}{path} is not an IDX file" in warning
    assert "/tmp" not in warning
    assert server.requests[-4:] == SECOND


def test_openml_without_qualities_still_fails_as_a_sentence(server: Server) -> None:
    """It then does not know how many rows to expect, and cannot parse: the next source is tried."""
    server.change(QUALITIES, body=b"{}")
    assert_right(load_mnist())
    assert server.requests[-4:] in (FIRST, list(OPENML)[-4:])


def test_a_missing_pixel_is_refused(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    arff = server.answers[ARFF].body
    start = arff.index(b"@DATA\n") + len(b"@DATA\n")
    arff = arff[:start] + b"?" + arff[arff.index(b",", start) :]
    description = json.loads(server.answers[DESCRIPTION].body)
    description["data_set_description"]["md5_checksum"] = hashlib.md5(arff).hexdigest()
    server.put({ARFF: arff, DESCRIPTION: json.dumps(description).encode()})
    assert_right(load_mnist())
    (warning,) = warnings_in(caplog)
    assert "OpenML gave something that is not MNIST" in warning


@pytest.mark.parametrize("slow", [SEARCH, ARFF, FIRST[0]], ids=["search", "ARFF", "mirror"])
def test_a_slow_source_that_is_alive_is_waited_for(
    server: Server, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, slow: str
) -> None:
    """Each pause is shorter than the limit; all of them together are much longer."""
    monkeypatch.setattr(sources, "TIMEOUT", 2 * SILENCE)
    if slow in FIRST:
        close_openml(server)
        close_mirrors(server)
        put_mirror(server, MIRRORS[0], RIGHT)
    else:
        close_mirrors(server)
    n_pieces = 10
    piece = -(-len(server.answers[slow].body) // n_pieces)
    server.change(slow, silence=SILENCE / 2, piece=piece, pause=SILENCE / 2)
    assert n_pieces * SILENCE / 2 > 2 * sources.TIMEOUT
    assert_right(load_mnist())
    assert "timed out" not in caplog.text


def test_connection_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # and nobody listens
        nobody = f"http://127.0.0.1:{unused.getsockname()[1]}"
        monkeypatch.setattr(
            _openml, "_SEARCH_NAME", _openml._SEARCH_NAME.replace(server.url, nobody)
        )
        monkeypatch.setattr(sources, "MIRRORS", (f"{nobody}/", server.url + MIRRORS[1]))
        assert_right(load_mnist())
        assert server.requests == SECOND
        cache_path().unlink()
        monkeypatch.setattr(sources, "MIRRORS", (f"{nobody}/one/", f"{nobody}/two/"))
        with pytest.raises(DataError) as caught:
            load_mnist()
    assert str(caught.value).count("Connection refused") == 3


@pytest.mark.parametrize("liar", ["OpenML", *MIRRORS])
def test_a_lie_is_refused_and_the_next_source_tried(
    server: Server, caplog: pytest.LogCaptureFixture, liar: str
) -> None:
    """Well-formed, with checksums of its own that fit, and other pictures."""
    order = ["OpenML", *MIRRORS]
    for source in order[: order.index(liar) + 1]:
        if source == "OpenML":
            put_openml(server, WRONG)
        else:
            put_mirror(server, source, WRONG)
    if liar == MIRRORS[-1]:
        with pytest.raises(DataError) as caught:
            load_mnist()
        said = str(caught.value)
        assert said.count("not MNIST") == 3
        assert not cache_path().exists()
    else:
        assert_right(load_mnist())
        said = caplog.text
    name = liar if liar == "OpenML" else server.url + liar
    digest = hashlib.sha256(WRONG[0].tobytes() + WRONG[1].tobytes()).hexdigest()
    assert f"{name} gave something that is not MNIST: 14 pictures with SHA-256" in said
    assert digest[:12] in said


def test_one_wrong_pixel_is_refused(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    images = RIGHT[0].copy()
    images[-1, -1, -1] ^= 1
    put_openml(server, (images, RIGHT[1]))
    put_mirror(server, MIRRORS[0], (RIGHT[0], np.roll(RIGHT[1], 1)))
    assert_right(load_mnist())
    assert len(warnings_in(caplog)) == 2


def test_every_failure_is_named_in_the_error(server: Server) -> None:
    server.change(SEARCH, body=GATEWAY, status=504)
    put_mirror(server, MIRRORS[0], WRONG)
    server.change(SECOND[1], body=GATEWAY)
    with pytest.raises(DataError) as caught:
        load_mnist()
    first, cache, openml, one, two = str(caught.value).splitlines()
    assert first.startswith("no source of MNIST works; connect to the network")
    assert cache == f"  cache: {cache_path()}: not there yet"
    assert openml.startswith("  OpenML: ")
    assert "504" in openml
    assert one.startswith(f"  {server.url}{MIRRORS[0]}: ")
    assert "not MNIST" in one
    assert two.startswith(f"  {server.url}{MIRRORS[1]}: ")
    assert f"{server.url}{SECOND[1]} is not an IDX file of labels" in two


def test_an_interruption_is_no_failure_of_a_source(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sources, "openml", interrupt)
    with pytest.raises(KeyboardInterrupt):
        load_mnist()
    assert server.requests == []


# Falling back, and not


def test_auto_falls_back_with_a_warning(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    server.change(SEARCH, status=504)
    close_mirrors(server)
    train, test = load_dataset("auto")
    assert (len(train.labels), len(test.labels)) == (1_500, 297)
    assert train.name == test.name == "digits"
    last = warnings_in(caplog)[-1]
    assert "bundled digits" in last
    assert "OpenML: HTTP Error 504" in last
    for mirror in MIRRORS:
        assert f"{server.url}{mirror}: 503" in last


def test_auto_is_mnist_where_it_can_be_had(server: Server) -> None:
    assert load_dataset().train.digest == DIGEST


def test_mnist_never_falls_back(server: Server) -> None:
    close_openml(server)
    close_mirrors(server)
    with pytest.raises(DataError, match="no source of MNIST works"):
        load_dataset("mnist")


@pytest.mark.parametrize("dataset", ["auto", "mnist"])
def test_offline_asks_nobody_and_never_falls_back(server: Server, dataset: str) -> None:
    with pytest.raises(DataError, match="network: not tried, because of --offline") as caught:
        load_dataset(dataset, offline=True)
    assert f"cache: {cache_path()}: not there yet" in str(caught.value)
    assert server.requests == []


def test_a_name_that_is_no_set(tmp_path: Path) -> None:
    for name in ("mnsit", str(tmp_path / "none.npz"), "n" * 5_000, "n" * 5_000 + ".npz", "\0"):
        with pytest.raises(DataError):
            load_dataset(name)


# scikit-learn's own copy


@pytest.fixture
def openml_copy(server: Server) -> Path:
    """The folder of scikit-learn's copy, complete; our own cache is gone, the log empty."""
    load_mnist()
    cache_path().unlink()
    server.requests.clear()
    return data_home_path() / "openml" / "openml.org"


@pytest.mark.parametrize("offline", [True, False])
def test_scikit_learns_copy_needs_no_network(
    server: Server, openml_copy: Path, offline: bool
) -> None:
    assert_right(load_mnist(offline=offline))
    assert server.requests == []
    assert read_cache(cache_path()).digest == DIGEST


@pytest.mark.parametrize("path", OPENML, ids=lambda path: path[-12:])
@pytest.mark.parametrize("damage", ["missing", "garbage", "truncated"])
def test_offline_with_a_bad_copy_asks_nobody(
    server: Server, openml_copy: Path, path: str, damage: str
) -> None:
    file = openml_copy / f"{path[1:]}.gz"
    if damage == "missing":
        file.unlink()
    else:
        content = file.read_bytes()
        file.write_bytes(b"garbage" if damage == "garbage" else content[: len(content) // 2])
    with pytest.raises(DataError, match="network: not tried") as caught:
        load_mnist(offline=True)
    if (path, damage) != (ARFF, "missing"):  # without pictures there is no copy to speak of
        assert "OpenML: its copy on this machine is incomplete or damaged" in str(caught.value)
    assert server.requests == []
    # With a network it mends itself.
    assert_right(load_mnist())
    assert server.requests == [path]


def test_a_copy_that_lies_does_not_stop_the_others(server: Server, openml_copy: Path) -> None:
    put_openml(server, WRONG)
    shutil.rmtree(openml_copy)
    close_mirrors(server)
    with pytest.raises(DataError):
        load_mnist()
    put_mirror(server, MIRRORS[1], RIGHT)
    assert_right(load_mnist())


# Our cache


def test_the_cache_is_used_next_time(server: Server) -> None:
    first = load_mnist()
    server.requests.clear()
    for offline in (False, True):
        again = load_mnist(offline=offline)
        assert_right(again)
    assert server.requests == []
    with np.load(cache_path()) as archive:
        np.testing.assert_array_equal(archive["images"], first.images, strict=True)
        np.testing.assert_array_equal(archive["labels"], first.labels, strict=True)


def write_cache(path: Path, **arrays: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **arrays)


class Trap:
    """Its pickle makes a file when it is read."""

    def __reduce__(self) -> tuple:
        return Path.touch, (Path("sprung"),)


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def as_npy(path: Path) -> None:
    stream = io.BytesIO()
    np.save(stream, RIGHT[0])
    path.write_bytes(stream.getvalue())


ONE_OFF = RIGHT[0] ^ np.eye(28, dtype=np.uint8)

DAMAGES: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "garbage": lambda path: path.write_bytes(b"garbage " * 1_000),
    "HTML": lambda path: path.write_bytes(GATEWAY),
    "half": lambda path: os.truncate(path, path.stat().st_size // 2),
    "one byte short": lambda path: os.truncate(path, path.stat().st_size - 1),
    "one bit of a pixel": lambda path: flip(path, 10_000),
    "one bit of a header": lambda path: flip(path, 60),
    "one bit of the directory": lambda path: flip(path, path.stat().st_size - 22),
    "an .npy": as_npy,
    "other pictures": lambda path: write_cache(path, images=ONE_OFF, labels=RIGHT[1]),
    "other labels": lambda path: write_cache(path, images=RIGHT[0], labels=RIGHT[1][::-1]),
    "no labels": lambda path: write_cache(path, images=RIGHT[0]),
    "other names": lambda path: write_cache(path, x=RIGHT[0], y=RIGHT[1]),
    "numbers": lambda path: write_cache(path, images=3, labels=4),
    "times": lambda path: write_cache(path, images=np.zeros(3, "M8[s]"), labels=RIGHT[1]),
    "rows": lambda path: write_cache(path, images=RIGHT[0].reshape(N, 784), labels=RIGHT[1]),
    "signed": lambda path: write_cache(path, images=RIGHT[0].view(np.int8), labels=RIGHT[1]),
    "labels in a column": lambda path: write_cache(path, images=RIGHT[0], labels=RIGHT[1][:, None]),
    "folded": lambda path: write_cache(
        path, images=RIGHT[0].reshape(7, 2, 28, 28), labels=RIGHT[1].reshape(7, 2)
    ),
    "code": lambda path: write_cache(path, images=np.array([Trap()]), labels=RIGHT[1]),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_cache_is_noticed_and_rebuilt(
    server: Server, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    load_mnist()
    server.requests.clear()
    caplog.clear()
    path = cache_path()
    DAMAGES[damage](path)
    assert_right(load_mnist())
    (warning,) = warnings_in(caplog)
    assert warning.startswith(str(path))
    assert warning.endswith("it will be rebuilt")
    assert "\n" not in warning
    assert "trust" not in warning  # as NumPy's own message proposes for what is no archive
    assert server.requests == []  # scikit-learn's copy was good enough
    assert_right(read_cache(path))
    assert not Path("sprung").exists()


def test_any_bit_of_the_cache(miniature: None, tmp_path: Path) -> None:
    """Either it is noticed, or it is a bit that nobody reads: never other pictures."""
    path = tmp_path / "mnist.npz"
    write_cache(path, images=RIGHT[0], labels=RIGHT[1])
    whole = path.read_bytes()
    noticed = 0
    for place in [*range(0, 400, 3), *range(400, len(whole) - 400, 997), *range(-400, 0, 3)]:
        flip(path, place)
        try:
            dataset = read_cache(path)
        except DataError:
            noticed += 1
        else:
            assert_right(dataset)
        path.write_bytes(whole)
    assert noticed > 100


def test_a_data_home_that_cannot_be_written_still_gives_the_data(
    server: Server, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.write_text("a file where a folder should be")
    assert_right(load_mnist(home))
    openml, cache = warnings_in(caplog)
    assert openml.startswith("OpenML: ")
    assert f"cannot keep MNIST in {home}" in cache
    assert home.read_text() == "a file where a folder should be"


def test_only_our_folder_cannot_be_written(
    server: Server, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    (tmp_path / "mnist-net").write_text("in the way")
    assert_right(load_mnist(tmp_path))
    (warning,) = warnings_in(caplog)
    assert "cannot keep MNIST" in warning


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("before", ["nothing", "garbage"])
def test_a_failure_while_the_cache_is_written(
    server: Server,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    failure: BaseException,
    before: str,
) -> None:
    path = cache_path()
    path.parent.mkdir(parents=True)
    if before == "garbage":
        path.write_bytes(b"garbage")

    def fail_halfway(stream: io.BufferedWriter, **_: np.ndarray) -> None:
        stream.write(b"PK half of it")
        stream.flush()
        raise failure

    monkeypatch.setattr(np, "savez", fail_halfway)
    if isinstance(failure, OSError):
        assert_right(load_mnist())
        assert "No space left on device" in warnings_in(caplog)[-1]
    else:
        with pytest.raises(KeyboardInterrupt):
            load_mnist()
    left = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    assert left == ({} if before == "nothing" else {"mnist.npz": b"garbage"})


def test_where_it_is_kept(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    default = Path(os.environ["SCIKIT_LEARN_DATA"])
    load_mnist(tmp_path / "told")
    assert (tmp_path / "told" / "mnist-net" / "mnist.npz").is_file()
    assert (tmp_path / "told" / "openml").is_dir()
    assert not default.exists()
    load_mnist()
    assert (default / "mnist-net" / "mnist.npz").is_file()
    assert (default / "openml").is_dir()


@pytest.mark.parametrize("told", [None, "~/told", "told"])
@pytest.mark.parametrize("environment", [None, "~/environment", "environment"])
def test_the_same_folder_as_scikit_learns(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, told: str | None, environment: str | None
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    if environment is None:
        monkeypatch.delenv("SCIKIT_LEARN_DATA")
    else:
        monkeypatch.setenv("SCIKIT_LEARN_DATA", environment)
    theirs = sklearn.datasets.get_data_home(told)
    assert data_home_path(Path(told) if told else None) == Path(theirs)


# As processes of their own

# What is patched in this process must be patched in those too.
DRIVER = """if True:
    import sys
    from sklearn.datasets import _openml
    from mnist_net.datasets import mnist, sources
    from mnist_net.cli import main

    url, mnist.MNIST_DIGEST, *arguments = sys.argv[1:]
    for name in ("_SEARCH_NAME", "_DATA_INFO", "_DATA_FEATURES", "_DATA_QUALITIES"):
        there = getattr(_openml, name).replace("https://www.openml.org", url)
        setattr(_openml, name, there)
    sources.MIRRORS = (url + "/first/", url + "/second/")
    main(arguments)
"""


def start(server: Server, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", "-c", DRIVER, server.url, DIGEST, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("source", ["OpenML", "a mirror"])
def test_two_first_runs_at_once(server: Server, source: str) -> None:
    """They start fetching at the same moment: each request of the first document waits for both."""
    gate = threading.Barrier(2)
    if source == "OpenML":
        close_mirrors(server)
        server.change(SEARCH, gate=gate)
    else:
        close_openml(server)
        server.change(FIRST[-1], gate=gate)
    processes = [start(server, "data", "fetch") for _ in range(2)]
    for process in processes:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert out == f"{cache_path()}: 14 pictures, proven by their digest\n"
    assert not gate.broken
    assert server.requests.count(SEARCH if source == "OpenML" else FIRST[-1]) == 2
    assert [file.name for file in cache_path().parent.iterdir()] == ["mnist.npz"]
    assert_right(read_cache(cache_path()))


def test_fetch_and_fetch_again(server: Server) -> None:
    process = start(server, "data", "fetch", "--data-home", "home")
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (
        0,
        "home/mnist-net/mnist.npz: 14 pictures, proven by their digest\n",
    )
    assert "fetching MNIST from OpenML" in err
    server.requests.clear()
    process = start(server, "data", "fetch", "--data-home", "home", "--quiet")
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err, server.requests) == (0, "", [])


def test_fetch_fails_in_plain_words(server: Server) -> None:
    close_openml(server)
    close_mirrors(server)
    process = start(server, "data", "fetch")
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (1, "")
    assert re.search(r"Error: no source of MNIST works; .*--dataset\n  cache: ", err)
    assert "Traceback" not in err
    for name in ("OpenML", *(server.url + mirror for mirror in MIRRORS)):
        assert f"\n  {name}: " in err


# The commands


@pytest.fixture
def real_cache(mnist_arrays: Pictures, tmp_path: Path) -> Path:
    """A data home with our cache of the real 70,000."""
    home = tmp_path / "real"
    write_cache(cache_path(home), images=mnist_arrays[0], labels=mnist_arrays[1])
    return home


def failed(process: subprocess.CompletedProcess[str], status: int = 1) -> str:
    """The one sentence of a command that failed."""
    assert process.returncode == status
    assert process.stdout == ""
    assert "Traceback" not in process.stderr
    *_, last = process.stderr.strip().splitlines()
    assert last.startswith("Error: ")
    return last.removeprefix("Error: ")


def test_show(run: Run, real_cache: Path, tmp_path: Path) -> None:
    nothing = run("data", "show")
    assert nothing.returncode == 0
    assert f"{cache_path()} (not there yet: mnist-net data fetch)" in nothing.stdout
    assert "(not there)" in nothing.stdout
    size = cache_path(real_cache).stat().st_size
    there = run("data", "show", "--data-home", real_cache)
    assert f"{cache_path(real_cache)} ({size:,} bytes)" in there.stdout
    for address in sources.MIRRORS:
        assert address in there.stdout
    assert (nothing.stderr, there.stderr) == ("", "")
    facts = json.loads(run("data", "show", "--json", "--data-home", real_cache).stdout)
    assert facts == {
        "cache": str(cache_path(real_cache)),
        "cached": True,
        "bytes": size,
        "openml_cached": False,
        "sources": ["OpenML", *sources.MIRRORS],
    }
    facts = json.loads(run("data", "show", "--json").stdout)
    assert (facts["cached"], facts["bytes"]) == (False, 0)


def test_show_sees_scikit_learns_copy(run: Run, openml_copy: Path) -> None:
    assert json.loads(run("data", "show", "--json").stdout)["openml_cached"] is True
    assert f"{data_home_path() / 'openml'} (there)" in run("data", "show").stdout


def test_verify_fetch_and_clear(run: Run, real_cache: Path) -> None:
    path = cache_path(real_cache)
    verified = run("data", "verify", "--data-home", real_cache)
    assert (verified.returncode, verified.stderr) == (0, "")
    assert verified.stdout == f"{path}: MNIST, SHA-256 {MNIST_DIGEST}\n"
    fetched = run("data", "fetch", "--offline", "--data-home", real_cache)
    assert fetched.stdout == f"{path}: 70,000 pictures, proven by their digest\n"

    flip(path, 1_000_000)
    message = failed(run("data", "verify", "--data-home", real_cache))
    assert message.startswith(f"{path} is damaged")
    flip(path, 1_000_000)

    leftover = path.with_name(f".{path.name}.abc")  # of a process killed while writing
    leftover.touch()
    for said in ("removed", "was not there"):
        cleared = run("data", "clear", env={**os.environ, "SCIKIT_LEARN_DATA": str(real_cache)})
        assert (cleared.returncode, cleared.stdout) == (0, f"{path}: {said}\n")
        assert not path.exists()
        assert not leftover.exists()
    assert failed(run("data", "verify", "--data-home", real_cache)) == f"{path}: not there yet"
    assert "not tried" in run("data", "fetch", "--offline", "--data-home", real_cache).stderr


def test_fetch_offline_with_nothing(run: Run) -> None:
    process = run("data", "fetch", "--offline")
    assert (process.returncode, process.stdout) == (1, "")
    assert process.stderr.splitlines() == [
        (
            "Error: no source of MNIST works; connect to the network, or name a folder that has "
            "its four files with --dataset"
        ),
        f"  cache: {cache_path()}: not there yet",
        "  network: not tried, because of --offline",
    ]


def test_clear_what_cannot_be_removed(run: Run, tmp_path: Path) -> None:
    cache_path(tmp_path).mkdir(parents=True)
    assert str(cache_path(tmp_path)) in failed(run("data", "clear", "--data-home", tmp_path))


@pytest.mark.parametrize("digit", [0, 7])
def test_sample_of_the_bundled_digits(run: Run, digit: int) -> None:
    process = run("data", "sample", "out.png", "--digit", digit, "--dataset", "digits")
    assert (process.returncode, process.stderr) == (0, "")
    with Image.open("out.png") as image:
        assert (image.format, image.size, image.mode) == ("PNG", (28, 28), "L")
        pixels = np.asarray(image)
    test = load_dataset("digits").test
    (row,) = np.flatnonzero((test.images == pixels).all((1, 2)))
    assert test.labels[row] == digit
    assert process.stdout == f"out.png: test picture {row} of digits, a {digit}\n"


def test_sample_of_the_real_mnist(run: Run, real_cache: Path, mnist_arrays: Pictures) -> None:
    home = ("--data-home", real_cache, "--offline")
    said = []
    for arguments in (("--digit", 3), ("--digit", 3), ("--digit", 3, "--seed", 1), ()):
        process = run("data", "sample", "new/out.png", *arguments, *home)
        assert (process.returncode, process.stderr) == (0, "")
        with Image.open("new/out.png") as image:
            pixels = np.asarray(image)
        row = int(process.stdout.split()[3])
        np.testing.assert_array_equal(pixels, mnist_arrays[0][60_000 + row], strict=True)
        assert process.stdout.endswith(f"of mnist, a {mnist_arrays[1][60_000 + row]}\n")
        said.append(process.stdout)
    assert said[0] == said[1] != said[2]
    assert all(", a 3\n" in line for line in said[:3])


def test_sample_of_a_folder_leaves_no_doubt(run: Run, mnist_folder: Path) -> None:
    process = run("data", "sample", "out.png", "--dataset", mnist_folder)
    assert process.returncode == 0
    assert "of mnist, a " in process.stdout


def test_samples_that_cannot_be(run: Run, tmp_path: Path) -> None:
    np.savez("set.npz", images=RIGHT[0], labels=RIGHT[1] % 5)
    command = ("data", "sample", "out.png", "--dataset", "set.npz", "--digit")
    assert failed(run(*command, 5)) == "set.npz has no test picture with the label 5"
    for digit in ("-1", "256", "seven"):
        process = run(*command, digit)
        assert process.returncode == 2
        assert "Invalid value for '--digit'" in process.stderr
    message = failed(run("data", "sample", "out.png", "--dataset", tmp_path / "none"))
    assert message.startswith(f"{tmp_path / 'none'}: no data set here")
    assert "not tried" in run("data", "sample", "out.png", "--offline").stderr
    assert not Path("out.png").exists()


def test_sample_to_where_nothing_can_be_written(run: Run, tmp_path: Path) -> None:
    np.savez("file", images=RIGHT[0], labels=RIGHT[1])
    dataset = ("--dataset", "file.npz")
    for output in (tmp_path, tmp_path / "file.npz" / "out.png", Path("n" * 300)):
        message = failed(run("data", "sample", output, *dataset))
        assert message.startswith(f"{output}: ")
    assert [file.name for file in tmp_path.iterdir()] == ["file.npz"]
    if Path("/dev/full").exists():
        message = failed(run("data", "sample", "/dev/full", *dataset))
        assert "No space left on device" in message


# The real thing


@pytest.mark.slow
def test_all_of_mnist_through_fetch_openml(
    mnist_arrays: Pictures, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """70,000 real rows in OpenML's own format and scikit-learn's own cache, parsed once."""
    script = SHARED / "scripts" / "make_openml_cache.py"
    spec = importlib.util.spec_from_file_location("make_openml_cache", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main(tmp_path)

    for source in ("OpenML", "our cache"):
        dataset = load_mnist(tmp_path, offline=True)
        assert (dataset.name, dataset.digest) == ("mnist", MNIST_DIGEST)
        np.testing.assert_array_equal(dataset.images, mnist_arrays[0], strict=True)
        np.testing.assert_array_equal(dataset.labels, mnist_arrays[1], strict=True)
        assert ("fetching MNIST from OpenML" in caplog.text) == (source == "OpenML")
        caplog.clear()
        # What is left is our cache alone.
        shutil.rmtree(tmp_path / "openml", ignore_errors=True)
