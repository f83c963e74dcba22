"""What a data set is: labelled pictures, in two parts, under one digest."""

import hashlib
from typing import NamedTuple

import numpy as np

from mnist_net.arrays import Bytes


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


def split(whole: Dataset, n_train: int) -> Splits:
    """The first so many pictures to learn from, the others to be judged by."""
    images, labels = whole.images, whole.labels
    return Splits(
        whole._replace(images=images[:n_train], labels=labels[:n_train]),
        whole._replace(images=images[n_train:], labels=labels[n_train:]),
    )
