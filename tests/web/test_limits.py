"""Each limit: what is over it is refused with a sentence, and the next request is answered."""

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import fields, replace
from typing import Any

import httpx2 as httpx
import numpy as np
import pytest

from mnist_net.reading.reader import Reader
from mnist_net.web.limits import Limits
from mnist_net.web.service import Settings, service
from tests.conftest import ROOT, shipped_reader
from tests.web.conftest import (
    JSON,
    PNG,
    SEVEN,
    STROKES,
    THREE,
    client_of,
    pixels_of,
    png,
    problem,
)


def test_the_docs_state_every_limit() -> None:
    text = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
    for field in fields(Limits):
        value = getattr(Limits(), field.name)
        (line,) = (line for line in text.splitlines() if f"`{field.name}`" in line)
        assert f"{value:,g}" in line or f"{value:,}" in line, field.name


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_has_a_size(announced: bool) -> None:
    limits = Limits(body_bytes=len(SEVEN))
    with client_of(limits=limits) as client:

        def send(content: bytes) -> Any:
            halves = (content[:9], content[9:])
            body: Any = content if announced else iter(halves)
            return client.post("/api/predict", content=body, headers=PNG)

        assert send(SEVEN).json()["readings"][0]["digit"] == 7
        assert f"{len(SEVEN):,} bytes" in problem(send(SEVEN + b"?"), 413)
        assert send(SEVEN).status_code == 200


def test_all_bodies_together_have_a_size() -> None:
    with client_of(limits=Limits(held_bytes=len(SEVEN))) as client:
        for _ in range(3):  # what is answered is held no more, and what is refused neither
            assert client.post("/api/predict", content=SEVEN, headers=PNG).status_code == 200
            refused = client.post("/api/predict", content=SEVEN + b"?", headers=PNG)
            assert problem(refused, 503)
            assert refused.headers["retry-after"] == "1"


def test_a_picture_has_so_many_pixels() -> None:
    fits, larger = png(np.zeros((30, 30), np.uint8)), png(np.zeros((30, 31), np.uint8))
    with client_of(limits=Limits(pixels=900)) as client:
        assert client.post("/api/predict", content=fits, headers=PNG).status_code == 200
        assert "31 × 30 pixels" in problem(
            client.post("/api/predict", content=larger, headers=PNG), 422
        )


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    bomb = png(np.zeros((9_000, 9_000), np.uint8))
    assert len(bomb) < 200_000
    with client_of() as client:
        for path in ("/api/predict", "/api/read"):
            refused = client.post(path, content=bomb, headers=PNG)
            assert "9,000 × 9,000 pixels" in problem(refused, 422)


def test_a_request_has_so_many_pictures() -> None:
    with client_of(limits=Limits(pictures=2, explained=1)) as client:
        body = {"drawings": [STROKES] * 2}
        assert client.post("/api/predict", json=body).status_code == 200
        assert "1 pictures" in problem(client.post("/api/predict?explain=1", json=body), 422)
        three = {"drawings": [STROKES] * 3}
        assert "1 to 2" in problem(client.post("/api/predict", json=three), 422)
        images = {"images": [pixels_of(THREE)] * 3}
        assert "1 to 2" in problem(client.post("/api/predict", json=images), 422)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"size": [281, 280]}, "1 to 280 pixels"),
        ({"width": 20.5}, "up to 20"),
        ({"strokes": [[[1, 1]] * 7]}, "7 points, more than 6"),
    ],
)
def test_a_drawing_has_limits(change: dict[str, Any], words: str) -> None:
    with client_of(limits=Limits(side=280, points=6, pen=20.0)) as client:
        assert client.post("/api/predict", json=STROKES).status_code == 200
        assert words in problem(client.post("/api/predict", json={**STROKES, **change}), 422)


