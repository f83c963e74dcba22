"""Write the card of the model that ships, models/README.md.

    python -m scripts.release card

Every figure comes from the model's own metadata, from the evaluation that `scripts.release`
recorded for it, and from results/foreign.json if pictures that are not MNIST's were measured.
"""

import statistics
from pathlib import Path
from typing import Any

import click

from mnist_net import load_model
from mnist_net.errors import MnistNetError
from mnist_net.files import atomic_write
from mnist_net.trained.model import Model
from scripts.records import read_json, read_lines, table

Record = dict[str, Any]
N_CONFUSIONS = 5


def own_evaluation(model: Model, records: list[Record]) -> Record:
    """The latest evaluation of this very model.

    Raises
    ------
    MnistNetError
        If there is none.
    """
    recipe = model.metadata["hyperparameters"]
    for record in reversed(records):
        same = record["hyperparameters"] == recipe and record["temperature"] == model.temperature
        if same and record["n"] - record["errors"] == round(
            model.metadata["accuracy"]["test"] * record["n"]
        ):
            return record
    raise MnistNetError("there is no recorded evaluation of this model: run scripts.release")


def latest_of_each_seed(record: Record, records: list[Record]) -> list[Record]:
    """Evaluations of the same recipe, whatever the seed."""

    def recipe(of: Record) -> Record:
        return {**of["hyperparameters"], "random_state": None, "temperature": of.get("temperature")}

    by_seed = {other["seed"]: other for other in records if recipe(other) == recipe(record)}
    return [by_seed[seed] for seed in sorted(by_seed)]


def plain(value: Any) -> str:
    """A hyperparameter as one reads it."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {plain(amount)}" for name, amount in value.items())
    if isinstance(value, list):
        return ", ".join(map(plain, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def recipe_table(model: Model) -> str:
    """Every hyperparameter."""
    recipe = model.metadata["hyperparameters"]
    return table(
        ["hyperparameter", "value"],
        [[name.replace("_", " "), plain(value)] for name, value in recipe.items()],
    )


def data_sentence(metadata: Record) -> str:
    """What the network was trained on."""
    data, recipe = metadata["data"], metadata["hyperparameters"]
    drawn = recipe["drawn_digits"]
    more = f", and {drawn:,} digits drawn in forms that it hardly has" if drawn else ""
    return (
        f"The {data['n_train']:,} training pictures of {data['name']} (SHA-256 of the set "
        f"`{data['digest']}`){more}."
    )


def error_sentences(record: Record, of_seeds: list[Record]) -> str:
    """Error with its interval, and what other seeds gave."""
    low, high = record["error_interval"]
    text = (
        f"**{record['error']:.2%} error** on the {record['n']:,} test pictures "
        f"({record['errors']} of them; 95 % interval {low:.2%} to {high:.2%}, Wilson 1927); "
        f"log loss {record['log_loss']:.4f}."
    )
    if len(of_seeds) > 1:
        errors = [other["error"] for other in of_seeds]
        named = ", ".join(f"{error:.2%}" for error in errors)
        text += (
            f" Networks of the same recipe with the seeds "
            f"{', '.join(str(other['seed']) for other in of_seeds)}: {named}; mean "
            f"{statistics.mean(errors):.2%} ± {statistics.stdev(errors):.2%} (standard deviation). "
            f"This one has the seed {record['seed']}, the first, whether or not it is the best."
        )
    return text


def digits_table(record: Record) -> str:
    """Precision, recall and F1 of each digit."""
    rows = [
        [
            str(row["digit"]),
            *(f"{row[key]:.2%}" for key in ("precision", "recall", "f1")),
            f"{row['support']:,}",
        ]
        for row in record["per_class"]
    ]
    return table(["digit", "precision", "recall", "F1", "pictures"], rows)


def confusions(record: Record) -> str:
    """The commonest mistakes, in words."""
    digits = [row["digit"] for row in record["per_class"]]
    counts = [
        (count, label, answer)
        for label, row in zip(digits, record["confusion_matrix"], strict=True)
        for answer, count in zip(digits, row, strict=True)
        if label != answer and count
    ]
    commonest = sorted(counts, key=lambda entry: (-entry[0], entry[1:]))[:N_CONFUSIONS]
    return ", ".join(f"{label} read as {answer} ({n} times)" for n, label, answer in commonest)


def foreign_table(path: Path) -> str:
    """How pictures that are not MNIST's are read, if that was measured."""
    figures = read_json(path).get("single")
    if not figures:
        return "Not measured yet (`python -m scripts.reading figures`)."
    rows = [
        [
            style,
            f"{found['ours']:.1%}",
            f"{found['ours, refusals are errors']:.1%}",
            f"{found['sources']:,}",
            f"{found['pictures']:,}",
        ]
        for style, found in figures.items()
    ]
    header = ["pictures", "read right", "if a refusal is an error", "sources", "pictures"]
    means = "Mean over sources of the accuracy within a source, except where it says pooled."
    return f"{table(header, rows)}\n\n{means}"


