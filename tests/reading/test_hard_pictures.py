"""One clear digit in hard pictures, some of them made here and some by others."""

import itertools
from collections import defaultdict
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw

from mnist_net.pictures.decoding import open_image
from mnist_net.reading.answers import Reading
from mnist_net.reading.reader import Reader
from scripts.docs import examples
from scripts.reading.foreign import Row
from tests.drawings import (
    STROKES,
    as_picture,
    draw,
    encoded,
    noisy,
    on_sheet,
    pencil,
    photograph,
    pixels,
)
from tests.reading.conftest import answers, one


def shadow_of_a_hand(digit: int) -> np.ndarray:
    light, (rows, columns) = photograph()
    light = light * np.where(columns + 0.4 * rows > 0.75, 0.55, 1.0)
    return noisy(240 * light * (1.0 - on_sheet(digit, 0.7)))


def vignette(digit: int) -> np.ndarray:
    light, places = photograph()
    light = light * (1.0 - 1.1 * ((places - 0.5) ** 2).sum(axis=0))
    return noisy(240 * light * (1.0 - on_sheet(digit, 0.7)))


def ruled_paper(digit: int) -> np.ndarray:
    sheet = 240 * (1.0 - on_sheet(digit, 0.8))
    for row in range(20, 400, 60):
        sheet[row : row + 2] *= 0.6
    return noisy(sheet)


def tinted_paper(digit: int) -> np.ndarray:
    ink = on_sheet(digit, 1.0)[..., None]
    return noisy((1.0 - ink) * [236, 214, 150] + ink * [40, 50, 130])


def green_on_red(digit: int) -> np.ndarray:
    """Of the same lightness: 0.299 × 200 + 0.587 × 40 = 0.299 × 40 + 0.587 × 121."""
    ink = on_sheet(digit, 1.0)[..., None]
    return noisy((1.0 - ink) * [200, 40, 40] + ink * [40, 121, 40])


def hairline(digit: int) -> np.ndarray:
    return pixels(draw(digit, 50, (100, 60), pen=1))


def thick_brush(digit: int) -> np.ndarray:
    return pixels(draw(digit, 12, (40, 40), pen=36))


def thick_brush_on_black(digit: int) -> np.ndarray:
    return 255 - thick_brush(digit)


