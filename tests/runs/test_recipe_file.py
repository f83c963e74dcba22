"""Recipes as files: what is written is read again, and what is none is refused in one sentence."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_net.errors import RecipeError
from mnist_net.learning.distortion import DISTORTIONS, Distortion
from mnist_net.learning.optimizers import OPTIMIZERS
from mnist_net.learning.presets import PRESETS
from mnist_net.learning.recipe import Hyperparameters
from mnist_net.runs.recipe_file import read_recipe, write_recipe

PATH = Path("recipe.toml")


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_read_as_it_was_written(preset: str) -> None:
    write_recipe(PATH, PRESETS[preset], preset, comments=["how it was found", "and when"])
    read = read_recipe(PATH)
    assert read.preset == preset
    assert read.recipe == PRESETS[preset]
    lines = PATH.read_text(encoding="utf-8").splitlines()
    assert lines[:3] == ["# how it was found", "# and when", f'preset = "{preset}"']
    none = {name for name, value in PRESETS[preset].as_dict().items() if value is None}
    assert {*read.changed} == PRESETS[preset].as_dict().keys() - none


AMOUNTS = st.floats(0.0, 0.9)
RECIPES = st.builds(
    Hyperparameters,
    hidden_layer_sizes=st.lists(st.integers(1, 10_000), max_size=4).map(tuple),
    optimizer=st.sampled_from([*OPTIMIZERS]),
    learning_rate=st.floats(0.0, 1e300),
    momentum=st.floats(0.0, 1.0, exclude_max=True),
    batch_size=st.integers(1, 10**9),
    shuffle=st.booleans(),
    validation=st.integers(1, 10_000),
    patience=st.none() | st.integers(1, 100),
    random_state=st.integers(0, 2**63 - 1),
    distortion=st.sampled_from([*DISTORTIONS.values()])
    | st.builds(Distortion, rotation=AMOUNTS, scale=AMOUNTS, elastic=AMOUNTS),
)


@given(RECIPES)
def test_any_recipe_is_read_to_the_bit(recipe: Hyperparameters) -> None:
    write_recipe(PATH, recipe, "plain")
    assert read_recipe(PATH).recipe == recipe


def test_what_is_left_out_is_as_the_preset_has_it() -> None:
    write_recipe(PATH, replace(PRESETS["cs229"], momentum=0.5), "cs229", without=["momentum"])
    read = read_recipe(PATH)
    assert read.recipe == PRESETS["cs229"]
    assert "momentum" not in read.changed


def test_a_short_file_says_what_differs() -> None:
    PATH.write_text("hidden_layer_sizes = [20, 10]\ndistortion = 'affine'\nmomentum = 0\n")
    read = read_recipe(PATH)
    assert read.recipe == replace(
        PRESETS["default"],
        hidden_layer_sizes=(20, 10),
        distortion=DISTORTIONS["affine"],
        momentum=0,
    )
    assert read.changed == ("hidden_layer_sizes", "distortion", "momentum")


def test_an_empty_file_is_the_default_and_a_mark_of_utf_8_is_none() -> None:
    PATH.write_bytes(b"\xef\xbb\xbf")
    assert read_recipe(PATH).recipe == PRESETS["default"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("epochs = ", "recipe.toml is no TOML file: "),
        ("epochs = '3'", "recipe.toml: epochs is '3'; it must be a whole number from 1 up"),
        ("epochs = 1.0", "recipe.toml: epochs is 1.0; it must be a whole number from 1 up"),
        ("epochs = true", "recipe.toml: epochs is True; it must be a whole number from 1 up"),
        ("preset = 'best'", "recipe.toml: preset is 'best'; it must be one of default, accurate"),
        ("hidden = [300]", "recipe.toml: hidden is no hyperparameter: "),
        ("hidden_layer_sizes = 300", "it must be a list of whole numbers: [300]"),
        ("hidden_layer_sizes = [3.5]", "hidden_layer_sizes has 3.5; each must be a whole number"),
        ("learning_rate = 2026-01-01", "it must be a number"),
        ("[learning_rate]\nlow = 1", "learning_rate is {'low': 1}; it must be a number"),
        ("[distortion]\nrotation = 'far'", "distortion.rotation is 'far'; it must be a number"),
        ("[distortion]\nscale = 1", "distortion.scale is 1; it must be below 1"),
        ("patience = 3", "recipe.toml: patience needs a validation split"),
        ("activation = ['relu']", "activation is ['relu']; it must be one of sigmoid"),
        ("shuffle = 'no'", "shuffle is 'no'; it must be true or false"),
    ],
)
def test_what_is_no_recipe_is_said_with_file_and_key(text: str, words: str) -> None:
    PATH.write_text(text)
    with pytest.raises(RecipeError) as caught:
        read_recipe(PATH)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_recipe_with_plain_values_is_the_way_back_of_as_dict() -> None:
    for recipe in PRESETS.values():
        assert Hyperparameters().with_plain(recipe.as_dict()) == recipe
    with pytest.raises(ValueError, match="learning_rate is inf"):
        Hyperparameters().with_plain({"learning_rate": float("inf")})
