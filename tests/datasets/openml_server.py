"""OpenML and two mirrors on the loopback interface, which answer as well or as badly as told."""

import gzip
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

import numpy as np

SEARCH = "/api/v1/json/data/list/data_name/mnist_784/limit/2/data_version/1"
DESCRIPTION = "/api/v1/json/data/554"
FEATURES = "/api/v1/json/data/features/554"
QUALITIES = "/api/v1/json/data/qualities/554"
ARFF = "/data/v1/download/52667/mnist_784.arff"
OPENML = (SEARCH, DESCRIPTION, FEATURES, QUALITIES, ARFF)

MIRRORS = ("/first/", "/second/")
FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


class Answer(NamedTuple):
    """What the server says to one path."""

    body: bytes = b""
    status: int = 200
    silence: float = 0.0
    """Seconds before the first byte."""
    piece: int = 1 << 20
    pause: float = 0.0
    """Seconds after each `piece` of the body."""
    cut: int | None = None
    """Bytes of the body after which the connection breaks off."""
    gate: threading.Barrier | None = None
    """Where requests wait for one another."""


class Server:
    """The answers to give, and the requests that came."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: dict[str, Answer] = {}
        self.requests: list[str] = []
        self.over = threading.Event()

    def put(self, documents: dict[str, bytes]) -> None:
        self.answers |= {path: Answer(body) for path, body in documents.items()}

    def change(self, path: str, **changes: object) -> None:
        self.answers[path] = self.answers[path]._replace(**changes)


@contextmanager
def serve() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.requests.append(self.path)
            answer = server.answers.get(self.path, Answer(b"no such thing", 404))
            if answer.gate:
                answer.gate.wait(60)
            if server.over.wait(answer.silence):
                return
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            body = answer.body[: answer.cut]
            for start in range(0, len(body), answer.piece):
                self.wfile.write(body[start : start + answer.piece])
                if server.over.wait(answer.pause):
                    return

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Say nothing of clients that hang up."""

    with Quiet(("127.0.0.1", 0), Handler) as http:
        server = Server(f"http://127.0.0.1:{http.server_port}")
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            http.shutdown()
            thread.join()


def openml_documents(images: np.ndarray, labels: np.ndarray, url: str) -> dict[str, bytes]:
    """What OpenML serves for mnist_784, as shared/scripts/make_openml_cache.py knows it."""
    common = {"is_ignore": "false", "is_row_identifier": "false", "number_of_missing_values": "0"}
    digits = [str(digit) for digit in range(10)]
    pixels = [f"pixel{i}" for i in range(1, 785)]
    table = np.column_stack([images.reshape(len(images), -1), labels])
    rows = [",".join(map(str, row)) for row in table.tolist()]
    attributes = [f"@ATTRIBUTE {pixel} INTEGER" for pixel in pixels]
    classes = f"@ATTRIBUTE class {{{','.join(digits)}}}"
    arff = "\n".join(["@RELATION mnist_784", *attributes, classes, "@DATA", *rows, ""]).encode()
    features = [
        {"index": str(i), "name": pixel, "data_type": "numeric", "is_target": "false", **common}
        for i, pixel in enumerate(pixels)
    ]
    features.append(
        {"index": "784", "name": "class", "data_type": "nominal", "nominal_value": digits}
        | {"is_target": "true", **common}
    )
    qualities = [{"name": "NumberOfInstances", "value": f"{len(images)}.0"}]
    description = {
        "id": "554",
        "name": "mnist_784",
        "version": "1",
        "description": "A few pictures.",
        "format": "ARFF",
        "url": url + ARFF,
        "status": "active",
        "md5_checksum": hashlib.md5(arff).hexdigest(),
    }
    found = {"did": 554, "name": "mnist_784", "version": 1, "status": "active", "format": "ARFF"}
    documents = {
        SEARCH: {"data": {"dataset": [found]}},
        DESCRIPTION: {"data_set_description": description},
        FEATURES: {"data_features": {"feature": features}},
        QUALITIES: {"data_qualities": {"quality": qualities}},
    }
    return {path: json.dumps(value).encode() for path, value in documents.items()} | {ARFF: arff}


def idx(array: np.ndarray) -> bytes:
    """An IDX file of uint8: two zeros, the type, the number of dimensions; lengths; content."""
    lengths = b"".join(length.to_bytes(4, "big") for length in array.shape)
    return bytes([0, 0, 8, array.ndim]) + lengths + array.tobytes()


def idx_files(images: np.ndarray, labels: np.ndarray, n_train: int) -> dict[str, bytes]:
    """Name and content of the four files as MNIST's makers put them out."""
    parts = (images[:n_train], labels[:n_train], images[n_train:], labels[n_train:])
    return {
        name: gzip.compress(idx(part), mtime=0) for name, part in zip(FILES, parts, strict=True)
    }
