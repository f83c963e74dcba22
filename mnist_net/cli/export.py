"""``mnist-net export``."""

from pathlib import Path

import click

from mnist_net.cli import options
from mnist_net.cli.terminal import echo_line, log


@click.command(epilog=options.examples("export page/", "export --model models/mine.joblib page/"))
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--format",
    "kind",
    type=click.Choice(["web"]),
    default="web",
    show_default=True,
    help="web: a page that reads in the browser alone, opened from a file.",
)
@options.model
@options.quiet
def export(folder: Path, kind: str, model: str | None) -> None:  # noqa: ARG001  (there is one)
    """Write a trained network for use elsewhere.

    DIR becomes a folder with a page to draw on, which holds the networks and reads as `mnist-net
    predict` does, on paper of one colour: open its index.html, no server is needed. Its check.html
    compares the browser's answers with Python's.
    """
    from mnist_net.export.web import export_web
    from mnist_net.reading.reader import Reader
    from mnist_net.trained.companions import load_detector
    from mnist_net.trained.store import find_model, load_cached

    path = find_model(model)
    written = export_web(Reader(load_cached(path), load_detector()), folder, path.stem)
    size = sum(file.stat().st_size for file in written)
    log.info("%d files, %.1f MB: open %s in a browser", len(written), size / 1e6, written[-1])
    echo_line(str(folder))
