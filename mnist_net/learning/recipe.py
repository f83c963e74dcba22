"""A recipe for training, and the one home of every default.

A hyperparameter is one field of `Hyperparameters`: its default, what it may be, and what it means.
The checks, the documentation and the command line's options are made from these.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from difflib import get_close_matches
from textwrap import fill
from typing import Any, NamedTuple

import numpy as np

from mnist_net.learning.activations import ACTIVATIONS
from mnist_net.learning.distortion import DISTORTIONS, Distortion, distortion_from, is_number
from mnist_net.learning.losses import LOSSES
from mnist_net.learning.normalization import NORMALIZATIONS
from mnist_net.learning.optimizers import OPTIMIZERS, SCHEDULES
from mnist_net.learning.scaling import SCALINGS

TAUGHT: dict[str, Any] = {"teacher_weight": 1.0, "teacher_temperature": 4.0}
"""Where a teacher is named without them; `scripts.accuracy ideas` chose them."""

WIDTHS = {"hidden_layer_sizes": 1_000_000, "feature_maps": 1_000}
"""The hyperparameters that are a number for each of several layers, and the largest of each."""


class Setting(NamedTuple):
    """What a hyperparameter is: the metadata of its field, under ``setting``.

    Attributes
    ----------
    meaning
        Sentences, of which the first says it in short.
    choices
        Names that it may have; None if it is no name.
    least
        The smallest whole number that it may be; None if it is no whole number.
    below
        What it must be below, if it is a number from 0 on; None if it is none.
    within
        The ends of its range, which are in it, if it is a number that has one; None if not.
    """

    meaning: str
    choices: Collection[str] | None = None
    least: int | None = None
    below: float | None = None
    within: tuple[float, float] | None = None

    def problem(self, value: Any) -> str | None:
        """What a value should have been, if it is not that."""
        if self.choices is not None and value not in list(self.choices):
            return f"one of {', '.join(self.choices)}"
        if self.least is not None and not _is_whole(value, self.least):
            return f"a whole number from {self.least} up"
        if (self.below is not None or self.within is not None) and not is_number(value):
            return "a number"
        if self.below is not None and not 0.0 <= value < self.below:
            return (
                "finite and not negative" if self.below == math.inf else f"in [0, {self.below:g})"
            )
        if self.within is not None and not self.within[0] <= value <= self.within[1]:
            return "from {:g} to {:g}".format(*self.within)
        return None


def _setting(default: Any, meaning: str, **limits: Any) -> Any:
    return field(default=default, metadata={"setting": Setting(meaning, **limits)})


def _is_whole(value: Any, least: int) -> bool:
    whole = type(value) is not bool and isinstance(value, int | np.integer)
    return whole and bool(value >= least)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hyperparameters:
    """A recipe for training a classifier.

    The defaults are the preset ``plain``, chosen on the last 10,000 of MNIST's 60,000 training
    pictures: of the best two, which differ by less than their seeds do, the one of the lower rate.
    """

    hidden_layer_sizes: tuple[int, ...] = _setting(
        (300,), "Widths of the hidden layers, first to last; may be empty."
    )
    feature_maps: tuple[int, ...] = _setting(
        (),
        "Feature maps of layers of shared weights, before the hidden ones; none by default. Each "
        "map looks at squares of 5 × 5, two pixels apart; the inputs must be square pictures.",
    )
    activation: str = _setting("sigmoid", "Of the hidden layers.", choices=ACTIVATIONS)
    loss: str = _setting(
        "softmax-cross-entropy",
        "What is minimized. It settles the output layer's activation.",
        choices=LOSSES,
    )
    initialization: str = _setting(
        "scaled",
        "How the weights are drawn. See `network.initialize`.",
        choices=("scaled", "standard-normal"),
    )
    scaling: str = _setting(
        "unit",
        "Of the pixels. ``unit`` divides by 255; ``centred`` takes off the training pixels' mean "
        "before; ``standard`` takes it off and divides by their deviation (one scalar each).",
        choices=SCALINGS,
    )
    normalization: str = _setting(
        "none",
        "Of each picture before it is scaled. ``moments`` brings it towards a usual slant, height "
        "and breadth; what the model is asked later it does so too.",
        choices=NORMALIZATIONS,
    )
    optimizer: str = _setting("sgd", "Update rule.", choices=OPTIMIZERS)
    learning_rate: float = _setting(0.3, "Step size.", below=math.inf)
    momentum: float = _setting(0.9, "Of the update rule.", below=1.0)
    weight_decay: float = _setting(0.0, "Decoupled decay of the weights.", below=math.inf)
    l2_penalty: float = _setting(1e-5, "Adds so many times Σ‖W‖² to the loss.", below=math.inf)
    schedule: str = _setting("cosine", "Course of the learning rate.", choices=SCHEDULES)
    warmup_epochs: float = _setting(
        2.0,
        "Epochs over which the rate first rises. Linearly from zero; a fraction will do.",
        below=math.inf,
    )
    batch_size: int = _setting(
        50, "Pictures per step. The last batch of an epoch may be smaller.", least=1
    )
    epochs: int = _setting(30, "Passes over the training pictures.", least=1)
    distortion: Distortion = _setting(  # noqa: RUF009  (it makes a field)
        DISTORTIONS["none"],
        "Of the pictures, anew in each epoch. The inputs must be square pictures.",
    )
    distortion_fade: float = _setting(
        0.0,
        "Part of the epochs, the last ones, over which the distortion falls to nothing. It falls "
        "in a straight line, and the last epoch has none. What fresh_epochs repeats is as it was.",
        within=(0.0, 1.0),
    )
    drawn_digits: int = _setting(
        0,
        "Add so many drawn in forms that MNIST lacks; to others' pictures only if asked. They join "
        "as far as the classes have them, see `datasets.drawn`.",
        least=0,
    )
    shuffle: bool = _setting(True, "Draw a new order for each epoch. If False, keep the data's.")
    teacher_weight: float = _setting(
        0.0,
        "Of a teacher's probabilities in the targets. The rest is the label's; see "
        "`losses.soft_targets`.",
        within=(0.0, 1.0),
    )
    teacher_temperature: float = _setting(
        1.0,
        "By which the teacher's logits are divided. Above 1, second choices count for more.",
        within=(0.01, 100.0),
    )
    fresh_epochs: int | None = _setting(
        None,
        "Distort anew in so many epochs. Later ones repeat their minibatches, for which a teacher "
        "is not asked again.",
        least=1,
    )
    validation: int = _setting(
        0, "Hold out so many training pictures. They are the last ones.", least=0
    )
    patience: int | None = _setting(
        None,
        "Stop after so many epochs without progress. What counts is validation accuracy, and the "
        "best epoch is kept.",
        least=1,
    )
    random_state: int = _setting(0, "Seed of weights, order and distortions.", least=0)

    def __post_init__(self) -> None:
        """Refuse what no run could make sense of, by a ValueError that says what it may be."""
        for one in fields(self):
            value, setting = getattr(self, one.name), one.metadata["setting"]
            if value is None and one.default is None:
                continue
            if (problem := setting.problem(value)) is not None:
                raise ValueError(f"{one.name} is {value!r}; it must be {problem}")
        for name, widest in WIDTHS.items():
            for size in getattr(self, name):
                if not _is_whole(size, 1) or size > widest:
                    raise ValueError(
                        f"{name} has {size!r}; each must be a whole number from 1 to {widest:,}"
                    )
        if not isinstance(self.distortion, Distortion):
            raise ValueError(f"distortion is {self.distortion!r}; it must be a Distortion")
        if self.patience is not None and not self.validation:
            raise ValueError("patience needs a validation split: set validation too")

    def distortion_in(self, epoch: int) -> Distortion:
        """What an epoch, counted from 1, distorts by."""
        fading = self.distortion_fade * self.epochs
        left = self.epochs - epoch
        return self.distortion if left >= fading else self.distortion.weakened(left / fading)

    def as_dict(self) -> dict[str, Any]:
        """Plain values by name, for a model file."""
        return {**asdict(self), **{name: list(getattr(self, name)) for name in WIDTHS}}

    def with_plain(self, values: Mapping[str, Any]) -> "Hyperparameters":
        """The same with other values, as `as_dict` and files of recipes have them.

        A distortion may be a name of `DISTORTIONS`, too.

        Raises
        ------
        ValueError
            If a name or a value is none; the message says what it may be.
        """
        return replace(self, **{name: _from_plain(name, value) for name, value in values.items()})


def setting_of(name: str) -> Setting:
    """What a hyperparameter is; a ValueError that names those that there are if it is none."""
    settings = {one.name: one.metadata["setting"] for one in fields(Hyperparameters)}
    if name not in settings:
        near = get_close_matches(name, settings, 1)
        known = f"did you mean {near[0]}?" if near else f"there are {', '.join(settings)}"
        raise ValueError(f"{name} is no hyperparameter: {known}")
    return settings[name]


def _from_plain(name: str, plain: Any) -> Any:
    """The value that plain data stand for; what it may be is looked at when a recipe has it."""
    setting_of(name)
    if name in WIDTHS:
        if not isinstance(plain, list):
            raise ValueError(f"{name} is {plain!r}; it must be a list of whole numbers: [300]")
        return tuple(plain)
    if name == "distortion":
        return distortion_from(plain)
    if name == "shuffle" and not isinstance(plain, bool):
        raise ValueError(f"{name} is {plain!r}; it must be true or false")
    return plain


def _documented() -> str:
    paragraphs = [(Hyperparameters.__doc__ or "").rstrip(), "\n    Attributes\n    ----------"]
    for one in fields(Hyperparameters):
        setting: Setting = one.metadata["setting"]
        names = f" One of {', '.join(setting.choices)}." if setting.choices else ""
        indent = " " * 8
        text = fill(setting.meaning + names, 100, initial_indent=indent, subsequent_indent=indent)
        paragraphs.append(f"    {one.name}\n{text}")
    return "\n".join(paragraphs) + "\n    "


Hyperparameters.__doc__ = _documented()
