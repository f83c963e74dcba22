"""What a camera sees that is not paper: textures without writing, tables, things that lie about.

Both halves have cloth, wood and spots; the half to choose by has textures of four more kinds, and
the edge of a page shows pencils and coins there, but a finger in the half to judge by.
"""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage, spatial

from scripts.detector.glyphs import one_of
from scripts.pages.hands import Random
from scripts.pages.papers import Field, smooth_noise

Shape = tuple[int, int]

Thing = tuple[Field, Field]
"""Where something is that comes in from the left, 0 to 1, and how light it is there."""


def table(shape: tuple[int, int], random: Random) -> Field:
    """A table beside the paper, 0 to 1: dark or light, plain or with a grain."""
    level = random.uniform(0.08, 0.55)
    stretched = (max(1, shape[0] // 12), shape[1])
    grain = Image.fromarray(smooth_noise(stretched, 6.0, random)).resize(shape[::-1])
    return np.clip(level * (1.0 + random.uniform(0, 0.2) * np.asarray(grain)), 0.02, 0.8).astype(
        np.float32
    )


def finger(shape: Shape, width: float, random: Random) -> Thing:
    """A finger that holds the paper."""
    y, x = np.indices(shape, dtype=np.float32)
    middle, reach = shape[0] * random.uniform(0.2, 0.8), width * random.uniform(0.5, 0.95)
    radius = min(width * random.uniform(0.3, 0.5), reach)
    distance = np.hypot(np.maximum(x - (reach - radius), 0), y - middle)
    mask = np.clip((radius - distance) / random.uniform(1.5, 6.0) + 0.5, 0, 1)
    level = random.uniform(0.45, 0.85) * (1.0 - 0.25 * np.clip(distance / radius, 0, 1) ** 2)
    return mask, level


def rod(shape: Shape, width: float, random: Random) -> Thing:
    """A pencil, pen or stick, at some slant."""
    y, x = np.indices(shape, dtype=np.float32)
    angle = random.uniform(-0.6, 0.6)
    top, tip = shape[0] * random.uniform(0.1, 0.9), width * random.uniform(0.5, 1.0)
    along = (x - tip) * np.cos(angle) + (y - top) * np.sin(angle)
    across = (y - top) * np.cos(angle) - (x - tip) * np.sin(angle)
    radius = width * random.uniform(0.05, 0.25)
    point = radius * random.uniform(0.2, 3.0)
    thick = radius * np.clip(-along / point, 0.0, 1.0)
    mask = np.clip(thick - np.abs(across), 0.0, 1.0) * (along < 0)
    level = random.uniform(0.1, 0.9) + random.uniform(0, 0.3) * np.cos(across / radius * 1.5)
    if random.random() < 0.5:  # the lead, or a ring
        band = along > -point * random.uniform(0.2, 1.2)
        level = np.where(band, random.uniform(0.05, 0.9), level)
    return mask, np.clip(level, 0.03, 1.0).astype(np.float32)


def coin(shape: Shape, width: float, random: Random) -> Thing:
    """Something round or oval, with a rim."""
    y, x = np.indices(shape, dtype=np.float32)
    radius = width * random.uniform(0.3, 0.9)
    left = width * random.uniform(0.4, 0.9) - radius
    middle = shape[0] * random.uniform(0.1, 0.9)
    distance = np.hypot(x - left, (y - middle) * random.uniform(0.5, 1.3))
    mask = np.clip((radius - distance) / random.uniform(1.0, 4.0) + 0.5, 0, 1)
    level = random.uniform(0.2, 0.9) + random.uniform(-0.2, 0.2) * (x - left) / radius
    rim = np.exp(-(((distance - 0.9 * radius) / (0.06 * radius + 1.0)) ** 2))
    level = level * (1.0 + random.uniform(-0.5, 0.3) * rim)
    return mask, np.clip(level, 0.03, 1.0).astype(np.float32)


def _common(shape: Shape, height: float, random: Random) -> Field:
    """Cloth, wood or spots."""
    if random.random() < 0.35:  # cloth
        y, x = np.indices(shape, dtype=np.float32)
        pitch = random.uniform(4.0, 16.0)
        field = np.sin(2 * np.pi * x / pitch) * np.sin(2 * np.pi * y / pitch + x / 50.0)
        return (1.0 + random.uniform(0.05, 0.2) * field).astype(np.float32) * 0.9
    if random.random() < 0.5:  # wood, either way
        return np.clip(
            2.0 * (table(shape, random) if random.random() < 0.5 else table(shape[::-1], random).T),
            0,
            1,
        )
    spots = smooth_noise(shape, random.uniform(4.0, 0.8 * height), random)
    fine = smooth_noise(shape, random.uniform(2.0, 6.0), random)
    return np.clip(0.75 + random.uniform(0.04, 0.15) * spots + 0.04 * fine, 0, 1).astype(np.float32)


def _cells(shape: Shape, height: float, random: Random) -> Field:
    """Leather, tiles, dry earth: pieces with seams."""
    n = int(np.clip(np.prod(shape) / (height * random.uniform(0.3, 1.5)) ** 2, 8, 600))
    points = random.uniform(0, 1, (n, 2)) * shape
    step = 3
    y, x = np.indices(tuple(-(-side // step) for side in shape), dtype=np.float32)
    places = np.stack([y, x], axis=-1).reshape(-1, 2) * step
    distances, nearest = spatial.cKDTree(points).query(places, k=2)
    seam = np.exp(-(distances[:, 1] - distances[:, 0]) / random.uniform(1.0, 6.0))
    level = 0.75 + 0.08 * random.standard_normal(n)[nearest[:, 0]] - random.uniform(0.1, 0.5) * seam
    image = Image.fromarray(level.reshape(y.shape).astype(np.float32))
    return np.clip(np.asarray(image.resize(shape[::-1], Image.Resampling.BICUBIC)), 0, 1)


def _hatched(shape: Shape, height: float, random: Random) -> Field:
    """Straw, brushed metal, scratches: strokes that lie nearly one way."""
    image = Image.fromarray(np.full(shape, 255, np.uint8))
    draw = ImageDraw.Draw(image)
    angle, spread = random.uniform(0, np.pi), random.uniform(0.02, 0.6)
    for _ in range(int(random.integers(10, 150))):
        way = angle + random.normal(0, spread)
        length, (y, x) = height * random.uniform(0.3, 3.0), random.uniform(0, 1, 2) * shape
        end = x + length * np.cos(way), y + length * np.sin(way)
        draw.line(
            [(x, y), end], fill=int(random.integers(60, 230)), width=int(random.integers(1, 6))
        )
    level = np.asarray(image, np.float32) / 255 * random.uniform(0.6, 1.0)
    return ndimage.gaussian_filter(level, random.uniform(0.5, 2.0))


def _gravel(shape: Shape, height: float, random: Random) -> Field:
    """Stones, crumbs, stains: spots with edges."""
    spots = smooth_noise(shape, height * random.uniform(0.1, 0.6), random)
    above = np.clip((spots - random.uniform(0.5, 2.2)) * random.uniform(2, 10), 0, 1)
    level = random.uniform(0.6, 1.0) * (1.0 - random.uniform(0.15, 0.8) * above)
    return (level + 0.02 * smooth_noise(shape, 3.0, random)).astype(np.float32)


def _arcs(shape: Shape, height: float, random: Random) -> Field:
    """Rings of cups, hairs, threads: thin curves without a beginning in any hand."""
    y, x = np.indices(shape, dtype=np.float32)
    level = np.ones(shape, np.float32)
    for _ in range(int(random.integers(1, 7))):
        middle, radius = random.uniform(-0.3, 1.3, 2) * shape, height * random.uniform(0.5, 6.0)
        distance = np.hypot(y - middle[0], x - middle[1]) - radius
        width = max(0.8, height * random.uniform(0.01, 0.1))
        part = np.cos(np.arctan2(y - middle[0], x - middle[1]) - random.uniform(0, 6.3))
        strength = np.clip(5 * (part + random.uniform(-0.9, 1.0)), 0, 1)
        level *= 1.0 - random.uniform(0.1, 0.7) * strength * np.exp(-((distance / width) ** 2))
    return (random.uniform(0.6, 1.0) * level).astype(np.float32)


TEXTURES: dict[str, tuple[Callable[[Shape, float, Random], Field], ...]] = {
    "choosing": (_common, _common, _cells, _hatched, _gravel, _arcs),
    "judging": (_common,),
}
THINGS: dict[str, tuple[Callable[[Shape, float, Random], Thing], ...]] = {
    "choosing": (rod, coin),
    "judging": (finger,),
}


def texture(half: str, shape: Shape, height: float, random: Random) -> Field:
    """A surface that nobody wrote on: how light it is, 0 to 1."""
    return one_of(TEXTURES[half], random)(shape, height, random)


def beside_paper(level: Field, half: str, side: int, width: float, random: Random) -> Field:
    """The paper's edge with a table beyond, or something over it, on a side: see `_on_side`."""
    if random.random() < 0.5:
        shape = level.shape if side % 2 == 0 else level.shape[::-1]
        thing = one_of(THINGS[half], random)(shape, width, random)
        mask, light = (_on_side(field, side) for field in thing)
        return level * (1.0 - mask) + light * mask
    turned = np.rot90(level, side)
    y, x = np.indices(turned.shape, dtype=np.float32)
    tall = turned.shape[0]
    edge = width * random.uniform(0.3, 0.6) + random.normal(0, 0.06) * (y - tall / 2)
    edge = np.clip(edge, 1.0, 0.95 * width)
    on_paper = np.clip(x - edge + 0.5, 0.0, 1.0)
    cast = 1.0 - random.uniform(0.0, 0.6) * np.exp(-np.maximum(edge - x, 0) / random.uniform(2, 12))
    result = turned * on_paper + table(turned.shape, random) * cast * (1.0 - on_paper)
    return np.rot90(result, -side)


def _on_side(field: Field, side: int) -> Field:
    """What comes in from the left (0), from the top (1), the right (2) or the bottom (3)."""
    flipped = field[:, ::-1] if side >= 2 else field
    return flipped.T if side % 2 else flipped
