"""Metrics against scikit-learn, against a case worked by hand, and against their definitions."""

import json
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn import metrics

from mnist_net.errors import DataError
from mnist_net.reports.figures import (
    Evaluation,
    evaluate,
    expected_calibration_error,
    refusals,
    reliability,
)
from mnist_net.reports.tables import text

# Three classes, six pictures: two mistakes, in pictures 2 and 5.
LABELS = np.array([0, 0, 0, 1, 1, 2])
CLASSES = np.array([0, 1, 2])
PROBABILITIES = np.array(
    [
        [0.9, 0.05, 0.05],
        [0.6, 0.3, 0.1],
        [0.25, 0.7, 0.05],  # takes a 0 for a 1
        [0.2, 0.7, 0.1],
        [0.05, 0.9, 0.05],
        [0.8, 0.15, 0.05],  # takes a 2 for a 0
    ]
)


def random_case(
    n: int = 400, k: int = 10, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, k, n)
    logits = generator.normal(size=(n, k)) * 2 + 2.5 * np.eye(k)[labels]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return labels, probabilities, np.arange(k)


def test_a_case_worked_by_hand() -> None:
    result = evaluate(LABELS, PROBABILITIES, CLASSES)
    assert result.n == 6
    assert result.errors == 2
    assert result.accuracy == pytest.approx(4 / 6)
    assert result.confusion_matrix == [[2, 1, 0], [0, 2, 0], [1, 0, 0]]
    expected = [
        {"digit": 0, "precision": 2 / 3, "recall": 2 / 3, "f1": 2 / 3, "support": 3},
        {"digit": 1, "precision": 2 / 3, "recall": 1.0, "f1": 0.8, "support": 2},
        {"digit": 2, "precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 1},
    ]
    assert [row.pop("digit") for row in result.per_class] == [row.pop("digit") for row in expected]
    for row, by_hand in zip(result.per_class, expected, strict=True):
        assert row == pytest.approx(by_hand)
    assert result.log_loss == pytest.approx(
        -sum(map(math.log, [0.9, 0.6, 0.25, 0.7, 0.9, 0.05])) / 6
    )
    # In fifteenths, 0.9 is in bin 14, 0.6 in 9, 0.7 in 11 and 0.8 in 12; in each of them the
    # accuracy is 1, 1, 1/2 and 0.
    assert result.ece == pytest.approx((2 * 0.1 + 1 * 0.4 + 2 * 0.2 + 1 * 0.8) / 6)
    assert result.worst == [
        {
            "index": 5,
            "label": 2,
            "digit": 0,
            "probability": pytest.approx(0.8),
            "second": 1,
            "second_probability": pytest.approx(0.15),
            "label_probability": pytest.approx(0.05),
        },
        {
            "index": 2,
            "label": 0,
            "digit": 1,
            "probability": pytest.approx(0.7),
            "second": 0,
            "second_probability": pytest.approx(0.25),
            "label_probability": pytest.approx(0.25),
        },
    ]


@pytest.mark.parametrize("classes", [np.arange(10), np.array([0, 3, 4, 7, 20]), np.array([5, 6])])
def test_it_agrees_with_scikit_learn(classes: np.ndarray) -> None:
    indices, probabilities, _ = random_case(k=len(classes))
    labels = classes[indices]
    answers = classes[probabilities.argmax(axis=1)]
    result = evaluate(labels, probabilities, classes)
    assert result.accuracy == pytest.approx(metrics.accuracy_score(labels, answers))
    assert result.errors == metrics.zero_one_loss(labels, answers, normalize=False)
    assert result.log_loss == pytest.approx(metrics.log_loss(labels, probabilities, labels=classes))
    np.testing.assert_array_equal(
        result.confusion_matrix, metrics.confusion_matrix(labels, answers, labels=classes)
    )
    report = metrics.classification_report(labels, answers, labels=classes, output_dict=True)
    for row in result.per_class:
        theirs = report[str(row["digit"])]
        assert row["precision"] == pytest.approx(theirs["precision"])
        assert row["recall"] == pytest.approx(theirs["recall"])
        assert row["f1"] == pytest.approx(theirs["f1-score"])
        assert row["support"] == theirs["support"]


def test_classes_without_a_picture_do_no_harm() -> None:
    result = evaluate(np.array([1, 1]), np.array([[0.3, 0.6, 0.1]] * 2), CLASSES)
    assert result.accuracy == 1.0
    assert result.worst == []
    assert [row["support"] for row in result.per_class] == [0, 2, 0]
    assert result.confusion_matrix == [[0, 0, 0], [0, 2, 0], [0, 0, 0]]


def test_float32_probabilities_are_taken_without_complaint() -> None:
    """Their rows sum to 1 within 1e-6 only, of which scikit-learn would warn."""
    labels, probabilities, classes = random_case()
    exact = evaluate(labels, probabilities, classes)
    result = evaluate(labels, (probabilities * 1.00001).astype(np.float32), classes)
    assert result.errors == exact.errors
    assert result.log_loss == pytest.approx(exact.log_loss, rel=1e-5)
    assert result.ece == pytest.approx(exact.ece, rel=1e-4)


def test_uint8_labels_are_taken() -> None:
    labels, probabilities, classes = random_case()
    assert evaluate(labels.astype(np.uint8), probabilities, classes) == evaluate(
        labels, probabilities, classes
    )


def test_a_label_that_the_model_does_not_know_is_named() -> None:
    with pytest.raises(DataError, match=r"does not know \(7, 9\); it knows 0, 1, 2$"):
        evaluate(np.array([0, 7, 9, 1, 2, 7]), PROBABILITIES, CLASSES)


def test_nothing_cannot_be_evaluated() -> None:
    with pytest.raises(DataError, match="no pictures"):
        evaluate(np.array([], int), np.zeros((0, 3)), CLASSES)


# The interval.


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Wilson 1927, in closed form; z is the normal quantile of 0.975."""
    z = 1.959963984540054
    p = hits / n
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return middle - half, middle + half


@pytest.mark.parametrize(("hits", "n"), [(0, 1), (1, 1), (0, 30), (30, 30), (17, 30), (985, 1000)])
def test_the_interval_is_wilsons(hits: int, n: int) -> None:
    labels = np.zeros(n, int)
    answers = np.where(np.arange(n) < hits, 0, 1)
    result = evaluate(labels, np.array([[0.8, 0.2], [0.2, 0.8]])[answers], np.array([0, 1]))
    assert result.accuracy_interval == pytest.approx(wilson(hits, n), abs=1e-12)
    low, high = result.accuracy_interval
    assert 0.0 <= low <= result.accuracy <= high <= 1.0


# Calibration.


def naive_ece(confidences: np.ndarray, hits: np.ndarray) -> float:
    """Guo et al. 2017, equation 3, bin by bin: bin m is ((m - 1) / 15, m / 15]."""
    total = 0.0
    for m in range(1, 16):
        members = [
            i for i, c in enumerate(confidences) if (m - 1) < c * 15 <= m or (m == 1 and c == 0.0)
        ]
        if members:
            accuracy = sum(bool(hits[i]) for i in members) / len(members)
            confidence = sum(float(confidences[i]) for i in members) / len(members)
            total += len(members) / len(hits) * abs(accuracy - confidence)
    return total


@settings(max_examples=200)
@given(st.lists(st.tuples(st.floats(0.0, 1.0), st.booleans()), min_size=1, max_size=60))
@example([(0.0, True)])
@example([(1.0, False)])
@example([(m / 15, m % 2 == 0) for m in range(16)])
def test_ece_agrees_with_a_loop_over_its_definition(answers: list[tuple[float, bool]]) -> None:
    confidences = np.array([confidence for confidence, _ in answers])
    hits = np.array([hit for _, hit in answers])
    result = expected_calibration_error(confidences, hits)
    assert result == pytest.approx(naive_ece(confidences, hits), abs=1e-12)
    assert 0.0 <= result <= 1.0


def test_the_bins_of_ece_are_open_below_and_closed_above() -> None:
    # 0.2 = 3/15 ends the third bin: with 0.19 it averages out, with 0.21 it does not.
    hits = np.array([True, False])
    together = expected_calibration_error(np.array([0.2, 0.19]), hits)
    apart = expected_calibration_error(np.array([0.2, 0.21]), hits)
    assert together == pytest.approx(abs(1 - 0.39) / 2)
    assert apart == pytest.approx((0.8 + 0.21) / 2)


def test_ece_of_the_perfect_and_of_the_boaster() -> None:
    assert expected_calibration_error(np.ones(5), np.ones(5, bool)) == 0.0
    assert expected_calibration_error(np.ones(5), np.zeros(5, bool)) == 1.0
    confidences = np.full(10, 0.7, np.float32)
    assert expected_calibration_error(confidences, np.arange(10) < 7) == pytest.approx(0, abs=1e-7)


def test_the_bins_have_what_ece_is_made_of_and_the_interval_of_each() -> None:
    labels, probabilities, _ = random_case()
    confidences, hits = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    bins = reliability(confidences, hits)
    assert sum(b["n"] for b in bins) == len(labels)
    assert [b["confidence"] for b in bins] == sorted(b["confidence"] for b in bins)
    for b in bins:
        m = math.ceil(b["confidence"] * 15)
        those = [hit for c, hit in zip(confidences, hits, strict=True) if m - 1 < c * 15 <= m]
        assert (b["n"], b["accuracy"]) == (len(those), pytest.approx(np.mean(those)))
        assert (b["low"], b["high"]) == pytest.approx(wilson(sum(those), len(those)))


# Refusing.


def test_refusing_worked_by_hand() -> None:
    confidences = np.array([0.9, 0.5, 0.5, 0.8])
    found = refusals(confidences, np.array([True, False, True, False]))
    assert found.thresholds.tolist() == [0.5, 0.8, 0.9]
    assert found.refused.tolist() == [0, 2, 3]  # the two of 0.5 go together
    assert found.errors.tolist() == [2, 1, 0]


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.3, 0.5, 0.9, 1.0]), st.booleans()), min_size=1))
def test_refusing_is_what_each_threshold_does(answers: list[tuple[float, bool]]) -> None:
    found = refusals(np.array([c for c, _ in answers]), np.array([hit for _, hit in answers]))
    assert found.thresholds.tolist() == sorted({c for c, _ in answers})
    for threshold, refused, errors in zip(*(a.tolist() for a in found), strict=True):
        given_ones = [hit for c, hit in answers if c >= threshold]
        assert refused == len(answers) - len(given_ones)
        assert errors == given_ones.count(False)


def test_no_more_is_refused_than_was_said() -> None:
    labels, probabilities, classes = random_case(n=1000)
    rows = evaluate(labels, probabilities, classes).refusals
    assert [row["n_refused"] for row in rows] == [0, 5, 10, 20, 50, 100]
    confidences, wrong = probabilities.max(axis=1), probabilities.argmax(axis=1) != labels
    for row in rows:
        answered = confidences > row["threshold"] - 1e-12  # rows are made to sum to 1 once more
        assert answered.sum() == 1000 - row["n_refused"]
        assert row["errors"] == (answered & wrong).sum()
        assert row["error_rate"] == pytest.approx(np.mean(wrong[answered]))


def test_who_is_always_as_sure_cannot_refuse() -> None:
    rows = evaluate(np.array([0, 1]), np.eye(2), np.array([0, 1])).refusals
    assert [row["n_refused"] for row in rows] == [0]


# The worst mistakes.


def test_the_worst_come_first_and_are_ten_at_most() -> None:
    labels, probabilities, classes = random_case()
    result = evaluate(labels, probabilities, classes)
    wrong = [i for i in range(len(labels)) if probabilities[i].argmax() != labels[i]]
    expected = sorted(wrong, key=lambda i: probabilities[i, labels[i]])[:10]
    assert len(wrong) > 20
    assert [mistake["index"] for mistake in result.worst] == expected
    for mistake in result.worst:
        row = probabilities[mistake["index"]]
        assert mistake["label"] == labels[mistake["index"]]
        assert mistake["digit"] == row.argmax() != mistake["label"]
        assert mistake["probability"] == pytest.approx(row.max())
        assert mistake["second"] == np.argsort(row)[-2]
        assert mistake["second_probability"] == pytest.approx(np.sort(row)[-2])


def test_of_two_equally_bad_the_first_is_first() -> None:
    rows = np.array([[0.1, 0.9]] * 12)
    result = evaluate(np.zeros(12, int), rows, np.array([0, 1]))
    assert [mistake["index"] for mistake in result.worst] == list(range(10))


# As text and as JSON.


def test_everything_is_plain_and_goes_through_json() -> None:
    result = evaluate(*random_case())
    again = json.loads(json.dumps(result._asdict()))
    assert again == {**result._asdict(), "accuracy_interval": list(result.accuracy_interval)}


def test_the_text_has_every_figure() -> None:
    result = evaluate(LABELS, PROBABILITIES, CLASSES)
    shown = text(result)
    low, high = wilson(4, 6)
    for line in (
        "errors             2 of 6",
        f"accuracy           66.67% (95% interval {low:.2%} to {high:.2%})",
        f"log loss           {result.log_loss:.4f}",
        "calibration error  30.00% (top label, 15 bins)",
        "    1     66.67%  100.00%  80.00%         2",
        "0  2  1  ·",
        "2  1  ·  ·",
        "      5      2       0       80.00%       1  15.00%         5.00%",
    ):
        assert line in shown.splitlines(), line
    assert not any(line != line.rstrip() for line in shown.splitlines())


def test_a_faultless_result_can_be_shown() -> None:
    result = evaluate(np.array([0, 1]), np.eye(2), np.array([0, 1]))
    assert "0 of 2" in text(result)


def test_an_evaluation_has_what_is_documented() -> None:
    assert Evaluation._fields == (
        "n",
        "errors",
        "accuracy",
        "accuracy_interval",
        "log_loss",
        "ece",
        "per_class",
        "confusion_matrix",
        "worst",
        "reliability",
        "refusals",
    )
