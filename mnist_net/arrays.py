"""What every room speaks of: the types of arrays, MNIST and its form, and memory."""

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating[Any]]
"""A float32 or float64 array: whichever goes in, the same comes out."""

Bytes = npt.NDArray[np.uint8]
"""A uint8 array: pixels (0 is paper, 255 is ink) or labels."""

Labels = npt.NDArray[np.integer[Any]]
"""Labels of classes, whatever their width."""

IMAGE_SHAPE = (28, 28)
"""Rows and columns of a picture in MNIST's form."""

MNIST_DIGEST = "c2069063c1105f2bf96266aef1ff68c6e13bdda7a54e37bf19c16f1db24efc83"
"""SHA-256 over the bytes of MNIST's 70,000 images and then of its labels, uint8."""

_SIZE = 31 * 2**20  # bytes; glibc learns nothing from more than 32 MiB


@functools.cache
def keep_freed_memory() -> None:
    """Let the C library keep up to some 60 MB that were freed, for the next arrays of their sizes.

    glibc returns memory to the system as soon as more than its trim threshold is free in one piece,
    and each page of it is a page fault when it is needed again.  The threshold is twice the largest
    array that was freed so far (mallopt(3), M_MMAP_THRESHOLD); but a step on a batch of 1,000 frees
    more than twice its largest array, and spends a tenth of its time on page faults.  So a large
    array, of which no byte is ever touched, is freed here: once, and for the whole process.  Other
    C libraries take no notice.
    """
    np.empty(_SIZE, np.uint8)
