"""Any picture of one digit to what MNIST would have looked like.

MNIST's makers scaled each digit to fit a box of 20 × 20 pixels, keeping its proportions, with grey
levels from anti-aliasing, and placed it in a field of 28 × 28 with its centre of mass in the
middle (LeCun et al. 1998, section III-A): bright ink on black.  A network that has seen nothing
else reads nothing else; so every picture takes the same way: decode, find paper and ink, crop,
fit, centre.
"""

import math
import warnings
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from mnist_net.arrays import IMAGE_SHAPE, Bytes
from mnist_net.errors import ImageError
from mnist_net.files import atomic_write

__all__ = [
    "BOX",
    "MAX_PIXELS",
    "Picture",
    "centred",
    "fit_image",
    "in_mnist_form",
    "is_image_name",
    "open_image",
    "save_png",
]

MAX_PIXELS = 80_000_000
"""A larger picture is refused before it is decoded: it would take hundreds of megabytes."""

_WORKING_PIXELS = 1_000_000  # a larger picture is shrunk to about this; a digit needs 20 × 20
BOX = 20
"""Side of the box that a digit is fitted into, in pixels."""

_MAX_SIDE = 65_535
# Written only, read by starting another program (PostScript can do anything), or by plug-ins.
_NOT_PICTURES = ("PALM", "PDF", "EPS", "WMF", "MPEG", "HDF5", "BUFR", "GRIB")
_BLANK = 16  # grey levels of 256 between the darkest and the lightest; less is an empty page
_FULL_INK = 230  # grey levels, which MNIST's strokes reach
_COLOURED = 24  # grey levels between two channels; less is the trace of a lossy format


class Picture(NamedTuple):
    """A decoded picture, upright.

    Attributes
    ----------
    pixels
        uint8, rows × columns × channels: one channel if it is grey, red, green and blue if not.
    reduction
        So many pixels of the file are one pixel here, across and down.
    """

    pixels: npt.NDArray[np.uint8]
    reduction: float = 1.0


def open_image(file: Path | BinaryIO, name: str) -> Picture:
    """Decode a picture, upright, over white where it is transparent.

    Parameters
    ----------
    file
        A path, or a binary stream, in any format that Pillow reads.
    name
        What to call it in error messages.

    Returns
    -------
    Picture
        Of about a million pixels at most; larger pictures are shrunk.

    Raises
    ------
    ImageError
        If it cannot be decoded or has more than `MAX_PIXELS`.
    TypeError
        If it is neither a path nor a stream.
    """
    if not isinstance(file, Path) and not hasattr(file, "read"):
        raise TypeError(f"a picture is a path or a binary stream, not {type(file).__name__}")
    try:
        with warnings.catch_warnings():
            # Pillow warns of odd metadata, and of the size that is checked here anyway.
            warnings.simplefilter("ignore")
            with Image.open(file) as image:
                _refuse(image, name)
                return _decode(image)
    except ImageError:
        raise
    except FileNotFoundError as error:
        raise ImageError(f"{name}: no such file") from error
    except Image.DecompressionBombError as error:  # far more, and Pillow would not even look
        raise ImageError(
            f"{name} has more than the {MAX_PIXELS:,} pixels that are read; shrink or crop it"
        ) from error
    except UnidentifiedImageError as error:
        raise ImageError(
            f"{name} is not a picture in a format that can be read (PNG, JPEG, GIF, BMP, TIFF, …)"
        ) from error
    except MemoryError as error:
        raise ImageError(
            f"{name} is too large for the memory at hand; shrink or crop it"
        ) from error
    except Exception as error:  # decoders raise anything on damaged bytes
        reason = getattr(error, "strerror", None) or error
        raise ImageError(f"{name} cannot be read as a picture: {reason}") from error


def _refuse(image: Image.Image, name: str) -> None:
    if image.format in _NOT_PICTURES:
        raise ImageError(
            f"{name} is in the format {image.format}, which is not read; save it as PNG"
        )
    width, height = image.size
    if width * height > MAX_PIXELS or max(width, height) > _MAX_SIDE:
        raise ImageError(
            f"{name} has {width:,} × {height:,} pixels, more than the {MAX_PIXELS:,} (or "
            f"{_MAX_SIDE:,} on a side) that are read; shrink or crop it"
        )


def _decode(image: Image.Image) -> Picture:
    size = image.size
    reduction = max(1.0, math.sqrt(math.prod(size) / _WORKING_PIXELS))
    # A JPEG can be decoded at a fraction of its size, at a fraction of the cost.
    image.draft("RGB", (round(size[0] / reduction), round(size[1] / reduction)))
    image.load()
    reduction *= image.width / size[0]
    size = max(size), min(size)
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith(("I", "F")):  # before Pillow clips them at 255
        image = Image.fromarray(_grey_levels(np.asarray(image)))
    elif image.mode == "LAB":  # Pillow knows no way from here to RGBA or grey, ...
        image = image.getchannel("L")
    elif image.mode == "La":  # ... and from here only this one
        image = image.convert("LA")
    if image.has_transparency_data:
        image = _over_white(image.convert("RGBA"))
    grey = image.mode in ("1", "L", "LA")
    image = image.convert("L" if grey else "RGB")
    if reduction >= 1.5:
        image = image.reduce(round(reduction))
    pixels = np.asarray(image)
    if not grey and np.ptp(pixels, axis=2).max() < _COLOURED:
        grey, pixels = True, np.asarray(image.convert("L"))
    return Picture(pixels[..., None] if grey else pixels, size[0] / max(image.size))


def _over_white(image: Image.Image) -> Image.Image:
    """Transparency over white paper; white ink on transparency, over black paper."""
    over_white = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    alpha = image.getchannel("A")
    shown, hidden = (int(np.ptp(np.asarray(p))) for p in (over_white.convert("L"), alpha))
    return alpha if shown < _BLANK <= hidden else over_white


def _grey_levels(values: np.ndarray[Any, Any]) -> Bytes:
    """Deeper pixels to 8 bits; white is that of the narrowest usual range that holds them."""
    levels = values.astype(np.float32)  # in place from here on: there may be 80 million of them
    levels[~np.isfinite(levels)] = 0.0
    lowest = min(float(levels.min()), 0.0)
    top = float(levels.max()) - lowest
    white = next((white for white in (1.0, 255.0, 4095.0, 65535.0) if top <= white), top)
    levels *= 255.0 / white
    levels -= lowest * (255.0 / white)
    return np.round(levels, out=levels).astype(np.uint8)


def is_image_name(path: Path) -> bool:
    """Whether a file's name ends as a picture's does (and it is not hidden)."""
    kind = Image.registered_extensions().get(path.suffix.lower())
    return kind not in (None, *_NOT_PICTURES) and not path.name.startswith(".")


def save_png(picture: Bytes, path: Path) -> None:
    """Write grey levels (uint8, rows × columns), or RGB (× 3), as a PNG file, atomically."""
    with atomic_write(path) as stream:
        Image.fromarray(picture).save(stream, format="PNG")


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
