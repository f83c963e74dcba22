"""Seconds and memory of training: beside others, as problems grow, and with distortion."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from mnist_net.arrays import Array
from mnist_net.learning.minibatches import Batch
from mnist_net.learning.network import forward
from mnist_net.learning.presets import PRESETS
from mnist_net.learning.training import Progress, classifier, train
from mnist_net.runs.together import blas_threads, train_model
from scripts.speed.figures import Row, measured, slope
from scripts.speed.machine import distance
from scripts.speed.problems import Labels, Problem, Settings, Trainer
from scripts.speed.products import training_floor
from scripts.speed.workers import Entry, Trial, alone, quiet, take_turns

_DISTORTION = PRESETS["default"].distortion
TrainerMaker = Callable[[Batch, Problem], Trainer]


def ours(data: Batch, problem: Problem) -> Trainer:
    """The public function, with its finite checks, history and progress."""
    epochs = train(data, problem.recipe)
    latest: list[Progress] = []

    def epoch() -> None:
        latest[:] = [next(epochs)]

    def classify(X: Array) -> Labels:
        architecture = classifier(X.shape[1], data.targets.shape[1], problem.recipe)
        parameters = latest[0].latest.parameters
        return forward(parameters, architecture, X)[-1].argmax(axis=1)

    return Trainer(epoch, classify)


def ours_own_threads(data: Batch, problem: Problem) -> Trainer:
    """The same with as many threads as `train_model` and the command line give it."""
    blas_threads(problem.recipe).__enter__()  # until the process ends
    return ours(data, problem)


def scikit_learn(data: Batch, problem: Problem) -> Trainer:
    """`MLPClassifier`, an epoch at a time, spared its checks of arguments and of the data."""
    import sklearn
    from sklearn.neural_network import MLPClassifier

    sklearn.set_config(assume_finite=True, skip_parameter_validation=True)
    recipe = problem.recipe
    if recipe.weight_decay or recipe.warmup_epochs or recipe.schedule != "constant":
        raise ValueError("MLPClassifier has neither weight decay nor schedules like ours")
    labels, classes = data.targets.argmax(axis=1), np.arange(data.targets.shape[1])
    network = MLPClassifier(
        recipe.hidden_layer_sizes,
        activation="logistic" if recipe.activation == "sigmoid" else recipe.activation,
        solver="adam" if recipe.optimizer == "adamw" else "sgd",
        alpha=2.0 * recipe.l2_penalty * recipe.batch_size,  # it divides by the batch
        batch_size=min(recipe.batch_size, len(data.X)),
        learning_rate_init=recipe.learning_rate,
        momentum=recipe.momentum,
        nesterovs_momentum=recipe.optimizer == "nesterov",
        shuffle=recipe.shuffle,
        tol=0.0,
        n_iter_no_change=1_000_000,
        # A seed would be taken anew by each call, and all epochs would have the same order.
        random_state=np.random.RandomState(recipe.random_state),
    )
    return Trainer(lambda: network.partial_fit(data.X, labels, classes=classes), network.predict)


def torch(data: Batch, problem: Problem, *, compiled: bool = False) -> Trainer:
    """PyTorch as it comes, or with `torch.compile`."""
    from scripts.speed import torch_peer

    return torch_peer.trainer(data, problem, compiled=compiled)


class Kind(NamedTuple):
    """How a competitor is made, which libraries it needs, and whether it takes all pixels."""

    make: TrainerMaker
    libraries: tuple[str, ...] = ()
    all_pixels: bool = True

    def data(self, problem: Problem) -> Batch:
        """What it is given: ours may leave out the pixels that `prepare` leaves out."""
        if self.all_pixels:
            return problem.training_set()
        training = problem.load()[0].training
        assert isinstance(training, Batch)  # not streamed
        return training


TRAINERS = {
    "ours": Kind(ours, all_pixels=False),
    "ours, all pixels": Kind(ours),
    "ours, own threads": Kind(ours_own_threads, all_pixels=False),
    "MLPClassifier": Kind(scikit_learn, ("sklearn",)),
    "torch": Kind(torch, ("torch",)),
    "torch.compile": Kind(partial(torch, compiled=True), ("torch",)),
}


def training(kind: Kind, problem: Problem) -> Trial:
    """A competitor's epochs, one a unit, on the data of the problem."""
    trainer = kind.make(kind.data(problem), problem)
    return quiet(trainer.epoch)._replace(facts=trainer.facts)


def entries(problem: Problem, settings: Settings) -> dict[str, Entry]:
    """The floor, and all that can do this problem."""
    made: dict[str, Entry] = {"products": partial(training_floor, problem)}
    for name, kind in TRAINERS.items():
        if settings.has(*kind.libraries):
            made[name] = partial(training, kind, problem)
    return made


