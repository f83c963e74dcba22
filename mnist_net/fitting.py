"""From the ink of one digit to a picture as MNIST's makers would have made it.

They had bilevel pictures of pen strokes, fitted each into 20 × 20 pixels with grey levels from
anti-aliasing, and centred it by mass in 28 × 28 (LeCun et al. 1998, section III-A).  People draw
with hairlines and with brushes, so a stroke's width is brought into MNIST's range on the way: the
signed distance to the stroke's edge says of each pixel how far it must move to lie on it.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image

from mnist_net.arrays import Bytes
from mnist_net.images import BOX, centred
from mnist_net.ink import Ink
from mnist_net.pieces import bounds

__all__ = ["deslanted", "fit_strokes", "narrowed"]

_OVERSAMPLING = 4  # per pixel of the result, while strokes are moved
_PADDING = 6  # of these fine pixels: no stroke grows by more
_MOST_THINNING = 2.0  # pixels of the result
_WIDTHS = (1.8, 3.6)
"""Pixels; of MNIST's digits a fifth are thinner than the first and a fourteenth are wider than the
other by `_stroke_width`'s measure."""


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
