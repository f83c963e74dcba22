"""Two networks read along, where both know the digits."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mnist_net.arrays import MNIST_DIGEST
from mnist_net.reading.networks import Networks
from mnist_net.reading.reader import Reader
from mnist_net.trained.committee import Committee
from mnist_net.trained.model import Model

IMAGES = np.zeros((2, 28, 28), np.uint8)


@dataclass
class Said:
    """Stands for a network that always says the same."""

    probabilities: list[float]
    digest: str = MNIST_DIGEST

    @property
    def metadata(self) -> dict[str, Any]:
        return {"data": {"digest": self.digest}}

    @property
    def classes(self) -> np.ndarray:
        return np.arange(len(self.probabilities))

    def predict_proba(self, images: np.ndarray) -> np.ndarray:
        return np.tile(np.float32(self.probabilities), (len(images), 1))


def of_ten(**likely: float) -> list[float]:
    probabilities = [0.0] * 10
    for digit, probability in likely.items():
        probabilities[int(digit[1:])] = probability
    return probabilities


READS = of_ten(d4=0.6, d9=0.4)
DETECTS = [0.2, *(0.8 * p for p in of_ten(d4=0.1, d9=0.9))]


def say(model: Said, detector: Said | None, **how: Any) -> tuple[np.ndarray, np.ndarray]:
    return Networks(model, detector).say(IMAGES, **how)  # type: ignore[arg-type]


def test_the_detector_reads_along() -> None:
    probabilities, is_digit = say(Said(READS), Said(DETECTS))
    # By hand: of what it takes for digits, 1 of 10 are 4s; (0.6 + 3 × 0.1) / 4 and 1 - that.
    np.testing.assert_allclose(probabilities, [of_ten(d4=0.225, d9=0.775)] * 2, atol=1e-6)
    np.testing.assert_allclose(is_digit, 0.8, atol=1e-6)


def test_of_some_pictures_the_model_speaks_alone() -> None:
    probabilities, is_digit = say(Said(READS), Said(DETECTS), alone=np.array([True, False]))
    assert probabilities.argmax(axis=1).tolist() == [4, 9]
    np.testing.assert_allclose(is_digit, 0.8, atol=1e-6)


def test_where_it_does_not_know_the_classes_it_only_says_whether() -> None:
    few, letters = Said([*READS[:5], 0.0]), Said(READS, "of ten letters")
    for model, detector in (
        (Said(READS), Said([0.2, 0.8])),
        (few, Said(DETECTS)),
        (letters, Said(DETECTS)),
    ):
        probabilities, is_digit = say(model, detector)
        np.testing.assert_array_equal(probabilities, model.predict_proba(IMAGES))
        np.testing.assert_allclose(is_digit, 0.8, atol=1e-6)
    probabilities, is_digit = say(Said(READS), None)
    np.testing.assert_array_equal(probabilities, Said(READS).predict_proba(IMAGES))
    np.testing.assert_array_equal(is_digit, 1.0)


def test_surely_no_digit_divides_by_nothing() -> None:
    probabilities, is_digit = say(Said(READS), Said([1.0, *[0.0] * 10]))
    assert np.isfinite(probabilities).all()
    assert probabilities.argmax(axis=1).tolist() == [4, 4]
    assert not is_digit.any()


def test_what_ships_reads_with_both(reader: Reader) -> None:
    assert reader.networks.are_two_readers


def test_a_committee_does_if_all_its_members_learned_from_mnist(reader: Reader) -> None:
    model = reader.model
    assert isinstance(model, Model)
    other = replace(model, metadata={**model.metadata, "data": {"digest": "another"}})
    nothing = replace(model, metadata={"data": 3})
    for members, expected in (([model] * 2, True), ([model, other], False), ([nothing], False)):
        committee = Committee(tuple(members))
        assert Networks(committee, reader.detector).are_two_readers == expected
