"""``mnist-net predict`` and ``mnist-net read``, as those who have pictures meet them."""

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnist_net.pictures.decoding import open_image, save_png
from mnist_net.reading.reader import Reader
from tests.cli.conftest import BLANK, UNLIKE, invoke, on_terminal, only_error, posix
from tests.drawings import draw

pytestmark = pytest.mark.usefixtures("shipped_model")


def spiral() -> np.ndarray:
    rows, columns = np.mgrid[-50:50, -50:50]
    turns = np.hypot(rows, columns) / 14.0 - np.arctan2(rows, columns) / (2.0 * np.pi)
    return np.where(np.abs(turns - np.round(turns)) < 0.2, 0, 255).astype(np.uint8)


def test_a_photograph_is_read(five: Path) -> None:
    result = invoke("predict", five)
    assert (result.exit_code, result.stderr) == (0, "")
    assert re.fullmatch(r"five\.png: 5 \(\d+\.\d%\)\n", result.stdout)


@pytest.mark.parametrize(
    ("levels", "reason"),
    [
        (np.full((50, 40), 255, np.uint8), BLANK),
        (np.zeros((28, 28), np.uint8), BLANK),
        (spiral(), UNLIKE),
    ],
    ids=["white", "black", "a spiral"],
)
def test_where_there_is_no_digit_the_answer_is_a_dash(levels: np.ndarray, reason: str) -> None:
    save_png(levels, Path("none.png"))
    result = invoke("predict", "--top", 3, "none.png")
    assert (result.exit_code, result.stderr) == (0, "")
    too_low = "" if reason == BLANK else r": score \d\.\d+, below 0\.3"
    assert re.fullmatch(rf"none\.png: - \({reason}{too_low}\)\n", result.stdout)
    answer = json.loads(invoke("predict", "--json", "none.png").stdout)
    assert list(answer) == [
        *("image", "digit", "probability", "score", "box", "probabilities", "reason", "model")
    ]
    assert answer["digit"] is None
    assert answer["reason"] == reason
    assert (answer["probabilities"] is None) == (reason == BLANK)
    page = invoke("read", "none.png")
    assert (page.exit_code, page.stderr) == (0, "")
    if reason == BLANK:
        assert page.stdout == f"- ({BLANK})\n"


def test_what_is_written_is_named_unless_quiet(five: Path) -> None:
    assert invoke("read", "--annotate", "out.png", five).stderr == "wrote out.png\n"
    assert invoke("read", "-q", "--annotate", "out.png", five).stderr == ""


def test_info_takes_the_model_by_option_or_by_argument_but_not_by_both() -> None:
    shipped = os.environ["MNIST_NET_MODEL"]
    by_argument = invoke("info", shipped)
    assert by_argument.exit_code == 0
    assert invoke("info", "-q", "-m", shipped).stdout == by_argument.stdout
    assert invoke("info").stdout == by_argument.stdout  # as predict, by the variable
    both = invoke("info", "-m", shipped, shipped)
    assert both.exit_code == 2
    assert "give one of them" in both.stderr


def test_reject_below_moves_the_threshold(five: Path) -> None:
    save_png(spiral(), Path("spiral.png"))
    result = invoke("predict", "--reject-below", 0, "spiral.png", five)
    assert len(re.findall(r"png: \d \(\d+\.\d%\)$", result.stdout, re.MULTILINE)) == 2
    result = invoke("predict", "--reject-below", 1, "spiral.png", five)
    assert (result.exit_code, result.stderr) == (0, "")
    too_low = rf"- \({UNLIKE}: score [\d.e-]+, below 1\)\n"
    assert re.fullmatch(rf"spiral\.png: {too_low}five\.png: {too_low}", result.stdout)
    assert invoke("read", "--reject-below", 1, five).stdout == f"- ({UNLIKE})\n"
    assert invoke("read", "--reject-below", 0, five).stdout == "5\n"


@pytest.mark.parametrize("command", ["predict", "read"])
@pytest.mark.parametrize("value", ["-0.1", "1.1", "many"])
def test_reject_below_is_between_0_and_1(command: str, value: str, five: Path) -> None:
    result = invoke(command, "--reject-below", value, five)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "--reject-below" in result.stderr