def test_the_drawings_of_a_request_have_limits_together() -> None:
    for limits, words in (
        (Limits(points=6), "9 points, more than 6"),
        (Limits(paper=2 * 280 * 280), "235,200 pixels, more than 156,800"),
    ):
        with client_of(limits=limits) as client:
            two, three = ({"drawings": [STROKES] * n} for n in (2, 3))
            assert client.post("/api/predict", json=two).status_code == 200
            assert words in problem(client.post("/api/predict", json=three), 422)


SEVEN_SMALL = png(np.pad(np.array(pixels_of(THREE), np.uint8), 1))


class Gate:
    """A reader that waits until it may read."""

    def __init__(self) -> None:
        self.opened, self.entered = threading.Event(), threading.Event()
        self.reader = shipped_reader()
        self.batches: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.reader, name)

    def read_together(self, pictures: list[Any]) -> Any:
        self.batches.append(len(pictures))
        self.entered.set()
        assert self.opened.wait(60)
        return self.reader.read_together(pictures)

    def read_page(self, picture: Any, rule: Any) -> Any:
        self.entered.set()
        assert self.opened.wait(60)
        return self.reader.read_page(picture, rule)


async def until(condition: Any) -> None:
    while not condition():
        await asyncio.sleep(0.001)


def asked(limits: Limits, scenario: Any) -> Gate:
    """Run a scenario with a client, whose requests all wait at a gate."""
    gate = Gate()
    reader: Reader = gate  # type: ignore[assignment]

    async def run() -> None:
        app = service(reader, Settings(limits=limits))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            try:
                await asyncio.wait_for(scenario(client, gate), 60)
            finally:
                gate.opened.set()

    asyncio.run(run())
    return gate


def predict(client: httpx.AsyncClient, content: bytes = THREE) -> "asyncio.Task[httpx.Response]":
    return asyncio.ensure_future(client.post("/api/predict", content=content, headers=PNG))


def test_a_client_has_so_many_requests_under_way() -> None:
    async def scenario(client: httpx.AsyncClient, gate: Gate) -> None:
        first = predict(client)
        await until(gate.entered.is_set)
        second = predict(client)
        await asyncio.sleep(0)
        refused = await client.post("/api/predict", content=THREE, headers=PNG)
        assert "2 requests of yours" in problem(refused, 429)
        assert refused.headers["retry-after"] == "1"
        gate.opened.set()
        assert {(await first).status_code, (await second).status_code} == {200}
        assert (await predict(client)).status_code == 200

    asked(Limits(at_once=2), scenario)


@pytest.mark.parametrize("path", ["/api/predict", "/api/read"])
def test_the_queue_has_an_end(path: str) -> None:
    async def scenario(client: httpx.AsyncClient, gate: Gate) -> None:
        async def ask() -> httpx.Response:
            return await client.post(path, content=THREE, headers=PNG)

        waiting = [asyncio.ensure_future(ask()) for _ in range(3)]
        await until(gate.entered.is_set)
        refused = await ask()
        assert "too many requests wait" in problem(refused, 503)
        assert refused.headers["retry-after"] == "1"
        assert (await client.get("/healthz")).status_code == 200  # which waits for nobody
        gate.opened.set()
        assert {(await one).status_code for one in waiting} == {200}
        assert (await ask()).status_code == 200
        counted = (await client.get("/metrics")).text
        assert 'mnist_net_turned_away_total{limit="queue"} 1.0' in counted
        assert "mnist_net_waiting 0.0" in counted.splitlines()

    asked(Limits(waiting=3), scenario)


