"""Many pictures on one: each mistake with what the network saw, its answer, and the label."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from mnist_net.arrays import IMAGE_SHAPE, Bytes
from mnist_net.errors import ImageError
from mnist_net.pictures.decoding import Picture, open_image, save_png
from mnist_net.reading.annotation import annotated
from mnist_net.reading.answers import Page
from scripts.reading.foreign import Answer, PageAnswer, Row

_COLUMNS, _SIDE, _GAP = 5, 128, 8  # pixels; a cell is two pictures beside each other
_FONT = ImageFont.load_default(11)


def digit_cell(answer: Answer, threshold: float) -> Image.Image:
    """A picture of one digit or none, and beside it what the network saw."""
    reading = answer.reading
    said = "nothing" if reading.digit is None else f"{reading.digit} ({reading.probability:.0%})"
    refused = ", refused" if answer.is_refused(threshold) else ""
    caption = f"{said}{refused}, score {reading.score:.2f}"
    return _cell(answer.row, Page(()), reading.image, caption)


def page_cell(answer: PageAnswer) -> Image.Image:
    """A picture of several digits with their boxes, and what the network saw of each."""
    seen = [reading.image for reading in answer.page.digits] or [np.zeros(IMAGE_SHAPE, np.uint8)]
    return _cell(answer.row, answer.page, np.hstack(seen), answer.text or "nothing")


def _cell(row: Row, page: Page, seen: Bytes, answer: str) -> Image.Image:
    """The picture and what was seen of it, above a caption of two lines."""
    try:
        picture = open_image(row.file, row.path)
    except ImageError:
        picture = Picture(np.zeros((*IMAGE_SHAPE, 1), np.uint8))
    cell = Image.new("RGB", (2 * _SIDE, _SIDE + 30), "white")
    for left, pixels in ((0, annotated(picture, page)), (_SIDE, seen)):
        image = Image.fromarray(pixels).convert("RGB")
        cell.paste(ImageOps.contain(image, (_SIDE - 2, _SIDE), Image.Resampling.BOX), (left, 0))
    lines = f"{row.label}: read {answer}\n{row.source}/{Path(row.path).name}"
    ImageDraw.Draw(cell).multiline_text((0, _SIDE + 1), lines, "firebrick", _FONT, spacing=1)
    return cell


def save_sheet(sections: dict[str, list[Image.Image]], path: Path) -> None:
    """Write a sheet as PNG: cells in rows under the heading of each section."""
    width, height = 2 * _SIDE + _GAP, _SIDE + 30 + _GAP
    n_rows = [-(-len(cells) // _COLUMNS) for cells in sections.values()]
    size = (_COLUMNS * width + _GAP, sum(n_rows) * height + 30 * len(sections))
    sheet, top = Image.new("RGB", size, "white"), 0
    for (title, cells), n in zip(sections.items(), n_rows, strict=True):
        ImageDraw.Draw(sheet).text((_GAP, top + 8), title, "black", ImageFont.load_default(16))
        for k, cell in enumerate(cells):
            row, column = divmod(k, _COLUMNS)
            sheet.paste(cell, (_GAP + column * width, top + 30 + row * height))
        top += 30 + n * height
    save_png(np.asarray(sheet), path)
