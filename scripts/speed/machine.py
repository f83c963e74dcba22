"""On what the figures were measured: the machine, and how far apart its cores are.

What a core has written stays in its cache, and another core's way there is short on the same die
and several times longer to another one.  A virtual machine's cores may be moved between dies at any
time, and whatever shares its data between cores slows down and speeds up with them: our training on
small batches takes about twice as long, the bare products hardly longer.  So the distance is
measured beside the seconds.
"""

import os
import platform
import re
import statistics
import time
from collections.abc import Callable
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info

from scripts.speed.workers import Trial

PEERS = ("torch", "onnxruntime", "onnx", "pandas")  # not dependencies of the project
_LIBRARIES = ("mnist-net", "numpy", "scipy", "scikit-learn", "joblib", "pillow", "click", *PEERS)
_SHAPE = 784, 32, 300  # rows, inner, columns: a gradient of weights as training makes it
_REPEATS = 41


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
    rows, inner, columns = _SHAPE
    left, right = np.ones((rows, inner), np.float32), np.ones((inner, columns), np.float32)
    written, read = np.zeros((2, rows, columns), np.float32)

    def seconds_to_read(write: Callable[[], object]) -> float:
        found = []
        for _ in range(_REPEATS):
            write()
            began = time.perf_counter()
            np.add(written, np.float32(1.0), out=read)
            found.append(time.perf_counter() - began)
        return statistics.median(found)

    def run() -> float:
        by_all = seconds_to_read(lambda: np.matmul(left, right, out=written))
        return by_all / seconds_to_read(lambda: np.add(read, np.float32(1.0), out=written))

    return Trial(run)
