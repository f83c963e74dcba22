"""One's own pictures as a data set: folders of classes, and lists of files."""

import logging
from pathlib import Path

import numpy as np
import pytest

from mnist_net import load_dataset, read_image
from mnist_net.datasets.folders import is_own_pictures
from mnist_net.datasets.loading import dataset_files
from mnist_net.errors import DataError
from mnist_net.pictures.decoding import save_png
from tests.drawings import draw, pixels


def write(path: Path, digit: int, paper: int = 255) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_png(pixels(draw(digit, paper=paper)), path)
    return path


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Eight 5s (one of them deeper down) and fourteen 7s."""
    for number in range(7):
        write(tmp_path / "own" / "5" / f"{number}.png", 5, 255 - number)
    write(tmp_path / "own" / "5" / "more" / "a.png", 5)
    for number in range(14):
        write(tmp_path / "own" / "7" / f"{number:02}.png", 7, 255 - number)
    (tmp_path / "own" / "7" / "notes.txt").write_text("no picture")
    (tmp_path / "own" / "sketches").mkdir()
    return tmp_path / "own"


def test_folders_are_labels_and_a_seventh_of_each_is_for_testing(own: Path) -> None:
    train, test = load_dataset(str(own))
    assert train.labels.tolist() == [5] * 7 + [7] * 12
    assert test.labels.tolist() == [5] + [7] * 2
    assert train.name == str(own)
    # As reading sees them: the last by name are for testing.
    np.testing.assert_array_equal(test.images[0], read_image(own / "5" / "more" / "a.png"))
    np.testing.assert_array_equal(test.images[2], read_image(own / "7" / "13.png"))
    np.testing.assert_array_equal(train.images[0], read_image(own / "5" / "0.png"))
    assert len(dataset_files(str(own))) == 22


def test_a_split_in_folders_is_kept(tmp_path: Path) -> None:
    for part, digit, n in (("train", 5, 3), ("test", 5, 1), ("train", 7, 2), ("test", 7, 2)):
        for number in range(n):
            write(tmp_path / part / str(digit) / f"{number}.png", digit)
    train, test = load_dataset(str(tmp_path))
    assert train.labels.tolist() == [5, 5, 5, 7, 7]
    assert test.labels.tolist() == [5, 7, 7]


@pytest.mark.parametrize(("ending", "mark"), [(".csv", ","), (".tsv", "\t")])
def test_a_list_of_files_is_a_data_set(own: Path, ending: str, mark: str) -> None:
    rows = [("label", "note", "path", "split")]
    rows += [
        ("5", "ö", f"5/{number}.png", "test" if number > 4 else "train") for number in range(7)
    ]
    path = own / f"list{ending}"
    path.write_text("\n".join(map(mark.join, rows)), encoding="utf-8-sig")
    assert is_own_pictures(path)
    train, test = load_dataset(str(path))
    assert (len(train.labels), len(test.labels)) == (5, 2)
    np.testing.assert_array_equal(test.images[0], read_image(own / "5" / "5.png"))


def test_what_cannot_be_read_is_left_out_loudly(
    own: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (own / "5" / "3.png").write_bytes(b"no picture")
    save_png(np.full((40, 40), 255, np.uint8), own / "5" / "4.png")
    with caplog.at_level(logging.WARNING, "mnist_net"):
        train, test = load_dataset(str(own))
    assert len(train.labels) + len(test.labels) == 20
    (record,) = caplog.records
    assert record.getMessage().startswith("2 of 22 pictures are left out; the first: ")
    assert "3.png is not a picture" in record.getMessage()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,digit\na,1\n", r"its first line must name the columns path and label$"),
        ("path,label\na.png,seven\n", r"list\.csv, line 2: the label is 'seven'"),
        ("path,label\na.png,300\n", r"line 2: the label is '300', not a number from 0 to 255$"),
        ("path,label,split\na.png,3,dev\n", r"line 2: the split is 'dev', not train or test$"),
        ("path,label\n", r"list\.csv: no pictures"),
        ("label,path\n1\n", r"line 2: the path is None, which is no file's$"),
        ("path,label\na\0b,1\n", r"the path is 'a\\x00b'|line contains NUL"),
        ("path,label\na," + "9" * 5_000 + "\n", r"the label is '9+\.\.\.9+', not a number"),
    ],
)
def test_bad_lists_are_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        load_dataset(str(tmp_path / "list.csv"))


def test_too_few_pictures_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "3" / "a.png", 5)
    with pytest.raises(DataError, match="too few to train and to test"):
        load_dataset(str(tmp_path))
    with pytest.raises(DataError, match=r"cannot read .*gone\.csv: No such file"):
        load_dataset(str(tmp_path / "gone.csv"))
    (tmp_path / "300").mkdir()
    with pytest.raises(
        DataError, match=r"300: a folder's name is a label, a number from 0 to 255$"
    ):
        load_dataset(str(tmp_path))
