"""Take the pictures of the page that docs/drawing.md shows.

    python -m scripts.docs screenshots

Needs a Chromium and what drives it, as `make test-web` does.  The page is served by this machine,
and the digits are those of examples/, which are new to the network that ships.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import click

from scripts import options
from scripts.browsing import chromium, draw, serving
from scripts.docs.examples import STROKES, smooth

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


def draw_digit(digit: int) -> Callable[[Any], None]:
    """Draw one of the digits of examples/, in smooth strokes."""
    return lambda page: draw(page, [smooth(stroke) for stroke in STROKES[digit]])


def read_page(page: Any) -> None:
    """Read the page of examples/."""
    page.click("button[data-mode=page]")
    page.set_input_files("#file", _EXAMPLES / "page" / "page.jpg")
    page.wait_for_selector("#boxes rect")


def open_no_picture(page: Any) -> None:
    """Choose a file that is no picture."""
    page.set_input_files("#file", "README.md")
    page.wait_for_selector("#trouble:not([hidden])")


SHOTS = (
    Shot("light", draw_digit(4), {"viewport": _WIDE}),
    Shot("dark", draw_digit(2), {"viewport": _WIDE, "color_scheme": "dark"}),
    Shot("phone", draw_digit(5), {"viewport": _PHONE, "device_scale_factor": 2}),
    Shot("several", read_page, {"viewport": _WIDE}),
    Shot("no-digit", lambda page: draw(page, _HOUSE), {"viewport": _WIDE}),
    Shot("trouble", open_no_picture, {"viewport": _WIDE}),
)


def take(browser: Any, address: str, shot: Shot, folder: Path) -> Path:
    """One picture, of a window of its own."""
    context = browser.new_context(**shot.window)
    page = context.new_page()
    page.goto(address)
    shot.act(page)
    page.wait_for_timeout(500)  # until the bars have grown
    path = folder / f"page-{shot.name}.png"
    page.screenshot(path=path)
    context.close()
    return path


@click.command(help=options.paragraphs(__doc__))
@options.file("--output", "docs/images", help="Folder of the pictures.")
def main(output: Path) -> None:
    """Take each picture."""
    with serving() as address, chromium() as browser:
        for shot in SHOTS:
            print(take(browser, address, shot, output))
