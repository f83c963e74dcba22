"""How much ink lies on each pixel of a picture.

Paper is tinted, shaded, in somebody's shadow, white on black as often as black on white; ink is
what departs from the paper around it, sharply and on the lesser part of the picture.  So the
paper's level is followed across the picture, and what falls short of it by far more than the
paper's own noise is ink.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from mnist_net.arrays import Bytes

Ink = npt.NDArray[np.float32]
"""Rows × columns: 0 on paper, 0.5 at the edge of a stroke, 1 within it."""

Levels = npt.NDArray[np.float64]

WIDE, NARROW = 0.4, 0.12
"""Of a picture's side: what is wider is no stroke, of one digit that fills it, or of several."""

_SMALL_SIDE = 72  # pixels; the light of a whole picture is followed on one reduced to about this
_SHARP_SIDE = 300  # pixels, likewise, where a shadow's edge must be told from a stroke
_SAMPLE = 60_000  # pixels are enough for a threshold
_LEAST_CONTRAST = 0.06  # of the paper's level
_NOISE = 4.0  # deviations of the paper's noise that are still paper
_CLEAR = 1.25  # times what may still be paper; ink that is fainter drowns in it
_EDGE = 0.42  # of the typical ink's strength, where a stroke ends
_SOLID = 0.5  # of the typical ink's strength, which a stroke reaches somewhere, or a dot
_MOST_INK = 0.7  # of the picture; what covers more, is the paper
_TRACE = 0.03  # of the strongest ink: what a lossy format leaves around it
_BLACK = 8.0  # grey levels that are added, so that black noise is no infinite contrast
_MAD = 1.4826  # deviations of normal noise in its median absolute deviation
_SKEWED = 1.5  # of a picture's detail: as sure a sign of ink as there is
_OUTLIER = 3.5  # deviations from the paper's surface
_REFITS = 5  # of that surface
_PAPER_RANGE = (0.7, 1.1)  # of the darkest and of the lightest level: no paper lies beyond


def paper_lightness(pixels: Bytes) -> float:
    """Evidence, from -3 to 3, that the paper is lighter than the ink.

    Three voices of equal weight: strokes are thin, so that the levels around the local mean are
    skewed to the ink's side; the border shows paper; and there is more paper than ink.  Beyond 1
    either way they hardly err together.
    """
    from scipy import ndimage

    if (clean := clean_paper(pixels)) is not None:
        return 3.0 if clean.mean() >= pixels.mean() else -3.0
    # A sum of channels is many times as fast as a mean along so short an axis.
    channels = [pixels[..., c].astype(np.float32) for c in range(pixels.shape[2])]
    levels = _reduced(sum(channels[1:], channels[0]) / np.float32(len(channels)))
    detail = levels - ndimage.gaussian_filter(levels, WIDE * _side(levels) / 2, mode="nearest")
    detail -= np.median(detail)
    skewness = float(np.mean((detail / (detail.std() + 1e-6)) ** 3))
    light = levels > otsu_threshold(levels)
    border = np.concatenate([light[0], light[-1], light[:, 0], light[:, -1]])
    voices = (-np.clip(skewness / _SKEWED, -1.0, 1.0), 2 * border.mean() - 1, 2 * light.mean() - 1)
    return float(sum(voices))


class Traces(NamedTuple):
    """All that departs from paper, and where it does so as strokes do."""

    ink: Ink
    solid: npt.NDArray[np.bool_]

    def strokes(self) -> Ink | None:
        """Without the pieces that nowhere reach the strength of ink (hysteresis)."""
        from scipy import ndimage

        pieces, n = ndimage.label(self.ink >= 0.5, np.ones((3, 3)))
        kept = np.zeros(n + 1, bool)
        kept[pieces[self.solid]] = True
        if not kept[1:].any():
            return None
        kept[0] = True  # soft edges
        result: Ink = np.where(kept[pieces], self.ink, np.float32(0.0))
        return result


def find_ink(pixels: Bytes, *, dark: bool = True, widest: float | None = WIDE) -> Ink | None:
    """The strokes of `find_traces`; None where there are none."""
    traces = find_traces(pixels, dark=dark, widest=widest)
    return None if traces is None else traces.strokes()


