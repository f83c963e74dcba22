"""What was read, at one place and on a whole page, and how sure it is: one score for all uses."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from mnist_net.arrays import IMAGE_SHAPE, Array, Bytes


class Judgement(NamedTuple):
    """What the networks say of one view: probabilities of the K classes, and `Reading.score`."""

    probabilities: Array
    score: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read at one place of a picture.

    Attributes
    ----------
    digit
        Label, or None if there is no digit.
    probability
        Of this digit rather than another one, from 0 to 1, if there is one.
    score
        How sure it is that there is a digit, and this one: from 0 to 1, the probability times what
        the detector gives that it is a digit at all (with three times the odds if the picture came
        in MNIST's form).  It chooses between views, it is what a threshold refuses by, and its
        mean is a page's confidence.
    probabilities
        One a class; None where there is nothing to read.
    image
        What the network saw, 28 × 28, uint8; black where there is nothing.
    box
        x, y, width and height in pixels of the upright picture; None where there is nothing.
    reason
        Why there is no digit, as part of a sentence.

    A picture that is refused has no digit and a reason; the other attributes say what it would
    have been.  Where there is nothing to read, they are 0, None, or black.  Two readings are equal
    if they are but for their arrays.
    """

    digit: int | None
    probability: float = 0.0
    score: float = 0.0
    probabilities: Array | None = field(default=None, repr=False, compare=False)
    image: Bytes = field(
        default_factory=lambda: np.zeros(IMAGE_SHAPE, np.uint8), repr=False, compare=False
    )
    box: tuple[int, int, int, int] | None = None
    reason: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """What JSON can say of it: digit, probability, score and box."""
        box = list(self.box) if self.box else None
        return {
            "digit": self.digit,
            "probability": self.probability,
            "score": self.score,
            "box": box,
        }


@dataclass(frozen=True, slots=True)
class Page:
    """What was read on a picture of several digits.

    Attributes
    ----------
    rows
        From the top, each from the left.
    reason
        Why there are no digits, as part of a sentence.
    """

    rows: tuple[tuple[Reading, ...], ...]
    reason: str | None = None

    @property
    def digits(self) -> list[Reading]:
        """All readings in order."""
        return [reading for row in self.rows for reading in row]

    @property
    def text(self) -> str:
        """Digits, the rows on lines of their own."""
        return "\n".join("".join(str(reading.digit) for reading in row) for row in self.rows)

    @property
    def confidence(self) -> float:
        """Mean score of the digits; 0 without any."""
        return float(np.mean([reading.score for reading in self.digits])) if self.rows else 0.0

    def as_dict(self) -> dict[str, Any]:
        """What JSON can say of it: text, digits and reason."""
        digits = [reading.as_dict() for reading in self.digits]
        return {"text": self.text, "digits": digits, "reason": self.reason}


def digit_answer(name: str, reading: Reading, classes: Sequence[int], model: str) -> dict[str, Any]:
    """One picture's answer as every face gives it in JSON.

    Parameters
    ----------
    name
        What the picture is called.
    reading
        What was read on it.
    classes
        Label of each of its probabilities.
    model
        What the model is called.
    """
    probabilities = None
    if reading.probabilities is not None:
        names = map(str, classes)
        probabilities = dict(zip(names, reading.probabilities.tolist(), strict=True))
    said = {**reading.as_dict(), "probabilities": probabilities, "reason": reading.reason}
    return {"image": name, **said, "model": model}


def page_answer(name: str, page: Page, model: str) -> dict[str, Any]:
    """One page's answer as every face gives it in JSON; see `digit_answer`."""
    return {"image": name, **page.as_dict(), "model": model}
