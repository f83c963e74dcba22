"""From the ink of one digit to a picture as MNIST's makers would have made it.

They had bilevel pictures of pen strokes, fitted each into 20 × 20 pixels with grey levels from
anti-aliasing, and centred it by mass in 28 × 28 (LeCun et al. 1998, section III-A).  People draw
with hairlines and with brushes, so a stroke's width is brought into MNIST's range on the way: the
signed distance to the stroke's edge says of each pixel how far it must move to lie on it.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image

from mnist_net.arrays import IMAGE_SHAPE, Bytes
from mnist_net.pictures.ink import Ink
from mnist_net.pictures.pieces import bounds

__all__ = ["BOX", "centred", "deslanted", "fit_image", "fit_strokes", "in_mnist_form", "narrowed"]

BOX = 20
"""Side of the box that a digit is fitted into, in pixels."""

_FULL_INK = 230  # grey levels, which MNIST's strokes reach

_OVERSAMPLING = 4  # per pixel of the result, while strokes are moved
_PADDING = 6  # of these fine pixels: no stroke grows by more
_MOST_THINNING = 2.0  # pixels of the result
_WIDTHS = (1.8, 3.6)
"""Pixels; of MNIST's digits a fifth are thinner than the first and a fourteenth are wider than the
other by `_stroke_width`'s measure."""


def in_mnist_form(pixels: Bytes) -> Bytes | None:
    """The picture itself, bright on black, if it is as MNIST's are: 28 × 28, fitted and centred.

    Such a picture has been through all that `reading` would do to it.
    """
    if pixels.shape != (*IMAGE_SHAPE, 1):
        return None
    ink = pixels[..., 0]
    border = np.concatenate([ink[0], ink[-1], ink[:, 0], ink[:, -1]])
    if border.min() == 255:
        ink = 255 - ink
    elif border.max() > 0:
        return None
    profiles = ink.sum(axis=1, dtype=np.float64), ink.sum(axis=0, dtype=np.float64)
    extents = [np.flatnonzero(profile) for profile in profiles]
    mass = profiles[0].sum()
    if not mass or max(np.ptp(extent) + 1 for extent in extents) != BOX or ink.max() < _FULL_INK:
        return None
    centre = [profile @ np.arange(len(profile)) / mass for profile in profiles]
    is_centred = all(
        abs(place - length / 2) < 1.0 for place, length in zip(centre, ink.shape, strict=True)
    )
    return ink if is_centred else None


def fit_image(ink: Bytes) -> Bytes:
    """Crop to the ink, scale its longer side to 20, and centre by mass in 28 × 28.

    Parameters
    ----------
    ink
        uint8, rows × columns, bright ink on black, not all black.
    """
    rows, columns = _extent(ink.max(axis=1)), _extent(ink.max(axis=0))
    # As floats: a fine line on a large picture shrinks to less than one grey level of 256.
    image = Image.fromarray(ink[rows, columns].astype(np.float32))
    width, height = image.size
    longer = max(width, height)
    if longer != BOX:
        size = (max(1, round(width * BOX / longer)), max(1, round(height * BOX / longer)))
        image = image.resize(size, Image.Resampling.BICUBIC)
    digit = np.clip(np.asarray(image), 0.0, 255.0)
    # A thin stroke fades as it is shrunk; its darkest point is full ink again.
    return centred(np.round(digit * (255.0 / digit.max())).astype(np.uint8))


