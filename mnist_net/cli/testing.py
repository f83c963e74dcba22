"""What models make of a data set: the work that `evaluate` and `report` share."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from mnist_net.cli import options
from mnist_net.cli.terminal import log
from mnist_net.errors import DataError

if TYPE_CHECKING:
    from mnist_net.arrays import Array, Bytes, Labels
    from mnist_net.datasets.dataset import Splits
    from mnist_net.reports.tested import Report, Tested
    from mnist_net.trained.committee import Predictor

REPORT_PATH = options.ending(".html", ".md")
"""Where a report goes."""

tested_data = options.together(
    click.option(
        "--dataset",
        help="mnist, digits, a folder of IDX files, an .npz file, or your own pictures: a folder "
        "of folders 0 to 9, or a .csv of path and label.  [default: that of the model]",
    ),
    click.option(
        "--split",
        type=click.Choice(["test", "train", "all"]),
        help="Which part of the data set; what the model learned from flatters it.  [default: "
        "test; all of your own pictures]",
    ),
)


class Test(NamedTuple):
    """What was tested on, and what each model made of it."""

    dataset: str
    split: str
    report: "Report"
    notes: list[dict[str, int]]


def test(
    paths: Sequence[Path],
    dataset: str | None,
    split: str | None,
    output: Path | None,
    **source: Any,
) -> Test:
    """Test models; find out before the work that a report of them cannot be written."""
    from mnist_net.datasets.loading import dataset_files
    from mnist_net.reports.report import check_report, report_paths
    from mnist_net.reports.tested import Report
    from mnist_net.trained.store import load_cached

    written = report_paths(output, len(paths)) if output else []
    if output:
        check_report(output)
    models = {path: load_cached(path) for path in paths}
    named = _source(models, dataset)
    if split in (None, "all") and _is_own(named):
        options.check_outputs(written, [*paths, *dataset_files(named)])
        tested, notes = zip(*(_read_own(*one, Path(named)) for one in models.items()), strict=True)
        subject = f"all pictures of {named}, as predict reads them"
        return Test(named, "all", Report(subject, tested), list(notes))
    splits = options.load_splits(written, paths, dataset=named, **source)
    for path, model in models.items():
        known = model.metadata.get("data", {}).get("digest")
        if not dataset and splits.test.digest != known:
            raise DataError(
                f"{named} is no longer the data set that trained {path}; name a data set with "
                "--dataset to evaluate on it all the same"
            )
    return _predicted(models, splits, named, split or "test")


def write(output: Path, report: "Report") -> None:
    """Write a report, and say so."""
    from mnist_net.reports.report import report_paths, save_report

    save_report(output, report)
    *_, beside = report_paths(output, len(report.models))
    log.info(f"wrote {output}" + ("" if beside == output else ", with pictures beside it"))


def _source(models: "dict[Path, Predictor]", dataset: str | None) -> str:
    """What to test on: a name or a path."""
    if dataset == "auto":
        raise click.UsageError("--dataset auto could fall back to another set: name one")
    if dataset:
        return dataset
    places = {p: str(m.metadata.get("data", {}).get("location", "auto")) for p, m in models.items()}
    for path, place in places.items():
        if place == "auto":
            raise DataError(f"{path} does not say what trained it: name a data set with --dataset")
    first, *others = dict.fromkeys(places.values())
    if others:
        raise click.UsageError(
            f"the models learned from different data ({first}, {', '.join(others)}): name one set "
            "with --dataset"
        )
    return first


def _is_own(source: str) -> bool:
    from mnist_net.datasets.folders import is_own_pictures
    from mnist_net.datasets.loading import DATASET_NAMES

    return source not in DATASET_NAMES and is_own_pictures(Path(source))


def _predicted(models: "dict[Path, Predictor]", splits: "Splits", named: str, split: str) -> Test:
    """A part of a data set, and what the models make of it."""
    import numpy as np

    from mnist_net.reports.tested import Report

    parts = list(splits) if split == "all" else [getattr(splits, split)]
    images = np.concatenate([part.images for part in parts])
    labels = np.concatenate([part.labels for part in parts])
    tested = [
        _tested(path, model, images, labels, model.predict_proba(images), {})
        for path, model in models.items()
    ]
    subject = f"{'all' if split == 'all' else f'the {split}'} pictures of {splits.test.name}"
    return Test(named, split, Report(subject, tested), [{} for _ in tested])


def _read_own(path: Path, model: "Predictor", dataset: Path) -> "tuple[Tested, dict[str, int]]":
    """Own pictures as `predict` reads them; where it sees nothing, it guesses."""
    import numpy as np

    from mnist_net.datasets.folders import labelled_files
    from mnist_net.reading.answers import Reading
    from mnist_net.reading.many import Given, Wanted, read_many

    files, n_classes = labelled_files(dataset), len(model.classes)
    given = [Given(str(file.path), file.path) for file in files]
    answers = [seen.answer for seen in read_many(given, path, Wanted())]
    readings = [a if isinstance(a, Reading) else Reading(None, reason=str(a)) for a in answers]
    labels = np.array([file.label for file in files])
    guess = np.full(n_classes, 1.0 / n_classes, np.float32)
    notes = {
        "cannot be read": sum(not isinstance(answer, Reading) for answer in answers),
        "refused": sum(isinstance(a, Reading) and a.digit is None for a in answers),
        "answered rightly": sum(r.digit == k for r, k in zip(readings, labels, strict=True)),
    }
    tested = _tested(
        path,
        model,
        np.stack([reading.image for reading in readings]),
        labels,
        np.stack([guess if r.probabilities is None else r.probabilities for r in readings]),
        notes,
        [one.name for one in given],
    )
    return tested, notes


def _tested(
    path: Path,
    model: "Predictor",
    images: "Bytes",
    labels: "Labels",
    probabilities: "Array",
    notes: dict[str, int],
    files: Sequence[str] = (),
) -> "Tested":
    """Results, with what the model's file says of how it came to be."""
    from mnist_net.reports.tested import Tested
    from mnist_net.trained.facts import first_layer_of, histories_of, story_of

    return Tested(
        str(path),
        images,
        labels,
        probabilities,
        model.classes,
        files,
        {**{name: f"{count:,}" for name, count in notes.items()}, **story_of(model)},
        histories_of(model),
        first_layer_of(model),
    )
