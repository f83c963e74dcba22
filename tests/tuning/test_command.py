"""``mnist-net tune`` as one uses it: what it prints and writes, and what it refuses."""

import csv
import json
import sys
import tomllib
from pathlib import Path

import pytest

from mnist_net.learning.presets import PRESETS
from mnist_net.runs.recipe_file import read_recipe
from mnist_net.trained.store import load_model
from mnist_net.tuning.space import DEFAULT_SPACE, read_space
from tests.cli.conftest import invoke, only_error
from tests.conftest import bits, extra


@pytest.fixture
def optuna() -> None:
    extra("optuna")


def test_the_space_that_is_searched_by_default_is_printed() -> None:
    result = invoke("tune", "--show-space")
    assert result.exit_code == 0
    Path("mine.toml").write_text(result.stdout, encoding="utf-8")
    assert read_space(Path("mine.toml")).identity() == read_space(DEFAULT_SPACE).identity()


def test_without_the_extra_a_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, no_work: None
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    result = invoke("tune")
    assert result.exit_code == 1
    assert only_error(result).endswith("pip install 'mnist-net[tune]'")


@pytest.mark.usefixtures("optuna")
def test_a_search_ends_with_a_recipe_that_train_takes(space: Path, npz: Path) -> None:
    asked = ("tune", space, "--dataset", npz, "--workers", 1, "--trials", 6)
    result = invoke(*asked, "--csv", "t.csv", "--plot", "t.png", "--top", 3)
    assert result.exit_code == 0, result.stderr
    head, *rows, trials, recipe, following = result.stdout.splitlines()
    assert head.split() == [
        *("trial", "state", "error", "epochs", "seconds"),
        *("hidden_layer_sizes", "learning_rate", "batch_size"),
    ]
    assert len(rows) == 3
    assert trials.startswith("trials  6 (")
    assert trials.endswith(" in tune.db")
    assert recipe == "recipe  recipe.toml"
    assert following == "next    python -m mnist_net train --recipe recipe.toml"
    assert len(result.stderr.splitlines()) == 6 + 1
    assert result.stderr.endswith("wrote t.png\n")
    assert Path("t.png").read_bytes().startswith(b"\x89PNG")

    with Path("t.csv").open(newline="", encoding="utf-8") as stream:
        table = list(csv.DictReader(stream))
    best = min((row for row in table if row["error"]), key=lambda row: float(row["error"]))
    number, state, error, epochs = rows[0].split()[:4]
    assert (number, state, epochs) == (best["number"], "complete", "4")
    assert error == f"{float(best['error']):.2%}"
    stated = tomllib.loads(Path("recipe.toml").read_text(encoding="utf-8"))
    assert str(stated["learning_rate"]) == best["learning_rate"]
    assert str(stated["hidden_layer_sizes"]) == best["hidden_layer_sizes"]

    # The trial again, and then the same recipe on all training pictures.
    train = ("train", "--dataset", npz, "--recipe", "recipe.toml", "-o")
    assert invoke(*train, "trial.joblib", "--validation", 100).exit_code == 0
    model = load_model("trial.joblib")
    assert model.metadata["preset"] == "plain"
    found = 1.0 - model.metadata["history"][-1]["validation_accuracy"]
    assert found == pytest.approx(float(best["error"]), abs=1e-9)
    assert invoke(*train, "all.joblib").exit_code == 0
    assert load_model("all.joblib").metadata["data"]["n_train"] == 600


@pytest.mark.usefixtures("optuna")
def test_what_there_is_can_be_asked_for_as_json_and_is_not_made_again(
    space: Path, npz: Path
) -> None:
    asked = ("tune", space, "--dataset", npz, "--workers", 1, "--json", "--trials")
    first, second = invoke(*asked, 2, "-q"), invoke(*asked, 0)
    assert first.stderr == second.stderr == ""
    assert first.stdout == second.stdout
    said = json.loads(first.stdout)
    assert said["held_out"] == 100
    assert said["recipe"] == "recipe.toml"
    assert [trial["number"] for trial in said["trials"]] == [0, 1]
    best = said["trials"][said["best"]]
    assert best["error"] == min(trial["error"] for trial in said["trials"])
    assert said["hyperparameters"] == read_recipe(Path("recipe.toml")).recipe.as_dict()
    assert said["hyperparameters"]["validation"] == 0


@pytest.mark.usefixtures("optuna")
def test_with_no_trial_there_is_no_recipe(space: Path, npz: Path) -> None:
    result = invoke("tune", space, "--dataset", npz, "--trials", 0)
    assert result.exit_code == 0
    assert "trials  0 in tune.db" in result.stdout
    assert "no trial is complete, so there is no recipe" in result.stderr
    assert not Path("recipe.toml").exists()
    as_json = json.loads(invoke("tune", space, "--dataset", npz, "--trials", 0, "--json").stdout)
    assert (as_json["best"], as_json["recipe"], as_json["trials"]) == (None, None, [])


