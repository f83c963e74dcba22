"""Any file or stream that shows something, to pixels: upright, of a size that is worked with.

Files come in every format, depth, colour model and size; from here on a picture is one array of
bytes, grey or of three colours, over white where it was transparent.
"""

import io
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from mnist_net.arrays import Bytes
from mnist_net.errors import FormatError, ImageError
from mnist_net.files import atomic_write
from mnist_net.pictures.arrays_as_images import grey_levels, image_of
from mnist_net.pictures.extras import EXTRA_SUFFIXES, rendered
from mnist_net.pictures.pieces import Box

Source = Path | str | bytes | BinaryIO | Image.Image | np.ndarray[Any, Any]
"""What a picture may come as."""

Place = tuple[int, int, int, int]
"""x, y, width and height in pixels of a file's upright page."""

MAX_PIXELS = 80_000_000
"""A larger picture is refused before it is decoded: it would take hundreds of megabytes."""

_WORKING_PIXELS = 1_000_000  # a larger picture is shrunk to about this; a digit needs 20 × 20
_MAX_SIDE = 65_535
_MOST_BYTES = 500_000_000  # of what can be read but once
# Written only, read by starting another program (PostScript can do anything), or by plug-ins.
_NOT_PICTURES = ("PALM", "PDF", "EPS", "WMF", "MPEG", "HDF5", "BUFR", "GRIB")
_BLANK = 16  # grey levels of 256 between the darkest and the lightest; less is an empty page
_COLOURED = 24  # grey levels between two channels; less is the trace of a lossy format


class Picture(NamedTuple):
    """A decoded picture, upright.

    Attributes
    ----------
    pixels
        uint8, rows × columns × channels: one channel if it is grey, red, green and blue if not.
    reduction
        So many pixels of the file are one pixel here, across and down.
    n_pages
        How many pages the file has, of which this is one.
    corner
        Column and row of the file's page where it begins; not (0, 0) if it was cropped.
    extent
        Columns and rows of the file's page that it shows; None if that is not known.
    """

    pixels: npt.NDArray[np.uint8]
    reduction: float = 1.0
    n_pages: int = 1
    corner: tuple[int, int] = (0, 0)
    extent: tuple[int, int] | None = None

    def place(self, box: Box) -> Place:
        """Where on the file's page a box is."""
        x, y, width, height = box.scaled(self.reduction)
        if self.extent:  # what was reduced may have a part of a row more
            width, height = min(width, self.extent[0] - x), min(height, self.extent[1] - y)
        return x + self.corner[0], y + self.corner[1], width, height

    def box(self, place: Place) -> Box:
        """Which pixels a place on the file's page is: the inverse of `place`."""
        left, top = place[0] - self.corner[0], place[1] - self.corner[1]
        edges = (left, top, left + place[2], top + place[3])
        return Box(*(round(edge / self.reduction) for edge in edges))


def open_image(
    source: Source,
    name: str | None = None,
    *,
    page: int = 1,
    crop: Place | None = None,
    max_pixels: int | None = None,
) -> Picture:
    """Decode a picture, upright, over white where it is transparent.

    Parameters
    ----------
    source
        A path, a binary stream or the bytes of a file in any format that Pillow reads (with the
        extras ``heic`` and ``pdf`` in those too); a Pillow image; or an array.  An array is rows ×
        columns, or these × 1, 3 or 4 channels: red, green, blue (OpenCV has blue first: give it
        ``image[..., ::-1]``), and opacity.  It is bool, or of whole numbers up to 255 or of 16
        bits, or of floats from 0 to 1.
    name
        What to call it in error messages; by default its path.
    page
        Of a file with several, counted from 1.
    crop
        x, y, width and height of the part that is wanted, in pixels of the upright page.
    max_pixels
        A file of more is refused before it is decoded; by default `MAX_PIXELS`.

    Returns
    -------
    Picture
        Of about a million pixels at most; larger pictures are shrunk.

    Raises
    ------
    ImageError
        If it cannot be decoded, or has too many pixels, or has no such page or part.
    TypeError
        If it is none of these.
    """
    if name is None:
        name = str(source) if isinstance(source, Path | str) else "the picture"
    with _errors_named(name):
        if isinstance(source, np.ndarray):
            image = image_of(source, name, MAX_PIXELS)
            _refuse(image, name)
            return _decode(image, name, crop)
        if isinstance(source, Image.Image):
            _refuse(source, name)
            # What is done to it must not be done to the caller's.
            return _decode(source.copy(), name, crop)
        if isinstance(source, bytes | bytearray):
            if not source:
                raise ImageError(f"{name} is empty: it has no bytes")
            source = io.BytesIO(source)
        elif isinstance(source, str):
            source = Path(source)
        if isinstance(source, Path) and source.exists() and not source.is_file():
            with source.open("rb") as pipe:  # which can be read but once
                source = io.BytesIO(pipe.read(_MOST_BYTES))
        elif not isinstance(source, Path) and not hasattr(source, "read"):
            raise TypeError(
                "a picture is a path, a binary stream, bytes, an image or an array, not "
                f"{type(source).__name__}"
            )
        stream = source if isinstance(source, Path) else _seekable(source)
        try:
            return _decoded_file(stream, name, page, crop, max_pixels)
        except TypeError as error:  # Pillow's, of a TIFF without dimensions
            raise OSError(str(error)) from error


def _seekable(stream: BinaryIO) -> BinaryIO:
    """The stream, or all that it has if it can be read but once."""
    content = stream.read(0)
    if not isinstance(content, bytes):
        raise TypeError("a picture's stream must be binary, and this one gives text")
    if getattr(stream, "seekable", lambda: False)():
        return stream
    return io.BytesIO(stream.read(_MOST_BYTES))


