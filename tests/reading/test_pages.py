"""Pages of digits: rows, boxes, and neighbours that touch."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnist_net.pictures import sheets
from mnist_net.pictures.candidates import Candidate
from mnist_net.pictures.decoding import open_image
from mnist_net.pictures.pieces import Box as Bounds
from mnist_net.pictures.rows import Row as RowOfParts
from mnist_net.reading.answers import Page
from mnist_net.reading.arcs import DIGIT, SIGNS, Arc
from mnist_net.reading.judge import SURE
from mnist_net.reading.lattice import Step
from mnist_net.reading.pages import Written, without_doubtful
from mnist_net.reading.reader import Reader
from mnist_net.reading.rules import rule_of
from scripts.reading.foreign import Row
from tests.drawings import Box, as_picture, compose, draw, overlap, pixels


def rows_of(
    clear: dict[int, list[np.ndarray]], rows: list[str], seed: int = 0
) -> list[list[np.ndarray]]:
    generator = np.random.default_rng(seed)
    return [[clear[int(d)][generator.integers(len(clear[int(d)]))] for d in row] for row in rows]


def assert_reads(page: Page, rows: list[str], boxes: list[Box], least_overlap: float = 0.8) -> None:
    assert page.text == "\n".join(rows)
    assert [r.digit for r in page.digits] == [int(d) for row in rows for d in row]
    found = [r.box for r in page.digits if r.box is not None]
    assert [overlap(a, b) > least_overlap for a, b in zip(found, boxes, strict=True)] == [
        True
    ] * len(boxes)


PHONE_NUMBERS = ["03012345678", "4917698765", "18005550199", "2468013579", "99887766554"]
TABLE = ["3141", "5926", "5358", "9793"]


@pytest.mark.parametrize("number", PHONE_NUMBERS)
@pytest.mark.parametrize("scale", [1, 3])
def test_a_phone_number(
    reader: Reader, clear: dict[int, list[np.ndarray]], number: str, scale: int
) -> None:
    levels, boxes = compose(rows_of(clear, [number], scale), scale, gap=8 * scale)
    assert_reads(reader.read_page(as_picture(levels)), [number], boxes)
    assert_reads(reader.read_page(as_picture(255 - levels)), [number], boxes)


@pytest.mark.parametrize(("gaps", "text"), [((60, 32), "46 83 95"), ((32, 32), "468395")])
def test_a_gap_is_a_space_beside_a_wider_one(
    reader: Reader, clear: dict[int, list[np.ndarray]], gaps: tuple[int, int], text: str
) -> None:
    groups = [255 - compose(rows_of(clear, [two]), gap=6)[0] for two in ("46", "83", "95")]
    inks = [ink[:, np.flatnonzero(ink.any(axis=0))] for ink in groups]
    margin, *between = (np.zeros((len(inks[0]), width), np.uint8) for width in (40, *gaps))
    levels = np.hstack([margin, inks[0], between[0], inks[1], between[1], inks[2], margin])
    assert reader.read_page(as_picture(levels)).text == text


@pytest.mark.parametrize("seed", range(4))
def test_a_table_of_digits(reader: Reader, clear: dict[int, list[np.ndarray]], seed: int) -> None:
    levels, boxes = compose(rows_of(clear, TABLE, seed), gap=40)
    assert_reads(reader.read_page(as_picture(levels)), TABLE, boxes)


def test_a_way_to_see_it_that_need_not_be_bent_is_likelier(
    reader: Reader, clear: dict[int, list[np.ndarray]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (few, _), (all_of_it, _) = (compose(rows_of(clear, [n]), gap=12) for n in ("3426", "34268"))
    ways = [next(sheets.likely_ways(as_picture(levels).pixels)) for levels in (few, all_of_it)]
    picture = as_picture(all_of_it)
    plain, bent = (rule_of(pattern=pattern) for pattern in ("dd2d", "dd7d"))
    _, free = reader._read_sheet(ways[0], picture)
    _, fitting = reader._read_sheet(ways[0], picture, plain)
    assert fitting == pytest.approx(free, abs=1e-6)
    assert free > SURE
    assert reader._read_sheet(ways[0], picture, bent)[1] < 0.5 * free  # a figure in four is another
    monkeypatch.setattr(sheets, "likely_ways", lambda _: iter(ways))
    assert reader.read_page(picture).text == "3426"  # the first one is sure
    assert reader.read_page(picture, rule_of(expect=5)).text == "34268"


def test_rows_of_different_lengths(reader: Reader, clear: dict[int, list[np.ndarray]]) -> None:
    rows = ["12", "34567", "8", "90"]
    levels, boxes = compose(rows_of(clear, rows), gap=24)
    assert_reads(reader.read_page(as_picture(levels)), rows, boxes)


def test_ruled_lines_and_specks(reader: Reader, clear: dict[int, list[np.ndarray]]) -> None:
    rows = ["271828", "182845"]
    levels, boxes = compose(rows_of(clear, rows), gap=24)
    levels[20::112] = levels[21::112] = 90  # above and below each row
    generator = np.random.default_rng(0)
    levels[generator.integers(0, len(levels), 60), generator.integers(0, levels.shape[1], 60)] = 0
    assert_reads(reader.read_page(as_picture(levels)), rows, boxes)


@pytest.mark.parametrize(("gap", "least"), [(0, 66), (-2, 66), (-4, 60)])
def test_touching_neighbours_are_parted(
    reader: Reader, clear: dict[int, list[np.ndarray]], gap: int, least: int
) -> None:
    """Not always where they touch: of 72 pairs so many, each digit in its box."""
    right = 0
    generator = np.random.default_rng(7)
    for seed in range(72):
        pair = "".join(map(str, generator.integers(0, 10, 2)))
        levels, boxes = compose(rows_of(clear, [pair], seed), gap=gap)
        page = reader.read_page(as_picture(levels))
        found = [reading.box for reading in page.digits if reading.box is not None]
        right += page.text == pair and all(map(is_at, found, boxes))
    assert right >= least


def is_at(found: Box, box: Box) -> bool:
    """Whether a digit is where it was put, half of both boxes at least."""
    return overlap(found, box) > 0.5


def test_a_5_whose_bar_is_apart(reader: Reader, clear: dict[int, list[np.ndarray]]) -> None:
    sheet = np.full((160, 420), 255, np.uint8)
    boxes = []
    for number, digit in enumerate((7, 5, 2, 5)):
        drawn = pixels(draw(digit, 6, (20, 20))).copy()
        if digit == 5:  # the bar is raised by 5 pixels and cut off
            bar = drawn[16:24, 30:].copy()
            drawn[:25] = 255
            drawn[11:19, 30:] = bar
        left = 10 + 100 * number
        sheet[10 : 10 + drawn.shape[0], left : left + drawn.shape[1]] = drawn
        rows, columns = (np.flatnonzero((drawn < 128).any(axis=axis)) for axis in (1, 0))
        box = (left + columns[0], 10 + rows[0], np.ptp(columns) + 1, np.ptp(rows) + 1)
        boxes.append(tuple(map(int, box)))
    assert_reads(reader.read_page(as_picture(sheet)), ["7525"], boxes, 0.95)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_boxes_are_in_pixels_of_the_upright_file(
    reader: Reader, clear: dict[int, list[np.ndarray]], tmp_path: Path, orientation: int
) -> None:
    """A large photograph, which is decoded at a fraction of its size, held in any way."""
    small, boxes = compose(rows_of(clear, ["60", "2214"]), gap=24)
    page = Image.fromarray(small).resize((small.shape[1] * 8, small.shape[0] * 8))
    assert page.width * page.height > 3e6
    turn = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90}
    turn[8] = Image.Transpose.ROTATE_270
    stored = page if orientation == 1 else page.transpose(turn[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "photo.jpg"
    stored.save(path, quality=80, exif=exif)
    found = reader.read_page(open_image(path, "it"))
    assert_reads(found, ["60", "2214"], [tuple(8 * edge for edge in box) for box in boxes])  # type: ignore[misc]


def test_many_pages_digit_by_digit(
    everything: Reader, sample: tuple[np.ndarray, np.ndarray]
) -> None:
    """Digits of every quality, so some errors: none that alone would be read rightly is lost."""
    generator = np.random.default_rng(3)
    wrong = n = 0
    for _ in range(15):
        chosen = generator.choice(500, 10)
        levels, _ = compose([[sample[0][k] for k in chosen]], gap=int(generator.integers(10, 30)))
        text = everything.read_page(as_picture(levels)).digits_only
        alone = "".join(map(str, everything.model.predict(sample[0][chosen])))
        n += 10
        wrong += sum(a != b for a, b in itertools.zip_longest(text, alone))
    assert wrong <= 0.05 * n


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
def test_a_turned_page_loses_no_stroke_as_an_underline(
    reader: Reader, clear: dict[int, list[np.ndarray]], quarter_turns: int
) -> None:
    """A 1 among the digits lies level then, below or above its neighbours."""
    levels, _ = compose(rows_of(clear, ["4251714"]), 2, gap=30)
    page = reader.read_page(as_picture(np.ascontiguousarray(np.rot90(levels, quarter_turns))))
    assert page.text == "4251714"
    assert page.degrees == 360 - 90 * quarter_turns


def test_digits_beside_something_that_leaves_the_photograph(reader: Reader) -> None:
    """A pencil that is far larger than they are says nothing of the size of a digit."""
    sheet = np.random.default_rng(0).normal(200.0, 2.0, (500, 400)).astype(np.uint8)
    for number, digit in enumerate((2, 4, 5)):
        drawn = pixels(draw(digit, 3, (6, 6), paper=200, ink=40))
        left = 120 + 60 * number
        sheet[80 : 80 + drawn.shape[0], left : left + drawn.shape[1]][drawn < 100] = 40
    sheet[250:, 60:110] = 60
    assert reader.read_page(as_picture(sheet)).text == "245"


def test_digits_beside_something_far_darker_than_they_are(reader: Reader) -> None:
    """Such as a cup on the paper, beside which a pencil's strokes are none."""
    sheet = np.random.default_rng(0).normal(200.0, 2.0, (300, 240))
    for number, digit in enumerate((2, 4, 5)):
        drawn = pixels(draw(digit, 3, (6, 6), paper=200, ink=40))
        left = 60 + 50 * number
        sheet[200 : 200 + drawn.shape[0], left : left + drawn.shape[1]][drawn < 100] = 165
    y, x = np.indices(sheet.shape)
    sheet[np.hypot(y, x - 110) < 60] = 10
    assert reader.read_page(as_picture(sheet.astype(np.uint8))).text == "245"


