"""Recipes as files of TOML, to keep, to compare, and to train by.

A file says what differs from a preset, by the names of `Hyperparameters`::

    preset = "default"
    hidden_layer_sizes = [1000, 500]
    learning_rate = 2e-3
"""

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from mnist_net.errors import RecipeError
from mnist_net.files import atomic_write
from mnist_net.learning.distortion import name_of
from mnist_net.learning.presets import PRESETS
from mnist_net.learning.recipe import Hyperparameters


class RecipeFile(NamedTuple):
    """What a file says of a recipe.

    Attributes
    ----------
    preset
        What it begins with.
    recipe
        The preset with its changes.
    changed
        Names of the hyperparameters that it states.
    """

    preset: str
    recipe: Hyperparameters
    changed: tuple[str, ...]


def read_recipe(path: Path) -> RecipeFile:
    """Read a recipe.

    Raises
    ------
    RecipeError
        If it is none: one sentence that names the file and what is wrong in it.
    OSError
        If it cannot be read.
    """
    contents = read_toml(path)
    with sentences(path):
        return recipe_from(contents)


def recipe_from(contents: Mapping[str, Any]) -> RecipeFile:
    """The recipe that the contents of a file stand for; a ValueError if there is none."""
    changes = dict(contents)
    preset = changes.pop("preset", "default")
    if not isinstance(preset, str) or preset not in PRESETS:
        raise ValueError(f"preset is {preset!r}; it must be one of {', '.join(PRESETS)}")
    return RecipeFile(preset, PRESETS[preset].with_plain(changes), tuple(changes))


def write_recipe(
    path: Path,
    recipe: Hyperparameters,
    preset: str,
    *,
    without: Iterable[str] = (),
    comments: Iterable[str] = (),
) -> None:
    """Write a recipe whole, so that it stays what it is whatever becomes of presets; atomically.

    What is None, or named in `without`, stays what the preset says.
    """
    values = {"preset": preset, **recipe.as_dict()}
    for name in ("distortion", *without):
        del values[name]
    lines = [f"# {comment}".rstrip() for comment in comments]
    lines += [f"{name} = {_toml(value)}" for name, value in values.items() if value is not None]
    named = name_of(recipe.distortion)
    if named is None:
        amounts = recipe.as_dict()["distortion"]
        lines += ["", "[distortion]", *(f"{name} = {_toml(x)}" for name, x in amounts.items())]
    else:
        lines.append(f"distortion = {_toml(named)}")
    with atomic_write(path) as stream:
        stream.write(("\n".join(lines) + "\n").encode())


def read_toml(path: Path) -> dict[str, Any]:
    """The contents of a TOML file.

    Raises
    ------
    RecipeError
        If it is none.
    OSError
        If it cannot be read.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:  # of the syntax, or of the encoding
        raise RecipeError(f"{path} is no TOML file: {error}") from error


@contextmanager
def sentences(place: object) -> Iterator[None]:
    """Let a ValueError say where it is: in which file, or in which part of it."""
    try:
        yield
    except ValueError as error:
        raise RecipeError(f"{place}: {error}") from error


def _toml(value: Any) -> str:
    """Names, numbers, truths and lists of numbers, which TOML writes as JSON does."""
    return json.dumps(value)
