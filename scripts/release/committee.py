"""Train a committee of networks that differ, and measure it on the test set.

    python -m scripts.release committee    # some hours, and hours more without the networks
    python -m scripts.release committee --of shared    # an hour

Networks that learnt alike err alike, and gain little from each other (Meier et al. 2011 therefore
normalized each member's digits to another width). These differ in what draws their weights, in
width, depth and activation, and in how their digits were distorted. They were named before any was
measured, so nothing is chosen here: all learn from the 60,000 training pictures, and the test set
is evaluated once, of the whole and of each member. The evaluation is appended to
results/test_evaluations.jsonl, and the committee kept as models/committee.joblib; it does not ship,
for its size. The networks of `scripts.release` are members of the first committee too, and are not
trained again if they are in models/. Those of the second have layers of shared weights. After each
epoch a run is kept in checkpoints/, from where the same command goes on.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from mnist_net import Hyperparameters, load_dataset, save_model
from mnist_net.learning.distortion import Distortion
from mnist_net.runs.outcome import committee_of, measure_accuracy
from scripts import options
from scripts.records import append_line
from scripts.release.network import SEEDS, measured, model_name
from scripts.release.teachers import ACCURATE, DEEP, SHARED, SHARED_TEACHERS, member

_STRONGER = Distortion(rotation=12.0, scale=0.2, shear=0.2, shift=1.0, elastic=1.2, smoothness=5.0)
_FINER = Distortion(rotation=10.0, scale=0.15, shear=0.15, shift=1.0, elastic=1.0, smoothness=4.0)
_DEEP = replace(
    DEEP, hidden_layer_sizes=(1000, 500), epochs=80, distortion_fade=0.0, drawn_digits=0
)

COMMITTEES: Mapping[str, Mapping[str, Hyperparameters]] = {
    "connected": {
        **{model_name("accurate", seed): replace(ACCURATE, random_state=seed) for seed in SEEDS},
        "deep-relu.joblib": replace(_DEEP, random_state=3),
        "deep-stronger.joblib": replace(_DEEP, distortion=_STRONGER, random_state=4),
        "deep-tanh.joblib": replace(_DEEP, activation="tanh", distortion=_FINER, random_state=5),
    },
    "shared": {
        **SHARED_TEACHERS,
        "shared-wide.joblib": replace(
            SHARED, feature_maps=(32, 64), distortion=_STRONGER, random_state=22
        ),
        "shared-three.joblib": replace(SHARED, feature_maps=(24, 48, 96), random_state=23),
        "shared-tanh.joblib": replace(
            SHARED, activation="tanh", learning_rate=2e-3, distortion=_FINER, random_state=24
        ),
        "shared-moments.joblib": replace(SHARED, normalization="moments", random_state=25),
    },
}
"""Of each committee the members, by the name of the model file."""


@click.command(help=options.paragraphs(__doc__))
@click.option("--of", "kind", type=click.Choice(list(COMMITTEES)), default="connected")
@click.option("--only", help="Train this member, evaluate nothing.")
@options.dataset
@options.trial
@options.folder
def main(kind: str, only: str | None, dataset: str, trial: bool, folder: Path) -> None:
    changes = options.TINY if trial else {}
    recipes = {name: replace(recipe, **changes) for name, recipe in COMMITTEES[kind].items()}
    if only and only not in recipes:
        raise click.UsageError(f"{only} is none of {', '.join(recipes)}")
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
    name = "committee" if kind == "connected" else f"committee-{kind}"
    committee.metadata["preset"] = name
    path = folder / "models" / f"{name}.joblib"
    save_model(measure_accuracy(committee, test), path, dtype=np.float16)
    errors = {name: measured(model, test)["errors"] for name, model in models.items()}
    figures = measured(committee, test)
    record = {"recipe": name, "members": errors, **figures}
    record["seconds"] = {name: model.metadata["seconds"] for name, model in models.items()}
    record["hyperparameters"] = {name: recipe.as_dict() for name, recipe in recipes.items()}
    append_line(folder / "results" / "test_evaluations.jsonl", record)
    print(f"{name}: test error {figures['error']:.2%}; errors of its members: {errors}")