@pytest.mark.parametrize("noise", [0.0, 3.0])
def test_a_sign_beside_the_only_digit_is_read(reader: Reader, noise: float) -> None:
    """Though it is so short that no digit is: it takes part in no row of its own."""
    sheet = np.full((140, 160), 200.0) + np.random.default_rng(0).normal(0.0, noise, (140, 160))
    drawn = pixels(draw(5, 3, (6, 6), paper=200, ink=40))
    sheet[40 : 40 + drawn.shape[0], 70 : 70 + drawn.shape[1]][drawn < 100] = 40
    middle = 40 + drawn.shape[0] // 2
    sheet[middle - 1 : middle + 2, 50:62] = 40
    assert reader.read_page(as_picture(sheet.astype(np.uint8))).text == "-5"


@pytest.mark.parametrize("upright", [True, False])
def test_a_fold_from_border_to_border_is_no_digit(reader: Reader, upright: bool) -> None:
    sheet = np.random.default_rng(0).normal(200.0, 2.0, (300, 320)).astype(np.uint8)
    y, x = np.indices(sheet.shape)
    sheet[np.abs(x - 150 - y / 12) < 4] = 120
    folded = as_picture(sheet if upright else np.ascontiguousarray(sheet.T))
    assert reader.read_page(folded).text == ""
    (reading,) = reader.read_together([folded])
    assert reading.digit is None


