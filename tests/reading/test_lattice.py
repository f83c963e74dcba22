"""The likeliest path: against all paths, one by one; and what each rule accepts."""

import math
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_net.pictures.candidates import Candidate
from mnist_net.pictures.pieces import Box, Piece
from mnist_net.pictures.rows import Row, sheet_of
from mnist_net.reading.arcs import DIGIT, NONE, PART, SIGNS, Arc, PageNetworks, with_odds
from mnist_net.reading.lattice import Lattice, Path, Step
from mnist_net.reading.networks import Networks
from mnist_net.reading.pages import Written, _wide_gaps, page_of
from mnist_net.reading.rules import CHECKS, USUAL, Rule, rule_of


class Digits:
    """Stands for a network: only its classes are asked for."""

    classes = np.arange(10)


LATTICE = Lattice(PageNetworks(Networks(Digits(), None), Digits()))  # type: ignore[arg-type]


def row_of(n_parts: int, number: int = 0) -> Row:
    parts = tuple(Piece(k + 1, 9, Box(4 * k, 0, 4 * k + 3, 3), 0) for k in range(n_parts))
    return Row(parts, (), 3.0, float(number))


def arcs_of(row: Row, random: np.random.Generator) -> list[Arc]:
    arcs = []
    for begin in range(len(row.parts)):
        for end in range(begin + 1, min(begin + 2, len(row.parts)) + 1):
            kinds, digits = random.dirichlet(np.ones(len(SIGNS))), random.dirichlet(np.ones(10))
            candidate = Candidate(row, begin, end, Box(0, 0, 1, 1))
            arcs.append(Arc(candidate, kinds, digits, np.zeros((28, 28), np.uint8)))
            if end == begin + 2:
                both = [half_of(arcs[-1], random) for _ in range(2)]
                arcs[-1] = arcs[-1]._replace(halves=(both[0], both[1]))
    return arcs


def half_of(arc: Arc, random: np.random.Generator) -> Arc:
    """A digit that is as likely as not, on one side of what may be two that touch."""
    kinds = np.zeros(len(SIGNS))
    kinds[[NONE, DIGIT]] = 0.5
    return arc._replace(kinds=kinds, probabilities=random.dirichlet(np.ones(10)))


def likeliest_digits(half: Arc) -> list[tuple[str, float]]:
    """The three likeliest, and how likely each is; of fewer a page by a rule has not room."""
    assert half.probabilities is not None
    ranked = np.argsort(half.probabilities)[::-1][:3]
    return [(str(digit), half.kinds[DIGIT] * half.probabilities[digit]) for digit in ranked]


def all_texts(arcs: Sequence[Arc]) -> dict[str, float]:
    """Every text that can be read, and the probability of its best path."""
    n_parts = max(arc.candidate.end for arc in arcs)
    best: dict[str, float] = {}

    def go(place: int, text: str, likelihood: float) -> None:
        if place == n_parts:
            best[text] = max(best.get(text, 0.0), likelihood)
            return
        for arc in (a for a in arcs if a.candidate.begin == place):
            ways = [
                (str(d), arc.kinds[DIGIT] * p)
                for d, p in enumerate(arc.probabilities if arc.probabilities is not None else [])
            ]
            ways += [(SIGNS[k], arc.kinds[k]) for k in range(PART + 1, len(SIGNS))]
            if arc.halves is not None:
                both = product(*map(likeliest_digits, arc.halves))
                ways += [(one + other, p * q) for (one, p), (other, q) in both]
            if arc.candidate.end == place + 1:
                ways.append(("", arc.kinds[NONE]))
            for sign, p in ways:
                go(arc.candidate.end, text + sign, likelihood * max(p, 1e-6))

    go(0, "", 1.0)
    return best


