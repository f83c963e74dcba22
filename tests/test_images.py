"""Any picture of a digit becomes what MNIST would have shown."""

import io
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image, ImageDraw, ImageFile

from mnist_net import images
from mnist_net.data import Dataset
from mnist_net.errors import ImageError
from mnist_net.hyperparameters import Hyperparameters
from mnist_net.images import (
    MAX_PIXELS,
    Scaling,
    fit_image,
    is_image_name,
    normalize,
    open_image,
    read_image,
    save_png,
)
from mnist_net.model import Model
from mnist_net.runs import finish, prepare
from mnist_net.training import train

# Strokes of digits on a grid of 10 wide and 16 high.
STROKES = {
    1: [[(3, 3), (6, 0), (6, 15)]],
    2: [[(0, 3), (3, 0), (7, 0), (9, 3), (8, 7), (0, 15), (9, 15)]],
    4: [[(6, 15), (6, 0), (0, 10), (9, 10)]],
    5: [[(9, 0), (1, 0), (0, 7), (6, 6), (9, 10), (7, 15), (0, 14)]],
    7: [[(0, 0), (9, 0), (3, 15)]],
}


def draw(digit: int, unit: int = 6, margin: tuple[int, int] = (12, 12)) -> Image.Image:
    """A digit in clean black strokes on white paper."""
    size = (10 * unit + 2 * margin[0], 16 * unit + 2 * margin[1])
    picture = Image.new("L", size, 255)
    pen = ImageDraw.Draw(picture)
    for stroke in STROKES[digit]:
        points = [(x * unit + margin[0], y * unit + margin[1]) for x, y in stroke]
        pen.line(points, fill=0, width=unit, joint="curve")
    return picture