def test_pictures_that_cannot_be_read_are_status_1_and_the_others_are_read(five: Path) -> None:
    Path("text.png").write_text("no picture")
    for command, answer in (("predict", r"five\.png: 5 .*\n"), ("read", r"five\.png:\n5\n")):
        result = invoke(command, "text.png", five)
        assert result.exit_code == 1
        assert re.fullmatch(answer, result.stdout)
        assert result.stderr.startswith("Error: text.png is not a picture in a format that")
        as_json = invoke(command, "--json", "text.png", five)
        assert as_json.exit_code == 1
        first, second = map(json.loads, as_json.stdout.splitlines())
        assert list(first) == ["image", "error"]
        assert second["image"] == "five.png"


def test_who_has_several_digits_is_told_of_read() -> None:
    sheet = Image.new("L", (220, 150), 255)
    for place, digit in enumerate((2, 5)):
        sheet.paste(draw(digit), (10 + 100 * place, 10))
    sheet.save("25.png")
    hint = "; for several digits there is `mnist-net read`"
    shown = invoke("predict", "25.png").stdout
    assert re.fullmatch(rf"25\.png: - \({UNLIKE}: score [\d.e-]+, below 0\.3{hint}\)\n", shown)
    assert json.loads(invoke("predict", "--json", "25.png").stdout)["reason"] == UNLIKE
    assert invoke("read", "25.png").stdout == "25\n"


def test_a_page_of_no_digits_says_why() -> None:
    save_png(spiral(), Path("spiral.png"))
    answer = json.loads(invoke("read", "--json", "--reject-below", 1, "spiral.png").stdout)
    model = os.environ["MNIST_NET_MODEL"]
    assert (answer["image"], answer["text"], answer["digits"]) == ("spiral.png", "", [])
    assert (answer["reason"], answer["model"]) == (UNLIKE, model)


# What the network saw.


def seen_by(reader: Reader, path: Path) -> np.ndarray:
    (answer,) = reader.read([open_image(path, "it")])
    return answer.image  # type: ignore[union-attr]


def test_show_prints_shades_where_there_is_no_terminal(five: Path, reader: Reader) -> None:
    shown = invoke("predict", "--show", five).stdout.splitlines()
    assert shown[0].startswith("five.png: 5")
    lines = [line.ljust(28) for line in shown[1:]]
    assert len(lines) == 14
    assert all(len(line) == 28 for line in lines)
    assert set("".join(lines)) <= set(" .:-=+*#%@")
    # Two rows a line, by their mean: black is blank, and the brighter the denser.
    image = seen_by(reader, five).astype(int)
    means = (image[::2] + image[1::2]) // 2
    shades = np.array([[" .:-=+*#%@".index(c) for c in line] for line in lines])
    np.testing.assert_array_equal(shades == 0, means < 29)
    order = np.argsort(means, axis=None, kind="stable")
    assert (np.diff(shades.ravel()[order]) >= 0).all()
    assert shades.max() >= 8


CELL = re.compile(r"\x1b\[38;5;(\d+);48;5;(\d+)m▀")


