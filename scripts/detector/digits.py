"""Digits of all sorts, for the network that tells them from what is none."""

from functools import partial

import numpy as np
from PIL import Image

from mnist_net.arrays import Bytes
from mnist_net.datasets.drawn import Points, draw_digits
from scripts.detector import drawing
from scripts.detector.drawing import CANVAS, bezier, place
from scripts.detector.glyphs import Fonts, one_of
from scripts.detector.hands import draw_digit
from scripts.detector.not_digits import line_sign

NO_DIGIT_FONTS = (
    *("aenigma", "ecolier-court", "femkeklaver", "theokritos", "DSEGWeather"),
    *("LinBiolinum_K", "OCRBE", "OCRBX", "Cupola"),
)
"""Fonts whose digits are small between lines, in a box, or hard to read."""

_LINE_FONTS = (
    *("rowmans", "futural", "scripts", "rowmand"),
    *("timesr", "timesi", "futuram", "cyrillic"),
)


def enlarge(images: Bytes) -> Bytes:
    """MNIST's pictures on canvases, at twice their size."""
    size = (CANVAS, CANVAS)
    return np.stack(
        [np.asarray(Image.fromarray(i).resize(size, Image.Resampling.BILINEAR)) for i in images]
    )


def all_sorts_of_digits(
    canvases: Bytes, labels: Bytes, fonts: Fonts, random: np.random.Generator
) -> tuple[Bytes, Bytes]:
    """MNIST's digits drawn anew, twice, and as many that it has not; with their labels."""
    n = len(canvases)

    def of_a_font(digit: int) -> Bytes:
        return place(fonts.draw(str(digit), random))

    def of_lines(digit: int) -> Bytes:
        return place(line_sign(one_of(_LINE_FONTS, random), str(digit).__eq__, random))

    others, answers = [canvases, canvases], [labels, labels]
    for draw, number, among in (
        (of_a_font, n // 4, range(10)),
        (of_lines, n // 8, range(10)),
        (partial(_one_or_seven, random=random), n // 8, (1, 1, 1, 7, 7)),
        (partial(draw_digit, random=random), n // 3, (*range(10), 1, 4, 7, 9)),
    ):
        digits = random.choice(np.array(among, np.uint8), number)
        others.append(np.stack([draw(int(digit)) for digit in digits]))
        answers.append(digits)
    images, of_images = draw_digits(n // 4, int(random.integers(1 << 31)))
    drawn = np.concatenate([*others, enlarge(images)])
    labels = np.concatenate([*answers, of_images.astype(np.uint8)])
    return drawing.as_mnist_shows(drawn, random), labels


def _one_or_seven(digit: int, random: np.random.Generator) -> Bytes:
    """The forms that the continents differ in: flag, foot, bar."""
    strokes = _seven(random) if digit == 7 else _one(random)
    lines = [bezier(stroke + random.normal(0.0, 0.02, stroke.shape)) for stroke in strokes]
    width = np.exp(random.uniform(-0.4, 0.6))  # some scans are stretched to a square
    matrix = np.array([[width, 0.0], [random.uniform(-0.5, 0.25) * width, 1.0]])
    lines = drawing.fit_lines([line @ matrix for line in lines])
    return place(drawing.draw_with_some_pen(lines, random))


def _one(random: np.random.Generator) -> list[Points]:
    """A stem; mostly a flag, short or as long as the stem; sometimes a foot."""
    strokes = [np.array([[0.5, 0.0], [0.5, 0.5], [0.5, 1.0]])]
    if random.random() < 0.75:
        x, y = 0.5 - random.uniform(0.15, 0.5), random.uniform(0.15, 0.95)
        top = random.uniform(0.0, 0.2) * y
        strokes.append(np.array([[0.5, top], [0.45 * x + 0.28, 0.45 * (y + top)], [x, y]]))
    if random.random() < 0.4:
        width = random.uniform(0.15, 0.4)
        strokes.append(np.array([[0.5 - width, 1.0], [0.5, 1.0], [0.5 + width, 1.0]]))
    return strokes


def _seven(random: np.random.Generator) -> list[Points]:
    """A roof and a slanted stem; often a bar, sometimes a serif."""
    corner = [0.8, random.uniform(0.0, 0.12)]
    roof = [[0.15, 0.05], corner, corner, corner]
    strokes = [np.array([*roof, [0.6, 0.5], [random.uniform(0.3, 0.6), 1.0]])]
    if random.random() < 0.6:
        y, tilt = random.uniform(0.4, 0.6), random.uniform(-0.08, 0.08)
        strokes.append(np.array([[0.35, y + tilt], [0.6, y], [0.85, y - tilt]]))
    if random.random() < 0.3:
        strokes.append(np.array([[0.15, 0.05], [0.14, 0.12], [0.13, random.uniform(0.15, 0.3)]]))
    return strokes
