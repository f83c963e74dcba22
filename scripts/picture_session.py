"""Draw what one sees in a terminal: real commands and what they really print.

    python scripts/picture_session.py docs/images/session.png --dataset mnist

Trains a model in a scratch folder, asks it about examples/, and evaluates it.
"""

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import click
import matplotlib as mpl
from PIL import Image, ImageDraw, ImageFont

from mnist_net.files import atomic_write

ROOT = Path(__file__).resolve().parent.parent
FONT = Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSansMono.ttf"
SIZE, LEADING, MARGIN = 22, 30, 28
PAPER, INK, PROMPT, FAINT = (24, 26, 32), (222, 224, 230), (120, 200, 130), (140, 146, 160)


def run(command: str, folder: Path) -> list[str]:
    """Lines that a command prints, progress first."""
    # Found as a user finds it, so that it speaks of itself as `mnist-net`.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    finished = subprocess.run(
        shlex.split(command),
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    return (finished.stderr + finished.stdout).replace(str(folder), ".").splitlines()


def session(dataset: str) -> list[tuple[str, str]]:
    """Lines of the picture: what kind each is, and its text."""
    lines: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "examples").symlink_to(ROOT / "examples")
        source = Path(dataset).resolve() if Path(dataset).exists() else dataset
        for shown, typed, kept in (
            ("mnist-net train", f"mnist-net train --dataset {source}", 0),
            ("mnist-net predict examples/", "mnist-net predict examples/", 0),
            ("mnist-net evaluate", "mnist-net evaluate", 12),
        ):
            printed = run(typed, folder)
            if shown == "mnist-net train":
                printed = [*printed[:2], "...", *printed[-6:]]
            lines += [
                ("prompt", f"$ {shown}"),
                *(("text", line) for line in printed[: kept or None]),
            ]
            lines += [("faint", "...")] * bool(kept) + [("text", "")]
    return lines[:-1]


@click.command(help=__doc__)
@click.argument("output", type=Path, default=Path("docs/images/session.png"))
@click.option("--dataset", default="mnist", show_default=True)
def main(output: Path, dataset: str) -> None:
    lines = session(dataset)
    font = ImageFont.truetype(str(FONT), SIZE)
    width = round(max(font.getlength(text) for _, text in lines)) + 2 * MARGIN
    image = Image.new("RGB", (width, len(lines) * LEADING + 2 * MARGIN), PAPER)
    canvas = ImageDraw.Draw(image)
    for row, (kind, text) in enumerate(lines):
        color = {"prompt": PROMPT, "faint": FAINT}.get(kind, INK)
        canvas.text((MARGIN, MARGIN + row * LEADING), text, font=font, fill=color)
    with atomic_write(output) as stream:
        image.quantize(16).save(stream, format="PNG", optimize=True)


if __name__ == "__main__":
    main()
