"""A request's body, into memory, within its limits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.requests import Request

from mnist_net.web.limits import Limits
from mnist_net.web.metrics import Metrics
from mnist_net.web.problems import Problem, busy

_DRAIN_SECONDS = 2.0  # for a client that sends all before it looks whether it was refused


class Bodies:
    """All bodies that are in memory."""

    def __init__(self, limits: Limits, metrics: Metrics) -> None:
        self.limits, self.metrics = limits, metrics
        self._held = 0

    @asynccontextmanager
    async def of(self, request: Request) -> AsyncIterator[bytes]:
        """Read a body, and count it as long as the block works on it.

        Raises
        ------
        Problem
            408, 413, or 503 if the bodies of all are too much; 400 if the client went away.
        """
        content = bytearray()
        try:
            await self._in_time(content, request)
            yield bytes(content)
        finally:
            self._held -= len(content)

    async def _in_time(self, content: bytearray, request: Request) -> None:
        try:
            async with asyncio.timeout(self.limits.body_seconds):
                await self._fill(content, request)
        except TimeoutError:
            self.metrics.turned_away.labels("body").inc()
            raise Problem(
                408,
                f"the body did not come in {self.limits.body_seconds:g} s",
                {"Connection": "close"},
            ) from None

    async def _fill(self, content: bytearray, request: Request) -> None:
        announced = request.headers.get("content-length", "0")
        if announced.isdecimal() and int(announced) > self.limits.body_bytes:
            raise await self._too_large(request, comes=True)
        comes = True
        while comes:
            message = await request.receive()
            if message["type"] == "http.disconnect":
                raise Problem(400, "the connection ended before the body did")
            chunk, comes = message.get("body", b""), message.get("more_body", False)
            content += chunk
            self._held += len(chunk)
            if len(content) > self.limits.body_bytes:
                raise await self._too_large(request, comes)
            if self._held > self.limits.held_bytes:
                self.metrics.turned_away.labels("memory").inc()
                raise busy("the requests under way hold too much already: try again in a second")

    async def _too_large(self, request: Request, comes: bool) -> Problem:
        """The refusal, once the client has sent the rest, or has had the time to."""
        self.metrics.turned_away.labels("body").inc()
        if comes and "expect" not in request.headers:  # else it waits for our word
            with suppress(TimeoutError):
                async with asyncio.timeout(_DRAIN_SECONDS):
                    while (await request.receive()).get("more_body"):
                        pass
        return Problem(
            413,
            f"the body is larger than {self.limits.body_bytes:,} bytes: shrink the picture, or "
            "send fewer",
            {"Connection": "close"},
        )
