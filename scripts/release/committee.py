"""Make a committee of networks that differ, and measure it on the test set.

    python -m scripts.release committee    # an hour without the networks

Networks that learnt alike err alike, and gain little from each other (Meier et al. 2011 therefore
normalized each member's digits to another width). These are the student, the deep networks that
taught it, and one of another activation; they differ in what draws their weights, in width and
depth, and in how their digits were distorted. They were named before any was measured, so nothing
is chosen here: all learn from the 60,000 training pictures, and the test set is evaluated once, of
the whole and of each member. The evaluation is appended to results/test_evaluations.jsonl, and the
committee kept as models/committee.joblib; it does not ship, for its size. Networks that are in
models/ are not trained again. After each epoch a run is kept in checkpoints/, from where the same
command goes on.
"""

from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from mnist_net import Hyperparameters, load_dataset, save_model
from mnist_net.runs.outcome import committee_of, measure_accuracy
from scripts import options
from scripts.records import append_line
from scripts.release.network import measured
from scripts.release.student import STUDENT, student
from scripts.release.teachers import DEEP, TEACHERS, member

MEMBERS = {
    **TEACHERS,
    "deep-tanh.joblib": replace(
        DEEP,
        hidden_layer_sizes=(1000, 500),
        activation="tanh",
        distortion=replace(DEEP.distortion, smoothness=4.0),
        random_state=13,
    ),
}
"""Recipes of the deep ones, by the name of the model file."""


@click.command(help=options.paragraphs(__doc__))
@options.dataset
@click.option("--only", type=click.Choice(list(MEMBERS)), help="Train it, evaluate nothing.")
@options.trial
@options.folder
def main(dataset: str, only: str | None, trial: bool, folder: Path) -> None:
    def fit(recipe: Hyperparameters) -> Hyperparameters:
        return replace(recipe, **(options.TINY if trial else {}))

    recipes = {name: fit(recipe) for name, recipe in MEMBERS.items()}
    splits = load_dataset(dataset)
    models = {
        name: member(name, recipe, splits, folder)
        for name, recipe in recipes.items()
        if only in (None, name)
    }
    if only:
        return
    name, one = student(folder)
    models, recipes = {name: one, **models}, {name: fit(STUDENT), **recipes}
    test = splits.test
    committee = committee_of(list(models.values()))
    committee.metadata["preset"] = "committee"
    path = folder / "models" / "committee.joblib"
    save_model(measure_accuracy(committee, test), path, dtype=np.float16)
    errors = {name: measured(model, test)["errors"] for name, model in models.items()}
    figures = measured(committee, test)
    record = {"recipe": "committee", "members": errors, **figures}
    record["hyperparameters"] = {name: recipe.as_dict() for name, recipe in recipes.items()}
    append_line(folder / "results" / "test_evaluations.jsonl", record)
    print(f"committee: test error {figures['error']:.2%}; errors of its members: {errors}")
