"""How sure a network is, put right by one number.

A network that is trained until it is certain of its training pictures is too sure of others; one
that is trained on distorted pictures is not sure enough of whole ones.  Dividing the logits by a
temperature above or below 1 changes no answer, only how sure it is (Guo et al. 2017, *On
Calibration of Modern Neural Networks*, section 4.2).  The temperature is the one that minimizes
the loss on pictures that were held out.
"""

import math

import numpy as np

from mnist_net.arrays import Array
from mnist_net.learning.losses import LOSSES

_EXTREME = 64.0
_N_HALVINGS = 60  # of the range of the logarithm: to the last bit


def tempered(logits: Array, temperature: float) -> Array:
    """Logits divided by a temperature, of any shape; see above."""
    return logits / temperature  # (29)


def fit_temperature(logits: Array, targets: Array, loss: str) -> float:
    """Temperature at which the loss of the divided logits is least, from 1/64 to 64.

    Logits and targets are N × K, of pictures that the network was not trained on.  Of the logits
    ``Z`` times a sharpness ``β``, which is 1 / temperature, the loss is convex in ``β``; so its
    derivative ``Σ Z ⊙ ∂ℓ/∂(β Z)`` changes sign once, and halving finds where.  If the loss knows
    no minimum, as when every answer is right, that is at an end of the range.

    Raises
    ------
    ValueError
        For the squared error, which knows no logits.
    """
    if LOSSES[loss].output_activation != "identity":
        raise ValueError(f"a network with the loss {loss} has no logits to divide")
    function, Z = LOSSES[loss].function, logits.astype(np.float64)
    low, high = -math.log(_EXTREME), math.log(_EXTREME)
    for _ in range(_N_HALVINGS):
        middle = (low + high) / 2.0
        _, derivative = function(math.exp(middle) * Z, targets)
        if np.vdot(derivative, Z) < 0.0:  # (30)
            low = middle
        else:
            high = middle
    return math.exp(-(low + high) / 2.0)
