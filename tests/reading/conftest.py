"""What the tests of reading share: readers, samples of MNIST, other people's pictures."""

from collections import defaultdict
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from mnist_net.reading.answers import Reading
from mnist_net.reading.reader import Reader
from scripts.reading.foreign import Row, read_manifest
from tests.conftest import shared_data
from tests.drawings import as_picture

Change = Callable[[np.ndarray, int], np.ndarray]


@pytest.fixture(scope="session")
def everything(reader: Reader) -> Reader:
    """It takes everything for a digit: what it reads is measured, not whether."""
    return Reader(reader.model, reader.detector, reject_below=0.0)


@pytest.fixture(scope="session")
def sample(mnist_arrays: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """500 of MNIST's test digits, drawn once."""
    images, labels = (array[60_000:] for array in mnist_arrays)
    chosen = np.random.default_rng(2026).choice(10_000, 500, replace=False)
    return images[chosen], labels[chosen]


@pytest.fixture(scope="session")
def clear(reader: Reader, sample: tuple[np.ndarray, np.ndarray]) -> dict[int, list[np.ndarray]]:
    """Of these, by label, those that leave no doubt as arrays; so that all else is to blame."""
    images, labels = sample
    found: dict[int, list[np.ndarray]] = defaultdict(list)
    for image, label, answer in zip(
        images, labels, reader.read(map(as_picture, images)), strict=True
    ):
        assert isinstance(answer, Reading)
        if answer.digit == label and answer.probability * answer.score > 0.98:
            found[int(label)].append(image)
    assert min(len(found[digit]) for digit in range(10)) >= 15
    return found


def answers(reader: Reader, levels: list[np.ndarray]) -> np.ndarray:
    return np.array([r.digit for r in reader.read(map(as_picture, levels))])  # type: ignore[union-attr]


def one(reader: Reader, levels: np.ndarray | Image.Image) -> Reading:
    (answer,) = reader.read([as_picture(levels)])
    assert isinstance(answer, Reading)
    return answer


@pytest.fixture(scope="session")
def foreign() -> list[Row]:
    """Pictures that nobody here made."""
    return read_manifest(shared_data("foreign"))
