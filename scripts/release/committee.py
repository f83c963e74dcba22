"""Train a committee of networks that differ, and measure it on the test set.

    python -m scripts.release committee    # some hours, and hours more without the networks

Networks that learnt alike err alike, and gain little from each other (Meier et al. 2011 therefore
normalized each member's digits to another width). These differ in width, depth and activation, in
how their digits were distorted, and in whether they were normalized. They were named before any was
measured, so nothing is chosen here: all learn from the 60,000 training pictures, or two of them
from the first 50,000, and the test set is evaluated once, of the whole and of each member. The
evaluation is appended to results/test_evaluations.jsonl, and the committee kept as
models/committee.joblib; it does not ship, for its size. The network that ships and the student's
first teachers are members too, and are not trained again if they are in models/. After each epoch a
run is kept in checkpoints/, from where the same command goes on.
"""

from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from mnist_net import Hyperparameters, load_dataset, save_model
from mnist_net.runs.outcome import committee_of, measure_accuracy
from scripts import options
from scripts.records import append_line
from scripts.release.network import SEEDS, measured, model_name
from scripts.release.teachers import ACCURATE, TEACHERS, member, validated_teacher

_HELD_OUT = 10_000


def _normalized(recipe: Hyperparameters) -> Hyperparameters:
    return replace(recipe, normalization="moments")


MEMBERS = {
    model_name("accurate", SEEDS[0]): replace(ACCURATE, random_state=SEEDS[0]),
    "normalized.joblib": _normalized(ACCURATE),
    **{f"normalized-{name}": _normalized(recipe) for name, recipe in TEACHERS.items()},
    **dict(validated_teacher(name, _HELD_OUT) for name in TEACHERS),
}
"""By the name of the model file."""


@click.command(help=options.paragraphs(__doc__))
@options.dataset
@click.option("--only", type=click.Choice(list(MEMBERS)), help="Train it, evaluate nothing.")
@options.held_out
@options.trial
@options.folder
def main(dataset: str, only: str | None, held_out: int, trial: bool, folder: Path) -> None:
    changes = options.TINY if trial else {}
    recipes = {
        name: replace(recipe, validation=held_out if recipe.validation else 0, **changes)
        for name, recipe in MEMBERS.items()
    }
    splits = load_dataset(dataset)
    models = {
        name: member(name, recipe, splits, folder)
        for name, recipe in recipes.items()
        if only in (None, name)
    }
    if only:
        return
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
