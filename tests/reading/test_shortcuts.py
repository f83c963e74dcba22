"""Reading in one call: lists give lists, networks are loaded once, threads may call at once."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import copyfile

import numpy as np
import pytest

from mnist_net.errors import ImageError
from mnist_net.reading.shortcuts import read_digit, read_digits, read_image, read_table
from mnist_net.trained import store
from mnist_net.trained.store import SHIPPED_MODELS
from tests.drawings import draw, encoded, pixels

DIGITS = (5, 7, 2, 1, 4)


def test_lists_give_lists() -> None:
    sources = [pixels(draw(digit)) for digit in DIGITS]
    assert [reading.digit for reading in read_digit(sources)] == list(DIGITS)
    assert [page.text for page in read_digits(tuple(sources))] == list(map(str, DIGITS))
    for image, source in zip(read_image(sources), sources, strict=True):
        np.testing.assert_array_equal(image, read_digit(source).image)
    assert read_digit([]) == []
    assert read_digits([]) == []
    assert read_image([]) == []


def test_cells_of_tables_are_read() -> None:
    page = np.full((140, 160), 255, np.uint8)
    page[20:22, 20:142] = page[118:120, 20:142] = 0
    page[20:120, (20, 21, 80, 81, 140, 141)] = 0
    five = np.asarray(draw(5, 4, (4, 4)).resize((36, 56)))
    page[40:96, 95:131] = five
    table = read_table(page)
    assert table.cells == (("", "5"),)
    (again, none) = read_table([page, np.full((50, 50), 255, np.uint8)])
    assert again.cells == table.cells
    assert (none.cells, none.reason) == ((), "there is no table on it that is drawn in lines")


def test_one_by_one_is_as_together() -> None:
    sources = [encoded(draw(digit)).getvalue() for digit in DIGITS]
    for together, source in zip(read_digit(sources), sources, strict=True):
        assert (together.digit, together.box) == (read_digit(source).digit, read_digit(source).box)
        assert together.score == pytest.approx(read_digit(source).score, rel=1e-4)


def test_errors_name_the_picture() -> None:
    with pytest.raises(ImageError, match=r"^picture 2 is empty"):
        read_digit([pixels(draw(5)), b""])
    with pytest.raises(ImageError, match=r"^picture 1 is blank"):
        read_image([np.full((40, 40), 255, np.uint8)] * 2)
    with pytest.raises(ImageError, match=r"^the picture is blank"):
        read_image(np.full((40, 40), 255, np.uint8))
    with pytest.raises(ImageError, match=r"^gone\.png: no such file$"):
        read_digits(["gone.png"])


def test_networks_are_loaded_once_and_again_when_their_file_changes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "model.joblib"
    copyfile(next(file for file in SHIPPED_MODELS if file.exists()), path)
    monkeypatch.setenv("MNIST_NET_MODEL", str(path))
    loads: list[Path] = []
    load = store.load_model

    def counted(file: Path) -> object:
        loads.append(file)
        return load(file)

    monkeypatch.setattr(store, "load_model", counted)
    for _ in range(3):
        assert read_digit(pixels(draw(5))).digit == 5
    assert loads.count(path) == 1
    os.utime(path, ns=(1, 1))
    assert read_digit(pixels(draw(5))).digit == 5
    assert loads.count(path) == 2


def test_threads_read_the_same() -> None:
    page = np.hstack([pixels(draw(5)), pixels(draw(7))])
    sources = [pixels(draw(digit)) for digit in DIGITS] * 4
    with ThreadPoolExecutor(8) as pool:
        assert [r.digit for r in pool.map(read_digit, sources)] == list(DIGITS) * 4
        assert {p.text for p in pool.map(read_digits, [page] * 8)} == {read_digits(page).text}
