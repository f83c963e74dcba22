"""``mnist-net evaluate``."""

from pathlib import Path
from typing import Any

import click

from mnist_net.cli import options
from mnist_net.cli.terminal import echo_json, echo_line, log
from mnist_net.errors import DataError


@click.command(
    epilog=options.examples(
        "evaluate",
        "evaluate --json | python -m json.tool",
        "evaluate --model models/latest.joblib --output report.md",
        "evaluate --dataset path/to/fashion",
    )
)
@options.model
@click.option(
    "--dataset",
    help="mnist, digits, a folder of IDX files, or an .npz file.  [default: that of the model]",
)
@click.option(
    "--split",
    type=click.Choice(["test", "train"]),
    default="test",
    help="Which part of the data set; what the model learned from flatters it.",
)
@options.path_option("--output", "-o", help="Write a Markdown report, and pictures beside it.")
@options.data_home
@options.offline
@options.as_json
@options.quiet
def evaluate(
    model: Path | None,
    dataset: str | None,
    split: str,
    output: Path | None,
    as_json: bool,
    **source: Any,
) -> None:
    """Measure a model on test pictures.

    Prints errors, accuracy with its 95 % interval, log loss, calibration error, precision, recall
    and F1 of each digit, the confusion matrix, and the worst mistakes.
    """
    from mnist_net.reports import figures, plots
    from mnist_net.trained.store import find_model, load_model

    path = model or find_model()
    loaded = load_model(path)
    trained_on = loaded.metadata.get("data", {})
    named = dataset or str(trained_on.get("location", "auto"))
    if dataset == "auto":
        raise click.UsageError("--dataset auto could fall back to another set: name one")
    if named == "auto":
        raise DataError(f"{path} does not say what trained it: name a data set with --dataset")
    splits = options.load_splits(_report_files(output), [path], dataset=named, **source)
    pictures = splits.test if split == "test" else splits.train
    if dataset is None and pictures.digest != trained_on.get("digest"):
        raise DataError(
            f"{named} is no longer the data set that trained {path}; name a data set with "
            "--dataset to evaluate on it all the same"
        )
    probabilities = loaded.predict_proba(pictures.images)
    evaluation = figures.evaluate(pictures.labels, probabilities, loaded.classes)
    title = f"{path} on the {split} pictures of {pictures.name}"
    if as_json:
        origin = {"dataset": pictures.name, "split": split, "model": str(path)}
        echo_json({**evaluation._asdict(), **origin})
    else:
        echo_line(title)
        click.echo(f"\n{figures.text(evaluation)}")
    if output:
        plots.save_report(output, title, evaluation, pictures.images, loaded.classes.tolist())
        log.info("wrote %s and two pictures beside it", output)


def _report_files(output: Path | None) -> tuple[Path, ...]:
    """Files of the report; it is found out before the work that they could not be drawn."""
    from mnist_net.reports.plots import check_plot, report_paths

    if output is None:
        return ()
    if output.exists() and not output.is_file():
        raise click.UsageError(f"--output {output}: pictures go beside it, so name a file")
    check_plot(output.with_suffix(".png"))
    return report_paths(output)
