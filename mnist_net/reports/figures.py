"""How often a classifier is right, how sure it is, and what it confuses.

Arrays in, numbers and text out; no model is seen here.  The metrics are scikit-learn's and
SciPy's; only the calibration error, which neither has, is our own.
"""

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mnist_net.arrays import Array, Labels
from mnist_net.errors import DataError

_N_BINS = 15
_N_WORST = 10
_CONFIDENCE = 0.95


class Evaluation(NamedTuple):
    """What is known of a classifier after a test; fractions, not percent.

    Attributes
    ----------
    n, errors
        Pictures tested, and those answered wrongly.
    accuracy, accuracy_interval
        Fraction right, and its 95 % interval (Wilson 1927).
    log_loss
        Mean of -log(probability of the right class), nats.
    ece
        See `expected_calibration_error`.
    per_class
        A dict a class: digit, precision, recall, f1, support.
    confusion_matrix
        Counts; a row is a label, a column an answer, both in the order of the classes.
    worst
        The ten wrong answers that gave the right one least probability, worst first: index, label,
        digit (the answer), probability (of the answer), label_probability.
    """

    n: int
    errors: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    log_loss: float
    ece: float
    per_class: list[dict[str, Any]]
    confusion_matrix: list[list[int]]
    worst: list[dict[str, Any]]


def expected_calibration_error(confidences: Array, hits: npt.NDArray[np.bool_]) -> float:
    """How far confidence, the probability of an answer, is from accuracy, on average.

    The answers are sorted into 15 equal bins of confidence, (0, 1/15], …, (14/15, 1]; the result
    is the mean of |accuracy - mean confidence| over the bins, weighted by their sizes (Guo et al.,
    *On Calibration of Modern Neural Networks*, 2017, equation 3).  Confidences and hits are N.
    """
    bins = np.clip(np.ceil(confidences * _N_BINS).astype(int) - 1, 0, _N_BINS - 1)
    gaps = np.bincount(bins, weights=hits - confidences.astype(np.float64), minlength=_N_BINS)
    return float(np.abs(gaps).sum()) / len(hits)


def evaluate(labels: Labels, probabilities: Array, classes: Labels) -> Evaluation:
    """Compare answers with labels.

    Parameters
    ----------
    labels
        N, the truth.
    probabilities
        N × K; rows sum to 1.
    classes
        K, the label that each column stands for, ascending.

    Raises
    ------
    DataError
        If a label is not among the classes, or there are no labels.
    """
    from scipy.stats import binomtest
    from sklearn import metrics

    if not len(labels):
        raise DataError("there are no pictures to evaluate on")
    if unknown := sorted(set(labels.tolist()) - set(classes.tolist())):
        raise DataError(
            f"the data have labels that the model does not know ({', '.join(map(str, unknown))}); "
            f"it knows {', '.join(map(str, classes))}"
        )
    probabilities = probabilities.astype(np.float64)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    columns = probabilities.argmax(axis=1)
    answers, confidences = classes[columns], probabilities.max(axis=1)
    hits = answers == labels
    n_hits = int(hits.sum())
    interval = binomtest(n_hits, len(labels)).proportion_ci(_CONFIDENCE, method="wilson")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that of a single label
        confusion = metrics.confusion_matrix(labels, answers, labels=classes)
    scores = metrics.precision_recall_fscore_support(
        labels, answers, labels=classes, zero_division=0.0
    )
    of_label = probabilities[np.arange(len(labels)), np.searchsorted(classes, labels)]
    return Evaluation(
        n=len(labels),
        errors=len(labels) - n_hits,
        accuracy=n_hits / len(labels),
        accuracy_interval=(float(interval.low), float(interval.high)),
        # With one class the answer is certain, and scikit-learn declines to measure it.
        log_loss=float(metrics.log_loss(labels, probabilities, labels=classes))
        if len(classes) > 1
        else 0.0,
        ece=expected_calibration_error(confidences, hits),
        per_class=_records("digit precision recall f1 support", classes, *scores),
        confusion_matrix=confusion.tolist(),
        worst=_worst(labels, answers, confidences, of_label),
    )


def _worst(
    labels: Labels, answers: Labels, confidences: Array, of_label: Array
) -> list[dict[str, Any]]:
    wrong = np.flatnonzero(answers != labels)
    worst = wrong[np.argsort(of_label[wrong], kind="stable")][:_N_WORST]
    columns = (column[worst] for column in (labels, answers, confidences, of_label))
    return _records("index label digit probability label_probability", worst, *columns)


def _records(names: str, *columns: npt.NDArray[Any]) -> list[dict[str, Any]]:
    """A dict of plain values for each row of some columns."""
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [dict(zip(names.split(), row, strict=True)) for row in rows]


def _summary(evaluation: Evaluation) -> list[tuple[str, str]]:
    low, high = evaluation.accuracy_interval
    return [
        ("errors", f"{evaluation.errors:,} of {evaluation.n:,}"),
        ("accuracy", f"{evaluation.accuracy:.2%} (95% interval {low:.2%} to {high:.2%})"),
        ("log loss", f"{evaluation.log_loss:.4f}"),
        ("calibration error", f"{evaluation.ece:.2%} (top label, {_N_BINS} bins)"),
    ]


def _tables(evaluation: Evaluation) -> list[tuple[str, list[str], list[list[str]]]]:
    """Title, header and rows of each table."""
    digits = [str(row["digit"]) for row in evaluation.per_class]
    confusion = [
        [digit, *(str(count) if count else "·" for count in counts)]
        for digit, counts in zip(digits, evaluation.confusion_matrix, strict=True)
    ]
    return [
        (
            "Per digit",
            ["digit", "precision", "recall", "F1", "pictures"],
            _cells(evaluation.per_class, ("", ".2%", ".2%", ".2%", ",")),
        ),
        ("Confusion matrix (row: label, column: answer)", ["", *digits], confusion),
        (
            "Worst mistakes",
            ["picture", "label", "answer", "probability", "of the label"],
            _cells(evaluation.worst, ("", "", "", ".2%", ".2%")),
        ),
    ]


def _cells(records: list[dict[str, Any]], formats: Sequence[str]) -> list[list[str]]:
    return [list(map(format, record.values(), formats)) for record in records]


def text(evaluation: Evaluation) -> str:
    """Render for a terminal."""
    lines = [f"{name:<18} {value}" for name, value in _summary(evaluation)]
    for title, header, rows in _tables(evaluation):
        widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
        lines += ["", title]
        for row in (header, *rows):
            lines.append("  ".join(f"{c:>{w}}" for c, w in zip(row, widths, strict=True)).rstrip())
    return "\n".join(lines)


def markdown(evaluation: Evaluation, title: str, pictures: dict[str, str]) -> str:
    """Render as a Markdown page under a title.

    The keys of `pictures` are beginnings of tables' headings, the values addresses of pictures that
    belong there.
    """
    lines = [f"# {title}", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in _summary(evaluation)]
    for heading, header, rows in _tables(evaluation):
        lines += ["", f"## {heading}", "", f"| {' | '.join(header)} |"]
        lines.append("|" + "---:|" * len(header))
        lines += [f"| {' | '.join(row)} |" for row in rows]
        for beginning, address in pictures.items():
            if heading.startswith(beginning):
                lines += ["", f"![{heading}]({address})"]
    return "\n".join(lines) + "\n"
