"""Update rules: pure functions from (parameters, gradients, state) to (parameters, state).

The state of a rule is a step count and some arrays of the parameters' own type, so that it can be
saved and resumed like the parameters.  Decoupled weight decay shrinks the weights by
``learning_rate * weight_decay`` at each step, beside the gradient's step and whatever the rule
(after Loshchilov and Hutter, *Decoupled Weight Decay Regularization*, 2019, whose decay follows the
schedule but not the rate); it never touches biases.
The L2 penalty is something else: it belongs to the loss and thus passes through the rule.

Steps are added, with the sign in the rate: NumPy puts a sum into the memory of the product that is
not needed any more, but not a difference, and large parameters cost as much as they are moved.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from mnist_net.arrays import Array
from mnist_net.learning.network import Parameters, map_arrays


class OptimizerState(NamedTuple):
    """What an update rule remembers.

    Attributes
    ----------
    step
        Number of updates made.
    moments
        Running averages, each of the parameters' type, zero at first: the velocity for SGD; the
        first and the second moment of the gradients for AdamW.
    """

    step: int
    moments: tuple[Parameters, ...]


def _decay(parameters: Parameters, amount: float) -> Parameters:
    if not amount:
        return parameters
    return tuple(layer._replace(weights=(1.0 - amount) * layer.weights) for layer in parameters)


def sgd(
    parameters: Parameters,
    gradients: Parameters,
    state: OptimizerState,
    learning_rate: float,
    *,
    momentum: float = 0.0,
    nesterov: bool = False,
    weight_decay: float = 0.0,
) -> tuple[Parameters, OptimizerState]:
    """Gradient descent with momentum (Polyak 1964), or Nesterov's (Sutskever et al. 2013).

    ``v ← μ v + g`` (20), then ``θ ← θ - η v`` (21), or ``θ ← θ - η (g + μ v)`` (22) with Nesterov's
    look-ahead.  The rate is outside the velocity, so that a schedule acts at once.
    """
    (velocity,) = state.moments
    if momentum:
        velocity = map_arrays(lambda v, g: momentum * v + g, velocity, gradients)  # (20)
    else:
        velocity = gradients  # (20) with μ = 0, without reading what it leaves nothing of
    direction = velocity
    if nesterov:
        direction = map_arrays(lambda g, v: g + momentum * v, gradients, velocity)  # (22)
    parameters = map_arrays(
        lambda theta, d: theta + -learning_rate * d,  # (21)
        _decay(parameters, learning_rate * weight_decay),
        direction,
    )
    return parameters, OptimizerState(state.step + 1, (velocity,))


def adamw(
    parameters: Parameters,
    gradients: Parameters,
    state: OptimizerState,
    learning_rate: float,
    *,
    momentum: float = 0.9,
    second_momentum: float = 0.999,
    epsilon: float = 1e-8,
    weight_decay: float = 0.0,
) -> tuple[Parameters, OptimizerState]:
    """Adam (Kingma and Ba 2015, algorithm 1) with decoupled weight decay (algorithm 2 of AdamW).

    ``m ← β₁ m + (1 - β₁) g`` (23), ``s ← β₂ s + (1 - β₂) g²`` (24), and
    ``θ ← θ - η m̂ / (√ŝ + ε)`` (25), where the hats undo the averages' start at zero:
    m̂ = m / (1 - β₁ᵗ), ŝ = s / (1 - β₂ᵗ).  β₁ is the momentum, β₂ the second momentum.
    """
    beta1, beta2, step = momentum, second_momentum, state.step + 1
    first, second = state.moments
    first = map_arrays(lambda m, g: beta1 * m + (1.0 - beta1) * g, first, gradients)  # (23)
    second = map_arrays(lambda s, g: beta2 * s + (1.0 - beta2) * g * g, second, gradients)  # (24)
    first_correction, second_correction = 1.0 - beta1**step, 1.0 - beta2**step

    def update(theta: Array, m: Array, s: Array) -> Array:
        scale = np.sqrt(s / second_correction) + epsilon
        return theta + (-learning_rate / first_correction) * m / scale  # (25)

    parameters = map_arrays(update, _decay(parameters, learning_rate * weight_decay), first, second)
    return parameters, OptimizerState(step, (first, second))


class Optimizer(NamedTuple):
    """An update rule and how many running averages it keeps.

    Attributes
    ----------
    update
        (parameters, gradients, state, learning rate; momentum, weight decay) to the next
        (parameters, state).
    n_moments
        Length of `OptimizerState.moments`.
    """

    update: Callable[..., tuple[Parameters, OptimizerState]]
    n_moments: int

    def start(self, parameters: Parameters) -> OptimizerState:
        """State before the first step."""
        zeros = map_arrays(np.zeros_like, parameters)
        return OptimizerState(0, (zeros,) * self.n_moments)


OPTIMIZERS = {
    "sgd": Optimizer(sgd, 1),
    "nesterov": Optimizer(partial(sgd, nesterov=True), 1),
    "adamw": Optimizer(adamw, 2),
}


SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda _: 1.0,
    "step": lambda progress: 0.1 ** int(3.0 * progress),
    "cosine": lambda progress: 0.5 * (1.0 + math.cos(math.pi * progress)),
}
"""Progress through the run (0 to 1) to a factor on the learning rate: constant; a tenth after each
third; half a cosine down to zero (Loshchilov and Hutter, *SGDR*, 2017, equation 5)."""
