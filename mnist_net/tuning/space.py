"""Spaces of recipes: what a search may try, from a TOML file that is checked before any work.

What a hyperparameter may be is told by `Hyperparameters` alone: a space is right if the recipes at
its ends and with each of its choices are.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from mnist_net.learning.recipe import Hyperparameters, Setting, setting_of
from mnist_net.runs.recipe_file import read_toml, recipe_from, sentences

DEFAULT_SPACE = Path(__file__).with_name("space.toml")
"""The space that is searched where none is named."""

NOT_SEARCHED = {
    "epochs": "is how long a trial may be",
    "validation": "is what trials are judged by",
    "random_state": "is a seed, and the luckiest one is no better",
    "teacher_weight": "needs a teacher, which a search has not",
    "teacher_temperature": "needs a teacher, which a search has not",
}
"""Why some hyperparameters can be stated of a space, and not tried."""


class Proposing(Protocol):
    """What proposes values: a trial of Optuna."""

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        """One of these."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool) -> float:
        """A number between these."""

    def suggest_int(self, name: str, low: int, high: int, *, step: int, log: bool) -> int:
        """A whole number between these."""


class Choice(NamedTuple):
    """Values to choose from, plain, in no order."""

    values: tuple[Any, ...]

    def ends(self) -> tuple[Any, ...]:
        """What must be right for all to be right."""
        return self.values

    def suggest(self, trial: Proposing, name: str) -> Any:
        """One of them, as the study keeps it: as text if it is a list or a table."""
        return trial.suggest_categorical(name, [_as_text(value) for value in self.values])

    def value_of(self, kept: Any) -> Any:
        """The value that a study keeps so."""
        return next(value for value in self.values if _as_text(value) == kept)


class Range(NamedTuple):
    """Numbers between two, which are in it; whole if the hyperparameter is."""

    low: float
    high: float
    log: bool = False
    step: int | None = None

    def ends(self) -> tuple[float, float]:
        """What must be right for all to be right."""
        return self.low, self.high

    def suggest(self, trial: Proposing, name: str) -> float:
        """A number of it."""
        if isinstance(self.low, int) and isinstance(self.high, int):
            step = self.step or 1
            reached = self.high - (self.high - self.low) % step
            return trial.suggest_int(name, self.low, reached, step=step, log=self.log)
        return trial.suggest_float(name, self.low, self.high, log=self.log)

    def value_of(self, kept: float) -> float:
        """The value that a study keeps so: itself."""
        return kept


@dataclass(frozen=True, slots=True)
class Space:
    """Recipes that may be tried.

    Attributes
    ----------
    preset
        What they begin with.
    recipe
        The preset with what the space states of all of them.
    dimensions
        What differs, by the name of the hyperparameter.
    states_drawn_digits
        Whether the space itself says how many drawn digits are added.
    """

    preset: str
    recipe: Hyperparameters
    dimensions: Mapping[str, Choice | Range]
    states_drawn_digits: bool = False

    def suggest(self, trial: Proposing) -> Hyperparameters:
        """The recipe of a trial."""
        return self.recipe_of(
            {name: one.suggest(trial, name) for name, one in self.dimensions.items()}
        )

    def recipe_of(self, parameters: Mapping[str, Any]) -> Hyperparameters:
        """The recipe with values as a study keeps them."""
        return self.recipe.with_plain(
            {name: self.dimensions[name].value_of(kept) for name, kept in parameters.items()}
        )

    def identity(self) -> dict[str, Any]:
        """The same space has the same, as plain values."""
        dimensions = {
            name: list(one.values) if isinstance(one, Choice) else one._asdict()
            for name, one in self.dimensions.items()
        }
        return {"recipe": self.recipe.as_dict(), "space": dimensions}


def read_space(path: Path) -> Space:
    """Read a space and check all of it.

    Raises
    ------
    RecipeError
        If it is none: one sentence that names the file, the key, and what it may be.
    OSError
        If it cannot be read.
    """
    contents = read_toml(path)
    with sentences(path):
        if unknown := contents.keys() - {"recipe", "space"}:
            raise ValueError(
                f"[{min(unknown)}] is no part of a space: there are [recipe], where trials begin, "
                "and [space], what is tried"
            )
        recipe, space = contents.get("recipe", {}), contents.get("space", {})
        if not isinstance(recipe, dict) or not isinstance(space, dict) or not space:
            raise ValueError("[space] must name what is tried, as in learning_rate = [0.1, 0.3]")
    with sentences(f"{path}: [recipe]"):
        begin = recipe_from(recipe)
        if begin.recipe.teacher_weight:
            raise ValueError(f"teacher_weight {NOT_SEARCHED['teacher_weight']}: leave it out")
    with sentences(f"{path}: [space]"):
        dimensions = {name: _dimension(name, tried, begin.recipe) for name, tried in space.items()}
    stated = "drawn_digits" in {*begin.changed, *dimensions}
    return Space(begin.preset, begin.recipe, dimensions, stated)


def _dimension(name: str, tried: Any, recipe: Hyperparameters) -> Choice | Range:
    """One line of a space; a ValueError says what is wrong with it."""
    setting = setting_of(name)
    if reason := NOT_SEARCHED.get(name):
        raise ValueError(f"{name} {reason}: state it under [recipe], and do not search for it")
    dimension = _range(name, tried, setting) if isinstance(tried, dict) else _choice(name, tried)
    for value in dimension.ends():
        recipe.with_plain({name: value})
    if isinstance(dimension, Range) and not dimension.low < dimension.high:
        raise ValueError(f"{name} goes from {dimension.low} to {dimension.high}: low must be lower")
    return dimension


def _choice(name: str, tried: Any) -> Choice:
    if not isinstance(tried, list):
        raise ValueError(
            f"{name} is {tried!r}; it must be a list of choices, or a range such as "
            "{ low = 1, high = 10 }; what is the same in all trials stands under [recipe]"
        )
    if not tried or len({_as_text(value) for value in tried}) < len(tried):
        raise ValueError(f"{name} is {tried!r}; it must list different values, one at least")
    return Choice(tuple(tried))


def _range(name: str, tried: Mapping[str, Any], setting: Setting) -> Range:
    known = set(Range._fields)
    if not {"low", "high"} <= tried.keys() <= known:
        raise ValueError(
            f"{name} has {', '.join(tried) or 'nothing'}; a range has low and high, and may have "
            "log = true or a step"
        )
    whole, found = setting.least is not None, Range(**tried)
    for end in ("low", "high"):
        value = getattr(found, end)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{name}.{end} is {value!r}; it must be a number")
    if not isinstance(found.log, bool):
        raise ValueError(f"{name}.log is {found.log!r}; it must be true or false")
    if found.log and found.low <= 0:
        raise ValueError(f"{name}.low is {found.low!r}; with log = true it must be above 0")
    if found.step is None:
        return found if whole else found._replace(low=float(found.low), high=float(found.high))
    if not whole or found.log or type(found.step) is not int or found.step < 1:
        raise ValueError(
            f"{name}.step is {found.step!r}; it is a whole number from 1 up, and only of whole "
            "numbers without log"
        )
    return found


def _as_text(value: Any) -> Any:
    """What a study can keep, for lists and tables as JSON."""
    return json.dumps(value, default=str) if isinstance(value, list | dict) else value
