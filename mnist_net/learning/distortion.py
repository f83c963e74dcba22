"""Distortions of a minibatch, so that no picture is ever seen twice.

A distorted picture takes each of its pixels from a displaced place in the original.  The displaced
coordinates are an affine map of the pixel's own (rotation, scale, shear, shift) plus a smooth
random field (Simard, Steinkraus and Platt 2003, *Best practices for convolutional neural networks
applied to visual document analysis*).  Both are sums of products of a function of the row and a
function of the column: 1, the coordinate itself, and a few smooth waves.  So all coordinates of a
batch are one product ``basis · coefficients · basisᵀ``, and one bilinear resampling does the rest.
"""

import math
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from mnist_net.arrays import Array
from mnist_net.errors import DataError
from mnist_net.learning.resampling import bilinear

_FRAME = 96  # a grey that neither paper nor ink has
_NEGLIGIBLE = 1e-3  # of the field's variance: waves that carry less are left out


@dataclass(frozen=True, slots=True, kw_only=True)
class Distortion:
    """How far pictures are distorted; each amount is drawn anew for each picture.

    Attributes
    ----------
    rotation
        Degrees either way at most, uniform.
    scale
        Width and height grow or shrink by this fraction at most, each on its own, uniform.
    shear
        Horizontal pixels per vertical pixel at most, uniform.
    shift
        Pixels either way at most, uniform, horizontally and vertically.
    elastic
        Standard deviation of the smooth random displacement of a pixel, in pixels.
    smoothness
        Deviation in pixels of the Gaussian that smooths the random field.
    """

    rotation: float = 0.0
    scale: float = 0.0
    shear: float = 0.0
    shift: float = 0.0
    elastic: float = 0.0
    smoothness: float = 4.0

    def __post_init__(self) -> None:
        """Refuse what would leave nothing of a picture, by a ValueError that says what may be."""
        for name, amount in asdict(self).items():
            if not 0.0 <= amount < math.inf:
                raise ValueError(f"{name} is {amount}; it must be finite and not negative")
        if self.scale >= 1.0:
            raise ValueError(f"scale is {self.scale}; it must be below 1")
        if self.smoothness == 0.0:
            raise ValueError("smoothness is 0; it must be above 0")

    def weakened(self, strength: float) -> "Distortion":
        """The same with so many times each amount."""
        names = ("rotation", "scale", "shear", "shift", "elastic")
        return replace(self, **{name: strength * getattr(self, name) for name in names})

    def __bool__(self) -> bool:
        """Whether it changes anything."""
        return any((self.rotation, self.scale, self.shear, self.shift, self.elastic))


_STANDARD = Distortion(
    rotation=10.0, scale=0.15, shear=0.15, shift=1.0, elastic=1.0, smoothness=5.0
)
DISTORTIONS = {
    "none": Distortion(),
    "affine": replace(_STANDARD, elastic=0.0),
    "elastic": Distortion(elastic=_STANDARD.elastic, smoothness=_STANDARD.smoothness),
    "both": _STANDARD,
}
"""The distortion that we train with, its two parts, and none."""


def distortion_from(plain: Any) -> Distortion:
    """What a name of `DISTORTIONS` stands for, or amounts by name.

    Raises
    ------
    ValueError
        If it is neither; the message says what it may be.
    """
    if isinstance(plain, str) and plain in DISTORTIONS:
        return DISTORTIONS[plain]
    amounts = [one.name for one in fields(Distortion)]
    if not isinstance(plain, dict) or plain.keys() - set(amounts):
        raise ValueError(
            f"distortion is {plain!r}; it must be one of {', '.join(DISTORTIONS)}, or amounts of "
            f"{', '.join(amounts)}"
        )
    for name, amount in plain.items():
        if not is_number(amount):
            raise ValueError(f"distortion.{name} is {amount!r}; it must be a number")
    try:
        return Distortion(**plain)
    except ValueError as error:
        raise ValueError(f"distortion.{error}") from error


