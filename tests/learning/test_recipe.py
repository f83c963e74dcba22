"""Recipes: what they refuse, how they are kept, and the presets."""

import json
import math

import pytest

from mnist_net.errors import MnistNetError
from mnist_net.learning.distortion import DISTORTIONS
from mnist_net.learning.presets import PRESETS
from mnist_net.learning.recipe import Hyperparameters


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"activation": "gelu"}, "activation is 'gelu'; it must be one of sigmoid"),
        ({"loss": "hinge"}, "loss is 'hinge'"),
        ({"optimizer": "lion"}, "optimizer"),
        ({"schedule": "linear"}, "schedule"),
        ({"scaling": "minmax"}, "scaling"),
        ({"initialization": "zeros"}, "initialization"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"epochs": 0}, "epochs is 0"),
        ({"hidden_layer_sizes": (5, 0)}, "hidden_layer_sizes"),
        ({"learning_rate": math.nan}, "learning_rate is nan"),
        ({"learning_rate": -1.0}, "learning_rate is -1.0"),
        ({"l2_penalty": math.inf}, "l2_penalty"),
        ({"momentum": 1.0}, "momentum"),
        ({"teacher_weight": 1.1}, "teacher_weight is 1.1; it must be from 0 to 1"),
        ({"teacher_weight": math.nan}, "teacher_weight is nan"),
        ({"teacher_temperature": 0.0}, "it must be from 0.01 to 100"),
        ({"fresh_epochs": 0}, "fresh_epochs is 0"),
        ({"distortion": "both"}, "distortion is 'both'; it must be a Distortion"),
        ({"patience": 2}, "patience needs a validation split"),
    ],
)
def test_refuses_impossible_hyperparameters(options: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        Hyperparameters(**options)
    assert not isinstance(caught.value, MnistNetError)


def test_the_plain_recipe_is_what_nobody_overrides_and_the_others_distort() -> None:
    assert PRESETS["plain"] == Hyperparameters()
    assert not PRESETS["plain"].distortion
    assert PRESETS["default"].distortion == PRESETS["accurate"].distortion == DISTORTIONS["both"]
    assert {len(recipe.hidden_layer_sizes) for recipe in PRESETS.values()} == {1}
    shared = {name for name, recipe in PRESETS.items() if recipe.feature_maps}
    assert shared == {"convolutional"}


def test_a_recipe_as_plain_values() -> None:
    values = PRESETS["default"].as_dict()
    assert json.loads(json.dumps(values)) == values
    assert values["distortion"]["rotation"] == DISTORTIONS["both"].rotation
    assert Hyperparameters().as_dict()["distortion"]["elastic"] == 0.0


def test_cs229_is_the_recipe_of_the_course() -> None:
    recipe = PRESETS["cs229"]
    assert recipe == Hyperparameters(
        hidden_layer_sizes=(300,),
        activation="sigmoid",
        loss="softmax-cross-entropy",
        initialization="standard-normal",
        scaling="standard",
        optimizer="sgd",
        learning_rate=5.0,
        momentum=0.0,
        weight_decay=0.0,
        l2_penalty=1e-4,
        schedule="constant",
        warmup_epochs=0.0,
        batch_size=1000,
        epochs=30,
        shuffle=False,
        validation=10_000,
        patience=None,
    )
