"""The server with real sockets: clients that are slow, rude or gone, and others that are served."""

import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mnist_net.web.limits import Limits
from tests.cli.conftest import invoke, only_error, posix
from tests.conftest import Run
from tests.web.conftest import PAGE, THREE, everything, lines, post, served

ADDRESS = "http://127.0.0.1:"


def ask_again(kept: socket.socket) -> None:
    """One request and its whole answer, on a connection that stays open."""
    kept.sendall(lines("GET /healthz HTTP/1.1\nHost: localhost"))
    said = b""
    while not said.endswith(b'{"status": "ok"}'):
        said += kept.recv(4_096)
    assert said.startswith(b"HTTP/1.1 200")


def drip(connection: socket.socket) -> None:
    for _ in range(10_000):
        connection.sendall(b"a")
        time.sleep(0.01)


def test_a_head_that_drips_is_cut_off_and_others_are_served() -> None:
    """The slow loris: a byte now and then, of a head that never ends."""
    with served(Limits(head_seconds=0.5)) as server, server.connect() as slow:
        head = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
        for byte in head:
            slow.sendall(bytes([byte]))
        assert server.predict()["readings"][0]["digit"] == 3
        with pytest.raises(OSError):  # noqa: PT011  (reset or broken pipe, as systems have it)
            drip(slow)
        assert server.cuts == ["head"]
        assert server.predict()["readings"][0]["digit"] == 3


def test_who_connects_and_says_nothing_is_cut_off() -> None:
    with served(Limits(head_seconds=0.2)) as server:
        with server.connect() as silent:
            assert everything(silent) == b""
        assert server.cuts == ["head"]


def test_the_second_head_of_a_connection_must_come_in_time_too() -> None:
    with served(Limits(head_seconds=0.3, idle_seconds=60)) as server, server.connect() as kept:
        ask_again(kept)
        kept.sendall(b"GET /heal")
        assert everything(kept) == b""
        assert server.cuts == ["head"]


def test_no_answer_waits_for_an_acknowledgement() -> None:
    """Nagle's algorithm would keep the second part of each for 40 ms."""
    with served(Limits()) as server, server.connect() as kept:
        ask_again(kept)
        (protocol,) = server.server.server_state.connections
        connection = protocol.transport.get_extra_info("socket")
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_an_idle_connection_is_closed_and_two_requests_may_share_one() -> None:
    with served(Limits(idle_seconds=0.2)) as server, server.connect() as kept:
        for _ in range(2):
            ask_again(kept)
        assert everything(kept) == b""


def test_a_body_that_drips_is_answered_408() -> None:
    with served(Limits(body_seconds=0.2)) as server:
        with server.connect() as slow:
            slow.sendall(lines(post("/api/predict", 500)) + b"half")
            assert server.predict()["readings"][0]["digit"] == 3
            said = everything(slow)
        assert said.startswith(b"HTTP/1.1 408 ")
        assert b"the body did not come in 0.2 s" in said


def test_a_huge_body_is_refused_by_what_it_announces_and_by_what_it_is() -> None:
    limits = Limits(body_bytes=100_000)
    with served(limits) as server:
        said = server.ask(post("/api/predict", 10**15) + "\nExpect: 100-continue")
        assert said.startswith(b"HTTP/1.1 413 ")
        said = server.ask(post("/api/predict", 300_000), bytes(300_000))
        assert said.startswith(b"HTTP/1.1 413 ")
        assert b"100,000 bytes" in said
        head = (
            "POST /api/predict HTTP/1.1\nHost: localhost\nConnection: close\n"
            "Content-Type: image/png\nTransfer-Encoding: chunked"
        )
        chunks = b"186a0\r\n" + bytes(100_000) + b"\r\n1\r\n?\r\n0\r\n\r\n"
        assert server.ask(head, chunks).startswith(b"HTTP/1.1 413 ")
        assert server.predict()["readings"][0]["digit"] == 3


@pytest.mark.parametrize("whole", [True, False], ids=["whole request", "half a body"])
def test_half_closed_and_reset_connections_harm_nobody(whole: bool) -> None:
    with served(Limits()) as server:
        content = THREE if whole else THREE[:50]
        with server.connect() as half:
            half.sendall(lines(post("/api/predict", len(THREE))) + content)
            half.shutdown(socket.SHUT_WR)
            assert everything(half)[:13] in (b"", b"HTTP/1.1 200 ")  # cut, or answered before
        with server.connect() as gone:
            gone.sendall(lines(post("/api/predict", len(THREE))) + content)
            gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for _ in range(3):
            assert server.predict()["readings"][0]["digit"] == 3


