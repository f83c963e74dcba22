"""Write the card of the model that ships, models/README.md.

    python -m scripts.release card

Every figure comes from the model's own metadata, from the evaluation that `scripts.release`
recorded for it, and from results/foreign.json if pictures that are not MNIST's were measured.
"""

import statistics
from pathlib import Path
from typing import Any

import click

from mnist_net import Hyperparameters, load_model
from mnist_net.errors import MnistNetError
from mnist_net.files import atomic_write
from mnist_net.trained.model import Model
from scripts import options
from scripts.records import read_json, read_lines, table

Record = dict[str, Any]
N_CONFUSIONS = 5


def own_evaluation(model: Model, records: list[Record]) -> Record:
    """The latest evaluation of this very model; an error if there is none."""
    recipe, accuracy = model.metadata["hyperparameters"], model.metadata["accuracy"]["test"]
    for record in reversed(records):
        same = record["hyperparameters"] == recipe and record["temperature"] == model.temperature
        if same and record["n"] - record["errors"] == round(accuracy * record["n"]):
            return record
    raise MnistNetError("there is no recorded evaluation of this model: run scripts.release")


def latest_of_each_seed(record: Record, records: list[Record]) -> list[Record]:
    """Evaluations of the same recipe, whatever the seed."""

    def recipe(of: Record) -> Record:
        # What it does not name is younger than it, and had its default.
        named = Hyperparameters().as_dict() | of["hyperparameters"]
        return {**named, "random_state": None, "temperature": of.get("temperature")}

    by_seed = {other["seed"]: other for other in records if recipe(other) == recipe(record)}
    return [by_seed[seed] for seed in sorted(by_seed)]


def plain(value: Any) -> str:
    """A hyperparameter as one reads it."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {plain(amount)}" for name, amount in value.items())
    if isinstance(value, list):
        return ", ".join(map(plain, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def origin(metadata: Record) -> str:
    """The preset, or who taught the network."""
    if "teacher" not in metadata:
        return f"Preset `{metadata['preset']}`"
    members = (
        f"{'-'.join(map(str, one['layer_sizes']))} ({one['activations'][0]})"
        for one in metadata["teacher"]["networks"]
    )
    return f"Taught by {', '.join(members)}"


def other_seeds(record: Record, of_seeds: list[Record]) -> str:
    """What networks of the same recipe have, if there are others."""
    if len(of_seeds) < 2:
        return ""
    errors = [other["error"] for other in of_seeds]
    return (
        f" Networks of the same recipe with the seeds "
        f"{', '.join(str(other['seed']) for other in of_seeds)}: "
        f"{', '.join(f'{error:.2%}' for error in errors)}; mean "
        f"{statistics.mean(errors):.2%} ± {statistics.stdev(errors):.2%} (standard deviation). "
        f"This one has the seed {record['seed']}, the first, whether or not it is the best."
    )


def confusions(record: Record) -> str:
    """The commonest mistakes, in words."""
    digits = [row["digit"] for row in record["per_class"]]
    counts = [
        (-count, label, answer)
        for label, row in zip(digits, record["confusion_matrix"], strict=True)
        for answer, count in zip(digits, row, strict=True)
        if label != answer and count
    ]
    commonest = sorted(counts)[:N_CONFUSIONS]
    return ", ".join(f"{label} read as {answer} ({-n} times)" for n, label, answer in commonest)


def foreign_table(path: Path) -> str:
    """How pictures that are not MNIST's are read, if that was measured."""
    figures = read_json(path).get("single")
    if not figures:
        return "Not measured yet (`python -m scripts.reading`)."
    columns = {"ours": ".1%", "ours, refusals are errors": ".1%", "sources": ",", "pictures": ","}
    rows = [
        [style, *(format(found[column], form) for column, form in columns.items())]
        for style, found in figures.items()
    ]
    header = ["pictures", "read right", "if a refusal is an error", "sources", "pictures"]
    means = "Mean over sources of the accuracy within a source, except where it says pooled."
    return f"{table(header, rows)}\n\n{means}"


def card(model: Model, file: Path, records: list[Record], foreign: Path) -> str:
    """The page: card.md, filled in."""
    metadata, record = model.metadata, own_evaluation(model, records)
    recipe, drawn = metadata["hyperparameters"], metadata["hyperparameters"]["drawn_digits"]
    low, high = record["error_interval"]
    formats = ("", ".2%", ".2%", ".2%", ",")
    digits = [list(map(format, row.values(), formats)) for row in record["per_class"]]
    values = [[name.replace("_", " "), plain(value)] for name, value in recipe.items()]
    return (
        Path(__file__)
        .with_name("card.md")
        .read_text(encoding="utf-8")
        .format(
            metadata=metadata,
            record=record,
            file=file.name,
            n_bytes=file.stat().st_size,
            layers="-".join(map(str, model.architecture.layer_sizes)),
            n_parameters=sum(a.size for layer in model.parameters for a in layer if a is not None),
            drawn=f", and {drawn:,} digits drawn in forms that it hardly has" if drawn else "",
            minutes=metadata["seconds"] / 60.0,
            day=metadata["date"][:10],
            versions=", ".join(f"{name} {number}" for name, number in metadata["versions"].items()),
            origin=origin(metadata),
            study=" student" if "teacher" in metadata else "",
            recipe=table(["hyperparameter", "value"], values),
            interval=f"{low:.2%} to {high:.2%}",
            other_seeds=other_seeds(record, latest_of_each_seed(record, records)),
            digits=table(["digit", "precision", "recall", "F1", "pictures"], digits),
            temperature=model.temperature,
            foreign=foreign_table(foreign),
            confusions=confusions(record),
        )
    )


@click.command(help=options.paragraphs(__doc__))
@options.folder
def main(folder: Path) -> None:
    file = folder / "models" / "mnist.joblib"
    model = load_model(file)
    assert isinstance(model, Model)
    records = read_lines(folder / "results" / "test_evaluations.jsonl")
    page = card(model, file, records, folder / "results" / "foreign.json")
    with atomic_write(folder / "models" / "README.md") as stream:
        stream.write(page.encode())
    print(f"{folder / 'models' / 'README.md'}: {len(page.splitlines())} lines")
