"""``mnist-net read``: rows of digits, their boxes, and a picture of both."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnist_net.pictures.decoding import open_image, save_png
from mnist_net.reading.annotation import annotated
from mnist_net.reading.reader import Reader
from tests.cli.conftest import BLANK, invoke, posix
from tests.drawings import STROKES, draw, pixels

pytestmark = pytest.mark.usefixtures("shipped_model")


def test_rows_are_lines(number: Path, five: Path) -> None:
    result = invoke("read", number)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "25\n71\n", "")
    several = invoke("read", number, five)
    assert several.stdout == "number.png:\n25\n71\nfive.png:\n5\n"


def test_read_json_has_one_object_a_picture(number: Path, reader: Reader) -> None:
    save_png(np.full((30, 30), 255, np.uint8), Path("blank.png"))
    result = invoke("read", "--json", number, "blank.png")
    page, blank = map(json.loads, result.stdout.splitlines())
    model = os.environ["MNIST_NET_MODEL"]
    nothing = {"text": "", "digits": [], "signs": [], "degrees": 0.0, "runner_up": None}
    nothing |= {"odds": None, "without_rule": None, "reason": BLANK}
    said = {"image": "blank.png", **nothing, "model": model}
    assert blank == said
    assert list(page) == list(said)
    assert [(sign["kind"], sign["text"], sign["row"]) for sign in page["signs"]] == [
        *(("digit", "2", 0), ("digit", "5", 0), ("digit", "7", 1), ("digit", "1", 1))
    ]
    assert page["reason"] is None
    assert page["image"] == "number.png"
    assert page["text"] == "25\n71"
    assert [d["digit"] for d in page["digits"]] == [2, 5, 7, 1]
    sheet = pixels(Image.open(number))
    for answer in page["digits"]:
        assert list(answer) == ["digit", "probability", "score", "box"]
        assert 0.9 < answer["probability"] <= 1.0
        x, y, width, height = answer["box"]
        # Tight around the ink: in it on every side, and nothing beyond.
        inside = sheet[y : y + height, x : x + width] < 128
        assert inside[0].any()
        assert inside[-1].any()
        assert inside[:, 0].any()
        assert inside[:, -1].any()
        around = sheet[y - 2 : y + height + 2, x - 2 : x + width + 2] < 128
        assert around.sum() == inside.sum()


def test_read_from_standard_input(number: Path) -> None:
    result = invoke("read", "--json", "-", input=number.read_bytes())
    answer = json.loads(result.stdout)
    assert (answer["image"], answer["text"]) == ("-", "25\n71")
    nothing = invoke("read", "-", input=b"")
    assert nothing.exit_code == 1
    assert "Error: -: standard input is empty; send a picture" in nothing.stderr


def test_annotate_draws_on_the_picture(number: Path, reader: Reader) -> None:
    before = number.read_bytes()
    result = invoke("read", "--annotate", "out.png", number)
    assert (result.exit_code, result.stdout) == (0, "25\n71\n")
    picture = open_image(number, "it")
    expected = annotated(picture, reader.read_page(picture))
    with Image.open("out.png") as image:
        assert image.format == "PNG"
        np.testing.assert_array_equal(np.asarray(image), expected)
    assert (expected == (214, 39, 40)).all(axis=2).sum() > 1000
    assert number.read_bytes() == before


def test_annotate_takes_one_picture(number: Path, five: Path) -> None:
    Path("folder").mkdir()
    for k in range(3):
        os.link(five, f"folder/{k}.png")
    for images, n in (((number, five), 2), (("folder",), 3)):
        result = invoke("read", "--annotate", "out.png", *images)
        assert result.exit_code == 2
        assert f"--annotate takes one picture, not {n}" in result.stderr
        assert result.stdout == ""
        assert not Path("out.png").exists()


@posix
@pytest.mark.parametrize("out", ["number.png", "./number.png", "link.png", "folder/number.png"])
def test_annotate_does_not_overwrite_what_it_reads(number: Path, out: str) -> None:
    Path("link.png").symlink_to(number)
    Path("folder").mkdir()
    picture: Path = number
    if out.startswith("folder"):
        number.rename("folder/number.png")
        picture = Path("folder")
    before = Path(out).read_bytes()
    result = invoke("read", "--annotate", out, picture)
    assert result.exit_code == 2
    assert "are one file" in result.stderr
    assert Path(out).read_bytes() == before


def test_annotate_that_cannot_be_written_is_one_sentence(number: Path) -> None:
    Path("file").write_text("a file where a folder should be")
    result = invoke("read", "--annotate", "file/out.png", number)
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: file/out.png: ")


@pytest.mark.parametrize("digit", STROKES)
def test_one_digit_is_read_as_predict_reads_it(digit: int) -> None:
    draw(digit).save("one.png")
    assert invoke("read", "one.png").stdout == f"{digit}\n"
    assert invoke("predict", "one.png").stdout.startswith(f"one.png: {digit} (")
