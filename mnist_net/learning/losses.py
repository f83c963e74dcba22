r"""Loss functions, each returned together with its derivative.

A loss compares the network's outputs ``A`` (N × K, the last layer's activations) with the targets
``T`` (N × K) and is the **mean over the N rows of a sum over the K outputs**; its derivative with
respect to the outputs is N × K too.  Dividing by N, in the loss and therefore in its derivative,
keeps a learning rate's meaning when the batch size changes.  Of examples that have weights it is
the weighted mean.

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


def _relative(sample_weight: Array | None) -> Array | float:
    """Weights of mean 1, in a column; 1 where there are none."""
    if sample_weight is None:
        return 1.0
    return (sample_weight / sample_weight.mean())[:, np.newaxis]  # (31)


def log_softmax(logits: Array) -> Array:
    """Logarithm of the softmax over the last axis of N × K logits, by log-sum-exp.

    Subtracting each row's maximum changes nothing and leaves ``exp`` at most 1.
    """
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))  # (7)


def softmax(logits: Array) -> Array:
    """Probabilities ``exp(z_k) / Σ_j exp(z_j)`` of each row of N × K logits."""
    return np.exp(log_softmax(logits))


def softmax_cross_entropy(
    logits: Array, targets: Array, sample_weight: Array | None = None
) -> tuple[float, Array]:
    """Cross-entropy of a softmax output, ``-(1/N) Σ_nk t_nk log p_nk``, in nats.

    Each row of the targets is a distribution (one-hot, usually).
    """
    w, log_probabilities = _relative(sample_weight), log_softmax(logits)
    loss = -float(np.vdot(w * targets, log_probabilities)) / len(logits)  # (8) and (32)
    return loss, w * (np.exp(log_probabilities) - targets) / len(logits)  # (9) and (33)


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
    # Relative to the greatest, whose power is 1: no row of powers is all 0.
    relative = probabilities / probabilities.max(axis=-1, keepdims=True)
    softened = relative ** (1.0 / temperature)
    softened /= softened.sum(axis=-1, keepdims=True)
    return (1.0 - weight) * targets + weight * softened  # (34)


def binary_cross_entropy(
    logits: Array, targets: Array, sample_weight: Array | None = None
) -> tuple[float, Array]:
    """Cross-entropy of K independent sigmoid outputs, summed over them, in nats.

    Per output, whose target is from 0 to 1, it is ``-t log σ(z) - (1 - t) log(1 - σ(z))``, which
    equals ``log(1 + exp(z)) - t z``.
    """
    w = _relative(sample_weight)
    terms = np.logaddexp(0.0, logits) - targets * logits
    loss = float(np.sum(w * terms)) / len(logits)  # (11) and (32)
    return loss, w * (sigmoid(logits) - targets) / len(logits)  # (12) and (33)


def mean_squared_error(
    outputs: Array, targets: Array, sample_weight: Array | None = None
) -> tuple[float, Array]:
    """Squared error ``(1/N) Σ_nk (a_nk - t_nk)²``, with no factor ½."""
    w, difference = _relative(sample_weight), outputs - targets
    loss = float(np.vdot(w * difference, difference)) / len(outputs)  # (13) and (32)
    return loss, w * (2.0 / len(outputs)) * difference  # (14) and (33)


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
        (outputs, targets), both N × K, and perhaps N weights of the examples, none negative and of
        any scale, to (loss, derivative with respect to the outputs).
    output_activation
        Name of the last layer's activation when the network classifies.
    probabilities
        Outputs (N × K) to class probabilities whose rows sum to 1.
    """

    function: Callable[..., tuple[float, Array]]
    output_activation: str
    probabilities: Callable[[Array], Array]


LOSSES = {
    "softmax-cross-entropy": Loss(softmax_cross_entropy, "identity", softmax),
    "binary-cross-entropy": Loss(binary_cross_entropy, "identity", _normalized_sigmoid),
    "mean-squared-error": Loss(mean_squared_error, "sigmoid", _normalized),
}