def find_traces(
    pixels: Bytes, *, dark: bool = True, widest: float | None = WIDE, faint: bool = False
) -> Traces | None:
    """Separate ink from paper; None where nothing stands out.

    The picture is uint8, rows × columns × channels (1 or 3), its ink darker than the paper, or
    lighter.  To follow shadows with sharp edges too costs strokes that are wider than so much of
    the picture; None follows none.  Faint strokes beside bold ones are ink too if that is wanted,
    and so may be what shines through the paper.
    """
    light_paper = _agreeing(pixels if dark else 255 - pixels)
    levels = light_paper.astype(np.float32) + np.float32(_BLACK)
    clean = clean_paper(light_paper)
    channels = [
        _contrast(levels[..., c], widest)
        if clean is None
        else 1.0 - levels[..., c] / np.float32(clean[c] + _BLACK)
        for c in range(light_paper.shape[2])
    ]
    strength = _norm([np.maximum(c, 0.0) for c in channels])
    # What is lighter than the paper cannot be ink; so it tells how noisy the paper is.
    opposite = _norm([np.maximum(-_sampled(c), 0.0) for c in channels])
    opposite = opposite[opposite > 0.0]
    noise = _MAD * float(np.median(opposite)) if len(opposite) else 0.0
    least = max(_NOISE * noise, _LEAST_CONTRAST)
    return traces_of(strength, least, strength, faint=faint)


def traces_of(strength: Ink, least: float, sample: Ink, *, faint: bool = False) -> Traces | None:
    """Ink of what departs from its paper so strongly, in places of which the sample is typical.

    What departs by less than the least is paper.
    """
    candidates = sample[sample > least]
    if not len(candidates) or (faint and candidates.min() == candidates.max()):
        return None
    # The median of the stronger ones: soft edges and faint shadows do not lower it.
    is_strong = candidates >= otsu_threshold(candidates)
    typical = float(np.median(candidates[~is_strong if faint else is_strong]))
    if typical < _CLEAR * least:
        return None
    edge = max(least, _EDGE * typical)
    ink = np.clip(strength / (2.0 * edge), 0.0, 1.0)
    if (ink >= 0.5).mean() > _MOST_INK:
        return None
    return Traces(ink, strength > _SOLID * typical)


def ink_on_clean_paper(pixels: Bytes) -> Bytes | None:
    """Whatever is not paper, bright on black up to 255; None where the paper has many levels."""
    clean = clean_paper(pixels)
    if clean is None:
        return None
    departure = np.abs(pixels - clean.astype(np.int16)).max(axis=2)
    least, strongest = _LEAST_CONTRAST * 255, departure.max()
    if strongest < least:
        return None
    departure[departure < _TRACE * strongest] = 0  # what a lossy format left around the strokes
    return np.round(departure * (255.0 / strongest)).astype(np.uint8)


def _agreeing(light_paper: Bytes) -> Bytes:
    """Without the channels whose paper is surely the darker part: green ink on red, in green."""
    kept = [c for c in range(light_paper.shape[2]) if paper_lightness(light_paper[..., [c]]) > -1.0]
    return light_paper[..., kept] if kept and light_paper.shape[2] > 1 else light_paper


def clean_paper(pixels: Bytes) -> Levels | None:
    """Level of each channel, where all of the border and most of the picture have just one.

    So are drawings made on a screen; they need no following of light and shadow.  Nor do pictures
    that know no grey, whose ink may reach the border.
    """
    corner = pixels[0, 0]
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    if (border != corner).any():
        return _paper_of_two_levels(pixels, border)
    return corner.astype(np.float64) if (pixels == corner).all(axis=2).mean() > 0.5 else None


def _paper_of_two_levels(pixels: Bytes, border: Bytes) -> Levels | None:
    """The level that most of the picture and of its border have, if there is but one other."""
    paper = np.full(pixels.shape[2], np.median(border))
    other = border[(border != paper).any(axis=1)][:1]
    for part in (border, pixels):
        is_paper = (part == paper).all(axis=-1)
        if is_paper.mean() <= 0.5 or (part != other)[~is_paper].any():
            return None
    return paper


def _contrast(levels: Ink, widest: float | None) -> Ink:
    """Relative darkness of each pixel against its paper, which is 0 in the median."""
    contrast = 1.0 - levels / _paper_level(levels, widest)
    sample = _sampled(contrast)
    contrast -= np.median(sample[sample <= otsu_threshold(sample)])
    if widest is not None:
        contrast = np.minimum(contrast, _depth(levels, widest))
    return np.asarray(contrast, np.float32)


