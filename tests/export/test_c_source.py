"""C: a compiler has nothing to say about the file, and the program gives our digits."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mnist_net.errors import ModelFileError
from mnist_net.export import c_parts
from mnist_net.export.c_source import c_source, write
from mnist_net.learning.activations import ACTIVATIONS
from mnist_net.learning.losses import LOSSES
from mnist_net.reading.reader import Reader
from mnist_net.trained.committee import Predictor
from tests.export.conftest import NETWORKS, assert_agree, rounded
from tests.trained.conftest import make_model

STRICT = ("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-Wmissing-prototypes")


def compiled(source: Path, *options: str) -> Path:
    """A program of a file of C."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler is here: apt install gcc")
    program = source.with_suffix(".out")
    command = [compiler, *STRICT, *options, source, "-lm", "-o", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return program


def read_by_c(
    model: Predictor, pictures: np.ndarray, folder: Path, *, quantize: bool, optimize: str = "-O1"
) -> tuple[np.ndarray, np.ndarray]:
    (source,) = write(model, folder / "digits.c", quantize=quantize)
    program = compiled(source, optimize, "-DMNIST_NET_MAIN")
    done = subprocess.run([program], input=pictures.tobytes(), capture_output=True, check=True)
    lines = np.array([line.split() for line in done.stdout.splitlines()], float)
    return lines[:, 0].astype(np.int64), lines[:, 1:]


def test_every_activation_and_loss_is_known() -> None:
    assert c_parts.ACTIVATIONS.keys() == ACTIVATIONS.keys() - {"identity"}
    assert c_parts.PROBABILITIES.keys() == LOSSES.keys()


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_answers_as_here(name: str, pictures: np.ndarray, tmp_path: Path) -> None:
    model = NETWORKS[name]()
    assert_agree(model, pictures, *read_by_c(model, pictures, tmp_path, quantize=False))


@pytest.mark.parametrize("name", NETWORKS)
def test_int8_weights_answer_as_the_weights_that_they_stand_for(
    name: str, pictures: np.ndarray, tmp_path: Path
) -> None:
    model = NETWORKS[name]()
    found = read_by_c(model, pictures, tmp_path, quantize=True)
    assert_agree(rounded(model), pictures, *found)


@pytest.mark.slow
@pytest.mark.parametrize("quantize", [False, True])
def test_all_test_pictures_are_read_as_by_the_network_that_ships(
    quantize: bool,
    reader: Reader,
    test_pictures: tuple[np.ndarray, np.ndarray],
    tmp_path: Path,
) -> None:
    images, labels = test_pictures
    found = read_by_c(reader.model, images, tmp_path, quantize=quantize, optimize="-O3")
    ours = reader.model.predict(images)
    if quantize:
        assert int((found[0] != labels).sum()) - int((ours != labels).sum()) <= 3
        assert_agree(rounded(reader.model), images, *found)
    else:
        assert found[0].tolist() == ours.tolist()
        assert_agree(reader.model, images, *found)


@pytest.mark.parametrize("quantize", [False, True])
def test_the_file_needs_nothing_and_allocates_nothing(tmp_path: Path, quantize: bool) -> None:
    text = c_source(NETWORKS["committee"](), quantize=quantize)
    assert re.findall(r"#include <(.*)>", text) == ["math.h", "stdint.h", "stdio.h"]
    assert not re.search(
        r"\b(?:malloc|calloc|realloc|static (?!const|void|int main|float \w+\())", text
    )
    assert "read_digit" in text.partition("*/")[0]
    source = tmp_path / "library.c"
    source.write_text(text)
    compiled(source, "-c")  # without a main


def test_a_picture_that_ends_early_is_an_error(tmp_path: Path) -> None:
    (source,) = write(make_model(()), tmp_path / "digits.c")
    program = compiled(source, "-DMNIST_NET_MAIN")
    done = subprocess.run([program], input=bytes(784 + 10), capture_output=True, check=False)
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1
    assert b"within a picture of 784 bytes" in done.stderr


def test_no_name_ends_the_comment() -> None:
    text = c_source(make_model(()), name='*/ int x = 1; /* ??/ "Ziffern 数字"')
    assert text.startswith("/*\n *  int x  1   Ziffern , written by mnist-net")
    assert text.count("*/") == c_source(make_model(())).count("*/")


def test_labels_that_an_int_may_not_hold_are_refused() -> None:
    model = replace(make_model(()), classes=np.arange(10) + 32_760)
    with pytest.raises(ModelFileError, match=r"a label is larger than 32,767"):
        c_source(model)
