"""The OpenAPI document: valid, true of what the service answers, and readable by people."""

import os
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from openapi_spec_validator import OpenAPIV31SpecValidator, validate
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
from starlette.testclient import TestClient

from mnist_net.web.documents import human_page
from mnist_net.web.limits import Limits
from mnist_net.web.openapi import openapi
from mnist_net.web.service import Settings, service
from tests.conftest import shipped_reader

N_EXAMPLES = int(os.environ.get("MNIST_NET_EXAMPLES", "8"))  # of each route and mode


def test_the_document_is_valid_and_the_one_that_is_served(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    validate(document, cls=OpenAPIV31SpecValidator)
    assert document == openapi(Limits())


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.targets, self.names = set[str](), set[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)
        self.names |= {value for name, value in attrs if name == "id" and value}
        self.targets |= {value for name, value in attrs if name == "href" and value}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_for_people_says_all_of_it_and_its_links_lead_somewhere(
    client: TestClient,
) -> None:
    document = openapi(Limits())
    page = client.get("/docs").text
    assert page == human_page(document)
    links = _Links()
    links.feed(page)
    assert not links.open
    assert links.names == set(document["components"]["schemas"])
    for target in links.targets:
        if target.startswith("#"):
            assert target[1:] in links.names
        else:
            assert client.get(target).status_code == 200, target
    for path in document["paths"]:
        assert path in page


@pytest.fixture(scope="module")
def schema() -> Iterator[Any]:
    kept = Settings(store=lambda *_: None)
    app = service(shipped_reader(), kept)
    with TestClient(app, "http://127.0.0.1"):  # which begins and ends it
        made = schemathesis.openapi.from_dict(openapi(Limits()))
        made.app = app
        yield made


CHECKS = [
    not_a_server_error,
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
]


PATHS = openapi(Limits())["paths"]
WAYS = [(path, GenerationMode.POSITIVE) for path in PATHS] + [
    (path, GenerationMode.NEGATIVE) for path in PATHS if "post" in PATHS[path]
]


def is_describable(case: Any) -> bool:
    """Whether the document can say what is right: not so of the bytes of a picture, and of sums."""
    if case.media_type != "application/json" or "png" in case.body:
        return False
    query = case.query or {}
    is_table_by_rule = query.get("grid") == "1" and len(query) > 1  # one or the other is
    return "drawings" not in case.body and query.get("explain") != "1" and not is_table_by_rule


@pytest.mark.parametrize(("path", "mode"), WAYS, ids=lambda way: getattr(way, "value", way))
def test_whatever_is_asked_the_answer_is_as_the_document_says(
    schema: Any, path: str, mode: GenerationMode
) -> None:
    (operation,) = (found.ok() for found in schema.get_all_operations() if found.ok().path == path)
    is_json = any("json" in str(body.media_type) for body in operation.body)
    checks = [*CHECKS, negative_data_rejection] if is_json else CHECKS

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=N_EXAMPLES,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        wanted = list(checks)
        if mode is GenerationMode.POSITIVE and is_describable(case):
            wanted.append(positive_data_acceptance)
        response = case.call(base_url="http://127.0.0.1")
        case.validate_response(response, checks=wanted)

    ask()
