"""Write the report of the model that ships, and take the picture of it that the README shows.

    python -m scripts.docs report
    python -m scripts.docs report --dataset path/to/mnist

Needs a Chromium and what drives it, as `make test-web` does.
"""

import subprocess
import sys
from pathlib import Path

import click

from scripts import options
from scripts.browsing import chromium

_WINDOW = {"width": 1200, "height": 900}
_LAST = "section:has(.confusion)"  # of what the picture shows
_MARGIN = 48


@click.command(help=options.paragraphs(__doc__))
@options.dataset
@options.file("--report", "reports/shipped.html", help="Where the page goes.")
@options.file("--output", "docs/images/report.png")
def main(dataset: str, report: Path, output: Path) -> None:
    command = [sys.executable, "-m", "mnist_net", "report", "shipped", "--dataset", dataset]
    subprocess.run([*command, "--output", str(report)], check=True)
    with chromium() as browser:
        page = browser.new_page(viewport=_WINDOW)
        page.goto(report.resolve().as_uri())
        box = page.locator(_LAST).first.bounding_box()
        height = box["y"] + box["height"] + _MARGIN
        clip = {"x": 0, "y": 0, "width": _WINDOW["width"], "height": height}
        page.screenshot(path=output, full_page=True, clip=clip)
    print(output)
