"""Pages that are drawn to measure by: they repeat, their truth is true, their halves are apart."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from mnist_net.pictures.decoding import open_image
from mnist_net.reading.answers import Page, Reading
from scripts.pages.hands import Hand
from scripts.pages.kinds import GRIDS, KINDS, NOTHING
from scripts.pages.measure import found, is_at, only_digits, overlap, same_cells, score, summary
from scripts.pages.page import Item, Truth, draw_page
from scripts.pages.sources import HALVES, Half, load_half
from scripts.reading.foreign import edit_distance
from scripts.records import read_json
from tests.conftest import SHARED, study

FOREIGN = SHARED / "data" / "foreign"


@pytest.fixture(scope="module", params=HALVES)
def half(request: pytest.FixtureRequest) -> Half:
    """On the bundled digits, and whatever else this machine has."""
    return load_half(request.param, "digits", FOREIGN)


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_repeats(half: Half, kind: str) -> None:
    one, again, other = (draw_page(half, kind, seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.pixels, again.pixels)
    assert one.truth == again.truth
    assert one.pixels.dtype == np.uint8
    assert one.pixels.ndim == 2
    assert max(one.pixels.shape) <= 2_000
    assert one.pixels.shape != other.pixels.shape or (one.pixels != other.pixels).any()


@pytest.mark.parametrize("kind", sorted(set(KINDS).difference(NOTHING)))
def test_truth_agrees_with_itself(half: Half, kind: str) -> None:
    for seed in range(3):
        page = draw_page(half, kind, seed)
        rows, height = page.truth.rows, page.pixels.shape[0]
        digits = ["".join(item.text for item in row if item.kind == "digit") for row in rows]
        assert only_digits(page.truth.text) == "\n".join(row for row in digits if row)
        for item in page.truth.digits:
            left, top, right, bottom = item.box
            assert 0 <= left < right <= page.pixels.shape[1]
            assert 0 <= top < bottom <= height
        if page.truth.cells is not None:
            assert kind in GRIDS
            assert "".join(map("".join, page.truth.cells)) == "".join(digits)


@pytest.mark.parametrize("kind", NOTHING)
def test_where_nothing_is_to_read_truth_is_empty(half: Half, kind: str) -> None:
    truth = draw_page(half, kind, 0).truth
    assert not truth.text
    assert not truth.digits


@pytest.mark.parametrize("kind", ["few", "screen", "rows", "dates", "rotated", "quarter-turns"])
def test_boxes_hold_the_ink_of_their_items(half: Half, kind: str) -> None:
    """Within a box levels differ more than around it, and none of its sides could be cut."""
    for seed in range(4):
        page = draw_page(half, kind, seed)
        pixels = page.pixels.astype(float)
        paper = np.median(pixels)
        for item in page.truth.digits:
            left, top, right, bottom = item.box
            ink = np.abs(pixels[top:bottom, left:right] - paper)
            assert ink.max() > 0.15 * np.abs(pixels - paper).max()


def test_boxes_are_tight_on_a_screen(half: Half) -> None:
    for seed in range(6):
        page = draw_page(half, "screen", seed)
        ink = np.abs(page.pixels.astype(int) - int(page.pixels[0, 0])) > 40
        outside = ink.copy()
        for item in page.truth.digits:
            left, top, right, bottom = item.box
            within = ink[
                top:bottom, left:right
            ]  # where there is no grey, a pixel's edge may be lost
            assert all(side.any() for side in (within[:2], within[-2:]))
            assert all(side.any() for side in (within[:, :2], within[:, -2:]))
            outside[max(top - 1, 0) : bottom + 1, max(left - 1, 0) : right + 1] = False
        assert not outside.any()


def test_halves_share_no_source() -> None:
    choosing, judging = (load_half(name, "digits", FOREIGN) for name in HALVES)
    assert not choosing.sources & judging.sources
    assert len(choosing.sources) > len(choosing.labels)
    # By bytes, too: no picture of MNIST's is in both.
    ours, theirs = ({one.tobytes() for one in half.images} for half in (choosing, judging))
    assert not ours & theirs
    if choosing.foreign:
        files = [
            {path for singles in half.foreign.values() for _, path in singles}
            for half in (choosing, judging)
        ]
        assert files[0]
        assert files[1]
        assert not files[0] & files[1]


def test_mnists_test_set_and_validation_digits_are_in_neither_half() -> None:
    ends = [half.first + len(half.labels) for half in (load_half(n, "digits") for n in HALVES)]
    assert ends == [750, 1250]  # of the 1,500 for training; of MNIST's, 30,000 and 50,000


@pytest.mark.parametrize("sign", "0123456789-./,:+=×÷€$()acdk")
def test_a_hand_writes_every_sign(half: Half, sign: str) -> None:
    for seed in range(4):
        glyph = Hand(half, np.random.default_rng(seed)).write(sign, 40.0)
        assert glyph.ink.dtype == np.float32
        assert glyph.ink.max() > 0.5
        begin, end = glyph.extent
        assert 0 < end - begin < 150
        if sign.isdigit():
            rows = np.flatnonzero((glyph.ink > 0.5).any(axis=1)) + glyph.top
            assert rows[-1] - rows[0] == pytest.approx(40, abs=14)  # bars are thick, shapes shaken


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("123", "123", 0),
        ("123", "13", 1),
        ("12", "172", 1),
        ("kitten", "sitting", 3),
        ("", "12", 2),
    ],
)
def test_edits_by_hand(one: str, other: str, expected: int) -> None:
    assert edit_distance(one, other) == edit_distance(other, one) == expected


def test_boxes_by_hand() -> None:
    assert overlap((0, 0, 2, 2), (1, 1, 3, 3)) == 1 / 7
    assert overlap((0, 0, 2, 2), (2, 0, 4, 2)) == 0.0
    assert is_at((0, 0, 10, 10), (4, 4, 7, 7))  # around the middle
    assert is_at((0, 0, 10, 10), (0, 0, 10, 4))  # two fifths of it
    assert not is_at((0, 0, 10, 10), (6, 6, 30, 30))
    truth = [("1", (0, 0, 4, 10)), ("1", (10, 0, 14, 10)), ("7", (20, 0, 28, 10))]
    assert found(truth, truth) == 3
    assert found(truth, truth[:1] * 2) == 1  # one box is not found twice
    assert found(truth, [("7", (0, 0, 4, 10))]) == 0  # another digit


def test_figures_by_hand() -> None:
    """12/5 read as 1215 (the stroke is a 1), and an empty page on which a 7 is read."""
    boxes = [(0, 0, 8, 20), (10, 0, 18, 20), (20, 0, 28, 20), (30, 0, 38, 20)]
    items = [
        Item(sign, box, "digit" if sign.isdigit() else "separator")
        for sign, box in zip("12/5", boxes, strict=True)
    ]

    def readings(digits: str) -> Page:
        read = [
            Reading(int(digit), box=(left, top, right - left, bottom - top))
            for digit, (left, top, right, bottom) in zip(digits, boxes, strict=False)
        ]
        return Page((tuple(read),))

    dates = [
        score("dates", 0, Truth((tuple(items),), "12/5"), readings("1215"), 0.5),
        score("dates", 1, Truth((tuple(items),), "12/5"), readings("12"), 0.5),
    ]
    figures = summary(dates)
    assert figures["digits exact"] == figures["text exact"] == 0.0
    assert figures["digit errors"] == round(2 / 6, 4)  # one too many, one too few
    assert figures["precision"] == round(5 / 6, 4)
    assert figures["recall"] == round(5 / 6, 4)
    assert figures["extra digits"] == round(1 / 6, 4)
    misread = summary([score("dates", 2, Truth((tuple(items),), "12/5"), readings("1315"), 0.5)])
    assert misread["precision"] == 0.5  # the 3 is wrong, and the stroke is no digit
    assert misread["extra digits"] == round(1 / 3, 4)  # which alone is one too many
    empty = [score("empty", k, Truth((), ""), readings("7" * k), 0.1) for k in range(2)]
    assert summary(empty)["nothing"] == 0.5
    assert same_cells([["1", ""], ["", "23"]], [["1", ""], ["4", "23"]]) == (3, 4)
    assert same_cells([["1", ""]], [["1"]]) == (0, 2)


def test_pages_are_written_as_files(tmp_path: Path) -> None:
    run_pages("make", "--count", 2, "--output", tmp_path)
    truth = read_json(tmp_path / "dates" / "truth.json")
    page = draw_page(load_half("choosing", "digits", FOREIGN), "dates", 1)
    name = "dates-00001.png"
    assert truth[name]["text"] == page.truth.text
    np.testing.assert_array_equal(open_image(tmp_path / "dates" / name).pixels[..., 0], page.pixels)
    assert (tmp_path / "dates.png").exists()


def test_pages_are_measured(tmp_path: Path) -> None:
    output, mistakes = tmp_path / "figures.json", tmp_path / "mistakes"
    done = run_pages("measure", "--count", 3, "--output", output, "--mistakes", mistakes)
    figures = read_json(output)["kinds"]
    assert figures["dates"]["pages"] == figures["all digits"]["pages"] == 3
    assert 0.0 <= figures["dates"]["digits exact"] <= 1.0
    assert figures["dates"]["recall"] > 0.3  # even if no page is exact, much of it is read
    assert "| dates | 3 |" in done.stdout
    assert done.stderr.startswith("choosing: 750 of")


def run_pages(command: str, *arguments: object) -> Result:
    same = ("--half", "choosing", "--kind", "dates", "--dataset", "digits", "--data", FOREIGN)
    return study("pages", command, *same, *arguments)
