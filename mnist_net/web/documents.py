"""The OpenAPI document as a page for people: plain HTML, no script, nothing from elsewhere."""

import json
from collections.abc import Iterator
from html import escape
from typing import Any

_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>mnist-net: what programs can ask</title>
<link rel="stylesheet" href="/page/docs.css">
</head>
<body>
<main>
<h1>What programs can ask</h1>
<p>Every answer is JSON; what goes wrong is one sentence, as RFC 9457 has it. The same for machines:
<a href="/openapi.json">/openapi.json</a>. To draw: <a href="/">the page</a>.</p>
<pre>curl --data-binary @7.png -H 'Content-Type: image/png' http://localhost:8000/api/predict</pre>
"""
_TAIL = "</main>\n</body>\n</html>\n"


def human_page(document: dict[str, Any]) -> str:
    """The whole page."""
    return _HEAD + "\n".join([*_places(document), *_shapes(document)]) + _TAIL


def _places(document: dict[str, Any]) -> Iterator[str]:
    for path, methods in document["paths"].items():
        parameters = methods.get("parameters", [])
        for method in ("get", "post"):
            if (operation := methods.get(method)) is None:
                continue
            yield f"<h2><code>{method.upper()} {escape(path)}</code></h2>"
            yield f"<p>{escape(operation['summary'])}</p>"
            yield "<table>"
            for parameter in parameters:
                yield _row(f"?{parameter['name']}=", escape(parameter["description"]))
            if asked := operation.get("requestBody"):
                about = f"<br>{escape(asked['description'])}" if "description" in asked else ""
                yield _row("takes", _kinds(asked) + about)
            for status, answer in operation["responses"].items():
                text = escape(answer["description"])
                yield _row(status, text if status >= "4" else f"{text}: {_kinds(answer)}")
            yield "</table>"


def _shapes(document: dict[str, Any]) -> Iterator[str]:
    yield "<h2>Shapes</h2>"
    for name, schema in document["components"]["schemas"].items():
        yield f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary>'
        yield f"<pre>{escape(json.dumps(schema, indent=2))}</pre></details>"


def _row(name: str, content: str) -> str:
    return f"<tr><th>{escape(name)}</th><td>{content}</td></tr>"


def _kinds(described: dict[str, Any]) -> str:
    """Content types, each with the shape that it has, if that has a name."""
    return ", ".join(
        f"<code>{escape(kind)}</code>{_shape(content['schema'])}"
        for kind, content in described["content"].items()
    )


def _shape(schema: dict[str, Any]) -> str:
    name = schema.get("$ref", "").rpartition("/")[2]
    return f' (<a href="#{name}">{name}</a>)' if name else ""