def pixels(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture)


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> io.BytesIO:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    stream.seek(0)
    return stream


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Mean difference of two pictures in grey levels of 255."""
    return float(np.abs(one.astype(float) - other.astype(float)).mean())


def centre_of_mass(picture: np.ndarray) -> tuple[float, float]:
    mass = picture.astype(float)
    places = np.arange(28.0)
    return (
        float(mass.sum(axis=1) @ places / mass.sum()),
        float(mass.sum(axis=0) @ places / mass.sum()),
    )


REFERENCE = normalize(pixels(draw(5)))

# Noise beside a stroke is taken for its soft edge, so that the crop is up to a twentieth wider at
# each end: the digit is the same, slightly smaller.  Other digits are at a distance of 21 or more.
NOISY = 15.0


def test_the_reference_is_a_digit_as_mnist_draws_them() -> None:
    assert REFERENCE.shape == (28, 28)
    assert REFERENCE.dtype == np.uint8
    assert REFERENCE.max() == 255
    assert 40 < np.count_nonzero(REFERENCE) < 250
    assert not REFERENCE[0].any()
    others = [normalize(pixels(draw(digit))) for digit in STROKES if digit != 5]
    turned = [REFERENCE[::-1], REFERENCE[:, ::-1], np.rot90(REFERENCE), np.rot90(REFERENCE, 2)]
    assert min(distance(REFERENCE, other) for other in others + turned) > 21.0


# MNIST's own pictures, saved as files.


@pytest.fixture(scope="module")
def test_pictures(mnist_arrays: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    pictures, labels = mnist_arrays
    return pictures[60_000:61_000], labels[60_000:61_000]


@pytest.fixture(scope="module")
def quick_model(mnist_arrays: tuple[np.ndarray, np.ndarray]) -> Model:
    pictures, labels = mnist_arrays
    dataset = Dataset(pictures[:10_000], labels[:10_000], "a part of mnist", "0" * 64)
    run = prepare(dataset, Hyperparameters(epochs=5))
    *_, progress = train(run.training, run.hyperparameters)
    return finish(run, progress)


def as_it_is(picture: np.ndarray, number: int) -> np.ndarray:
    return picture


def inverted(picture: np.ndarray, number: int) -> np.ndarray:
    return 255 - picture


def ten_times_as_large(picture: np.ndarray, number: int) -> np.ndarray:
    return pixels(Image.fromarray(255 - picture).resize((280, 280), Image.Resampling.BICUBIC))


def on_a_page(picture: np.ndarray, number: int) -> np.ndarray:
    top, left = np.random.default_rng(number).integers(0, 120, 2)
    page = np.full((200, 150), 255, np.uint8)
    page[top : top + 28, left : left + 28] = 255 - picture
    return page


@pytest.mark.parametrize(
    ("change", "typical"),
    [
        # The contrast is stretched to the darkest tenth of the ink, which changes a grey level
        # here and there; 28 × 28 is neither cropped nor resampled.
        (as_it_is, 0.5),
        (inverted, 0.5),
        (on_a_page, 0.5),
        # Bicubic up and down again smears edges, and they are a third of a digit's pixels.
        (ten_times_as_large, 15.0),
    ],
)
def test_mnist_survives_being_saved_as_pictures(
    test_pictures, quick_model: Model, change, typical: float
) -> None:
    pictures, labels = test_pictures
    read = [
        read_image(encoded(Image.fromarray(change(picture, number))), "it")
        for number, picture in enumerate(pictures)
    ]
    differences = [distance(a, b) for a, b in zip(read, pictures, strict=True)]
    assert np.quantile(differences, 0.9) < typical
    # Some of MNIST's digits have a faint end that is taken for paper, are then cropped closer and
    # drawn larger: a fact of any threshold, and rare.
    assert np.quantile(differences, 0.99) < typical + 5.0
    direct = float((quick_model.predict(pictures) == labels).mean())
    through_files = float((quick_model.predict(np.stack(read)) == labels).mean())
    assert direct > 0.9
    assert through_files >= direct - 0.002


def test_polarity_makes_no_difference_to_a_single_bit(test_pictures) -> None:
    for picture in test_pictures[0]:
        np.testing.assert_array_equal(normalize(picture), normalize(255 - picture))


def test_digits_are_placed_as_mnist_places_them(test_pictures) -> None:
    """The centre of mass lies in the middle of the field, index 14, as closely as pixels allow."""
    for picture in test_pictures[0]:
        # MNIST's own convention, from which ours must not differ ...
        assert all(13.5 <= place <= 14.5 for place in centre_of_mass(picture))
        # ... and ours.
        assert all(13.5 <= place <= 14.5 for place in centre_of_mass(normalize(picture)))


# Fitting and centring.


@pytest.mark.parametrize("digit", STROKES)
@pytest.mark.parametrize("unit", [1, 2, 6, 25])
def test_the_longer_side_is_20_and_the_mass_is_in_the_middle(digit: int, unit: int) -> None:
    result = normalize(pixels(draw(digit, unit)))
    rows, columns = np.flatnonzero(result.any(axis=1)), np.flatnonzero(result.any(axis=0))
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    # A soft edge of less than half a grey level rounds to nothing, at each end.
    assert 18 <= max(height, width) <= 20
    assert all(abs(place - 14.0) <= 0.5 for place in centre_of_mass(result))
    assert result.max() == 255


def test_proportions_are_kept() -> None:
    page = np.full((300, 300), 255, np.uint8)
    page[50:250, 100:150] = 0
    result = normalize(page)
    assert np.ptp(np.flatnonzero(result.any(axis=1))) + 1 == 20
    assert np.ptp(np.flatnonzero(result.any(axis=0))) + 1 == 5


def test_a_digit_too_lopsided_to_be_centred_stays_in_the_field() -> None:
    ink = np.zeros((20, 20), np.uint8)
    ink[19, :] = ink[:, 19] = 255
    ink[0, 0] = ink[0, 1] = 255
    result = fit_image(ink)
    assert result.shape == (28, 28)
    assert int(result.astype(int).sum()) == int(ink.astype(int).sum())


@pytest.mark.parametrize("level", [1, 2, 3, 100, 127, 128, 255])
def test_faint_ink_is_fitted_as_full_ink_is(level: int) -> None:
    ink = np.zeros((40, 40), np.uint8)
    ink[5:35, 10:18] = level
    full = fit_image(np.where(ink > 0, 255, 0).astype(np.uint8))
    np.testing.assert_allclose(fit_image(ink).astype(int), full.astype(int), atol=1)


def test_specks_on_a_large_page_do_not_vanish() -> None:
    """Shrunk to 20 pixels, each is less than one grey level of 256."""
    page = np.full((1000, 1000), 255, np.uint8)
    page[10, 10] = page[900, 950] = 0
    result = normalize(page)
    assert result.max() == 255
    assert np.count_nonzero(result > 100) == 2


def test_a_hairline_on_a_large_page_is_as_dark_as_a_thick_one() -> None:
    page = np.full((2000, 2000), 255, np.uint8)
    page[100:1900, 500] = 0
    page[1000, 500:1400] = 0
    result = normalize(page)
    assert result.max() == 255
    assert np.median(result[result > 0]) > 100


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
    decoded = images._decode(in_mode(draw(5), mode))
    np.testing.assert_array_equal(normalize(decoded), REFERENCE)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_jpeg_is_read_with_its_artefacts(mode: str) -> None:
    file = encoded(draw(5).convert(mode), "JPEG", quality=75)
    assert distance(read_image(file, "it"), REFERENCE) < NOISY


@pytest.mark.parametrize("scale", [1.0, 255.0, 4095.0, 65535.0, 1e6])
@pytest.mark.parametrize("offset", [0.0, -0.5])
def test_floating_point_pixels_of_any_range_are_read(scale: float, offset: float) -> None:
    values = (pixels(draw(5)) / 255.0 + offset) * scale
    file = encoded(Image.fromarray(values.astype(np.float32)), "TIFF")
    np.testing.assert_array_equal(read_image(file, "it"), REFERENCE)


def test_pixels_that_are_no_numbers_do_no_harm() -> None:
    values = pixels(draw(5)).astype(np.float32)
    values[0, 0], values[1, 1], values[2, 2] = np.nan, np.inf, -np.inf
    decoded = open_image(encoded(Image.fromarray(values), "TIFF"), "it")
    expected = pixels(draw(5)).copy()
    expected[[0, 1, 2], [0, 1, 2]] = 0
    np.testing.assert_array_equal(decoded, expected)


def test_faint_noise_in_16_bits_is_blank() -> None:
    page = np.random.default_rng(0).integers(60_000, 60_500, (50, 50)).astype(np.uint16)
    with pytest.raises(ImageError, match="is blank"):
        read_image(encoded(Image.fromarray(page)), "it")


def test_colours_are_read_by_their_brightness() -> None:
    """Dark blue ink on yellow paper."""
    mask = pixels(draw(5))[..., None] > 127
    coloured = np.where(mask, [250, 240, 140], [20, 20, 120]).astype(np.uint8)
    read = read_image(encoded(Image.fromarray(coloured)), "it")
    assert distance(read, normalize(np.where(mask[..., 0], 255, 0).astype(np.uint8))) < 0.5


def alpha_ink(colour: int) -> Image.Image:
    """Ink is opaque, all else is transparent and of the same colour."""
    ink = 255 - pixels(draw(5))
    return Image.fromarray(np.dstack([np.full_like(ink, colour)] * 3 + [ink]))


def test_transparent_paper_is_white() -> None:
    assert distance(read_image(encoded(alpha_ink(0)), "it"), REFERENCE) < 0.1


def test_a_transparent_palette_entry_is_white_paper() -> None:
    # Paper is entry 0, black but transparent; ink is entry 1, a dark grey.
    entries = (pixels(draw(5)) < 128).astype(np.uint8)
    picture = Image.fromarray(entries).convert("P")
    picture.putpalette([0, 0, 0, 40, 40, 40])
    expected = normalize(np.where(entries, 0, 255).astype(np.uint8))
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


# Contrast and size.


@pytest.mark.parametrize(
    ("paper", "ink"), [(255, 0), (0, 255), (200, 90), (90, 200), (140, 110), (30, 60), (255, 230)]
)
def test_any_paper_and_any_ink(paper: int, ink: int) -> None:
    drawn = np.where(pixels(draw(5)) < 128, ink, paper).astype(np.uint8)
    expected = normalize(np.where(drawn == ink, 0, 255).astype(np.uint8))
    np.testing.assert_array_equal(normalize(drawn), expected)


@pytest.mark.parametrize("paper", [200, 40])
def test_noisy_paper_is_paper(paper: int) -> None:
    generator = np.random.default_rng(1)
    ink = 40 if paper == 200 else 200
    drawn = np.where(pixels(draw(5, unit=8)) < 128, ink, paper) + generator.normal(0, 4, (152, 104))
    read = normalize(np.clip(np.round(drawn), 0, 255).astype(np.uint8))
    assert distance(read, normalize(pixels(draw(5, unit=8)))) < NOISY


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


def test_paper_with_a_breath_of_noise_is_blank() -> None:
    page = np.random.default_rng(0).integers(250, 256, (100, 100)).astype(np.uint8)
    with pytest.raises(ImageError, match="is blank"):
        normalize(page)


def test_pictures_of_a_few_pixels_are_read() -> None:
    tiny = np.full((8, 8), 255, np.uint8)
    tiny[1:7, 3:5] = 0
    result = normalize(tiny)
    assert np.ptp(np.flatnonzero(result.any(axis=1))) + 1 == 20
    line = np.full((1, 40), 255, np.uint8)
    line[0, 10:30] = 0
    assert np.count_nonzero(normalize(line)) == 20
    assert np.count_nonzero(normalize(line.T)) == 20


def test_a_large_jpeg_is_decoded_at_a_fraction_of_its_size() -> None:
    file = encoded(draw(5, unit=250, margin=(250, 1000)), "JPEG", quality=50)  # 3000 × 6000
    with Image.open(file) as opened:
        assert opened.size == (3000, 6000)
    opened_pixels = open_image(file, "large.jpg")
    assert max(opened_pixels.shape) <= 2000
    assert opened_pixels.shape[0] == 2 * opened_pixels.shape[1]
    assert distance(normalize(opened_pixels), REFERENCE) < 8.0


@pytest.mark.parametrize("size", [(12_000, 20), (20, 12_000)])
def test_a_long_strip_is_read(size: tuple[int, int]) -> None:
    strip = Image.new("L", size, 255)
    strip.paste(0, (size[0] // 3, size[1] // 3, size[0] // 2 + 1, size[1] // 2 + 1))
    assert max(open_image(encoded(strip), "it").shape) <= 2000
    assert read_image(encoded(strip), "it").shape == (28, 28)


# Broken, hostile and huge files.


def png_of_size(width: int, height: int) -> bytes:
    """A small file that claims to hold a picture of any size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


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
    monkeypatch.setattr(images, "MAX_PIXELS", width * height)
    np.testing.assert_array_equal(read_image(file, "it"), REFERENCE)
    monkeypatch.setattr(images, "MAX_PIXELS", width * height - 1)
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


