"""Files of every kind are decoded, and broken, hostile and huge ones refused."""

import io
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from mnist_net.errors import ImageError
from mnist_net.pictures import decoding
from mnist_net.pictures.arrays_as_images import grey_levels
from mnist_net.pictures.decoding import (
    MAX_PIXELS,
    Picture,
    is_image_name,
    open_image,
    save_png,
)
from mnist_net.pictures.pieces import Box
from mnist_net.reading.answers import Reading
from mnist_net.reading.shortcuts import read_digit, read_image
from tests.conftest import shipped_reader
from tests.drawings import (
    STROKES,
    as_picture,
    distance,
    draw,
    encoded,
    extent,
    pixels,
    png_of_size,
    views,
)

READER = shipped_reader()


def normalized(picture: Image.Image | np.ndarray) -> np.ndarray:
    """What the network sees of decoded pixels."""
    (reading,) = READER.read([as_picture(picture)])
    assert isinstance(reading, Reading)
    return reading.image


REFERENCE = normalized(draw(5))
TRACED = views(as_picture(draw(5)).pixels)[0].image
"""The same where the paper is not clean, so that strokes are made as wide as MNIST's."""

# JPEG's artefacts and noise move the edge of a stroke by a part of a pixel.  Other digits are at a
# distance of 25 or more, as the next test asserts.
NOISY = 2.0


def test_the_reference_is_a_digit_as_mnist_draws_them() -> None:
    assert TRACED.shape == (28, 28)
    assert TRACED.dtype == np.uint8
    assert TRACED.max() == 255
    assert 40 < np.count_nonzero(TRACED) < 250
    assert not TRACED[0].any()
    others = [views(as_picture(draw(digit)).pixels)[0].image for digit in STROKES if digit != 5]
    turned = [TRACED[::-1], TRACED[:, ::-1], np.rot90(TRACED), np.rot90(TRACED, 2)]
    assert min(distance(TRACED, other) for other in others + turned) > 25.0


# Everything that Pillow can hold.

FILES = [
    ("1", "PNG"),
    ("L", "PNG"),
    ("L", "BMP"),
    ("L", "PPM"),
    ("LA", "PNG"),
    ("La", "TIFF"),
    ("P", "PNG"),
    ("P", "GIF"),
    ("PA", "TIFF"),
    ("RGB", "PNG"),
    ("RGB", "WEBP"),
    ("RGBA", "PNG"),
    ("RGBA", "TIFF"),
    ("CMYK", "TIFF"),
    ("YCbCr", "TIFF"),
    ("LAB", "TIFF"),
    ("I", "TIFF"),
    ("I;16", "PNG"),
    ("I;16", "TIFF"),
    ("F", "TIFF"),
]


def in_mode(picture: Image.Image, mode: str) -> Image.Image:
    if mode == "I;16":
        return Image.fromarray(pixels(picture).astype(np.uint16) * 257)
    through = {"La": "LA", "LAB": "RGB", "HSV": "RGB", "RGBa": "RGBA"}.get(mode, "L")
    return picture.convert(through).convert(mode)


