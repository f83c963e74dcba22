"""A headless Chromium, the page in it, and a hand that draws: what several scripts need."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import click

_NAMES = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser; CHROMIUM may name its program."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    try:
        playwright = import_module("playwright.sync_api")
    except ImportError as error:
        raise click.ClickException("playwright is missing: make test-web installs it") from error
    if found is None:
        raise click.ClickException("no Chromium is here, and CHROMIUM names none")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def serving() -> Iterator[str]:
    """The address of a service that runs as long as this."""
    command = [sys.executable, "-m", "mnist_net", "serve", "--quiet", "--port", "0"]
    with subprocess.Popen([*command, "--model", "shipped"], stdout=-1, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def draw(page: Any, strokes: Sequence[Sequence[tuple[float, float]]]) -> None:
    """Draw with the mouse; points are in hundredths of the paper."""
    paper = page.locator("#canvas").bounding_box()
    for stroke in strokes:
        places = [
            (paper["x"] + x / 100 * paper["width"], paper["y"] + y / 100 * paper["height"])
            for x, y in stroke
        ]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place)
        page.mouse.up()
    page.wait_for_selector("#answer[aria-busy=false]", state="attached")
