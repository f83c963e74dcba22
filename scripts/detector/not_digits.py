"""What is no digit: letters, signs, words, digits spoilt, scribbles, textures, pieces of pictures.

Each kind is a function that draws one of it; `draw_junk` draws many on canvases of `drawing`.
Signs that a reader would take for a digit are left out: to refuse them is to refuse digits.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from mnist_net.arrays import Bytes
from scripts.detector.characters import draw_character
from scripts.detector.drawing import CANVAS, bezier, draw_lines, draw_with_some_pen, place
from scripts.detector.glyphs import Fonts, draw_text, hershey, one_of
from scripts.detector.hands import draw_letter

LOWER, UPPER = "acdefhjkmnprtuvwxy", "ACDEFHJKLMNPRTUVWXY"  # not: o l i s z b g q and O I S Z B G Q
GREEK = "αβγδεζηθκλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩ"  # not: ο ι ς Ο Ι Ζ Β
CYRILLIC = "АГДЖИЙКЛМНПРТУФХЦШЩЪЫЮЯажийклмнптуфхцшщыюя"  # not: О о З з Б б В Ч ч Э э Ь ь
EASTERN = (
    "あいえおかきけさすせたなにぬねはふほまみむめもやゆよれわをん"
    "アイウエオカキサシスセタチナニヌネハホマミムメモヤユヨレンタ"
    "日月火水木金土年大国東中本京出時者雨車門馬魚가나다마바사자차카타파하한글"
)
SIGNS = '"#$%&*+-:;<=>?@^_{}~€£§¶©®±×÷√∞≠≤≥∑∏∂∫∈∀∃∇←↑→↓↔♠♣♥♦★☆☺✓✗♪'
WORDS = LOWER + "oilsbgzq" + UPPER

_LETTER_FONTS = ("rowmans", "futural", "scripts", "cursive", "greek", "greeks", "mathlow")
_SIGN_FONTS = ("markers", "japanese", "symbolic", "astrology", "music", "meteorology", "cyrillic")
_NO_LETTERS = "'`,./|\\!()[]0123456789:"  # in Hershey's fonts the comma looks like a 9


Random = np.random.Generator


class Sources(NamedTuple):
    """What junk is made of: fonts, digits on canvases with their labels, grey photographs."""

    fonts: Fonts
    digits: Bytes
    labels: Bytes
    photographs: list[Bytes]

    def digit(self, random: Random, among: str = "0123456789") -> Bytes:
        """A canvas with one of these digits."""
        while True:
            index = random.integers(len(self.labels))
            if str(self.labels[index]) in among:
                return self.digits[index]

    def printed(self, text: Callable[[], str], random: Random) -> Bytes:
        """A text, made anew until there is a font that has it."""
        ink = np.zeros((0, 0), np.uint8)
        while not ink.size:
            ink = draw_text(self.fonts.pick(random), text())
        return ink


Draw = Callable[[Sources, Random], Bytes]


def line_sign(font: str, among: Callable[[str], bool], random: Random) -> Bytes:
    """A sign of a font of Hershey's that looks like no digit, each stroke moved by a little."""
    signs = {a: s for a, s in hershey(font).items() if among(a) and a not in "oOlIisSzZbBgGqQ"}
    strokes = one_of(list(signs.values()), random)
    return draw_with_some_pen([s + random.normal(0.0, 0.025, 2) for s in strokes], random)


def letter(sources: Sources, random: Random) -> Bytes:
    """A Latin letter of some font."""
    return sources.fonts.draw(LOWER if random.random() < 0.65 else UPPER, random)


def line_letter(_: Sources, random: Random) -> Bytes:
    """A letter of Hershey's, Latin or Greek, its strokes slightly apart."""
    return line_sign(one_of(_LETTER_FONTS, random), str.isalpha, random)


def sign(sources: Sources, random: Random) -> Bytes:
    """A letter of another script, punctuation, a symbol."""
    choice = random.random()
    if choice < 0.35:
        return line_sign(one_of(_SIGN_FONTS, random), lambda a: a not in _NO_LETTERS, random)
    signs = CYRILLIC if choice < 0.5 else EASTERN if choice < 0.7 else SIGNS
    return sources.fonts.draw(signs, random)


def words(sources: Sources, random: Random) -> Bytes:
    """A word, a line, or a page of text."""
    columns, rows = one_of([(1, 1), (3, 1), (4, 4), (7, 9)], random)
    lines = [" ".join(_word(random) for _ in range(columns)) for _ in range(rows)]
    return sources.printed(lambda: "\n".join(lines), random)


def _word(random: Random, least: int = 2, most: int = 9) -> str:
    letters = random.integers(len(WORDS), size=random.integers(least, most))
    return "".join(WORDS[index] for index in letters)


