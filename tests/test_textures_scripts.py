"""What the network that tells writing from textures learns from."""

import numpy as np
import pytest

from mnist_net.reading.arcs import PageNetworks
from mnist_net.reading.reader import Reader
from mnist_net.trained.companions import load_signs
from scripts.pages.page import Item, Page, Truth
from scripts.textures import measure, train
from scripts.textures.measure import measured
from scripts.textures.samples import AROUND, SIDE, Samples, fields_of, real_page, samples_of, varied
from scripts.textures.train import dataset_of, tasks
from tests.drawings import draw, pixels


@pytest.fixture(scope="module")
def samples(reader: Reader) -> Samples:
    """Of a photograph of a digit, and of a stroke beside it that is none."""
    random = np.random.default_rng(0)
    levels = np.full((240, 320), 205.0)
    digit = pixels(draw(5, unit=8, margin=(0, 0)))
    inked = digit < 128
    levels[60 : 60 + len(digit), 60 : 60 + len(digit.T)][inked] = 60
    levels[60:150, 250:262] = 60  # the truth knows nothing of it
    levels += random.normal(0.0, 4.0, levels.shape)
    rows, columns = (60 + np.flatnonzero(inked.any(axis=axis)) for axis in (1, 0))
    box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    page = Page(levels.astype(np.uint8), Truth(((Item("5", box, "digit"),),), "5"))
    return samples_of(page, PageNetworks(reader.networks, load_signs()), random)


def test_digits_are_written_and_what_is_like_them_is_not(samples: Samples) -> None:
    assert set(samples.written) == {0, 1}
    assert samples.squares.shape == (len(samples.written), SIDE, SIDE)
    np.testing.assert_array_equal(samples.sides.max(axis=1), 1.0)
    written = samples.squares[samples.written == 1][0]
    own = round(SIDE / AROUND / 2) + 1
    middle = written[SIDE // 2 - own : SIDE // 2 + own, SIDE // 2 - own : SIDE // 2 + own]
    assert (middle < 130).sum() > 40
    assert (written[:8] > 180).all()


def test_samples_are_varied_and_repeat(samples: Samples) -> None:
    one, again, other = (varied(samples, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert one.shape == (len(samples.written), 28, 28)
    assert (one != other).any(axis=(1, 2)).all()
    made = dataset_of(samples, np.random.default_rng(0))
    assert len(made.labels) == 4 * len(samples.written)
    assert made.labels.mean() == samples.written.mean()
    assert all(
        (made.images == field).all(axis=(1, 2)).any() for field in fields_of(samples.squares)
    )


def test_a_real_photograph_has_nothing_written() -> None:
    page = real_page(np.random.default_rng(3))
    assert min(page.pixels.shape) >= 70
    assert page.pixels.dtype == np.uint8
    assert not page.truth.rows


def test_pages_repeat_and_those_to_measure_by_are_others() -> None:
    learned, others = tasks(500, train.FIRST_SEED), tasks(500, measure.FIRST_SEED)
    assert len(set(learned)) == len(learned)
    assert not set(learned) & set(others)


def test_shares_that_are_refused() -> None:
    said, written = np.array([0.95, 0.2, 0.05, 0.8]), np.array([1, 1, 0, 0], np.uint8)
    shares = measured(said, written)["digits and textures that are refused, by threshold"]
    assert shares["0.1"] == [0.0, 0.5]
    assert shares["0.3"] == [0.5, 0.5]
    assert shares["0.9"] == [0.5, 1.0]
