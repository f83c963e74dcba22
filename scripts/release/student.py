"""Let the network that ships learn from a committee, and measure it on the test set.

    python -m scripts.release student             # what it needs, and both stages: some hours
    python -m scripts.release student --stage 1   # the temperature

The network of `scripts.release` goes on learning, for half as long again: now what a committee says
of each distorted digit, of which it is itself a member, beside deep ones
(`scripts.accuracy ideas` chose how much it listens). The stages are those of `scripts.release`, but
the first is shorter: 20 epochs alone and 20 with a teacher, both on the first 50,000 training
pictures; on the last 10,000 the temperature is fitted. In the second stage all learn from all
60,000. The networks are kept in models/, the one that is measured as student-seed-0.joblib.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from mnist_net import Hyperparameters, load_dataset
from mnist_net.datasets.dataset import Splits
from mnist_net.learning.distortion import Distortion
from mnist_net.runs.outcome import committee_of
from mnist_net.runs.run import Run, prepare
from scripts import options
from scripts.release.committee import ACCURATE, member
from scripts.release.network import (
    SEEDS,
    choose_temperature,
    frozen_temperature,
    model_name,
    release,
)

STUDENT = replace(ACCURATE, learning_rate=2e-3, epochs=60, teacher_weight=0.9, fresh_epochs=12)
VALIDATED = replace(STUDENT, epochs=20, fresh_epochs=4)

_DEEP = replace(
    ACCURATE, hidden_layer_sizes=(1000, 500), activation="relu", learning_rate=1e-3, epochs=50
)
_FINER = Distortion(rotation=10.0, scale=0.15, shear=0.15, shift=1.0, elastic=1.0, smoothness=4.0)
_TANH = replace(_DEEP, activation="tanh", distortion=_FINER, epochs=24, random_state=5)

TEACHERS = {
    1: {
        "student-base.joblib": replace(ACCURATE, epochs=20, random_state=SEEDS[0]),
        "small-teacher.joblib": replace(_DEEP, epochs=30, random_state=103),
    },
    2: {
        model_name("accurate", SEEDS[0]): replace(ACCURATE, random_state=SEEDS[0]),
        "teacher-relu.joblib": replace(_DEEP, random_state=3),
        "teacher-tanh.joblib": _TANH,
    },
}
"""Of each stage, by name of the model file; the student begins with the weights of the first."""


def taught(
    stage: int, recipe: Hyperparameters, splits: Splits, changes: dict[str, Any], folder: Path
) -> Run:
    """The student's run in a stage, after its teachers were trained if they are not there."""
    members = [
        member(name, replace(one, **changes), splits, folder)
        for name, one in TEACHERS[stage].items()
    ]
    recipe = replace(recipe, **changes)
    teacher = committee_of(members)
    return prepare(splits.train, recipe, splits.train.name, base=members[0], teacher=teacher)


@click.command(help=options.paragraphs(__doc__))
@click.option("--stage", type=click.IntRange(1, 2), help="Only this one.")
@options.dataset
@options.held_out
@options.trial
@options.folder
def main(stage: int | None, dataset: str, held_out: int, trial: bool, folder: Path) -> None:
    changes: dict[str, Any] = options.TINY if trial else {}
    splits = load_dataset(dataset)
    if stage != 2:
        held = {**changes, "validation": held_out}
        run = taught(1, VALIDATED, splits, held, folder)
        choose_temperature(run, splits, "student", folder)
    if stage != 1:
        temperature = frozen_temperature(replace(VALIDATED, **changes), "student", folder)
        run = taught(2, STUDENT, splits, changes, folder)
        release(run, splits, "student", folder, temperature)
