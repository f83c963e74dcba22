"""A report as one HTML file that needs nothing else: no network, no script, no picture beside it.

What the page shows is worked out here, from arrays; how it looks is in ``templates/``.  Charts are
SVG, pictures are cut from one sheet, and a cell of the confusion matrix opens those that fell there
by the browser's own popovers.
"""

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mnist_net.arrays import Array
from mnist_net.reports.charts import (
    HEIGHT,
    WIDTH,
    Chart,
    learning_charts,
    refusal_chart,
    reliability_chart,
)
from mnist_net.reports.comparison import Comparison
from mnist_net.reports.figures import Hits, normalized, of_labels, refusals
from mnist_net.reports.results import Report, Results
from mnist_net.reports.sprites import Sheet, address, first_layer_png

_TEMPLATES = Path(__file__).parent / "templates"
_IN_A_CELL = 24  # pictures
_DIFFERENT = 10  # pictures that only one of two models gets right


def html(report: Report) -> str:
    """A report as one HTML page."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,  # a model's name, or a file's, can be anything
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(width=WIDTH, height=HEIGHT)
    sheet = Sheet()
    models = [_Model(results, number, sheet) for number, results in enumerate(report.models, 1)]
    values: dict[str, Any] = {
        "report": report,
        "models": [model.values() for model in models],
        "pairs": [
            _pair(first, second, found)
            for (first, second), (*_, found) in zip(
                combinations(models, 2), report.comparisons, strict=True
            )
        ],
        "style": (_TEMPLATES / "report.css").read_text(encoding="utf-8"),
    }
    # The last, when all pictures are on it.
    values["sheet"] = {"size": sheet.size, "address": address(sheet.png())}
    return environment.get_template("report.html").render(values)


class _Model:
    """What the page shows of one model; its pictures go to the sheet."""

    def __init__(self, results: Results, number: int, sheet: Sheet) -> None:
        self.results, self.number, self.sheet = results, number, sheet
        self.evaluation = results.evaluation  # the first: it says if labels are unknown
        self.probabilities = normalized(results.probabilities)
        self.answers, self.hits = results.answers, results.hits
        self.of_labels = of_labels(results.labels, self.probabilities, results.classes)

    def values(self) -> dict[str, Any]:
        """All of it."""
        evaluation, results = self.evaluation, self.results
        low, high = evaluation.accuracy_interval
        return {
            "id": f"model-{self.number}",
            "name": results.name,
            "evaluation": evaluation,
            "error_rate": evaluation.errors / evaluation.n,
            "error_interval": (1.0 - high, 1.0 - low),
            "facts": results.facts,
            "cells": self._cells(),
            "worst": [{**m, **self.picture(m["index"])} for m in evaluation.worst],
            "reliability": reliability_chart(evaluation.reliability),
            "refusing": self._refusing(),
            "learning": learning_charts(results.histories),
            "n_networks": len(results.histories),
            "first_layer": None
            if results.first_layer is None
            else address(first_layer_png(results.first_layer)),
        }

    def picture(self, index: int) -> dict[str, Any]:
        """A picture on the sheet, and what is said of it."""
        results = self.results
        return {
            "place": self.sheet.place(results.images[index]),
            "file": results.files[index] if results.files else f"picture {index:,}",
            "label": int(results.labels[index]),
            "digit": int(self.answers[index]),
            "probability": float(self.probabilities[index].max()),
        }

    def missed(self, others: Hits) -> list[dict[str, Any]]:
        """The worst of what this model gets wrong and another one right."""
        those = np.flatnonzero(others & ~self.hits)
        worst = those[np.argsort(self.of_labels[those], kind="stable")]
        return [self.picture(index) for index in worst[:_DIFFERENT].tolist()]

    def _cells(self) -> list[list[dict[str, Any]]]:
        """The confusion matrix, with the pictures that gave the label least probability."""
        order = np.argsort(self.of_labels, kind="stable")
        classes = self.results.classes.tolist()
        counts = np.array(self.evaluation.confusion_matrix)
        most = max((counts - np.diag(np.diag(counts))).max(), 1)
        return [
            [
                {
                    "id": f"model-{self.number}-{label}-{digit}",
                    "label": label,
                    "digit": digit,
                    "count": int(counts[row, column]),
                    "shade": 0.0 if row == column else float(counts[row, column] / most),
                    "pictures": self._those(order, label, digit),
                }
                for column, digit in enumerate(classes)
            ]
            for row, label in enumerate(classes)
        ]

    def _those(self, order: npt.NDArray[np.int64], label: int, digit: int) -> list[dict[str, Any]]:
        here = (self.results.labels[order] == label) & (self.answers[order] == digit)
        return [self.picture(index) for index in order[here][:_IN_A_CELL].tolist()]

    def _refusing(self) -> Chart:
        confidences: Array = self.probabilities.max(axis=1)
        found, n = refusals(confidences, self.hits), len(self.hits)
        rates = found.errors / (n - found.refused)
        return refusal_chart((found.refused / n).tolist(), rates.tolist())


def _pair(first: _Model, second: _Model, found: Comparison) -> dict[str, Any]:
    """What two models differ in, with pictures of what only one of them gets right."""
    return {
        "first": first.results.name,
        "second": second.results.name,
        "found": found,
        "missed_by_second": second.missed(first.hits),
        "missed_by_first": first.missed(second.hits),
    }
