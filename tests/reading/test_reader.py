"""A reader: what it refuses and why, the library's functions, and many pictures."""

import itertools
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from mnist_net.errors import ImageError, ModelFileError
from mnist_net.pictures.decoding import Picture, open_image
from mnist_net.pictures.form import in_mnist_form
from mnist_net.reading import reader as reader_module
from mnist_net.reading.answers import Page, Reading
from mnist_net.reading.judge import Judge
from mnist_net.reading.reader import Reader
from mnist_net.reading.shortcuts import read_digit, read_digits, read_image
from mnist_net.reading.threshold import REJECT_BELOW
from mnist_net.trained import companions, store
from tests.drawings import STROKES, as_picture, draw, encoded, lit, noisy, on_a_page, pencil, views
from tests.reading.conftest import one

# No digit.


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (80, 60)).astype(np.uint8)


@pytest.mark.parametrize(
    "levels",
    [
        np.full((28, 28), 255, np.uint8),
        np.zeros((300, 200), np.uint8),
        np.full((1, 1), 7, np.uint8),
        lit(np.full((150, 150), 240, np.uint8), 0.3, 0.2, 0.2),
    ],
    ids=["white", "black", "a pixel", "light"],
)
def test_a_blank_picture_has_no_digit_and_a_reason(reader: Reader, levels: np.ndarray) -> None:
    answer = one(reader, levels)
    assert answer.digit is None
    assert answer.reason == "nothing on it is darker or lighter than its paper"
    assert answer.score == answer.probability == 0.0
    assert answer.probabilities is answer.box is None
    assert not answer.image.any()
    page = reader.read_page(as_picture(levels))
    assert page == Page((), answer.reason)
    assert page.text == ""


def text_of_crosses() -> np.ndarray:
    sheet = Image.new("L", (300, 200), 255)
    for x, y in itertools.product(range(20, 280, 24), range(20, 180, 24)):
        ImageDraw.Draw(sheet).line((x, y, x + 12, y + 12), 0, 2)
        ImageDraw.Draw(sheet).line((x + 12, y, x, y + 12), 0, 2)
    return np.asarray(sheet)


def spiral() -> np.ndarray:
    sheet = Image.new("L", (200, 200), 255)
    turns = np.linspace(0.0, 8.0 * np.pi, 300)
    path = [(100 + 3.5 * t * np.cos(t), 100 + 3.5 * t * np.sin(t)) for t in turns]
    ImageDraw.Draw(sheet).line(path, 0, 4)
    return np.asarray(sheet)


@pytest.mark.parametrize(
    "levels",
    [
        noise(0),
        noise(1),
        noisy(np.full((200, 300), 220.0), 2.0),
        text_of_crosses(),
        spiral(),
        np.indices((64, 64)).sum(0) // 8 % 2 * 255,
    ],
    ids=["noise", "other noise", "paper", "crosses", "a spiral", "stripes"],
)
def test_what_is_no_digit_is_refused(reader: Reader, levels: np.ndarray) -> None:
    answer = one(reader, levels.astype(np.uint8))
    assert answer.digit is None
    assert answer.reason in {
        "what is on it does not look like a digit",
        "nothing on it is darker or lighter than its paper",
    }
    assert answer.score < REJECT_BELOW


def test_the_threshold_decides(reader: Reader) -> None:
    picture = as_picture(spiral())
    score = one(reader, spiral()).score
    assert 0.0 < score < REJECT_BELOW

    def digit_at(threshold: float) -> int | None:
        (answer,) = Reader(reader.model, reader.detector, threshold).read([picture])
        assert isinstance(answer, Reading)
        assert answer.score == score
        return answer.digit

    assert digit_at(0.0) is not None
    assert digit_at(score) is not None  # what scores less, is none
    assert digit_at(np.nextafter(score, 1.0)) is None
    assert digit_at(1.0) is None


def test_mnists_form_has_three_times_the_odds(
    reader: Reader, sample: tuple[np.ndarray, np.ndarray]
) -> None:
    images = np.stack([i for i in sample[0] if in_mnist_form(i[:, :, None]) is not None])
    assert reader.detector is not None
    confidence = reader.model.predict_proba(images).max(axis=1)
    scores = (1.0 - reader.detector.predict_proba(images)[:, 0]) * confidence
    sure = confidence > 0.95  # so that there is hardly a second look
    answered = [r.score for r in reader.read(map(as_picture, images[sure]))]  # type: ignore[union-attr]
    expected = [3 * s / (3 * s + (1 - s)) for s in scores[sure].tolist()]
    assert min(expected) < 0.8
    np.testing.assert_allclose(answered, expected, rtol=1e-3)


def test_what_was_cropped_has_these_odds_too_in_all_its_variants(
    reader: Reader, sample: tuple[np.ndarray, np.ndarray]
) -> None:
    judge = Judge(reader.networks)
    for image in sample[0][:20]:
        (usual, *_) = views(on_a_page(image, 0)[..., None])
        cropped = usual._replace(prepared=True)
        guises = [usual, *(usual._replace(image=variant) for variant in usual.variants())]
        weighed = [3 * s / (1 + 2 * s) for _, s in judge.views(guises)]
        (first,) = judge.views([cropped])
        ((_, again),) = judge.variants([(cropped, first)])
        assert first.score == pytest.approx(weighed[0], rel=1e-4)
        assert again.score == pytest.approx(np.mean(weighed), rel=1e-4)


