"""What a report is made of: models, and what each of them made of the same pictures."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from mnist_net.arrays import Array, Bytes, Labels
from mnist_net.reports.comparison import Comparison, compare
from mnist_net.reports.figures import Evaluation, Hits, evaluate, normalized


@dataclass(frozen=True)
class Results:
    """A model after a test.

    Attributes
    ----------
    name
        What to call it.
    images, labels
        What it was shown, uint8, N × 28 × 28, and what that is, N.
    probabilities, classes
        What it made of them, N × K, and the label of each column, ascending.
    files
        N, where the pictures are from; or none, and their numbers name them.
    notes
        Counts of what else happened to the pictures, by name.
    story
        What it is and how it came to be, by name.
    histories
        Of each of its networks, the epochs of its training as `Progress.history` has them.
    first_layer
        Weights of its first hidden layer, 784 × units, those to be shown first.
    """

    name: str
    images: Bytes
    labels: Labels
    probabilities: Array
    classes: Labels
    files: Sequence[str] = ()
    notes: dict[str, int] = field(default_factory=dict)
    story: dict[str, str] = field(default_factory=dict)
    histories: Sequence[Sequence[dict[str, Any]]] = ()
    first_layer: Array | None = None

    @cached_property
    def evaluation(self) -> Evaluation:
        """How good it is; a DataError as `evaluate` raises it."""
        return evaluate(self.labels, self.probabilities, self.classes)

    @property
    def facts(self) -> dict[str, str]:
        """Notes and story, for a person to read."""
        return {**{name: f"{count:,}" for name, count in self.notes.items()}, **self.story}

    @property
    def answers(self) -> Labels:
        """N, its answers."""
        answers: Labels = self.classes[normalized(self.probabilities).argmax(axis=1)]
        return answers

    @property
    def hits(self) -> Hits:
        """N, whether each answer is right."""
        return np.asarray(self.answers == self.labels)


class Report(NamedTuple):
    """Models after one test.

    Attributes
    ----------
    subject
        What they were tested on, as part of a sentence.
    models
        At least one, all after the same pictures.
    """

    subject: str
    models: Sequence[Results]

    @property
    def title(self) -> str:
        """What was tested on what."""
        names = ", ".join(one.name for one in self.models[:-1])
        return f"{names}{' and ' if names else ''}{self.models[-1].name} on {self.subject}"

    @property
    def comparisons(self) -> list[tuple[Results, Results, Comparison]]:
        """Of each model with each later one."""
        return [(a, b, compare(a.hits, b.hits)) for a, b in combinations(self.models, 2)]
