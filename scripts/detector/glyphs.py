"""Signs from fonts: of the Debian packages in packages.txt, and Hershey's, which are lines."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mnist_net.arrays import Bytes
from mnist_net.datasets.drawn import Points
from scripts.detector.drawing import fit_lines

FONTS, HERSHEY = Path("/usr/share/fonts"), Path("/usr/share/hershey-fonts")

APART = ("comic-neue", "dustin", "gazis", "klee", "liberation", "rufscript")
"""Families that nothing is trained on, so that their letters are new to the network."""

T = TypeVar("T")
_SIZE = 56  # of a letter, in pixels, before it is scaled
_LEAST_FAMILIES = 10


def one_of(items: Sequence[T], random: np.random.Generator) -> T:
    """One of these, each as likely."""
    return items[int(random.integers(len(items)))]


def _family(path: Path) -> str:
    return "go" if "fonts-go" in str(path) else path.parent.name


class Fonts:
    """The outline fonts of this machine, by family, which is their folder's name.

    A family is drawn first and one of its fonts then, so that large families do not rule.  The few
    that are `APART` are taken alone, or all the others are.  If there are too few, an exit says
    what to install.
    """

    def __init__(self, *, without: tuple[str, ...] = (), apart: bool = False) -> None:
        paths = sorted(FONTS.rglob("*.[ot]tf"), key=lambda path: (_family(path), path))
        kept = [path for path in paths if not any(name in str(path) for name in without)]
        families = {name: list(fonts) for name, fonts in groupby(kept, _family)}
        if len(families) < _LEAST_FAMILIES or not HERSHEY.exists():
            raise SystemExit(
                "too few fonts to learn from; on Debian 12: apt-get install "
                "--no-install-recommends $(cat scripts/detector/packages.txt)"
            )
        self.families = [fonts for name, fonts in families.items() if (name in APART) == apart]

    def pick(self, random: np.random.Generator) -> Path:
        """A font of a family that is drawn first."""
        return one_of(one_of(self.families, random), random)

    def draw(self, signs: str, random: np.random.Generator) -> Bytes:
        """One of these signs, in one of the fonts that have it."""
        for _ in range(1_000):
            path, sign = self.pick(random), one_of(signs, random)
            ink = _glyph(path, sign)
            if ink is not None:
                return ink
        raise SystemExit(f"hardly a font has {signs[:20]!r}")


@lru_cache(maxsize=1_000)
def _load(path: Path) -> ImageFont.FreeTypeFont | None:
    try:
        return ImageFont.truetype(path, _SIZE)
    except OSError:  # the odd file is damaged
        return None


@lru_cache(maxsize=50_000)
def _glyph(path: Path, sign: str) -> Bytes | None:
    ink = draw_text(path, sign)
    missing = np.array_equal(ink, draw_text(path, "\uffff"))
    return None if missing or ink.size < 200 or ink.max() < 128 else ink


def draw_text(path: Path, text: str) -> Bytes:
    """A text of one or several lines, cropped to its box; empty where the font has nothing."""
    font = _load(path)
    if font is None:
        return np.zeros((0, 0), np.uint8)
    canvas = ImageDraw.Draw(Image.new("L", (1, 1)))
    left, top, right, bottom = (round(x) for x in canvas.multiline_textbbox((0, 0), text, font))
    if right - left < 1 or bottom - top < 1 or max(right - left, bottom - top) > 4_000:
        return np.zeros((0, 0), np.uint8)
    image = Image.new("L", (right - left, bottom - top))
    ImageDraw.Draw(image).multiline_text((-left, -top), text, fill=255, font=font)
    return np.asarray(image)


@lru_cache(maxsize=50)
def hershey(name: str) -> dict[str, list[Points]]:
    """Lines of each printable character of a Hershey font, see `fit_lines`.

    Coordinates are letters, counted from R; a space and an R lift the pen.
    """
    glyphs = {}
    for code, line in enumerate((HERSHEY / f"{name}.jhf").read_text("ascii").splitlines()[:95], 32):
        pairs = [
            np.frombuffer(stroke[: len(stroke) // 2 * 2].encode(), np.uint8).reshape(-1, 2)
            for stroke in line[10:].rstrip("\n").split(" R")
        ]
        strokes = [points.astype(np.float64) - ord("R") for points in pairs if len(points) > 1]
        if strokes:
            glyphs[chr(code)] = fit_lines(strokes)
    return glyphs
