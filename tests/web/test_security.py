"""Whom the service answers, and what it tells browsers."""

import pytest
from starlette.testclient import TestClient

from mnist_net.web.security import HostCheck, is_loopback
from tests.web.conftest import PNG, SEVEN, client_of, problem

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@pytest.mark.parametrize(
    ("host", "allowed", "name", "answered"),
    [
        ("127.0.0.1", (), "127.0.0.1:8000", True),
        ("127.0.0.1", (), "LocalHost", True),
        ("127.0.0.1", (), "[::1]:8000", True),
        ("127.0.0.1", (), "evil.example", False),
        ("127.0.0.1", (), "evil.example:8000", False),
        ("127.0.0.1", (), "localhost.evil.example", False),
        ("127.0.0.1", (), "192.168.0.9", False),
        ("127.0.0.1", (), "[fe80::1]", False),
        ("127.0.0.1", (), "", False),
        ("127.0.0.1", ("Reader.example",), "reader.example:80", True),
        ("192.168.0.9", (), "192.168.0.9:8000", True),
        ("192.168.0.9", (), "192.168.0.8:8000", False),
        ("0.0.0.0", (), "192.168.0.9:8000", True),
        ("::", (), "[fe80::1]:8000", True),
        ("0.0.0.0", (), "evil.example", False),
        ("0.0.0.0", (), "1.2.3.4.evil.example", False),
    ],
)
def test_the_host_must_be_ours(
    host: str, allowed: tuple[str, ...], name: str, answered: bool
) -> None:
    """Else a page of elsewhere, by DNS rebinding, could read what we answer."""
    with client_of(hosts=HostCheck(host, allowed)) as client:
        response = client.post("/api/predict", content=SEVEN, headers={**PNG, "Host": name})
        if answered:
            assert response.json()["readings"][0]["digit"] == 7
        else:
            assert "--allow-host" in problem(response, 400)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("GET", path) for path in ("/", "/docs", "/page/docs.css", "/api/model", "/nowhere")),
        *(("GET", path) for path in ("/healthz", "/metrics", "/openapi.json", "/api/predict")),
        *(("POST", path) for path in ("/api/predict", "/api/read", "/api/feedback")),
    ],
)
def test_every_response_has_the_headers(client: TestClient, method: str, path: str) -> None:
    for host in ("localhost", "evil.example"):
        headers = client.request(method, path, headers={"Host": host}).headers
        assert headers["content-security-policy"] == POLICY
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert "camera=(self)" in headers["permissions-policy"]
        assert headers["cache-control"] in ("no-store", "no-cache")
        assert "server" not in headers
        assert "access-control-allow-origin" not in headers


def test_pages_keep_to_their_own_policy(client: TestClient) -> None:
    for path in ("/", "/docs"):
        page = client.get(path).text
        for forbidden in ("<style", " style=", "<script>", "onclick", "http://", "https://", "//"):
            text = page.replace("http://localhost:8000/", "").replace("https://github.com", "")
            assert forbidden not in text.replace("<!doctype", ""), (path, forbidden)


def test_no_other_origin_may_read_unless_it_is_named() -> None:
    origin, other = "https://pages.example", "https://other.example"
    ask = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    with client_of() as client:
        assert problem(client.options("/api/predict", headers={"Origin": origin, **ask}), 405)
    with client_of(origins=[origin]) as client:
        allowed = client.options("/api/predict", headers={"Origin": origin, **ask})
        assert allowed.status_code == 200
        assert allowed.headers["access-control-allow-origin"] == origin
        refused = client.options("/api/predict", headers={"Origin": other, **ask})
        assert "access-control-allow-origin" not in refused.headers
        for content, status in ((SEVEN, 200), (b"?", 415)):
            answer = client.post("/api/predict", content=content, headers={**PNG, "Origin": origin})
            assert answer.status_code == status
            assert answer.headers["access-control-allow-origin"] == origin


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.7", "::1", "localhost"])
def test_what_only_this_machine_reaches(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.9", "example.org", ""])
def test_what_others_reach(host: str) -> None:
    assert not is_loopback(host)
