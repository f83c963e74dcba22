"""What the service takes and gives, as OpenAPI 3.1 says it: plain data."""

from collections.abc import Collection
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from mnist_net.reading.rules import CHECKS
from mnist_net.web.limits import Limits
from mnist_net.web.problems import MEDIA_TYPE

Schema = dict[str, Any]

_NUMBER: Schema = {"type": "number"}
_SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
_TEXT: Schema = {"type": "string"}
_FLAG: Schema = {"type": "string", "enum": ["0", "1"]}
_DIGIT: Schema = {"type": "integer", "minimum": 0, "maximum": 9}
_PROBLEMS = {
    400: "The request is malformed, or by a name that is not this service's.",
    404: "There is nothing at this place.",
    405: "The method is not for this place.",
    408: "The body did not come in time.",
    413: "The body is too large.",
    415: "The content type, or the picture's format, is not one that is read.",
    422: "It is well-formed, but no picture that can be read.",
    429: "This client has too many requests under way.",
    503: "Too many requests wait, or this one took too long: try again.",
}
_OF_POSTS = (400, 408, 413, 415, 422, 429, 503)
_OF_GETS = (400, 429)


def openapi(limits: Limits) -> dict[str, Any]:
    """Write the document, with the limits that hold."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "mnist-net",
            "version": version("mnist-net"),
            "summary": "Reads handwritten digits, one or a page of them.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": _paths(limits),
        "components": {"schemas": _schemas(limits)},
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(items: Schema, least: int = 0, most: int | None = None) -> Schema:
    size = {"minItems": least} if most is None else {"minItems": least, "maxItems": most}
    return {"type": "array", "items": items, **size}


def _grid(items: Schema) -> Schema:
    """28 × 28 of something."""
    return _list(_list(items, 28, 28), 28, 28)


def _object(properties: dict[str, Schema], optional: Collection[str] = ()) -> Schema:
    """An object of these members, all required but the optional ones, and of no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def _or_null(schema: Schema) -> Schema:
    return {"oneOf": [schema, {"type": "null"}]}


def _number(most: float, least: float = 0, kind: str = "number") -> Schema:
    return {"type": kind, "minimum": least, "maximum": most}


def _schemas(limits: Limits) -> dict[str, Schema]:
    return {**_given(limits), **_said()}


def _given(limits: Limits) -> dict[str, Schema]:
    side = _number(limits.side, 1, "integer")
    pen = {"type": "number", "exclusiveMinimum": 0, "maximum": limits.pen}
    point = _list(_number(1e6, -1e6), 2, 2)
    strokes = {
        "description": "Each stroke the points [x, y] that the pen went through, y down; at "
        f"most {limits.points:,} of all drawings.",
        **_list(_list(point, 1)),
    }
    drawing = {"strokes": strokes, "width": pen, "size": _list(side, 2, 2)}
    said = {"label": _DIGIT, "said": _or_null(_DIGIT)}
    return {
        "Image": {"description": "28 rows of 28 levels: 0 is paper, 255 is ink.", **_image()},
        "Drawing": _object(drawing),
        "Pictures": _pictures(limits.pictures),
        "Picture": _pictures(1),
        "Correction": {
            "oneOf": [
                _object({"image": _ref("Image"), **said}, ["said"]),
                _object({**drawing, **said}, ["said"]),
                _object({"png": _base64(), **said}, ["said"]),
            ]
        },
    }


def _pictures(most: int) -> Schema:
    """Up to so many pictures, in each of the ways to give them."""
    images, drawings = (_list(_ref(name), 1, most) for name in ("Image", "Drawing"))
    return {
        "oneOf": [_object({"images": images}), _ref("Drawing"), _object({"drawings": drawings})]
    }


def _image() -> Schema:
    return _grid(_number(255, kind="integer"))


def _base64() -> Schema:
    return {"type": "string", "contentEncoding": "base64", "contentMediaType": "image/png"}


def _page(named: dict[str, Schema], digit: dict[str, Schema]) -> dict[str, Schema]:
    sign = {
        **digit,
        "kind": {"type": "string", "enum": ["digit", "sign", "unread"]},
        "text": _TEXT,
        "row": _number(10_000, 0, "integer"),
    }
    return {
        **named,
        "text": _TEXT,
        "digits": _list(_object(digit)),
        "signs": {"description": "Digits and what is between them.", **_list(_object(sign))},
        "degrees": {"description": "By which it was turned.", **_NUMBER},
        "runner_up": _or_null(_TEXT),
        "odds": _or_null(_NUMBER),
        "without_rule": _or_null(_TEXT),
    }


