"""What is read on a photograph of nothing."""

from pathlib import Path

import numpy as np
import pytest

from mnist_net.arrays import Array, Bytes
from mnist_net.errors import ModelFileError
from mnist_net.pictures.decoding import Picture, open_image
from mnist_net.pictures.pieces import Box
from mnist_net.reading.answers import UNLIKE, Page, Reading
from mnist_net.reading.reader import Reader
from mnist_net.reading.rules import rule_of
from mnist_net.reading.texture import Textures, as_field, field_around, square_around
from mnist_net.trained import companions, store
from mnist_net.trained.committee import Predictor

WIDTH, HEIGHT = 300, 200
GRAINS = np.random.default_rng(0).normal(150.0, 8.0, (HEIGHT, WIDTH)).astype(np.uint8)
PHOTOGRAPH = open_image(GRAINS)


class Says:
    """In the place of a network: it says so of one figure after the other."""

    def __init__(self, *written: float) -> None:
        self.written = written
        self.seen: list[Bytes] = []

    def predict_proba(self, images: Bytes) -> Array:
        self.seen += list(images)
        written = np.array(self.written[: len(images)])
        return np.stack([1.0 - written, written], axis=1)


def left(rows: list[list[float]], picture: Picture = PHOTOGRAPH) -> list[int]:
    """Which rows are left, each of 1s that are written with some probabilities."""
    page = Page(
        tuple(
            tuple(Reading(1, 0.99, 0.99, box=(20 + 40 * k, 20 + number, 20, 80)) for k in range(n))
            for number, n in enumerate(map(len, rows))
        )
    )
    textures: Predictor = Says(*(p for row in rows for p in row))  # type: ignore[assignment]
    written = Textures(textures, 0.3).without(page, picture)
    assert written.reason == (None if written.rows or not rows else UNLIKE)
    return [page.rows.index(row) for row in written.rows]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([[0.29]], []),
        ([[0.31]], [0]),
        ([[0.001, 0.9]], []),  # log-odds of -6.9 and 2.2
        ([[0.03, 0.9]], [0]),  # and of -3.5
        ([[0.0, 1.0]], [0]),  # no doubt is without end
        ([[0.9], [0.1]], [0]),
        ([[0.1], [0.9, 0.9], [0.1]], [1]),
        ([[0.1], [0.9], [0.1]], []),  # one of three digits
        ([], []),
    ],
)
def test_rows_are_texture_or_writing_and_all_are_texture_if_most_are(
    rows: list[list[float]], expected: list[int]
) -> None:
    assert left(rows) == expected


def test_where_nothing_is_refused_no_row_is_left_out() -> None:
    page = Page(((Reading(1, 0.9, 0.9, box=(20, 20, 20, 80)),) * 12,), degrees=90.0)
    said = Says(*[1e-6] * 12)
    assert Textures(said, 0.0).without(page, PHOTOGRAPH) == page  # type: ignore[arg-type]
    assert not Textures(said, 0.3).without(page, PHOTOGRAPH).rows  # type: ignore[arg-type]
    sure = Says(*[0.9] * 12)
    assert Textures(sure, 0.3).without(page, PHOTOGRAPH).degrees == 90.0  # type: ignore[arg-type]


def test_what_is_drawn_or_cut_out_is_not_asked_for() -> None:
    assert left([[0.0]], open_image(np.full((HEIGHT, WIDTH), 255, np.uint8))) == [0]
    assert left([[0.0]], open_image(GRAINS[:64, :64])) == [0]
    assert left([[0.0]], open_image(GRAINS[:64, :65])) == []


@pytest.mark.parametrize("channels", [1, 3])
def test_the_network_sees_a_figure_in_the_middle_wherever_it_is(channels: int) -> None:
    """A dark square on a photograph that was cropped, and reduced by two."""
    pixels = GRAINS.copy()
    pixels[100:120, 140:160] = 20
    picture = Picture(np.repeat(pixels[..., None], channels, axis=2), 2.0, corner=(50, 30))
    textures = Says(0.9)
    page = Page(((Reading(1, box=(50 + 2 * 140, 30 + 2 * 100, 40, 40)),),))
    assert Textures(textures, 0.3).without(page, picture) == page  # type: ignore[arg-type]
    (field,) = textures.seen
    assert (field[8:20, 8:20] > 220).all()
    assert (np.abs(field[[0, 27]].astype(int) - 128) < 40).all()


