"""Spaces of recipes: what they propose, and what is refused before any work, in one sentence."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from mnist_net.errors import MnistNetError, RecipeError
from mnist_net.learning.distortion import DISTORTIONS
from mnist_net.learning.presets import PRESETS
from mnist_net.tuning.space import DEFAULT_SPACE, NOT_SEARCHED, Choice, Range, read_space


class Proposes:
    """Takes the first choice, the low end and the high one, and remembers what it was asked."""

    def __init__(self, end: str) -> None:
        self.end, self.asked = end, {}

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        self.asked[name] = tuple(choices)
        return choices[0 if self.end == "low" else -1]

    def suggest_float(self, name: str, low: float, high: float, *, log: bool) -> float:
        self.asked[name] = low, high, log
        return {"low": low, "high": high}[self.end]

    def suggest_int(self, name: str, low: int, high: int, *, step: int, log: bool) -> int:
        self.asked[name] = low, high, step, log
        return {"low": low, "high": high}[self.end]


def written(text: str) -> Path:
    path = Path("space.toml")
    path.write_text(text, encoding="utf-8")
    return path


FULL = """
[recipe]
preset = "cs229"
epochs = 7

[space]
hidden_layer_sizes = [[], [300], [500, 150]]
distortion = ["none", "both", { rotation = 5 }]
shuffle = [true, false]
optimizer = ["sgd", "adamw"]
learning_rate = { low = 1e-4, high = 1, log = true }
momentum = { low = 0, high = 0.99 }
batch_size = { low = 32, high = 100, step = 32 }
drawn_digits = { low = 1, high = 1000, log = true }
"""


def test_a_space_proposes_what_it_says() -> None:
    space = read_space(written(FULL))
    low, high = Proposes("low"), Proposes("high")
    first, last = space.suggest(low), space.suggest(high)
    assert low.asked == high.asked
    assert low.asked["learning_rate"] == (1e-4, 1.0, True)
    assert low.asked["momentum"] == (0.0, 0.99, False)
    assert isinstance(low.asked["momentum"][0], float)  # 0 and 1 are numbers, not whole ones
    assert low.asked["batch_size"] == (32, 96, 32, False)  # Optuna warns of a range that is longer
    assert low.asked["drawn_digits"] == (1, 1000, 1, True)
    # What a study cannot keep is text.
    assert low.asked["hidden_layer_sizes"] == ("[]", "[300]", "[500, 150]")
    assert low.asked["distortion"] == ("none", "both", '{"rotation": 5}')
    assert first == PRESETS["cs229"].with_plain(
        {
            "epochs": 7,
            "hidden_layer_sizes": [],
            "distortion": "none",
            "shuffle": True,
            "optimizer": "sgd",
            "learning_rate": 1e-4,
            "momentum": 0.0,
            "batch_size": 32,
            "drawn_digits": 1,
        }
    )
    assert last.hidden_layer_sizes == (500, 150)
    assert last.distortion.rotation == 5
    assert last.distortion.shear == 0
    assert (last.momentum, last.batch_size, last.shuffle) == (0.99, 96, False)
    assert space.preset == "cs229"
    assert space.states_drawn_digits


def test_the_default_space_is_one_and_searches_what_matters() -> None:
    space = read_space(DEFAULT_SPACE)
    assert {"learning_rate", "hidden_layer_sizes", "batch_size"} <= space.dimensions.keys()
    assert not space.states_drawn_digits
    assert isinstance(space.dimensions["learning_rate"], Range)
    assert isinstance(space.dimensions["optimizer"], Choice)
    for end in ("low", "high"):
        assert space.suggest(Proposes(end)).epochs == 10


def test_another_file_of_the_same_space_is_the_same_search() -> None:
    one = read_space(written(FULL)).identity()
    other = read_space(written("# in other words\n" + FULL.replace("1e-4", "0.0001"))).identity()
    assert one == other
    assert read_space(written(FULL.replace("1e-4", "1e-3"))).identity() != one
    assert read_space(written(FULL.replace("epochs = 7", "epochs = 8"))).identity() != one


NUMBER = "a list of choices, or a range such as { low = 1, high = 10 }"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("learning_rat = [0.1]", "learning_rat is no hyperparameter: did you mean learning_rate?"),
        ("tea = [1]", "tea is no hyperparameter: there are hidden_layer_sizes, feature_maps"),
        ("learning_rate = 0.1", f"learning_rate is 0.1; it must be {NUMBER}"),
        ("learning_rate = []", "learning_rate is []; it must list different values"),
        ("learning_rate = [0.1, 0.1]", "it must list different values"),
        ("learning_rate = [0.1, 'fast']", "learning_rate is 'fast'; it must be a number"),
        ("learning_rate = [true]", "learning_rate is True; it must be a number"),
        ("learning_rate = [-1]", "learning_rate is -1; it must be finite and not negative"),
        ("learning_rate = [nan]", "learning_rate is nan; it must be finite and not negative"),
        ("momentum = {low = 0, high = 1}", "momentum is 1.0; it must be in [0, 1)"),
        ("momentum = {low = 0}", "momentum has low; a range has low and high"),
        ("momentum = {low = 0, hihg = 0.5}", "momentum has low, hihg; a range has low and high"),
        ("momentum = {low = 0, high = 0.5, log = 1}", "momentum.log is 1; it must be true or"),
        ("momentum = {low = 0, high = 0.5, log = true}", "momentum.low is 0; with log = true"),
        ("momentum = {low = 0, high = 0.5, step = 1}", "momentum.step is 1; it is a whole number"),
        ("momentum = {low = '0', high = 0.5}", "momentum.low is '0'; it must be a number"),
        ("momentum = {low = 0.5, high = 0.1}", "momentum goes from 0.5 to 0.1: low must be lower"),
        ("momentum = {low = 0.5, high = 0.5}", "low must be lower"),
        ("batch_size = {low = 1.5, high = 9}", "batch_size is 1.5; it must be a whole number from"),
        (
            "batch_size = {low = 0, high = 9}",
            "batch_size is 0; it must be a whole number from 1 up",
        ),
        (
            "batch_size = {low = 1, high = 9, step = 0}",
            "batch_size.step is 0; it is a whole number",
        ),
        ("batch_size = {low = 1, high = 9, step = 2, log = true}", "batch_size.step is 2"),
        ("optimizer = ['lion']", "optimizer is 'lion'; it must be one of sgd"),
        ("optimizer = [['sgd']]", "optimizer is ['sgd']; it must be one of sgd"),
        ("optimizer = {low = 0, high = 1}", "optimizer is 0.0; it must be one of sgd"),
        (
            "hidden_layer_sizes = [300]",
            "hidden_layer_sizes is 300; it must be a list of whole numbers",
        ),
        ("hidden_layer_sizes = [[0]]", "hidden_layer_sizes has 0; each must be a whole number"),
        ("distortion = ['strong']", "distortion is 'strong'; it must be one of none, affine"),
        ("distortion = [{rotation = -1}]", "distortion.rotation is -1; it must be finite and not"),
        ("distortion = [{rotation = 'x'}]", "distortion.rotation is 'x'; it must be a number"),
        ("distortion = [{turn = 1}]", "or amounts of rotation, scale, shear"),
        ("shuffle = [1]", "shuffle is 1; it must be true or false"),
        ("patience = [3]", "patience needs a validation split: set validation too"),
        ("epochs = [10, 20]", "epochs is how long a trial may be: state it under [recipe]"),
        ("random_state = {low = 0, high = 9}", "random_state is a seed"),
    ],
)
def test_what_is_no_space_is_said_with_file_and_key(line: str, words: str) -> None:
    with pytest.raises(RecipeError) as caught:
        read_space(written(f"[space]\n{line}\n"))
    message = str(caught.value)
    assert message.startswith("space.toml: [space]: ")
    assert words in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "space.toml: [space] must name what is tried"),
        ("[space]\n", "[space] must name what is tried"),
        ("space = 3\n", "[space] must name what is tried"),
        ("[spaec]\n", "space.toml: [spaec] is no part of a space: there are [recipe]"),
        ("learning_rate = [1]\n", "[learning_rate] is no part of a space"),
        ("[recipe]\npreset = 'best'\n[space]\nmomentum = [0]", "[recipe]: preset is 'best'; it"),
        ("[recipe]\npreset = ['plain']\n[space]\nmomentum = [0]", "preset is ['plain']"),
        ("[recipe]\nepochs = 0\n[space]\nmomentum = [0]", "[recipe]: epochs is 0; it must be"),
        ("[recipe]\nepoch = 1\n[space]\nmomentum = [0]", "did you mean epochs?"),
        ("[space\n", "space.toml is no TOML file: "),
        (
            "[recipe]\nteacher_weight = 0.5\n[space]\nmomentum = [0]",
            "[recipe]: teacher_weight needs a teacher, which a search has not: leave it out",
        ),
    ],
)
def test_what_is_no_file_of_a_space(text: str, words: str) -> None:
    with pytest.raises(RecipeError, match=r"^space\.toml") as caught:
        read_space(written(text))
    assert words in str(caught.value)
    assert isinstance(caught.value, MnistNetError)


def test_bytes_that_are_no_text_are_no_space() -> None:
    Path("space.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RecipeError, match=r"space\.toml is no TOML file"):
        read_space(Path("space.toml"))


def test_what_is_not_searched_for_can_be_stated() -> None:
    values = {"validation": 100, "random_state": 3, "epochs": 2}
    lines = "\n".join(f"{name} = {value}" for name, value in values.items())
    space = read_space(written(f"[recipe]\n{lines}\n[space]\nmomentum = [0]\npatience = [1, 2]"))
    recipe = space.suggest(Proposes("high"))
    assert {name: getattr(recipe, name) for name in values} == values
    assert recipe.patience == 2
    assert values.keys() < NOT_SEARCHED.keys()


def test_names_are_those_that_distortions_have() -> None:
    text = f"[space]\ndistortion = {list(DISTORTIONS)}"
    assert tomllib.loads(text)["space"]["distortion"] == list(DISTORTIONS)
    assert read_space(written(text)).suggest(Proposes("high")).distortion == DISTORTIONS["both"]
