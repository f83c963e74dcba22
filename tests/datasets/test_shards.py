"""Folders of shards: what is read, in which order, and what is refused."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnist_net.datasets import shards as module
from mnist_net.datasets.dataset import Dataset, Splits, data_digest
from mnist_net.datasets.loading import load_dataset, open_dataset
from mnist_net.datasets.mapped import open_pictures
from mnist_net.datasets.shards import Shards, open_shards, write_shards
from mnist_net.errors import DataError
from mnist_net.learning.distortion import DISTORTIONS


def numbered(n: int, first: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Pictures that differ: each has its number in its first two pixels."""
    images = np.zeros((n, 28, 28), np.uint8)
    images[:, 0, :2] = np.arange(first, first + n, dtype=">u2").view(np.uint8).reshape(n, 2)
    return images, np.arange(first, first + n).astype(np.uint8)


def numbers(images: np.ndarray) -> list[int]:
    return np.ascontiguousarray(images[:, 0, :2]).view(">u2").ravel().tolist()


def write_idx(folder: Path, name: str, images: np.ndarray, labels: np.ndarray) -> None:
    header = np.array([2051, *images.shape], ">u4").tobytes()
    (folder / f"{name}-images-idx3-ubyte").write_bytes(header + images.tobytes())
    header = np.array([2049, len(labels)], ">u4").tobytes()
    (folder / f"{name}-labels-idx1-ubyte").write_bytes(header + labels.tobytes())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """1,000 pictures in shards of two formats, and 30 to test on."""
    place = tmp_path / "shards"
    place.mkdir()
    for number, (begin, n) in enumerate([(0, 300), (300, 100), (400, 590)]):
        images, labels = numbered(n, begin)
        np.savez(place / f"train-000{number}.npz", labels=labels, images=images)
    write_idx(place, "train-0003", *numbered(10, 990))
    images, labels = numbered(30, 2000)
    np.savez(place / "test-0001.npz", images=images.reshape(30, 784), labels=labels.astype(int))
    return place


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 40)
    monkeypatch.setattr(module, "BUFFER", 4)


def test_what_is_streamed_is_what_is_in_memory(folder: Path) -> None:
    streamed, whole = open_dataset(str(folder)), load_dataset(str(folder))
    assert isinstance(streamed.train, Shards)
    assert isinstance(whole.train, Dataset)
    train, test = numbered(1000), numbered(30, 2000)
    for found, expected in zip(whole, (train, test), strict=True):
        np.testing.assert_array_equal(found.images, expected[0])
        np.testing.assert_array_equal(found.labels, expected[1])
    digest = data_digest(*(np.concatenate(parts) for parts in zip(train, test, strict=True)))
    assert {part.digest for part in (*streamed, *whole)} == {digest}
    np.testing.assert_array_equal(streamed.train.labels, train[1])
    kept, held_out = streamed.train.split(690)  # in the middle of a block
    assert numbers(held_out.images) == list(range(690, 1000))
    np.testing.assert_array_equal(held_out.labels, train[1][690:])
    assert [n for images, _ in kept.minibatches(7, None) for n in numbers(images)] == list(
        range(690)
    )


def test_statistics_are_those_of_the_array(folder: Path) -> None:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (95, 28, 28)).astype(np.uint8)
    images[:, 5] = 0
    for file in folder.glob("train-*"):
        file.unlink()
    np.savez(folder / "train-1.npz", images=images, labels=images[:, 0, 0])
    found = open_shards(folder).train.statistics()
    assert found.mean() == images.mean()
    assert found.std() == pytest.approx(images.std(), rel=1e-14)
    np.testing.assert_array_equal(found.inked, images.any(axis=0))


def epoch(train: Shards, size: int, seed: Any) -> list[tuple[list[int], list[int]]]:
    generator = None if seed is None else np.random.default_rng(seed)
    batches = train.minibatches(size, generator)
    return [(numbers(images), labels.tolist()) for images, labels in batches]


@pytest.mark.parametrize("seed", [None, 0, 1])
@pytest.mark.parametrize("size", [1, 7, 64, 161, 999, 5000])
def test_each_picture_comes_once_with_its_label(folder: Path, size: int, seed: Any) -> None:
    batches = epoch(open_shards(folder).train, size, seed)
    seen = [number for batch, _ in batches for number in batch]
    assert Counter(seen) == Counter(range(1000))
    assert all(
        number % 256 == label for pair in batches for number, label in zip(*pair, strict=True)
    )
    # Only the last is smaller, as `steps_per_epoch` counts.
    assert [len(batch) for batch, _ in batches] == [
        min(size, 1000 - begin) for begin in range(0, 1000, size)
    ]
    assert (seen == sorted(seen)) == (seed is None)


