"""Signs from fonts: those of Debian's packages, and Hershey's, which are lines and no outlines."""

from collections import defaultdict
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mnist_net.arrays import Bytes
from scripts.detector.drawing import Points, fit_lines

FONTS, HERSHEY = Path("/usr/share/fonts"), Path("/usr/share/hershey-fonts")

PACKAGES = """\
hershey-fonts-data fonts-dkg-handwriting fonts-breip fonts-rufscript fonts-kristi fonts-humor-sans
fonts-comic-neue fonts-dancingscript fonts-kaushanscript fonts-femkeklaver fonts-ecolier-court
fonts-nanum-extra fonts-kiloji fonts-seto fonts-yozvox-yozfont-edu fonts-yozvox-yozfont-cute
fonts-sjfonts fonts-isabella fonts-summersby fonts-klee fonts-havana fonts-joscelyn
fonts-tomsontalks fonts-lobster fonts-leckerli-one fonts-smc-chilanka fonts-dustin fonts-yusei-magic
fonts-lxgw-wenkai fonts-opendyslexic fonts-lemonada fonts-comfortaa fonts-quicksand
fonts-gfs-solomos fonts-gfs-gazis fonts-gfs-porson fonts-gfs-complutum fonts-gfs-theokritos
fonts-gfs-neohellenic fonts-gfs-didot fonts-dejavu-core fonts-dejavu-extra fonts-liberation
fonts-freefont-ttf fonts-lato fonts-ubuntu-title fonts-sil-andika fonts-dseg fonts-ocr-b
fonts-linuxlibertine fonts-radisnoir fonts-okolaks fonts-thai-tlwg-ttf fonts-cantarell fonts-go
fonts-jura fonts-essays1743 fonts-adf-solothurn fonts-bajaderka fonts-stick fonts-georgewilliams
fonts-dclfonts fonts-f500 fonts-klaudia-berenika fonts-monofur fonts-junction fonts-aenigma
fonts-kouzan-mouhitsu fonts-tlwg-purisa-ttf"""
"""Of Debian 12: `apt-get install --no-install-recommends` these.  Fewer will do, but less well."""

APART = ("comic-neue", "dustin", "gazis", "klee", "liberation", "rufscript")
"""Families that nothing is trained on, so that their letters are new to the network."""

_SIZE = 56  # of a letter, in pixels, before it is scaled
_LEAST_FAMILIES = 10


class Fonts:
    """All outline fonts that are installed, by family, which is their folder's name.

    A family is drawn first and one of its fonts then, so that large families do not rule.
    """

    def __init__(self, families: dict[str, list[Path]]) -> None:
        self.families = families
        self.names = sorted(families)

    @classmethod
    def installed(cls, *, without: tuple[str, ...] = ()) -> "Fonts":
        """Fonts of this machine.

        Raises
        ------
        SystemExit
            If there are too few, with what to install.
        """
        families = defaultdict(list)
        for path in sorted(FONTS.rglob("*.[ot]tf")):
            family = "go" if "fonts-go" in str(path) else path.parent.name
            if not any(name in str(path) for name in without):
                families[family].append(path)
        if len(families) < _LEAST_FAMILIES or not HERSHEY.exists():
            raise SystemExit(
                "too few fonts to learn from; on Debian: apt-get install --no-install-recommends "
                + " ".join(PACKAGES.split())
            )
        return cls(dict(families))

    def inventory(self) -> str:
        """What was found, by family, in words."""
        found = "; ".join(
            f"{name}: {', '.join(path.name for path in paths[:3])}{', …' * (len(paths) > 3)}"
            for name, paths in sorted(self.families.items())
        )
        n_files = sum(map(len, self.families.values()))
        return f"{n_files} fonts of {len(self.families)} families in {FONTS}: {found}"

    def apart(self) -> tuple["Fonts", "Fonts"]:
        """Most families, and the few that are `APART`."""
        return (
            Fonts({name: paths for name, paths in self.families.items() if name not in APART}),
            Fonts({name: paths for name, paths in self.families.items() if name in APART}),
        )

    def pick(self, random: np.random.Generator) -> Path:
        """A font of a family that is drawn first."""
        paths = self.families[self.names[random.integers(len(self.names))]]
        return paths[random.integers(len(paths))]

    def draw(self, signs: str, random: np.random.Generator) -> Bytes:
        """One of these signs, in one of the fonts that have it."""
        for _ in range(1_000):
            path, sign = self.pick(random), signs[random.integers(len(signs))]
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
    absent = draw_text(path, "\uffff")
    missing = ink.shape == absent.shape and bool((ink == absent).all())
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
    """Lines of each printable character of a Hershey font, see `fit_lines`."""
    lines = (HERSHEY / f"{name}.jhf").read_text("ascii").splitlines()
    glyphs = {chr(32 + i): _strokes(line[10:]) for i, line in enumerate(lines[:95])}
    return {sign: strokes for sign, strokes in glyphs.items() if strokes}


def _strokes(pairs: str) -> list[Points]:
    """Coordinates are letters, counted from R; a space and an R lift the pen."""
    strokes = []
    for stroke in pairs.rstrip("\n").split(" R"):
        codes = np.frombuffer(stroke[: len(stroke) // 2 * 2].encode(), np.uint8)
        points = codes.reshape(-1, 2).astype(np.float64) - ord("R")
        if len(points) > 1:
            strokes.append(points)
    return fit_lines(strokes) if strokes else []
