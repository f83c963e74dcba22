"""Data sets by name or by path: what is loaded, what it is called, and falling back or not."""

from pathlib import Path

import numpy as np
import pytest
import sklearn.datasets

from mnist_net.arrays import MNIST_DIGEST
from mnist_net.datasets.dataset import data_digest
from mnist_net.datasets.loading import load_dataset, load_digits_as_images
from mnist_net.datasets.mnist import cache_path
from mnist_net.errors import DataError
from tests.datasets.conftest import (
    DIGEST,
    N_TRAIN,
    RIGHT,
    Pictures,
    assert_split,
    close_mirrors,
    close_openml,
    warnings_in,
)
from tests.datasets.openml_server import MIRRORS, SEARCH, Server, idx_files


def test_the_real_mnist_from_a_folder(mnist_folder: Path, mnist_arrays: Pictures) -> None:
    images, labels = mnist_arrays
    train, test = load_dataset(str(mnist_folder))
    assert {train.name, test.name} == {"mnist"}
    assert {train.digest, test.digest} == {MNIST_DIGEST}
    assert_split((*train[:2], *test[:2]), images, labels, 60_000)


def test_another_set_is_named_after_its_path(tmp_path: Path) -> None:
    images, labels = RIGHT
    for name, content in idx_files(images, labels, N_TRAIN).items():
        (tmp_path / name).write_bytes(content)
    train, test = load_dataset(str(tmp_path))
    assert {train.name, test.name} == {str(tmp_path)}
    assert {train.digest, test.digest} == {DIGEST}
    assert_split((*train[:2], *test[:2]), images, labels, N_TRAIN)


def test_a_folder_with_the_name_of_a_set_is_not_that_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("digits").mkdir()
    for name, content in idx_files(*RIGHT, N_TRAIN).items():
        Path("digits", name).write_bytes(content)
    assert load_dataset("./digits").train.name == "./digits"
    assert load_dataset("digits").train.name == "digits"


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


def test_the_pictures_are_split_as_their_makers_did(server: Server) -> None:
    train, test = load_dataset("mnist")
    assert_split((*train[:2], *test[:2]), *RIGHT, N_TRAIN)
    assert train[2:] == test[2:] == ("mnist", DIGEST)


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