def test_a_page_that_is_texture_has_no_digit_unless_nothing_is_refused(reader: Reader) -> None:
    pixels = GRAINS.copy()
    pixels[60:140, 150:158] = 20
    picture = open_image(pixels)
    answers = [
        Reader(reader.model, reader.detector, least, textures=Says(said)).read_page(picture)  # type: ignore[arg-type]
        for least, said in ((0.3, 0.9), (0.3, 0.01), (0.0, 0.01))
    ]
    assert [page.text for page in answers] == ["1", "", "1"]
    assert answers[1].reason == UNLIKE


def test_which_network_tells_textures(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shipped = companions.load_textures()
    assert shipped is not None
    assert shipped.classes.tolist() == [0, 1]
    signs = next(path for path in store.SHIPPED_MODELS if path.exists()).with_name("signs.joblib")
    with pytest.raises(ModelFileError, match="not the network that tells writing from textures"):
        companions.load_textures(signs)
    monkeypatch.setattr(store, "SHIPPED_MODELS", (tmp_path / "mnist.joblib",))
    assert companions.load_textures() is None


def test_several_digits_that_are_texture_are_none(reader: Reader) -> None:
    pixels = GRAINS.copy()
    for left in (60, 120, 180, 240):
        pixels[60:140, left : left + 8] = 20
    picture = open_image(pixels)
    written, texture = (
        Reader(reader.model, reader.detector, textures=Says(*[said] * 4))  # type: ignore[arg-type]
        for said in (0.9, 0.01)
    )
    assert written.read_page(picture).text.replace(" ", "") == "1111"
    assert texture.read_page(picture).text == ""
    by_rule = texture.read_page(picture, rule_of(expect=4))
    assert (by_rule.digits_only, by_rule.without_rule) == ("1111", "")


# What the network sees.


def test_a_square_goes_on_beyond_the_border() -> None:
    pixels = np.arange(48, dtype=np.uint8).reshape(6, 8)
    square = square_around(pixels, Box(0, 0, 2, 4), 2.0)
    rows, columns = [0, 0, 0, 1, 2, 3, 4, 5], [0, 0, 0, 0, 1, 2, 3, 4]
    expected = [[8 * row + column for column in columns] for row in rows]
    # Four pixels to the left of and above the middle, three and itself to the right and below.
    np.testing.assert_array_equal(square, expected)


@pytest.mark.parametrize("side", [28, 84])
def test_paper_is_in_the_middle_of_the_levels(side: int) -> None:
    """By hand: 128 + 127 (150 - 95) / (0.6 * 150 + 20) = 191.5 of a stroke."""
    levels = np.full((side, side), 150, np.uint8)
    middle = slice(side // 4, side // 2)
    levels[middle, middle] = 95
    field = as_field(levels)
    assert field.shape == (28, 28)
    assert field.dtype == np.uint8
    assert field[0, 0] == field[27, 27] == 128
    assert field[10, 10] in (191, 192)


def test_what_is_lighter_is_below_and_all_is_within_the_range() -> None:
    levels = np.full((28, 28), 40, np.uint8)
    levels[:4], levels[24:] = 255, 0
    field = as_field(levels)
    assert (field[:3] == 0).all()
    assert (field[25:] == 243).all()  # 128 + 127 * 40 / 44


def test_a_figure_is_half_as_large_as_its_field() -> None:
    pixels = np.full((100, 100), 200, np.uint8)
    pixels[40:60, 45:55] = 0
    inked = field_around(pixels, Box(45, 40, 55, 60)) > 160
    assert inked.sum(axis=0).max() == 14
    assert inked.sum(axis=1).max() in (7, 8)  # 5 pixels of 40 on either side, smoothed
