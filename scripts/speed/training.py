"""Seconds and memory of training: beside others, as problems grow, and with distortion."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from mnist_net.learning.recipe import PRESETS
from mnist_net.runs.together import train_model
from scripts.speed import trainers
from scripts.speed.figures import Row, measured, slope
from scripts.speed.machine import distance
from scripts.speed.problems import Problem, Settings
from scripts.speed.workers import Entry, Outcome, alone, quiet, take_turns

_DISTORTION = PRESETS["default"].distortion


def surveyed(entries: Mapping[str, Entry], settings: Settings) -> dict[str, Outcome]:
    """Rounds of all competitors, with the distance of the cores before and after each unit."""
    return take_turns(entries, settings.rounds, settings.threads, survey=Entry(distance))


def measure_training(settings: Settings, momentum: float) -> Iterator[Row]:
    """Seconds per epoch of SGD at each architecture and batch size, row by row."""
    for hidden in (8,) if settings.quick else (300, 800):
        for size in (64,) if settings.quick else (32, 128, 256, 1000):
            problem = settings.problem(
                hidden_layer_sizes=(hidden,), batch_size=size, momentum=momentum
            )
            outcomes = surveyed(trainers.entries(problem, settings), settings)
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
        made = trainers.entries(problem, settings)
        outcomes = surveyed({name: made[name] for name in ("products", "ours")}, settings)
        title = f"{problem.title}, {problem.rows:,} pictures"
        found = measured(outcomes, "products")
        rows.append({"problem": title, "grows": what, "size": size, "measured": found})
        yield rows[-1]
    yield from exponents(rows)


def exponents(rows: list[Row]) -> Iterator[Row]:
    """Power of the cost in each thing: of a step for the batch, of an epoch for the rest.

    The cost is that of the fastest round: these trainings are so short that whatever else the
    machine does shows in the others.
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


def measure_distortion(settings: Settings) -> Iterator[Row]:
    """An epoch with the default's distortion, and without: the threads are its own in both."""
    hidden, batch_size = ((8,), 64) if settings.quick else ((800,), 256)
    plain = settings.problem(hidden_layer_sizes=hidden, batch_size=batch_size)
    rate = PRESETS["default"].learning_rate
    kind = trainers.TRAINERS["ours, own threads"]
    for problem in (plain, plain.with_(optimizer="adamw", learning_rate=rate)):
        made = {
            "without": Entry(trainers.training, (kind, problem)),
            "with": Entry(trainers.training, (kind, problem.with_(distortion=_DISTORTION))),
        }
        outcomes = take_turns(made, settings.rounds, settings.threads)
        title = f"{problem.title}, {problem.recipe.optimizer}"
        yield {"problem": title, "measured": measured(outcomes, "without")}


def measure_memory(settings: Settings) -> Iterator[Row]:
    """Peak memory of fresh processes that load the data and train an epoch or two."""
    hidden, batch_size = ((8,), 64) if settings.quick else ((800,), 256)
    problem = settings.problem(hidden_layer_sizes=hidden, batch_size=batch_size)
    recipe = replace(problem.recipe, epochs=2)
    distorted = replace(recipe, distortion=_DISTORTION)
    made = trainers.entries(problem, settings)
    for name in ("products", "ours, all pixels", "ours, own threads"):
        del made[name]
    whole = {
        "train_model": Entry(quiet, (train_model, settings.dataset, recipe)),
        "train_model, distorted": Entry(quiet, (train_model, settings.dataset, distorted)),
    }
    outcomes = {name: alone(entry, settings.threads) for name, entry in (whole | made).items()}
    found = {name: {"peak_megabytes": outcome.peak} for name, outcome in outcomes.items()}
    yield {"problem": problem.title, "measured": found}