def _depth(levels: Ink, widest: float) -> Ink:
    """Relative darkness against what lies on both sides: in strokes, not at a shadow's edge.

    The paper's level is followed on a coarse picture, so at an edge it is off by a little on both
    sides; this is sharper.
    """
    from scipy import ndimage

    height, width = levels.shape
    factor = max(1, round(_side(levels) / _SHARP_SIDE))
    padded = np.pad(levels, ((0, -height % factor), (0, -width % factor)), mode="edge")
    blocks = padded.reshape(-1, factor, padded.shape[1] // factor, factor)
    darkest = blocks.min(axis=(1, 3))  # so that no hairline is averaged away
    closed = ndimage.grey_closing(darkest, size=_window(darkest, widest), mode="nearest")
    depth = 1.0 - darkest / closed
    return depth.repeat(factor, axis=0).repeat(factor, axis=1)[:height, :width]


def _window(levels: npt.NDArray[Any], widest: float) -> list[int]:
    window = max(3, int(widest * _side(levels)))
    return [min(window, 2 * length - 1) for length in levels.shape]


def _norm(channels: list[Ink]) -> Ink:
    if len(channels) == 1:
        return channels[0]
    squares = (np.square(channel) for channel in channels)
    return np.asarray(np.sqrt(sum(squares) / np.float32(len(channels))), np.float32)


def _paper_level(levels: Ink, widest: float | None) -> Ink:
    """Level that the paper has, or would have under the ink, at each pixel."""
    from scipy import ndimage

    small = _reduced(levels)
    paper = _quadratic_surface(small)
    if widest is not None:
        ratio = ndimage.median_filter(small / paper, 3, mode="nearest")
        # A closing fills what is dark and narrower than the window, and keeps a shadow's edge.
        closed = ndimage.grey_closing(ratio, size=_window(ratio, widest), mode="nearest")
        paper = paper * ndimage.gaussian_filter(closed, 1.0, mode="nearest")
    surface = Image.fromarray(paper.astype(np.float32))
    height, width = levels.shape
    return np.asarray(surface.resize((width, height), Image.Resampling.BILINEAR))


def _quadratic_surface(levels: Levels) -> Levels:
    """Quadratic polynomial of row and column through the light part, refitted without outliers."""
    rows, columns = np.meshgrid(
        *(np.linspace(-1.0, 1.0, length) for length in levels.shape), indexing="ij"
    )
    terms = np.stack(
        [np.ones_like(rows), rows, columns, rows**2, rows * columns, columns**2], axis=-1
    ).reshape(levels.size, -1)
    values = levels.ravel()
    paper = values > otsu_threshold(values)
    surface = np.full(len(values), float(np.median(values[paper] if paper.any() else values)))
    for _ in range(_REFITS):
        if paper.mean() < 1.0 - _MOST_INK or paper.sum() < terms.shape[1]:
            break
        # The normal equations: six unknowns, and far fewer operations than all rows at once.
        normal = terms[paper].T @ np.column_stack([terms[paper], values[paper]])
        coefficients, *_ = np.linalg.lstsq(normal[:, :-1], normal[:, -1])
        surface = terms @ coefficients
        residuals = np.abs(values - surface)
        paper = residuals < _OUTLIER * (_MAD * np.median(residuals[paper]) + 1.0)
    low, high = _PAPER_RANGE
    surface = np.clip(surface, low * max(values.min(), 1.0), high * max(values.max(), 1.0))
    return surface.reshape(levels.shape)


def _reduced(levels: Ink) -> Levels:
    factor = max(1, round(_side(levels) / _SMALL_SIDE))
    if factor > 1:
        levels = np.asarray(Image.fromarray(levels).reduce(factor))
    return levels.astype(np.float64)


def _side(levels: npt.NDArray[Any]) -> float:
    return float(np.sqrt(levels.size))


def _sampled(values: Ink) -> Ink:
    return values.ravel()[:: max(1, values.size // _SAMPLE)]


def otsu_threshold(values: npt.NDArray[Any]) -> float:
    """Level that best parts values into two classes; the lower class is at most this.

    Otsu, *A threshold selection method from gray-level histograms*, 1979: it maximizes the
    variance between the classes (equation 18).
    """
    if values.min() == values.max():
        return float(values.flat[0])
    # In double precision there is room for 256 bins between any two levels in single precision.
    counts, edges = np.histogram(values.astype(np.float64), 256)
    shares, levels = counts / counts.sum(), (edges[1:] + edges[:-1]) / 2.0
    weight, mean = np.cumsum(shares), np.cumsum(shares * levels)
    spread = weight * (1.0 - weight)
    between = np.divide(
        (mean[-1] * weight - mean) ** 2, spread, out=np.zeros(256), where=spread > 1e-12
    )
    # Between two far peaks many levels part them equally well: take the middle one.
    best = np.flatnonzero(between >= between.max() * (1.0 - 1e-9))
    longest = max(np.split(best, np.flatnonzero(np.diff(best) > 1) + 1), key=len)
    return float(levels[longest[len(longest) // 2]])
