"""What pages are made of, in two halves that share nothing: one to choose by, one to judge by.

MNIST's training pictures (its test pictures are not looked at), digits that other people wrote, the
forms of `mnist_net.datasets.drawn`, forms of letters, and fonts: each belongs to one half.  A
person is in one half too, since MNIST's training set is ordered by who wrote.
"""

import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from scipy import ndimage

from mnist_net import load_dataset
from mnist_net.arrays import Bytes
from mnist_net.datasets.drawn import Points, digit_forms
from mnist_net.errors import ImageError
from mnist_net.pictures.decoding import open_image
from scripts.detector import hands
from scripts.detector.glyphs import FONTS
from scripts.detector.not_digits import LOWER, UPPER
from scripts.reading.foreign import read_manifest
from scripts.reading.measures import APART

HALVES = ("choosing", "judging")
LETTERS = LOWER + UPPER  # without those that a reader may take for digits

_MNIST = {"choosing": (0, 1 / 2), "judging": (1 / 2, 5 / 6)}  # the rest is kept for validation
_LEAST_SIDE = 60  # pixels of a foreign picture: a smaller one shows its pixels when it is enlarged
_EVEN = 0.12  # of the ink's strength: how much the paper at a picture's border may vary
_MOST_DIGITS = 8  # of ten: a source with fewer is no hand
_INK = (0.01, 0.3)  # share of a picture, least and most

Singles = tuple[tuple[str, Path], ...]  # labels and files
Forms = Mapping[str, Sequence[Sequence[Points]]]


@dataclass(frozen=True)
class Half:
    """All sources of one half.

    Attributes
    ----------
    images, labels
        MNIST's, N × 28 × 28 and N.
    forms
        Of each digit and letter, the forms that strokes are drawn in.
    foreign
        Of each other source, its pictures of single digits.
    fonts
        Files, by family.
    """

    name: str
    images: Bytes = field(repr=False)
    labels: Bytes = field(repr=False)
    first: int
    forms: Forms = field(repr=False)
    foreign: Mapping[str, Singles] = field(repr=False)
    fonts: Mapping[str, Sequence[Path]] = field(repr=False)

    @property
    def sources(self) -> set[str]:
        """A name of everything that a page of this half may show."""
        forms = {f"{sign}: {one!r}" for sign, some in self.forms.items() for one in some}
        mnist = {f"MNIST {self.first + k}" for k in range(len(self.labels))}
        return forms | set(self.foreign) | mnist | set(self.fonts)

    def random(self, kind: str, seed: int) -> np.random.Generator:
        """Chance of one page, which is that of no other."""
        return np.random.default_rng(
            [zlib.crc32(self.name.encode()), zlib.crc32(kind.encode()), seed]
        )

    def summary(self) -> str:
        """What there is, in a sentence."""
        return (
            f"{self.name}: {len(self.labels):,} of MNIST's training pictures, digits of "
            f"{len(self.foreign)} other sources, {len(self.fonts)} families of fonts"
            + ("" if self.fonts else " (packages.txt of scripts/detector has more)")
        )


@cache
def load_half(name: str, dataset: str = "mnist", foreign: Path | None = None) -> Half:
    """Sources of a half; without the folder of foreign digits, or fonts, of what there is."""
    training = load_dataset(dataset).train
    first, end = (round(share * len(training.labels)) for share in _MNIST[name])
    mine = HALVES.index(name)
    forms: dict[str, list[Sequence[Points]]] = defaultdict(list)
    for digit, form in digit_forms():
        forms[str(digit)].append(form)
    letters = hands.forms_of(hands.LETTERS)
    forms.update({sign: list(some) for sign, some in letters.items() if sign in LETTERS})
    return Half(
        name,
        training.images[first:end],
        training.labels[first:end],
        first,
        {sign: some[mine::2] for sign, some in forms.items() if some[mine::2]},
        _foreign(foreign, mine),
        {family: paths for family, paths in _families().items() if _side(family) == mine},
    )


def _side(name: str) -> int:
    return zlib.crc32(name.encode()) % 2


def _families() -> dict[str, list[Path]]:
    families: dict[str, list[Path]] = {}
    for path in sorted(FONTS.rglob("*.[ot]tf")):
        families.setdefault(path.parent.name, []).append(path)
    return families


def _foreign(folder: Path | None, mine: int) -> dict[str, Singles]:
    files: dict[str, Singles] = defaultdict(tuple)
    if folder is not None and folder.exists():
        for row in read_manifest(folder):
            if row.kind == "single" and row.source != APART and _side(row.source) == mine:
                files[row.source] += ((row.label, row.file),)
    return files


@lru_cache(maxsize=100)
def inks_of(singles: Singles) -> Mapping[str, Sequence[Bytes]]:
    """What a source has of each digit, as ink; nothing unless it has nearly all, and clean."""
    inks: dict[str, list[Bytes]] = defaultdict(list)
    for label, path in singles:
        ink = _ink(path)
        if ink is not None:
            inks[label].append(ink)
    return inks if len(inks) >= _MOST_DIGITS else {}


def _ink(path: Path) -> Bytes | None:
    """Ink of a single digit, cropped; None unless its paper is even and it is in one piece."""
    try:
        grey = open_image(path).pixels.mean(axis=2)
    except ImageError:
        return None
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    strength = np.abs(grey - np.median(border))
    most = float(np.quantile(strength, 0.995))
    if min(grey.shape) < _LEAST_SIDE or most < 50.0 or np.ptp(border) > _EVEN * most:
        return None
    ink = np.clip((strength / most - 0.2) / 0.5, 0.0, 1.0)
    pieces, n = ndimage.label(ink > 0.5, np.ones((3, 3)))
    sizes = np.bincount(pieces.ravel())[1:]
    if not n or not _INK[0] < sizes.sum() / ink.size < _INK[1] or sizes.max() < 0.97 * sizes.sum():
        return None
    (box,) = ndimage.find_objects((pieces == 1 + sizes.argmax()).astype(np.int32))
    return np.round(255.0 * ink[box]).astype(np.uint8)