def _said() -> dict[str, Schema]:
    digit = {
        "digit": _or_null({"type": "integer"}),
        "probability": _SHARE,
        "score": _SHARE,
        "box": _or_null(_list({"type": "integer"}, 4, 4)),
    }
    unit = _object(
        {
            "unit": {"type": "integer", "minimum": 0},
            "activation": _NUMBER,
            "push": _NUMBER,
            "weights": _grid(_NUMBER),
        }
    )
    explained = {
        "seen": _image(),
        "saliency": {
            "description": "Gradient of the likeliest digit's logit with respect to each pixel.",
            **_or_null(_grid(_NUMBER)),
        },
        "units": {
            "description": "The hidden units that pushed most for it, most first.",
            **_list(unit, 0, 8),
        },
    }
    named = {"image": _TEXT, "model": _TEXT, "reason": _or_null(_TEXT)}
    probabilities = _or_null({"type": "object", "additionalProperties": _SHARE})
    reading = {**named, **digit, "probabilities": probabilities, **explained}
    page = _page(named, digit)
    table = {**named, "cells": _list(_list(_TEXT))}
    table |= {name: page[name] for name in ("digits", "degrees")}
    problem = {
        "type": _TEXT,
        "title": _TEXT,
        "status": _number(599, 400, "integer"),
        "detail": _TEXT,
    }
    return {
        "Reading": _object(reading, explained),
        "Readings": _object({"model": _ref("Model"), "readings": _list(_ref("Reading"), 1)}),
        "Page": _object(page),
        "Table": _object(table),
        "Model": {"type": "object", "properties": {"name": _TEXT}, "required": ["name"]},
        "Stored": _object({"stored": {"const": True}, "label": _DIGIT}),
        "Health": _object({"status": {"const": "ok"}}),
        "Problem": _object(problem),
    }


def _content(schema: Schema, kind: str = "application/json") -> Schema:
    return {"content": {kind: {"schema": schema}}}


def _responses(good: dict[int, Schema], problems: tuple[int, ...]) -> dict[str, Any]:
    said = {
        str(status): {"description": HTTPStatus(status).phrase, **content}
        for status, content in good.items()
    }
    refused = {
        str(status): {"description": _PROBLEMS[status], **_content(_ref("Problem"), MEDIA_TYPE)}
        for status in problems
    }
    return {**said, **refused}


def _paths(limits: Limits) -> dict[str, Any]:
    explain = _parameter(
        "explain",
        "1: what the network saw, and what in it spoke for the answer; for "
        f"{limits.explained} pictures at most.",
        _FLAG,
    )
    known = [
        _parameter("expect", "It has so many digits.", _number(999_999_999, 1, "integer")),
        _parameter("pattern", "It has this form, in which d is any digit: dd/dd/dddd.", _row("d")),
        _parameter("choices", "It is one of these; given once for each.", _list(_row())),
        _parameter("check", "It has this checksum.", {"type": "string", "enum": list(CHECKS)}),
        _parameter("grid", "1: the cells of a table that is drawn in lines.", _FLAG),
    ]
    picture: Schema = {kind: {"schema": {}} for kind in ("image/*", "application/octet-stream")}
    most = f"At most {limits.body_bytes:,} bytes"
    takes = {
        name: {
            "description": f"{most}: JSON, or a picture in any format that Pillow reads.",
            "content": {**_content(_ref(name))["content"], **picture},
        }
        for name in ("Pictures", "Picture")
    }
    correction = {"description": f"{most}.", **_content(_ref("Correction"))}
    readings, stored = (_content(_ref(name)) for name in ("Readings", "Stored"))
    page = _content({"oneOf": [_ref("Page"), _ref("Table")]})
    return {
        "/api/predict": _post(
            "predict", "Read the one digit of each picture.", takes["Pictures"], {200: readings}
        )
        | {"parameters": [explain]},
        "/api/read": _post(
            "read", "Read all digits of one picture, row by row.", takes["Picture"], {200: page}
        )
        | {"parameters": known},
        "/api/feedback": _post(
            "feedback",
            "Say what a picture is; it is kept on the service's machine.",
            correction,
            {201: stored},
            404,
        ),
        "/api/model": _get("model", "Which model answers.", _content(_ref("Model"))),
        "/healthz": _get("health", "Whether the service answers.", _content(_ref("Health"))),
        "/metrics": _get("metrics", "Counts, for Prometheus.", _content(_TEXT, "text/plain")),
        "/openapi.json": _get("openapi", "This document.", _content({"type": "object"})),
    }


def _row(more: str = "") -> Schema:
    """A text of digits and signs, and of more."""
    signs = rf"0-9\-./,:+=×÷€$(){more}"
    return {"type": "string", "pattern": f"^[{signs} ]*[{signs}][{signs} ]*$", "maxLength": 400}


def _parameter(name: str, description: str, schema: Schema) -> Schema:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _get(name: str, summary: str, content: Schema) -> Schema:
    responses = _responses({200: content}, _OF_GETS)
    return {"get": {"summary": summary, "operationId": name, "responses": responses}}


def _post(
    name: str, summary: str, takes: Schema, gives: dict[int, Schema], *problems: int
) -> Schema:
    return {
        "post": {
            "summary": summary,
            "operationId": name,
            "requestBody": {**takes, "required": True},
            "responses": _responses(gives, (*_OF_POSTS, *problems)),
        }
    }
