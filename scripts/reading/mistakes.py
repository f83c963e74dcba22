"""Many pictures on one: each mistake with what the network saw, its answer, and the label."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mnist_net.arrays import IMAGE_SHAPE, Bytes
from mnist_net.errors import ImageError
from mnist_net.files import atomic_write
from mnist_net.pictures.decoding import open_image
from mnist_net.reading.annotation import annotated
from mnist_net.reading.answers import Page
from scripts.reading.foreign import Answer, PageAnswer, Row

_WIDTH = 1400  # pixels of the sheet
_SIDE = 4 * IMAGE_SHAPE[0]  # of a picture of one digit, and of what was seen
_PAGE = (560, 200)  # at most, of a picture of several digits
_GAP = 8
_FONT_SIZE = 11
_MISTAKE = (190, 20, 30)
_ORIGIN = (105, 105, 105)


def digit_cell(answer: Answer, threshold: float) -> Image.Image:
    """A picture of one digit or none, and beside it what the network saw."""
    reading = answer.reading
    said = "nothing" if reading.digit is None else f"{reading.digit} ({reading.probability:.0%})"
    if answer.is_refused(threshold):
        said += ", refused"
    picture = _fitted(_pixels(answer.row), (_SIDE, _SIDE))
    caption = f"{said}, score {reading.score:.2f}"
    return _cell([picture, _enlarged(reading.image, 4)], caption, answer.row)


def page_cell(answer: PageAnswer) -> Image.Image:
    """A picture of several digits with their boxes, and what the network saw of each."""
    picture = _fitted(_pixels(answer.row, answer.page), _PAGE)
    seen = [_enlarged(reading.image, 2) for reading in answer.page.digits]
    strip = _side_by_side(seen, gap=2) if seen else Image.new("RGB", (1, 1), "white")
    strip.thumbnail((_WIDTH - picture.width - 4 * _GAP, _PAGE[1]))
    return _cell([picture, strip], answer.text or "nothing", answer.row)


def _pixels(row: Row, page: Page | None = None) -> Bytes:
    try:
        picture = open_image(row.file, row.path)
    except ImageError:
        return np.zeros((*IMAGE_SHAPE, 1), np.uint8)
    return picture.pixels if page is None else annotated(picture, page)


def _fitted(pixels: Bytes, within: tuple[int, int]) -> Image.Image:
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).convert("RGB")
    factor = min(within[0] / image.width, within[1] / image.height)
    size = (max(1, int(image.width * factor)), max(1, int(image.height * factor)))
    method = Image.Resampling.NEAREST if factor > 1.0 else Image.Resampling.BOX
    return image.resize(size, method)


def _enlarged(seen: Bytes, factor: int) -> Image.Image:
    return Image.fromarray(seen.repeat(factor, axis=0).repeat(factor, axis=1)).convert("RGB")


def _side_by_side(images: Sequence[Image.Image], gap: int = _GAP) -> Image.Image:
    width = sum(image.width + gap for image in images) - gap
    result = Image.new("RGB", (width, max(image.height for image in images)), "white")
    left = 0
    for image in images:
        result.paste(image, (left, 0))
        left += image.width + gap
    return result


def _cell(images: Sequence[Image.Image], answer: str, row: Row) -> Image.Image:
    """Pictures above a caption of two lines."""
    pictures = _side_by_side(images)
    lines = [
        (f"{row.label}: read {answer}", _MISTAKE),
        (f"{row.source}/{Path(row.path).name}", _ORIGIN),
    ]
    font = ImageFont.load_default(_FONT_SIZE)
    width = max([pictures.width, *(math.ceil(font.getlength(line)) for line, _ in lines)])
    cell = Image.new("RGB", (width, pictures.height + 3 * _FONT_SIZE + 4), "white")
    cell.paste(pictures, (0, 0))
    draw = ImageDraw.Draw(cell)
    for k, (line, colour) in enumerate(lines):
        place = (0, pictures.height + 2 + k * (_FONT_SIZE + 2))
        draw.text(place, line, colour, font)
    return cell


def _heading(text: str) -> Image.Image:
    heading = Image.new("RGB", (_WIDTH - 2 * _GAP, 28), "gainsboro")
    ImageDraw.Draw(heading).text((_GAP, 5), text, "black", ImageFont.load_default(16))
    return heading


def _places(cells: Iterable[Image.Image]) -> list[tuple[int, int]]:
    """Left top corners: lines from left to right, as words are set; the last is below all."""
    places, x, y, height = [], _GAP, _GAP, 0
    for cell in cells:
        if x > _GAP and x + cell.width > _WIDTH - _GAP:
            x, y, height = _GAP, y + height + _GAP, 0
        places.append((x, y))
        x, height = x + cell.width + _GAP, max(height, cell.height)
    return [*places, (_GAP, y + height + _GAP)]


def save_sheet(sections: dict[str, list[Image.Image]], path: Path) -> None:
    """Write a sheet as PNG: cells under the heading of each section."""
    cells = [c for title, group in sections.items() for c in (_heading(title), *group)]
    places = _places(cells)
    sheet = Image.new("RGB", (_WIDTH, places[-1][1]), "white")
    for cell, place in zip(cells, places[:-1], strict=True):
        sheet.paste(cell, place)
    with atomic_write(path) as stream:
        sheet.save(stream, format="PNG")
