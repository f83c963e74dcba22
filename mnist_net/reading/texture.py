"""What a photograph shows that is no writing, and networks take for digits: folds, edges, cloth.

Ink alone does not tell a stroke from the edge of a shadow, or a thread; what is beside it does.  So
a network sees a figure with what is around it, in grey, as light and lens show it.
"""

from dataclasses import replace
from functools import cached_property

import numpy as np
from PIL import Image

from mnist_net.arrays import IMAGE_SHAPE, Array, Bytes
from mnist_net.pictures.decoding import Picture
from mnist_net.pictures.ink import clean_paper
from mnist_net.pictures.pieces import Box
from mnist_net.reading.answers import UNLIKE, Page
from mnist_net.trained.committee import Predictor

AROUND = 2.0
"""Longer sides of a figure, that the square around it has."""

_CUT_OUT = 64 * 64  # pixels of a picture that shows what it was cut out for
_SOME = 0.34  # of the digits, which are written if any are
_SUREST = 1e-4  # probability: no doubt is without end
_PAPER = 128  # grey level that the usual one around a figure becomes; what is darker is above
_DARKEST = 0.6  # of the usual level, by which the darkest ink differs, ...
_LEAST = 20.0  # ... and grey levels


class Textures:
    """Tells what is written on a photograph from all else on it.

    Not asked is where paper is clean, and of a picture so small that somebody must have cut it out.

    Parameters
    ----------
    network
        See `companions.load_textures`.  By default the one that ships, if it does, when it is
        first asked.
    least
        Probability that something is written, from which on a row of it is; if it is 0, all is.
    """

    def __init__(self, network: Predictor | None, least: float) -> None:
        self._given, self.least = network, least

    @cached_property
    def _network(self) -> Predictor | None:
        from mnist_net.trained.companions import load_textures

        return self._given or load_textures()

    def _is_asked(self, picture: Picture) -> bool:
        is_small = picture.pixels[..., 0].size <= _CUT_OUT
        return self.least > 0.0 and not is_small and clean_paper(picture.pixels) is None

    def without(self, page: Page, picture: Picture) -> Page:
        """A page without rows whose digits are rather what the surface shows.

        The mean log-odds of a row are those of the least probability, or more.  Where hardly any
        row is left, none is.
        """
        if not page.digits or not self._is_asked(picture) or self._network is None:
            return page
        pixels = _grey(picture.pixels)
        boxes = [picture.box(one.box) for one in page.digits if one.box is not None]
        fields = np.stack([field_around(pixels, box) for box in boxes])
        odds = iter(_log_odds(self._network.predict_proba(fields)[:, 1].astype(np.float64)))
        rows = []
        for row in page.rows:
            of_row = [next(odds) for one in row if one.digit is not None and one.box is not None]
            if of_row and np.mean(of_row) >= _log_odds(np.array(self.least)):
                rows.append(row)
        written = replace(page, rows=tuple(rows))
        return written if rows and len(written.digits) >= _SOME * len(boxes) else Page((), UNLIKE)


def _grey(pixels: Bytes) -> Bytes:
    is_grey = pixels.shape[2] == 1
    return pixels[..., 0] if is_grey else np.asarray(Image.fromarray(pixels).convert("L"))


def _log_odds(probabilities: Array) -> Array:
    bounded = np.clip(probabilities, _SUREST, 1.0 - _SUREST)
    result: Array = np.log(bounded / (1.0 - bounded))
    return result


def field_around(pixels: Bytes, box: Box) -> Bytes:
    """A square of twice a figure's longer side around it, 28 × 28, of a picture in grey, uint8."""
    return as_field(square_around(pixels, box, AROUND))


def square_around(pixels: Bytes, box: Box, times: float) -> Bytes:
    """A square around a figure, so many times as wide as its longer side, in the picture's pixels.

    Beyond the picture's border it goes on as it is there.
    """
    around = np.arange(-round(times * box.size / 2), round(times * box.size / 2))
    middles = (box.top + box.bottom) // 2, (box.left + box.right) // 2
    rows, columns = (
        np.clip(middle + around, 0, side - 1)
        for middle, side in zip(middles, pixels.shape, strict=True)
    )
    return pixels[np.ix_(rows, columns)]


def as_field(square: Bytes) -> Bytes:
    """A square of a picture, of any size, as `field_around` gives it."""
    image = Image.fromarray(square).resize(IMAGE_SHAPE, Image.Resampling.BILINEAR)
    levels = np.asarray(image, np.float32)
    usual = float(np.median(levels))
    darker = (usual - levels) / (_DARKEST * usual + _LEAST)
    return np.clip(np.round(_PAPER + (255 - _PAPER) * darker), 0, 255).astype(np.uint8)
