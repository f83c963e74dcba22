"""Measure `default` when the network that ships teaches it: docs/accuracy.md.

    python -m scripts.accuracy taught    # some minutes

Weight and temperature of the teacher are what `mnist-net train --teacher shipped` takes, which
`scripts.accuracy ideas` chose on validation pictures. The test set is looked at once a seed, and
every evaluation is added to results/test_evaluations.jsonl.
"""

import statistics
import time
from dataclasses import replace
from pathlib import Path

import click

from mnist_net import PRESETS, load_dataset, load_model
from mnist_net.learning.recipe import TAUGHT
from mnist_net.runs.outcome import model_of
from mnist_net.runs.run import prepare
from mnist_net.runs.together import train_together
from scripts import options
from scripts.records import append_line
from scripts.release.network import measured


@click.command(help=options.paragraphs(__doc__))
@options.dataset
@options.model
@click.option("--seeds", default=3, show_default=True)
@options.trial
@options.folder
def main(dataset: str, model: Path, seeds: int, trial: bool, folder: Path) -> None:
    splits, teacher, errors = load_dataset(dataset), load_model(model), []
    changes = TAUGHT | {"normalization": "none"} | (options.TINY if trial else {})
    recipe = replace(PRESETS["default"], **changes)
    for seed in range(seeds):
        began = time.perf_counter()
        one = replace(recipe, random_state=seed)
        run = prepare(splits.train, one, splits.train.name, teacher=teacher)
        *_, (progress,) = train_together([run])
        assert progress is not None
        seconds = round(time.perf_counter() - began, 1)
        student = model_of(run, progress, preset="default")
        figures = measured(student, splits.test)
        record = {"recipe": "default, taught", "seed": seed, **figures, "seconds": seconds}
        record |= {"teacher": student.metadata["teacher"], "hyperparameters": one.as_dict()}
        append_line(folder / "results" / "test_evaluations.jsonl", record)
        errors.append(100 * figures["error"])
        ece = f"calibration error {figures['ece']:.2%}"
        print(f"seed {seed}: test error {figures['error']:.2%}, {ece}, {seconds} s", flush=True)
    deviation = statistics.stdev(errors) if seeds > 1 else 0.0
    print(f"mean {statistics.mean(errors):.2f} % ± {deviation:.2f} (standard deviation)")
