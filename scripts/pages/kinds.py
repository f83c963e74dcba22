"""Kinds of pages: what is written on each, how, on what, and how it is seen."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from scripts.detector.glyphs import one_of
from scripts.pages.hands import Random
from scripts.pages.papers import Range
from scripts.pages.writing import Style

Lines = list[str]
Cells = list[list[str]]

WORDS = Path(__file__).with_name("words.txt").read_text(encoding="ascii").split()
"""Words without the letters that are taken for digits."""


class Kind(NamedTuple):
    """A kind of page.

    Attributes
    ----------
    text
        Draws the lines of a page; of a grid its cells; of an empty page nothing.
    surface
        `photo`, `board` (light on dark), `screen`, or `any`.
    papers, lights
        Names in `PAPERS` and `LIGHTS`; of those, what a half has.
    turn
        Degrees by which it is turned to either side, least and most.
    tilt
        How far from above it is seen, 0 to 1.
    rough
        How bad the camera may be, 0 to 1.
    height
        Of a digit in pixels, least and most.
    slant
        Columns a row by which all writing leans to the right, least and most.
    tone
        How light ink is, in shares of its paper's.
    shrunk
        Pixels of the picture's longer side, least and most, where it is made smaller after all.
    """

    text: Callable[[Random], Lines | Cells]
    style: Style = Style()
    surface: str = "any"
    papers: tuple[str, ...] = ("plain",)
    lights: tuple[str, ...] = ("even",)
    turn: Range = (0.0, 2.0)
    tilt: float = 0.05
    rough: float = 0.4
    height: Range = (26.0, 200.0)
    quarter_turns: bool = False
    edge: bool = False
    thick: int = 0
    slant: Range = (0.0, 0.0)
    tone: Range = (0.08, 0.55)
    shrunk: Range | None = None


def digits(random: Random, least: int, most: int) -> str:
    """From `least` to `most` digits."""
    return "".join(map(str, random.integers(0, 10, int(random.integers(least, most + 1)))))


def few(random: Random) -> Lines:
    return [digits(random, 1, 4)]


def pair(random: Random) -> Lines:
    return [digits(random, 2, 2) if random.random() < 0.7 else digits(random, 1, 3)]


def long(random: Random) -> Lines:
    return [digits(random, 5, 12)]


def rows(random: Random) -> Lines:
    n = int(random.integers(2, 7))
    return [digits(random, 1, min(9, 40 // n)) for _ in range(n)]


def upright(random: Random) -> Lines:
    """Digits of which some show which way up they are."""
    while True:
        line = digits(random, 4, 8)
        if sum(sign in "23457" for sign in line) >= 3:
            return [line, digits(random, 3, 6)] if random.random() < 0.4 else [line]


def date(random: Random) -> Lines:
    day, month, year = random.integers([1, 1, 1900], [32, 13, 2100])
    return [
        one_of(
            (
                f"{day:02}/{month:02}/{year}",
                f"{day:02}.{month:02}.{year}",
                f"{year}-{month:02}-{day:02}",
                f"{day}/{month}/{year % 100:02}",
                f"{day}.{month}.{year}",
            ),
            random,
        )
    ]


def time(random: Random) -> Lines:
    hour, minute, second = random.integers([0, 0, 0], [24, 60, 60])
    return [f"{hour}:{minute:02}" + (f":{second:02}" if random.random() < 0.2 else "")]


def sums(random: Random) -> Lines:
    def one() -> str:
        a, b = (int(x) for x in random.integers(1, one_of((10, 100, 1000), random), 2))
        if random.random() < 0.7:
            return f"{a}+{b}={a + b}"
        return f"{max(a, b)}-{min(a, b)}={max(a, b) - min(a, b)}"

    return [one() for _ in range(int(random.integers(1, 4)))]


def decimal(random: Random) -> Lines:
    whole = digits(random, 1, 4).lstrip("0") or "0"
    return [f"{whole}{one_of('.,', random)}{digits(random, 1, 3)}"]


def negative(random: Random) -> Lines:
    return ["-" + (digits(random, 1, 3).lstrip("0") or "5")]


def phone(random: Random) -> Lines:
    lead = "+" if random.random() < 0.2 else ""
    return [lead + " ".join(digits(random, 2, 4) for _ in range(int(random.integers(2, 5))))]


def columns(random: Random) -> Lines:
    n = int(random.integers(1, 5))
    return [f"{digits(random, 2, 4)} {digits(random, 2, 4)}" for _ in range(n)]


def signs(random: Random) -> Lines:
    a, b = digits(random, 1, 2), digits(random, 1, 2)
    price = f"{digits(random, 1, 3)}.{digits(random, 2, 2)}"
    return [
        one_of((f"{a}×{b}", f"{a}÷{b}", f"€{price}", f"${price}", f"({a})", f"({a}+{b})"), random)
    ]


def words(random: Random) -> Lines:
    def line() -> str:
        return " ".join(one_of(WORDS, random) for _ in range(int(random.integers(1, 4))))

    return [line() for _ in range(int(random.integers(1, 4)))]


def between_words(random: Random) -> Lines:
    parts = [one_of(WORDS, random), digits(random, 1, 4), one_of(WORDS, random)]
    begin, end = one_of(((0, 2), (1, 3), (0, 3)), random)
    return [" ".join(parts[begin:end])]


def nothing(_: Random) -> Lines:
    return []


def sudoku(random: Random) -> Cells:
    share = random.uniform(0.25, 0.6)
    return [
        [digits(random, 1, 1).replace("0", "") if random.random() < share else "" for _ in range(9)]
        for _ in range(9)
    ]


def form(random: Random) -> Cells:
    n_rows, n_columns = random.integers([3, 2], [8, 6])
    most, share = int(random.integers(1, 4)), random.uniform(0.5, 0.95)
    return [
        [digits(random, 1, most) if random.random() < share else "" for _ in range(n_columns)]
        for _ in range(n_rows)
    ]


def labelled(random: Random) -> Cells:
    """A form with words in its first row, or its first column, or both."""
    cells, (above, beside) = form(random), one_of(((1, 0), (0, 1), (1, 1)), random)
    short = [word for word in WORDS if len(word) <= _LONGEST_LABEL]
    return [
        [
            one_of(short, random) if (above and r == 0) or (beside and c == 0) else text
            for c, text in enumerate(row)
        ]
        for r, row in enumerate(cells)
    ]


_EVERY_PAPER = ("plain", "ruled", "squared", "slanted", "dotted", "marked")
_EVERY_LIGHT = ("even", "shadow", "hard shadow", "crumple", "folds")
_NARROW: Range = (24.0, 70.0)  # where many digits must fit
_CELL: Range = (20.0, 34.0)
_LONGEST_LABEL = 5  # letters


def _around(what: str) -> Kind:
    return Kind(few, Style(around=what), rough=0.5)


KINDS: dict[str, Kind] = {
    "few": Kind(few),
    "screen": Kind(pair, Style(gap=(0.03, 0.2)), "screen", height=(20.0, 150.0)),
    "tiny": Kind(pair, Style(gap=(0.03, 0.2)), "screen", height=(80, 150), shrunk=(28, 64)),
    "long": Kind(long, height=(24.0, 90.0)),
    "rows": Kind(rows, height=_NARROW),
    "spaced": Kind(long, Style(gap=(0.6, 0.95)), height=(24.0, 70.0)),
    "touching": Kind(lambda random: [digits(random, 2, 5)], Style(gap=(0.02, 0.2), touching=0.6)),
    "uneven": Kind(lambda random: [digits(random, 2, 6)], Style(uneven=0.2)),
    "slanted": Kind(pair, Style(gap=(0.02, 0.25)), slant=(0.2, 0.55), surface="photo"),
    "sloped": Kind(rows, Style(rising=0.02), turn=(3.0, 8.0), height=_NARROW, surface="photo"),
    "rotated": Kind(upright, turn=(8.0, 30.0), height=(26.0, 90.0), surface="photo"),
    "quarter-turns": Kind(upright, quarter_turns=True, height=(26.0, 90.0), surface="photo"),
    "perspective": Kind(upright, turn=(0.0, 8.0), tilt=0.5, height=(30.0, 90.0), surface="photo"),
    "ruled": Kind(upright, papers=("ruled",), surface="photo"),
    "squared": Kind(upright, papers=("squared", "slanted", "dotted", "marked"), surface="photo"),
    "shadow": Kind(few, lights=("shadow", "hard shadow"), surface="photo", papers=_EVERY_PAPER),
    "crumple": Kind(few, lights=("crumple", "folds"), surface="photo"),
    "edge": Kind(few, edge=True, surface="photo", papers=_EVERY_PAPER),
    "light-on-dark": Kind(few, surface="board"),
    "rough-photo": Kind(few, rough=1.0, surface="photo", papers=_EVERY_PAPER, lights=_EVERY_LIGHT),
    "small-photo": Kind(few, surface="photo", edge=True, height=(40.0, 90.0), shrunk=(80, 220)),
    "register": Kind(
        pair,
        Style(gap=(0.0, 0.25), around="underline"),
        surface="photo",
        papers=("plain", "ruled"),
        edge=True,
        height=(40.0, 90.0),
        slant=(0.0, 0.5),
        shrunk=(120, 260),
    ),
    "faint": Kind(few, tone=(0.6, 0.8), surface="photo"),
    "dates": Kind(date, height=(26.0, 90.0)),
    "times": Kind(time),
    "sums": Kind(sums, height=(26.0, 90.0)),
    "decimals": Kind(decimal),
    "negative": Kind(negative),
    "phone": Kind(phone, height=(24.0, 80.0)),
    "columns": Kind(columns, Style(wide=(2.2, 5.0)), height=(24.0, 80.0)),
    "signs": Kind(signs),
    "framed": _around("frame"),
    "boxes": Kind(
        lambda random: [digits(random, 3, 8)], Style((0.35, 0.5), around="boxes"), rough=0.5
    ),
    "circled": _around("circle"),
    "underlined": _around("underline"),
    "sudoku": Kind(sudoku, surface="screen", height=_CELL, thick=3),
    "sudoku-photo": Kind(
        sudoku, surface="photo", height=_CELL, thick=3, tilt=0.35, turn=(0, 6), lights=_EVERY_LIGHT
    ),
    "form": Kind(form, surface="screen", height=(20.0, 44.0)),
    "form-photo": Kind(
        form, surface="photo", height=(24.0, 50.0), tilt=0.35, turn=(0, 6), lights=_EVERY_LIGHT
    ),
    "form-labels": Kind(labelled, height=(20.0, 44.0), tilt=0.2, turn=(0, 3)),
    "empty": Kind(nothing, surface="photo", papers=_EVERY_PAPER, lights=_EVERY_LIGHT, rough=0.7),
    "texture": Kind(nothing, surface="texture", papers=("plain",), lights=_EVERY_LIGHT, rough=0.7),
    "words": Kind(words, papers=_EVERY_PAPER, height=(24.0, 80.0)),
    "between-words": Kind(between_words, papers=_EVERY_PAPER, height=(24.0, 80.0)),
}
"""Every kind of page, by its name."""

GRIDS = tuple(name for name in KINDS if name.startswith(("sudoku", "form")))
NOTHING = ("empty", "texture", "words")
"""Kinds of pages on which there is no digit."""


def height_of(kind: Kind, lines: Lines | Cells, random: Random) -> float:
    """Height of a digit, so that the page is not too large."""
    low, high = np.log(kind.height)
    height = float(np.exp(random.uniform(low, high)))
    longest = max((len(line) for line in lines if isinstance(line, str)), default=1)
    return max(20.0, min(height, 1_500.0 / longest, 1_100.0 / (2.2 * max(len(lines), 1))))