def number(sources: Sources, random: Random) -> Bytes:
    """Two to six digits beside each other, apart or touching, at times squeezed together."""
    n = 2 if random.random() < 0.6 else int(random.integers(3, 7))
    parts = []
    for _ in range(n):
        canvas = sources.digit(random)
        columns = np.flatnonzero(canvas.any(axis=0))
        parts.append(canvas[:, columns[0] : columns[-1] + 1])
    gap, left = int(random.integers(-4, 8)), 0
    ink = np.zeros((CANVAS, sum(part.shape[1] + max(gap, 0) for part in parts)), np.uint8)
    for part in parts:
        span = ink[:, left : left + part.shape[1]]
        np.maximum(span, part[:, : span.shape[1]], out=span)
        left = max(0, left + part.shape[1] + gap)
    if random.random() < 0.4:
        width = max(12, int(ink.shape[1] * random.uniform(0.4, 0.8)))
        ink = np.asarray(Image.fromarray(ink).resize((width, CANVAS)))
    return ink


def two_halves(sources: Sources, random: Random) -> Bytes:
    """Half of one digit beside half of another, out of joint."""
    one, other = sources.digit(random, "023456789"), sources.digit(random, "023456789")
    shift = int(random.integers(7, 13)) * (1 if random.random() < 0.5 else -1)
    if random.random() < 0.3:  # left and right instead of top and bottom
        return np.hstack([one[:, : CANVAS // 2], np.roll(other, shift, axis=0)[:, CANVAS // 2 :]])
    return np.vstack([one[: CANVAS // 2], np.roll(other, shift, axis=1)[CANVAS // 2 :]])


def overlay(sources: Sources, random: Random) -> Bytes:
    """Two digits, one over the other."""
    one, other = sources.digit(random), sources.digit(random, "0234567")
    shift = random.integers(4, 14, 2) * random.choice([-1, 1], 2)
    return np.maximum(one, np.roll(other, tuple(shift), axis=(0, 1)))


def turned(sources: Sources, random: Random) -> Bytes:
    """A digit that lies on its side, or that a mirror shows, and that is no digit then."""
    if random.random() < 0.5:
        return np.rot90(sources.digit(random, "234567"), 1 if random.random() < 0.5 else -1)
    return sources.digit(random, "34679")[:, ::-1]


def fragment(sources: Sources, random: Random) -> Bytes:
    """About a half of a digit, cut off at a slant."""
    ink = sources.digit(random, "2345")
    rows, columns = np.nonzero(ink > 127)
    angle = random.uniform(0.0, 2.0 * np.pi)
    cut = np.quantile(np.cos(angle) * rows + np.sin(angle) * columns, random.uniform(0.35, 0.55))
    row, column = np.indices(ink.shape)
    return ink * (np.cos(angle) * row + np.sin(angle) * column <= cut).astype(np.uint8)


def scribble(_: Sources, random: Random) -> Bytes:
    """Curves without a meaning: one long one, or several."""
    n = int(random.integers(1, 5))
    lengths = random.integers(7, 16, 1) if n == 1 else random.integers(2, 7, n)
    lines = [bezier(random.uniform(0.0, 1.0, (int(length), 2)), 60) for length in lengths]
    return draw_with_some_pen(lines, random)


def strokes(_: Sources, random: Random) -> Bytes:
    """Straight lines that cross or meet, zigzags, polygons, spirals, waves."""
    choice, t = random.random(), np.linspace(0.0, 1.0, 80)[:, None]
    if choice < 0.3:
        lines = [random.uniform(0.0, 1.0, (2, 2)) for _ in range(random.integers(2, 7))]
    elif choice < 0.6:
        corners = random.uniform(0.0, 1.0, (int(random.integers(3, 9)), 2))
        lines = [np.vstack([corners, corners[:1]]) if random.random() < 0.6 else corners]
    elif choice < 0.8:
        turns, phase = random.uniform(1.6, 4.0), random.uniform(0.0, 6.3)
        angle = 2.0 * np.pi * turns * t + phase
        lines = [0.5 + 0.5 * t * np.hstack([np.cos(angle), np.sin(angle)])]
    else:
        height, waves = random.uniform(0.05, 0.35), random.uniform(1.5, 6.0)
        lines = [np.hstack([t, 0.5 + height * np.sin(2.0 * np.pi * waves * t)])]
    return draw_with_some_pen(lines, random)


def rules(_: Sources, random: Random) -> Bytes:
    """A frame, a grid, ruled lines, a dash."""
    n_rows, n_columns = one_of([(2, 2), (1, 0), (2, 0), (0, 3), (4, 4), (5, 0), (3, 3)], random)
    aspect = random.uniform(0.4, 1.0)
    lines = [np.array([[0.0, y], [1.0, y]]) for y in aspect * np.linspace(0.0, 1.0, n_rows + 1)[1:]]
    lines += [np.array([[x, 0.0], [x, aspect]]) for x in np.linspace(0.0, 1.0, max(n_columns, 1))]
    return draw_lines(lines if n_columns else lines[:n_rows], random.uniform(1.0, 5.0))


def blob(_: Sources, random: Random) -> Bytes:
    """Spots: a smooth random field, grey or cut at a level."""
    smoothness = np.exp(random.uniform(np.log(0.7), np.log(9.0)))
    field = ndimage.gaussian_filter(random.standard_normal((CANVAS, CANVAS)), smoothness)
    field = (field - field.min()) / np.ptp(field)
    if random.random() < 0.6:
        field = np.where(field > np.quantile(field, random.uniform(0.3, 0.9)), 1.0, 0.0)
    return np.round(255 * field).astype(np.uint8)


def noise(_: Sources, random: Random) -> Bytes:
    """Grain all over, or a few specks here and there."""
    if random.random() < 0.5:
        dots = (random.random((CANVAS, CANVAS)) < random.uniform(0.05, 0.7)) * 255.0
    else:
        dots = np.zeros((CANVAS, CANVAS))
        rows, columns = random.integers(0, CANVAS, (2, random.integers(3, 60)))
        dots[rows, columns] = 255.0
        dots = ndimage.grey_dilation(dots, int(random.integers(1, 6)))
    smooth = ndimage.gaussian_filter(dots, random.uniform(0.0, 1.0))
    return np.round(smooth * (255.0 / max(smooth.max(), 1.0))).astype(np.uint8)


def shape(_: Sources, random: Random) -> Bytes:
    """Filled shapes, one over the other, in several greys."""
    image = Image.new("L", (CANVAS, CANVAS))
    draw = ImageDraw.Draw(image)
    for _layer in range(int(random.integers(1, 5))):
        grey = int(random.integers(90, 256))
        x, y = random.uniform(0.0, 0.5 * CANVAS, 2)
        width, height = random.uniform(0.25 * CANVAS, 0.5 * CANVAS, 2)
        choice = random.integers(3)
        if choice < 2:
            form = (draw.ellipse, draw.rectangle)[choice]
            form((x, y, x + width, y + height), fill=grey)
        else:
            corners = random.uniform(0, CANVAS, (int(random.integers(3, 7)), 2))
            draw.polygon([(float(a), float(b)) for a, b in corners], fill=grey)
    return np.asarray(image)


def photograph(sources: Sources, random: Random) -> Bytes:
    """A piece of a photograph, its paper (light or dark) taken away."""
    photo = one_of(sources.photographs, random)
    side = int(np.exp(random.uniform(np.log(24), np.log(min(photo.shape)))))
    top, left = (int(random.integers(length - side + 1)) for length in photo.shape)
    piece = Image.fromarray(photo[top : top + side, left : left + side])
    grey = np.asarray(piece.resize((CANVAS, CANVAS))).astype(np.float64)
    if random.random() < 0.5:
        grey = 255.0 - grey
    low, high = np.quantile(grey, [random.uniform(0.2, 0.8), 0.98])
    return np.round(255.0 * np.clip((grey - low) / max(high - low, 1.0), 0.0, 1.0)).astype(np.uint8)


KINDS: dict[str, tuple[Draw, float]] = {
    "letter": (letter, 19.0),
    "greek": (lambda s, random: s.fonts.draw(GREEK, random), 8.0),
    "line letter": (line_letter, 10.0),
    "handwritten": (lambda _, random: draw_letter(random), 28.0),
    "character": (lambda _, random: draw_character(random), 12.0),
    "sign": (sign, 9.0),
    "words": (words, 5.0),
    "two letters": (lambda s, random: s.printed(lambda: _word(random, 2, 4), random), 3.0),
    "number": (number, 6.0),
    "two halves": (two_halves, 1.0),
    "overlay": (overlay, 1.5),
    "turned": (turned, 4.0),
    "fragment": (fragment, 0.3),
    "scribble": (scribble, 3.0),
    "strokes": (strokes, 3.0),
    "rules": (rules, 2.0),
    "blob": (blob, 3.0),
    "noise": (noise, 2.0),
    "shape": (shape, 2.0),
    "photograph": (photograph, 3.0),
}
"""What draws each kind, and how often it is drawn, against the others."""

TEXTURES = ("words", "blob", "noise", "shape", "photograph")
"""Kinds that no pen has drawn: they are not drawn anew."""


def draw_junk(n: int, sources: Sources, random: Random) -> tuple[Bytes, list[str]]:
    """Draw `n` canvases of junk, N × 56 × 56, and say of which kind each is."""
    shares = np.array([share for _, share in KINDS.values()])
    chosen = random.choice(len(KINDS), n, p=shares / shares.sum())
    names = [list(KINDS)[index] for index in chosen]
    return np.stack([place(KINDS[name][0](sources, random)) for name in names]), names
