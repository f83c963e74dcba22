"""Seconds and memory of training: beside others, as problems grow, and with distortion."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from mnist_net import Hyperparameters
from mnist_net.learning.recipe import PRESETS
from mnist_net.runs.together import train_model
from scripts.records import table
from scripts.speed import torch_peer, trainers
from scripts.speed.distance import HOW_TO_READ_RATIOS, compared, ratio_in_words, surveyed
from scripts.speed.figures import duration, medians, ratio, slope, times
from scripts.speed.problems import PLAIN, Problem
from scripts.speed.products import training_floor
from scripts.speed.settings import Settings
from scripts.speed.workers import Entry, Outcome, Trial, alone, take_turns

Rows = list[dict[str, Any]]

TRAINERS: dict[str, tuple[trainers.TrainerMaker, str]] = {
    "ours": (trainers.ours, "numpy"),
    "ours, all pixels": (trainers.ours_all_pixels, "numpy"),
    "ours, own threads": (trainers.ours_own_threads, "numpy"),
    "MLPClassifier": (trainers.scikit_learn, "sklearn"),
    "torch": (torch_peer.eager, "torch"),
    "torch.compile": (torch_peer.compiled, "torch"),
}
"""How each is made, and which library it needs."""


def entries(problem: Problem, settings: Settings) -> dict[str, Entry]:
    """All that can do this problem, and the floor."""
    made = {"products": Entry(training_floor, (problem,))}
    for name, (make, library) in TRAINERS.items():
        if settings.has(library):
            made[name] = Entry(trainers.training, (make, problem))
    return made


def _row(problem: Problem, outcomes: dict[str, Outcome]) -> dict[str, Any]:
    return {
        "problem": problem.title,
        "rows": problem.rows,
        "batch_size": problem.recipe.batch_size,
        "hidden_layer_sizes": problem.recipe.hidden_layer_sizes,
        **compared(outcomes),
        "peak_megabytes": {name: outcome.peak for name, outcome in outcomes.items()},
        "facts": {name: outcome.facts for name, outcome in outcomes.items() if outcome.facts},
    }


def measure_training(settings: Settings, momentum: float) -> Iterator[dict[str, Any]]:
    """Seconds per epoch of SGD at each architecture and batch size, row by row."""
    for hidden in ((8,),) if settings.quick else ((300,), (800,)):
        for batch_size in (64,) if settings.quick else (32, 128, 256, 1000):
            recipe = replace(
                PLAIN, hidden_layer_sizes=hidden, batch_size=batch_size, momentum=momentum
            )
            problem = Problem(settings.dataset, settings.rows, recipe, settings.threads)
            yield _row(problem, surveyed(entries(problem, settings), settings))


def training_table(rows: Rows) -> str:
    """Medians of the seconds, and of the ratios."""
    names = [name for name in ("products", *TRAINERS) if any(name in r["medians"] for r in rows)]
    others = [name for name in names if name not in {"products", "ours"}]
    header = ["seconds per epoch", *names, "ours / products", *(f"{n} / ours" for n in others)]
    lines = [
        [
            row["problem"],
            *(duration(row["medians"].get(name)) for name in names),
            ratio_in_words(row, "over_the_products"),
            *(ratio_in_words(row, "over_ours", name) for name in others),
        ]
        for row in rows
    ]
    return f"{HOW_TO_READ_RATIOS}\n\n{table(header, lines)}"


# --- growth ------------------------------------------------------------------------------------


def _growing(settings: Settings) -> Iterator[tuple[str, float, Problem]]:
    """What grows, its size, and the problem: one thing at a time, the rest as at 784-300-10."""
    n_rows, hidden = (256, 8) if settings.quick else (10_000, 300)
    recipe = replace(PLAIN, hidden_layer_sizes=(hidden,), batch_size=256)
    base = Problem(settings.dataset, n_rows, recipe, settings.threads)
    for size in (16, 32, 64) if settings.quick else (16, 32, 64, 128, 256, 500, 1000, 2000):
        yield "batch", size, base.with_(batch_size=size)
    for size in (8, 16) if settings.quick else (100, 200, 400, 800, 1600):
        yield "hidden units", size, base.with_(hidden_layer_sizes=(size,))
    for depth in (1, 2) if settings.quick else (1, 2, 3, 4):
        yield "hidden layers", depth, base.with_(hidden_layer_sizes=(hidden,) * depth)
    for size in (256, 512) if settings.quick else (7_500, 15_000, 30_000, 60_000):
        yield "pictures", size, base._replace(rows=size)


def measure_growth(settings: Settings) -> Iterator[dict[str, Any]]:
    """Cost of ours and of the products at a few sizes of each thing that can grow."""
    for what, size, problem in _growing(settings):
        made = {
            "products": Entry(training_floor, (problem,)),
            "ours": Entry(trainers.training, (trainers.ours, problem)),
        }
        yield {"grows": what, "size": size, **_row(problem, surveyed(made, settings))}


def slopes(rows: Rows) -> dict[str, dict[str, float]]:
    """Exponent of the cost in each thing: of a step for the batch, of an epoch for the rest.

    The cost is that of the fastest round: these trainings are so short that whatever else the
    machine does shows in the others.
    """
    found: dict[str, dict[str, float]] = {}
    for what in dict.fromkeys(row["grows"] for row in rows):
        those = [row for row in rows if row["grows"] == what]
        sizes = [row["size"] for row in those]
        for name in ("products", "ours"):
            costs = [min(row["seconds"][name]) for row in those]
            if what == "batch":  # as many steps fewer as the batch is larger
                costs = [cost * size for cost, size in zip(costs, sizes, strict=True)]
            found.setdefault(what, {})[name] = slope(sizes, costs)
    return found


def growth_table(rows: Rows) -> str:
    """The exponents."""
    lines = []
    for what, found in slopes(rows).items():
        sizes = [row["size"] for row in rows if row["grows"] == what]
        span = f"{what}, {min(sizes):,} to {max(sizes):,}"
        lines.append([span, *(f"{found[name]:.2f}" for name in ("ours", "products"))])
    return table(["cost grows with the power of", "ours", "products"], lines)


# --- distortion, memory ------------------------------------------------------------------------


def measure_distortion(settings: Settings) -> Iterator[dict[str, Any]]:
    """An epoch with the default's distortion, and without: the threads are its own in both."""
    default = PRESETS["default"]
    hidden, batch_size = ((8,), 64) if settings.quick else ((800,), 256)
    for optimizer, rate in (("sgd", PLAIN.learning_rate), ("adamw", default.learning_rate)):
        recipe = replace(
            PLAIN,
            hidden_layer_sizes=hidden,
            batch_size=batch_size,
            optimizer=optimizer,
            learning_rate=rate,
        )
        problem = Problem(settings.dataset, settings.rows, recipe, settings.threads)
        distorted = problem.with_(distortion=default.distortion)
        make = trainers.ours_own_threads
        made = {
            "without": Entry(trainers.training, (make, problem)),
            "with": Entry(trainers.training, (make, distorted)),
        }
        outcomes = take_turns(made, settings.rounds, settings.threads)
        seconds = {name: outcome.seconds for name, outcome in outcomes.items()}
        yield {
            "problem": f"{problem.title}, {optimizer}",
            "seconds": seconds,
            "medians": medians(seconds),
            "with_over_without": ratio(seconds, "with", "without"),
        }


