"""Ten pages that are read right and ten that are not, kind by kind: docs/images/pages-*.png.

    python -m scripts.pages examples

The pages are of the half to judge by, but written in our own strokes alone, since other people's
digits are not ours to show.  They are the first ones of either sort: none is chosen.
"""

from dataclasses import replace
from itertools import chain, count, cycle
from pathlib import Path

import click

from mnist_net.arrays import Bytes
from mnist_net.pictures.decoding import save_png
from mnist_net.reading.reader import Reader
from mnist_net.trained.companions import load_detector
from mnist_net.trained.store import load_cached
from scripts import options
from scripts.pages.kinds import KINDS
from scripts.pages.make import contact_sheet
from scripts.pages.measure import read_drawn
from scripts.pages.page import draw_page
from scripts.pages.sources import load_half

FIRST_SEED = 9_000
OF_EACH = 10


@click.command(help=options.paragraphs(__doc__))
@options.dataset
@options.model
@options.file("--folder", "docs/images")
def main(dataset: str, model: Path, folder: Path) -> None:
    half = load_half("judging", dataset)
    ours = replace(half, images=half.images[:0], labels=half.labels[:0], fonts={})
    reader = Reader(load_cached(model), load_detector())
    found: dict[str, list[tuple[Bytes, str]]] = {"right": [], "wrong": []}
    shown: set[tuple[str, str]] = set()
    seeds = chain.from_iterable([seed] * len(KINDS) for seed in count(FIRST_SEED))
    for kind, seed in zip(cycle(KINDS), seeds, strict=False):
        score, picture = read_drawn(kind, draw_page(ours, kind, seed), seed, reader)
        sort = "wrong" if score.is_mistake else "right"
        if len(found[sort]) < OF_EACH and (sort, kind) not in shown:
            shown.add((sort, kind))  # so that ten pages are of ten kinds
            found[sort].append((picture, f"{kind}: {score.truth[:40]!r}\nread {score.read[:40]!r}"))
        if all(len(cells) == OF_EACH for cells in found.values()):
            break
    for sort, cells in found.items():
        save_png(contact_sheet(cells), folder / f"pages-{sort}.png")
        click.echo(folder / f"pages-{sort}.png")
