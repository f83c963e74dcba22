"""``mnist-net augment``: pictures beside their distortions."""

from pathlib import Path

import numpy as np
from PIL import Image

from tests.cli.conftest import invoke, only_error


def test_augment_draws_pictures_beside_their_distortions() -> None:
    sheet = ("--preview", "new/sheet.png", "--dataset", "digits", "--count", 4)
    done = invoke("augment", *sheet, "-q")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == (
        "new/sheet.png: 4 training pictures of digits, each beside distortions\n"
    )
    with Image.open("new/sheet.png") as image:
        assert (image.format, image.mode, image.size) == ("PNG", "L", (3 * 300, 3 * 120))


def test_augment_draws_the_same_for_the_same_seed_only(
    digits: tuple[np.ndarray, np.ndarray],
) -> None:
    def drawn(*options: object) -> np.ndarray:
        assert (
            invoke("augment", "--preview", "a.png", "--dataset", "digits", *options).exit_code == 0
        )
        with Image.open("a.png") as image:
            return np.asarray(image)[::3, ::3].reshape(10, 30, 10, 30)[:, 1:-1, :, 1:-1]

    assert (drawn() == drawn()).all()
    assert (drawn() != drawn("--seed", 1)).any()
    assert (drawn() != drawn("--distortion", "affine")).any()
    undistorted = drawn("--distortion", "none")
    assert (undistorted == undistorted[:, :, :1]).all()
    # The first of each row is one of the training pictures, as it is.
    training_pictures = {image.tobytes() for image in digits[0][:1500]}
    assert all(picture.tobytes() in training_pictures for picture in undistorted[:, :, 0])


def test_augment_finds_out_first_that_it_could_not_write() -> None:
    Path("file").write_text("a file where a folder should be")
    result = invoke("augment", "--preview", "file/a.png", "--offline")
    assert result.exit_code == 1
    assert "file/a.png: cannot write" in only_error(result)
