"""Pages as files, and sheets of many to look at."""

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from mnist_net.arrays import Bytes
from mnist_net.pictures.decoding import save_png
from scripts import options
from scripts.pages.kinds import KINDS
from scripts.pages.page import draw_page
from scripts.pages.sources import HALVES, load_half
from scripts.records import write_json

half_option = click.option("--half", type=click.Choice(HALVES), required=True)
kind_option = click.option(
    "--kind", "kinds", type=click.Choice(list(KINDS)), multiple=True, help="All, unless given."
)
seed_option = click.option("--seed", default=0, show_default=True, help="Of the first page.")

_COLUMNS, _WIDTH, _HEIGHT, _GAP = 6, 260, 200, 8  # pixels


def contact_sheet(cells: Sequence[tuple[Bytes, str]]) -> Bytes:
    """Pictures in rows, each over a caption."""
    font = ImageFont.load_default(11)
    n_rows = -(-len(cells) // _COLUMNS)
    size = (_COLUMNS * (_WIDTH + _GAP), n_rows * (_HEIGHT + 40))
    sheet = Image.new("RGB", size, "gray")
    for k, (pixels, caption) in enumerate(cells):
        row, column = divmod(k, _COLUMNS)
        place = column * (_WIDTH + _GAP), row * (_HEIGHT + 40)
        image = Image.fromarray(pixels).convert("RGB")
        sheet.paste(ImageOps.contain(image, (_WIDTH, _HEIGHT), Image.Resampling.BOX), place)
        corner = place[0], place[1] + _HEIGHT + 1
        ImageDraw.Draw(sheet).multiline_text(corner, caption, "white", font, spacing=1)
    return np.asarray(sheet)


@click.command(help=options.paragraphs(__doc__))
@half_option
@kind_option
@click.option("--count", default=24, show_default=True, help="Pages of each kind.")
@seed_option
@options.dataset
@options.data
@click.option("--output", type=Path, required=True, help="Folder to write to.")
def main(
    half: str, kinds: tuple[str, ...], count: int, seed: int, dataset: str, data: Path, output: Path
) -> None:
    sources = load_half(half, dataset, data)
    click.echo(sources.summary(), err=True)
    for kind in kinds or KINDS:
        folder, truths, cells = output / kind, {}, []
        folder.mkdir(parents=True, exist_ok=True)
        for page_seed in range(seed, seed + count):
            page = draw_page(sources, kind, page_seed)
            name = f"{kind}-{page_seed:05}.png"
            save_png(page.pixels, folder / name)
            truths[name] = page.truth._asdict()
            height, width = page.pixels.shape
            cells.append((page.pixels, f"{page_seed}: {width}×{height}\n{page.truth.text[:60]!r}"))
        write_json(folder / "truth.json", truths)
        save_png(contact_sheet(cells), output / f"{kind}.png")
        click.echo(f"{output / kind}.png: {count} pages of the kind {kind}")