def _decoded_file(
    source: Path | BinaryIO, name: str, page: int, crop: Place | None, max_pixels: int | None
) -> Picture:
    with warnings.catch_warnings():
        # Pillow warns of odd metadata, and of the size that is checked here anyway.
        warnings.simplefilter("ignore")
        if (drawn := rendered(source, name, page)) is not None:
            image, n_pages = drawn
            return _decode(image, name, crop)._replace(n_pages=n_pages)
        with Image.open(source) as image:
            _refuse(image, name, max_pixels)
            n_pages = getattr(image, "n_frames", 1)
            if not 1 <= page <= n_pages:
                raise ImageError(f"{name} has no page {page}: it has {n_pages:,}")
            if n_pages > 1:
                image.seek(page - 1)
            return _decode(image, name, crop)._replace(n_pages=n_pages)


@contextmanager
def _errors_named(name: str) -> Iterator[None]:
    """Whatever a decoder raises, as one sentence."""
    try:
        yield
    except (ImageError, TypeError):
        raise
    except FileNotFoundError as error:
        raise ImageError(f"{name}: no such file") from error
    except Image.DecompressionBombError as error:  # far more, and Pillow would not even look
        raise ImageError(
            f"{name} has more than the {MAX_PIXELS:,} pixels that are read; shrink or crop it"
        ) from error
    except UnidentifiedImageError as error:
        raise FormatError(
            f"{name} is not a picture in a format that can be read (PNG, JPEG, GIF, BMP, TIFF, …)"
        ) from error
    except MemoryError as error:
        raise ImageError(
            f"{name} is too large for the memory at hand; shrink or crop it"
        ) from error
    except Exception as error:  # decoders raise anything on damaged bytes
        reason = getattr(error, "strerror", None) or error
        raise ImageError(f"{name} cannot be read as a picture: {reason}") from error


def _refuse(image: Image.Image, name: str, max_pixels: int | None = None) -> None:
    if image.format in _NOT_PICTURES:
        raise FormatError(
            f"{name} is in the format {image.format}, which is not read; save it as PNG"
        )
    width, height = image.size
    max_pixels = MAX_PIXELS if max_pixels is None else max_pixels
    if not width * height:
        raise ImageError(f"{name} is empty: it has {width} × {height} pixels")
    if width * height > max_pixels or max(width, height) > _MAX_SIDE:
        raise ImageError(
            f"{name} has {width:,} × {height:,} pixels, more than the {max_pixels:,} (or "
            f"{_MAX_SIDE:,} on a side) that are read; shrink or crop it"
        )


def _decode(image: Image.Image, name: str = "", crop: Place | None = None) -> Picture:
    size = image.size
    if crop is None:
        reduction = max(1.0, math.sqrt(math.prod(size) / _WORKING_PIXELS))
        # A JPEG can be decoded at a fraction of its size, at a fraction of the cost.
        image.draft("RGB", (round(size[0] / reduction), round(size[1] / reduction)))
        image.load()
        reduction *= image.width / size[0]
        size = max(size), min(size)
        image = ImageOps.exif_transpose(image)
    else:
        image = _cropped(ImageOps.exif_transpose(image), name, crop)
        size = max(image.size), min(image.size)
        reduction = max(1.0, math.sqrt(math.prod(size) / _WORKING_PIXELS))
    if image.mode.startswith(("I", "F")):  # before Pillow clips them at 255
        image = Image.fromarray(grey_levels(np.asarray(image)))
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
    if not grey and _colourfulness(pixels) < _COLOURED:
        grey, pixels = True, np.asarray(image.convert("L"))
    corner = (0, 0) if crop is None else crop[:2]
    reduction = size[0] / max(image.size)
    extent = size if image.width >= image.height else size[::-1]
    pixels = pixels[..., None] if grey else pixels
    return Picture(pixels, reduction, corner=corner, extent=extent)


def _colourfulness(pixels: Bytes) -> int:
    """How far the channels of a pixel lie apart, at most."""
    # Channel against channel: a reduction along so short an axis takes ten times as long.
    red, green, blue = np.moveaxis(pixels, 2, 0)
    most, least = (f(f(red, green), blue) for f in (np.maximum, np.minimum))
    return int((most - least).max())


def _cropped(image: Image.Image, name: str, crop: Place) -> Image.Image:
    left, top, width, height = crop
    right, bottom = left + width, top + height
    if min(left, top) < 0 or min(width, height) < 1 or right > image.width or bottom > image.height:
        part = ",".join(map(str, crop))
        raise ImageError(
            f"{name} has {image.width} × {image.height} pixels: the crop {part} goes beyond"
        )
    return image.crop((left, top, right, bottom))


def _over_white(image: Image.Image) -> Image.Image:
    """Transparency over white paper; white ink on transparency, over black paper."""
    over_white = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    alpha = image.getchannel("A")
    shown, hidden = (int(np.ptp(np.asarray(p))) for p in (over_white.convert("L"), alpha))
    return alpha if shown < _BLANK <= hidden else over_white


def is_image_name(path: Path) -> bool:
    """Whether a file's name ends as a picture's does (and it is not hidden)."""
    suffix = path.suffix.lower()
    kind = Image.registered_extensions().get(suffix)
    is_known = suffix in EXTRA_SUFFIXES or kind not in (None, *_NOT_PICTURES)
    return is_known and not path.name.startswith(".")


def save_png(picture: Bytes, path: Path) -> None:
    """Write grey levels (uint8, rows × columns), or RGB (× 3), as a PNG file, atomically."""
    with atomic_write(path) as stream:
        Image.fromarray(picture).save(stream, format="PNG")
