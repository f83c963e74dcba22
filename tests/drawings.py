"""Pictures for the tests: digits in clean strokes, files of every kind, pages of known digits."""

import io
import struct
import zlib
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from mnist_net.pictures.decoding import Picture
from mnist_net.pictures.looks import View, looks

# Strokes of digits on a grid of 10 wide and 16 high.
STROKES = {
    1: [[(3, 3), (6, 0), (6, 15)]],
    2: [[(0, 3), (3, 0), (7, 0), (9, 3), (8, 7), (0, 15), (9, 15)]],
    4: [[(6, 15), (6, 0), (0, 10), (9, 10)]],
    5: [[(9, 0), (1, 0), (0, 7), (6, 6), (9, 10), (7, 15), (0, 14)]],
    7: [[(0, 0), (9, 0), (3, 15)]],
}


def draw(
    digit: int,
    unit: int = 6,
    margin: tuple[int, int] = (12, 12),
    pen: int | None = None,
    paper: int = 255,
    ink: int = 0,
) -> Image.Image:
    """A digit in clean black strokes on white paper, by default."""
    size = (10 * unit + 2 * margin[0], 16 * unit + 2 * margin[1])
    picture = Image.new("L", size, paper)
    drawing = ImageDraw.Draw(picture)
    for stroke in STROKES[digit]:
        points = [(x * unit + margin[0], y * unit + margin[1]) for x, y in stroke]
        drawing.line(points, fill=ink, width=pen or unit, joint="curve")
    return picture


def pixels(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture)


def encoded(picture: Image.Image | np.ndarray, kind: str = "PNG", **options: object) -> io.BytesIO:
    stream = io.BytesIO()
    if isinstance(picture, np.ndarray):
        picture = Image.fromarray(picture)
    # How hard a PNG is pressed changes none of its pixels.
    picture.save(stream, kind, **({"compress_level": 1} if kind == "PNG" else {}), **options)
    stream.seek(0)
    return stream


def as_picture(levels: Image.Image | np.ndarray) -> Picture:
    """Grey levels (rows × columns) or colours (rows × columns × 3), as they would be decoded."""
    levels = np.asarray(levels)
    return Picture(levels[..., None] if levels.ndim == 2 else levels)


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Mean difference of two pictures in grey levels of 255."""
    return float(np.abs(one.astype(float) - other.astype(float)).mean())


def centre_of_mass(picture: np.ndarray) -> tuple[float, float]:
    mass = picture.astype(float)
    places = np.arange(28.0)
    return (
        float(mass.sum(axis=1) @ places / mass.sum()),
        float(mass.sum(axis=0) @ places / mass.sum()),
    )


def extent(picture: np.ndarray) -> tuple[int, int]:
    """Height and width of all that is not 0."""
    rows, columns = np.flatnonzero(picture.any(axis=1)), np.flatnonzero(picture.any(axis=0))
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


def png_of_size(width: int, height: int) -> bytes:
    """A small file that claims to hold a picture of any size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


Box = tuple[int, int, int, int]  # x, y, width, height


def compose(
    rows: Sequence[Sequence[np.ndarray]],
    scale: int = 2,
    gap: int = 16,
    margin: tuple[int, int] = (40, 30),
) -> tuple[np.ndarray, list[Box]]:
    """Dark digits on a white page in rows, and where the ink of each one is.

    A digit is 28 × 28, bright on black; `gap` lies between the inks of neighbours in a row, and
    rows are as far apart as digits are high.
    """
    line = 28 * scale
    height = 2 * margin[1] + len(rows) * 2 * line - line
    inks = [[_ink(image, scale) for image in row] for row in rows]
    width = 2 * margin[0] + max(sum(ink.shape[1] + gap for ink in row) - gap for row in inks)
    page = np.full((height, width), 255, np.uint8)
    boxes = []
    for number, row in enumerate(inks):
        left = margin[0]
        for ink in row:
            top = margin[1] + number * 2 * line + (line - ink.shape[0]) // 2
            place = page[top : top + ink.shape[0], left : left + ink.shape[1]]
            np.minimum(place, 255 - ink, out=place)
            boxes.append((left, top, ink.shape[1], ink.shape[0]))
            left += ink.shape[1] + gap
    return page, boxes


def _ink(image: np.ndarray, scale: int) -> np.ndarray:
    """The digit so many times as large, cropped to what is at least half black."""
    side = 28 * scale
    large = np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC))
    rows, columns = (np.flatnonzero((large >= 128).any(axis=axis)) for axis in (1, 0))
    return large[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes."""
    (x, y, w, h), (u, v, s, t) = one, other
    shared = max(min(x + w, u + s) - max(x, u), 0) * max(min(y + h, v + t) - max(y, v), 0)
    return shared / (w * h + s * t - shared)


def first_look(pixels: np.ndarray) -> list[View]:
    """What is seen in haste: all the ink on clean paper."""
    hasty = (look for stage in looks(pixels) for look in stage if look.drawing is not None)
    return [view for look in hasty for view in look.digit()]


def views(pixels: np.ndarray) -> list[View]:
    """What is seen with care, in the first stage that sees anything."""
    careful = (
        [view for look in stage if look.ready or look.drawing is None for view in look.digit()]
        for stage in looks(pixels)
    )
    return next(found for found in careful if found)


# Pages, light and pens.


def ten_times_as_large(image: np.ndarray, number: int) -> np.ndarray:
    return np.asarray(Image.fromarray(image).resize((280, 280), Image.Resampling.BICUBIC))


def on_a_page(image: np.ndarray, number: int, side: int = 200) -> np.ndarray:
    top, left = np.random.default_rng(number).integers(0, side - 28, 2)
    page = np.full((side, side), 255, np.uint8)
    page[top : top + 28, left : left + 28] = 255 - image
    return page


def lit(page: np.ndarray, across: float, down: float, corners: float) -> np.ndarray:
    """Darker by shares of its light towards the right, the bottom and the corners."""
    rows, columns = np.mgrid[: page.shape[0], : page.shape[1]] / (len(page) - 1.0)
    light = 1.0 - across * columns - down * rows
    light -= 2.0 * corners * ((rows - 0.5) ** 2 + (columns - 0.5) ** 2)
    return np.round(page * np.clip(light, 0.0, 1.0)).astype(np.uint8)


# Hard pictures of one clear digit.


def photograph(size: tuple[int, int] = (300, 400)) -> tuple[np.ndarray, np.ndarray]:
    """Light on a sheet of paper, and row and column of each pixel from 0 to 1."""
    rows, columns = np.mgrid[: size[1], : size[0]] / (np.array(size)[::-1, None, None] - 1.0)
    return 0.95 - 0.25 * rows, np.stack([rows, columns])


def noisy(levels: np.ndarray, deviation: float = 3.0) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0.0, deviation, levels.shape)
    return np.clip(np.round(levels + noise), 0, 255).astype(np.uint8)


def on_sheet(digit: int, ink: float, pen: int = 10, unit: int = 14) -> np.ndarray:
    """Strokes on a sheet of 300 × 400, from 0 (paper) to `ink`."""
    drawn = draw(digit, unit, (80, 88), pen, paper=0, ink=255).filter(ImageFilter.GaussianBlur(1))
    return pixels(drawn) / 255.0 * ink


def pencil(digit: int) -> np.ndarray:
    light, _ = photograph()
    return noisy(235 * light * (1.0 - on_sheet(digit, 0.15, pen=6)))