@pytest.mark.parametrize(
    "known",
    [
        {"expect": 2},
        {"pattern": "d/d"},
        {"choices": ["12", "3-4", "77", "5"]},
        {"check": "luhn"},
        {"check": "mod97"},
    ],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_rule_gives_the_two_likeliest_texts_of_all_that_it_accepts(
    known: dict[str, Any], seed: int
) -> None:
    arcs = arcs_of(row_of(3), np.random.default_rng(seed))
    rule = rule_of(**known)
    assert rule is not None
    fitting = {text: p for text, p in all_texts(arcs).items() if fits(rule, text)}
    expected = sorted(fitting, key=lambda text: -fitting[text])[:2]
    paths = LATTICE.best_paths(arcs, rule)
    assert [path.text for path in paths] == expected
    for path in paths:
        assert math.exp(path.score) == pytest.approx(fitting[path.text], rel=1e-9)


def fits(rule: Rule, text: str) -> bool:
    state = rule.start
    for sign in text:
        after = rule.step(state, sign)
        if after is None:
            return False
        state = after
    return rule.accepts(state)


def test_without_a_rule_the_likeliest_way_to_read_all_rows_is_kept() -> None:
    random = np.random.default_rng(5)
    rows = [arcs_of(row_of(3, number), random) for number in range(2)]
    best = [max(all_texts(arcs).values()) for arcs in rows]
    (path,) = LATTICE.best_paths([arc for arcs in rows for arc in arcs])
    assert math.exp(path.score) == pytest.approx(math.prod(best), rel=1e-9)
    covered = [
        (step.arc.candidate.row.middle, place)
        for step in path.steps
        for place in range(step.arc.candidate.begin, step.arc.candidate.end)
    ]
    assert covered == list(product((0.0, 1.0), range(3)))


def one_sign(sign: str, chance: float, number: int) -> list[Arc]:
    """A row: a digit, something that is a sign by chance, else a digit, and two digits."""
    row, which, arcs = row_of(4, number), np.full(10, 0.1), []
    for k in range(4):
        kinds = np.full(len(SIGNS), 1e-4)
        kinds[SIGNS.index(sign)] = chance if k == 1 else 1e-4
        kinds[DIGIT] = 1.0 - kinds[SIGNS.index(sign)]
        arcs.append(Arc(Candidate(row, k, k + 1, Box(4 * k, 0, 4 * k + 3, 3)), kinds, which))
    return arcs


@pytest.mark.parametrize(
    ("sign", "chance", "text"),
    [(":", 0.005, "0:00"), (":", 0.003, "0000"), (".", 0.005, "0000"), ("-", 0.005, "0000")],
)
def test_a_row_is_a_time_rather_than_digits(sign: str, chance: float, text: str) -> None:
    """By hand: times 30 a colon of 1/300 is as likely as a digit, one of ten alike."""
    arcs = [arc for number in range(2) for arc in one_sign(sign, chance, number)]
    (path,) = LATTICE.best_paths(arcs)
    assert path.text == 2 * text
    scores = [step.score for step in path.steps if step.sign]
    assert scores == pytest.approx([0.15 / (0.15 + 0.995)] * path.n_signs)  # its odds times 30


@pytest.mark.parametrize(("chance", "text"), [(2e-4, "0/0/00"), (5e-5, "00/000")])
def test_a_row_is_a_date_rather_than_digits(chance: float, text: str) -> None:
    """By hand: times 1,000 a slash of 1/10,000 is as likely as a digit, one of ten alike."""
    row, which, arcs = row_of(6), np.full(10, 0.1), []
    for k in range(6):
        kinds = np.full(len(SIGNS), 1e-6)
        likely = {1: chance, 3: 0.99} if text == "0/0/00" else {1: chance, 2: 0.99}
        kinds[SIGNS.index("/")] = likely.get(k, 1e-6)
        kinds[DIGIT] = 1.0 - kinds[SIGNS.index("/")]
        arcs.append(Arc(Candidate(row, k, k + 1, Box(4 * k, 0, 4 * k + 3, 3)), kinds, which))
    (path,) = LATTICE.best_paths(arcs)
    assert path.text == text


def test_no_digit_is_left_out_for_a_form() -> None:
    """By hand: times 30, and times 0.1 for ink beside digits, nothing of 0.4 is likelier."""
    row, which, arcs = row_of(6), np.eye(10)[1], []
    for k, likely in enumerate(["digit", "digit", ":", "digit", "digit", "digit"]):
        kinds = np.full(len(SIGNS), 1e-4)
        kinds[SIGNS.index(likely)] = 0.6 if k == 5 else 0.99
        kinds[NONE] = 0.4 if k == 5 else 1e-4
        arcs.append(Arc(Candidate(row, k, k + 1, Box(4 * k, 0, 4 * k + 3, 3)), kinds, which))
    (path,) = LATTICE.best_paths(arcs)
    assert path.text == "11:111"


def test_a_usual_form_is_looked_for_where_all_its_signs_may_be() -> None:
    dates, times, sums = USUAL
    assert [forms.may_have({"/", "="}) for forms in USUAL] == [True, False, False]
    assert [forms.may_have({":", "+", ","}) for forms in USUAL] == [False, True, False]
    assert sums.may_have({"=", "÷"})
    assert not any(forms.may_have(set()) for forms in (dates, times, sums))


def test_a_path_is_compared_with_another_a_large_figure() -> None:
    """By hand: of two large figures and a dot, the root of a hundredth."""
    boxes = [Box(0, 0, 3, 3), Box(4, 0, 7, 3), Box(8, 2, 9, 3)]
    row, kinds = row_of(3), np.full(len(SIGNS), 0.1)
    steps = [Step(Arc(Candidate(row, k, k + 1, b), kinds), 1, "", 0.5) for k, b in enumerate(boxes)]
    read = Path(math.log(0.5), "11.", tuple(steps))
    fits = read._replace(score=math.log(0.005))
    assert fits.likelihood_beside(read) == pytest.approx(0.1)
    assert read.likelihood_beside(fits) == 1.0
    assert read.likelihood_beside(read._replace(steps=())) == 1.0


def test_what_is_usual_has_a_form() -> None:
    usual = ["1/2/34", "01.02.2034", "2034-01-02", "1:23", "01:23:45", "1+2=3", "12×12=144"]
    assert all(any(fits(forms, text) for forms in USUAL) for text in usual)
    others = ["", "1234", "1.50", "-5", "1/2", "1/2.34", "123:45", "1:2", "1+2", "12:34:5", "1=1"]
    others += ["42.03.2034", "1.45.34", "2034-20-01", "30:00", "12:60"]  # no such day or hour
    assert not any(fits(forms, text) for forms in USUAL for text in others)


@pytest.mark.parametrize(("chance", "text"), [(0.02, "(0)"), (0.001, "(00")])
def test_where_a_parenthesis_is_the_other_is_expected(chance: float, text: str) -> None:
    row, which, arcs = row_of(3), np.full(10, 0.1), []
    for k, likely in enumerate("(0)"):
        kinds = np.full(len(SIGNS), 1e-4)
        kinds[DIGIT if likely == "0" else SIGNS.index(likely)] = chance if k == 2 else 1.0
        kinds[DIGIT] = 1.0 - chance if k == 2 else kinds[DIGIT]
        arcs.append(Arc(Candidate(row, k, k + 1, Box(4 * k, 0, 4 * k + 3, 3)), kinds, which))
    (path,) = LATTICE.best_paths(arcs)
    assert path.text == text


def test_the_detector_says_nothing_against_parentheses() -> None:
    """Their form is that of a 1; that of a plus is not."""
    kinds = np.zeros((2, len(SIGNS)))
    kinds[:, DIGIT] = 0.4
    for row, sign in enumerate("(+"):
        kinds[row, SIGNS.index(sign)] = 0.6
    weighed = with_odds(kinds, np.full(2, 0.9))
    assert weighed[0, SIGNS.index("(")] == pytest.approx(0.6)
    assert weighed[1, SIGNS.index("+")] == pytest.approx(0.6 / 9 / (0.4 + 0.6 / 9))


class Points:
    """Stands for the network of signs: it takes all for a full stop, or else for a digit."""

    classes = np.arange(len(SIGNS))

    def predict_proba(self, images: np.ndarray) -> np.ndarray:
        kinds = np.zeros((len(images), len(SIGNS)), np.float32)
        kinds[:, [SIGNS.index("."), DIGIT]] = 0.9, 0.1
        return kinds


class Sevens:
    """Stands for the network that reads digits."""

    classes = np.arange(10)

    def predict_proba(self, images: np.ndarray) -> np.ndarray:
        return np.tile(np.eye(10, dtype=np.float32)[7], (len(images), 1))


def test_a_full_stop_is_small() -> None:
    mask = np.zeros((60, 90), bool)
    mask[10:50, 10:14] = mask[10:50, 40:44] = mask[46:50, 60:64] = True
    lattice = Lattice(PageNetworks(Networks(Sevens(), None), Points()))  # type: ignore[arg-type]
    sheet = sheet_of(mask, mask.astype(np.float32))
    (path,) = lattice.best_paths(lattice.networks.arcs(sheet))
    assert path.text == "77."


def test_where_nothing_fits_there_is_no_path() -> None:
    arcs = arcs_of(row_of(2), np.random.default_rng(0))
    assert LATTICE.best_paths(arcs, rule_of(expect=3)) == []


@given(st.text("0123456789", min_size=1, max_size=19))
def test_luhn_is_as_it_is_computed_from_the_end(number: str) -> None:
    doubled = [sum(divmod(2 * int(d), 10)) if k % 2 else int(d) for k, d in enumerate(number[::-1])]
    assert fits(CHECKS["luhn"], number) == (sum(doubled) % 10 == 0)


def test_a_card_number_of_the_textbooks_passes() -> None:
    assert fits(CHECKS["luhn"], "4539 1488 0343 6467".replace(" ", ""))
    assert not fits(CHECKS["luhn"], "4539148803436468")


@given(st.integers(0, 10**20))
def test_mod97_is_the_remainder(number: int) -> None:
    assert fits(CHECKS["mod97"], str(number)) == (number % 97 == 1)


def test_a_form_takes_its_signs_and_any_digit_in_place_of_d() -> None:
    rule = rule_of(pattern="dd/d 0")
    assert rule is not None
    assert [
        text for text in ("12/30", "12/31", "12-30", "1230", "12/3", "12/300") if fits(rule, text)
    ] == ["12/30"]


@pytest.mark.parametrize(
    "known",
    [
        {"expect": 0},
        {"pattern": "xx"},
        {"pattern": " "},
        {"choices": []},
        {"choices": ["12", "dd"]},
        {"check": "crc"},
    ],
)
def test_what_cannot_be_fulfilled_is_refused(known: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        rule_of(**known)


@pytest.mark.parametrize("known", [{"expect": 2.5}, {"choices": [12]}])
def test_what_is_of_another_type_is_an_error(known: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=r"float|not 12"):
        rule_of(**known)


def test_a_choice_is_told_as_it_was_given_and_one_may_stand_for_itself() -> None:
    with pytest.raises(ValueError, match="'d5' is not a choice"):
        rule_of(choices=["d5"])
    rule = rule_of(choices="12")
    assert rule is not None
    assert [fits(rule, text) for text in ("12", "1", "2")] == [True, False, False]


def test_of_very_many_ways_the_likeliest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of five parts is a digit rather than nothing; of all counts of digits one goes on."""
    row, which, arcs = row_of(5), np.full(10, 0.1), []
    for k in range(5):
        kinds = np.full(len(SIGNS), 1e-4)
        kinds[DIGIT], kinds[NONE] = 0.9, 0.1
        box = Box(4 * k, 0, 4 * k + 3, 3)
        arcs.append(Arc(Candidate(row, k, k + 1, box), kinds, np.eye(10)[3] * 0.91 + which * 0.9))
    monkeypatch.setattr("mnist_net.reading.lattice._MOST_WAYS", len(arcs))
    (path, *_) = LATTICE.best_paths(arcs, rule_of(expect=5))
    assert path.text == "33333"


def test_a_pair_of_parentheses_is_not_expected_again() -> None:
    """By hand: at the end is a digit with 0.9; times 20 a parenthesis of 0.1 would be likelier."""
    row, which, arcs = row_of(5), np.full(10, 0.1) + 0.9 * np.eye(10)[0], []
    for k, likely in enumerate("(0)00"):
        kinds = np.full(len(SIGNS), 1e-4)
        kinds[DIGIT if likely == "0" else SIGNS.index(likely)] = 0.9
        kinds[SIGNS.index("(")] = max(kinds[SIGNS.index("(")], 0.1 if k == 4 else 0.0)
        arcs.append(Arc(Candidate(row, k, k + 1, Box(4 * k, 0, 4 * k + 3, 3)), kinds, which))
    (path,) = LATTICE.best_paths(arcs)
    assert path.text == "(0)00"


@pytest.mark.parametrize(("other", "score"), [(PART, 0.9), (NONE, None)])
def test_what_surely_belongs_to_digits_is_not_refused(other: int, score: float | None) -> None:
    """Where digits touch, one that was cut may lack a stroke, so that it rather is a part."""
    kinds = np.zeros(len(SIGNS))
    kinds[[DIGIT, other]] = 0.25, 0.75
    of_digits = np.array([0.9, 0.1, *[0.0] * 8])
    candidate = Candidate(row_of(1), 0, 1, Box(0, 0, 3, 3))
    arc = Arc(candidate, kinds, of_digits, np.zeros((28, 28), np.uint8))
    written = Written(lambda _: (0, 0, 3, 3), np.arange(10), 0.3, 0.0)
    step = Step(arc, 0, "", float(kinds[DIGIT] * of_digits[0]))
    page, _ = page_of([Path(0.0, "0", (step,))], written, by_rule=False)
    assert [reading.score for reading in page.digits] == pytest.approx([score] if score else [])


def test_a_sign_says_how_likely_it_is_and_ink_that_is_not_read_is_none() -> None:
    kinds, row = np.eye(len(SIGNS))[SIGNS.index("-")], row_of(2)
    arcs = [Arc(Candidate(row, k, k + 1, Box(4 * k, 0, 4 * k + 3, 3)), kinds) for k in (0, 1)]
    steps = Step(arcs[0], None, "-", 0.7), Step(arcs[1], None, "", 0.6)
    written = Written(lambda _: (0, 0, 3, 3), np.arange(10), 0.3, 0.0)
    page, _ = page_of([Path(0.0, "-", steps)], written, by_rule=True)
    said = [(one.text, one.probability, one.score) for one in page.readings]
    assert said == [("-", 0.7, 0.7), ("?", 0.0, 0.6)]


class Always:
    """A network that says the same of every picture, and remembers how many it saw."""

    classes = np.arange(10)

    def __init__(self, said: np.ndarray) -> None:
        self.said, self.seen = said, 0

    def predict_proba(self, images: np.ndarray) -> np.ndarray:
        self.seen += len(images)
        return np.tile(self.said, (len(images), 1))


def test_a_doubted_digit_is_the_mean_over_its_variants() -> None:
    network = Always(np.eye(10)[6])
    networks = PageNetworks(Networks(network, None), Digits())  # type: ignore[arg-type]
    wide, narrow = np.ones((20, 16), np.float32), np.ones((20, 6), np.float32)
    sure, doubted = np.eye(10)[1], np.full(10, 0.1)
    which = networks.seen_again(
        np.array([0.9, 0.9, 0.9, 0.1]),  # the last is hardly a digit
        np.stack([sure, doubted, doubted, doubted]),
        [wide, wide, narrow, wide],
    )
    assert network.seen == 2 + 1  # upright and narrower; what is narrow already, upright only
    np.testing.assert_allclose(which[[0, 3]], [sure, doubted])
    np.testing.assert_allclose(which[1], (doubted + 2.0 * np.eye(10)[6]) / 3.0)
    np.testing.assert_allclose(which[2], (doubted + np.eye(10)[6]) / 2.0)


@pytest.mark.parametrize(
    ("gaps", "spaces"),
    [
        ([0.2, 1.1, 0.2, 0.2], [1]),
        ([0.2, 1.7, 0.2, 0.9, 0.2], [1, 3]),  # half as wide as the other, and unlike the rest
        ([0.2, 1.7, 0.2, 0.8, 0.2], [1]),  # not half as wide
        ([0.45, 1.7, 0.45, 0.95, 0.45], [1]),  # the row is spaced
        ([0.2, 0.9, 0.2, 0.9], []),  # none is a space to be compared with
        ([1.2, 1.2, 1.2, 1.2], []),
    ],
)
def test_gaps_that_are_spaces(gaps: list[float], spaces: list[int]) -> None:
    row, x, steps = Row((), (), 100.0, 50.0), 0, []
    for gap in [*gaps, 0.0]:
        candidate = Candidate(row, 0, 1, Box(x, 0, x + 60, 100))
        steps.append(Step(Arc(candidate, np.zeros(len(SIGNS))), 1, "", 1.0))
        x += 60 + round(100 * gap)
    assert np.flatnonzero(_wide_gaps(steps, row)).tolist() == [k + 1 for k in spaces]