def test_the_order_is_the_seeds_and_has_two_levels(folder: Path) -> None:
    train = open_shards(folder).train
    assert epoch(train, 10, 3) == epoch(train, 10, 3)
    assert epoch(train, 10, 3) != epoch(train, 10, 4)
    # The first buffer has four of the blocks, which lie apart, and their pictures are mixed.
    first, *_ = epoch(train, 160, 3)
    pictures = set(first[0])
    blocks = [
        block
        for begin, end in ((0, 300), (300, 400), (400, 990), (990, 1000))
        for start in range(begin, end, 40)
        if pictures & (block := {*range(start, min(start + 40, end))})
    ]
    assert len(blocks) == 4
    assert pictures == set().union(*blocks)
    assert all(blocks[k] & {*first[0][:40]} for k in range(4))


def test_what_is_written_can_be_opened(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (40, 28, 28)).astype(np.uint8)
    train = Dataset(images, np.arange(40, dtype=np.uint8), "train", "")
    splits = Splits(train, train._replace(images=images[:5], labels=train.labels[:5]))
    for name in ("a", "b"):
        written = list(write_shards(tmp_path / name, splits, 3, DISTORTIONS["both"], seed=1))
        assert [path.name for path in written] == ["test-0001.npz"] + [
            f"train-000{n}.npz" for n in (1, 2, 3)
        ]
    whole = load_dataset(str(tmp_path / "a"))
    assert whole.train.digest == open_shards(tmp_path / "b").train.digest
    one, two, three = whole.train.images.reshape(3, 40, 28, 28)
    np.testing.assert_array_equal(one, images)
    assert all((a != b).any(axis=(1, 2)).all() for a, b in ((one, two), (two, three), (one, three)))
    np.testing.assert_array_equal(whole.train.labels, np.tile(train.labels, 3))
    np.testing.assert_array_equal(whole.test.images, images[:5])
    with pytest.raises(DataError, match="has shards already"):
        next(write_shards(tmp_path / "a", splits, 1, DISTORTIONS["both"], seed=1))


PICTURES = numbered(20)[0]
LABELS = np.arange(20, dtype=np.uint8)
WRONG: dict[str, dict[str, Any]] = {
    "float": {"images": PICTURES / 255, "labels": LABELS},
    "columns": {"images": np.asfortranarray(PICTURES), "labels": LABELS},
    "small": {"images": PICTURES[:, :8, :8], "labels": LABELS},
    "labels": {"images": PICTURES, "labels": LABELS[:5]},
    "great labels": {"images": PICTURES, "labels": LABELS + 1000.5},
    "names": {"x": PICTURES, "y": LABELS},
    "objects": {"images": np.array([None] * 20), "labels": LABELS},
}


def spoil(folder: Path, how: str) -> None:
    npz, idx = folder / "train-0000.npz", folder / "train-0003-images-idx3-ubyte"
    if how in WRONG:
        np.savez(npz, **WRONG[how])
    elif how == "compressed":
        np.savez_compressed(npz, images=PICTURES, labels=LABELS)
    elif how == "no zip":
        npz.write_bytes(b"PK" + bytes(100))
    elif how == "short":
        idx.write_bytes(idx.read_bytes()[:-1])
    elif how == "no idx":
        idx.write_bytes(b"what")
    elif how == "gz":
        idx.with_name(f"{idx.name}.gz").write_bytes(b"")
    else:
        (folder / how.removeprefix("no ")).unlink()


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (
            "compressed",
            "train-0000.npz is compressed, and so cannot be streamed: write it with num",
        ),
        ("float", "train-0000.npz: the images must be uint8, N × 28 × 28 .*, not float64, 20 × 28"),
        ("columns", "train-0000.npz: the images must be uint8, N × 28 × 28 .* row by row"),
        ("small", "not uint8, 20 × 8 × 8"),
        ("labels", r"20 images but labels of shape \(5,\)"),
        ("great labels", "the labels must be whole numbers from 0 to 255"),
        ("names", "train-0000.npz holds x, y; expected images and labels"),
        ("no zip", "cannot read .*train-0000.npz"),
        ("objects", "not object"),
        ("short", "train-0003-images-idx3-ubyte is shorter than its header announces"),
        ("no idx", "train-0003-images-idx3-ubyte is not an IDX file of images of 28 × 28"),
        ("no train-0003-labels-idx1-ubyte", "train-0003-labels-idx1-ubyte: No such file"),
        ("gz", "train-0003-images-idx3-ubyte.gz is packed, .*: gunzip it"),
        ("no test-0001.npz", "no shard to test on; expected test-0001.npz"),
    ],
)
def test_what_is_wrong_is_one_sentence(folder: Path, how: str, message: str) -> None:
    spoil(folder, how)
    with pytest.raises(DataError, match=message) as caught:
        open_shards(folder)
    assert "\n" not in str(caught.value)


def test_a_shard_that_changes_while_it_is_read_is_told(folder: Path) -> None:
    images, _ = open_pictures(folder / "train-0002.npz")
    images.path.write_bytes(images.path.read_bytes()[:2000])
    with pytest.raises(DataError, match=r"train-0002\.npz has changed while it was read"):
        images.rows(400, 500)