@settings(max_examples=200, deadline=None)
@given(signature=st.sampled_from(SIGNATURES), rest=st.binary(max_size=300))
def test_arbitrary_bytes_give_a_digit_or_a_refusal(signature: bytes, rest: bytes) -> None:
    read_or_refuse(signature + rest)


WHOLE = [
    encoded(draw(7, 2), kind).getvalue() for kind in ("PNG", "GIF", "JPEG", "TIFF", "BMP", "WEBP")
]


@settings(max_examples=200, deadline=None)
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


@settings(max_examples=300, deadline=None)
@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=40)))
@example(np.array([[0, 255]], np.uint8))
@example(np.array([[255], [0]], np.uint8))
def test_arbitrary_pixels_give_a_digit_or_a_refusal(picture: np.ndarray) -> None:
    before = picture.copy()
    try:
        result = normalize(picture)
    except ImageError:
        assert np.ptp(picture) < 256  # constant, or too faint
    else:
        assert result.shape == (28, 28)
        assert result.dtype == np.uint8
        assert result.max() == 255
    np.testing.assert_array_equal(picture, before)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    digit=st.sampled_from(sorted(STROKES)),
    unit=st.integers(2, 8),
    padding=st.tuples(*[st.integers(0, 60)] * 4),
    invert=st.booleans(),
)
def test_neither_place_nor_polarity_changes_a_clean_digit(
    digit: int, unit: int, padding: tuple[int, int, int, int], invert: bool
) -> None:
    """Not by a single bit, wherever on however large a page it is."""
    drawn = pixels(draw(digit, unit))
    top, bottom, left, right = padding
    moved = np.pad(drawn, ((top, bottom), (left, right)), constant_values=255)
    np.testing.assert_array_equal(normalize(255 - moved if invert else moved), normalize(drawn))


