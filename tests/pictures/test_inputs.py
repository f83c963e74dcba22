"""A picture may come as a path, a stream, bytes, an image or an array, and is the same picture."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from mnist_net.errors import ImageError
from mnist_net.pictures.decoding import Picture, open_image
from tests.drawings import draw, encoded, pixels

DRAWN = draw(5)
GREY = pixels(DRAWN)
RGB = np.repeat(GREY[..., None], 3, axis=2)
EXPECTED = open_image(encoded(DRAWN), "it").pixels


@pytest.mark.parametrize(
    "array",
    [
        GREY,
        GREY[..., None],
        RGB,
        np.dstack([RGB, np.full_like(GREY, 255)]),
        np.asfortranarray(GREY),
        GREY[:, ::-1][:, ::-1],
        GREY / 255.0,
        (GREY / 255.0).astype(np.float16),
        GREY.astype(np.uint16) * 257,
        GREY.astype(np.int64),
        np.dstack([RGB.astype(np.uint16) * 257]),
    ],
    ids=lambda array: f"{array.dtype}-{'x'.join(map(str, array.shape))}",
)
def test_arrays_of_any_kind_are_the_picture(array: np.ndarray) -> None:
    before = array.copy()
    np.testing.assert_array_equal(open_image(array).pixels, EXPECTED)
    np.testing.assert_array_equal(array, before)


def test_truth_is_white() -> None:
    np.testing.assert_array_equal(
        open_image(GREY > 127).pixels[..., 0], np.where(GREY > 127, 255, 0)
    )


def test_channels_are_red_green_and_blue() -> None:
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 200
    np.testing.assert_array_equal(open_image(red).pixels, red)


def test_opacity_shows_the_paper() -> None:
    drawn = np.zeros((*GREY.shape, 4), np.uint8)
    drawn[..., 3] = 255 - GREY
    np.testing.assert_array_equal(open_image(drawn).pixels, EXPECTED)


def test_files_bytes_streams_and_images_are_the_same_picture(tmp_path: Path) -> None:
    path = tmp_path / "five.png"
    DRAWN.save(path)
    content = path.read_bytes()
    with path.open("rb") as stream, Image.open(path) as image:
        for source in (path, str(path), content, bytearray(content), stream, image, DRAWN):
            np.testing.assert_array_equal(open_image(source).pixels, EXPECTED)


def test_an_image_stays_as_it_was() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(encoded(draw(5, unit=60), "JPEG", exif=exif)) as image:
        size = image.size
        upright = open_image(image)
        assert image.size == size
        assert upright.pixels.shape[:2] == size  # rows are what were columns


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 2, 2)), "^the picture must be rows × columns.*it is 2 × 2 × 2$"),
        (np.zeros((0, 3)), "and not empty; it is 0 × 3$"),
        (np.array(3), "it is a single number$"),
        (
            np.full((5, 5), np.nan),
            "numbers from nan to nan; of float64",
        ),
        (np.full((5, 5), 1.5), "from 1.5 to 1.5; of float64, those from 0 to 1 are read$"),
        (np.full((5, 5), -1), "from -1 to -1; of int64, those from 0 to 65535 are read$"),
        (np.full((5, 5), "a"), "^the picture must be of numbers, not <U1$"),
        (b"", "^the picture is empty: it has no bytes$"),
        (b"no picture", "^the picture is not a picture in a format that can be read"),
    ],
)
def test_what_is_no_picture_is_one_sentence(array: np.ndarray | bytes, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        open_image(array)


@given(
    arrays(
        st.sampled_from([np.uint8, np.int32, np.float32, np.bool_, np.uint16]),
        array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5),
    )
)
def test_any_array_is_a_picture_or_an_image_error(array: np.ndarray) -> None:
    try:
        picture = open_image(array)
    except ImageError:
        return
    assert isinstance(picture, Picture)
    assert picture.pixels.dtype == np.uint8


@pytest.mark.parametrize("kind", ["TIFF", "GIF"])
def test_pages_are_counted_and_chosen(kind: str) -> None:
    stream = io.BytesIO()
    draw(5).save(stream, kind, save_all=True, append_images=[draw(7), draw(1)])
    for page, digit in ((1, 5), (2, 7), (3, 1)):
        picture = open_image(stream.getvalue(), "it", page=page)
        assert picture.n_pages == 3
        expected = open_image(encoded(draw(digit))).pixels
        assert np.abs(picture.pixels.astype(int) - expected).mean() < 1.0  # a GIF has a palette
    for page in (0, 4):
        with pytest.raises(ImageError, match=rf"^it has no page {page}: it has 3$"):
            open_image(stream.getvalue(), "it", page=page)


def test_what_can_be_read_but_once_is_a_picture(tmp_path: Path) -> None:
    content = encoded(DRAWN).getvalue()

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.rest = io.BytesIO(content)

        def read(self, size: int = -1) -> bytes:
            return self.rest.read(size)

        def seekable(self) -> bool:
            return False

    np.testing.assert_array_equal(open_image(Pipe()).pixels, EXPECTED)
    with pytest.raises(TypeError, match=r"must be binary, and this one gives text$"):
        open_image(io.StringIO("no picture"))  # type: ignore[arg-type]


def test_empty_and_huge_arrays_and_images_are_refused_at_once() -> None:
    with pytest.raises(ImageError, match="is empty: it has 0 × 5 pixels"):
        open_image(Image.new("L", (0, 5)))
    with pytest.raises(ImageError, match="more than the 80,000,000 that are read"):
        open_image(np.broadcast_to(np.uint8(3), (40_000, 40_000)))


def test_words_within_a_file_do_not_make_it_a_drawing(tmp_path: Path) -> None:
    path = tmp_path / "5.jpg"
    DRAWN.save(path, comment=b"made of an <svg> drawing")
    assert open_image(path).pixels.shape[2] == 1
