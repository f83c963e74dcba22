"""A network that learns one hand: a copy goes on learning from a few pictures of its owner.

Those few are repeated until they are a stated share of all, distorted anew each time, among
pictures of what the network knows already, so that it forgets nothing.  Then the weights go back
part of the way to where they came from, as far as the old pictures ask for it: between the two
there is a place with most of what is new and little of the forgetting (Wortsman et al. 2022,
*Robust fine-tuning of zero-shot models*).

What it is worth is measured on pictures that were not learned from: each fold of the own ones by a
copy that learned from the other folds, all of them in the same way as the one that is kept.
"""

import datetime as dt
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mnist_net.arrays import Array, Bytes
from mnist_net.datasets.dataset import Dataset, data_digest, split
from mnist_net.datasets.drawn import draw_digits
from mnist_net.errors import DataError
from mnist_net.learning.distortion import distort
from mnist_net.learning.network import map_arrays
from mnist_net.learning.presets import PRESETS
from mnist_net.learning.recipe import Hyperparameters
from mnist_net.runs.outcome import model_of
from mnist_net.runs.run import prepare, recipe_from_model
from mnist_net.runs.together import train_together
from mnist_net.trained.model import Model

TOLERANCE = 0.05
"""By this part of itself the error on what was known may grow.

A tenth of the 0.52 % that the shipped network has on MNIST's test pictures would be 0.05 points,
but of 10,000 pictures, of which 122 are misread, the count is only certain to half of that.
"""

_LIKELIER = 0.1  # by this part of themselves the errors to be expected must fall, to count

OWN_SHARE = 0.3
"""Of what is learned from, and so of each batch on average."""

RECIPE = replace(
    PRESETS["default"],
    distortion_fade=0.0,
    learning_rate=3e-4,
    weight_decay=0.0,
    warmup_epochs=0.3,
    epochs=4,
    drawn_digits=0,
)
"""Chosen on another hand than those that docs/adapting.md reports; layers are the model's."""

_N_FOLDS = 5
_N_REPLAYED = 8_192
_N_DRAWN = 500
_DRAWN_INSTEAD = (4_096, 2_000)  # to learn from and to be judged by, where MNIST is absent
_KEPT_SHARE = 6  # one of so many training pictures is for judging: the last 10,000 of MNIST
_STEPS = [tenths / 10 for tenths in range(1, 11)]  # of the way from the old weights
_CHUNK = 500  # pictures that are distorted at once


class Known(NamedTuple):
    """What the network knows already: pictures to replay, and others to judge by."""

    replayed: Dataset
    judged: Dataset


class Errors(NamedTuple):
    """How many of so many pictures were misread before, and are after.

    So many were to be expected by the probabilities that they were read with, which says more where
    few are misread.
    """

    before: int
    after: int
    n: int
    expected_before: float
    expected_after: float

    @property
    def fell(self) -> bool:
        """Whether there are fewer; or as many, and fewer by a part that counts to be expected."""
        likelier = self.expected_after < (1.0 - _LIKELIER) * self.expected_before
        return self.after < self.before or (self.after == self.before and likelier)

    @property
    def rose(self) -> bool:
        """Whether there are more than is tolerated."""
        return self.after > (1.0 + TOLERANCE) * self.before


@dataclass(frozen=True, slots=True)
class Adaptation:
    """What came of it.

    Attributes
    ----------
    model
        It has learned from all own pictures; its ``metadata["adapted"]`` says from what.
    own
        Errors on own pictures by copies that had not learned from them.
    known
        Errors of the model itself on pictures that it knew how to read.
    step
        How far its weights went, 1 for all of the way.
    reason
        Why the model should not be used; None if it should.
    """

    model: Model
    own: Errors
    known: Errors
    step: float
    reason: str | None


