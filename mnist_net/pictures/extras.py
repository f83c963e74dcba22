"""Formats that Pillow does not read by itself: HEIC, PDF and SVG.

The first two are read by packages of their own, which the extras ``heic`` and ``pdf`` install; for
the last one, and without them, one sentence says what to install.
"""

import math
import threading
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from mnist_net.errors import FormatError, ImageError

EXTRA_SUFFIXES = frozenset({".heic", ".heif", ".pdf"})
"""Endings of the names of files that are read with an extra."""

_BEGINNING = 512  # bytes, among which a file says what it is
_DOTS_PER_INCH = 200.0  # that a page is drawn with: a written digit has some 40 pixels
_POINTS_PER_INCH = 72.0
_MOST_POINTS = 14_400.0  # on a side: 5 metres, more than which the format does not have
_MOST_PIXELS = 8_000_000  # of a page that is drawn
_ONE_PDF = threading.Lock()  # PDFium works in one thread at a time
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"heim", b"heis")


def rendered(source: Path | BinaryIO, name: str, page: int) -> tuple[Image.Image, int] | None:
    """Draw a page of a PDF; make sure that Pillow knows HEIC if this is such a picture.

    Returns
    -------
    image, n_pages
        The page, and of how many; None if Pillow reads this format.

    Raises
    ------
    ImageError
        If the package that reads it is missing, or there is no such page.
    """
    beginning = _beginning(source)
    if beginning[4:8] == b"ftyp" and beginning[8:12] in _HEIF_BRANDS:
        try:
            from pillow_heif import register_heif_opener
        except ImportError as error:
            raise FormatError(
                f"{name} is a HEIC picture, which needs a package: pip install 'mnist-net[heic]'"
            ) from error
        register_heif_opener()
        return None  # Pillow knows it from now on
    if beginning.startswith(b"%PDF"):
        return _page_of_pdf(source, name, page)
    if beginning.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<" and b"<svg" in beginning.lower():
        raise FormatError(
            f"{name} is an SVG drawing, which is not read; make a PNG of it (pip install cairosvg; "
            "cairosvg drawing.svg -o drawing.png)"
        )
    return None


def _beginning(source: Path | BinaryIO) -> bytes:
    if isinstance(source, Path):
        with source.open("rb") as stream:
            return stream.read(_BEGINNING)
    source.seek(0)  # as Pillow does, and so may be read again
    beginning = source.read(_BEGINNING)
    source.seek(0)
    return beginning


def _page_of_pdf(source: Path | BinaryIO, name: str, page: int) -> tuple[Image.Image, int]:
    try:
        import pypdfium2
    except ImportError as error:
        raise FormatError(
            f"{name} is a PDF, which needs a package: pip install 'mnist-net[pdf]'"
        ) from error
    with _ONE_PDF, closing(pypdfium2.PdfDocument(source)) as document:
        n_pages = len(document)
        if not 1 <= page <= n_pages:
            raise ImageError(f"{name} has no page {page}: it has {n_pages:,}")
        chosen = document[page - 1]
        width, height = chosen.get_size()
        if not 0.0 < max(width, height) <= _MOST_POINTS or min(width, height) < 1.0:
            raise ImageError(f"{name} has a page of {width:g} × {height:g} points: crop it")
        # A large page has more detail than is worked with.
        finest = math.sqrt(_MOST_PIXELS / (width * height))
        bitmap = chosen.render(scale=min(_DOTS_PER_INCH / _POINTS_PER_INCH, finest))
        return bitmap.to_pil().copy(), n_pages
