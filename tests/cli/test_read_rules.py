"""``mnist-net read`` with what is known of the text, of a table, and as a table."""

import csv
import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from mnist_net.pictures.decoding import open_image, save_png
from mnist_net.reading.rules import CHECKS
from mnist_net.reading.shortcuts import read_digits
from tests.cli.conftest import invoke, posix
from tests.drawings import draw, pixels

pytestmark = pytest.mark.usefixtures("shipped_model")


def said(*arguments: object) -> list[str]:
    result = invoke("read", "-q", *arguments)
    assert result.exit_code == 0, result.stderr
    return result.stdout.splitlines()


@pytest.fixture
def date() -> Path:
    """7/2, its slash as a hand writes it."""
    sheet = np.full((150, 300), 255, np.uint8)
    for left, digit in ((10, 7), (190, 2)):
        one = pixels(draw(digit, 6, (10, 10)))
        sheet[20 : 20 + one.shape[0], left : left + one.shape[1]] = one
    image = Image.fromarray(sheet)
    ImageDraw.Draw(image).line((160, 24, 112, 128), fill=0, width=6)
    path = Path("date.png")
    image.save(path)
    return path


def test_a_sign_is_read_and_left_out_if_only_digits_are_wanted(date: Path) -> None:
    assert said(date) == ["7/2"]
    assert said("--digits-only", date) == ["72"]
    assert json.loads(said("--digits-only", "--json", date)[0])["text"] == "72"


def test_a_row_of_signs_has_no_digits(date: Path) -> None:
    wanted = ("--digits-only", "--pattern", "///", date)
    assert said(*wanted) == ["- (there are only signs on it)"]
    assert "no row, for there are only signs on it" in invoke("read", "--csv", *wanted).stderr


def test_a_form_is_filled_in(date: Path) -> None:
    assert said("--pattern", "d/d", date) == ["7/2"]
    # What a form wants is taken where it is likelier than anything else that fits.
    assert said("--pattern", "ddd", date)[0] in ("712", "772")
    loud = invoke("read", "--pattern", "d/d", date)
    assert "times as likely as the next that fits" in loud.stderr


def test_what_a_rule_has_bent_is_told(date: Path) -> None:
    assert "if nothing were known of it" not in invoke("read", "--pattern", "d/d", date).stderr
    bent = invoke("read", "--pattern", "dd", date)
    assert "date.png: if nothing were known of it, it would read 7/2\n" in bent.stderr
    answer = json.loads(said("--json", "--pattern", "dd", date)[0])
    assert answer["without_rule"] == "7/2"
    assert len(answer["text"]) == 2


@pytest.mark.parametrize("expect", [2, 5])
def test_without_a_rule_is_what_is_read_without(date: Path, number: Path, expect: int) -> None:
    """Whether it is bent, seen in another way, or a digit that is read alone."""
    Image.open(number).rotate(90, expand=True).save("turned.png")
    Image.fromarray(pixels(draw(5, 6, (30, 30)))).save("one.png")
    for path in (date, number, Path("turned.png"), Path("one.png")):
        assert read_digits(path, expect=expect).without_rule == read_digits(path).text


def test_by_a_rule_a_row_of_signs_is_told_too() -> None:
    rows = [draw(digit, 6, (10, 14)) for digit in (7, 1)]
    page = np.vstack([pixels(row) for row in rows])
    save_png(page, Path("rows.png"))
    Path("choices.txt").write_text("7/\n5/\n", encoding="utf-8")
    assert said("--choices", "choices.txt", "rows.png") == ["7", "/"]


def test_so_many_digits_are_read(date: Path, number: Path) -> None:
    assert sum(sign.isdigit() for sign in said("--expect", 3, date)[0]) == 3
    assert said("--expect", 4, number) == ["25", "71"]
    assert said("--expect", 30, number) == ["- (nothing on it fits what is known of it)"]


def test_one_of_the_choices_is_read(number: Path) -> None:
    Path("roster.txt").write_text("1234\n2571\n2577\n\n", encoding="utf-8")
    assert said("--choices", "roster.txt", number) == ["25", "71"]
    answer = json.loads(said("--json", "--choices", "roster.txt", number)[0])
    assert answer["runner_up"] == "25\n77"
    assert answer["odds"] > 10
    assert read_digits(number, choices=["1234", "2577"]).digits_only == "25\n77"