@pytest.mark.parametrize(
    "head",
    [
        "nonsense",
        "GET / HTTP/1.1\nHost: localhost\nContent-Length: -1",
        "GET / HTTP/1.1\nHost: localhost\nHost: other",
        "GET / HTTP/1.1",
        "GET / HTTP/1.1\nHost: localhost\nX-Long: " + 20_000 * "a",
        "GET / HTTP/1.1\nHost: evil.example\nConnection: close",
    ],
    ids=["nonsense", "length", "two hosts", "no host", "long", "other host"],
)
def test_what_is_no_request_is_a_problem_too(head: str) -> None:
    with served(Limits()) as server:
        with server.connect() as connection:
            connection.sendall(lines(head)[: 20_000 if "Long" in head else None])
            said = everything(connection)
        assert said.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert b"application/problem+json" in said
        assert server.predict()["readings"][0]["digit"] == 3


def test_so_many_connections_and_no_more() -> None:
    with served(Limits(connections=2)) as server:
        with server.connect() as one, server.connect() as other:
            for kept in (one, other):
                ask_again(kept)
            with server.connect() as third:
                assert everything(third).startswith(b"HTTP/1.1 503 ")
            assert server.cuts == ["connections"]
        assert server.predict()["readings"][0]["digit"] == 3


def test_pages_are_read_while_digits_are() -> None:
    with served(Limits()) as server, server.connect() as slow:
        slow.sendall(lines(post("/api/read", len(PAGE), "image/jpeg")) + PAGE)
        assert server.predict()["readings"][0]["digit"] == 3
        assert b"2718281828" in everything(slow)


# --- as a user starts it -----------------------------------------------------------------------


@contextmanager
def serving(*arguments: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """``mnist-net serve`` as a process, and the address that it prints."""
    command = [sys.executable, "-m", "mnist_net", "serve", "--port", "0", *map(str, arguments)]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def ask(address: str, request: str) -> bytes:
    host, _, port = address.removeprefix("http://").rstrip("/").rpartition(":")
    with socket.create_connection((host.strip("[]"), int(port)), timeout=60) as connection:
        connection.sendall(lines(request))
        return everything(connection)


HEALTH = "GET /healthz HTTP/1.1\nHost: localhost\nConnection: close"


@posix
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_it_prints_its_address_serves_and_ends_cleanly(number: int, status: int) -> None:
    with serving() as (process, address):
        assert address.startswith(ADDRESS)
        assert b'{"status": "ok"}' in ask(address, HEALTH)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (status, "")
    said = err.splitlines()
    assert said[0] == f"programs: {address}docs; Ctrl-C ends it"
    assert said[1:] == (["interrupted"] if status else [])


@posix
def test_what_is_under_way_is_answered_before_the_end() -> None:
    with serving("--quiet") as (process, address):
        port = int(address.rpartition(":")[2].rstrip("/"))
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            connection.sendall(lines(post("/api/predict", len(THREE))) + THREE[:50])
            assert b'{"status": "ok"}' in ask(address, HEALTH)  # so that the other one is begun
            process.terminate()
            connection.sendall(THREE[50:])
            assert everything(connection).startswith(b"HTTP/1.1 200 ")
        assert process.wait(60) == 0


def test_a_host_that_others_reach_is_said_loudly() -> None:
    with serving("--host", "0.0.0.0") as (process, address):
        assert address.startswith(ADDRESS)
        assert b'{"status": "ok"}' in ask(address, HEALTH)
        assert process.stderr is not None
        assert process.stderr.readline().startswith("warning: everybody who reaches 0.0.0.0 can")


def test_a_port_in_use_is_one_sentence(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("serve", "--port", port)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"port {port} is in use" in only_error(done)


def test_a_host_that_is_none_is_one_sentence() -> None:
    for host in ("no.such.host.invalid", "203.0.113.1", "a" * 300):
        done = invoke("serve", "--host", host, "--port", 0)
        assert done.exit_code == 1
        assert f"cannot listen at {host}" in only_error(done)


@pytest.mark.parametrize("package", ["starlette", "uvicorn", "prometheus_client"])
def test_without_the_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)  # type: ignore[arg-type]
    done: Any = invoke("serve")
    assert done.exit_code == 1
    assert "pip install 'mnist-net[web]'" in only_error(done)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--port", "65536"),
        ("--reject-below", "nan"),
        ("--feedback", "here.sqlite", "--no-feedback"),
    ],
)
def test_wrong_usage_is_status_2(arguments: tuple[str, ...]) -> None:
    assert invoke("serve", *arguments).exit_code == 2


def test_a_model_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    done = invoke("serve", "--model", tmp_path / "none.joblib")
    assert done.exit_code == 1
    assert "none.joblib" in only_error(done)
