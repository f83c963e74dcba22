"""``mnist-net report``."""

from pathlib import Path
from typing import Any

import click

from mnist_net.cli import measuring, options
from mnist_net.cli.terminal import echo_line


@options.command(
    "report",
    "report                             # report.html, of the model that answers",
    "report shipped models/latest.joblib    # side by side",
    "report --dataset own/ -o own.html  # on own/3/*.png, own/7/*.png, ...",
    "report --format md",
)
@click.argument("models", metavar="[MODEL]...", nargs=-1)
@measuring.data
@click.option(
    "--output",
    "-o",
    type=measuring.REPORT_PATH,
    help="The file to write, whose ending says the format.  [default: report.html]",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["html", "md"]),
    help="One page that needs nothing else, or Markdown with pictures beside it.",
)
@options.data_home
@options.offline
@options.quiet
def report(models: tuple[str, ...], output: Path | None, kind: str | None, **source: Any) -> None:
    """Write a page on how good models are.

    MODEL is shipped, latest, or a file; several are compared. The page has the errors with their
    95 % interval, the confusion matrix with the pictures behind each of its cells, the worst
    mistakes, how sure the model is and what refusing brings, how it learned, and what its first
    layer looks for. HTML needs the extra [report].
    """
    output = output or Path(f"report.{kind or 'html'}")
    if kind and output.suffix.lower() != f".{kind}":
        raise click.UsageError(f"--output {output} is not --format {kind}: leave one of them out")
    paths = [options.chosen_model(name, warns=False) for name in models or [None]]
    if len({path.resolve() for path in paths}) < len(paths):
        raise click.UsageError("a model is named twice")
    measuring.write(output, measuring.measure(paths, output=output, **source).report)
    echo_line(str(output))