def test_the_next_choice_is_told_even_if_it_is_a_sign_alone() -> None:
    save_png(pixels(draw(1, 6, (10, 10))), Path("one.png"))
    Path("choices.txt").write_text("1\n/\n", encoding="utf-8")
    answer = json.loads(said("--json", "--choices", "choices.txt", "one.png")[0])
    assert (answer["text"], answer["runner_up"]) == ("1", "/")


def test_a_checksum_is_kept(number: Path) -> None:
    """2571 has another last digit by Luhn: the sum of 2, 2·5 → 1, 7 → 7, 2·x is 10 with x → 0."""
    read = "".join(said("--check", "luhn", "--digits-only", number))
    doubled = [sum(divmod(2 * int(d), 10)) if k % 2 else int(d) for k, d in enumerate(read[::-1])]
    assert sum(doubled) % 10 == 0


def test_all_that_is_known_is_known_together(date: Path, number: Path) -> None:
    Path("roster.txt").write_text("2571\n2577\n25-77\n", encoding="utf-8")
    together = ("--choices", "roster.txt", "--expect", 4, "--check", "luhn", number)
    assert said(*together) == ["- (nothing on it fits what is known of it)"]
    (read,) = said("--pattern", "ddd", "--check", "luhn", date)
    doubled = [sum(divmod(2 * int(d), 10)) if k % 2 else int(d) for k, d in enumerate(read[::-1])]
    assert (len(read), sum(doubled) % 10) == (3, 0)


def test_rows_of_a_table_of_all_pictures(number: Path, five: Path) -> None:
    rows = list(csv.reader(said("--csv", number, five)))
    assert rows == [["number.png", "1", "25"], ["number.png", "2", "71"], ["five.png", "1", "5"]]


@posix
def test_a_name_with_a_carriage_return_is_one_field(five: Path) -> None:
    shutil.copy(five, "f\rive.png")
    read = invoke("read", "--csv", "f\rive.png")
    assert read.stdout_bytes == b'"f\rive.png",1,5\n'


def test_a_part_of_a_picture_is_read_and_told_where_it_is(number: Path) -> None:
    height, width = open_image(number).pixels.shape[:2]
    whole = json.loads(said("--json", number)[0])["digits"]
    part = f"0,{height // 2},{width},{height - height // 2}"
    lower = json.loads(said("--json", "--crop", part, number)[0])
    assert lower["text"] == "71"
    assert [digit["box"] for digit in lower["digits"]] == [digit["box"] for digit in whole[2:]]


