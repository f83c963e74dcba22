"""What writing lies on, and what a camera makes of it: paper, light, the world around, the lens.

A paper says how light it is at each place of its plane, so that its lines bend with the writing; a
light says how bright each place of the picture is.  The halves have different papers and lights, or
the same with other parameters.
"""

import io
from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from scripts.pages.hands import Random

Field = npt.NDArray[np.float32]
Range = tuple[float, float]
Paper = Callable[[Field, Field, float, Random], Field]
Light = Callable[[tuple[int, int], float, Random], Field]


def _lines(distance: Field, width: float, dark: float) -> Field:
    return (1.0 - dark * np.clip(width / 2 + 0.5 - distance, 0.0, 1.0)).astype(np.float32)


def _from_line(place: Field, pitch: float, begin: float) -> Field:
    """How far each place is from the nearest of many parallel lines."""
    return np.abs((place - begin + pitch / 2) % pitch - pitch / 2)


def plain(u: Field, *_: object) -> Field:
    """Nothing but paper."""
    return np.ones_like(u)


def ruled(
    u: Field,
    v: Field,
    height: float,
    random: Random,
    *,
    pitch: Range,
    dark: Range,
    margin: float = 0.0,
) -> Field:
    """Lines across, and perhaps one down for the margin."""
    pen = max(1.0, height * random.uniform(0.015, 0.04))
    apart = height * random.uniform(*pitch)
    darkness = random.uniform(*dark)
    result = _lines(_from_line(v, apart, random.uniform(0, apart)), pen, darkness)
    if random.random() < margin:
        result *= _lines(np.abs(u + height * random.uniform(0.3, 0.8)), pen, darkness)
    return result


def squared(
    u: Field, v: Field, height: float, random: Random, *, pitch: Range, dark: Range
) -> Field:
    """Lines across and down."""
    pen, apart = max(1.0, height * random.uniform(0.012, 0.03)), height * random.uniform(*pitch)
    darkness = random.uniform(*dark)
    across, down = (
        _lines(_from_line(w, apart, random.uniform(0, apart)), pen, darkness) for w in (v, u)
    )
    return np.minimum(across, down)


def dotted(
    u: Field, v: Field, height: float, random: Random, *, pitch: Range, dark: Range
) -> Field:
    """A dot at each corner of squares."""
    pen, apart = max(1.5, height * random.uniform(0.03, 0.06)), height * random.uniform(*pitch)
    begin = random.uniform(0, apart)
    distance = np.hypot(_from_line(u, apart, begin), _from_line(v, apart, begin))
    return _lines(distance, pen, random.uniform(*dark))


def marked(
    u: Field, v: Field, height: float, random: Random, *, pitch: Range, dark: Range
) -> Field:
    """A small cross, dash or ring at each corner of squares, or in rows that are staggered."""
    pen, apart = max(1.0, height * random.uniform(0.015, 0.04)), height * random.uniform(*pitch)
    begin = random.uniform(0, apart)
    odd = np.floor((v - begin) / apart + 0.5) % 2 * (random.random() < 0.4)
    across, down = _from_line(u + odd * apart / 2, apart, begin), _from_line(v, apart, begin)
    arm = max(2.0, apart * random.uniform(0.06, 0.2))
    shape = random.integers(3)
    if shape == 0:
        distance = np.minimum(
            np.hypot(across, _beyond(down, arm)), np.hypot(down, _beyond(across, arm))
        )
    elif shape == 1:
        distance = np.hypot(down, _beyond(across, arm))
    else:
        distance = np.abs(np.hypot(across, down) - arm)
    return _lines(distance, pen, random.uniform(*dark))


def _beyond(distance: Field, reach: float) -> Field:
    return np.maximum(distance - reach, 0.0)


def slanted(
    u: Field, v: Field, height: float, random: Random, *, pitch: Range, dark: Range
) -> Field:
    """Two families of lines that cross at some angle, as on paper for lettering."""
    pen, apart = max(1.0, height * random.uniform(0.012, 0.03)), height * random.uniform(*pitch)
    darkness = random.uniform(*dark)
    result = np.ones_like(u)
    for angle in random.uniform(0.3, 0.6) * np.pi * np.array([0.0, 1.0]) + random.uniform(0, 0.2):
        place = u * np.sin(angle) + v * np.cos(angle)
        result = np.minimum(
            result, _lines(_from_line(place, apart, random.uniform(0, apart)), pen, darkness)
        )
    return result


