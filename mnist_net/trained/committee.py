"""Several networks that answer as one.

Networks that err on different pictures outvote each other's errors, so the mean of their
probabilities is right more often than each of them (Meier et al. 2011, *Better digit recognition
with a committee of simple neural nets*).
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from mnist_net.arrays import Array, Bytes
from mnist_net.trained.model import Model


@dataclass(frozen=True, slots=True)
class Committee:
    """Networks whose probabilities are averaged; it is used as a `Model` is.

    Attributes
    ----------
    members
        At least one, all for the same classes; each with its own metadata.
    metadata
        Plain values about the whole, as in `Model`.
    """

    members: tuple[Model, ...]
    metadata: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse members that cannot vote together, or none at all, by a ValueError."""
        if not self.members:
            raise ValueError("a committee needs members")
        if any(member.classes.tolist() != self.classes.tolist() for member in self.members):
            raise ValueError("the members of a committee must know the same classes")

    @property
    def classes(self) -> npt.NDArray[np.int64]:
        """Label of each output."""
        return self.members[0].classes

    def predict_proba(self, images: Bytes) -> Array:
        """Probability of each class, N × K: the mean of the members'; see `Model`."""
        return _mean([member.predict_proba(images) for member in self.members])

    def probabilities_of(self, images: Bytes | Array) -> Array:
        """The mean of what `Model.probabilities_of` gives."""
        return _mean([member.probabilities_of(images) for member in self.members])

    def predict(self, images: Bytes) -> npt.NDArray[np.int64]:
        """Label of the most probable class, N; see `predict_proba`."""
        return self.classes[self.predict_proba(images).argmax(axis=1)]


def _mean(probabilities: list[Array]) -> Array:
    mean: Array = np.stack(probabilities).mean(axis=0)
    return mean


Predictor = Model | Committee
"""What a model file holds."""
