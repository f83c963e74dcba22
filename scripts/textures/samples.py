"""Figures of photographs with what is around them: digits, and what networks may take for such.

The pages are those to choose by (scripts/pages), seen in every way that the reader sees them; and
parts of two real photographs without writing, which come with scikit-learn.  What the networks of
pages give a little chance to be a digit, and is none, is a texture.
"""

from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage
from threadpoolctl import threadpool_limits

from mnist_net.arrays import Bytes
from mnist_net.pictures.ink import clean_paper
from mnist_net.pictures.pieces import Box
from mnist_net.pictures.sheets import likely_ways
from mnist_net.reading.arcs import DIGIT, NONE, PageNetworks
from mnist_net.reading.networks import Networks
from mnist_net.reading.texture import as_field, square_around
from mnist_net.trained.companions import load_detector, load_signs
from mnist_net.trained.store import find_model, load_cached
from scripts.detector.train import photographs
from scripts.pages.candidates import label_of
from scripts.pages.kinds import KINDS
from scripts.pages.page import Page, Truth, draw_page
from scripts.pages.sources import load_half

SIDE, AROUND = 56, 3.0
"""Pixels of a sample, and so many times as wide as the figure: more than the network sees."""

_MAY_BE = 0.02  # probability of a digit, from which on a network may take it for one
_MOST = 8  # of either label, of each way to see a page
_LEAST, _MOST_PIXELS = 70, 900.0  # of a side of a part of a real photograph
REAL = "photograph"
"""Kind of a page that is a part of a real one."""


class Samples(NamedTuple):
    """Squares around figures, N × 56 × 56, whether each is written, and the figure's sides, N × 2.

    The sides are shares of the longer one.
    """

    squares: Bytes
    written: Bytes
    sides: np.ndarray


def samples_of(page: Page, networks: PageNetworks, random: np.random.Generator) -> Samples:
    """Some of the digits of a page, and of what may be taken for one; none of clean paper."""
    squares, written, sides = [], [], []
    pixels = page.pixels
    if clean_paper(pixels[..., None]) is None:
        for way in likely_ways(pixels[..., None]):
            some: dict[int, list[tuple[float, Box]]] = {0: [], 1: []}
            for arc in (arc for arc in networks.arcs(way.sheet) if arc.is_large):
                box = way.sheet.box_on_page(arc.candidate.box).moved(*way.look.corner)
                likely = float(arc.kinds[DIGIT])
                label = label_of(page, box, arc.candidate.row.height)
                if label == DIGIT and not way.sheet.degrees:  # else the truth knows no boxes
                    some[1].append((likely, box))
                elif label == NONE and likely > _MAY_BE:
                    some[0].append((likely, box))
            for label, found in some.items():
                for k in _chosen([likely for likely, _ in found], random):
                    box = found[k][1]
                    square = Image.fromarray(square_around(pixels, box, AROUND))
                    squares.append(np.asarray(square.resize((SIDE, SIDE), Image.Resampling.BOX)))
                    written.append(label)
                    sides.append((box.width / box.size, box.height / box.size))
    return Samples(
        np.array(squares, np.uint8).reshape(-1, SIDE, SIDE),
        np.array(written, np.uint8),
        np.array(sides, np.float64).reshape(-1, 2),
    )


def _chosen(likely: list[float], random: np.random.Generator) -> list[int]:
    """Some, rather what is likely."""
    if not likely:
        return []
    weights = np.sqrt(likely) + _MAY_BE
    n = min(_MOST, len(likely))
    chosen: list[int] = random.choice(
        len(likely), n, replace=False, p=weights / weights.sum()
    ).tolist()
    return chosen


def real_page(random: np.random.Generator) -> Page:
    """A part of a real photograph, at some scale, on which nothing is written."""
    whole = Image.fromarray(photographs()[int(random.integers(2))])
    side, shape = random.uniform(0.15, 0.8) * whole.height, np.exp(random.normal(0, 0.3))
    width, height = (
        min(most, round(side * s)) for most, s in zip(whole.size, (shape, 1 / shape), strict=True)
    )
    left = int(random.integers(whole.width - width + 1))
    top = int(random.integers(whole.height - height + 1))
    factor = min(np.exp(random.uniform(-0.5, 1.1)), _MOST_PIXELS / max(width, height))
    size = max(_LEAST, round(factor * width)), max(_LEAST, round(factor * height))
    part = whole.crop((left, top, left + width, top + height)).resize(size)
    pixels = np.asarray(part)[:, :: int(random.choice([-1, 1]))]
    return Page(np.ascontiguousarray(pixels), Truth((), ""))


