"""The options of a recipe: what a preset says, and what overrides it."""

import math
from dataclasses import Field, fields, replace
from itertools import chain
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from mnist_net.cli import options
from mnist_net.learning.distortion import DISTORTIONS, name_of
from mnist_net.learning.presets import PRESETS
from mnist_net.learning.recipe import WIDTHS, Hyperparameters, Setting

_ALIASES = {
    "hidden_layer_sizes": ("--hidden", "hidden_layer_sizes"),
    "random_state": ("--seed", "random_state"),
    "shuffle": ("--shuffle/--no-shuffle",),
}
_HELP = {
    "hidden_layer_sizes": "Widths of the hidden layers, as in 300,100; or repeat it.",
    "feature_maps": "Feature maps of layers of shared weights, before the others, as in 16,48.",
}


class _Widths(click.ParamType[tuple[int, ...]]):
    """Widths of one layer or of several, as in 300,100; none if there are to be none."""

    name = "widths"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, ...]:
        if value == "none":
            return ()
        layer: click.ParamType[Any] = options.whole(min=1)
        parts = str(value).split(",")
        return tuple(int(layer.convert(part.strip(), param, ctx)) for part in parts)


def _together(_ctx: Any, _parameter: Any, given: tuple[tuple[int, ...], ...]) -> Any:
    return tuple(chain.from_iterable(given)) if given else None


_SEVERAL: dict[str, Any] = {"multiple": True, "callback": _together}


def _type_of(one: "Field[Any]") -> Any:
    setting: Setting = one.metadata["setting"]
    if one.name == "distortion":
        return click.Choice(list(DISTORTIONS))
    if one.name in WIDTHS:
        return _Widths()
    if setting.choices is not None:
        return click.Choice(list(setting.choices))
    if setting.least is not None:
        return options.whole(min=setting.least)
    if setting.below is not None:
        bounded = setting.below < math.inf
        return click.FloatRange(0.0, setting.below if bounded else None, max_open=bounded)
    return click.FloatRange(*setting.within) if setting.within else None


def _help_of(one: "Field[Any]") -> str:
    """What it means, in short, and its value in the preset that is the default."""
    value = getattr(PRESETS["default"], one.name)
    if one.name == "distortion":
        value = name_of(value)
    shown = (", ".join(map(str, value)) or "none") if isinstance(value, tuple) else value
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
    options.path_option(
        "--recipe",
        metavar="FILE",
        help="Take the recipe from a TOML file, as `mnist-net tune` writes it; the options below "
        "override it.",
    ),
    *(
        click.option(
            *_ALIASES.get(one.name, (f"--{one.name.replace('_', '-')}",)),
            type=_type_of(one),
            default=None,  # not given: not False, for a flag
            **(_SEVERAL if one.name in WIDTHS else {}),
            help=_help_of(one),
        )
        for one in fields(Hyperparameters)
    ),
)


def with_file(preset: str, file: Path | None, asked: dict[str, Any]) -> str:
    """The preset to begin with; what a file of a recipe states becomes as if it were asked for.

    Raises
    ------
    RecipeError
        If the file is no recipe.
    """
    if file is None:
        return preset
    if click.get_current_context().get_parameter_source("preset") is ParameterSource.COMMANDLINE:
        raise click.UsageError("a --recipe says which preset it begins with: leave out --preset")
    from mnist_net.runs.recipe_file import read_recipe

    read = read_recipe(file)
    for name in read.changed:
        if asked[name] is None:
            asked[name] = getattr(read.recipe, name)
    return read.preset


def recipe_from(preset: str, asked: dict[str, Any]) -> Hyperparameters:
    """Recipe of a preset and of what was asked for."""
    given = {name: value for name, value in asked.items() if value is not None}
    if isinstance(given.get("distortion"), str):
        given["distortion"] = DISTORTIONS[given["distortion"]]
    try:
        return replace(PRESETS[preset], **given)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
