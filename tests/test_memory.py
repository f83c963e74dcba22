"""Freed memory is kept: the pages of one step's arrays are there for the next step's."""

import platform
import subprocess
import sys

import pytest

COUNT = """
import resource, sys
import numpy as np
from mnist_net import Hyperparameters
from mnist_net.arrays import keep_freed_memory
from mnist_net.learning.minibatches import Batch, one_hot
from mnist_net.learning.training import train

def pages(work):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    work()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def six_arrays():  # of 3 MB each, all there at the same time
    return len([np.ones(3 * 2**18, np.float32) for _ in range(6)])

def training():
    X = np.zeros((3_000, 784), np.float32)
    recipe = Hyperparameters(hidden_layer_sizes=(800,), batch_size=1_000, epochs=9)
    epochs = train(Batch(X, one_hot(np.arange(3_000) % 10, 10)), recipe)
    next(epochs)
    # Of several: now and then the heap grows a little for good.
    return min(pages(lambda: next(epochs)) for _ in range(5))

def predicting():
    from scripts.speed.predicting import model, pictures
    one, images = model(800), pictures(6_000)
    one.predict_proba(images)
    return pages(lambda: one.predict_proba(images))

def arrays(keep):
    if keep:
        keep_freed_memory()
    for _ in range(3):  # glibc learns their size from the first, and has room for them by the third
        six_arrays()
    return pages(six_arrays)

print({"freed": lambda: arrays(False), "kept": lambda: arrays(True),
       "training": training, "predicting": predicting}[sys.argv[1]]())
"""

pytestmark = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="other C libraries have rules of their own"
)


def pages(what: str) -> int:
    """Page faults of one more round of it, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", COUNT, what], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_without_it_large_arrays_fault_page_by_page() -> None:
    assert pages("freed") > 6 * 3 * 2**20 // 2**16  # whatever the size of a page: at most 64 kB


@pytest.mark.parametrize("what", ["kept", "training", "predicting"])
def test_kept_memory_is_used_again(what: str) -> None:
    assert pages(what) < 100
