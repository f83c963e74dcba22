"""A headless Chromium, a service to look at, and a hand that draws in it."""

import base64
import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnist_net.datasets.drawn import SHEET, DrawnDigit
from tests.conftest import ROOT

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
NAMES = ("chromium", "chromium-browser", "google-chrome")
FAKE_CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
_PATIENCE = 4_000  # times 5 milliseconds and more
_ENLARGED = 1.7  # so that a digit's 100 of 240 pixels fill most of the paper


def chromium() -> str:
    """Where the browser is; skips without one, and without what drives it."""
    pytest.importorskip(
        "playwright.sync_api", reason="playwright drives the browser: make test-web"
    )
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        pytest.skip("no Chromium here (CHROMIUM may name one): apt install chromium")
    return found


@contextlib.contextmanager
def browser() -> Iterator[Any]:
    path = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # A container's root has no sandbox to give; the pages are our own.
        options = ["--no-sandbox", *FAKE_CAMERA]
        opened = playwright.chromium.launch(executable_path=path, args=options)
        try:
            yield opened
        finally:
            opened.close()


@contextlib.contextmanager
def serving(*options: object) -> Iterator[str]:
    """The address of ``mnist-net serve``, as a process of its own."""
    pytest.importorskip("starlette", reason="the service needs the extra [web]")
    command = [sys.executable, "-m", "mnist_net", "serve", "--port", "0", "--model", "shipped"]
    with subprocess.Popen(
        [*command, *map(str, options)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def box(page: Any) -> tuple[float, float, float, float]:
    found = page.locator("#canvas").bounding_box()
    return found["x"], found["y"], found["width"], found["height"]


def on_paper(page: Any, strokes: Sequence[np.ndarray]) -> list[list[tuple[float, float]]]:
    """Strokes on a sheet, as places on the screen: in the middle of the paper."""
    left, top, width, height = box(page)
    middle, scale = np.array([left + width / 2, top + height / 2]), height / SHEET * _ENLARGED
    return [
        [(float(x), float(y)) for x, y in (points - SHEET / 2) * scale + middle]
        for points in strokes
    ]


def draw(page: Any, drawing: DrawnDigit) -> None:
    """Draw with the mouse, with about the pen that the drawing has, and wait for the answer."""
    width = min(max(100 * drawing.pen / SHEET * _ENLARGED, 2), 12)
    page.locator("#width").evaluate("(slider, value) => { slider.value = value; }", width)
    for first, *others in on_paper(page, drawing.strokes):
        page.mouse.move(*first)
        page.mouse.down()
        for place in [*others[::2], others[-1]]:  # each takes its time
            page.mouse.move(*place)
        page.mouse.up()
    wait(page)


def until(page: Any, holds: str) -> None:
    """Wait for an expression; playwright's own way would need a laxer content security policy."""
    for _ in range(_PATIENCE):
        if page.evaluate(holds):
            return
        page.wait_for_timeout(5)
    raise AssertionError(f"never: {holds}")


def wait(page: Any) -> None:
    """Until the answer to what is drawn now is there."""
    until(
        page,
        "['answer', 'text'].every((id) => "
        "document.getElementById(id).getAttribute('aria-busy') !== 'true')",
    )


def answer(page: Any) -> str:
    return page.locator("#digit").inner_text().strip()


def clear(page: Any) -> None:
    page.click("#clear")
    wait(page)


_GIVE = """
([encoded, name, type, event]) => {
  const bytes = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name, { type }));
  const options = { bubbles: true, cancelable: true, dataTransfer: data, clipboardData: data };
  const Kind = event === "paste" ? ClipboardEvent : DragEvent;
  document.getElementById("paper").dispatchEvent(new Kind(event, options));
}
"""

_ANSWERS = "performance.getEntriesByName('stroke to answer').length"


def give(page: Any, path: Path, event: str = "drop") -> None:
    """Drop a file on the paper, or paste it, and wait for the answer."""
    before = page.evaluate(_ANSWERS)
    encoded = base64.b64encode(path.read_bytes()).decode()
    kinds = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif"}
    page.evaluate(_GIVE, [encoded, path.name, kinds.get(path.suffix.lower(), ""), event])
    until(page, f"{_ANSWERS} > {before} || !document.getElementById('trouble').hidden")
