"""What the tests of the service share: a client in this process, and a server with real sockets."""

import io
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from mnist_net.web.limits import Limits
from mnist_net.web.server import Server, address_of, listen
from mnist_net.web.service import Settings, service
from tests.conftest import ROOT, shipped_reader

SEVEN = (ROOT / "examples" / "7.png").read_bytes()
THREE = (ROOT / "examples" / "3.png").read_bytes()
PAGE = (ROOT / "examples" / "page" / "page.jpg").read_bytes()
STROKES = {"strokes": [[[60, 60], [220, 60], [120, 230]]], "width": 20, "size": [280, 280]}
"""A 7."""

PNG, JSON = {"Content-Type": "image/png"}, {"Content-Type": "application/json"}


def png(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def pixels_of(picture: bytes) -> list[list[int]]:
    return np.asarray(Image.open(io.BytesIO(picture)).convert("L")).tolist()


@contextmanager
def client_of(**settings: Any) -> Iterator[TestClient]:
    """A client of a service in this process, with these `Settings`."""
    app = service(shipped_reader(), Settings(**settings))
    with TestClient(app, "http://127.0.0.1", client=("127.0.0.1", 50_000)) as client:
        yield client


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with client_of() as made:
        yield made


def problem(response: Any, status: int) -> str:
    """The one sentence of a problem, which has the form that RFC 9457 lays down."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body.keys() == {"type", "title", "status", "detail"}
    assert (body["type"], body["status"]) == ("about:blank", status)
    assert body["detail"]
    assert "\n" not in body["detail"]
    return body["detail"]


class Served(NamedTuple):
    """A server at work: its port, which limits have cut connections off, and itself."""

    port: int
    cuts: list[str]
    server: Server

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def ask(self, head: str, body: bytes = b"") -> bytes:
        """Everything that one connection gives until it is closed."""
        with self.connect() as connection:
            connection.sendall(lines(head) + body)
            return everything(connection)

    def predict(self) -> dict[str, Any]:
        """The answer for a 3."""
        said = self.ask(post("/api/predict", len(THREE)), THREE)
        head, _, body = said.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), said
        return json.loads(body)


def lines(head: str) -> bytes:
    return head.replace("\n", "\r\n").encode() + b"\r\n\r\n"


def post(path: str, length: int, kind: str = "image/png") -> str:
    return (
        f"POST {path} HTTP/1.1\nHost: localhost\nConnection: close\n"
        f"Content-Type: {kind}\nContent-Length: {length}"
    )


def everything(connection: socket.socket) -> bytes:
    found = b""
    while chunk := connection.recv(65_536):
        found += chunk
    return found


@contextmanager
def served(limits: Limits, wrap: Callable[[Any], Any] = lambda app: app) -> Iterator[Served]:
    """A real server on a free port, in a thread of this process."""
    app = wrap(service(shipped_reader(), Settings(limits=limits)))
    listening, ready, cuts = listen("127.0.0.1", 0), threading.Event(), list[str]()
    server = Server(app, limits, ready.set, cuts.append)
    thread = threading.Thread(target=server.serve_at, args=[listening])
    port = int(address_of(listening, "127.0.0.1").rpartition(":")[2].rstrip("/"))
    thread.start()
    try:
        assert ready.wait(60)
        yield Served(port, cuts, server)
    finally:
        server.should_exit = True
        thread.join(60)
        assert not thread.is_alive()