def test_cells_of_a_table() -> None:
    image = Image.new("L", (300, 200), 255)
    for x in (20, 100, 180, 260):
        ImageDraw.Draw(image).line((x, 20, x, 180), 0, 2)
    for y in (20, 100, 180):
        ImageDraw.Draw(image).line((20, y, 260, y), 0, 2)
    for (x, y), digit in {(40, 32): 5, (200, 32): 7, (120, 112): 2}.items():
        one = Image.fromarray(pixels(draw(digit, 4, (4, 4)))).resize((36, 56))
        image.paste(one, (x, y))
    image.save("table.png")
    assert said("--grid", "table.png") == ["5\t\t7", "\t2\t"]
    answer = json.loads(said("--grid", "--json", "table.png")[0])
    assert list(answer) == ["image", "cells", "digits", "degrees", "reason", "model"]
    assert answer["cells"] == [["5", "", "7"], ["", "2", ""]]
    assert list(csv.reader(said("--grid", "--csv", "table.png"))) == [
        ["table.png", "1", "5", "", "7"],
        ["table.png", "2", "", "2", ""],
    ]
    Image.open("table.png").rotate(180).save("turned.png")
    turned = invoke("read", "--grid", "turned.png")
    assert turned.stdout == "5\t\t7\n\t2\t\n"
    assert turned.stderr == "turned.png: read after a turn of 180° counter-clockwise\n"
    save_png(np.full((40, 40), 255, np.uint8), Path("blank.png"))
    assert said("--grid", "blank.png") == ["- (there is no table on it that is drawn in lines)"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--pattern", "ab"], "'ab' is not a form"),
        (["--pattern", "mm"], "$(), in which d is any digit"),
        (["--grid", "--expect", "2"], "leave one out"),
        (["--csv", "--json"], "choose one"),
        (["--csv", "--show"], "leave one out"),
        (["--json", "--show"], "leave one out"),
        (["--crop", "1,2,3"], "is not X,Y,WIDTH,HEIGHT"),
        (["--crop", "1,2,0,4"], "is not X,Y,WIDTH,HEIGHT"),
        (["--crop=-1,2,3,4"], "is not X,Y,WIDTH,HEIGHT"),
        (["--crop", f"0,0,{'9' * 5000},5"], "is not X,Y,WIDTH,HEIGHT"),
        (["--page", "9" * 5000], "is neither a number from 1 nor all"),
        (["--expect", "0"], "0 is not in the range"),
        (["--expect", "abc"], "'abc' is not a valid integer."),
        (["--check", "crc"], "'crc' is not one of 'luhn', 'mod97'"),
        (["--jobs", "0"], "0 is neither a number from 1 nor -1"),
        (["--jobs", "-2"], "-2 is neither a number from 1 nor -1"),
        (["--annotate", "nowhere/out.png"], "there is no folder nowhere for out.png"),
    ],
)
def test_wrong_use_is_one_sentence(number: Path, arguments: list[str], sentence: str) -> None:
    result = invoke("read", *arguments, number)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert not Path("nowhere").exists()


def test_what_is_wrong_with_a_form_is_not_said_of_the_list(number: Path) -> None:
    Path("roster.txt").write_text("1234\n", encoding="ascii")
    result = invoke("read", "--choices", "roster.txt", "--pattern", "x", number)
    assert result.exit_code == 2
    assert "Error: 'x' is not a form" in result.stderr


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with a name")
def test_choices_may_come_through_a_pipe(number: Path) -> None:
    os.mkfifo("pipe")
    with ThreadPoolExecutor(1) as writer:
        writer.submit(Path("pipe").write_text, "1234\n2427\n", "ascii")
        result = invoke("read", "-q", "--choices", "pipe", number)
    assert result.exit_code == 0, result.stderr


def test_a_picture_without_a_row_is_told_of(number: Path) -> None:
    Image.new("L", (60, 60), 255).save("blank.png")
    result = invoke("read", "--csv", "blank.png", number)
    assert [line.split(",")[0] for line in result.stdout.splitlines()] == [str(number)] * 2
    assert "blank.png: no row, for nothing on it" in result.stderr


@pytest.mark.parametrize(
    "content", [b"", b"12\nabc\n", b"\xff\xfe\x00", b"1" * 99_990, b"x" * 99_990]
)
def test_a_list_that_is_none_is_refused(number: Path, content: bytes) -> None:
    Path("roster.txt").write_bytes(content)
    result = invoke("read", "--choices", "roster.txt", number)
    assert result.exit_code in (1, 2)
    assert "roster.txt" in result.stderr
    assert len(result.stderr) < 1_000
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("command", ["read", "predict"])
@pytest.mark.parametrize(("x", "width"), [(9000, 10), (0, 1), (-1, 2)])
def test_a_part_beyond_the_picture_is_refused(
    number: Path, command: str, x: int, width: int
) -> None:
    """All of it, or one column, counted from the right edge."""
    height, edge = open_image(number).pixels.shape[:2]
    part = f"{edge + x if x < 9000 else x},0,{width},{height}"
    result = invoke(command, "--crop", part, number)
    assert (result.exit_code, result.stdout) == (1, "")
    size = f"{edge} × {height}"
    assert result.stderr == (f"Error: number.png has {size} pixels: the crop {part} goes beyond\n")


def test_each_checksum_is_offered() -> None:
    shown = invoke("read", "--help").stdout
    assert f"[{'|'.join(CHECKS)}]" in shown
