"""One browser and one service for all tests of the page."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.web.page.browsing import browser, chromium, serving, until

Open = Callable[..., Any]


@pytest.fixture(scope="session")
def _browser() -> Iterator[Any]:
    with browser() as opened:
        yield opened


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    chromium()  # without one, no service need be started
    with serving("--feedback", tmp_path_factory.mktemp("feedback") / "own.sqlite") as found:
        yield found


@pytest.fixture
def opened(_browser: Any, address: str) -> Iterator[Open]:
    """Open the page in a window of its own; no script may fail, no request leave the origin."""
    errors: list[str] = []
    asked: list[str] = []
    own = ["blob:", "data:", "file://", address]
    contexts = []

    def open_page(at: str = address, **options: Any) -> Any:
        settings = {"viewport": {"width": 1280, "height": 900}, **options}
        context = _browser.new_context(**settings)
        contexts.append(context)
        page = context.new_page()
        own.append(at)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(at)
        until(page, "document.getElementById('model').textContent.includes('784')")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not errors
    assert not [url for url in asked if not url.startswith(tuple(own))]


@pytest.fixture
def page(opened: Open) -> Any:
    return opened()
