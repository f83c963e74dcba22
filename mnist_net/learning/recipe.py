"""Recipes for training, and the one home of every default."""

import math
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from mnist_net.learning.activations import ACTIVATIONS
from mnist_net.learning.distortion import DISTORTIONS, Distortion
from mnist_net.learning.losses import LOSSES
from mnist_net.learning.optimizers import OPTIMIZERS, SCHEDULES
from mnist_net.learning.scaling import SCALINGS

__all__ = ["PRESETS", "Hyperparameters"]

_CHOICES: dict[str, Collection[str]] = {
    "activation": ACTIVATIONS,
    "loss": LOSSES,
    "initialization": ("scaled", "standard-normal"),
    "scaling": SCALINGS,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
}


_LEAST = {
    "batch_size": 1,
    "epochs": 1,
    "patience": 1,
    "validation": 0,
    "drawn_digits": 0,
    "random_state": 0,
}
_WIDEST = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Hyperparameters:
    """A recipe for training a classifier.

    The defaults are the preset ``plain``, chosen on the last 10,000 of MNIST's 60,000 training
    pictures by `scripts/choose_hyperparameters.py`: of the best two, which differ by less than
    their seeds do, the one of the lower rate.

    Attributes
    ----------
    hidden_layer_sizes
        Widths of the hidden layers, first to last; may be empty.
    activation
        Of the hidden layers, a name in `ACTIVATIONS`.
    loss
        A name in `LOSSES`; it settles the output layer's activation.
    initialization
        ``scaled`` or ``standard-normal``, see `network.initialize`.
    scaling
        Of the pixels: ``unit`` divides by 255; ``centred`` takes off the training pixels' mean
        before; ``standard`` takes it off and divides by their deviation (one scalar each).
    optimizer, learning_rate, momentum, weight_decay
        A name in `OPTIMIZERS`, and its numbers.
    l2_penalty
        Adds ``l2_penalty * Σ ‖W‖²`` to the loss.
    schedule
        A name in `SCHEDULES`: the learning rate's course over the epochs.
    warmup_epochs
        The rate first rises linearly from zero for so many epochs (a fraction will do).
    batch_size, epochs
        Examples per update, passes over them.  The last batch of an epoch may be smaller.
    distortion
        How each minibatch is distorted, anew in every epoch; the inputs must be square pictures.
    drawn_digits
        So many digits in forms that MNIST hardly has (see `handwriting`) join the training
        pictures, as far as their classes have them.
    shuffle
        Draw a new order for each epoch; if False, keep the data's.
    validation
        How many examples, the last ones, are held out.
    patience
        Stop when so many epochs brought no better validation accuracy, and keep the best epoch.
    random_state
        Non-negative seed of the weights, of the order, and of the distortions.
    """

    hidden_layer_sizes: tuple[int, ...] = (300,)
    activation: str = "sigmoid"
    loss: str = "softmax-cross-entropy"
    initialization: str = "scaled"
    scaling: str = "unit"
    optimizer: str = "sgd"
    learning_rate: float = 0.3
    momentum: float = 0.9
    weight_decay: float = 0.0
    l2_penalty: float = 1e-5
    schedule: str = "cosine"
    warmup_epochs: float = 2.0
    batch_size: int = 50
    epochs: int = 30
    distortion: Distortion = DISTORTIONS["none"]
    drawn_digits: int = 0
    shuffle: bool = True
    validation: int = 0
    patience: int | None = None
    random_state: int = 0

    def __post_init__(self) -> None:
        """Refuse what no run could make sense of.

        Raises
        ------
        ValueError
            Naming the hyperparameter, its value and what it may be.
        """
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            if value not in choices:
                raise ValueError(f"{name} is {value!r}; it must be one of {', '.join(choices)}")
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if not _is_whole(value, least) and (name, value) != ("patience", None):
                raise ValueError(f"{name} is {value!r}; it must be a whole number from {least} up")
        for size in self.hidden_layer_sizes:
            if not _is_whole(size, 1) or size > _WIDEST:
                raise ValueError(
                    f"hidden_layer_sizes has {size!r}; each must be a whole number from 1 to "
                    f"{_WIDEST:,}"
                )
        for name in ("learning_rate", "weight_decay", "l2_penalty", "warmup_epochs"):
            value = getattr(self, name)
            if not 0.0 <= value < math.inf:
                raise ValueError(f"{name} is {value}; it must be finite and not negative")
        if not 0.0 <= self.momentum < 1.0:
            raise ValueError(f"momentum is {self.momentum}; it must be in [0, 1)")
        if not isinstance(self.distortion, Distortion):
            raise ValueError(f"distortion is {self.distortion!r}; it must be a Distortion")
        if self.patience is not None and not self.validation:
            raise ValueError("patience needs a validation split: set validation too")

    def as_dict(self) -> dict[str, Any]:
        """Plain values by name, for a model file."""
        return {**asdict(self), "hidden_layer_sizes": list(self.hidden_layer_sizes)}


def _is_whole(value: Any, least: int) -> bool:
    whole = type(value) is not bool and isinstance(value, int | np.integer)
    return whole and bool(value >= least)


_DEFAULT = Hyperparameters(
    hidden_layer_sizes=(800,),
    scaling="centred",
    optimizer="adamw",
    learning_rate=4e-3,
    momentum=0.9,
    weight_decay=0.03,
    l2_penalty=0.0,
    schedule="cosine",
    warmup_epochs=2.0,
    batch_size=256,
    epochs=20,
    distortion=DISTORTIONS["both"],
    drawn_digits=15_000,
)

PRESETS = {
    "default": _DEFAULT,
    "accurate": replace(_DEFAULT, hidden_layer_sizes=(2500,), epochs=120),
    "plain": Hyperparameters(),
    "cs229": Hyperparameters(
        initialization="standard-normal",
        scaling="standard",
        learning_rate=5.0,
        momentum=0.0,
        l2_penalty=1e-4,
        schedule="constant",
        warmup_epochs=0.0,
        batch_size=1000,
        epochs=30,
        shuffle=False,
        validation=10_000,
    ),
}
"""``default`` distorts its pictures and adds drawn ones; ``accurate`` does so for longer and with
more units; ``plain`` does neither; ``cs229`` is the exercise in Stanford's CS229 (problem set on
neural networks for MNIST)."""
