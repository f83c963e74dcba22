"""What the networks say of pictures in MNIST's form: which digit it is, and whether it is one.

The one that reads digits has learned from MNIST.  The detector has learned from digits of all sorts
too, and that it learned which ones they are makes it a second reader: of pictures that are not
MNIST's own, a mean of what both say is right more often than either.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mnist_net.arrays import MNIST_DIGEST, Array, Bytes
from mnist_net.trained.committee import Committee, Predictor

DETECTORS_WEIGHT = 0.75
"""In the mean; from 0.6 to 0.8 it errs least on digits drawn anew (`results/detector.json`)."""


class Networks(NamedTuple):
    """The network that reads digits, and the one that knows whether there is one; see `Reader`."""

    model: Predictor
    detector: Predictor | None

    @property
    def are_two_readers(self) -> bool:
        """Whether the detector knows the model's classes: it does if those are MNIST's digits.

        Who learned from anything else may have ten classes too, and mean others.
        """
        classes = self.model.classes.tolist()
        known = self.detector is not None and len(self.detector.classes) == 1 + len(classes)
        return known and classes == list(range(10)) and _is_mnists(self.model)

    def say(self, images: Bytes, alone: npt.NDArray[np.bool_] | None = None) -> tuple[Array, Array]:
        """Probabilities of the classes, N × K, and that it is a digit at all, N.

        The images are N × 28 × 28; of some the model may speak alone.
        """
        probabilities = self.model.predict_proba(images)
        if self.detector is None:
            return probabilities, np.ones(len(images), probabilities.dtype)
        detected = self.detector.predict_proba(images)
        is_digit = 1.0 - detected[:, 0]
        if self.are_two_readers:
            digits, known = detected[:, 1:], detected[:, 1:].sum(axis=1, keepdims=True)
            which = np.divide(digits, known, out=probabilities.copy(), where=known > 0.0)
            mean = (1.0 - DETECTORS_WEIGHT) * probabilities + DETECTORS_WEIGHT * which
            probabilities = mean if alone is None else np.where(alone[:, None], probabilities, mean)
        return probabilities, is_digit


def _is_mnists(model: Predictor) -> bool:
    if isinstance(model, Committee):
        return all(map(_is_mnists, model.members))
    data = model.metadata.get("data")
    return isinstance(data, dict) and data.get("digest") == MNIST_DIGEST
