"""The figures of a test as tables, for a terminal and for a Markdown page."""

import html
from collections.abc import Sequence
from typing import Any, NamedTuple

from mnist_net.reports.figures import N_BINS, Evaluation
from mnist_net.reports.results import Report


class _Table(NamedTuple):
    title: str
    header: list[str]
    rows: list[list[str]]


def _summary(evaluation: Evaluation) -> list[tuple[str, str]]:
    low, high = evaluation.accuracy_interval
    return [
        ("errors", f"{evaluation.errors:,} of {evaluation.n:,}"),
        ("accuracy", f"{evaluation.accuracy:.2%} (95% interval {low:.2%} to {high:.2%})"),
        ("log loss", f"{evaluation.log_loss:.4f}"),
        ("calibration error", f"{evaluation.ece:.2%} (top label, {N_BINS} bins)"),
    ]


def _of_digits(evaluation: Evaluation) -> _Table:
    header = ["digit", "precision", "recall", "F1", "pictures"]
    return _Table("Per digit", header, _cells(evaluation.per_class, ("", *3 * (".2%",), ",")))


def _confusion(evaluation: Evaluation) -> _Table:
    digits = [str(row["digit"]) for row in evaluation.per_class]
    rows = [
        [digit, *(str(count) if count else "·" for count in counts)]
        for digit, counts in zip(digits, evaluation.confusion_matrix, strict=True)
    ]
    return _Table("Confusion matrix (row: label, column: answer)", ["", *digits], rows)


def _worst(evaluation: Evaluation) -> _Table:
    header = ["picture", "label", "answer", "probability", "second", "of it", "of the label"]
    formats = ("", "", "", ".2%", "", ".2%", ".2%")
    return _Table("Worst mistakes", header, _cells(evaluation.worst, formats))


def _reliability(evaluation: Evaluation) -> _Table:
    header = ["pictures", "how sure", "right", "from", "to"]
    rows = _cells(evaluation.reliability, (",", *4 * (".2%",)))
    return _Table("Reliability (95% intervals)", header, rows)


def _refusals(evaluation: Evaluation) -> _Table:
    header = ["less sure than", "pictures", "of all", "errors left", "of the answers"]
    rows = _cells(evaluation.refusals, (".2%", ",", ".2%", ",", ".3%"))
    return _Table("If the least sure are refused", header, rows)


def _side_by_side(report: Report) -> list[_Table]:
    results = [
        [_plain(one.name), *(value for _, value in _summary(one.evaluation))]
        for one in report.models
    ]
    names = [name for name, _ in _summary(report.models[0].evaluation)]
    differences = [
        [
            f"{_plain(first.name)} and {_plain(second.name)}",
            *(f"{n:,}" for n in (found.only_first, found.only_second, found.neither)),
            f"{found.p_value:.2g}" if found.p_value >= 1e-4 else "< 0.0001",
        ]
        for first, second, found in report.comparisons
    ]
    header = ["models", "only the first right", "only the second", "neither", "p (McNemar, exact)"]
    return [
        _Table("Side by side", ["model", *names], results),
        _Table("Whether they differ", header, differences),
    ]


def _cells(records: list[dict[str, Any]], formats: Sequence[str]) -> list[list[str]]:
    return [list(map(format, record.values(), formats)) for record in records]


def text(evaluation: Evaluation) -> str:
    """Render for a terminal."""
    lines = [f"{name:<18} {value}" for name, value in _summary(evaluation)]
    for show in (_of_digits, _confusion, _worst):
        title, header, rows = show(evaluation)
        widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
        lines += ["", title]
        for row in (header, *rows):
            lines.append("  ".join(f"{c:>{w}}" for c, w in zip(row, widths, strict=True)).rstrip())
    return "\n".join(lines)


def markdown(report: Report, pictures: Sequence[str]) -> str:
    """Render as a Markdown page.

    The pictures are addresses, for each model one of its worst mistakes, in their order.
    """
    lines = [f"# {_plain(report.title)}"]
    one = len(report.models) == 1
    if not one:
        for table in _side_by_side(report):
            lines += ["", f"## {table.title}", *_as_markdown(table)]
    for results, picture in zip(report.models, pictures, strict=True):
        lines += [] if one else ["", f"## {_plain(results.name)}"]
        facts = [*_summary(results.evaluation), *results.facts.items()]
        rows = [[name, _plain(value)] for name, value in facts]
        lines += ["", "| | |", "|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]
        for show in (_of_digits, _confusion, _worst, _reliability, _refusals):
            table = show(results.evaluation)
            lines += ["", f"{'##' if one else '###'} {table.title}", *_as_markdown(table)]
            if show is _worst and table.rows:
                lines += ["", f"![The worst mistakes, in the order of the table]({picture})"]
    return "\n".join(lines) + "\n"


def _as_markdown(table: _Table) -> list[str]:
    rule = "|" + "---:|" * len(table.header)
    rows = [table.header, *table.rows]
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    return ["", head, rule, *body]


def _plain(text: str) -> str:
    """A text that is not taken for markup: a model's name can be anything."""
    safe = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    for mark in "\\`*_[]|":
        safe = safe.replace(mark, f"\\{mark}")
    return html.escape(safe, quote=False)
