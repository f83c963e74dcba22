"""The options of a recipe: what a preset says, and what overrides it."""

from dataclasses import Field, fields, replace
from math import inf
from typing import Any

import click

from mnist_net.cli import options
from mnist_net.learning.distortion import DISTORTIONS
from mnist_net.learning.recipe import PRESETS, Hyperparameters, Setting

_ALIASES = {
    "hidden_layer_sizes": ("--hidden", "hidden_layer_sizes"),
    "random_state": ("--seed", "random_state"),
    "shuffle": ("--shuffle/--no-shuffle",),
}
_TYPES = {
    "hidden_layer_sizes": click.IntRange(min=1),
    "distortion": click.Choice(list(DISTORTIONS)),
}
_HELP = {"hidden_layer_sizes": "Width of a hidden layer; repeat for more."}


def _option(one: "Field[Any]") -> options.Decorator:
    return click.option(
        *_ALIASES.get(one.name, (f"--{one.name.replace('_', '-')}",)),
        type=_type_of(one),
        default=None,
        multiple=one.name == "hidden_layer_sizes",
        help=_help_of(one),
    )


def _type_of(one: "Field[Any]") -> Any:
    setting: Setting = one.metadata["setting"]
    if one.name in _TYPES:
        return _TYPES[one.name]
    if setting.choices is not None:
        return click.Choice(list(setting.choices))
    if setting.least is not None:
        return click.IntRange(min=setting.least)
    if setting.below is not None:
        return click.FloatRange(0.0, setting.below if setting.below < inf else None, max_open=True)
    return None


def _help_of(one: "Field[Any]") -> str:
    """What it means, in short, and its value in the preset that is the default."""
    value = getattr(PRESETS["default"], one.name)
    if one.name == "distortion":
        value = next(known for known, distortion in DISTORTIONS.items() if distortion == value)
    shown = ", ".join(map(str, value)) if isinstance(value, tuple) else value
    meaning = (
        _HELP.get(one.name) or one.metadata["setting"].meaning.split(". ")[0].rstrip(".") + "."
    )
    return meaning + ("" if value is None else f"  [default: {shown}]")


recipe_options = options.together(
    click.option(
        "--preset",
        type=click.Choice(list(PRESETS)),
        default="default",
        help="Recipe to begin with; the options below override it.",
    ),
    *map(_option, fields(Hyperparameters)),
)


def recipe_from(preset: str, **options: Any) -> Hyperparameters:
    """Recipe of a preset and of the options that were given."""
    given = {name: value for name, value in options.items() if value not in (None, ())}
    if "distortion" in given:
        given["distortion"] = DISTORTIONS[given["distortion"]]
    try:
        return replace(PRESETS[preset], **given)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
