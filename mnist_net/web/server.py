"""Listening: a socket, uvicorn upon it, and an end that is an end."""

import asyncio
import json
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp
from threadpoolctl import threadpool_limits
from uvicorn.protocols.http.h11_impl import H11Protocol

from mnist_net.web.limits import Limits
from mnist_net.web.problems import MEDIA_TYPE, Problem, body_of

_BACKLOG = 512  # connections that the system keeps until we take them


def listen(host: str, port: int) -> socket.socket:
    """Bind a socket; port 0 picks one.

    Raises
    ------
    OSError
        If there is no such host, or the port is in use or not ours to have.
    """
    family, *_, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    return socket.create_server(place[:2], family=family, backlog=_BACKLOG)


def address_of(listening: socket.socket, host: str) -> str:
    """The address to give to a browser."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{listening.getsockname()[1]}/"


class _Protocol(H11Protocol):
    """uvicorn's, which waits for a request's head as long as anybody likes; this one does not."""

    limits = Limits()
    on_cut: Callable[[str], object] = staticmethod(lambda _: None)

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        # A response goes out in two parts, and the second must not wait until the first is
        # acknowledged: that takes 40 ms.  asyncio does this only for sockets it made itself.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._head_timer: asyncio.TimerHandle | None = None
        self._await_head()
        if len(self.connections) > self.limits.connections:
            self.on_cut("connections")
            self._refuse(Problem(503, "too many connections are open: try again in a second"))

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self._await_head()
        else:
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        """Begin to count the time, unless it is counted: every byte would begin it anew."""
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self.limits.head_seconds, self._head_is_late)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_is_late(self) -> None:
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self.on_cut("head")
            self.transport.close()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002
        """Answer what is no HTTP; uvicorn calls it."""
        self._refuse(Problem(400, "this is no request of HTTP/1.1, or its head is too long"))

    def _refuse(self, problem: Problem) -> None:
        content = json.dumps(body_of(problem)).encode()
        head = (
            f"HTTP/1.1 {problem.status} {body_of(problem)['title']}\r\n"
            f"Content-Type: {MEDIA_TYPE}\r\nContent-Length: {len(content)}\r\n"
            "Connection: close\r\nX-Content-Type-Options: nosniff\r\n\r\n"
        )
        self.transport.write(head.encode() + content)
        self.transport.close()


class Server(uvicorn.Server):
    """Serves until a signal comes, or `should_exit` is set.

    Parameters
    ----------
    app
        The service.
    limits
        Of connections, and of the time that heads, and the end, may take.
    ready
        Called when requests are taken.
    on_cut
        Called with the limit's name when a connection is cut off by it.
    """

    def __init__(
        self,
        app: ASGIApp,
        limits: Limits,
        ready: Callable[[], object],
        on_cut: Callable[[str], object],
    ) -> None:
        attributes = {"limits": limits, "on_cut": staticmethod(on_cut)}
        config = uvicorn.Config(
            app,
            http=type("LimitedProtocol", (_Protocol,), attributes),
            ws="none",
            lifespan="on",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            backlog=_BACKLOG,
            h11_max_incomplete_event_size=limits.head_bytes,
            timeout_keep_alive=limits.idle_seconds,  # type: ignore[arg-type]  # any number will do
            timeout_graceful_shutdown=limits.stop_seconds,  # type: ignore[arg-type]
        )
        super().__init__(config)
        self._ready = ready
        self._signal = 0

    def serve_at(self, listening: socket.socket) -> int:
        """Serve; gives the signal that ended it, 0 without one."""
        with threadpool_limits(1, user_api="blas"):  # the requests share the cores as it is
            self.run([listening])
        return self._signal

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, and say so."""
        await super().startup(sockets)
        self._ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take signals as uvicorn does, but leave what they mean to whoever called."""
        if threading.current_thread() is not threading.main_thread():
            yield  # who may not take signals
            return
        handled = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in handled}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Note a signal; the first one lets what is under way end, the second does not."""
        self._signal = self._signal or sig
        super().handle_exit(sig, frame)
