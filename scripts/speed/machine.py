"""On what the figures were measured: the machine, and how far apart its cores are.

What a core has written stays in its cache; another core's way there is short on the same die and
several times longer to another, between which a host may move the cores of a virtual machine. Our
training on small batches then takes about twice as long, the bare products hardly longer. So the
distance is measured beside the seconds.
"""

import os
import platform
import re
import statistics
import time
import timeit
from collections.abc import Callable
from functools import partial
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info

from scripts.speed.workers import Trial

PEERS = ("torch", "onnxruntime", "onnx", "pandas")  # not dependencies of the project
_LIBRARIES = ("mnist-net", "numpy", "scipy", "scikit-learn", "joblib", "pillow", "click", *PEERS)


def cores() -> int:
    """Cores that this process may use."""
    affinity = hasattr(os, "sched_getaffinity")
    return len(os.sched_getaffinity(0)) if affinity else os.cpu_count() or 1


def describe() -> dict[str, Any]:
    """CPU, cores, load, system, Python, libraries and BLAS."""
    known = {one.name.lower(): one.version for one in distributions()}
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text(encoding="utf-8") if cpuinfo.exists() else ""
    model = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return {
        "cpu": model[1] if model else platform.processor() or platform.machine(),
        "architecture": platform.machine(),
        "cores": cores(),
        "load_before": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": platform.system() + " " + platform.release(),
        "python": platform.python_version(),
        "libraries": {name: known.get(name) for name in _LIBRARIES},
        "blas": [
            f"{pool['internal_api']} {pool['version']} ({pool.get('architecture', 'unknown')})"
            for pool in threadpool_info()
            if pool["user_api"] == "blas"
        ],
    }


def distance() -> Trial:
    """Seconds to read what all cores have written, over those to read what the reader has."""
    rows, inner, columns = 784, 32, 300  # a gradient of weights as training makes it
    left, right = np.ones((rows, inner), np.float32), np.ones((inner, columns), np.float32)
    written, read = np.zeros((2, rows, columns), np.float32)

    def seconds_to_read(write: Callable[[], object]) -> float:
        work = partial(np.add, written, np.float32(1.0), out=read)
        return statistics.median(timeit.repeat(work, write, time.perf_counter, 41, number=1))

    def run() -> float:
        by_all = seconds_to_read(partial(np.matmul, left, right, out=written))
        return by_all / seconds_to_read(partial(np.add, read, np.float32(1.0), out=written))

    return Trial(run)
