"""The options of a recipe: what a preset says, and what overrides it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import click

from mnist_net.learning.activations import ACTIVATIONS
from mnist_net.learning.distortion import DISTORTIONS
from mnist_net.learning.losses import LOSSES
from mnist_net.learning.optimizers import OPTIMIZERS, SCHEDULES
from mnist_net.learning.recipe import PRESETS, Hyperparameters

__all__ = ["recipe_from", "recipe_options"]

_AT_LEAST_1 = click.IntRange(min=1)
_NOT_NEGATIVE = click.FloatRange(min=0.0)

_DRAWN_DIGITS = "Add so many drawn in forms that MNIST lacks; to others' pictures only if asked."

_OPTIONS = (
    (("--hidden", "hidden_layer_sizes"), _AT_LEAST_1, "Width of a hidden layer; repeat for more."),
    (("--activation",), click.Choice(list(ACTIVATIONS)), "Of the hidden layers."),
    (("--loss",), click.Choice(list(LOSSES)), "What is minimized."),
    (("--optimizer",), click.Choice(list(OPTIMIZERS)), "Update rule."),
    (("--learning-rate",), _NOT_NEGATIVE, "Step size."),
    (("--momentum",), click.FloatRange(0.0, 1.0, max_open=True), "Of the update rule."),
    (("--weight-decay",), _NOT_NEGATIVE, "Decoupled decay of the weights."),
    (("--l2-penalty",), _NOT_NEGATIVE, "Adds so many times Σ‖W‖² to the loss."),
    (("--schedule",), click.Choice(list(SCHEDULES)), "Course of the learning rate."),
    (("--warmup-epochs",), _NOT_NEGATIVE, "Epochs over which the rate first rises."),
    (("--batch-size",), _AT_LEAST_1, "Pictures per step."),
    (("--epochs",), _AT_LEAST_1, "Passes over the training pictures."),
    (("--distortion",), click.Choice(list(DISTORTIONS)), "Of the pictures, anew in each epoch."),
    (("--drawn-digits",), click.IntRange(min=0), _DRAWN_DIGITS),
    (("--shuffle/--no-shuffle",), None, "Draw a new order for each epoch."),
    (("--validation",), click.IntRange(min=0), "Hold out so many training pictures."),
    (("--patience",), _AT_LEAST_1, "Stop after so many epochs without progress."),
    (("--seed", "random_state"), click.IntRange(min=0), "Of weights, order and distortions."),
)


def recipe_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--preset``, and an option for each hyperparameter."""
    for names, kind, text in reversed(_OPTIONS):
        multiple = names[0] == "--hidden"
        command = click.option(
            *names, type=kind, default=None, multiple=multiple, help=text + _default_of(names)
        )(command)
    return click.option(
        "--preset",
        type=click.Choice(list(PRESETS)),
        default="default",
        show_default=True,
        help="Recipe to begin with; the options below override it.",
    )(command)


def _default_of(names: tuple[str, ...]) -> str:
    name = names[-1].split("/")[0].removeprefix("--").replace("-", "_")
    value = getattr(PRESETS["default"], name)
    if name == "distortion":
        value = next(known for known, distortion in DISTORTIONS.items() if distortion == value)
    shown = ", ".join(map(str, value)) if isinstance(value, tuple) else value
    return "" if value is None else f"  [default: {shown}]"


def recipe_from(preset: str, options: dict[str, Any]) -> Hyperparameters:
    """Recipe of a preset and of the options that were given."""
    given = {name: value for name, value in options.items() if value not in (None, ())}
    if "distortion" in given:
        given["distortion"] = DISTORTIONS[given["distortion"]]
    try:
        return replace(PRESETS[preset], **given)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