def test_an_answer_may_take_so_long_and_then_the_place_in_the_queue_is_free() -> None:
    async def scenario(client: httpx.AsyncClient, gate: Gate) -> None:
        first, second = predict(client), predict(client)
        for late in (await first, await second):
            assert "could not be read in 0.05 s" in problem(late, 503)
        refused = await client.post("/api/predict", content=THREE, headers=PNG)
        assert problem(refused, 503)  # they are at it still
        gate.opened.set()
        await until(lambda: "waiting 0.0" in metrics_of(client))
        replies = [(await predict(client)).status_code for _ in range(20)]
        assert 200 in replies

    def metrics_of(client: httpx.AsyncClient) -> str:
        app = client._transport.app  # type: ignore[attr-defined]
        return app.metrics.text().decode()

    asked(Limits(waiting=2, answer_seconds=0.05), scenario)


def test_what_waits_together_is_read_together_and_small_pictures_pass_pages() -> None:
    async def scenario(client: httpx.AsyncClient, gate: Gate) -> None:
        first = predict(client)
        await until(gate.entered.is_set)
        rest = [predict(client, content) for content in [THREE, THREE[:90], *[THREE] * 4]]
        await until(lambda: b"waiting 7.0" in gate_metrics(client))
        gate.opened.set()
        statuses = [(await one).status_code for one in (first, *rest)]
        assert statuses == [200, 200, 422, 200, 200, 200, 200]

    def gate_metrics(client: httpx.AsyncClient) -> bytes:
        return client._transport.app.metrics.text()  # type: ignore[attr-defined]

    # One at first; then four requests, one of them broken; then the rest.
    assert asked(Limits(together=4), scenario).batches == [1, 3, 2]


def test_what_fails_for_one_fails_for_no_other() -> None:
    async def scenario(client: httpx.AsyncClient, gate: Gate) -> None:
        read = gate.reader.read_together
        first = predict(client)
        await until(gate.entered.is_set)

        def fail_for_sevens(pictures: list[Any]) -> Any:
            gate.batches.append(len(pictures))
            if any(picture.pixels.shape[0] > 28 for picture in pictures):
                raise ZeroDivisionError
            return read(pictures)

        rest = [predict(client, content) for content in (THREE, SEVEN_SMALL, THREE)]
        await until(lambda: b"waiting 4.0" in client._transport.app.metrics.text())  # type: ignore[attr-defined]
        gate.read_together = fail_for_sevens  # type: ignore[method-assign]
        gate.opened.set()
        answers = [await one for one in (first, *rest)]
        assert [answer.status_code for answer in answers] == [200, 200, 500, 200]
        assert "fault of the service" in problem(answers[2], 500)
        assert "ZeroDivision" not in answers[2].text

    assert asked(Limits(), scenario).batches == [1, 3, 1, 1, 1]


def test_pages_keep_no_digit_waiting() -> None:
    async def scenario(client: httpx.AsyncClient, gate: Gate) -> None:
        pages = [
            asyncio.ensure_future(client.post("/api/read", content=SEVEN, headers=PNG))
            for _ in range(5)
        ]
        await until(gate.entered.is_set)
        gate.read_together = gate.reader.read_together  # type: ignore[method-assign]
        answer = await predict(client)
        assert answer.json()["readings"][0]["digit"] == 3
        assert not any(page.done() for page in pages)
        gate.opened.set()
        assert [(await page).json()["text"] for page in pages] == ["7"] * 5

    asked(Limits(), scenario)


def test_a_body_must_come_in_time() -> None:
    async def scenario(client: httpx.AsyncClient, gate: Gate) -> None:
        gate.opened.set()

        async def slow() -> AsyncIterator[bytes]:
            yield THREE[:5]
            await asyncio.sleep(60)

        response = await client.post("/api/predict", content=slow(), headers=PNG)
        assert "did not come in 0.05 s" in problem(response, 408)
        assert (await predict(client)).status_code == 200

    asked(Limits(body_seconds=0.05), scenario)


def test_json_may_not_be_deep_or_large() -> None:
    limits = replace(Limits(), body_bytes=1_000_000)
    with client_of(limits=limits) as client:
        deep = client.post("/api/read", content=b'{"images":' + b"[" * 900_000, headers=JSON)
        assert "too deeply" in problem(deep, 400)
