"""Small pictures on one sheet: a page that shows hundreds holds one file."""

import base64
import io

import numpy as np
from PIL import Image

from mnist_net.arrays import IMAGE_SHAPE, Array, Bytes

_COLUMNS = 32
_SIDE = IMAGE_SHAPE[0]
_UNITS = 8  # a side, of the first layer
_FOR, _AGAINST = (0xD0, 0x4A, 0x2C), (0x3F, 0x80, 0xB8)  # are seen on light ground and on dark
_LEVELS = 60  # of each of the two colours


class Sheet:
    """Pictures of 28 × 28 pixels, each kept once however often it is shown."""

    def __init__(self) -> None:
        self._places: dict[bytes, int] = {}

    def place(self, image: Bytes) -> tuple[int, int]:
        """Put a picture on the sheet, uint8; x and y of its corner there, pixels."""
        number = self._places.setdefault(image.tobytes(), len(self._places))
        return number % _COLUMNS * _SIDE, number // _COLUMNS * _SIDE

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return _COLUMNS * _SIDE, max(-(-len(self._places) // _COLUMNS), 1) * _SIDE

    def png(self) -> bytes:
        """As a PNG of black ink on nothing, which takes any colour of paper."""
        width, height = self.size
        ink = np.zeros((height, width), np.uint8)
        for picture in self._places:
            x, y = self.place(image := np.frombuffer(picture, np.uint8))
            ink[y : y + _SIDE, x : x + _SIDE] = image.reshape(IMAGE_SHAPE)
        return _png(Image.fromarray(np.stack([np.zeros_like(ink), ink], axis=-1), "LA"))


def first_layer_png(weights: Array) -> bytes:
    """What the first 64 units look for as a PNG: red where ink speaks for it, blue where against.

    The weights are 784 × units; each unit is drawn as strong as its strongest weight.
    """
    units = weights.T[: _UNITS**2]
    strongest = np.abs(units).max(axis=1, keepdims=True)
    levels = np.round(_LEVELS * units / np.where(strongest > 0.0, strongest, 1.0)).astype(np.int64)
    rows, step = -(-len(units) // _UNITS), _SIDE + 1
    sheet = np.zeros((rows * step - 1, min(len(units), _UNITS) * step - 1), np.int64)
    for number, unit in enumerate(levels.reshape(-1, *IMAGE_SHAPE)):
        y, x = number // _UNITS * step, number % _UNITS * step
        sheet[y : y + _SIDE, x : x + _SIDE] = unit
    # A palette from the strongest against to the strongest for, the weak ones seen through.
    image = Image.fromarray((sheet + _LEVELS).astype(np.uint8), "P")
    strength = range(-_LEVELS, _LEVELS + 1)
    image.putpalette([part for s in strength for part in (_FOR if s > 0 else _AGAINST)])
    return _png(image, transparency=bytes(255 * abs(s) // _LEVELS for s in strength))


def row_png(images: Bytes, scale: int = 4) -> bytes:
    """Pictures side by side, so many times as large, as ink on white paper; uint8, N × 28 × 28."""
    paper = 255 - np.concatenate(
        [*images, np.zeros((_SIDE, int(not len(images))), np.uint8)], axis=1
    )
    return _png(Image.fromarray(paper.repeat(scale, axis=0).repeat(scale, axis=1)))


def address(png: bytes) -> str:
    """A PNG as an address that a page can hold."""
    return "data:image/png;base64," + base64.b64encode(png).decode()


def _png(image: Image.Image, **options: bytes) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format="PNG", optimize=True, **options)
    return stream.getvalue()
