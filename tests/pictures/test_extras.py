"""Formats that need a package of their own: read with it, and one sentence without."""

import io
import sys
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from PIL import Image

from mnist_net.errors import ImageError
from mnist_net.pictures.decoding import is_image_name, open_image
from tests.drawings import draw, encoded, pixels


def heic() -> bytes:
    from pillow_heif import from_pillow

    stream = io.BytesIO()
    from_pillow(draw(5).convert("RGB")).save(stream, quality=100)
    return stream.getvalue()


def pdf() -> bytes:
    stream = io.BytesIO()
    pages = [draw(digit, unit=12).convert("RGB") for digit in (5, 7)]
    pages[0].save(stream, "PDF", save_all=True, append_images=pages[1:], resolution=200.0)
    return stream.getvalue()


def test_heic_is_read(tmp_path: Path) -> None:
    path = tmp_path / "five.heic"
    path.write_bytes(heic())
    for source in (path, heic(), io.BytesIO(heic())):
        seen = open_image(source).pixels[..., 0].astype(int)
        assert np.abs(seen - pixels(draw(5))).mean() < 3.0  # the format is lossy


def test_pages_of_a_pdf_are_drawn(tmp_path: Path) -> None:
    path = tmp_path / "pages.pdf"
    path.write_bytes(pdf())
    for source in (path, pdf()):
        for page, digit in ((1, 5), (2, 7)):
            picture = open_image(source, "it", page=page)
            assert picture.n_pages == 2
            expected = open_image(encoded(draw(digit, unit=12))).pixels
            height, width = np.minimum(picture.pixels.shape[:2], expected.shape[:2])
            seen = picture.pixels.mean(axis=2)[:height, :width]
            assert np.abs(seen - expected[:height, :width, 0]).mean() < 6.0
    stream = io.BytesIO(pdf())
    assert [open_image(stream, "it").n_pages for _ in range(2)] == [2, 2]
    with pytest.raises(ImageError, match=r"^it has no page 3: it has 2$"):
        open_image(path, "it", page=3)


@pytest.mark.parametrize(
    ("package", "content", "message"),
    [
        ("pillow_heif", heic(), "^it is a HEIC picture.*pip install 'mnist-net\\[heic\\]'$"),
        ("pypdfium2", pdf(), "^it is a PDF.*pip install 'mnist-net\\[pdf\\]'$"),
    ],
)
def test_without_its_package_one_is_told(
    package: str, content: bytes, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImageError, match=message):
        open_image(content, "it")


def test_a_drawing_of_lines_is_to_be_made_a_picture_first() -> None:
    for content in (b'<svg xmlns="x"/>', b'<?xml version="1.0"?>\n<SVG></SVG>'):
        with pytest.raises(ImageError, match=r"^it is an SVG drawing.*cairosvg drawing\.svg"):
            open_image(content, "it")


@pytest.mark.parametrize("content", [heic()[:200], pdf()[:200], b"%PDF-1.7", pdf()[:-300]])
def test_damage_is_one_sentence(content: bytes) -> None:
    try:
        open_image(content, "it")
    except ImageError as error:
        assert str(error).startswith("it ")  # noqa: PT017  (a repaired file is as good)


def test_names_that_end_so_are_pictures() -> None:
    assert is_image_name(Path("a.HEIC"))
    assert is_image_name(Path("a.pdf"))
    assert not is_image_name(Path(".a.pdf"))
    assert not is_image_name(Path("a.svg"))
    assert Image.registered_extensions()[".png"] == "PNG"


@pytest.mark.parametrize("size", [(14_400, 14_400), (14_400, 20)])
def test_a_huge_page_is_drawn_small(size: tuple[int, int]) -> None:
    document = pypdfium2.PdfDocument.new()
    document.new_page(*size)
    stream = io.BytesIO()
    document.save(stream)
    height, width = open_image(stream.getvalue()).pixels.shape[:2]
    assert height * width < 3e6


@pytest.mark.parametrize("size", [(20_000, 20), (0.1, 100)])
def test_an_impossible_page_is_refused(size: tuple[float, float]) -> None:
    document = pypdfium2.PdfDocument.new()
    document.new_page(*size)
    stream = io.BytesIO()
    document.save(stream)
    with pytest.raises(ImageError, match=r"points: crop it$"):
        open_image(stream.getvalue(), "it")
