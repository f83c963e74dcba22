"""Each route: what it takes, and what it gives."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from mnist_net.cli import main
from mnist_net.datasets.feedback import Feedback
from mnist_net.errors import DataError
from mnist_net.pictures.decoding import open_image
from mnist_net.trained.store import SHIPPED_MODELS
from tests.conftest import ROOT, shipped_reader
from tests.web.conftest import JSON, PAGE, PNG, SEVEN, STROKES, THREE, client_of, pixels_of, problem

MODEL = next(path for path in SHIPPED_MODELS if path.exists())
EXAMPLES = sorted((ROOT / "examples").glob("?.png"))


def said_by_command_line(command: str, path: Path) -> dict[str, object]:
    arguments = [command, "--json", "--model", str(MODEL), str(path)]
    return json.loads(CliRunner().invoke(main, arguments, prog_name="mnist-net").stdout)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_a_picture_is_answered_as_on_the_command_line(client: TestClient, path: Path) -> None:
    answer = client.post("/api/predict", content=path.read_bytes(), headers=PNG).json()
    (reading,) = answer["readings"]
    expected = said_by_command_line("predict", path)
    assert list(reading) == list(expected)
    assert reading == {**expected, "image": "picture 1", "model": "model"}
    assert str(reading["digit"]) == path.stem


def test_a_page_is_answered_as_on_the_command_line(client: TestClient) -> None:
    answer = client.post("/api/read", content=PAGE, headers={"Content-Type": "image/jpeg"}).json()
    expected = said_by_command_line("read", ROOT / "examples" / "page" / "page.jpg")
    assert list(answer) == list(expected)
    assert answer == {**expected, "image": "picture 1", "model": "model"}
    assert answer["text"] == "2718281828\n31415926\n1618"


def test_what_is_known_of_a_page_is_used(client: TestClient) -> None:
    def read(query: str) -> Any:
        headers = {"Content-Type": "image/jpeg"}
        return client.post(f"/api/read?{query}", content=PAGE, headers=headers)

    first, second = (f"271828182831415926161{end}" for end in "79")
    roster = read(f"choices={first}&choices={second}").json()
    assert roster["text"].replace("\n", "") in (first, second)
    assert roster["without_rule"] == "2718281828\n31415926\n1618"
    assert read("expect=22&pattern=" + 22 * "d").json()["odds"] > 1.0
    assert read("grid=1").json()["cells"] == []
    for query, sentence in {
        "foo=8": "'foo' is no parameter here: there is check, choices, expect, grid, pattern",
        "expect=x": "expect must be a whole number, not 'x'",
        "expect=" + "9" * 5_000: "expect must be a whole number",
        "expect=0": "at least one is expected",
        "pattern=dm": "in which d is any digit",
        "check=crc": "there are luhn and mod97",
        "choices=x": "'x' is not a choice",
        "grid=1&expect=3": "leave one out",
        "grid=yes": "grid must be 1 or 0",
    }.items():
        assert sentence in problem(read(query), 400)


@pytest.mark.parametrize("kind", ["application/octet-stream", "image/webp", "IMAGE/PNG; x=y"])
def test_any_type_of_picture_will_do(client: TestClient, kind: str) -> None:
    answer = client.post("/api/predict", content=SEVEN, headers={"Content-Type": kind}).json()
    assert answer["readings"][0]["digit"] == 7


def test_arrays_and_strokes_and_several_at_once(client: TestClient) -> None:
    array = pixels_of(THREE)
    for body, digits in (
        ({"images": [array, array]}, [3, 3]),
        (STROKES, [7]),
        ({"drawings": [STROKES, STROKES, {**STROKES, "strokes": []}]}, [7, 7, None]),
    ):
        answer = client.post("/api/predict", json=body).json()
        assert [reading["digit"] for reading in answer["readings"]] == digits
        names = [f"picture {number}" for number in range(1, len(digits) + 1)]
        assert [reading["image"] for reading in answer["readings"]] == names
    assert answer["readings"][2]["reason"] == "nothing on it is darker or lighter than its paper"
    assert client.post("/api/read", json=STROKES).json()["text"] == "7"


def test_an_explanation_is_the_network_s(client: TestClient) -> None:
    body = {"images": [pixels_of(THREE), np.zeros((28, 28), int).tolist()]}
    plain = client.post("/api/predict", json=body).json()["readings"]
    first, blank = client.post("/api/predict?explain=1", json=body).json()["readings"]
    assert {key: first[key] for key in plain[0]} == plain[0]
    (seen,) = shipped_reader().read([open_image(THREE)])
    assert first["seen"] == seen.image.tolist()  # type: ignore[union-attr]
    parameters = shipped_reader().model.parameters  # type: ignore[union-attr]
    for unit in first["units"]:
        incoming = parameters[0].weights[:, unit["unit"]]
        np.testing.assert_allclose(np.ravel(unit["weights"]), incoming, atol=1e-5)  # rounded
        outgoing = parameters[1].weights[unit["unit"], 3]
        assert unit["push"] == pytest.approx(unit["activation"] * outgoing, rel=1e-5)
    pushes = [unit["push"] for unit in first["units"]]
    assert len(pushes) == 8
    assert pushes == sorted(pushes, reverse=True)
    assert np.shape(first["saliency"]) == (28, 28)
    assert np.any(first["saliency"])
    assert (blank["saliency"], blank["units"]) == (None, [])
    assert blank["seen"] == np.zeros((28, 28), int).tolist()


def test_a_page_has_one_picture(client: TestClient) -> None:
    body = {"images": [pixels_of(THREE)] * 2}
    assert "one page at a time, not 2" in problem(client.post("/api/read", json=body), 422)


WRONG = {
    "{": (400, "not JSON"),
    "\xff": (400, "not JSON"),
    '{"images": NaN}': (400, "NaN"),
    '{"images": ' + "9" * 5_000 + "}": (400, "not JSON"),
    "[" * 200_000: (400, "nested too deeply"),
    "[]": (422, "drawings, images, strokes"),
    "{}": (422, "drawings, images, strokes"),
    '{"images": [], "strokes": []}': (422, "drawings, images, strokes"),
    '{"images": []}': (422, "1 to 256"),
    '{"images": [[1]]}': (422, "images[0] must be 28 rows of 28"),
    '{"images": [], "odd": 1}': (422, "'odd'"),
    '{"strokes": 1, "width": 1, "size": [9, 9]}': (422, "list of lists of points"),
    '{"strokes": [[]], "width": 1, "size": [9, 9]}': (422, "none of them empty"),
    '{"strokes": [[[1]]], "width": 1, "size": [9, 9]}': (422, "[x, y]"),
    '{"strokes": [[[1, 1e9]]], "width": 1, "size": [9, 9]}': (422, "[x, y]"),
    '{"strokes": [], "width": 0, "size": [9, 9]}': (422, "width must be"),
    '{"strokes": [], "width": true, "size": [9, 9]}': (422, "width must be"),
    '{"strokes": [], "width": 1, "size": [9, 0.5]}': (422, "size must be"),
    '{"strokes": [], "width": 1, "size": 9}': (422, "size must be"),
    '{"strokes": [], "width": 1}': (422, "size must be"),
    '{"drawings": [{"odd": 1}]}': (422, "drawings[0] must be an object of strokes"),
}


@pytest.mark.parametrize("body", WRONG, ids=lambda body: body[:40])
def test_what_is_wrong_is_said_in_a_sentence(client: TestClient, body: str) -> None:
    status, words = WRONG[body]
    response = client.post("/api/predict", content=body.encode("latin-1"), headers=JSON)
    assert words in problem(response, status)


@pytest.mark.parametrize("level", [256, -1, 0.5, True, "1", None, [1]])
def test_levels_are_whole_numbers_of_a_byte(client: TestClient, level: object) -> None:
    array = pixels_of(THREE)
    array[27][27] = level  # type: ignore[call-overload]
    response = client.post("/api/predict", json={"images": [array]})
    assert "whole numbers from 0" in problem(response, 422)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("text/plain", "'text/plain'"),
        ("image/svg+xml", "'image/svg+xml'"),
        ("application/x-www-form-urlencoded", "application/x-www-form-urlencoded"),
        ("", "no content type"),
    ],
)
@pytest.mark.parametrize("path", ["/api/predict", "/api/read"])
def test_other_content_types_are_refused(
    client: TestClient, path: str, kind: str, words: str
) -> None:
    response = client.post(path, content=SEVEN, headers={"Content-Type": kind})
    assert words in problem(response, 415)


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b"not a picture", 415, "not a picture in a format"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "SVG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", 415, "EPS"),
        (b"", 422, "empty"),
        (SEVEN[:200], 422, "cannot be read"),
    ],
    ids=["text", "svg", "eps", "nothing", "half"],
)
def test_what_is_no_picture_is_refused(
    client: TestClient, content: bytes, status: int, words: str
) -> None:
    assert words in problem(client.post("/api/predict", content=content, headers=PNG), status)


def test_places_and_methods_that_there_are_not(client: TestClient) -> None:
    assert "/nowhere" in problem(client.get("/nowhere"), 404)
    assert "nothing at /page/secret.txt" in problem(client.get("/page/secret.txt"), 404)
    for path in ("/page/..%2fservice.py", "/page/%2e%2e/service.py", "/page/"):
        assert client.get(path).status_code == 404
    refused = client.get("/api/predict")
    assert "GET is not for /api/predict" in problem(refused, 405)
    assert refused.headers["allow"] == "POST"
    assert problem(client.request("DELETE", "/"), 405)


def test_explain_is_yes_or_no(client: TestClient) -> None:
    response = client.post("/api/predict?explain=yes", content=SEVEN, headers=PNG)
    assert "explain must be 1 or 0, not 'yes'" in problem(response, 400)


def test_the_page_and_its_files(client: TestClient) -> None:
    page = client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<html" in page.text
    style = client.get("/page/docs.css")
    assert style.headers["content-type"].startswith("text/css")
    again = client.get("/page/docs.css", headers={"If-None-Match": style.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.head("/").status_code == 200


def test_the_model_and_the_health(client: TestClient) -> None:
    model = client.get("/api/model").json()
    assert (model["name"], model["classes"]) == ("model", list(range(10)))
    assert model["layer_sizes"] == [784, 2500, 10]
    assert model["detector"] is True
    assert model["feedback"] is False
    assert str(ROOT) not in json.dumps(model)
    assert client.get("/healthz").json() == {"status": "ok"}


def test_what_happened_is_counted() -> None:
    with client_of() as client:
        client.post("/api/predict", content=THREE, headers=PNG)
        client.post("/api/predict", content=b"?", headers=PNG)
        client.get("/anything/at/all")
        client.get("/page/docs.css")
        response = client.get("/metrics")
        counted = response.text
    assert response.headers["content-type"].startswith("text/plain; version=")
    for line in (
        'mnist_net_requests_total{method="POST",route="/api/predict",status="200"} 1.0',
        'mnist_net_requests_total{method="POST",route="/api/predict",status="415"} 1.0',
        'mnist_net_requests_total{method="GET",route="other",status="404"} 1.0',
        'mnist_net_requests_total{method="GET",route="/page/{name}",status="200"} 1.0',
        'mnist_net_pictures_total{outcome="digit"} 1.0',
        'mnist_net_request_seconds_count{route="/api/predict"} 2.0',
        "mnist_net_batch_requests_count 1.0",
        "mnist_net_waiting 0.0",
    ):
        assert line in counted.splitlines()


def test_corrections_are_kept(tmp_path: Path) -> None:
    store = Feedback(tmp_path / "feedback.sqlite")
    bodies = [
        {"label": 3, "said": 5, "image": pixels_of(THREE)},
        {"label": 7, **STROKES},
        {"label": 7, "said": None, "png": base64.b64encode(SEVEN).decode()},
    ]
    with client_of(store=store.add) as client:
        for body in bodies:
            response = client.post("/api/feedback", json=body)
            assert response.status_code == 201
            assert response.json() == {"stored": True, "label": body["label"]}
        assert client.get("/api/model").json()["feedback"] is True
        assert "mnist_net_corrections_total 3.0" in client.get("/metrics").text
    kept = list(store)
    assert [(one.label, one.said) for one in kept] == [(3, 5), (7, None), (7, None)]
    assert pixels_of(kept[0].picture) == pixels_of(THREE)
    assert kept[2].picture == SEVEN


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ([], 422, "an object"),
        ({"image": []}, 422, "label must be a digit"),
        ({"label": 10, "image": []}, 422, "label must be a digit"),
        ({"label": True, "image": []}, 422, "label must be a digit"),
        ({"label": 1, "said": "2", "image": []}, 422, "said must be a digit"),
        ({"label": 1}, 422, "image, png, strokes"),
        ({"label": 1, "image": []}, 422, "28 rows"),
        ({"label": 1, "png": 1}, 422, "base64"),
        ({"label": 1, "png": "?"}, 422, "not base64"),
        ({"label": 1, "png": "aGVsbG8="}, 422, "something else than a PNG"),
        ({"label": 1, "png": base64.b64encode(SEVEN[:90]).decode()}, 422, "cannot be read"),
    ],
)
def test_wrong_corrections_are_refused(body: object, status: int, words: str) -> None:
    kept: list[object] = []
    with client_of(store=lambda *correction: kept.append(correction)) as client:
        assert words in problem(client.post("/api/feedback", json=body), status)
        assert "JSON" in problem(client.post("/api/feedback", content=SEVEN, headers=PNG), 415)
    assert kept == []


def test_a_store_that_fails_is_nobody_s_secret() -> None:
    def fail(*_: object) -> None:
        raise DataError("/home/somebody/feedback.sqlite is damaged")

    with client_of(store=fail) as client:
        response = client.post("/api/feedback", json={"label": 7, **STROKES})
    assert "somebody" not in problem(response, 503)


def test_corrections_may_be_off(client: TestClient) -> None:
    assert "--no-feedback" in problem(client.post("/api/feedback", json={}), 404)