def no_margin(digit: int) -> np.ndarray:
    drawn = pixels(draw(digit, 14, (20, 20), pen=14))
    rows, columns = (np.flatnonzero((drawn < 128).any(axis=axis)) for axis in (1, 0))
    return drawn[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def tiny(digit: int) -> np.ndarray:
    return pixels(draw(digit, 5, (4, 4)).resize((12, 16), Image.Resampling.LANCZOS))


def in_a_corner_of_a_page(digit: int) -> np.ndarray:
    page = np.full((700, 500), 250, np.uint8)
    drawn = pixels(draw(digit, 3, (5, 5), paper=250, ink=30))
    page[30 : 30 + drawn.shape[0], 400 : 400 + drawn.shape[1]] = drawn
    return noisy(page)


def in_a_frame(digit: int) -> np.ndarray:
    sheet = pixels(draw(digit, 12, (60, 40))).copy()
    sheet[:4] = sheet[-4:] = sheet[:, :4] = sheet[:, -4:] = 0
    return sheet


def on_a_black_panel(digit: int) -> np.ndarray:
    page = np.full((400, 400), 245, np.uint8)
    drawn = 255 - pixels(draw(digit, 10, (40, 30)))
    page[60 : 60 + drawn.shape[0], 110 : 110 + drawn.shape[1]] = drawn
    return page


def specks(digit: int) -> np.ndarray:
    sheet = pixels(draw(digit, 12, (60, 60))).copy()
    generator = np.random.default_rng(1)
    sheet[generator.integers(0, sheet.shape[0], 80), generator.integers(0, sheet.shape[1], 80)] = 0
    return sheet


def jpeg_of_poor_quality(digit: int) -> np.ndarray:
    file = encoded(draw(digit, 8, (30, 30), paper=230, ink=60), "JPEG", quality=10)
    with Image.open(file) as image:
        return np.asarray(image)


HARD = [
    pencil,
    shadow_of_a_hand,
    vignette,
    ruled_paper,
    tinted_paper,
    green_on_red,
    hairline,
    thick_brush,
    thick_brush_on_black,
    no_margin,
    tiny,
    in_a_corner_of_a_page,
    in_a_frame,
    on_a_black_panel,
    specks,
    jpeg_of_poor_quality,
]


@pytest.mark.parametrize("digit", STROKES)
@pytest.mark.parametrize("make", HARD)
def test_a_clear_digit_is_read_from_a_hard_picture(
    reader: Reader, make: Callable[[int], np.ndarray], digit: int
) -> None:
    assert one(reader, make(digit)).digit == digit


@pytest.mark.parametrize("digit", STROKES)
@pytest.mark.parametrize("colour", ["black", "white", "yellow", "#8080ff"])
def test_ink_of_any_colour_on_transparency_is_read(reader: Reader, digit: int, colour: str) -> None:
    image = Image.new("RGBA", draw(digit).size, colour)
    image.putalpha(Image.fromarray(255 - pixels(draw(digit))))
    (answer,) = reader.read([open_image(encoded(image), "it")])
    assert isinstance(answer, Reading)
    assert answer.digit == digit


@pytest.mark.parametrize("digit", STROKES)
def test_the_box_is_where_the_digit_is(reader: Reader, digit: int) -> None:
    page = Image.new("L", (300, 250), 255)
    drawn = draw(digit)
    page.paste(drawn, (150, 60))
    ink = pixels(page) < 128
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    expected = (columns[0], rows[0], np.ptp(columns) + 1, np.ptp(rows) + 1)
    assert one(reader, page).box == expected
    (only,) = reader.read_page(as_picture(page)).digits
    assert only.box == expected


def test_other_peoples_digits(everything: Reader, foreign: list[Row]) -> None:
    rows = [row for row in foreign if row.kind == "single" and row.source != "bilal02s"]
    right: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    pictures = (open_image(row.file, row.path) for row in rows)
    for row, answer in zip(rows, everything.read(pictures), strict=True):
        assert isinstance(answer, Reading)
        for group in ("all", row.style):
            right[group][row.source].append(str(answer.digit) == row.label)
    accuracy = {
        group: float(np.mean([np.mean(values) for values in sources.values()]))
        for group, sources in right.items()
    }
    assert len(right["all"]) > 60
    assert len(right["photo"]) >= 8
    assert accuracy["all"] >= 0.975, accuracy
    assert accuracy["photo"] >= 0.98, accuracy


def in_a_shadow(levels: np.ndarray, seed: int, dark: float, softness: float) -> np.ndarray:
    """A page one side of which lies in the shadow of something straight."""
    generator = np.random.default_rng(seed)
    rows, columns = np.mgrid[: levels.shape[0], : levels.shape[1]]
    place, slope = generator.uniform(0.25, 0.75), generator.uniform(-0.3, 0.3)
    across = columns - place * levels.shape[1] + slope * (rows - levels.shape[0] / 2)
    light = dark + (1.0 - dark) / (1.0 + np.exp(-np.clip(across / softness, -50.0, 50.0)))
    return np.clip(levels * light + generator.normal(0.0, 3.0, levels.shape), 0, 255)


@pytest.mark.parametrize("dark", [0.45, 0.65, 0.8])
def test_the_edge_of_a_shadow_is_no_stroke(reader: Reader, dark: float) -> None:
    pages, blanks = [], []
    for seed, softness in itertools.product(range(5), (0.15, 1.5, 7.5)):
        page = np.full((300, 400), 200.0)
        blanks.append(in_a_shadow(page, seed + 10, dark, softness).astype(np.uint8))
        page[50:250, 100:300] *= 0.25 + 0.75 * pixels(example((2, 4, 7, 3, 5)[seed])) / 255.0
        pages.append(in_a_shadow(page, seed, dark, softness).astype(np.uint8))
    assert answers(reader, pages).tolist() == np.repeat([2, 4, 7, 3, 5], 3).tolist()
    assert sum(digit is None for digit in answers(reader, blanks)) >= 12


def example(digit: int) -> Image.Image:
    """Black strokes on white, 200 × 200."""
    drawing = Image.new("L", (400, 400), 255)
    pen = ImageDraw.Draw(drawing)
    for stroke in examples.STROKES[digit]:
        for x, y in examples.smooth(stroke):
            pen.ellipse((4 * x - 11, 4 * y - 11, 4 * x + 11, 4 * y + 11), fill=0)
    return drawing.resize((200, 200), Image.Resampling.BOX)