WRITERS = """MNIST's digits were written by American census employees and high-school
students around 1990: forms that are usual elsewhere are rare in it."""

INTENDED_USE = """## Intended use

Reading single handwritten digits, 0 to 9, that were brought into MNIST's form, as
`mnist-net predict` does with any picture; teaching; a baseline. It is not meant for decisions that
nobody checks (cheques, ballots, forms, medicine), and it knows no letters, signs or numbers of
several digits: `mnist-net read` parts those for it."""

REPRODUCE = """## How to reproduce it

```console
python -m scripts.release       # trains, calibrates, evaluates; results/test_evaluations.jsonl
python -m scripts.release card    # this page
```

Every evaluation on the test pictures, the missed ones included, is in
[results/test_evaluations.jsonl](../results/test_evaluations.jsonl)."""


def introduction(model: Model, file: Path) -> str:
    """What it is."""
    layers = "-".join(map(str, model.architecture.layer_sizes))
    n_parameters = sum(a.size for layer in model.parameters for a in layer if a is not None)
    return f"""# {file.name}: what it is, and what it is not

<!-- Written by `python -m scripts.release card`; do not edit. -->

A fully connected network, {layers}, with {n_parameters:,} parameters, trained from scratch with
gradients derived by hand. The file takes {file.stat().st_size:,} bytes (weights in float16, which
become float32 when it is loaded), holds plain values and arrays only, and runs no code."""


def recipe_section(metadata: Record, model: Model) -> str:
    """How it was trained."""
    minutes = metadata["seconds"] / 60.0
    return f"""## Recipe

Preset `{metadata["preset"]}`: {metadata["epoch"]} epochs in {minutes:.0f} minutes, finished on
{metadata["date"][:10]} at commit `{metadata["commit"]}`, with
{", ".join(f"{name} {version}" for name, version in metadata["versions"].items())}.

{recipe_table(model)}

All choices, the temperature too, were made on the last 10,000 training pictures, with networks that
had not seen them; the test pictures measured the result."""


def limits(record: Record) -> str:
    """What it is bad at."""
    return f"""## What it is bad at

- The commonest mistakes on the test pictures: {confusions(record)}.
- By itself it answers with a digit whatever it is shown; `mnist-net predict` asks a second network
  first whether there is one. Its probabilities are calibrated for pictures like MNIST's; for others
  they say little.
- Digits that are cut off, touch others, stand on their heads or lie on their sides."""


def card(model: Model, file: Path, records: list[Record], foreign: Path) -> str:
    """The page."""
    metadata, record = model.metadata, own_evaluation(model, records)
    calibration = f"""## Calibration

Logits are divided by the temperature {model.temperature:.4f}, fitted on the validation pictures.
Expected calibration error on the test pictures (top answer, 15 equal bins):
**{record["ece"]:.2%}**."""
    sections = [
        introduction(model, file),
        INTENDED_USE,
        f"## Data\n\n{data_sentence(metadata)} {WRITERS}",
        recipe_section(metadata, model),
        f"## Error\n\n{error_sentences(record, latest_of_each_seed(record, records))}",
        digits_table(record),
        calibration,
        f"## Pictures that are not MNIST's\n\n{foreign_table(foreign)}",
        limits(record),
        REPRODUCE,
    ]
    return "\n\n".join(sections) + "\n"


@click.command(help=__doc__)
@click.option(
    "--folder", type=Path, default=Path(), help="Where results/ and models/ are, as in release."
)
def main(folder: Path) -> None:
    file = folder / "models" / "mnist.joblib"
    try:
        model = load_model(file)
        assert isinstance(model, Model)
        records = read_lines(folder / "results" / "test_evaluations.jsonl")
        page = card(model, file, records, folder / "results" / "foreign.json")
    except MnistNetError as error:
        raise click.ClickException(str(error)) from error
    with atomic_write(folder / "models" / "README.md") as stream:
        stream.write(page.encode())
    print(f"{folder / 'models' / 'README.md'}: {len(page.splitlines())} lines")