def is_number(value: Any) -> bool:
    """Whether it is a real number; a truth is none."""
    return isinstance(value, Real) and not isinstance(value, bool)


def name_of(distortion: Distortion) -> str | None:
    """What `DISTORTIONS` calls it, if it does."""
    return next((name for name, known in DISTORTIONS.items() if known == distortion), None)


def distort(images: Array, distortion: Distortion, generator: np.random.Generator) -> Array:
    """Distort each picture in its own random way, which the generator draws.

    The images are N × D, float, D the square of the side; their border is paper, which goes on
    beyond it.  What comes back has their shape and dtype, bilinear between the original's pixels.

    Raises
    ------
    DataError
        If D is no square of a number above 1.
    """
    side = math.isqrt(images.shape[1])
    if side < 2 or side * side != images.shape[1]:
        raise DataError(
            f"distortion needs square pictures, and {images.shape[1]} inputs are no square"
        )
    basis = _basis(side, distortion.smoothness)
    coefficients = _coefficients(len(images), basis.shape[1], distortion, generator)
    rows, columns = basis @ (coefficients @ basis.T)
    return bilinear(images, rows, columns)


def contact_sheet(
    images: npt.NDArray[np.uint8],
    distortion: Distortion,
    generator: np.random.Generator,
    *,
    n_versions: int = 9,
) -> npt.NDArray[np.uint8]:
    """Lay pictures, N × side × side, out in rows, each beside distorted versions of it.

    The sheet is N (side + 2) × (n_versions + 1) (side + 2): each picture is in a grey frame.
    """
    n, side, _ = images.shape
    originals = images.reshape(n, side * side).astype(np.float32)
    versions = [originals, *(distort(originals, distortion, generator) for _ in range(n_versions))]
    pictures = np.rint(versions).astype(np.uint8).reshape(-1, n, side, side)
    framed = np.pad(pictures, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=_FRAME)
    return framed.transpose(1, 2, 0, 3).reshape(n * (side + 2), -1)


@cache
def _basis(side: int, smoothness: float) -> npt.NDArray[np.float32]:
    """Functions of one coordinate: 1, the coordinate from the middle, and the smooth waves.

    White noise smoothed by a Gaussian of deviation σ has the covariance exp(-d² / 4σ²) at the
    distance d.  Its eigenvectors times the roots of their eigenvalues turn independent standard
    normal numbers into such noise of variance 1.
    """
    place = np.arange(side) - (side - 1) / 2
    variances, waves = np.linalg.eigh(
        np.exp(-((place[:, None] - place) ** 2) / (4.0 * smoothness**2))
    )
    kept = variances > _NEGLIGIBLE * variances.sum()
    smooth = waves[:, kept] * np.sqrt(variances[kept])  # (27)
    return np.column_stack([np.ones(side), place, smooth]).astype(np.float32)


def _coefficients(
    n: int, width: int, distortion: Distortion, generator: np.random.Generator
) -> npt.NDArray[np.float32]:
    """2 × N × width × width: of the row to take from, and of the column."""
    coefficients = np.zeros((2, n, width, width), np.float32)
    angle = np.radians(distortion.rotation) * generator.uniform(-1.0, 1.0, n)
    vertical, horizontal = 1.0 + distortion.scale * generator.uniform(-1.0, 1.0, (2, n))
    shear = distortion.shear * generator.uniform(-1.0, 1.0, n)
    cosine, sine = np.cos(angle), np.sin(angle)
    rows, columns = coefficients
    rows[:, 1, 0], rows[:, 0, 1] = vertical * cosine, vertical * sine  # (26)
    columns[:, 1, 0] = horizontal * (shear * cosine - sine)
    columns[:, 0, 1] = horizontal * (shear * sine + cosine)
    coefficients[:, :, 0, 0] = distortion.shift * generator.uniform(-1.0, 1.0, (2, n))
    if distortion.elastic:
        waves = generator.standard_normal((2, n, width - 2, width - 2), np.float32)
        coefficients[:, :, 2:, 2:] = np.float32(distortion.elastic) * waves
    return coefficients
