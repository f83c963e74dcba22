"""``mnist-net evaluate``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mnist_net.cli import measuring, options
from mnist_net.cli.terminal import echo_json, echo_line

if TYPE_CHECKING:
    from mnist_net.reports.figures import Evaluation


@options.command(
    "evaluate",
    "evaluate --json | python -m json.tool",
    "evaluate --model models/latest.joblib --output report.md",
    "evaluate --dataset path/to/fashion",
    "evaluate --dataset own/            # own/3/*.png, own/7/*.png, ...",
)
@options.model
@measuring.data
@click.option(
    "--output",
    "-o",
    type=measuring.REPORT_PATH,
    help="Write a report too, .html or .md, as `mnist-net report` does.",
)
@options.data_home
@options.offline
@options.as_json
@options.quiet
def evaluate(
    model: str | None,
    dataset: str | None,
    split: str | None,
    output: Path | None,
    as_json: bool,
    **source: Any,
) -> None:
    """Measure a model on test pictures.

    Prints errors, accuracy with its 95 % interval, log loss, calibration error, precision, recall
    and F1 of each digit, the confusion matrix, and the worst mistakes.
    """
    path = options.chosen_model(model, warns=False)
    measured = measuring.measure([path], dataset, split, output, **source)
    (results,) = measured.report.models
    for mistake in results.evaluation.worst:
        if results.files:
            mistake["image"] = results.files[mistake["index"]]
    if as_json:
        facts = {"dataset": measured.dataset, "split": measured.split, "model": str(path)}
        echo_json({**results.evaluation._asdict(), **facts, **results.notes})
    else:
        _echo(f"{path} on {measured.report.subject}", results.evaluation, results.notes)
    if output:
        measuring.write(output, measured.report)


def _echo(title: str, evaluation: "Evaluation", notes: dict[str, int]) -> None:
    from mnist_net.reports.tables import text

    echo_line(title)
    click.echo(f"\n{text(evaluation)}")
    for mistake in evaluation.worst:
        if "image" in mistake:
            echo_line(f"picture {mistake['index']:>6}  {mistake['image']}")
    for name, value in notes.items():
        echo_line(f"{name:<18} {value:,}")