@pytest.mark.usefixtures("optuna")
def test_a_wrong_space_is_one_sentence_before_any_work(space: Path, no_work: None) -> None:
    space.write_text("[space]\nlearning_rat = [1]\n")
    result = invoke("tune", space)
    assert result.exit_code == 1
    assert only_error(result) == (
        f"Error: {space}: [space]: learning_rat is no hyperparameter: did you mean learning_rate?"
    )
    result = invoke("tune", "nowhere.toml")
    assert result.exit_code == 1
    assert only_error(result) == "Error: nowhere.toml: No such file or directory"


@pytest.mark.usefixtures("optuna")
@pytest.mark.parametrize(
    "asked",
    [("-o", "space.toml"), ("--csv", "x.csv", "--study", "x.csv"), ("--study", "space.toml")],
)
def test_files_are_not_written_over_each_other(
    space: Path, npz: Path, asked: tuple[str, ...], no_work: None
) -> None:
    before = space.read_bytes()
    result = invoke("tune", "space.toml", "--dataset", npz, *asked)
    assert result.exit_code == 2
    assert "are one file: name two" in result.stderr
    assert space.read_bytes() == before


def write(**values: object) -> None:
    lines = (f"{name} = {json.dumps(value)}" for name, value in values.items())
    Path("r.toml").write_text("\n".join(lines), encoding="utf-8")


def trained(*asked: object) -> object:
    result = invoke("train", *asked, "-o", "m.joblib")
    assert result.exit_code == 0, result.stderr
    return load_model("m.joblib")


def test_a_recipe_is_what_its_options_are(npz: Path) -> None:
    write(preset="plain", hidden_layer_sizes=[8, 4], epochs=2, momentum=0.0, shuffle=False)
    from_file = trained("--dataset", npz, "--recipe", "r.toml")
    options = ("--hidden", "8,4", "--epochs", 2, "--momentum", 0.0, "--no-shuffle")
    asked = trained("--dataset", npz, "--preset", "plain", *options)
    assert bits(from_file) == bits(asked)
    assert from_file.metadata["hyperparameters"] == asked.metadata["hyperparameters"]
    assert from_file.metadata["preset"] == "plain"


def test_options_override_a_recipe(npz: Path) -> None:
    write(preset="plain", hidden_layer_sizes=[8], epochs=2, distortion="affine", momentum=0.5)
    model = trained(
        *("--dataset", npz, "--recipe", "r.toml", "--epochs", 1, "--hidden", 4),
        *("--momentum", 0.0, "--distortion", "none"),
    )
    made = model.metadata["hyperparameters"]
    assert (made["epochs"], made["hidden_layer_sizes"], made["momentum"]) == (1, [4], 0.0)
    assert made["distortion"]["rotation"] == 0.0


def test_a_recipe_may_have_no_hidden_layer(npz: Path) -> None:
    write(preset="plain", hidden_layer_sizes=[], epochs=1)
    model = trained("--dataset", npz, "--recipe", "r.toml")
    assert model.architecture.layer_sizes == (784, 10)


def test_a_recipe_that_states_drawn_digits_has_them(npz: Path) -> None:
    """Other data than MNIST get them only if they are asked for."""
    write(hidden_layer_sizes=[4], epochs=1, drawn_digits=30, distortion="none")
    model = trained("--dataset", npz, "--recipe", "r.toml")
    assert model.metadata["hyperparameters"]["drawn_digits"] == 30
    write(hidden_layer_sizes=[4], epochs=1, distortion="none")
    model = trained("--dataset", npz, "--recipe", "r.toml")
    assert model.metadata["hyperparameters"]["drawn_digits"] == 0
    assert model.metadata["preset"] == "default"
    assert model.metadata["hyperparameters"]["scaling"] == PRESETS["default"].scaling


def test_train_refuses_what_is_no_recipe(no_work: None) -> None:
    write(epochs=0)
    result = invoke("train", "--recipe", "r.toml")
    assert result.exit_code == 1
    assert only_error(result) == ("Error: r.toml: epochs is 0; it must be a whole number from 1 up")
    assert only_error(invoke("train", "--recipe", "no.toml")) == (
        "Error: no.toml: No such file or directory"
    )
    write(epochs=1)
    result = invoke("train", "--recipe", "r.toml", "--preset", "plain")
    assert result.exit_code == 2
    assert "leave out --preset" in result.stderr
    result = invoke("train", "--recipe", "r.toml", "--patience", 2)
    assert result.exit_code == 2
    assert "patience needs a validation split" in result.stderr


def test_a_recipe_is_not_written_over(npz: Path) -> None:
    write(epochs=1)
    Path("m.joblib").symlink_to("r.toml")
    result = invoke("train", "--recipe", "r.toml", "--dataset", npz, "-o", "m.joblib")
    assert result.exit_code == 2
    assert "are one file: name two" in result.stderr
    assert Path("r.toml").read_text(encoding="utf-8") == "epochs = 1"