def varied(samples: Samples, random: np.random.Generator) -> Bytes:
    """The same as other pens, lenses and papers would show them, cropped and turned: fields."""
    drawn = zip(samples.squares, samples.sides, strict=True)
    return fields_of(np.stack([_varied(square, sides, random) for square, sides in drawn]))


def fields_of(squares: Bytes) -> Bytes:
    """What the network sees of samples."""
    margin = round(SIDE * (1.0 - 2.0 / AROUND) / 2.0)
    return np.stack([as_field(square[margin:-margin, margin:-margin]) for square in squares])


def _varied(square: Bytes, sides: np.ndarray, random: np.random.Generator) -> Bytes:
    levels = square.astype(np.float32)
    if random.random() < 0.25:  # a thicker pen, or a thinner one
        thicken = ndimage.grey_erosion if random.random() < 0.8 else ndimage.grey_dilation
        width = 3 if random.random() < 0.6 else 5
        levels = thicken(levels, size=(width, width))
    if random.random() < 0.4:
        levels = ndimage.gaussian_filter(levels, random.uniform(0.3, 1.4))
    if random.random() < 0.55:
        levels = _cropped(levels, sides, random)
    if random.random() < 0.25:
        levels = np.rot90(levels, int(random.integers(1, 4)))
    if random.random() < 0.3:
        levels = ndimage.rotate(levels, random.uniform(-35, 35), reshape=False, mode="nearest")
    usual = float(np.median(levels))
    levels = usual + random.uniform(0.5, 1.7) * (levels - usual)
    if random.random() < 0.5:
        levels += random.normal(0, random.uniform(1, 7), levels.shape).astype(np.float32)
    levels = 255 - levels if random.random() < 0.1 else levels
    levels = levels[:, ::-1] if random.random() < 0.5 else levels
    return np.clip(levels, 0, 255).astype(np.uint8)


def _cropped(levels: np.ndarray, sides: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The same as if the picture ended near the figure, on some sides."""
    size = SIDE / AROUND
    pads, window = [], []
    for length in sides[::-1] * size:
        margins = random.uniform(0, 0.6, 2) * size + SIDE * (random.random(2) > 0.8)
        first = int(max(0, np.floor(SIDE / 2 - length / 2 - margins[0])))
        last = int(min(SIDE, np.ceil(SIDE / 2 + length / 2 + margins[1])))
        pads.append((first, SIDE - last))
        window.append(slice(first, last))
    return np.pad(levels[tuple(window)], pads, mode="edge")


_tools: list[tuple[str, Path, PageNetworks]] = []  # of this process


def _prepare(dataset: str, data: Path) -> None:
    threadpool_limits(1)
    digits = Networks(load_cached(find_model()), load_detector())
    _tools[:] = [(dataset, data, PageNetworks(digits, load_signs()))]


def _drawn(task: tuple[str, int]) -> Samples:
    (kind, seed), (dataset, data, networks) = task, _tools[0]
    random = np.random.default_rng([seed, 5])
    if kind == REAL:
        return samples_of(real_page(random), networks, random)
    page = draw_page(load_half("choosing", dataset, data), kind, seed)
    return samples_of(page, networks, random)


def make(tasks: list[tuple[str, int]], dataset: str, data: Path, jobs: int) -> Samples:
    """Samples of many pages, each a kind of `KINDS` or `REAL`, and a seed."""
    unknown = {kind for kind, _ in tasks} - {*KINDS, REAL}
    if unknown:
        raise ValueError(f"there are no such kinds of pages: {unknown}")
    with get_context("spawn").Pool(jobs, partial(_prepare, dataset, data)) as pool:
        parts = pool.map(_drawn, tasks, chunksize=4)
    return Samples(*(np.concatenate(some) for some in zip(*parts, strict=True)))
