"""What a request's body holds: pictures as the bytes of a file, as arrays, or as strokes."""

import base64
import binascii
import io
import json
import math
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from mnist_net.arrays import IMAGE_SHAPE
from mnist_net.pictures.decoding import Picture, open_image
from mnist_net.pictures.strokes import Drawing, drawn
from mnist_net.web.limits import Limits
from mnist_net.web.problems import Problem

_PNG = b"\x89PNG\r\n\x1a\n"
_SMALL_BYTES = 131_072  # a body that is read among many, if its pictures are small ...
_SMALL_SIDE = 400  # ... pixels on a side
_FURTHEST = 1e6  # pixels from a drawing's corner to a point of it


class Body(NamedTuple):
    """A request's body, and whether it is JSON; a picture's bytes if not."""

    content: bytes
    is_json: bool

    @property
    def is_small(self) -> bool:
        """Whether it is read in a millisecond or two, as far as its first bytes say."""
        if len(self.content) > _SMALL_BYTES:
            return False
        if self.is_json:
            return True
        width, height = (int.from_bytes(self.content[at : at + 4]) for at in (16, 20))
        return self.content.startswith(_PNG) and max(width, height) <= _SMALL_SIDE


def kind_of(content_type: str | None) -> bool:
    """Whether a content type is JSON's; a Problem if it is neither that nor a picture's."""
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return True
    readable = kind.startswith("image/") and kind != "image/svg+xml"
    if not readable and kind not in ("application/octet-stream", "application/pdf"):
        raise Problem(
            415,
            f"the content type is {kind!r}: send a picture's bytes as image/png, or the like, or "
            "JSON as application/json"
            if kind
            else "there is no content type: say image/png, or the like, or application/json",
        )
    return False


def pictures_of(body: Body, limits: Limits) -> list[Picture]:
    """Every picture that a body holds, decoded or drawn, in order.

    Raises
    ------
    ImageError
        If one cannot be read.
    Problem
        If it is not what it should be; its sentence says where.
    """
    if not body.is_json:
        return [open_image(body.content, max_pixels=limits.pixels)]
    value = _parsed(body.content)
    key = _only_key(value, {"images", "drawings"})
    if key == "strokes":
        return _drawn([_drawing(value, "the drawing", limits)], limits)
    several = value[key]
    if not isinstance(several, list) or not 1 <= len(several) <= limits.pictures:
        raise Problem(422, f"{key} must be a list of 1 to {limits.pictures} of them")
    named = [(one, f"{key}[{number}]") for number, one in enumerate(several)]
    if key == "images":
        return [_array(*one) for one in named]
    return _drawn([_drawing(*one, limits) for one in named], limits)


class Correction(NamedTuple):
    """What somebody says a picture is: PNG, its label, and what was said of it, if anything."""

    png: bytes
    label: int
    said: int | None


def correction_of(content: bytes, limits: Limits) -> Correction:
    """What the body of a correction holds; errors as those of `pictures_of`."""
    value = _parsed(content)
    if not isinstance(value, dict):
        raise Problem(422, "a correction must be an object with a label and a picture")
    value = dict(value)
    label, said = _digit(value.pop("label", None), "label"), value.pop("said", None)
    said = said if said is None else _digit(said, "said")
    key = _only_key(value, {"image", "png"})
    if key == "png":
        return Correction(_png_of(value[key], limits), label, said)
    if key == "image":
        picture = _array(value[key], "the picture")
    else:
        (picture,) = _drawn([_drawing(value, "the picture", limits)], limits)
    stream = io.BytesIO()
    Image.fromarray(picture.pixels[..., 0]).save(stream, "PNG")
    return Correction(stream.getvalue(), label, said)


def _parsed(content: bytes) -> Any:
    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON")

    try:
        return json.loads(content, parse_constant=refuse)
    except RecursionError as error:
        raise Problem(400, "the body is JSON that is nested too deeply") from error
    except ValueError as error:  # no JSON, no UTF-8, or a number of thousands of digits
        reason = f"{error}".partition(";")[0]
        raise Problem(400, f"the body is not JSON: {reason}") from error


