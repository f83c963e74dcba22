"""Train a network that a committee teaches, and measure it on the test set.

    python -m scripts.release student             # teachers and both stages: some hours
    python -m scripts.release student --stage 1   # the temperature

It has the layers of the network that ships, and learns what a committee of deep networks says of
each distorted digit (`scripts.accuracy ideas` chose how much it listens). The stages are those of
`scripts.release`. In stage 1 it learns from the first 50,000 training pictures, and its teacher has
seen no others; in stage 2 both learn from all 60,000. Each stage keeps its networks in models/, the
one that is measured as models/student-seed-0.joblib.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from mnist_net import PRESETS, load_dataset
from mnist_net.datasets.dataset import Splits
from mnist_net.learning.distortion import Distortion
from mnist_net.runs.outcome import committee_of
from mnist_net.trained.committee import Committee
from scripts import options
from scripts.release.committee import member
from scripts.release.network import choose_temperature, frozen_temperature, release

STUDENT = replace(
    PRESETS["accurate"], validation=0, patience=None, teacher_weight=0.9, fresh_epochs=30
)

_DEEP = replace(
    PRESETS["accurate"], hidden_layer_sizes=(1000, 500), activation="relu", learning_rate=1e-3
)
_FINER = Distortion(rotation=10.0, scale=0.15, shear=0.15, shift=1.0, elastic=1.0, smoothness=4.0)

TEACHERS = {
    1: {"small-teacher.joblib": replace(_DEEP, epochs=30, random_state=103)},
    2: {
        "teacher-relu.joblib": replace(_DEEP, epochs=50, random_state=3),
        "teacher-tanh.joblib": replace(
            _DEEP, activation="tanh", distortion=_FINER, epochs=30, random_state=5
        ),
    },
}
"""Of each stage, by the name of the model file."""


def teacher_of(stage: int, splits: Splits, changes: dict[str, Any], folder: Path) -> Committee:
    """The committee that teaches in a stage, trained if it is not there."""
    recipes = {name: replace(recipe, **changes) for name, recipe in TEACHERS[stage].items()}
    return committee_of([member(name, recipe, splits, folder) for name, recipe in recipes.items()])


@click.command(help=options.paragraphs(__doc__))
@click.option("--stage", type=click.IntRange(1, 2), help="Only this one.")
@options.dataset
@options.held_out
@options.trial
@options.folder
def main(stage: int | None, dataset: str, held_out: int, trial: bool, folder: Path) -> None:
    changes: dict[str, Any] = options.TINY if trial else {}
    recipe, splits = replace(STUDENT, **changes), load_dataset(dataset)
    held: dict[str, Any] = {"validation": held_out}
    if stage != 2:
        teacher = teacher_of(1, splits, {**changes, **held}, folder)
        choose_temperature(splits, replace(recipe, **held), "student", folder, teacher)
    if stage != 1:
        teacher = teacher_of(2, splits, changes, folder)
        temperature = frozen_temperature(recipe, "student", folder)
        release(splits, recipe, "student", folder, temperature, teacher)
