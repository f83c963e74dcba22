"""What goes wrong, as RFC 9457 has it: one JSON object, one sentence."""

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from mnist_net.errors import FormatError, ImageError, MnistNetError

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

# As RFC 9110 calls them; Python does since 3.13.
_TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}


class Problem(Exception):  # noqa: N818  (RFC 9457's word)
    """Why a request is not answered.

    Parameters
    ----------
    status
        Of HTTP.
    detail
        One sentence: what was found, what was expected, what to do.
    headers
        Of the response.
    """

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, dict(headers or {})


def busy(detail: str, status: int = 503) -> Problem:
    """A refusal that ends by itself: try again in a second."""
    return Problem(status, detail, {"Retry-After": "1"})


def problem_of(error: BaseException) -> Problem:
    """Any error as a problem; what is nobody's fault but ours is logged, and told no one."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, FormatError):
        return Problem(415, str(error))
    if isinstance(error, ImageError):
        return Problem(422, str(error))
    if isinstance(error, MemoryError):
        return busy("there is not enough memory for this now")
    log.error("a request failed: %s", error, exc_info=error)
    if isinstance(error, MnistNetError):
        return Problem(500, "the model cannot answer: see the service's own messages")
    return Problem(500, "this is a fault of the service: see its own messages")


def body_of(problem: Problem) -> dict[str, Any]:
    """What RFC 9457 lays down."""
    return {
        "type": "about:blank",
        "title": _TITLES.get(problem.status) or HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
    }


def response(problem: Problem) -> Response:
    """The problem as a response."""
    content = json.dumps(body_of(problem))
    return Response(content, problem.status, problem.headers, MEDIA_TYPE)


async def on_error(_request: Request, error: Exception) -> Response:
    """Handle whatever a route raises, for Starlette."""
    return response(problem_of(error))


async def on_http_error(request: Request, error: Exception) -> Response:
    """Handle what Starlette itself finds: no such place, or no such method there."""
    assert isinstance(error, HTTPException)
    path = request.url.path
    details = {
        404: f"there is nothing at {path}: /docs says what there is",
        405: f"{request.method} is not for {path}: /docs says what is",
    }
    detail = details.get(error.status_code, str(error.detail))
    return response(Problem(error.status_code, detail, error.headers))
