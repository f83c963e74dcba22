"""Arrays of one size that come and go, without asking the system for their memory each time."""

import functools

import numpy as np

__all__ = ["keep_freed_memory"]

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
