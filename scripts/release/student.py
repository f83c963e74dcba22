"""Let the network that ships learn from a committee, and measure it on the test set.

    python -m scripts.release student             # what it needs, and both stages: some hours
    python -m scripts.release student --stage 1   # the temperature

The network of `scripts.release` goes on learning, for half as long again: now what a committee says
of each distorted digit, of which it is itself a member beside deep networks. `scripts.accuracy
ideas` chose weight and temperature. The stages are those of `scripts.release`, but the first is
shorter: 20 epochs alone, and 20 more with a teacher and, to compare, without one, all on the first
50,000 training pictures; on the last 10,000 the temperature is fitted. In the second stage the
student learns from all 60,000. The networks are kept in models/, the one that is measured as
student-seed-0.joblib.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import click

from mnist_net import Hyperparameters, load_dataset
from mnist_net.datasets.dataset import Splits
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

STUDENT = replace(
    ACCURATE,
    learning_rate=3e-3,
    epochs=66,
    teacher_weight=1.0,
    teacher_temperature=4.0,
    fresh_epochs=11,
)
_HELD_OUT = 10_000
VALIDATED = replace(STUDENT, epochs=20, fresh_epochs=5, validation=_HELD_OUT)
ALONE = replace(VALIDATED, teacher_weight=0.0, teacher_temperature=1.0, fresh_epochs=None)
"""What `VALIDATED` is compared with."""

_DEEP = replace(
    ACCURATE, hidden_layer_sizes=(1000, 500), activation="relu", learning_rate=1e-3, epochs=50
)
SMALL_TEACHER = (
    "small-teacher.joblib",
    replace(_DEEP, epochs=30, random_state=103, validation=_HELD_OUT),
)
"""Name and recipe; it has not seen what validates."""

TEACHERS = {
    1: {
        "student-base.joblib": replace(
            ACCURATE, epochs=20, random_state=SEEDS[0], validation=_HELD_OUT
        ),
        SMALL_TEACHER[0]: SMALL_TEACHER[1],
    },
    2: {
        model_name("accurate", SEEDS[0]): replace(ACCURATE, random_state=SEEDS[0]),
        "teacher-relu.joblib": replace(_DEEP, random_state=3),
        SMALL_TEACHER[0]: SMALL_TEACHER[1],
    },
}
"""Of each stage, by name of the model file; the student begins with the weights of the first."""


Change = Callable[[Hyperparameters], Hyperparameters]


def taught(stage: int, student: Hyperparameters, splits: Splits, folder: Path, fit: Change) -> Run:
    """The student's run in a stage, after its teachers were trained if they are not there."""
    members = [
        member(name, fit(recipe), splits, folder) for name, recipe in TEACHERS[stage].items()
    ]
    teacher = committee_of(members)
    return prepare(splits.train, student, splits.train.name, base=members[0], teacher=teacher)


@click.command(help=options.paragraphs(__doc__))
@click.option("--stage", type=click.IntRange(1, 2), help="Only this one.")
@options.dataset
@options.held_out
@options.trial
@options.folder
def main(stage: int | None, dataset: str, held_out: int, trial: bool, folder: Path) -> None:
    def fit(recipe: Hyperparameters) -> Hyperparameters:
        held = held_out if recipe.validation else 0
        return replace(recipe, validation=held, **(options.TINY if trial else {}))

    splits, validated = load_dataset(dataset), fit(VALIDATED)
    if stage != 2:
        run = taught(1, validated, splits, folder, fit)
        choose_temperature(run, splits, "student", folder)
        alone = prepare(splits.train, fit(ALONE), splits.train.name, base=run.base)
        choose_temperature(alone, splits, "student-alone", folder)
    if stage != 1:
        run = taught(2, fit(STUDENT), splits, folder, fit)
        chosen = partial(frozen_temperature, validated, "student", folder)
        release(run, splits, "student", folder, chosen)
