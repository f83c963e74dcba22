"""What each idea buys on held-out training pictures; the test set is not looked at."""

import re
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np

from mnist_net import Hyperparameters, load_dataset, load_model, save_model
from mnist_net.arrays import Array
from mnist_net.datasets.dataset import Dataset, split
from mnist_net.learning.calibration import fit_temperature, tempered
from mnist_net.learning.losses import softmax_cross_entropy
from mnist_net.learning.minibatches import Batch, one_hot
from mnist_net.learning.network import Parameters, map_arrays, outputs_of
from mnist_net.learning.training import Progress, classifier, train
from mnist_net.runs.outcome import model_of
from mnist_net.runs.run import Run, prepare, teacher_facts
from mnist_net.runs.together import blas_threads
from mnist_net.trained.model import Model
from scripts import options
from scripts.accuracy.asking import ASKED, mean, weighted
from scripts.accuracy.changes import BASE, IDEAS, Idea
from scripts.accuracy.lessons import units_dropped
from scripts.records import read_json, stamp, table, write_json
from scripts.release.teachers import DEEP, member

_TEACHER = (
    "small-teacher.joblib",
    replace(DEEP, hidden_layer_sizes=(1000, 500), epochs=30, distortion_fade=0.0, random_state=103),
)
"""Name and recipe; it has not seen what validates."""


class Outcome(NamedTuple):
    """How one network reads what was held out.

    Attributes
    ----------
    error
        Fraction misread.
    log_loss
        In nats, at the temperature that is best for these very pictures.
    """

    error: float
    log_loss: float


def outcome(logits: Array, targets: Array) -> Outcome:
    """How far logits are from the targets, both N × K."""
    temperature = fit_temperature(logits, targets, BASE.loss)
    loss, _ = softmax_cross_entropy(tempered(logits, temperature), targets)
    wrong = logits.argmax(axis=1) != targets.argmax(axis=1)
    return Outcome(round(float(wrong.mean()), 6), round(loss, 6))


def logits_of(run: Run, parameters: Parameters) -> Array:
    """What a network of a run says of what the run holds out."""
    assert run.validation is not None
    architecture = classifier(*run.validation.sizes, run.hyperparameters)
    return outputs_of(parameters, architecture, run.validation.X)


def epochs(run: Run, idea: Idea) -> Iterator[Progress]:
    """The run's progress, with a lesson of its own for each epoch if the idea has any."""
    recipe, lesson = run.hyperparameters, idea.lesson
    if lesson is None:
        share = idea.units_dropped
        gradients_of = units_dropped(share, recipe.random_state) if share else None
        yield from train(run.training, recipe, teacher=run.asked(), gradients_of=gradients_of)
        return
    assert isinstance(run.training, Batch)  # a lesson changes all pictures at once
    progress = None
    for number in range(1, recipe.epochs + 1):
        data, changed = lesson(run.training, recipe, number)
        progress = next(train(data, changed, start=progress, teacher=run.asked()))
        yield progress


def learn(run: Run, idea: Idea) -> tuple[Model, dict[str, float]]:
    """A network, and figures of its last weights and of the mean of the last third's."""
    recipe = run.hyperparameters
    n_averaged = recipe.epochs // 3
    total: Parameters | None = None
    began = time.process_time()
    with blas_threads(recipe):
        for progress in epochs(run, idea):
            parameters = progress.latest.parameters
            if progress.latest.number > recipe.epochs - n_averaged:
                total = map_arrays(np.add, total, parameters) if total else parameters
    assert total is not None
    assert run.validation is not None
    averaged = map_arrays(lambda array: array / np.float32(n_averaged), total)
    last, mean = (
        outcome(logits_of(run, one), run.validation.targets) for one in (parameters, averaged)
    )
    return model_of(run, progress), {
        "error": last.error,
        "averaged error": mean.error,
        "log loss": last.log_loss,
        "averaged log loss": mean.log_loss,
        "seconds": round(time.process_time() - began, 1),
    }


def tables(found: dict[str, dict[str, Any]]) -> str:
    """Of each idea the errors, in percent, and the log-loss, in hundredths of a nat."""
    rows = []
    for idea, of_seeds in found.items():
        figures = [
            estimate([100 * one[column] for one in of_seeds.values() if column in one])
            for column in ("error", "averaged error", "log loss", "averaged log loss")
        ]
        seconds = statistics.median(one["seconds"] for one in of_seeds.values())
        rows.append([idea, *figures, f"{seconds:.0f}", len(of_seeds)])
    header = ["idea", "error, %", "averaged", "log-loss, 1/100", "averaged", "seconds", "seeds"]
    return table(header, rows)


