"""Ours and a peer, each as a process that is kept to one core."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from scripts.records import ROOT
from scripts.serving.load import Body, Target, as_gradio_asks, as_it_is

_PATIENCE = 300.0  # seconds: a peer may train first


Command = Callable[[int], Sequence[object]]


class Server(NamedTuple):
    """How a server is started, of which a port makes a command, and how it is asked."""

    command: Command
    path: str
    body: Callable[[bytes], Body] = as_it_is


class Running(NamedTuple):
    """A server that answers, how long that took, and its process."""

    target: Target
    ready_seconds: float
    process: "subprocess.Popen[bytes]"

    def computed_seconds(self) -> float:
        """How long it had a core until now."""
        about = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8")
        ticks = about.rpartition(")")[2].split()[11:13]  # of user and of system
        return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")

    def megabytes(self) -> float:
        """What it holds in memory now."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text(encoding="utf-8").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Keep this process, and those that it starts meanwhile, to one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def running(server: Server, core: int) -> Iterator[Running]:
    """Start a server, and wait until a connection is taken."""
    port = free_port()
    environment: Mapping[str, str] = {
        **os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)
    }  # fmt: skip
    began = time.perf_counter()
    with on_core(core):
        process = subprocess.Popen(
            list(map(str, server.command(port))),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
    with process:
        try:
            while not _answers(port):
                if process.poll() is not None or time.perf_counter() - began > _PATIENCE:
                    raise SystemExit(f"{server.command(port)} did not begin to serve")
                time.sleep(0.005)
            yield Running(
                Target(port, server.path, server.body), time.perf_counter() - began, process
            )
        finally:
            process.kill()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
    except OSError:
        return False
    return True


def _ours(port: int) -> list[object]:
    return [
        *(sys.executable, "-m", "mnist_net", "serve", "--port", port),
        *("--model", "shipped", "--no-feedback", "--quiet"),
    ]


OURS = Server(_ours, "/api/predict")


def _peer(name: str, python: Path, pictures: Path) -> Command:
    return lambda port: [python, Path(__file__).with_name("peer.py"), name, pictures, port]


def flask(python: Path, pictures: Path) -> Server:
    """Flask with a Python that has it; it learns from these pictures first."""
    return Server(_peer("flask", python.absolute(), pictures), "/predict")


def gradio(python: Path, pictures: Path) -> Server:
    """Likewise gradio."""
    command = _peer("gradio", python.absolute(), pictures)
    return Server(command, "/gradio_api/run/predict", as_gradio_asks)
