"""Take the pictures of the page that docs/drawing.md shows.

    python -m scripts.docs screenshots

Needs a Chromium and what drives it, as `make test-web` does.  The page is served by this machine,
and the digits are those of examples/, which are new to the network that ships.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import click

from scripts import options
from scripts.docs.examples import STROKES, smooth

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_WIDE = {"width": 1280, "height": 860}
_PHONE = {"width": 390, "height": 844}
_EXAMPLES = Path("examples")
_HOUSE = (
    ((25, 80), (25, 45), (75, 45), (75, 80), (25, 80)),
    ((20, 47), (50, 20), (80, 47)),
    ((45, 80), (45, 60), (57, 60), (57, 80)),
)


class Shot(NamedTuple):
    """What a picture shows: a window, and what is done in it."""

    name: str
    act: Callable[[Any], None]
    window: dict[str, Any]


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
    _rest(page)


def draw_digit(digit: int) -> Callable[[Any], None]:
    """Draw one of the digits of examples/, in smooth strokes."""
    return lambda page: draw(page, [smooth(stroke) for stroke in STROKES[digit]])


def read_page(page: Any) -> None:
    """Read the page of examples/."""
    page.click("button[data-mode=page]")
    page.set_input_files("#file", _EXAMPLES / "page" / "page.jpg")
    page.wait_for_selector("#boxes rect")
    _rest(page)


def open_no_picture(page: Any) -> None:
    """Choose a file that is no picture."""
    page.set_input_files("#file", "README.md")
    page.wait_for_selector("#trouble:not([hidden])")


def _rest(page: Any) -> None:
    page.wait_for_selector("#answer[aria-busy=false]", state="attached")
    page.wait_for_timeout(500)  # until the bars have grown


SHOTS = (
    Shot("light", draw_digit(4), {"viewport": _WIDE}),
    Shot("dark", draw_digit(2), {"viewport": _WIDE, "color_scheme": "dark"}),
    Shot("phone", draw_digit(5), {"viewport": _PHONE, "device_scale_factor": 2}),
    Shot("several", read_page, {"viewport": _WIDE}),
    Shot("no-digit", lambda page: draw(page, _HOUSE), {"viewport": _WIDE}),
    Shot("trouble", open_no_picture, {"viewport": _WIDE}),
)


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


def take(browser: Any, address: str, shot: Shot, folder: Path) -> Path:
    """One picture, of a window of its own."""
    context = browser.new_context(**shot.window)
    page = context.new_page()
    page.goto(address)
    shot.act(page)
    path = folder / f"page-{shot.name}.png"
    page.screenshot(path=path)
    context.close()
    return path


@click.command(help=options.paragraphs(__doc__))
@options.file("--output", "docs/images", help="Folder of the pictures.")
def main(output: Path) -> None:
    """Take each picture."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    try:
        playwright = import_module("playwright.sync_api")
    except ImportError as error:
        raise click.ClickException("playwright is missing: make test-web installs it") from error
    if found is None:
        raise click.ClickException("no Chromium is here, and CHROMIUM names none")
    with serving() as address, playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        for shot in SHOTS:
            print(take(browser, address, shot, output))
        browser.close()