@settings(max_examples=50, deadline=None)
@given(digit=st.sampled_from(sorted(STROKES)), first=st.integers(3, 12), second=st.integers(3, 12))
def test_size_hardly_changes_a_digit(digit: int, first: int, second: int) -> None:
    one, other = (normalize(pixels(draw(digit, unit, (9, 9)))) for unit in (first, second))
    # A stroke's width is a whole number of pixels and so not in exact proportion.
    assert distance(one, other) < 22.0


# Names, files, scaling.


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
        ("a.pdf", False),  # Pillow writes it and cannot read it
        ("png", False),
        ("a.joblib", False),
    ],
)
def test_pictures_are_known_by_their_names(name: str, is_picture: bool) -> None:
    assert is_image_name(Path("folder", name)) == is_picture


def test_png_files_come_back_as_they_were(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (5, 9)).astype(np.uint8)
    save_png(picture, tmp_path / "new" / "p.png")
    np.testing.assert_array_equal(open_image(tmp_path / "new" / "p.png", "it"), picture)


def test_scaling_by_hand() -> None:
    pictures = np.array([[[0, 255], [51, 102]]], np.uint8)
    unit = Scaling.unit().apply(pictures)
    assert unit.dtype == np.float32
    np.testing.assert_allclose(unit, [[0.0, 1.0, 0.2, 0.4]], rtol=1e-6)
    standard = Scaling.standard(pictures)
    assert standard.shift == 102.0
    assert standard.scale == pytest.approx(np.sqrt((102**2 + 153**2 + 51**2 + 0) / 4))
    scaled = standard.apply(pictures)
    assert scaled.mean() == pytest.approx(0.0, abs=1e-6)
    assert scaled.std() == pytest.approx(1.0, abs=1e-6)
    constant = Scaling.standard(np.full((2, 2, 2), 7, np.uint8))
    assert constant == Scaling(7.0, 1.0)


def test_a_model_says_what_pictures_it_takes(quick_model: Model) -> None:
    for wrong in (np.zeros((28, 28), np.uint8), np.zeros((1, 27, 28), np.uint8)):
        with pytest.raises(ValueError, match="N × 28 × 28 or N × 784"):
            quick_model.predict(wrong)
    with pytest.raises(ValueError, match="must be uint8"):
        quick_model.predict(np.zeros((1, 28, 28)))
    assert quick_model.predict(np.zeros((0, 28, 28), np.uint8)).shape == (0,)
    flat = np.random.default_rng(0).integers(0, 256, (4001, 784)).astype(np.uint8)
    whole = quick_model.predict_proba(flat)  # more than one chunk
    assert whole.shape == (4001, 10)
    np.testing.assert_allclose(whole.sum(axis=1), 1.0, atol=1e-5)
    np.testing.assert_array_equal(
        quick_model.predict(flat), quick_model.predict(flat.reshape(-1, 28, 28))
    )
