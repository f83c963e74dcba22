"""Reports as files: HTML in one piece, or Markdown with pictures beside it."""

from pathlib import Path

from mnist_net.errors import MnistNetError
from mnist_net.files import atomic_write
from mnist_net.reports.page import html
from mnist_net.reports.results import Report
from mnist_net.reports.sprites import row_png
from mnist_net.reports.tables import markdown


def check_report(path: Path) -> None:
    """Find out before the work and not after it that a report cannot be made.

    Raises
    ------
    MnistNetError
        If it is to be HTML, and Jinja is missing.
    """
    if path.suffix.lower() == ".html":
        try:
            import jinja2  # noqa: F401
        except ImportError as error:
            raise MnistNetError(
                f"a report in HTML needs Jinja ({error}): pip install 'mnist-net[report]'; one in "
                "Markdown (--output report.md) needs nothing"
            ) from error


def report_paths(path: Path, n_models: int = 1) -> list[Path]:
    """What `save_report` writes: the page, and of Markdown a picture of mistakes for each model."""
    if path.suffix.lower() == ".html":
        return [path]
    numbers = [f"-{number}" for number in range(1, n_models + 1)] if n_models > 1 else [""]
    return [path, *(path.with_name(f"{path.stem}-mistakes{number}.png") for number in numbers)]


def save_report(path: Path, report: Report) -> list[Path]:
    """Write a report, as HTML or as Markdown with pictures beside it, as the file's ending says.

    Returns
    -------
    list of Path
        What was written, the page first.

    Raises
    ------
    MnistNetError
        See `check_report`.
    OSError
        If something cannot be written; what was there before is untouched.
    """
    check_report(path)
    contents: dict[Path, bytes] = {}
    if path.suffix.lower() == ".html":
        text = html(report)
    else:
        _, *pictures = report_paths(path, len(report.models))
        text = markdown(report, [picture.name for picture in pictures])
        for picture, results in zip(pictures, report.models, strict=True):
            if worst := [mistake["index"] for mistake in results.evaluation.worst]:
                contents[picture] = row_png(results.images[worst])
    # A page that has changed comes last: what it shows is there.
    contents[path] = text.encode(errors="backslashreplace")
    for place, content in contents.items():
        with atomic_write(place) as stream:
            stream.write(content)
    return [path, *(place for place in contents if place != path)]
