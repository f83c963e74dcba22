"""MNIST's form: how the ink of one digit becomes a picture as MNIST's makers would have made it.

They had bilevel pictures of pen strokes, fitted each into 20 × 20 pixels, keeping its proportions,
with grey levels from anti-aliasing, and placed it in a field of 28 × 28 with its centre of mass in
the middle (LeCun et al. 1998, section III-A).  So: crop, scale, centre.  People draw with hairlines
and with brushes, too; where a picture may come from anybody, a stroke's width is brought into
MNIST's range on the way: the signed distance to the stroke's edge says of each pixel how far it
must move to lie on it.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image

from mnist_net.arrays import IMAGE_SHAPE, Bytes
from mnist_net.pictures.ink import Ink
from mnist_net.pictures.pieces import bounds

BOX = 20
"""Side of the box that a digit is fitted into, in pixels."""

_SQUARE = 24  # pixels of a side, that two digits fill
_FULL_INK = 230  # grey levels, which MNIST's strokes reach
_OVERSAMPLING = 4  # per pixel of the result, while strokes are moved
_PADDING = 6  # of these fine pixels: no stroke grows by more
_MOST_THINNING = 2.0  # pixels of the result
_WIDTHS = (1.8, 3.6)
"""Pixels; of MNIST's digits a fifth are thinner than the first and a fourteenth are wider than the
other by `_stroke_width`'s measure."""


def in_mnist_form(pixels: Bytes) -> Bytes | None:
    """The picture itself, bright on black, if it is as MNIST's are: 28 × 28, fitted and centred.

    It is given as uint8, rows × columns × channels.
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


def fitted(ink: Bytes | Ink, *, usual_strokes: bool = False) -> Bytes:
    """Crop to the ink, scale its longer side to 20, and centre by mass: uint8, 28 × 28.

    The ink is rows × columns, 0 on paper and not all 0; uint8 up to 255, or float up to 1.  To
    make strokes as wide as MNIST's, it must be cropped to the digit.
    """
    full = np.float32(255.0 if ink.dtype == np.uint8 else 1.0)
    # As floats: a fine line on a large picture shrinks to less than one grey level of 256.
    levels, method = ink.astype(np.float32), Image.Resampling.BICUBIC
    if usual_strokes:  # flat ones on a fine grid, of which averages make grey levels
        levels, method = full * _with_usual_strokes(levels / full), Image.Resampling.BOX
    rows, columns = _extent(levels.max(axis=1)), _extent(levels.max(axis=0))
    digit = np.clip(_resized(levels[rows, columns], BOX, method), 0.0, full)
    # A thin stroke fades as it is shrunk; its darkest point is full ink again.
    return _centred(np.round(digit * (255.0 / digit.max())).astype(np.uint8))


def stretched(ink: Ink) -> Bytes:
    """Two digits side by side: cropped to the ink and stretched to fill a square, uint8, 28 × 28.

    The ink is rows × columns, float from 0 to 1; strokes are made as wide as MNIST's first.  In
    MNIST's form two digits would have half of its height.
    """
    strokes = _with_usual_strokes(ink)
    rows, columns = _extent(strokes.max(axis=1)), _extent(strokes.max(axis=0))
    picture = Image.fromarray(strokes[rows, columns])
    digits = np.asarray(picture.resize((_SQUARE, _SQUARE), Image.Resampling.BOX))
    levels = np.round(digits * (255.0 / digits.max())).astype(np.uint8)
    return np.pad(levels, (IMAGE_SHAPE[0] - _SQUARE) // 2)


def _extent(profile: Ink) -> slice:
    """From the first to the last row (or column) with solid ink, and its soft edge beyond."""
    solid = np.flatnonzero(profile > profile.max() / 2)
    first, last = int(solid[0]), int(solid[-1])
    edge = max(1, (last - first) // BOX)
    while edge and first > 0 and profile[first - 1] > 0:
        first, edge = first - 1, edge - 1
    edge = max(1, (last - first) // BOX)
    while edge and last < len(profile) - 1 and profile[last + 1] > 0:
        last, edge = last + 1, edge - 1
    return slice(first, last + 1)


def _resized(levels: Ink, longer: int, method: Image.Resampling = Image.Resampling.BICUBIC) -> Ink:
    """The same with its longer side of so many pixels."""
    height, width = levels.shape
    scale = longer / max(height, width)
    if scale == 1.0:
        return levels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(levels).resize(size, method))


def _centred(digit: Bytes) -> Bytes:
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


def _with_usual_strokes(ink: Ink) -> Ink:
    """The same digit on a finer grid, in strokes as wide as MNIST's."""
    distance = _signed_distance(_oversampled(ink))
    width = _stroke_width(distance)
    # A blob must not be thinned until it looks like a stroke.
    change = max(float(np.clip(width, *_WIDTHS)) - width, -_MOST_THINNING)
    strokes = np.clip(distance + change * _OVERSAMPLING / 2.0 + 0.5, 0.0, 1.0)
    if strokes.max() <= 0.5:  # thinned away
        strokes = np.clip(distance + 0.5, 0.0, 1.0)
    return bounds(strokes > 0.5).cut(strokes).astype(np.float32)


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


def variants(ink: Ink) -> list[Bytes]:
    """A digit upright, and narrower, in MNIST's form: a reading should depend on neither.

    What is narrow already is not made narrower, for a 4 would become a 1.
    """
    height, width = ink.shape
    changed = [deslanted(ink), *([narrowed(ink)] if 2 * width > height else [])]
    return [fitted(one, usual_strokes=True) for one in changed]


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
