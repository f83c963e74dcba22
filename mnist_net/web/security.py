"""What stands before every route: who may ask, how much at once, and what browsers are told."""

import ipaddress
import time
from collections import Counter
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mnist_net.web.limits import Limits
from mnist_net.web.metrics import Metrics
from mnist_net.web.problems import Problem, busy, problem_of, response

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""On every response: nothing from elsewhere, no script in a page's text, in nobody's frame."""


class HostCheck:
    """Which names a browser may have reached us by.

    A page of elsewhere can point its own name at this machine (DNS rebinding), and the browser
    would let it read what we answer; but the name stands in the request's Host.  An address cannot
    be pointed anywhere: all are let through, if the service listens on all.
    """

    def __init__(self, host: str, allowed: Collection[str] = ()) -> None:
        self.any_address = host in ("0.0.0.0", "::", "")
        self.names = LOOPBACK | {name.lower().strip("[]") for name in (host, *allowed)}

    def allows(self, host: str | None) -> bool:
        """Whether a Host header names us, with a port or without."""
        name = name_of(host or "")
        return name in self.names or (self.any_address and is_address(name))


def name_of(host: str) -> str:
    """The name or the address in a Host header, without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def is_address(name: str) -> bool:
    """Whether it is an IP address, and no name."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it."""
    return host == "localhost" or (is_address(host) and ipaddress.ip_address(host).is_loopback)


class Guard:
    """Checks the host and the client's share, adds the headers, and counts."""

    def __init__(
        self, app: ASGIApp, hosts: HostCheck, limits: Limits, metrics: Metrics, routes: set[str]
    ) -> None:
        self.app, self.hosts, self.limits, self.metrics = app, hosts, limits, metrics
        self.routes = routes
        self._clients: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or say why not; called by the server."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0

        async def send_guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        client = (scope.get("client") or ("",))[0]
        self._clients[client] += 1
        try:
            self._admit(scope, client)
            await self.app(scope, receive, send_guarded)
        except Exception as error:
            if status:  # half of an answer is on its way
                raise
            await response(problem_of(error))(scope, receive, send_guarded)
        finally:
            self._clients[client] -= 1
            if not self._clients[client]:
                del self._clients[client]
            self._count(scope, status, time.perf_counter() - began)

    def cut(self, limit: str) -> None:
        """Count a connection that was cut off by a limit before it was a request."""
        self.metrics.turned_away.labels(limit).inc()

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        """By few labels, whatever clients send."""
        place = "/page/{name}" if scope["path"].startswith("/page/") else scope["path"]
        route = place if place in self.routes else "other"
        method = scope["method"] if scope["method"] in ("GET", "HEAD", "POST") else "other"
        self.metrics.requests.labels(route, method, str(status)).inc()
        self.metrics.seconds.labels(route).observe(seconds)

    def _admit(self, scope: Scope, client: str) -> None:
        host = Headers(scope=scope).get("host")
        if not self.hosts.allows(host):
            raise Problem(
                400,
                f"this service is not called {name_of(host or '')[:80]!r}: use its address, or "
                "start it with --allow-host",
            )
        if self._clients[client] > self.limits.at_once:
            self.metrics.turned_away.labels("client").inc()
            raise busy(
                f"{self.limits.at_once} requests of yours are under way: wait for an answer", 429
            )
