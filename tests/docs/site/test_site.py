"""The built site: every name, every equation, every page; nothing from elsewhere.

`make docs` builds it and says where; without that it is built here, if Sphinx is installed.
"""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import click
import pytest

import mnist_net
from mnist_net.cli import main
from scripts.docs import equations
from scripts.docs.contents import pages
from tests.conftest import ROOT


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("sphinx", reason="make docs installs it")
    if built := os.environ.get("MNIST_NET_SITE"):
        return Path(built)
    output = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--quiet", "docs", str(output)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return output


class Document(HTMLParser):
    """The ids of a page, its links, and what it loads."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.ids.add(attributes.get("id", ""))
        if tag == "a":
            self.links.append(attributes.get("href", ""))
        elif tag == "link" and attributes.get("rel") in {"stylesheet", "icon", "preload"}:
            self.loads.append(attributes["href"])
        elif tag in {"script", "img", "iframe"}:
            self.loads.append(attributes.get("src", ""))


@pytest.fixture(scope="session")
def documents(site: Path) -> dict[str, Document]:
    return {
        str(path.relative_to(site).with_suffix("").as_posix()): Document(path)
        for path in sorted(site.rglob("*.html"))
        if "_static" not in path.parts
    }


def test_every_page_is_there(documents: dict[str, Document]) -> None:
    code = {f"code/{module}" for module in equations.sources()}
    assert pages().keys() | code <= documents.keys()


def test_every_link_and_anchor_leads_somewhere(documents: dict[str, Document], site: Path) -> None:
    n_followed = 0
    for document in documents.values():
        for link in document.links:
            if ":" in link or not link:
                continue
            address, _, anchor = unquote(link).partition("#")
            path = (document.path.parent / address).resolve() if address else document.path
            assert path.exists(), (document.path, link)
            if anchor and path.suffix == ".html":
                found = documents[str(path.relative_to(site.resolve()).with_suffix("").as_posix())]
                assert anchor in found.ids, (document.path, link)
                n_followed += 1
    assert n_followed > 100


def test_nothing_is_loaded_from_elsewhere(documents: dict[str, Document]) -> None:
    for document in documents.values():
        for address in filter(None, document.loads):
            assert ":" not in address, (document.path, address)
            assert (document.path.parent / address.partition("?")[0]).exists(), address


def test_every_public_name_is_in_the_reference(documents: dict[str, Document]) -> None:
    ids = documents["reference"].ids
    assert {f"mnist_net.{name}" for name in mnist_net.__all__ if name != "__version__"} <= ids


def test_every_command_is_on_its_page(documents: dict[str, Document]) -> None:
    names = main.list_commands(click.Context(main))
    assert {"predict", "train", "serve"} <= {*names} <= documents["commands"].ids


def test_every_equation_leads_to_its_line_and_back(documents: dict[str, Document]) -> None:
    derivation, found = documents["derivation"], equations.implementations()
    derived = equations.derived(pages()["derivation"])
    assert len(derived) == 45
    for number in derived:
        assert f"equation-{number}" in derivation.ids
        for line in found.get(number, []):
            assert f"code/{line.module}.html#line-{line.number}" in derivation.links
            page = documents[f"code/{line.module}"]
            text = page.path.read_text(encoding="utf-8")
            (shown,) = re.findall(rf'id="line-{line.number}">(.*)', text)
            assert f'<a href="../derivation.html#equation-{number}">({number})</a>' in shown
            assert line.code.replace(" ", "") in plain(shown).replace(" ", "")
    assert derivation.path.read_text(encoding="utf-8").count("\\tag") == 0


def plain(html: str) -> str:
    """The text of a line of HTML."""
    parts: list[str] = []
    parser = HTMLParser()
    parser.handle_data = parts.append  # type: ignore[method-assign]
    parser.feed(html)
    return "".join(parts)