PAPERS: dict[str, dict[str, Paper]] = {
    "choosing": {
        "plain": plain,
        "marked": partial(marked, pitch=(0.35, 1.1), dark=(0.12, 0.6)),
        "slanted": partial(slanted, pitch=(0.6, 1.6), dark=(0.06, 0.3)),
        "ruled": partial(ruled, pitch=(1.35, 2.4), dark=(0.1, 0.4), margin=0.25),
        "squared": partial(squared, pitch=(0.5, 1.1), dark=(0.08, 0.35)),
    },
    "judging": {
        "plain": plain,
        "ruled": partial(ruled, pitch=(1.2, 2.0), dark=(0.15, 0.5), margin=0.5),
        "squared": partial(squared, pitch=(0.4, 0.9), dark=(0.1, 0.45)),
        "dotted": partial(dotted, pitch=(0.4, 0.9), dark=(0.2, 0.6)),
    },
}


def even(shape: tuple[int, int], _: float, random: Random) -> Field:
    """A lamp somewhere: one side is darker than the other."""
    y, x = _grid(shape)
    angle, depth = random.uniform(0, 2 * np.pi), random.uniform(0.02, 0.35)
    towards = (x * np.cos(angle) + y * np.sin(angle)) / 2 + 0.5
    vignette = random.uniform(0.0, 0.15) * (x**2 + y**2) / 2
    return (1.0 - depth * np.clip(towards, 0, 1) ** random.uniform(0.7, 2.0) - vignette).astype(
        np.float32
    )


def shadow(
    shape: tuple[int, int], height: float, random: Random, *, soft: Range, dark: Range
) -> Field:
    """A hand's or a phone's shadow, whose edge is so soft, in heights of a digit."""
    y, x = np.indices(shape, dtype=np.float32)
    angle = random.uniform(0, 2 * np.pi)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    bend = (
        height * random.uniform(0.0, 1.5) * np.sin(along / (height * random.uniform(2, 6)) + angle)
    )
    low, high = float(across.min()), float(across.max())
    edge = low + (high - low) * random.uniform(0.25, 0.75)
    width = height * random.uniform(*soft)
    depth = 1.0 / (1.0 + np.exp(np.clip((edge - across - bend) / (width / 4 + 0.3), -50, 50)))
    if random.random() < 0.3:  # an arm: the light is back on its other side
        end = edge + height * random.uniform(1.5, 4.0)
        depth = depth / (1.0 + np.exp(np.clip((across + bend - end) / (width / 4 + 0.3), -50, 50)))
    return (even(shape, height, random) * (1.0 - random.uniform(*dark) * depth)).astype(np.float32)


