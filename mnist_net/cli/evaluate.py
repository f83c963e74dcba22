"""``mnist-net evaluate``."""

from pathlib import Path

import click

from mnist_net.cli.shared import (
    PATH,
    check_outputs,
    chosen_model,
    data_home_option,
    echo_json,
    echo_line,
    epilog,
    json_option,
    model_option,
    offline_option,
    quiet_option,
    shows_progress,
    tell,
)
from mnist_net.errors import DataError


@click.command(
    epilog=epilog(
        "evaluate",
        "evaluate --json | python -m json.tool",
        "evaluate --model models/latest.joblib --output report.md",
        "evaluate --dataset path/to/fashion",
    )
)
@model_option
@click.option(
    "--dataset",
    help="mnist, digits, a folder of IDX files, or an .npz file.  [default: that of the model]",
)
@click.option(
    "--split",
    type=click.Choice(["test", "train"]),
    default="test",
    show_default=True,
    help="Which part of the data set; what the model learned from flatters it.",
)
@click.option("--output", "-o", type=PATH, help="Write a Markdown report, and pictures beside it.")
@data_home_option
@offline_option
@json_option
@quiet_option
def evaluate(
    model: str | None,
    dataset: str | None,
    split: str,
    output: Path | None,
    data_home: Path | None,
    offline: bool,
    as_json: bool,
) -> None:
    """Measure a model on test pictures.

    Prints errors, accuracy with its 95 % interval, log loss, calibration error, precision, recall
    and F1 of each digit, the confusion matrix, and the worst mistakes.
    """
    from mnist_net.datasets.loading import dataset_files, load_dataset
    from mnist_net.reports.figures import evaluate as evaluate_answers
    from mnist_net.reports.figures import text
    from mnist_net.trained.store import load_cached

    path = chosen_model(model, warns=False)
    loaded = load_cached(path)
    data = loaded.metadata.get("data", {})
    source = dataset or str(data.get("location", "auto"))
    if dataset == "auto":
        raise click.UsageError("--dataset auto could fall back to another set: name one")
    if source == "auto":
        raise DataError(f"{path} does not say what trained it: name a data set with --dataset")
    if output:
        _check_output(output, [path, *dataset_files(source, data_home)])
    splits = load_dataset(source, data_home, offline=offline, progress=shows_progress())
    pictures = splits.test if split == "test" else splits.train
    if dataset is None and pictures.digest != data.get("digest"):
        raise DataError(
            f"{source} is no longer the data set that trained {path}; name a data set with "
            "--dataset to evaluate on it all the same"
        )
    evaluation = evaluate_answers(
        pictures.labels, loaded.predict_proba(pictures.images), loaded.classes
    )
    title = f"{path} on the {split} pictures of {pictures.name}"
    if as_json:
        echo_json(
            {**evaluation._asdict(), "dataset": pictures.name, "split": split, "model": str(path)}
        )
    else:
        echo_line(title)
        click.echo(f"\n{text(evaluation)}")
    if output:
        from mnist_net.reports.plots import save_report

        save_report(output, title, evaluation, pictures.images, loaded.classes.tolist())
        tell(f"wrote {output} and two pictures beside it")


def _check_output(output: Path, inputs: list[Path]) -> None:
    """Find out before the work that the report could not be written."""
    from mnist_net.reports.plots import check_plot, report_paths

    if output.exists() and not output.is_file():
        raise click.UsageError(f"--output {output}: pictures go beside it, so name a file")
    check_outputs(report_paths(output), inputs)
    check_plot(output.with_suffix(".png"))
