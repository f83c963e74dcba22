"""Let a network with one hidden layer learn from deep ones, and measure it on the test set.

    python -m scripts.release student             # what it needs, and both stages: two hours
    python -m scripts.release student --stage 1   # the temperature
    python -m scripts.release student --shared    # of one teacher, with layers of shared weights

The recipe is that of `accurate`, but what it learns of each distorted digit is what a committee of
two deep networks says of it (Hinton, Vinyals and Dean 2015, *Distilling the knowledge in a neural
network*), at the weight and the temperature that `scripts.accuracy ideas` chose; and distortion
falls over the last third of the epochs. The stages are those of `scripts.release`, but the first is
shorter: 30 epochs, with the teachers and, to compare, without them, all on the first 50,000
training pictures; on the last 10,000 the temperature is fitted. In the second stage teachers and
student learn from all 60,000. The networks are kept in models/.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

import click

from mnist_net import Hyperparameters, load_dataset
from mnist_net.runs.outcome import committee_of
from mnist_net.runs.run import Run, prepare
from scripts import options
from scripts.release.network import (
    SEEDS,
    choose_temperature,
    frozen_temperature,
    release,
)
from scripts.release.teachers import ACCURATE, SHARED_TEACHERS, TEACHERS, member

STUDENT = replace(
    ACCURATE,
    distortion_fade=1 / 3,
    teacher_weight=1.0,
    teacher_temperature=4.0,
    random_state=SEEDS[0],
)
VALIDATED = replace(STUDENT, epochs=30, validation=10_000)
ALONE = replace(VALIDATED, teacher_weight=0.0, teacher_temperature=1.0)
"""What `VALIDATED` is compared with."""


def validated_teacher(
    name: str, recipe: Hyperparameters, held_out: int
) -> tuple[str, Hyperparameters]:
    """Name and recipe of a teacher that has not seen what validates.

    Nor has it seen drawn digits, of which there are none among the validation pictures.
    """
    return f"validated-{name}", replace(recipe, validation=held_out, drawn_digits=0)


@click.command(help=options.paragraphs(__doc__))
@click.option("--shared", is_flag=True, help="Of a teacher that shares weights.")
@click.option("--stage", type=click.IntRange(1, 2), help="Only this one.")
@options.dataset
@options.held_out
@options.trial
@options.folder
def main(
    shared: bool, stage: int | None, dataset: str, held_out: int, trial: bool, folder: Path
) -> None:
    student, teachers = ("student-of-shared", SHARED_TEACHERS) if shared else ("student", TEACHERS)
    tiny = options.TINY if trial else {}
    splits = load_dataset(dataset)

    def fit(recipe: Hyperparameters) -> Hyperparameters:
        return replace(recipe, validation=held_out if recipe.validation else 0, **tiny)

    def taught(recipe: Hyperparameters, teachers: dict[str, Hyperparameters]) -> Run:
        found = [
            member(name, replace(one, **tiny), splits, folder) for name, one in teachers.items()
        ]
        return prepare(splits.train, recipe, splits.train.name, teacher=committee_of(found))

    validated = fit(VALIDATED)
    if stage != 2:
        run = taught(validated, dict(validated_teacher(*one, held_out) for one in teachers.items()))
        choose_temperature(run, splits, student, folder)
        if not shared:
            alone = prepare(splits.train, fit(ALONE), splits.train.name)
            choose_temperature(alone, splits, "student-alone", folder)
    if stage != 1:
        run = taught(fit(STUDENT), teachers)
        chosen = partial(frozen_temperature, validated, student, folder)
        release(run, splits, student, folder, chosen)