@pytest.mark.parametrize("turns", range(4))
def test_a_fold_across_a_corner_is_no_digit(reader: Reader, turns: int) -> None:
    sheet = np.random.default_rng(0).normal(200.0, 2.0, (300, 320)).astype(np.uint8)
    y, x = np.indices(sheet.shape)
    sheet[np.abs(1.7 * x + y - 190) < 5] = 120
    folded = as_picture(np.ascontiguousarray(np.rot90(sheet, turns)))
    assert reader.read_page(folded).text == ""
    (reading,) = reader.read_together([folded])
    assert reading.digit is None


def test_other_peoples_numbers(reader: Reader, foreign: list[Row]) -> None:
    rows = [row for row in foreign if row.kind == "multi"]
    read = [reader.read_page(open_image(row.file, row.path)).digits_only for row in rows]
    wrong = [
        (row.path, text)
        for row, text in zip(rows, read, strict=True)
        if text.replace("\n", "-") != row.label
    ]
    assert len(rows) > 40
    assert 1.0 - len(wrong) / len(rows) >= 0.75, wrong


@pytest.mark.parametrize(
    ("n_letters", "size", "score", "text"),
    [
        (9, 13, 0.9, "47"),  # 2 × 30² of 2 × 30² + 9 × 13²: 54 %
        (9, 19, 0.9, "47"),  # 36 %
        (9, 21, 0.9, ""),  # 31 %
        (9, 13, 0.8, ""),
        (30, 30, 0.98, "47"),
        (30, 30, 0.96, ""),
    ],
)
def test_among_letters_numbers_are_read_that_are_large_and_likely_or_sure(
    n_letters: int, size: int, score: float, text: str
) -> None:
    number = [step(0, 30, 4, score), step(32, 30, 7, score)]
    letters = [step(200 + (size + 2) * k, size, None, 0.2) for k in range(n_letters)]
    assert read_of([*number, *letters]) == text
    # It may be two numbers, ...
    apart = [step(0, 30, 4, score), step(90, 30, 7, score)]
    assert read_of([*apart, *letters]) == text
    # ... but what lies together with something that is not read is none.
    assert read_of([*number, step(64, 30, None, 0.2), *letters]) == ""


def step(left: int, size: int, digit: int | None, score: float) -> Step:
    """A figure of a row, and what it is read as."""
    kinds = np.zeros(len(SIGNS))
    kinds[DIGIT] = score
    candidate = Candidate(RowOfParts((), (), 30.0, 15.0), 0, 1, Bounds(left, 0, left + size, size))
    return Step(Arc(candidate, kinds, np.eye(10)[digit or 0]), digit, "", score)


def read_of(steps: list[Step]) -> str:
    """The digits that are not refused."""
    written = Written(lambda box: (0, 0, 0, 0), np.arange(10), 0.3, 0.0)
    return "".join(str(s.digit) for s in without_doubtful(steps, written) if s.digit is not None)
