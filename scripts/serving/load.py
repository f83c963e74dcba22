"""Clients: so many connections, each of which asks again as soon as it is answered."""

import asyncio
import base64
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

Body = tuple[str, bytes]


def as_it_is(picture: bytes) -> Body:
    return "image/png", picture


def as_gradio_asks(picture: bytes) -> Body:
    """What gradio's page sends: a picture within JSON."""
    url = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    file = {"path": None, "url": url, "meta": {"_type": "gradio.FileData"}}
    return "application/json", json.dumps({"data": [file]}).encode()


class Target(NamedTuple):
    """Where to ask, and how a picture is sent: its content type and bytes."""

    port: int
    path: str
    body: Callable[[bytes], Body] = as_it_is


class Load(NamedTuple):
    """What came of it: seconds of each request that was answered, and how often which status."""

    seconds: list[float]
    statuses: Counter[str]
    took: float

    def figures(self) -> dict[str, float | int]:
        p50, p99 = np.percentile(self.seconds or [float("nan")], [50, 99])
        return {
            "requests_per_second": round(len(self.seconds) / self.took, 1),
            "p50_ms": round(1e3 * float(p50), 2),
            "p99_ms": round(1e3 * float(p99), 2),
            "errors": sum(n for status, n in self.statuses.items() if status != "200"),
        }


def request(target: Target, picture: bytes) -> bytes:
    kind, body = target.body(picture)
    head = (
        f"POST {target.path} HTTP/1.1\r\nHost: localhost:{target.port}\r\n"
        f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def load(target: Target, pictures: Sequence[bytes], n_requests: int, n_connections: int) -> Load:
    """Ask so often, by so many connections together."""
    requests = [request(target, picture) for picture in pictures]
    found = Load([], Counter(), 0.0)

    async def client(number: int) -> None:
        connection = None
        for k in range(number, n_requests, n_connections):
            connection = connection or await asyncio.open_connection("127.0.0.1", target.port)
            began = time.perf_counter()
            status, stays = await _ask(*connection, requests[k % len(requests)])
            found.statuses[status] += 1
            if status == "200":
                found.seconds.append(time.perf_counter() - began)
            if not stays:
                connection[1].close()
                connection = None
        if connection:
            connection[1].close()

    async def clients() -> None:
        await asyncio.gather(*map(client, range(n_connections)))

    began = time.perf_counter()
    asyncio.run(clients())
    return found._replace(took=time.perf_counter() - began)


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: bytes
) -> tuple[str, bool]:
    """Status, or what broke; and whether the connection is still good."""
    try:
        writer.write(asked)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = head.partition("content-length:")[2].partition("\r\n")[0]
        await reader.readexactly(int(length))
    except (OSError, asyncio.IncompleteReadError) as error:
        return type(error).__name__, False
    return head.split(" ", 2)[1], "connection: close" not in head