@posix
def test_show_paints_half_blocks_on_a_terminal(five: Path, reader: Reader) -> None:
    status, _, terminal = on_terminal("predict", "--show", five, stdout=None)
    assert status == 0
    answer, *lines = terminal.splitlines()
    assert re.fullmatch(r"five\.png: 5 \(\d+\.\d%\)", answer)
    cells = np.array([CELL.findall(line) for line in lines], int)
    assert cells.shape == (14, 28, 2)
    assert all(line.endswith("\x1b[0m") for line in lines)
    greys = cells.transpose(0, 2, 1).reshape(28, 28) - 232
    assert greys.min() == 0
    assert greys.max() == 23
    image = seen_by(reader, five)
    np.testing.assert_array_equal(greys, image.astype(int) * 23 // 255)


@posix
@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
def test_show_has_no_colours_where_none_are_wanted(five: Path, environment: dict[str, str]) -> None:
    status, _, terminal = on_terminal("predict", "--show", five, stdout=None, **environment)
    assert status == 0
    assert "\x1b" not in terminal
    assert terminal.splitlines()[1:] == invoke("predict", "--show", five).stdout.splitlines()[1:]


def test_read_shows_each_digit(number: Path) -> None:
    lines = invoke("read", "--show", number).stdout.splitlines()
    assert lines[:2] == ["25", "71"]
    assert len(lines) == 2 + 4 * 14


def test_of_a_blank_picture_there_is_nothing_to_show() -> None:
    save_png(np.full((30, 30), 255, np.uint8), Path("blank.png"))
    assert invoke("predict", "--show", "blank.png").stdout == f"blank.png: - ({BLANK})\n"


def test_save_input_writes_what_the_network_saw(
    five: Path, number: Path, reader: Reader, tmp_path: Path
) -> None:
    result = invoke("predict", "--save-input", "new/seen", five)
    assert result.exit_code == 0
    assert [path.name for path in Path("new/seen").iterdir()] == ["five.png"]
    with Image.open("new/seen/five.png") as image:
        assert (image.format, image.mode, image.size) == ("PNG", "L", (28, 28))
        np.testing.assert_array_equal(np.asarray(image), seen_by(reader, five))
    # What was saved is in MNIST's form, and is read as the picture was.
    first, second = (
        json.loads(invoke("predict", "--json", path).stdout) for path in (five, "new/seen/five.png")
    )
    assert first["digit"] == second["digit"] == 5

    assert invoke("read", "--save-input", "digits", number).exit_code == 0
    names = sorted(path.name for path in Path("digits").iterdir())
    assert names == ["number-2.png", "number-3.png", "number-4.png", "number.png"]
    first_digit = open_image(Path("digits/number.png"), "it").pixels[..., 0]
    page = reader.read_page(open_image(number, "it"))
    np.testing.assert_array_equal(first_digit, page.digits[0].image)


def test_saved_pictures_of_one_name_do_not_overwrite_each_other(five: Path) -> None:
    for folder, digit in (("a", 2), ("b", 4), ("c", 7)):
        Path(folder).mkdir()
        draw(digit).save(Path(folder, "x.png"))
    draw(1).save("a/x-2.png")
    content = five.read_bytes()
    result = invoke(
        "predict",
        "--save-input",
        "seen",
        "a/x.png",
        "b/x.png",
        "c",
        "a/x-2.png",
        "-",
        input=content,
    )
    assert result.exit_code == 0
    assert len(list(Path("seen").iterdir())) == 5
    answers = {
        line.split(": ")[0].removeprefix("seen/"): int(line.split(": ")[1][0])
        for line in invoke("predict", "--reject-below", 0, "seen").stdout.splitlines()
    }
    assert sorted(answers.values()) == [1, 2, 4, 5, 7]
    assert answers["x.png"] == 2
    assert answers["stdin.png"] == 5


def test_saving_is_atomic(monkeypatch: pytest.MonkeyPatch, five: Path) -> None:
    """What lies there is replaced in whole or not at all."""
    assert invoke("predict", "--save-input", "seen", five).exit_code == 0
    before = Path("seen/five.png").read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    draw(7).save(five)
    monkeypatch.setattr(Image.Image, "save", full)
    result = invoke("predict", "--save-input", "seen", five)
    assert result.exit_code == 1
    assert "seen/five.png: No space left on device" in only_error(result)
    assert [path.name for path in Path("seen").iterdir()] == ["five.png"]
    assert Path("seen/five.png").read_bytes() == before


@pytest.mark.parametrize("command", ["predict", "read"])
def test_what_cannot_be_saved_is_one_sentence(command: str, five: Path) -> None:
    Path("file").write_text("a file where a folder should be")
    result = invoke(command, "--save-input", "file", five)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: file/five.png: ")
    assert len(result.stderr.splitlines()) == 1


# Many pictures.


@posix
def test_many_pictures_have_a_progress_bar_on_a_terminal_only(five: Path) -> None:
    Path("many").mkdir()
    for k in range(25):
        os.link(five, f"many/{k:02}.png")
    status, _, terminal = on_terminal("predict", "many", stdout=None)
    assert status == 0
    assert re.search(r"100%\|█+\| 25/25 \[", terminal)
    # The bar gives way to each answer: all are there, on lines of their own.
    text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", terminal)
    answers = re.findall(r"(?:^|[\r\n])\s*(many/\d\d\.png: 5 \(\d+\.\d%\))\s*?(?=[\r\n])", text)
    assert [answer[5:7] for answer in answers] == [f"{k:02}" for k in range(25)]
    for arguments in (("predict", "-q", "many"), ("predict", *(["five.png"] * 3))):
        assert "%|" not in on_terminal(*arguments, stdout=None)[2]
    piped = invoke("predict", "many")
    assert piped.stderr == ""
    assert len(piped.stdout.splitlines()) == 25


@pytest.mark.parametrize("command", ["predict", "read"])
def test_a_folder_is_read_in_order(command: str, five: Path) -> None:
    Path("folder").mkdir()
    for name in ("b.png", "a.png", "c.png", ".hidden.png"):
        os.link(five, f"folder/{name}")
    Path("folder/notes.txt").write_text("no picture")
    lines = invoke(command, "--json", "folder").stdout.splitlines()
    names = [json.loads(line)["image"] for line in lines]
    assert names == ["folder/a.png", "folder/b.png", "folder/c.png"]