@pytest.mark.parametrize(("mode", "kind"), FILES)
def test_every_mode_is_read(mode: str, kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    if mode == "La":  # premultiplied alpha, which Pillow reads but does not write: TIFF's tag 338
        written = encoded(in_mode(draw(5), "LA"), kind).getvalue()
        tag = struct.pack("<HHI", 338, 3, 1)
        assert written.count(tag + b"\2") == 1
        file = io.BytesIO(written.replace(tag + b"\2", tag + b"\1"))
    else:
        file = encoded(in_mode(draw(5), mode), kind, **options)
    with Image.open(file) as opened:
        assert opened.mode == mode
    np.testing.assert_array_equal(read_image(file, "it"), REFERENCE)


@pytest.mark.parametrize("mode", ["HSV", "RGBa", "RGBX", "PA", "La", "LAB", "I;16"])
def test_modes_that_few_files_have_are_decoded(mode: str) -> None:
    decoded = decoding._decode(in_mode(draw(5), mode))
    np.testing.assert_array_equal(normalized(decoded.pixels), REFERENCE)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_jpeg_is_read_with_its_artefacts(mode: str) -> None:
    for quality, nearest in ((95, NOISY), (75, 6 * NOISY)):  # other digits are beyond 25
        file = encoded(draw(5).convert(mode), "JPEG", quality=quality)
        assert distance(read_image(file, "it"), REFERENCE) < nearest


@pytest.mark.parametrize("scale", [1.0, 255.0, 4095.0, 65535.0, 1e6])
@pytest.mark.parametrize("offset", [0.0, -0.5])
def test_floating_point_pixels_of_any_range_are_read(scale: float, offset: float) -> None:
    values = (pixels(draw(5)) / 255.0 + offset) * scale
    file = encoded(Image.fromarray(values.astype(np.float32)), "TIFF")
    np.testing.assert_array_equal(read_image(file, "it"), REFERENCE)


def test_pixels_that_are_no_numbers_do_no_harm() -> None:
    values = pixels(draw(5)).astype(np.float32)
    values[0, 0], values[1, 1], values[2, 2] = np.nan, np.inf, -np.inf
    decoded = open_image(encoded(Image.fromarray(values), "TIFF"), "it").pixels[..., 0]
    expected = pixels(draw(5)).copy()
    expected[[0, 1, 2], [0, 1, 2]] = 0
    np.testing.assert_array_equal(decoded, expected)


@pytest.mark.parametrize("top", [255, 300, 4095, 5000, 65535])
def test_every_level_of_16_bits_becomes_the_nearest_of_8(top: int) -> None:
    values = np.arange(top + 1, dtype=np.uint16)[None]
    white = next(white for white in (255, 4095, 65535) if top <= white)
    # In whole numbers.  None lies half-way between two: the denominator of 255 / white is odd.
    expected = (2 * values.astype(int) * 255 + white) // (2 * white)
    np.testing.assert_array_equal(grey_levels(values), expected)


def test_grey_levels_of_the_widest_range_are_finite() -> None:
    largest = np.finfo(np.float32).max
    values = np.array([[-largest, 0.0, largest]], np.float32)
    np.testing.assert_array_equal(grey_levels(values), [[0, 128, 255]])


def test_deep_pixels_take_little_memory() -> None:
    """A copy of each in double precision, or two, would be gigabytes for the largest pictures."""
    values = np.zeros((2000, 2000), np.uint16)
    values[0] = 65535
    tracemalloc.start()
    try:
        grey_levels(values)
        assert tracemalloc.get_traced_memory()[1] <= 7 * values.size
    finally:
        tracemalloc.stop()


def test_faint_noise_in_16_bits_is_blank() -> None:
    page = np.random.default_rng(0).integers(60_000, 60_500, (50, 50)).astype(np.uint16)
    with pytest.raises(ImageError, match="is blank"):
        read_image(encoded(Image.fromarray(page)), "it")


def test_colours_stay_colours() -> None:
    """Dark blue ink on yellow paper."""
    mask = pixels(draw(5))[..., None] > 127
    coloured = np.where(mask, [250, 240, 140], [20, 20, 120]).astype(np.uint8)
    decoded = open_image(encoded(coloured), "it")
    np.testing.assert_array_equal(decoded.pixels, coloured)
    assert decoded.reduction == 1.0
    assert distance(read_image(encoded(coloured), "it"), REFERENCE) < NOISY


def test_grey_in_three_channels_is_grey() -> None:
    """A lossy format leaves a trace of colour on it; ink of a colour leaves more."""
    grey = np.repeat(pixels(draw(5))[..., None], 3, axis=2)
    assert open_image(encoded(grey), "it").pixels.shape[2] == 1
    grey[5, 5] = (255, 240, 232)  # a difference of 23
    assert open_image(encoded(grey), "it").pixels.shape[2] == 1
    grey[5, 5] = (255, 240, 231)
    assert open_image(encoded(grey), "it").pixels.shape[2] == 3


def alpha_ink(colour: int) -> Image.Image:
    """Ink is opaque, all else is transparent and of the same colour."""
    ink = 255 - pixels(draw(5))
    return Image.fromarray(np.dstack([np.full_like(ink, colour)] * 3 + [ink]))


@pytest.mark.parametrize("colour", [0, 40, 255])
def test_transparent_paper_is_white_and_black_under_white_ink(colour: int) -> None:
    assert distance(read_image(encoded(alpha_ink(colour)), "it"), REFERENCE) < NOISY


def test_a_transparent_palette_entry_is_white_paper() -> None:
    # Paper is entry 0, black but transparent; ink is entry 1, a dark grey.
    entries = (pixels(draw(5)) < 128).astype(np.uint8)
    picture = Image.fromarray(entries).convert("P")
    picture.putpalette([0, 0, 0, 40, 40, 40])
    expected = normalized(np.where(entries, 40, 255).astype(np.uint8))
    for kind in ("PNG", "GIF"):
        file = encoded(picture, kind, transparency=0)
        with Image.open(file) as opened:
            assert "transparency" in opened.info
        np.testing.assert_array_equal(read_image(file, "it"), expected)


@pytest.mark.parametrize("mode", ["L", "RGB", "I;16"])
def test_a_transparent_colour_is_heeded_or_does_no_harm(mode: str) -> None:
    transparent = {"L": 255, "RGB": (255, 255, 255), "I;16": 65535}[mode]
    file = encoded(in_mode(draw(5), mode), "PNG", transparency=transparent)
    np.testing.assert_array_equal(read_image(file, "it"), REFERENCE)


def test_the_first_frame_of_an_animation_is_read() -> None:
    frames = [draw(5), draw(7), draw(1)]
    file = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(read_image(file, "it"), REFERENCE)


# From upright to what a camera held otherwise would have stored (EXIF 2.3, tag 0x0112).
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize(
    ("mode", "kind"),
    [("L", "PNG"), ("RGBA", "PNG"), ("I;16", "PNG"), ("P", "PNG"), ("L", "TIFF"), ("RGB", "JPEG")],
)
def test_the_orientation_of_the_camera_is_undone(orientation: int, mode: str, kind: str) -> None:
    picture = in_mode(draw(5), mode)
    if STORED[orientation] is not None:
        picture = picture.transpose(STORED[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 95} if kind == "JPEG" else {}
    read = read_image(encoded(picture, kind, exif=exif, **options), "it")
    if kind == "JPEG":
        assert distance(read, REFERENCE) < NOISY
    else:
        np.testing.assert_array_equal(read, REFERENCE)


# Size.


@pytest.mark.parametrize(
    ("size", "kind"),
    [
        ((3000, 6000), "JPEG"),
        ((3000, 6000), "PNG"),
        ((1999, 1501), "PNG"),
        ((2000, 1501), "PNG"),
        ((4032, 3024), "JPEG"),
    ],
)
def test_a_large_picture_is_decoded_at_a_fraction_of_its_size(
    size: tuple[int, int], kind: str
) -> None:
    page = Image.new("L", size, 255)
    page.paste(draw(5, unit=50, margin=(60, 60)), (size[0] // 3, size[1] // 4))
    picture = open_image(encoded(page, kind), "large")
    height, width, channels = picture.pixels.shape
    assert channels == 1
    assert 0.2e6 < height * width < 2.3e6  # about a million: a JPEG halves its sides
    assert picture.reduction > 1.0
    x, y, *sides = picture.place(Box(0, 0, width, height))
    assert (x, y) == (0, 0)
    assert all(side <= all_of_it for side, all_of_it in zip(sides, size, strict=True))
    assert width * picture.reduction == pytest.approx(size[0], abs=picture.reduction)
    assert height * picture.reduction == pytest.approx(size[1], abs=picture.reduction)
    seen = normalized(picture.pixels)
    expected = normalized(draw(5, unit=50, margin=(60, 60)))
    assert distance(seen, expected) < 8.0  # a digit of other shape is at 25 or more


@given(
    corner=st.tuples(st.integers(0, 9_000), st.integers(0, 9_000)),
    box=st.tuples(*[st.integers(0, 900)] * 4),
    reduction=st.floats(1.0, 20.0),
)
def test_the_pixels_of_a_place_are_those_it_is_the_place_of(
    corner: tuple[int, int], box: tuple[int, int, int, int], reduction: float
) -> None:
    picture = Picture(np.zeros((1, 1, 1), np.uint8), reduction, corner=corner)
    left, top, width, height = box
    inside = Box(left, top, left + width, top + height)
    again = picture.box(picture.place(inside))
    assert max(abs(a - b) for a, b in zip(again, inside, strict=True)) <= 1  # places are rounded


@pytest.mark.parametrize("orientation", [1, 6, 8])
def test_what_was_reduced_and_turned_knows_how_much(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = encoded(Image.new("L", (4000, 1500), 255), "JPEG", exif=exif)
    picture = open_image(file, "it")
    height, width, _ = picture.pixels.shape
    assert (width > height) == (orientation == 1)
    assert max(height, width) * picture.reduction == pytest.approx(4000)


def test_a_huge_picture_takes_little_memory() -> None:
    """Decoded in full, 48 megapixels of colour would be 144 megabytes and more."""
    file = encoded(Image.new("RGB", (8000, 6000), "white"), "JPEG")
    tracemalloc.start()
    try:
        open_image(file, "it")
        assert tracemalloc.get_traced_memory()[1] < 40e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("size", [(12_000, 20), (20, 12_000)])
def test_a_long_strip_is_read(size: tuple[int, int]) -> None:
    strip = Image.new("L", size, 255)
    strip.paste(0, (size[0] // 3, size[1] // 3, size[0] // 2 + 1, size[1] // 2 + 1))
    assert read_image(encoded(strip), "it").shape == (28, 28)


def test_a_tiff_whose_next_page_has_no_dimensions_is_refused() -> None:
    damaged = bytearray(encoded(Image.new("L", (44, 56), 255), "TIFF").getvalue())
    n_tags = int.from_bytes(damaged[8:10], "little")
    damaged[10 + 12 * n_tags] = 1  # where it says that the next page begins
    with pytest.raises(ImageError, match="it cannot be read as a picture: Missing dimensions"):
        open_image(bytes(damaged), "it")


def test_pictures_of_a_few_pixels_are_read() -> None:
    tiny = np.full((8, 8), 255, np.uint8)
    tiny[1:7, 3:5] = 0
    assert extent(normalized(tiny))[0] == 20
    line = np.full((1, 40), 255, np.uint8)
    line[0, 10:30] = 0
    assert extent(normalized(line))[1] == 20
    assert extent(normalized(line.T))[0] == 20


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (28, 28), (1, 30), (30, 1), (400, 300)])
@pytest.mark.parametrize("level", [0, 1, 128, 255])
def test_blank_pictures_are_refused(size: tuple[int, int], level: int) -> None:
    file = encoded(Image.new("L", size, level))
    with pytest.raises(
        ImageError,
        match=r"^blank\.png is blank: nothing on it is darker or lighter than its paper$",
    ):
        read_image(file, "blank.png")


def test_a_transparent_picture_is_blank() -> None:
    with pytest.raises(ImageError, match="is blank"):
        read_image(encoded(Image.new("RGBA", (30, 30), (0, 0, 0, 0))), "it")


# Broken, hostile and huge files.


@pytest.mark.parametrize("side", [8_945, 12_000, 30_000, 2_000_000])
def test_a_huge_picture_is_refused_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, side: int
) -> None:
    def decoded(self: object) -> None:
        raise AssertionError("it was decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", decoded)
    path = tmp_path / "huge.png"
    path.write_bytes(png_of_size(side, side))
    tracemalloc.start()
    try:
        with pytest.raises(
            ImageError, match=rf"huge\.png.*{MAX_PIXELS:,}.*shrink or crop"
        ) as caught:
            read_image(path)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
    assert "\n" not in str(caught.value)


def test_the_limit_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    file = encoded(draw(5))
    width, height = draw(5).size
    monkeypatch.setattr(decoding, "MAX_PIXELS", width * height)
    np.testing.assert_array_equal(read_image(file, "it"), REFERENCE)
    monkeypatch.setattr(decoding, "MAX_PIXELS", width * height - 1)
    with pytest.raises(ImageError, match=f"{width} × {height} pixels"):
        read_image(file, "it")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a picture in a format that can be read"),
        (b"Dear reader,\n", "not a picture in a format that can be read"),
        (encoded(draw(5)).getvalue()[:200], "cannot be read as a picture"),
        (encoded(draw(5)).getvalue()[:30], "picture"),
        (encoded(draw(5), "JPEG").getvalue()[:400], "picture"),
        (png_of_size(50, 50), "cannot be read as a picture"),
    ],
    ids=["0 bytes", "text", "truncated", "truncated header", "truncated JPEG", "too few pixels"],
)
def test_broken_files_are_refused_in_one_sentence(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=message) as caught:
        read_image(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_too_little_memory_is_a_sentence_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(self: object) -> None:
        raise MemoryError

    monkeypatch.setattr(ImageFile.ImageFile, "load", exhausted)
    with pytest.raises(
        ImageError, match=r"^it is too large for the memory at hand; shrink or crop it$"
    ):
        open_image(encoded(draw(5)), "it")


@pytest.mark.parametrize("thing", [123, None, {"a": 1}])
def test_what_no_picture_can_come_as_is_a_type_error(thing: object) -> None:
    kind = type(thing).__name__
    message = rf"^a picture is a path, a binary stream, bytes, an image or an array, not {kind}$"
    with pytest.raises(TypeError, match=message):
        open_image(thing, "it")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=message):
        read_digit(thing)  # type: ignore[arg-type]


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"nowhere\.png: no such file$"):
        read_image(tmp_path / "nowhere.png")
    with pytest.raises(ImageError, match=r"cannot be read as a picture: Is a directory$"):
        read_image(tmp_path)


def read_or_refuse(content: bytes) -> None:
    try:
        result = read_image(io.BytesIO(content), "it")
    except ImageError as error:
        assert str(error).startswith("it ")  # noqa: PT017  (either is right)
    else:
        assert result.shape == (28, 28)
        assert result.dtype == np.uint8
        assert result.max() == 255


SIGNATURES = [
    b"\x89PNG\r\n\x1a\n",
    b"GIF89a",
    b"\xff\xd8\xff",
    b"BM",
    b"II*\0",
    b"MM\0*",
    b"P5 9 9 ",
    b"RIFF",
    b"",
]


@settings(max_examples=200)
@given(signature=st.sampled_from(SIGNATURES), rest=st.binary(max_size=300))
def test_arbitrary_bytes_give_a_digit_or_a_refusal(signature: bytes, rest: bytes) -> None:
    read_or_refuse(signature + rest)


WHOLE = [
    encoded(draw(7, 2), kind).getvalue() for kind in ("PNG", "GIF", "JPEG", "TIFF", "BMP", "WEBP")
]


@settings(max_examples=200)
@given(
    whole=st.sampled_from(WHOLE),
    changes=st.lists(st.tuples(st.integers(0), st.integers(1, 255)), max_size=4),
    kept=st.floats(0.2, 1.0),
)
def test_damaged_pictures_give_a_digit_or_a_refusal(
    whole: bytes, changes: list[tuple[int, int]], kept: float
) -> None:
    content = bytearray(whole)
    for place, change in changes:
        content[place % len(content)] ^= change
    read_or_refuse(bytes(content[: int(kept * len(content))]))


# Names and files.


@pytest.mark.parametrize(
    ("name", "is_picture"),
    [
        ("a.png", True),
        ("A.JPG", True),
        ("a.tiff", True),
        ("a.webp", True),
        ("a.b.gif", True),
        (".hidden.png", False),
        ("a.txt", False),
        ("a.eps", False),  # Pillow reads it by starting another program
        ("png", False),
        ("a.joblib", False),
    ],
)
def test_pictures_are_known_by_their_names(name: str, is_picture: bool) -> None:
    assert is_image_name(Path("folder", name)) == is_picture


def test_png_files_come_back_as_they_were(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (5, 9)).astype(np.uint8)
    save_png(picture, tmp_path / "new" / "p.png")
    np.testing.assert_array_equal(
        open_image(tmp_path / "new" / "p.png", "it").pixels[..., 0], picture
    )
