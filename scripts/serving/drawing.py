"""Measure how long the page takes from the end of a stroke to the new answer, and what it reads.

    python -m scripts.serving.drawing

Draws digits in a headless Chromium, on the page that is served and on the one that reads alone.
The time is the page's own: from the pointer's release until the answer and its reasons are shown.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import numpy as np

from mnist_net.datasets.drawn import SHEET, drawings
from mnist_net.export.web import export_web
from mnist_net.reading.reader import Reader
from mnist_net.trained.companions import load_detector
from mnist_net.trained.store import SHIPPED, find_model, load_model
from scripts import options
from scripts.browsing import chromium, draw, serving
from scripts.records import table

_ENLARGED = 1.7  # so that a digit fills most of the paper
_TIMES = "performance.getEntriesByName('stroke to answer').map((entry) => entry.duration)"
_WARM = 5  # digits that are drawn before it counts


@contextmanager
def alone() -> Iterator[str]:
    """The address of the page in a file."""
    with tempfile.TemporaryDirectory() as folder:
        reader = Reader(load_model(find_model(SHIPPED)), load_detector())
        export_web(reader, Path(folder))
        yield (Path(folder) / "index.html").as_uri()


def measured(page: Any, n_digits: int, seed: int) -> list[object]:
    """Digits that were read, strokes, and quantiles of the times in milliseconds."""
    right, times = 0, []
    for number, drawing in enumerate(drawings(n_digits + _WARM, seed)):
        page.evaluate("performance.clearMeasures()")
        places = [
            ((points - SHEET / 2) * _ENLARGED + SHEET / 2) * (100 / SHEET)
            for points in drawing.strokes
        ]
        draw(page, [list(map(tuple, stroke[::3])) for stroke in places])
        if number >= _WARM:
            right += page.locator("#digit").inner_text() == str(drawing.label)
            times += page.evaluate(_TIMES)
        page.click("#clear")
        page.wait_for_selector("#answer[data-state=empty]")
    quantiles = np.quantile(times, (0.5, 0.9, 0.99))
    return [right, len(times), *(f"{time:.0f}" for time in quantiles)]


@click.command(help=options.paragraphs(__doc__))
@click.option("--digits", type=click.IntRange(min=1), default=100, show_default=True)
@click.option("--seed", default=20, show_default=True)
def main(digits: int, seed: int) -> None:
    """Measure both pages."""
    rows = []
    with chromium() as browser:
        for name, address in (("served", serving()), ("alone", alone())):
            with address as place:
                page = browser.new_page(viewport={"width": 1280, "height": 860})
                page.goto(place)
                rows.append([name, *measured(page, digits, seed)])
                page.close()
    print(table(["", f"read of {digits}", "strokes", "median ms", "90 %", "99 %"], rows))


if __name__ == "__main__":
    main()
