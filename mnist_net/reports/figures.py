"""How often a classifier is right, how sure it is, and what it confuses.

Arrays in, numbers out; no model is seen here.  The metrics are scikit-learn's and SciPy's; only
what neither has, calibration and the trade-off of refusing, is our own.
"""

import warnings
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mnist_net.arrays import Array, Labels
from mnist_net.errors import DataError

Hits = npt.NDArray[np.bool_]

N_BINS = 15
"""Of confidence, into which answers are sorted."""

_N_WORST = 10
_CONFIDENCE = 0.95
_REFUSED = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1)


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
        digit (the answer), probability (of the answer), second (the answer that came next),
        second_probability, label_probability.
    reliability
        See `reliability`.
    refusals
        What refusing the least sure 0, 0.5, 1, 2, 5 and 10 % brings, see `refusals`.
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
    reliability: list[dict[str, Any]]
    refusals: list[dict[str, Any]]


def reliability(confidences: Array, hits: Hits) -> list[dict[str, Any]]:
    """How often answers are right that are so sure.

    The answers are sorted into 15 equal bins of confidence, the probability of the answer:
    (0, 1/15], …, (14/15, 1].

    Parameters
    ----------
    confidences, hits
        N, the probability of each answer, and whether it is right.

    Returns
    -------
    list of dict
        Of each bin that is not empty: n, confidence (the mean), accuracy, low and high (the 95 %
        interval of the accuracy).
    """
    bins = np.clip(np.ceil(confidences * N_BINS).astype(int) - 1, 0, N_BINS - 1)
    sizes = np.bincount(bins)
    sums = np.bincount(bins, weights=confidences.astype(np.float64))
    right = np.bincount(bins, weights=hits)
    records = []
    for size, total, k in zip(sizes.tolist(), sums.tolist(), right.tolist(), strict=True):
        if size:
            low, high = accuracy_interval(int(k), size)
            values = (size, total / size, k / size, low, high)
            names = ("n", "confidence", "accuracy", "low", "high")
            records.append(dict(zip(names, values, strict=True)))
    return records


def expected_calibration_error(confidences: Array, hits: Hits) -> float:
    """How far confidence is from accuracy, on average.

    The mean of |accuracy - mean confidence| over the bins of `reliability`, weighted by their sizes
    (Guo et al., *On Calibration of Modern Neural Networks*, 2017, equation 3).
    """
    bins = reliability(confidences, hits)
    return sum(b["n"] * abs(b["accuracy"] - b["confidence"]) for b in bins) / len(hits)


class Refusals(NamedTuple):
    """What is left if all answers below a threshold of confidence are refused.

    Attributes
    ----------
    thresholds
        T, ascending: each confidence that occurs.
    refused
        T, how many answers are less sure than that, int.
    errors
        T, how many of the others are wrong, int.
    """

    thresholds: Array
    refused: npt.NDArray[np.int64]
    errors: npt.NDArray[np.int64]


def refusals(confidences: Array, hits: Hits) -> Refusals:
    """The trade-off of refusing; confidences and hits are N, as for `reliability`."""
    order = np.argsort(confidences, kind="stable")
    thresholds, refused = np.unique(confidences[order], return_index=True)
    refused_errors = np.concatenate([[0], np.cumsum(~hits[order])])
    return Refusals(thresholds, refused, refused_errors[-1] - refused_errors[refused])


def accuracy_interval(hits: int, n: int) -> tuple[float, float]:
    """95 % interval of a fraction of which `hits` of `n` were seen (Wilson 1927)."""
    from scipy.stats import binomtest

    interval = binomtest(hits, n).proportion_ci(_CONFIDENCE, method="wilson")
    return float(interval.low), float(interval.high)


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
    from sklearn import metrics

    if not len(labels):
        raise DataError("there are no pictures to evaluate on")
    if unknown := sorted(set(labels.tolist()) - set(classes.tolist())):
        raise DataError(
            f"the data have labels that the model does not know ({', '.join(map(str, unknown))}); "
            f"it knows {', '.join(map(str, classes))}"
        )
    probabilities = normalized(probabilities)
    answers, confidences = classes[probabilities.argmax(axis=1)], probabilities.max(axis=1)
    hits = answers == labels
    n_hits = int(hits.sum())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that of a single label
        confusion = metrics.confusion_matrix(labels, answers, labels=classes)
    scores = metrics.precision_recall_fscore_support(
        labels, answers, labels=classes, zero_division=0.0
    )
    return Evaluation(
        n=len(labels),
        errors=len(labels) - n_hits,
        accuracy=n_hits / len(labels),
        accuracy_interval=accuracy_interval(n_hits, len(labels)),
        # With one class the answer is certain, and scikit-learn declines to measure it.
        log_loss=float(metrics.log_loss(labels, probabilities, labels=classes))
        if len(classes) > 1
        else 0.0,
        ece=expected_calibration_error(confidences, hits),
        per_class=_records("digit precision recall f1 support", classes, *scores),
        confusion_matrix=confusion.tolist(),
        worst=_worst(labels, probabilities, classes),
        reliability=reliability(confidences, hits),
        refusals=_refusals(refusals(confidences, hits), len(labels)),
    )


def normalized(probabilities: Array) -> Array:
    """Rows that sum to 1 in float64, as those of float32 do not quite."""
    exact = probabilities.astype(np.float64)
    return exact / exact.sum(axis=1, keepdims=True)


def of_labels(labels: Labels, probabilities: Array, classes: Labels) -> Array:
    """N, the probability that each label was given."""
    return probabilities[np.arange(len(labels)), np.searchsorted(classes, labels)]


def _worst(labels: Labels, probabilities: Array, classes: Labels) -> list[dict[str, Any]]:
    wrong = np.flatnonzero(classes[probabilities.argmax(axis=1)] != labels)
    given = of_labels(labels, probabilities, classes)[wrong]
    first = np.argsort(given, kind="stable")[:_N_WORST]
    worst, given = wrong[first], given[first]
    # The last column is the answer, the last but one what came next; who errs has two classes.
    ranked = np.argsort(probabilities[worst], axis=1, kind="stable")
    answer, second = ranked[:, -1], ranked[:, -2:-1].ravel()
    sure = np.sort(probabilities[worst], axis=1)
    return _records(
        "index label digit probability second second_probability label_probability",
        *(worst, labels[worst], classes[answer], sure[:, -1]),
        *(classes[second], sure[:, -2:-1].ravel(), given),
    )


def _refusals(found: Refusals, n: int) -> list[dict[str, Any]]:
    """At the highest thresholds that refuse no more than the usual shares."""
    at = [np.searchsorted(found.refused, share * n, side="right") - 1 for share in _REFUSED]
    at = sorted(set(at))
    refused, errors = found.refused[at], found.errors[at]
    columns = (found.thresholds[at], refused, refused / n, errors, errors / (n - refused))
    return _records("threshold n_refused refused errors error_rate", *columns)


def _records(names: str, *columns: npt.NDArray[Any]) -> list[dict[str, Any]]:
    """A dict of plain values for each row of some columns."""
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [dict(zip(names.split(), row, strict=True)) for row in rows]