def distortion_table(rows: Rows) -> str:
    """Medians and their ratio."""
    return table(
        ["seconds per epoch", "without distortion", "with", "with / without"],
        (
            [
                row["problem"],
                *(duration(row["medians"][name]) for name in ("without", "with")),
                times(row["with_over_without"]),
            ]
            for row in rows
        ),
    )


def whole_training(dataset: str, recipe: Hyperparameters) -> Trial:
    """`train_model`: loading, training, and the accuracy on the test pictures."""
    return Trial(partial(_train_model, dataset, recipe), {})


def _train_model(dataset: str, recipe: Hyperparameters) -> None:
    train_model(dataset, recipe)


def measure_memory(settings: Settings) -> Iterator[dict[str, Any]]:
    """Peak memory of fresh processes that load the data and train an epoch or two."""
    hidden, batch_size = ((8,), 64) if settings.quick else ((800,), 256)
    recipe = replace(PLAIN, hidden_layer_sizes=hidden, batch_size=batch_size)
    problem = Problem(settings.dataset, settings.rows, recipe, settings.threads)
    distorted = replace(recipe, epochs=2, distortion=PRESETS["default"].distortion)
    made = {
        "train_model": Entry(whole_training, (settings.dataset, replace(recipe, epochs=2))),
        "train_model, distorted": Entry(whole_training, (settings.dataset, distorted)),
    }
    made |= entries(problem, settings)
    for name in ("products", "ours, all pixels", "ours, own threads"):
        del made[name]
    for name, entry in made.items():
        outcome = alone(entry, settings.threads)
        yield {"what": name, "problem": problem.title, "peak_megabytes": outcome.peak}


def memory_table(rows: Rows) -> str:
    """Megabytes."""
    return table(
        [f"peak memory, {rows[0]['problem']}", "MB"],
        ([row["what"], f"{row['peak_megabytes'] or float('nan'):.0f}"] for row in rows),
    )
