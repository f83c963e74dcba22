"""Many files: the same answers in the same order, whoever reads them."""

import signal
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from mnist_net.errors import ImageError
from mnist_net.pictures.decoding import save_png
from mnist_net.reading.answers import Page, Reading
from mnist_net.reading.many import Given, Wanted, read_many, without_ctrl_c
from mnist_net.trained.store import SHIPPED_MODELS
from tests.cli.conftest import posix
from tests.drawings import draw, pixels

MODEL = next(file for file in SHIPPED_MODELS if file.exists())


def _leaves_ctrl_c(_: int) -> bool:
    return signal.getsignal(signal.SIGINT) is signal.SIG_IGN


@posix
def test_processes_leave_ctrl_c_to_the_first_from_their_start() -> None:
    before = signal.getsignal(signal.SIGINT)
    with without_ctrl_c():
        pool = get_context("spawn").Pool(2)
    with pool:
        assert all(pool.map(_leaves_ctrl_c, range(4)))
    assert signal.getsignal(signal.SIGINT) is before


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> list[Given]:
    folder = tmp_path_factory.mktemp("many")
    files = []
    for number in range(70):
        path = folder / f"{number}.png"
        save_png(pixels(draw((1, 2, 4, 5, 7)[number % 5], paper=255 - number)), path)
        files.append(Given(str(path), path))
    files[3] = Given("gone", Path("gone"))
    files[4] = Given("refused", ImageError("refused before"))
    return files


@pytest.mark.parametrize("pages", [False, True])
def test_several_processes_answer_as_one(given: list[Given], pages: bool) -> None:
    wanted = Wanted(0.0, "page" if pages else "digit")
    one, two = (list(read_many(given, MODEL, wanted, n_jobs=n_jobs)) for n_jobs in (1, 2))
    assert [seen.given.name for seen in one] == [seen.given.name for seen in two]
    for alone, shared in zip(one, two, strict=True):
        if isinstance(alone.answer, ImageError):
            assert str(alone.answer) == str(shared.answer)
        elif isinstance(alone.answer, Page):
            assert isinstance(shared.answer, Page)
            assert alone.answer.text == shared.answer.text
        else:
            assert isinstance(shared.answer, Reading)
            assert (alone.answer.digit, alone.answer.box) == (
                shared.answer.digit,
                shared.answer.box,
            )
            np.testing.assert_array_equal(alone.answer.image, shared.answer.image)
            # To the last bit, for what is read together is the same.
            np.testing.assert_array_equal(alone.answer.probabilities, shared.answer.probabilities)
            assert alone.answer.score == shared.answer.score
    assert isinstance(one[3].answer, ImageError)
    assert isinstance(one[4].answer, ImageError)
    if pages:
        assert all(seen.picture is not None for seen in one[5:])


def test_answers_come_before_all_pictures_are_opened(
    given: list[Given], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    from mnist_net.reading import many

    open_image = many.open_image

    def counted(source: object, name: str, **how: object) -> object:
        opened.append(name)
        return open_image(source, name, **how)

    monkeypatch.setattr(many, "open_image", counted)
    next(read_many(given, MODEL, Wanted(0.0)))
    assert len(opened) <= 4


@pytest.mark.parametrize("finds_others", [False, True])
def test_others_are_looked_for_where_that_is_wanted(
    given: list[Given], monkeypatch: pytest.MonkeyPatch, finds_others: bool
) -> None:
    """Before pictures are left behind: it takes time, and who is quiet is told of none."""
    from mnist_net.reading import many

    asked: list[object] = []
    monkeypatch.setattr(many, "is_one_of_several", lambda *of: asked.append(of) or True)
    wanted = Wanted(0.0, finds_others=finds_others)
    seen = many._read_apart(many.reader_of(MODEL, 0.0), given[:2], wanted)
    assert [one.is_one_of_several() for one in seen] == [finds_others] * 2
    assert len(asked) == 2 * finds_others
