"""What models make of a data set: the work that `evaluate` and `report` share."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from mnist_net.cli import options
from mnist_net.cli.terminal import counted, log
from mnist_net.errors import DataError

if TYPE_CHECKING:
    from mnist_net.arrays import Array, Bytes, Labels
    from mnist_net.datasets.dataset import Splits
    from mnist_net.datasets.shards import ShardedSplits
    from mnist_net.reports.results import Report, Results
    from mnist_net.trained.committee import Predictor

REPORT_PATH = options.ending(".html", ".md")
"""Where a report goes."""

data = options.together(
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


class Measured(NamedTuple):
    """What was tested on, and what each model made of it."""

    dataset: str
    split: str
    report: "Report"


def measure(
    paths: Sequence[Path],
    dataset: str | None,
    split: str | None,
    output: Path | None,
    **source: Any,
) -> Measured:
    """Test models; find out before the work that a report of them cannot be written."""
    from mnist_net.datasets.loading import dataset_files
    from mnist_net.reports.report import check_report, report_paths
    from mnist_net.reports.results import Report
    from mnist_net.trained.store import load_cached

    if output:
        check_report(output)
    written = report_paths(output, len(paths)) if output else []
    models = [_Named(*one, load_cached(one[0])) for one in zip(paths, _names(paths), strict=True)]
    _require_same_classes(models)
    named = _source(models, dataset)
    if split in (None, "all") and _is_own(named):
        options.check_outputs(written, [*paths, *dataset_files(named)])
        subject = f"all pictures of {named}, as predict reads them"
        own = [_read_own(model, Path(named)) for model in models]
        return Measured(named, "all", Report(subject, own))
    split = split or "test"
    # Of a folder of shards only what is tested on need be in memory.
    opened = options.open_splits if split == "test" else options.load_splits
    splits = opened(written, paths, dataset=named, **source)
    for model in models:
        if not dataset and splits.test.digest != model.data.get("digest"):
            raise DataError(
                f"{named} is no longer the data set that trained {model.path}; name a data set "
                "with --dataset to evaluate on it all the same"
            )
    subject = f"{'all' if split == 'all' else f'the {split}'} pictures of {splits.test.name}"
    return Measured(named, split, Report(subject, _predicted(models, splits, split)))


def write(output: Path, report: "Report") -> None:
    """Write a report, and say so."""
    from mnist_net.reports.report import save_report

    *_, last = save_report(output, report)
    log.info(f"wrote {output}" + ("" if last == output else ", with pictures beside it"))


class _Named(NamedTuple):
    """A model, its file, and what a report calls it."""

    path: Path
    name: str
    model: "Predictor"

    @property
    def data(self) -> dict[str, Any]:
        """What its file says of what it learned from."""
        data: dict[str, Any] = self.model.metadata.get("data", {})
        return data


def _names(paths: Sequence[Path]) -> list[str]:
    """Names of files, or whole paths where two have the same name."""
    names = [path.name for path in paths]
    return names if len(set(names)) == len(names) else list(map(str, paths))


def _require_same_classes(models: Sequence[_Named]) -> None:
    first, *others = models
    for other in others:
        if other.model.classes.tolist() != first.model.classes.tolist():
            raise DataError(
                f"{first.path} tells {first.model.classes.tolist()} apart, and {other.path} "
                f"{other.model.classes.tolist()}: compare models of the same classes"
            )


def _source(models: Sequence[_Named], dataset: str | None) -> str:
    """What to test on: a name or a path."""
    if dataset == "auto":
        raise click.UsageError("--dataset auto could fall back to another set: name one")
    if dataset:
        return dataset
    places = [str(model.data.get("location", "auto")) for model in models]
    if "auto" in places:
        path = models[places.index("auto")].path
        raise DataError(f"{path} does not say what trained it: name a data set with --dataset")
    first, *others = dict.fromkeys(places)
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


def _predicted(
    models: Sequence[_Named], splits: "Splits | ShardedSplits", split: str
) -> "list[Results]":
    """What models make of a part of a data set."""
    import numpy as np

    from mnist_net.datasets.dataset import Dataset

    wanted = splits if split == "all" else [getattr(splits, split)]
    parts = [part for part in wanted if isinstance(part, Dataset)]  # the others were not opened
    images = np.concatenate([part.images for part in parts])
    labels = np.concatenate([part.labels for part in parts])
    return [_results(one, images, labels, one.model.predict_proba(images)) for one in models]


def _read_own(model: _Named, dataset: Path) -> "Results":
    """Own pictures as `predict` reads them; where it sees nothing, it guesses."""
    import numpy as np

    from mnist_net.datasets.folders import labelled_files
    from mnist_net.reading.answers import Reading
    from mnist_net.reading.many import Given, Wanted, read_many

    files, n_classes = labelled_files(dataset), len(model.model.classes)
    given = [Given(str(file.path), file.path) for file in files]
    answers = [seen.answer for seen in read_many(given, model.path, Wanted(finds_others=False))]
    unreadable = [str(answer) for answer in answers if not isinstance(answer, Reading)]
    if len(unreadable) == len(answers):
        raise DataError(
            f"{dataset}: none of {len(answers)} pictures can be read; the first: {unreadable[0]}"
        )
    if unreadable:
        count = counted(len(unreadable), "picture")
        log.warning(f"{count} cannot be read; the first: {unreadable[0]}")
    readings = [a if isinstance(a, Reading) else Reading(None, reason=str(a)) for a in answers]
    labels = [file.label for file in files]
    guess = np.full(n_classes, 1.0 / n_classes, np.float32)
    return _results(
        model,
        np.stack([reading.image for reading in readings]),
        np.array(labels),
        np.stack([guess if r.probabilities is None else r.probabilities for r in readings]),
        files=[one.name for one in given],
        notes={
            "cannot be read": sum(not isinstance(answer, Reading) for answer in answers),
            "refused": sum(isinstance(a, Reading) and a.digit is None for a in answers),
            "answered rightly": sum(r.digit == k for r, k in zip(readings, labels, strict=True)),
        },
    )


def _results(
    model: _Named, images: "Bytes", labels: "Labels", probabilities: "Array", **more: Any
) -> "Results":
    """Results, with what the model's file says of how it came to be."""
    from mnist_net.reports.results import Results
    from mnist_net.trained.facts import first_layer_of, histories_of, story_of

    return Results(
        name=model.name,
        images=images,
        labels=labels,
        probabilities=probabilities,
        classes=model.model.classes,
        story=story_of(model.model),
        histories=histories_of(model.model),
        first_layer=first_layer_of(model.model),
        **more,
    )