def estimate(values: Sequence[float]) -> str:
    """Mean, and its standard error if there are several; a dash if there is none."""
    if not values:
        return "–"
    mean = f"{statistics.mean(values):.2f}"
    error = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else None
    return mean if error is None else f"{mean} ± {error:.2f}"


@dataclass(frozen=True, slots=True)
class Study:
    """Networks of ideas, and what is found of them, each kept as soon as it is there."""

    pictures: Dataset
    base: Hyperparameters
    teacher: Callable[[], Model]
    folder: Path

    def found(self) -> dict[str, dict[str, Any]]:
        """By idea and seed."""
        return dict(read_json(self._output).get("ideas", {}))

    def keep(self, idea: str, seed: int, figures: dict[str, float]) -> None:
        """Write down what was found."""
        found = self.found()
        found[idea] = {**found.get(idea, {}), str(seed): figures}
        record = {**read_json(self._output), "base": self.base.as_dict(), "ideas": found}
        write_json(self._output, {**record, **stamp()})
        print(f"{idea}, seed {seed}: {figures}", flush=True)

    def network(self, idea: str, seed: int) -> Model:
        """As it was kept, or trained now."""
        name = re.sub(r"\W+", "-", f"{idea} {seed}")
        file = self.folder / "models" / "ideas" / f"{name}.joblib"
        known = str(seed) in self.found().get(idea, {})
        if not (known and file.exists()):
            change = IDEAS[idea]
            recipe = replace(self.base, random_state=seed, **change.recipe)
            taught = self.teacher() if recipe.teacher_weight else None
            run = prepare(change.pictures(self.pictures), recipe, teacher=taught)
            learned, figures = learn(run, change)
            save_model(learned, file)
            if not known:
                self.keep(idea, seed, figures)
            if taught:
                facts = {"teacher": teacher_facts(taught)}
                write_json(self._output, {**read_json(self._output), **facts})
        model = load_model(file)
        assert isinstance(model, Model)
        return model

    def ask(self, name: str, seed: int) -> None:
        """What networks say that have learned, in one of the ways of `ASKED`."""
        asked, answers, seconds = ASKED[name], [], 0.0
        _, held_out = split(self.pictures, len(self.pictures.labels) - self.base.validation)
        for idea, further in asked.networks:
            model = self.network(idea, seed + further)
            answers.append(asked.ask(model, IDEAS[idea].pictures(held_out).images))
            seconds += self.found()[idea][str(seed + further)]["seconds"]
        targets = one_hot(np.searchsorted(model.classes, held_out.labels), len(model.classes))
        together = weighted(answers, targets) if asked.weighted else mean(answers)
        logits = np.log(np.maximum(together, np.finfo(np.float32).tiny))
        judged = outcome(logits, targets)
        figures = {"error": judged.error, "log loss": judged.log_loss}
        self.keep(name, seed, {**figures, "seconds": round(seconds, 1)})

    @property
    def _output(self) -> Path:
        return self.folder / "results" / "ideas.json"


@click.command()
@options.dataset
@options.held_out
@click.option("--seeds", default=2, show_default=True)
@options.only
@options.trial
@options.folder
def ideas(dataset: str, held_out: int, seeds: int, only: str, trial: bool, folder: Path) -> None:
    """Measure what each idea buys, the table of docs/accuracy.md: an hour.

    A net of 800 units learns from the first 50,000 training pictures of MNIST in so many ways, and
    is measured on the last 10,000, by its last weights and by the mean over the last third of its
    epochs. The teacher, a deep network that has seen no others, is trained when it is asked first,
    unless it is in models/. Then some of the networks are asked in other ways, or together. Keeps
    each run as it ends, and its network in models/ideas/; the same command makes only those that
    are missing.
    """
    splits = load_dataset(dataset)
    name, small = _TEACHER
    changes: dict[str, Any] = {"validation": held_out, **(options.TINY if trial else {})}

    @cache
    def teacher() -> Model:
        return member(name, replace(small, **changes), splits, folder)

    study = Study(splits.train, replace(BASE, **changes), teacher, folder)
    for seed in range(seeds):
        for idea in filter(lambda idea: idea.startswith(only), [*IDEAS, *ASKED]):
            if str(seed) in study.found().get(idea, {}):
                continue
            if idea in ASKED:
                study.ask(idea, seed)
            else:
                study.network(idea, seed)
    found = study.found()
    print(tables({idea: found[idea] for idea in (*IDEAS, *ASKED) if idea in found}))
