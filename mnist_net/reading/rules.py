"""What is known of a text before it is read: how many digits, a form, a list, a checksum.

A rule is a finite automaton that reads digits and signs one by one; the likeliest reading that it
accepts is found on the lattice, jointly, and not by mending what was read without it.
"""

import re
from collections.abc import Hashable, Iterable, Iterator, Set
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from operator import index
from string import digits
from typing import Protocol

State = Hashable

ANY_DIGIT = "d"
"""What stands for any digit in a form."""


class Rule(Protocol):
    """Accepts some texts."""

    @property
    def start(self) -> State:
        """Before anything is read."""

    def step(self, state: State, sign: str, /) -> State | None:
        """After one more digit or sign; None if no text that is accepted goes on so."""

    def accepts(self, state: State, /) -> bool:
        """Whether a text may end here."""


@dataclass(frozen=True)
class AnyText:
    """Everything is accepted."""

    start: State = 0

    def step(self, state: State, _: str, /) -> State | None:
        """Always the same."""
        return state

    def accepts(self, _: State, /) -> bool:
        """Always."""
        return True


@dataclass(frozen=True)
class DigitCount:
    """So many digits, and any signs."""

    n_digits: int
    start: State = 0

    def step(self, state: State, sign: str, /) -> State | None:
        """The state is how many there were."""
        assert isinstance(state, int)
        after = state + sign.isdigit()
        return after if after <= self.n_digits else None

    def accepts(self, state: State, /) -> bool:
        """Whether there were enough."""
        return state == self.n_digits


class OneOf:
    """One of some texts, such as a roster's numbers; spaces do not count."""

    start: State = ""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = {text.replace(" ", "") for text in texts}
        self._beginnings = {text[:k] for text in self._texts for k in range(len(text) + 1)}

    def step(self, state: State, sign: str, /) -> State | None:
        """The state is what was read."""
        after = str(state) + sign
        return after if after in self._beginnings else None

    def accepts(self, state: State, /) -> bool:
        """Whether it is one of them."""
        return state in self._texts


class Forms(OneOf):
    """Any text of some forms such as ``dd/dd/dddd``, in which d is any digit."""

    start: State = frozenset({""})

    def may_have(self, signs: Set[str]) -> bool:
        """Whether any of them has no other signs than these."""
        return any(own <= signs for own in self._signs)

    @cached_property
    def _signs(self) -> set[frozenset[str]]:
        return {frozenset(text) - {ANY_DIGIT, *digits} for text in self._texts}

    def step(self, state: State, sign: str, /) -> State | None:
        """The state is how much of which forms may have been read."""
        assert isinstance(state, frozenset)
        any_sign = ANY_DIGIT if sign.isdigit() else sign
        after = {begun + one for begun in state for one in (sign, any_sign)} & self._beginnings
        return frozenset(after) or None

    def accepts(self, state: State, /) -> bool:
        """Whether all of one was read."""
        assert isinstance(state, frozenset)
        return not self._texts.isdisjoint(state)


@dataclass(frozen=True)
class Luhn:
    """Digits whose Luhn checksum is right, as those of bank cards (ISO/IEC 7812-1, annex B).

    Which digits are doubled is known from the end, so both sums are kept: the one if the next digit
    is doubled, and the one if it is not.
    """

    start: State = (0, 0, 0)

    def step(self, state: State, sign: str, /) -> State | None:
        """The state is the sum if the last digit is not doubled, that if it is, and 1 after one."""
        assert isinstance(state, tuple)
        if not sign.isdigit():
            return state
        plain, doubled, _ = state
        digit = int(sign)
        twice = sum(divmod(2 * digit, 10))
        return (doubled + digit) % 10, (plain + twice) % 10, 1

    def accepts(self, state: State, /) -> bool:
        """Whether the sum ends in 0; the last digit is not doubled."""
        assert isinstance(state, tuple)
        return state[0] == 0 and state[2] == 1


@dataclass(frozen=True)
class Mod97:
    """Digits that leave 1 when they are divided by 97 (ISO/IEC 7064, MOD 97-10)."""

    start: State = -1

    def step(self, state: State, sign: str, /) -> State | None:
        """The state is the remainder, -1 before the first digit."""
        assert isinstance(state, int)
        return (10 * max(state, 0) + int(sign)) % 97 if sign.isdigit() else state

    def accepts(self, state: State, /) -> bool:
        """Whether it is 1."""
        return state == 1


