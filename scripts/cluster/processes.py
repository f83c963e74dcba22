"""A scheduler and workers on this machine, for as long as they are needed."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.records import ROOT

ENVIRONMENT = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


@contextmanager
def workers(n: int) -> Iterator[str]:
    """The address of a scheduler with so many workers, each on a core of its own if there are."""
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "scheduler.json")
        running = [
            _start("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))
        ]
        try:
            while not file.exists() or not file.read_text():
                time.sleep(0.1)
            address = json.loads(file.read_text())["address"]
            for number in range(n):
                worker = _start("worker", address, "--nthreads", "1", "--no-nanny", folder=folder)
                os.sched_setaffinity(worker.pid, {cores[number % len(cores)]})
                running.append(worker)
            _wait(address, n)
            yield address
        finally:
            for process in reversed(running):
                process.kill()
                process.wait()


def _start(kind: str, *options: str, folder: str | None = None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.dask_{kind}", "--no-dashboard", *options],
        env=ENVIRONMENT,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _wait(address: str, n: int) -> None:
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(n, timeout=60)
