"""The page that is opened from a file, in a browser, without a server."""

from pathlib import Path
from typing import Any

import pytest

from mnist_net.datasets.drawn import drawings
from mnist_net.export.web import export_web
from mnist_net.reading.reader import Reader
from tests.conftest import ROOT
from tests.web.page.browsing import AXE, answer, chromium, clear, draw, give, until
from tests.web.page.conftest import Open


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory, reader: Reader) -> Path:
    chromium()
    folder = tmp_path_factory.mktemp("exported")
    export_web(reader, folder)
    return folder


@pytest.fixture
def page(opened: Open, exported: Path) -> Any:
    return opened((exported / "index.html").as_uri())


def test_drawn_digits_are_read(page: Any) -> None:
    for drawing in drawings(15, 31):
        draw(page, drawing)
        assert answer(page) == str(drawing.label)
        clear(page)
    assert page.locator("#correction").is_hidden()


def test_it_says_why_and_reads_clean_pictures(page: Any) -> None:
    give(page, ROOT / "examples" / "2.png")  # chalk on a green board
    assert answer(page) == "2"
    assert page.locator("#why").is_visible()


def test_what_needs_the_service_is_said(page: Any) -> None:
    give(page, ROOT / "examples" / "page" / "page.jpg")
    assert "read by mnist-net serve" in page.locator("#trouble").inner_text()
    page.click("button[data-mode=page]")
    assert "mnist-net serve" in page.locator("#alone").inner_text()
    assert page.locator("#text").is_hidden()


def test_the_browser_checks_itself(page: Any, exported: Path) -> None:
    page.goto((exported / "check.html").as_uri())
    until(page, "document.body.dataset.alike !== undefined")
    assert page.locator("#result").inner_text().startswith("20 of 20 answers are Python’s")


def test_axe_finds_no_fault(page: Any) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not here: make test-web fetches it")
    draw(page, next(drawings(1, 4)))
    page.add_script_tag(path=AXE)
    assert not page.evaluate("axe.run()")["violations"]