def test_without_a_detector_the_networks_confidence_is_the_score(reader: Reader) -> None:
    answer = one(Reader(reader.model, None), draw(5))
    assert answer.digit == 5
    assert answer.probabilities is not None
    # The mean over the looks that were taken of each one's confidence, ...
    assert answer.score == pytest.approx(answer.probability, abs=0.05)
    # ... and the detector's doubt makes it less.
    assert one(reader, draw(5)).score <= answer.score


# The library's functions, and what a reader does with many pictures.


def test_functions_and_reader_agree(reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / "five.png"
    draw(5).save(path)
    by_reader = one(reader, draw(5))
    for file in (path, str(path), encoded(draw(5))):
        answer = read_digit(file, reader.model)
        assert (answer.digit, answer.score, answer.box) == (5, by_reader.score, by_reader.box)
    for file in (path, str(path), encoded(draw(5))):
        np.testing.assert_array_equal(read_image(file), by_reader.image)
    assert read_digits(path, reader.model).text == "5"
    assert read_digit(path, reader.model, reject_below=1.0).digit is None
    refused = Page((), "what is on it does not look like a digit")
    assert read_digits(path, reader.model, reject_below=1.0) == refused
    with pytest.raises(ImageError, match=r"gone\.png: no such file"):
        read_digit(tmp_path / "gone.png", reader.model)


@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan")])
def test_a_threshold_that_is_no_share_is_refused(reader: Reader, share: float) -> None:
    with pytest.raises(ValueError, match="from 0 to 1, not"):
        Reader(reader.model, reader.detector, share)


def test_without_any_model_one_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mnist_net.trained.store.SHIPPED_MODELS", ())
    with pytest.raises(ModelFileError, match="there is no model yet"):
        read_digit(encoded(draw(5)))


def test_a_copy_without_a_detector_reads(
    monkeypatch: pytest.MonkeyPatch, reader: Reader, tmp_path: Path
) -> None:
    monkeypatch.setattr(store, "SHIPPED_MODELS", (tmp_path / "mnist.joblib",))
    assert companions.load_detector() is None
    assert read_digit(encoded(draw(5)), reader.model).digit == 5


def test_what_is_no_picture_is_a_type_error(reader: Reader) -> None:
    ink = np.zeros((28, 28), np.uint8)
    for thing, kind in ((ink, "ndarray"), ("a.png", "str"), (as_picture(draw(5)), "ndarray")):
        message = rf"^a Picture is expected, as open_image makes it, not {kind}$"
        with pytest.raises(TypeError, match=message):
            next(reader.read(thing))  # type: ignore[arg-type]
        if not isinstance(thing, Picture):
            with pytest.raises(TypeError, match=message):
                reader.read_page(thing)  # type: ignore[arg-type]


def test_readings_can_be_compared(reader: Reader) -> None:
    first, again, other = (one(reader, draw(digit)) for digit in (5, 5, 7))
    assert first == again
    assert first != other
    assert len({first, again, other}) == 2
    page, same = (reader.read_page(as_picture(draw(5))) for _ in range(2))
    assert page == same


def test_errors_keep_their_places(reader: Reader) -> None:
    bad = [ImageError("first"), ImageError("second")]
    digits = list(STROKES)
    items = [bad[0], *map(as_picture, map(draw, digits)), bad[1]]
    first, *middle, last = reader.read(items)
    assert (first, last) == tuple(bad)
    assert [r.digit for r in middle] == digits  # type: ignore[union-attr]
    assert list(reader.read([])) == []


def test_company_does_not_change_an_answer(
    reader: Reader, sample: tuple[np.ndarray, np.ndarray]
) -> None:
    """More pictures than a batch holds, and each is answered as if it were alone."""
    pictures = [as_picture(image) for image in sample[0][:300]]
    together = list(reader.read(pictures))
    assert len(together) == 300
    for k in (0, 1, 200, 255, 256, 299):
        (alone,) = reader.read([pictures[k]])
        assert isinstance(alone, Reading)
        assert alone.digit == together[k].digit  # type: ignore[union-attr]
        assert alone.score == pytest.approx(together[k].score, abs=1e-5)  # type: ignore[union-attr]


@pytest.mark.parametrize(("side", "most"), [(28, 256), (1000, 11), (4000, 1)])
def test_no_more_pictures_are_decoded_than_are_read_together(
    monkeypatch: pytest.MonkeyPatch, reader: Reader, side: int, most: int
) -> None:
    """256 of them, or ten million pixels."""
    opened = 0

    def pictures() -> Iterator[Picture]:
        nonlocal opened
        for _ in range(600):
            opened += 1
            yield blank

    blank = Picture(np.full((side, side, 1), 255, np.uint8))
    monkeypatch.setattr(
        Reader, "read_together", lambda self, batch: [Reading(None, reason="") for _ in batch]
    )
    for returned, _ in enumerate(itertools.islice(reader.read(pictures()), 520)):
        assert opened - returned <= most


def test_many_pictures_take_no_more_memory_than_a_few(
    monkeypatch: pytest.MonkeyPatch, reader: Reader, tmp_path: Path
) -> None:
    monkeypatch.setattr(reader_module, "_MOST_PIXELS", 75_000)  # three of these
    path = tmp_path / "photo.png"
    Image.fromarray(pencil(5)).reduce(2).save(path)

    def peak(n: int) -> int:
        tracemalloc.start()
        try:
            for answer in reader.read(open_image(path, "it") for _ in range(n)):
                assert isinstance(answer, Reading)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(1)  # with what is imported and cached on the way
    assert peak(21) < 1.2 * peak(6)  # of which there are three at once, and no more
