"""``mnist-net feedback``: corrections by the command line, and out again."""

import json
from pathlib import Path

import numpy as np
import pytest

from mnist_net.datasets.feedback import Feedback
from mnist_net.datasets.folders import all_own_pictures
from mnist_net.pictures.decoding import open_image
from mnist_net.pictures.looks import first_sight
from tests.cli.conftest import invoke, only_error
from tests.drawings import draw

STORE = ("--feedback", "kept.sqlite")


@pytest.fixture
def three(tmp_path: Path) -> list[Path]:
    """A store with a 5, a 2 and a 5, in that order; the pictures' files."""
    files = []
    for number, digit in enumerate((5, 2, 5)):
        file = tmp_path / f"{number}.png"
        draw(digit).resize((60 + number, 80)).save(file)
        files.append(file)
        done = invoke("feedback", "add", file, "--label", digit, "--said", 8, *STORE)
        assert done.stdout == f"{number + 1}: {file} is a {digit}\n"
    return files


def test_list_says_what_was_added(three: list[Path]) -> None:
    *lines, total = invoke("feedback", "list", *STORE).stdout.splitlines()
    assert [line.split(maxsplit=2)[2] for line in lines] == [
        f"a {digit}, was read as 8" for digit in (5, 2, 5)
    ]
    assert total == "kept.sqlite: 3 corrections"
    found = [
        json.loads(line)
        for line in invoke("feedback", "list", "--json", *STORE).stdout.splitlines()
    ]
    assert [(row["id"], row["label"], row["said"]) for row in found] == [
        (1, 5, 8),
        (2, 2, 8),
        (3, 5, 8),
    ]
    assert [row["picture"] for row in found] == [file.stat().st_size for file in three]


def test_what_is_exported_is_a_data_set(three: list[Path]) -> None:
    assert invoke("feedback", "export", "own", *STORE).stdout == "own: 3 pictures\n"
    assert Path("own/5/000003.png").read_bytes() == three[2].read_bytes()
    own = all_own_pictures(Path("own"))
    assert own.labels.tolist() == [2, 5, 5]
    expected = [first_sight(open_image(three[k]).pixels) for k in (1, 0, 2)]
    np.testing.assert_array_equal(own.images, np.stack([e for e in expected if e is not None]))
    again = invoke("feedback", "export", "own", *STORE)
    assert again.exit_code == 2
    assert "name a new folder" in again.stderr


def test_clear_asks_first(three: list[Path]) -> None:
    asked = invoke("feedback", "clear", *STORE, input="n\n")
    assert (asked.exit_code, len(Feedback(Path("kept.sqlite")))) == (1, 3)
    assert invoke("feedback", "clear", *STORE, input="y\n").exit_code == 0
    assert invoke("feedback", "list", *STORE).stdout == "kept.sqlite: 0 corrections\n"
    done = invoke("feedback", "clear", "--yes", *STORE)
    assert done.stdout == "kept.sqlite: 0 corrections removed\n"


def test_one_is_one(pictures: Path) -> None:
    invoke("feedback", "add", pictures / "3.png", "--label", 3, *STORE)
    assert invoke("feedback", "list", *STORE).stdout.endswith("kept.sqlite: 1 correction\n")
    assert invoke("feedback", "export", "own", *STORE).stdout == "own: 1 picture\n"


def test_of_pictures_of_which_one_is_none_none_is_kept(three: list[Path]) -> None:
    Path("text.png").write_text("Dear Sir")
    done = invoke("feedback", "add", three[0], "text.png", "--label", 1, *STORE)
    assert done.exit_code == 1
    assert "text.png" in only_error(done)
    assert len(Feedback(Path("kept.sqlite"))) == 3


@pytest.mark.parametrize(
    "arguments",
    [("list",), ("export", "own"), ("clear", "--yes"), ("add", "0.png", "--label", 1)],
    ids=lambda arguments: arguments[0],
)
def test_a_file_that_is_no_store_is_one_sentence(
    arguments: tuple[object, ...], three: list[Path]
) -> None:
    Path("notes").write_text("milk, eggs\n" * 200)
    done = invoke("feedback", *arguments, "--feedback", "notes")
    assert done.exit_code == 1
    assert "notes is no store of corrections" in only_error(done)
    assert Path("notes").read_text() == "milk, eggs\n" * 200


def test_the_store_is_where_data_are_kept(five: Path, tmp_path: Path) -> None:
    assert invoke("feedback", "add", five, "--label", 5).exit_code == 0
    assert (tmp_path / "scikit_learn_data" / "mnist-net" / "feedback.sqlite").is_file()
    assert "there are no corrections" in only_error(
        invoke("feedback", "export", "own", "--feedback", "other.sqlite")
    )