def _extent(profile: Bytes) -> slice:
    """From the first to the last row (or column) with solid ink, and its soft edge beyond."""
    solid = np.flatnonzero(profile > profile.max() // 2)
    first, last = int(solid[0]), int(solid[-1])
    edge = max(1, (last - first) // BOX)
    while edge and first > 0 and profile[first - 1] > 0:
        first, edge = first - 1, edge - 1
    edge = max(1, (last - first) // BOX)
    while edge and last < len(profile) - 1 and profile[last + 1] > 0:
        last, edge = last + 1, edge - 1
    return slice(first, last + 1)


def centred(digit: Bytes) -> Bytes:
    """Place a digit of at most 20 × 20 so that its centre of mass is the field's."""
    field = np.zeros(IMAGE_SHAPE, np.uint8)
    mass = digit.sum(dtype=np.float64)
    corner = []
    for axis, length in enumerate(digit.shape):
        profile = digit.sum(axis=1 - axis, dtype=np.float64)
        centre = float(profile @ np.arange(length)) / mass
        corner.append(
            int(np.clip(round(IMAGE_SHAPE[axis] / 2 - centre), 0, IMAGE_SHAPE[axis] - length))
        )
    top, left = corner
    field[top : top + digit.shape[0], left : left + digit.shape[1]] = digit
    return field


def fit_strokes(ink: Ink) -> Bytes:
    """Fit a digit's ink into MNIST's form.

    Parameters
    ----------
    ink
        Rows × columns, cropped to the digit.

    Returns
    -------
    uint8 array
        28 × 28, ink bright on black.
    """
    distance = _signed_distance(_oversampled(ink))
    width = _stroke_width(distance)
    # A blob must not be thinned until it looks like a stroke.
    change = max(float(np.clip(width, *_WIDTHS)) - width, -_MOST_THINNING)
    strokes = np.clip(distance + change * _OVERSAMPLING / 2.0 + 0.5, 0.0, 1.0)
    if strokes.max() <= 0.5:  # thinned away
        strokes = np.clip(distance + 0.5, 0.0, 1.0)
    digit = np.clip(_resized(bounds(strokes > 0.5).cut(strokes), BOX), 0.0, 1.0)
    return centred(np.round(digit * (255.0 / digit.max())).astype(np.uint8))


def _oversampled(ink: Ink) -> npt.NDArray[np.bool_]:
    """The strokes, on a grid as fine as the signed distance wants it, with a margin."""
    factor = max(ink.shape) // (BOX * _OVERSAMPLING)
    if factor > 1:
        # A hairline must not be averaged away: the strongest pixel of each block stands for it.
        height, width = (-(-length // factor) * factor for length in ink.shape)
        padded = np.pad(ink, ((0, height - ink.shape[0]), (0, width - ink.shape[1])))
        ink = padded.reshape(height // factor, factor, width // factor, factor).max(axis=(1, 3))
    fine = np.pad(_resized(ink, BOX * _OVERSAMPLING), _PADDING)
    return np.asarray(fine > min(0.5, 0.5 * fine.max()))


def _signed_distance(strokes: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Pixels to the strokes' edge, positive within."""
    from scipy.ndimage import distance_transform_edt

    inside, outside = distance_transform_edt(strokes), distance_transform_edt(~strokes)
    return np.where(strokes, inside - 0.5, 0.5 - outside)


def _stroke_width(distance: npt.NDArray[np.float64]) -> float:
    """Twice the mean distance from the edge along the strokes' ridge, in pixels of the result."""
    from scipy.ndimage import maximum_filter

    ridge = (distance > 0.0) & (distance >= maximum_filter(distance, 3))
    return 2.0 * float(distance[ridge].mean()) / _OVERSAMPLING


def _resized(levels: npt.NDArray[np.floating], longer: int) -> Ink:
    height, width = levels.shape
    scale = longer / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    image = Image.fromarray(levels.astype(np.float32))
    method = Image.Resampling.BOX if scale < 0.5 else Image.Resampling.BICUBIC
    return np.asarray(image.resize(size, method))


def narrowed(ink: Ink, share: float = 0.8) -> Ink:
    """The same at a share of its width."""
    height, width = ink.shape
    size = (max(1, round(share * width)), height)
    return np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BILINEAR))


def deslanted(ink: Ink) -> Ink:
    """The same with its main axis upright: sheared so that row and column are uncorrelated."""
    height, width = ink.shape
    rows, columns = np.mgrid[:height, :width].astype(np.float64)
    mass = ink.sum(dtype=np.float64)
    row_mean, column_mean = float((ink * rows).sum() / mass), float((ink * columns).sum() / mass)
    variance = float((ink * (rows - row_mean) ** 2).sum())
    covariance = float((ink * (rows - row_mean) * (columns - column_mean)).sum())
    shear = float(np.clip(covariance / (variance or 1.0), -1.0, 1.0))
    margin = int(abs(shear) * height) + 1
    image = Image.fromarray(np.pad(ink, ((0, 0), (margin, margin))))
    matrix = (1.0, shear, -shear * row_mean, 0.0, 1.0, 0.0)
    sheared = np.asarray(
        image.transform(image.size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
    )
    columns_with_ink = np.flatnonzero((sheared >= 0.5).any(axis=0))
    if not len(columns_with_ink):
        return ink
    return sheared[:, columns_with_ink[0] : columns_with_ink[-1] + 1]