def measure_training(settings: Settings, momentum: float) -> Iterator[Row]:
    """Seconds per epoch of SGD at each architecture and batch size, row by row."""
    for hidden in (8,) if settings.quick else (300, 800):
        for size in (64,) if settings.quick else (32, 128, 256, 1000):
            plain = settings.problem(momentum=momentum)
            problem = plain.with_(hidden_layer_sizes=(hidden,), batch_size=size)
            made = entries(problem, settings)
            outcomes = take_turns(made, settings.rounds, settings.threads, survey=distance)
            yield {"problem": problem.title, "measured": measured(outcomes, "products", "ours")}


def _growing(settings: Settings) -> Iterator[tuple[str, int, Problem]]:
    """What grows, its size, and the problem: one thing at a time, the rest as at 784-300-10."""
    n_rows, hidden = (256, 8) if settings.quick else (10_000, 300)
    base = settings.problem(hidden_layer_sizes=(hidden,), batch_size=256)._replace(rows=n_rows)
    for size in (16, 32, 64) if settings.quick else (16, 32, 64, 128, 256, 500, 1000, 2000):
        yield "batch", size, base.with_(batch_size=size)
    for size in (8, 16) if settings.quick else (100, 200, 400, 800, 1600):
        yield "hidden units", size, base.with_(hidden_layer_sizes=(size,))
    for depth in (1, 2) if settings.quick else (1, 2, 3, 4):
        yield "hidden layers", depth, base.with_(hidden_layer_sizes=(hidden,) * depth)
    for size in (256, 512) if settings.quick else (7_500, 15_000, 30_000, 60_000):
        yield "pictures", size, base._replace(rows=size)


def measure_growth(settings: Settings) -> Iterator[Row]:
    """Cost of ours and of the products at a few sizes of each thing that can grow."""
    rows = []
    for what, size, problem in _growing(settings):
        every = entries(problem, settings)
        made = {name: every[name] for name in ("products", "ours")}
        outcomes = take_turns(made, settings.rounds, settings.threads, survey=distance)
        title = f"{problem.title}, {problem.rows:,} pictures"
        found = measured(outcomes, "products")
        rows.append({"problem": title, "grows": what, "size": size, "measured": found})
        yield rows[-1]
    yield from exponents(rows)


def exponents(rows: list[Row]) -> Iterator[Row]:
    """Power of the cost in each thing: of a step for the batch, of an epoch for the rest.

    The fastest round counts: in trainings so short all else that the machine does shows.
    """
    for what in dict.fromkeys(row["grows"] for row in rows):
        those = [row for row in rows if row["grows"] == what]
        sizes = [row["size"] for row in those]
        found = {}
        for name in ("products", "ours"):
            costs = [row["measured"][name]["fastest"] for row in those]
            if what == "batch":  # as many steps fewer as the batch is larger
                costs = [cost * size for cost, size in zip(costs, sizes, strict=True)]
            found[name] = {"exponent": slope(sizes, costs)}
        yield {"problem": f"{what}, {min(sizes):,} to {max(sizes):,}", "measured": found}


def _large(settings: Settings) -> Problem:
    hidden, batch_size = ((8,), 64) if settings.quick else ((800,), 256)
    return settings.problem(hidden_layer_sizes=hidden, batch_size=batch_size)


def measure_distortion(settings: Settings) -> Iterator[Row]:
    """An epoch with the default's distortion, and without: the threads are its own in both."""
    plain = _large(settings)
    rate = PRESETS["default"].learning_rate
    kind = TRAINERS["ours, own threads"]
    for problem in (plain, plain.with_(optimizer="adamw", learning_rate=rate)):
        made = {
            "without": partial(training, kind, problem),
            "with": partial(training, kind, problem.with_(distortion=_DISTORTION)),
        }
        outcomes = take_turns(made, settings.rounds, settings.threads)
        title = f"{problem.title}, {problem.recipe.optimizer}"
        yield {"problem": title, "measured": measured(outcomes, "without")}


def measure_memory(settings: Settings) -> Iterator[Row]:
    """Peak memory of fresh processes that load the data and train an epoch or two."""
    problem = _large(settings)
    recipe = replace(problem.recipe, epochs=2)
    distorted = replace(recipe, distortion=_DISTORTION)
    whole = {
        "train_model": partial(quiet, train_model, settings.dataset, recipe),
        "train_model, distorted": partial(quiet, train_model, settings.dataset, distorted),
    }
    made = whole | entries(problem, settings)
    for name in ("products", "ours, all pixels", "ours, own threads"):
        del made[name]
    peaks = {name: alone(entry, settings.threads).peak for name, entry in made.items()}
    found = {name: {"peak_megabytes": peak} for name, peak in peaks.items()}
    yield {"problem": problem.title, "measured": found}
