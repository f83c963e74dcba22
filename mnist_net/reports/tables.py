"""The figures of an evaluation as tables, for a terminal and for a Markdown page."""

from collections.abc import Sequence
from typing import Any

from mnist_net.reports.figures import N_BINS, Evaluation


def _summary(evaluation: Evaluation) -> list[tuple[str, str]]:
    low, high = evaluation.accuracy_interval
    return [
        ("errors", f"{evaluation.errors:,} of {evaluation.n:,}"),
        ("accuracy", f"{evaluation.accuracy:.2%} (95% interval {low:.2%} to {high:.2%})"),
        ("log loss", f"{evaluation.log_loss:.4f}"),
        ("calibration error", f"{evaluation.ece:.2%} (top label, {N_BINS} bins)"),
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