def crumple(
    shape: tuple[int, int], height: float, random: Random, *, size: Range, deep: Range
) -> Field:
    """Flat pieces, each tilted by a little, with creases between them."""
    step = 3
    small = tuple(-(-side // step) for side in shape)
    n = int(np.clip(np.prod(shape) / (height * random.uniform(*size)) ** 2, 3, 150))
    rows, columns = random.uniform(0, small[0], n), random.uniform(0, small[1], n)
    y, x = np.indices(small, dtype=np.float32)
    distances = np.hypot(y[..., None] - rows, x[..., None] - columns)
    nearest = np.argsort(distances, axis=2)[..., :2]
    first, second = np.moveaxis(np.take_along_axis(distances, nearest, axis=2), 2, 0)
    deepness, softness = random.uniform(*deep), max(1.2, random.uniform(0.05, 0.25) * height / step)
    tilt = random.normal(0, deepness, (n, 3)) / (1.0, height / step, height / step)
    of = nearest[..., 0]
    level = tilt[of, 0] + 0.4 * (tilt[of, 1] * (y - rows[of]) + tilt[of, 2] * (x - columns[of]))
    crease = deepness * random.choice([-1.0, 1.0], (n, n))
    crease = np.minimum(crease, crease.T)[of, nearest[..., 1]] * np.exp(-(second - first) / 1.5)
    field = ndimage.gaussian_filter(np.clip(level, -3 * deepness, 3 * deepness), softness) + crease
    image = Image.fromarray((1.0 + field).astype(np.float32))
    return np.asarray(image.resize(shape[::-1], Image.Resampling.BICUBIC)) * even(
        shape, height, random
    )


def folds(shape: tuple[int, int], height: float, random: Random) -> Field:
    """Paper that was folded once or twice: another level on either side, and a line between."""
    y, x = np.indices(shape, dtype=np.float32)
    result = even(shape, height, random)
    for turned in random.permutation([False, True])[: int(random.integers(1, 3))]:
        place, length = (x, shape[1]) if turned else (y, shape[0])
        slope = random.normal(0, 0.03) * ((y if turned else x) - length / 2)
        distance = place + slope - length * random.uniform(0.25, 0.75)
        step, width = random.uniform(-0.12, 0.12), max(1.0, height * random.uniform(0.02, 0.06))
        result *= 1.0 + step * np.tanh(distance / width)
        result *= 1.0 - random.uniform(-0.15, 0.4) * np.exp(-((distance / width) ** 2))
    return result.astype(np.float32)


def creases(shape: tuple[int, int], height: float, random: Random) -> Field:
    """Paper that was bent along some lines: a ridge that catches the light, or a valley."""
    y, x = _grid(shape)
    result = even(shape, height, random)
    pixel = 2.0 / max(shape)
    for _ in range(int(random.integers(1, 5))):
        angle = random.choice([0.0, np.pi / 2]) + random.normal(0, 0.25)
        across = x * np.cos(angle) + y * np.sin(angle) - random.uniform(-0.8, 0.8)
        across = across + random.normal(0, 0.02) * (y * np.cos(angle) - x * np.sin(angle)) ** 2
        width = max(1.0, height * random.uniform(0.015, 0.08)) * pixel
        ridge = random.choice([-1.0, 1.0]) * random.uniform(0.03, 0.35)
        result = result * (1.0 + random.uniform(-0.1, 0.1) * np.clip(across / width, -1.0, 1.0))
        result = result * (1.0 + ridge / (1.0 + (across / width) ** 2))
    return result.astype(np.float32)


LIGHTS: dict[str, dict[str, Light]] = {
    "choosing": {
        "even": even,
        "shadow": partial(shadow, soft=(1.0, 4.0), dark=(0.2, 0.55)),
        "hard shadow": partial(shadow, soft=(0.05, 0.6), dark=(0.15, 0.5)),
        "crumple": partial(crumple, size=(1.5, 5.0), deep=(0.03, 0.07)),
        "folds": creases,
    },
    "judging": {
        "even": even,
        "shadow": partial(shadow, soft=(0.7, 3.0), dark=(0.25, 0.6)),
        "hard shadow": partial(shadow, soft=(0.02, 0.3), dark=(0.2, 0.55)),
        "crumple": partial(crumple, size=(1.2, 3.5), deep=(0.03, 0.09)),
        "folds": folds,
    },
}


def _grid(shape: tuple[int, int]) -> tuple[Field, Field]:
    rows, columns = (np.linspace(-1, 1, side, dtype=np.float32) for side in shape)
    return rows[:, None], columns[None, :]


def smooth_noise(shape: tuple[int, int], size: float, random: Random) -> Field:
    """A smooth random field with deviation 1, whose spots are about so many pixels."""
    small = tuple(max(4, round(side / max(size, 1.0))) + 2 for side in shape)
    image = Image.fromarray(random.standard_normal(small).astype(np.float32))
    field = np.asarray(image.resize(shape[::-1], Image.Resampling.BICUBIC), np.float32)
    return field / max(float(field.std()), 1e-6)


def photographed(
    level: Field, height: float, random: Random, rough: float = 1.0
) -> npt.NDArray[np.uint8]:
    """What a phone makes of light: blur, grain, and JPEG; `rough` is how bad it may be."""
    blur = min(random.uniform(0.5, 1.2 + 0.8 * rough), 0.035 * height)
    level = ndimage.gaussian_filter(level, blur)
    grain = smooth_noise(level.shape, random.uniform(1.0, 2.0), random)
    level = level + random.uniform(0.002, 0.006 + 0.014 * rough) * grain
    image = Image.fromarray(np.round(255 * np.clip(level, 0, 1)).astype(np.uint8))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=int(random.integers(round(85 - 45 * rough), 96)))
    with Image.open(stream) as decoded:
        return np.asarray(decoded.convert("L"))
