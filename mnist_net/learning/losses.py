r"""Loss functions, each returned together with its derivative.

A loss compares the network's outputs ``A`` (N × K, the last layer's activations) with the targets
``T`` (N × K) and is the **mean over the N rows of a sum over the K outputs**; its derivative with
respect to the outputs is N × K too.  Dividing by N, in the loss and therefore in its derivative,
keeps a learning rate's meaning when the batch size changes.

The two cross-entropies take logits: their last layer has the identity as activation, and softmax
or sigmoid belongs to the loss.  That is what lets the loss be computed by log-sum-exp, which is
finite for every finite logit, with no epsilon and no clipping; and it is why the derivative
collapses to ``(P - T) / N`` (`docs/derivation.md`, equations 9 and 12).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from mnist_net.arrays import Array
from mnist_net.learning.activations import sigmoid


def log_softmax(logits: Array) -> Array:
    """Logarithm of the softmax over the last axis of N × K logits, by log-sum-exp.

    Subtracting each row's maximum changes nothing and leaves ``exp`` at most 1.
    """
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))  # (7)


def softmax(logits: Array) -> Array:
    """Probabilities ``exp(z_k) / Σ_j exp(z_j)`` of each row of N × K logits."""
    return np.exp(log_softmax(logits))


def softmax_cross_entropy(logits: Array, targets: Array) -> tuple[float, Array]:
    """Cross-entropy of a softmax output, ``-(1/N) Σ_nk t_nk log p_nk``, in nats.

    Each row of the targets is a distribution (one-hot, usually).
    """
    log_probabilities = log_softmax(logits)
    loss = -float(np.vdot(targets, log_probabilities)) / len(logits)  # (8)
    return loss, (np.exp(log_probabilities) - targets) / len(logits)  # (9)


def soft_targets(targets: Array, probabilities: Array, weight: float, temperature: float) -> Array:
    """Targets that are a teacher's in part (Hinton, Vinyals and Dean 2015, section 2).

    Parameters
    ----------
    targets, probabilities
        One-hot rows, and what the teacher says of the same examples, both N × K.
    weight
        The teacher's part ``λ``, from 0 to 1.
    temperature
        By which the teacher's logits are divided; above 1 its second choices count for more.

    Returns
    -------
    array
        N × K.  Its rows sum to 1, and (9) asked no more of them: the derivative is still ``P - T``.
    """
    softened = probabilities ** (1.0 / temperature)
    softened /= softened.sum(axis=-1, keepdims=True)
    return (1.0 - weight) * targets + weight * softened  # (31)


def binary_cross_entropy(logits: Array, targets: Array) -> tuple[float, Array]:
    """Cross-entropy of K independent sigmoid outputs, summed over them, in nats.

    Per output, whose target is from 0 to 1, it is ``-t log σ(z) - (1 - t) log(1 - σ(z))``, which
    equals ``log(1 + exp(z)) - t z``.
    """
    loss = float(np.sum(np.logaddexp(0.0, logits) - targets * logits)) / len(logits)  # (11)
    return loss, (sigmoid(logits) - targets) / len(logits)  # (12)


def mean_squared_error(outputs: Array, targets: Array) -> tuple[float, Array]:
    """Squared error ``(1/N) Σ_nk (a_nk - t_nk)²``, with no factor ½."""
    difference = outputs - targets
    loss = float(np.vdot(difference, difference)) / len(outputs)  # (13)
    return loss, (2.0 / len(outputs)) * difference  # (14)


def _normalized_sigmoid(logits: Array) -> Array:
    # In the logarithm, log σ(z) = -log(1 + exp(-z)), so that a row of tiny values keeps its ratios.
    return softmax(-np.logaddexp(0.0, -logits))


def _normalized(outputs: Array) -> Array:
    total = outputs.sum(axis=-1, keepdims=True)
    uniform = np.full_like(outputs, 1.0 / outputs.shape[-1])
    return np.divide(outputs, total, out=uniform, where=total > 0.0)


class Loss(NamedTuple):
    """A loss, and what a classifier that minimizes it needs to know.

    Attributes
    ----------
    function
        (outputs, targets), both N × K, to (loss, derivative with respect to the outputs).
    output_activation
        Name of the last layer's activation when the network classifies.
    probabilities
        Outputs (N × K) to class probabilities whose rows sum to 1.
    """

    function: Callable[[Array, Array], tuple[float, Array]]
    output_activation: str
    probabilities: Callable[[Array], Array]


LOSSES = {
    "softmax-cross-entropy": Loss(softmax_cross_entropy, "identity", softmax),
    "binary-cross-entropy": Loss(binary_cross_entropy, "identity", _normalized_sigmoid),
    "mean-squared-error": Loss(mean_squared_error, "sigmoid", _normalized),
}
