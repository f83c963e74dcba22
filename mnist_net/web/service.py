"""The routes: what each takes from a request, which lane reads it, and what goes back."""

import hashlib
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from mnist_net.reading.reader import Reader
from mnist_net.reading.rules import Rule, rule_of
from mnist_net.web.answering import Answering, Predict, Read, Store, to_json
from mnist_net.web.asked import Body, kind_of
from mnist_net.web.bodies import Bodies
from mnist_net.web.documents import human_page
from mnist_net.web.limits import Limits
from mnist_net.web.metrics import CONTENT_TYPE, Metrics
from mnist_net.web.openapi import openapi
from mnist_net.web.problems import Problem, on_error, on_http_error
from mnist_net.web.security import Guard, HostCheck
from mnist_net.web.work import Work

_KNOWN = ("expect", "pattern", "choices", "check")  # of a text, before it is read
_MOST_FIGURES = 9  # of a number
_PAGE = Path(__file__).parent / "page"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}


class Settings(NamedTuple):
    """How a service is set up.

    Attributes
    ----------
    name
        What the model is called, in answers.
    limits
        What requests may ask for.
    hosts
        Which names it may be reached by.
    origins
        Pages of elsewhere that may read the answers (CORS); none.
    store
        Keeps corrections; None if they are not kept.
    """

    name: str = "model"
    limits: Limits = Limits()
    hosts: HostCheck = HostCheck("127.0.0.1")
    origins: Collection[str] = ()
    store: Store | None = None


class _File(NamedTuple):
    content: bytes
    kind: str
    tag: str


def service(reader: Reader, settings: Settings) -> Guard:
    """Make the service, as an ASGI application."""
    metrics = Metrics()
    limits = settings.limits
    answering = Answering(reader, settings.name, limits, metrics, settings.store)
    routes = _Routes(answering, Work(limits, metrics), Bodies(limits, metrics), _files())

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        routes.work.prepare()
        yield
        routes.work.close()

    table = routes.table()
    app: ASGIApp = Starlette(
        routes=table,
        lifespan=lifespan,
        exception_handlers={
            Exception: on_error,
            HTTPException: on_http_error,
            Problem: on_error,
        },
    )
    if settings.origins:
        app = CORSMiddleware(
            app,
            allow_origins=list(settings.origins),
            allow_methods=["GET", "POST"],
            allow_headers=["Content-Type"],
        )
    return Guard(app, settings.hosts, limits, metrics, {route.path for route in table})


def _files() -> Mapping[str, _File]:
    """The page's files, by name: what there is when the service starts, and nothing else ever."""
    return {
        path.name: _file(path.read_bytes(), _TYPES[path.suffix])
        for path in sorted(_PAGE.iterdir())
        if path.suffix in _TYPES
    }


def _file(content: bytes, kind: str) -> _File:
    return _File(content, kind, f'"{hashlib.sha256(content).hexdigest()[:16]}"')


class _Routes:
    def __init__(
        self, answering: Answering, work: Work, bodies: Bodies, files: Mapping[str, _File]
    ) -> None:
        self.answering, self.work, self.bodies, self.files = answering, work, bodies, files
        document = openapi(answering.limits)
        self.document = to_json(document)
        self.docs = _file(human_page(document).encode(), _TYPES[".html"])
        self.model = to_json(answering.facts())

    def table(self) -> list[Route]:
        """Every place, and what is done there."""
        get: list[tuple[str, Callable[[Request], Response]]] = [
            ("/", lambda request: self._send(request, self.files["index.html"])),
            ("/docs", lambda request: self._send(request, self.docs)),
            ("/openapi.json", lambda _: _json(self.document)),
            ("/api/model", lambda _: _json(self.model)),
            ("/healthz", lambda _: _json(b'{"status": "ok"}')),
            (
                "/metrics",
                lambda _: Response(self.answering.metrics.text(), media_type=CONTENT_TYPE),
            ),
        ]
        post = [
            ("/api/predict", self.predict),
            ("/api/read", self.read),
            ("/api/feedback", self.feedback),
        ]
        return [
            *(Route(path, _at_once(answer), methods=["GET"]) for path, answer in get),
            Route("/page/{name}", self.file, methods=["GET"]),
            *(Route(path, answer, methods=["POST"]) for path, answer in post),
        ]

    async def predict(self, request: Request) -> Response:
        """Read the one digit of each picture."""
        is_json = kind_of(request.headers.get("content-type"))
        _only(request, {"explain"})
        explain = _flag(request, "explain")
        async with self.bodies.of(request) as content:
            body = Body(content, is_json)
            asked = Predict(body, explain)
            return _json(await self.work.run(self.answering.predict, asked, small=body.is_small))

    async def read(self, request: Request) -> Response:
        """Read a page, or a table."""
        is_json = kind_of(request.headers.get("content-type"))
        _only(request, {"grid", *_KNOWN})
        rule, grid = _rule(request), _flag(request, "grid")
        if rule is not None and grid:
            raise Problem(400, "grid=1 reads cells, of which no text is known: leave one out")
        async with self.bodies.of(request) as content:
            asked = Read(Body(content, is_json), rule, grid)
            return _json(await self.work.run(self.answering.read, asked, small=False))

    async def feedback(self, request: Request) -> Response:
        """Keep a correction."""
        _only(request, set())
        if self.answering.store is None:
            raise Problem(404, "corrections are not kept here: it was started with --no-feedback")
        if not kind_of(request.headers.get("content-type")):
            raise Problem(415, "a correction is JSON: send it as application/json")
        async with self.bodies.of(request) as content:
            kept = await self.work.run(self.answering.correct, content, small=False)
            return _json(kept, 201)

    async def file(self, request: Request) -> Response:
        """Send a file of the page."""
        found = self.files.get(request.path_params["name"])
        if found is None:
            raise HTTPException(404)
        return self._send(request, found)

    def _send(self, request: Request, file: _File) -> Response:
        headers = {"ETag": file.tag, "Cache-Control": "no-cache"}
        if file.tag in request.headers.get("if-none-match", ""):
            return Response(None, 304, headers)
        return Response(file.content, 200, headers, file.kind)


def _at_once(answer: Callable[[Request], Response]) -> Callable[..., object]:
    """A route whose answer is at hand."""

    async def endpoint(request: Request) -> Response:
        return answer(request)

    return endpoint


def _json(content: bytes, status: int = 200) -> Response:
    return Response(content, status, None, "application/json")


def _only(request: Request, names: Collection[str]) -> None:
    """Refuse parameters that would be passed over."""
    if odd := sorted(request.query_params.keys() - names):
        known = f"there is {', '.join(sorted(names))}" if names else "there are none"
        raise Problem(400, f"{odd[0][:80]!r} is no parameter here: {known}")


def _rule(request: Request) -> Rule | None:
    """What the parameters say is known of the text."""
    given = request.query_params
    expect, pattern, check = (given.get(name) for name in ("expect", "pattern", "check"))
    is_number = expect is None or (expect.isascii() and expect.isdigit())
    if not is_number or len(expect or "") > _MOST_FIGURES:
        raise Problem(400, f"expect must be a whole number, not {(expect or '')[:80]!r}")
    try:
        return rule_of(
            expect=None if expect is None else int(expect),
            pattern=pattern,
            choices=given.getlist("choices") or None,
            check=check,
        )
    except ValueError as error:
        raise Problem(400, str(error)) from error


def _flag(request: Request, name: str) -> bool:
    value = request.query_params.get(name, "0")
    if value not in ("0", "1"):
        raise Problem(400, f"{name} must be 1 or 0, not {value[:80]!r}")
    return value == "1"