def known_digits(training: Dataset | None, random_state: int = 0) -> Known:
    """What to replay, and what to judge by: of a data set's training pictures, or drawn digits.

    The last sixth of the pictures is for judging, distorted, for the network may know them by heart
    as they are; those to replay of a data set are joined by some drawn digits.
    """
    if training is None:
        replayed, judged = (_drawn(n, random_state + k) for k, n in enumerate(_DRAWN_INSTEAD))
        return Known(replayed, _distorted(judged, random_state))
    n_learned = len(training.labels) - len(training.labels) // _KEPT_SHARE
    learned, judged = split(training, n_learned)
    rows = np.random.default_rng(random_state).permutation(n_learned)[:_N_REPLAYED]
    replayed = learned._replace(images=learned.images[rows], labels=learned.labels[rows])
    drawn = _drawn(min(_N_DRAWN, len(rows) // 3), random_state)
    return Known(_joined(replayed, drawn), _distorted(judged, random_state))


def _drawn(n: int, random_state: int) -> Dataset:
    images, digits = draw_digits(n, random_state)
    labels = digits.astype(np.uint8)
    return Dataset(images, labels, "drawn digits", data_digest(images, labels))


def _distorted(dataset: Dataset, random_state: int) -> Dataset:
    generator = np.random.default_rng(random_state)
    levels = dataset.images.reshape(len(dataset.images), -1).astype(np.float32)
    chunks = np.split(levels, range(_CHUNK, len(levels), _CHUNK))
    moved = np.concatenate([distort(one, RECIPE.distortion, generator) for one in chunks])
    images = np.rint(moved).astype(np.uint8).reshape(dataset.images.shape)
    return dataset._replace(images=images, name=f"{dataset.name}, distorted")


def _joined(one: Dataset, other: Dataset) -> Dataset:
    return one._replace(
        images=np.concatenate([one.images, other.images]),
        labels=np.concatenate([one.labels, other.labels]),
    )


def adapt_model(
    base: Model,
    own: Dataset,
    known: Known | None = None,
    *,
    random_state: int = 0,
    recipe: Hyperparameters | None = None,
    own_share: float = OWN_SHARE,
) -> Adaptation:
    """Let a copy of a model learn a hand, and measure what that is worth.

    Parameters
    ----------
    base
        The model; it stays as it is.
    own
        Pictures of the hand, two at least, in the form that reading first sees.
    known
        See `known_digits`; by default drawn digits.
    random_state
        Seed of folds, order and distortions: the same one gives the same model.
    recipe, own_share
        How to learn, by default `RECIPE`, and which share of it is own pictures.

    Raises
    ------
    DataError
        If there is one own picture or none, or there are labels that the model does not know.
    DivergenceError
        If it leaves the finite numbers.
    """
    if len(own.labels) < 2:
        raise DataError(
            f"{own.name}: {len(own.labels)} picture is too few to learn a hand: there must be 2, "
            "one to learn from and one to be judged by; 5 of each digit are a good number"
        )
    known = known or known_digits(None, random_state)
    held_out = folds(own.labels, random_state)
    learned = [held_out != fold for fold in range(int(held_out.max()) + 1)]
    mixtures = [_mixed(own, rows, known.replayed, own_share) for rows in (held_out >= 0, *learned)]
    recipe = recipe_from_model(base, replace(recipe or RECIPE, random_state=random_state))
    whole, *copies = _trained(base, mixtures, recipe)
    step, on_known = _furthest(base, whole, known.judged)
    before = base.predict_proba(own.images)
    after = np.empty_like(before)
    for copy, rows in zip(copies, learned, strict=True):
        after[~rows] = _between(base, copy, step).predict_proba(own.images[~rows])
    on_own = _errors(before, after, np.searchsorted(base.classes, own.labels))
    record = {
        "own": on_own._asdict(),
        "known": on_known._asdict(),
        "replayed": known.replayed.name,
        "data": own.name,
        "digest": own.digest,
        "step": step,
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
    }
    # The accuracy that the old model had on test pictures is not that of the new one.
    rest = {name: value for name, value in base.metadata.items() if name != "accuracy"}
    model = replace(_between(base, whole, step), metadata={**rest, "adapted": record})
    return Adaptation(model, on_own, on_known, step, _why_not(on_own, on_known, known.judged.name))


def folds(labels: Bytes, random_state: int) -> npt.NDArray[np.intp]:
    """Number of the fold of each picture, such that each label is spread over as many as it can."""
    generator = np.random.default_rng(random_state)
    shuffled = generator.permutation(len(labels))
    by_label = shuffled[np.argsort(labels[shuffled], kind="stable")]
    numbers = np.empty(len(labels), np.intp)
    numbers[by_label] = np.arange(len(labels)) % min(_N_FOLDS, len(labels))
    return numbers


def _mixed(own: Dataset, rows: npt.NDArray[np.bool_], replayed: Dataset, share: float) -> Dataset:
    """Pictures to replay, and own ones repeated until they are a share of all."""
    n_own = round(len(replayed.labels) * share / (1.0 - share))
    repeated = np.resize(np.flatnonzero(rows), n_own)
    taken = own._replace(images=own.images[repeated], labels=own.labels[repeated])
    return _joined(replayed, taken)._replace(name=own.name)


def _trained(base: Model, mixtures: list[Dataset], recipe: Hyperparameters) -> Iterator[Model]:
    """A copy of a model for each data set, all trained side by side."""
    runs = [prepare(mixture, recipe, base=base) for mixture in mixtures]
    *_, reached = train_together(runs, [run.start() for run in runs])
    for run, progress in zip(runs, reached, strict=True):
        assert progress is not None
        yield model_of(run, progress)


def _between(base: Model, learned: Model, step: float) -> Model:
    """The old model with weights so far on the way to those of the other."""
    parameters = map_arrays(
        lambda old, new: old + np.float32(step) * (new - old), base.parameters, learned.parameters
    )
    return replace(base, parameters=parameters)


def _furthest(base: Model, learned: Model, judged: Dataset) -> tuple[float, Errors]:
    """The longest step that costs no more than is tolerated, else the shortest; its errors.

    A longer one is taken to cost more, so the place where it becomes too much is found by halving.
    """
    columns = np.searchsorted(base.classes, judged.labels)
    before = base.predict_proba(judged.images)

    def errors(step: float) -> Errors:
        after = _between(base, learned, step).predict_proba(judged.images)
        return _errors(before, after, columns)

    n_tolerated = bisect_left(_STEPS, True, key=lambda step: errors(step).rose)
    step = _STEPS[max(n_tolerated - 1, 0)]
    return step, errors(step)


def _errors(before: Array, after: Array, columns: npt.NDArray[np.intp]) -> Errors:
    """Of the probabilities of the classes, N × K, of which the right ones are in these columns."""
    rows = np.arange(len(columns))
    misread = [int((p.argmax(axis=1) != columns).sum()) for p in (before, after)]
    expected = [float((1.0 - p[rows, columns]).sum()) for p in (before, after)]
    return Errors(misread[0], misread[1], len(columns), expected[0], expected[1])


def _why_not(own: Errors, known: Errors, name: str) -> str | None:
    if not own.fell:
        return "own pictures that it had not learned from are read no better"
    if known.rose:
        return f"{name} would be read worse, with more than {TOLERANCE:.0%} more errors"
    return None
