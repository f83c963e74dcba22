"""A trained network, from pictures in MNIST's form to probabilities.

It is what a model file becomes: parameters, how to scale pixels, which label each output stands
for, and a record of how it came to be.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from mnist_net.arrays import IMAGE_SHAPE, Array, Bytes, keep_freed_memory
from mnist_net.errors import ModelFileError
from mnist_net.learning.calibration import tempered
from mnist_net.learning.losses import LOSSES
from mnist_net.learning.network import Architecture, Parameters, outputs_of
from mnist_net.learning.scaling import Scaling

_CHUNK = 2_000  # pictures at a time: bounds the memory, and fills the matrix product well


@dataclass(frozen=True, slots=True)
class Model:
    """A network for pictures of 28 × 28 pixels.

    Attributes
    ----------
    architecture, parameters
        The network; its input is 784 wide.
    classes
        Label of each output, int64.
    scaling
        From pixels to inputs.
    metadata
        Plain values: preset, hyperparameters, data (name, digest, location), history, accuracy on
        the test set, library versions, date.
    temperature
        What the logits are divided by, see `calibration`; 1 leaves them as they are.
    """

    architecture: Architecture
    parameters: Parameters = field(repr=False)
    classes: npt.NDArray[np.int64]
    scaling: Scaling
    metadata: dict[str, Any] = field(default_factory=dict, repr=False)
    temperature: float = 1.0

    def predict_proba(self, images: Bytes) -> Array:
        """Probability of each class.

        Parameters
        ----------
        images
            uint8, N × 28 × 28 or N × 784, ink bright on black as in MNIST.

        Returns
        -------
        float32 or float64 array
            N × K, in the order of `classes`; rows sum to 1.

        Raises
        ------
        ValueError
            If the images have another shape or dtype.
        ModelFileError
            If the model's numbers are so large that they overflow.
        """
        images = np.asarray(images)
        n_pixels = IMAGE_SHAPE[0] * IMAGE_SHAPE[1]
        if images.shape[1:] not in (IMAGE_SHAPE, (n_pixels,)):
            raise ValueError(
                f"images must be N × 28 × 28 or N × 784, not {images.shape}; for one picture, "
                "give images[None]"
            )
        if images.dtype != np.uint8:
            raise ValueError(f"images must be uint8 from 0 to 255, not {images.dtype}")
        if len(images) > _CHUNK:
            keep_freed_memory()
        with np.errstate(all="ignore"):  # the check below says it better
            chunks = [
                self.probabilities_of(images[begin : begin + _CHUNK])
                for begin in range(0, max(len(images), 1), _CHUNK)
            ]
        probabilities = np.concatenate(chunks)
        if not np.isfinite(probabilities).all():
            raise ModelFileError("the model's numbers overflow: it is damaged; train a new one")
        return probabilities

    def probabilities_of(self, images: Bytes | Array) -> Array:
        """`predict_proba`, unchecked, of pixels from 0 to 255 that need not be whole."""
        X = self.scaling.apply(images)
        outputs = outputs_of(self.parameters, self.architecture, X)
        loss = LOSSES[self.architecture.loss]
        return loss.probabilities(tempered(outputs, self.temperature))

    def predict(self, images: Bytes) -> npt.NDArray[np.int64]:
        """Label of the most probable class, N; see `predict_proba`."""
        return self.classes[self.predict_proba(images).argmax(axis=1)]