def _only_key(value: Any, keys: set[str]) -> str:
    """Which of the ways to give pictures an object has; strokes have a width and a size too."""
    expected = ", ".join(sorted({*keys, "strokes"}))
    if not isinstance(value, dict) or len(found := {*keys, "strokes"} & value.keys()) != 1:
        raise Problem(422, f"the body must be an object with one of {expected}")
    (key,) = found
    drawing = {"strokes", "width", "size"}
    if odd := value.keys() - (drawing if key == "strokes" else {key}):
        raise Problem(422, f"the body has {min(odd)!r}, which means nothing beside {key}")
    return key


def _array(value: Any, name: str) -> Picture:
    rows, columns = IMAGE_SHAPE
    fits = (
        isinstance(value, list)
        and len(value) == rows
        and all(isinstance(row, list) and len(row) == columns for row in value)
    )
    if not fits or not all(_is_level(level) for row in value for level in row):
        raise Problem(
            422, f"{name} must be {rows} rows of {columns} whole numbers from 0 (paper) to 255"
        )
    return open_image(np.array(value).astype(np.uint8), name)


def _is_level(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value <= 255 and value == int(value)


def _digit(value: Any, name: str) -> int:
    if type(value) not in (int, float) or not 0 <= value <= 9 or value != int(value):
        raise Problem(422, f"{name} must be a digit from 0 to 9")
    return int(value)


def _drawing(value: Any, name: str, limits: Limits) -> Drawing:
    if not isinstance(value, dict) or value.keys() - {"strokes", "width", "size"}:
        raise Problem(422, f"{name} must be an object of strokes, width and size, and no more")
    size, width, strokes = (value.get(key) for key in ("size", "width", "strokes"))
    if (
        not isinstance(size, list)
        or len(size) != 2
        or not all(_is_number(side, 1, limits.side) and side == int(side) for side in size)
    ):
        raise Problem(422, f"{name}: size must be [width, height], from 1 to {limits.side} pixels")
    if not _is_number(width, 0, limits.pen) or not width:
        raise Problem(422, f"{name}: width must be a number above 0, up to {limits.pen:g}")
    if not isinstance(strokes, list) or not all(isinstance(s, list) and s for s in strokes):
        raise Problem(422, f"{name}: strokes must be a list of lists of points, none of them empty")
    if not all(_is_point(point) for stroke in strokes for point in stroke):
        raise Problem(422, f"{name}: a point must be [x, y], two numbers")
    return Drawing(strokes, float(width), (int(size[0]), int(size[1])))


def _drawn(drawings: list[Drawing], limits: Limits) -> list[Picture]:
    """All drawings of a request, if they are not too much together."""
    n_points = sum(len(stroke) for drawing in drawings for stroke in drawing.strokes)
    if n_points > limits.points:
        raise Problem(422, f"there are {n_points:,} points, more than {limits.points:,}")
    n_pixels = sum(math.prod(drawing.size) for drawing in drawings)
    if n_pixels > limits.paper:
        raise Problem(422, f"the drawings have {n_pixels:,} pixels, more than {limits.paper:,}")
    return [open_image(drawn(drawing)) for drawing in drawings]


def _is_point(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(_is_number(place, -_FURTHEST, _FURTHEST) for place in value)
    )


def _is_number(value: Any, least: float, most: float) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and least <= value <= most


def _png_of(value: Any, limits: Limits) -> bytes:
    """A PNG from base64, which can be read as a picture."""
    if not isinstance(value, str):
        raise Problem(422, "png must be the bytes of a PNG file in base64")
    try:
        content = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Problem(422, "png is not base64") from error
    if not content.startswith(_PNG):
        raise Problem(422, "png holds something else than a PNG file")
    open_image(content, max_pixels=limits.pixels)
    return content