class AllOf:
    """What each of several rules accepts."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = tuple(rules)
        self.start: State = tuple(rule.start for rule in self._rules)

    def step(self, state: State, sign: str, /) -> State | None:
        """The state is that of each rule."""
        assert isinstance(state, tuple)
        after = tuple(r.step(one, sign) for r, one in zip(self._rules, state, strict=True))
        return None if None in after else after

    def accepts(self, state: State, /) -> bool:
        """Whether it may end here by all of them."""
        assert isinstance(state, tuple)
        return all(r.accepts(one) for r, one in zip(self._rules, state, strict=True))


_ONES, _TWO = list("0123456789"), [f"{tens}d" for tens in range(6)]


def _dates() -> Iterator[str]:
    """Day or month first, or as ISO 8601 has them."""
    days = _ONES + _TWO[:4]
    for sign, day, month, year in product("/.-", days, days, ("dd", "dddd")):
        yield sign.join((day, month, year))
    for month, day in product(_TWO[:2], _TWO[:4]):
        yield f"dddd-{month}-{day}"


def _times() -> Iterator[str]:
    """Hours and minutes, and seconds or none."""
    seconds = ["", *(f":{one}" for one in _TWO)]
    for hour, minute, second in product(_ONES + _TWO[:3], _TWO, seconds):
        yield f"{hour}:{minute}{second}"


def _sums() -> Iterator[str]:
    """Of two numbers, with their result."""
    numbers = ["d" * n for n in range(1, 5)]
    for left, sign, right, result in product(numbers, "+-×÷", numbers, numbers):
        yield f"{left}{sign}{right}={result}"


USUAL = {Forms(_dates()): 1_000.0, Forms(_times()): 30.0, Forms(_sums()): 300.0}
"""What a row with signs often is, and its odds against any other text of these signs."""

CHECKS: dict[str, Rule] = {"luhn": Luhn(), "mod97": Mod97()}
"""Checksums by name."""

_MOST_SIGNS = 400  # of a choice: a page has no more figures
_FORM = re.compile(r"[d0-9\-./,:+=×÷€$() ]+")
_CHOICE = re.compile(r"[0-9\-./,:+=×÷€$() ]+")


def rule_of(
    *,
    expect: int | None = None,
    pattern: str | None = None,
    choices: Iterable[str] | None = None,
    check: str | None = None,
) -> Rule | None:
    """The rule of what is known of a text, all of it together; None if that is nothing.

    Parameters
    ----------
    expect
        It has so many digits.
    pattern
        It has this form; see `Forms`.
    choices
        It is one of these.
    check
        It has this checksum: a name in `CHECKS`.

    Raises
    ------
    ValueError
        If one cannot be fulfilled.
    TypeError
        If it is of another type.
    """
    rules: list[Rule] = []
    if expect is not None:
        expect = index(expect)
        if expect < 1:
            raise ValueError(f"{expect} digits are none: at least one is expected")
        rules.append(DigitCount(expect))
    if pattern is not None:
        _require_form(pattern, "a form", ", in which d is any digit")
        rules.append(Forms([pattern]))
    if choices is not None:
        rules.append(OneOf(_texts(choices)))
    if check is not None:
        if check not in CHECKS:
            raise ValueError(f"{check!r} is no checksum; there are {' and '.join(CHECKS)}")
        rules.append(CHECKS[check])
    return AllOf(rules) if len(rules) > 1 else next(iter(rules), None)


def _texts(choices: Iterable[str]) -> list[str]:
    texts = [choices] if isinstance(choices, str) else list(choices)
    for text in texts:
        if not isinstance(text, str):
            raise TypeError(f"a choice is a str, not {text!r}")
        _require_form(text, "a choice", form=_CHOICE)
    if not texts:
        raise ValueError("there is no choice")
    return texts


def _require_form(text: str, what: str, more: str = "", form: re.Pattern[str] = _FORM) -> None:
    if not form.fullmatch(text) or not text.strip():
        shown = repr(text if len(text) <= _MOST_SIGNS else f"{text[:_MOST_SIGNS]}...")
        raise ValueError(f"{shown} is not {what} of digits and the signs -./,:+=×÷€$(){more}")
    if len(text) > _MOST_SIGNS:
        raise ValueError(f"{text[:20]}... is longer than {_MOST_SIGNS} signs, as no row is")
