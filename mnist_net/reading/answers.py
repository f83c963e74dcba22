"""What was read, at one place and on a whole page, and how sure it is: one score for all uses."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any, NamedTuple

import numpy as np

from mnist_net.arrays import IMAGE_SHAPE, Array, Bytes

UNLIKE = "what is on it does not look like a digit"
"""Why something is no digit."""

UNREAD = "?"
"""What a page's text shows for ink that is not read."""


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
        Of this digit rather than another one, or of this sign, from 0 to 1, if there is one.
    score
        How sure it is that there is a digit, and this one: from 0 to 1, the probability times what
        the detector gives that it is a digit at all (with three times the odds if the picture came
        in MNIST's form, or cropped at its ink).  It chooses between views, it is what a threshold
        refuses by, and its mean is a page's confidence.  Two digits that touch share what the
        network of pairs gives that they are two.
    probabilities
        One a class; None where there is nothing to read.
    image
        What the network saw, 28 × 28, uint8; black where there is nothing.  Of two digits that
        touch, what it was cut into, though they were seen together.
    box
        x, y, width and height in pixels of the upright picture; None where there is nothing.
    reason
        Why there is no digit, as part of a sentence.
    sign
        What stands between digits on a page: one of ``-./,:+=×÷€$()``, or ``?`` for ink that is
        not read.
    after_gap
        Whether there is a wide gap before it in its row.

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
    sign: str = ""
    after_gap: bool = False

    @property
    def text(self) -> str:
        """The digit, or the sign."""
        return self.sign if self.digit is None else str(self.digit)

    def as_dict(self) -> dict[str, Any]:
        """What JSON can say of it: digit, probability, score and box."""
        box = list(self.box) if self.box else None
        return {
            "digit": self.digit,
            "probability": self.probability,
            "score": self.score,
            "box": box,
        }

    def _repr_png_(self) -> bytes:
        """What a notebook without HTML shows: what the network saw."""
        from mnist_net.reports.sprites import row_png

        return row_png(self.image[np.newaxis])

    def _repr_html_(self) -> str:
        """What a notebook shows: what the network saw, and what it took it for."""
        return _figure(self) + _paragraph(self.reason)


@dataclass(frozen=True, slots=True)
class Page:
    """What was read on a picture of several digits.

    Attributes
    ----------
    rows
        From the top, each from the left: digits, and the signs between them.
    reason
        Why there are no digits, as part of a sentence.
    degrees
        By which it was turned counter-clockwise so that its rows are level and upright.
    runner_up
        With a rule: what it would be read as next, if there is anything else.
    odds
        How many times as likely as that it is.
    without_rule
        With a rule: what it would be read as if nothing were known of it.
    """

    rows: tuple[tuple[Reading, ...], ...]
    reason: str | None = None
    degrees: float = 0.0
    runner_up: str | None = None
    odds: float | None = None
    without_rule: str | None = None

    @property
    def readings(self) -> list[Reading]:
        """All digits and signs in order."""
        return [one for row in self.rows for one in row]

    @property
    def digits(self) -> list[Reading]:
        """All digits in order."""
        return [one for one in self.readings if one.digit is not None]

    @property
    def text(self) -> str:
        """Digits and signs, a space where a gap is wide, the rows on lines of their own."""
        return "\n".join(
            "".join(" " * one.after_gap + one.text for one in row).strip() for row in self.rows
        )

    @property
    def digits_only(self) -> str:
        """Digits without what is between them, the rows on lines of their own."""
        rows = ["".join(str(o.digit) for o in row if o.digit is not None) for row in self.rows]
        return "\n".join(filter(None, rows))

    @property
    def confidence(self) -> float:
        """Mean score of the digits; 0 without any."""
        scores = [reading.score for reading in self.digits]
        return float(np.mean(scores)) if scores else 0.0

    def as_dict(self) -> dict[str, Any]:
        """What JSON can say of it: text, digits, all signs, turn and reason."""
        signs = [
            {"kind": _kind(one), "text": one.text, "row": number, **one.as_dict()}
            for number, row in enumerate(self.rows)
            for one in row
        ]
        return {
            "text": self.text,
            "digits": [reading.as_dict() for reading in self.digits],
            "signs": signs,
            "degrees": self.degrees,
            "runner_up": self.runner_up,
            "odds": self.odds,
            "without_rule": self.without_rule,
            "reason": self.reason,
        }

    def _repr_png_(self) -> bytes:
        """What a notebook without HTML shows: the digits as the network saw them, side by side."""
        from mnist_net.reports.sprites import row_png

        return row_png(np.array([one.image for one in self.digits]).reshape(-1, *IMAGE_SHAPE))

    def _repr_html_(self) -> str:
        """What a notebook shows: row by row what the network saw, and what it took it for."""
        rows = ("".join(map(_figure, row)) for row in self.rows)
        return "".join(f"<div>{row}</div>" for row in rows) + _paragraph(self.reason)


@dataclass(frozen=True, slots=True)
class Table:
    """What was read in the cells of a table.

    Attributes
    ----------
    rows
        From the top, each from the left: the readings of each cell, none in a blank.
    reason
        Why there is no table, as part of a sentence.
    degrees
        By which it was turned counter-clockwise, so that it is upright but for a few.
    """

    rows: tuple[tuple[tuple[Reading, ...], ...], ...]
    reason: str | None = None
    degrees: float = 0.0

    @property
    def cells(self) -> tuple[tuple[str, ...], ...]:
        """Text of each cell, empty in a blank."""
        return tuple(tuple("".join(one.text for one in cell) for cell in row) for row in self.rows)

    @property
    def readings(self) -> list[Reading]:
        """All digits and signs in order."""
        return [one for row in self.rows for cell in row for one in cell]

    @property
    def digits(self) -> list[Reading]:
        """All digits in order."""
        return [one for one in self.readings if one.digit is not None]

    @property
    def digits_only(self) -> "Table":
        """The same without signs."""
        rows = tuple(
            tuple(tuple(one for one in cell if one.digit is not None) for cell in row)
            for row in self.rows
        )
        return replace(self, rows=rows)

    @property
    def text(self) -> str:
        """Rows on lines, cells parted by tabs."""
        return "\n".join("\t".join(row) for row in self.cells)

    def as_dict(self) -> dict[str, Any]:
        """What JSON can say of it: cells, digits, turn and reason."""
        return {
            "cells": [list(row) for row in self.cells],
            "digits": [reading.as_dict() for reading in self.digits],
            "degrees": self.degrees,
            "reason": self.reason,
        }


def _figure(reading: Reading) -> str:
    from mnist_net.reports.sprites import address, row_png

    words, picture = escape(reading.text), ""
    if reading.digit is not None:
        words += f", {100.0 * reading.probability:.1f} %"
    if not reading.sign:
        png = address(row_png(reading.image[np.newaxis], scale=2))
        picture = f'<img src="{png}" alt="{words}"><br>'
    style = "display: inline-block; margin: 0.3em; text-align: center"
    return f'<span style="{style}">{picture}{words}</span>'


def _paragraph(reason: str | None) -> str:
    return f"<p>{escape(reason)}</p>" if reason else ""


def _kind(reading: Reading) -> str:
    return "digit" if reading.digit is not None else "unread" if reading.sign == UNREAD else "sign"


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


def page_answer(name: str, page: Page | Table, model: str) -> dict[str, Any]:
    """One page's or table's answer as every face gives it in JSON; see `digit_answer`."""
    return {"image": name, **page.as_dict(), "model": model}
