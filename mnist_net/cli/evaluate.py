"""``mnist-net evaluate``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from mnist_net.cli import options
from mnist_net.cli.terminal import echo_json, echo_line, log
from mnist_net.errors import DataError

if TYPE_CHECKING:
    from mnist_net.arrays import Array, Bytes, Labels
    from mnist_net.datasets.dataset import Splits
    from mnist_net.reports.figures import Evaluation
    from mnist_net.trained.committee import Predictor


@options.command(
    "evaluate",
    "evaluate --json | python -m json.tool",
    "evaluate --model models/latest.joblib --output report.md",
    "evaluate --dataset path/to/fashion",
    "evaluate --dataset own/            # own/3/*.png, own/7/*.png, ...",
)
@options.model
@click.option(
    "--dataset",
    help="mnist, digits, a folder of IDX files, an .npz file, or your own pictures: a folder of "
    "folders 0 to 9, or a .csv of path and label.  [default: that of the model]",
)
@click.option(
    "--split",
    type=click.Choice(["test", "train", "all"]),
    help="Which part of the data set; what the model learned from flatters it.  [default: test; "
    "all of your own pictures]",
)
@click.option(
    "--output",
    "-o",
    type=options.ending(".md"),
    help="Write a Markdown report, and pictures beside it.",
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
    from mnist_net.datasets.loading import dataset_files
    from mnist_net.reports import figures, plots
    from mnist_net.trained.store import load_cached

    path = options.chosen_model(model, warns=False)
    loaded = load_cached(path)
    named = _source(path, loaded, dataset)
    if output and output.exists() and not output.is_file():
        raise click.UsageError(f"--output {output}: pictures go beside it, so name a file")
    written = plots.report_paths(output) if output else ()
    if split in (None, "all") and _is_own(named):
        options.check_outputs(written, [path, *dataset_files(named)])
        tested = _read_own(path, loaded, Path(named))
    else:
        splits = options.load_splits(written, [path], dataset=named, **source)
        if not dataset and splits.test.digest != loaded.metadata.get("data", {}).get("digest"):
            raise DataError(
                f"{named} is no longer the data set that trained {path}; name a data set with "
                "--dataset to evaluate on it all the same"
            )
        tested = _predicted(loaded, splits, split or "test")
    evaluation = figures.evaluate(tested.labels, tested.probabilities, loaded.classes)
    title = f"{path} on {tested.name}"
    if tested.files:
        for mistake in evaluation.worst:
            mistake["image"] = tested.files[mistake["index"]]
    if as_json:
        facts = {"dataset": named, "split": tested.split, "model": str(path)}
        echo_json({**evaluation._asdict(), **facts, **tested.notes})
    else:
        _echo(title, evaluation, tested.notes)
    if output:
        classes = loaded.classes.tolist()
        n_pictures = plots.save_report(output, title, evaluation, tested.images, classes)
        log.info(f"wrote {output}" + (" and two pictures beside it" if n_pictures else ""))


def _echo(title: str, evaluation: "Evaluation", notes: dict[str, int]) -> None:
    from mnist_net.reports.figures import text

    echo_line(title)
    click.echo(f"\n{text(evaluation)}")
    for mistake in evaluation.worst:
        if "image" in mistake:
            echo_line(f"picture {mistake['index']:>6}  {mistake['image']}")
    for name, value in notes.items():
        echo_line(f"{name:<18} {value:,}")


class _Tested(NamedTuple):
    """Pictures, what they are, and what the model makes of them."""

    name: str
    split: str
    images: "Bytes"
    labels: "Labels"
    probabilities: "Array"
    notes: dict[str, int]
    files: list[str]


def _source(path: Path, model: "Predictor", dataset: str | None) -> str:
    """What to test on: a name or a path."""
    source = dataset or str(model.metadata.get("data", {}).get("location", "auto"))
    if dataset == "auto":
        raise click.UsageError("--dataset auto could fall back to another set: name one")
    if source == "auto":
        raise DataError(f"{path} does not say what trained it: name a data set with --dataset")
    return source


def _is_own(source: str) -> bool:
    from mnist_net.datasets.folders import is_own_pictures
    from mnist_net.datasets.loading import DATASET_NAMES

    return source not in DATASET_NAMES and is_own_pictures(Path(source))


def _predicted(model: "Predictor", splits: "Splits", split: str) -> _Tested:
    """A part of a data set, and what the model makes of it."""
    import numpy as np

    parts = list(splits) if split == "all" else [getattr(splits, split)]
    images = np.concatenate([part.images for part in parts])
    labels = np.concatenate([part.labels for part in parts])
    name = f"{'all' if split == 'all' else f'the {split}'} pictures of {splits.test.name}"
    return _Tested(name, split, images, labels, model.predict_proba(images), {}, [])


def _read_own(path: Path, model: "Predictor", dataset: Path) -> _Tested:
    """Own pictures as `predict` reads them; where it sees nothing, it guesses."""
    import numpy as np

    from mnist_net.datasets.folders import labelled_files
    from mnist_net.reading.answers import Reading
    from mnist_net.reading.many import Given, read_many
    from mnist_net.reading.threshold import REJECT_BELOW

    files, n_classes = labelled_files(dataset), len(model.classes)
    given = [Given(str(file.path), file.path) for file in files]
    answers = [seen.answer for seen in read_many(given, path, REJECT_BELOW, pages=False)]
    readings = [a if isinstance(a, Reading) else Reading(None, reason=str(a)) for a in answers]
    labels = [file.label for file in files]
    guess = np.full(n_classes, 1.0 / n_classes, np.float32)
    return _Tested(
        f"all pictures of {dataset}, as predict reads them",
        "all",
        np.stack([reading.image for reading in readings]),
        np.array(labels),
        np.stack([guess if r.probabilities is None else r.probabilities for r in readings]),
        {
            "cannot be read": sum(not isinstance(answer, Reading) for answer in answers),
            "refused": sum(isinstance(a, Reading) and a.digit is None for a in answers),
            "answered rightly": sum(r.digit == k for r, k in zip(readings, labels, strict=True)),
        },
        [one.name for one in given],
    )
