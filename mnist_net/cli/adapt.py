"""``mnist-net adapt``."""

import hashlib
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mnist_net.cli import options
from mnist_net.cli.feedback import store
from mnist_net.cli.terminal import counted, echo_json, echo_line, log, program, shows_progress
from mnist_net.errors import DataError, ModelFileError

if TYPE_CHECKING:
    from mnist_net.datasets.dataset import Dataset
    from mnist_net.runs.adaptation import Adaptation, Errors
    from mnist_net.trained.model import Model

_OUTPUT = Path("models", "mine.joblib")


@click.command(
    epilog=options.examples(
        "adapt                      # from what `mnist-net feedback` kept",
        "adapt own/                 # own/3/*.png, own/7/*.png, ...",
        "adapt own.csv -m shipped -o models/hers.joblib",
        "use shipped                # undoes it",
    )
)
@click.argument("folder", required=False, type=options.PATH, metavar="[FOLDER]")
@store
@options.model
@click.option(
    "--output",
    "-o",
    type=options.PATH,
    default=_OUTPUT,
    show_default=True,
    help="Model file to write; it answers from then on.",
)
@click.option("--overwrite", is_flag=True, help="Replace the output if it is there already.")
@click.option(
    "--dataset",
    help="What the model must not forget.  [default: MNIST if it is on this machine, else digits "
    "that are drawn]",
)
@options.seed("Of folds, order and distortions.")
@options.data_home
@options.offline
@options.as_json
@options.quiet
def adapt(
    folder: Path | None,
    feedback: Path | None,
    model: str | None,
    output: Path,
    overwrite: bool,
    dataset: str | None,
    seed: int,
    data_home: Path | None,
    offline: bool,
    as_json: bool,
) -> None:
    """Let a copy of the model learn your hand.

    FOLDER has folders 0 to 9 with your pictures, or is a .csv of path and label; without it, the
    corrections are taken that `mnist-net feedback` keeps. Five of each digit are a good number.

    The copy is used only if it reads pictures that it had not learned from better than before, and
    what it knew not worse. If not, nothing is written, and the exit status is 1.
    """
    from mnist_net.runs.adaptation import adapt_model, known_digits
    from mnist_net.trained.store import SHIPPED_MODELS, save_model, use_model

    if folder and feedback:
        raise click.UsageError("FOLDER and --feedback are both pictures to learn: give one of them")
    path, base = _base(model)
    options.check_outputs([output], [path, *SHIPPED_MODELS])
    if output.exists() and not overwrite:
        raise click.UsageError(f"{output} is there already: add --overwrite, or name another")
    own = _own(folder, feedback, data_home)
    known = known_digits(_training(dataset, data_home, offline), seed)
    log.info(f"learning from {counted(len(own.labels), 'picture')}, which takes a minute or so ...")
    began = time.perf_counter()
    adaptation = adapt_model(base, own, known, random_state=seed)
    seconds = time.perf_counter() - began
    if adaptation.reason is None:
        origin = {"path": str(path.resolve()), "sha256": _sha256(path)}
        record = {**adaptation.model.metadata["adapted"], "from": origin}
        metadata = {**adaptation.model.metadata, "adapted": record}
        save_model(replace(adaptation.model, metadata=metadata), output)
        use_model(str(output))
    _report(adaptation, known.judged.name, output, seconds, as_json=as_json)
    if adaptation.reason is not None:
        raise click.exceptions.Exit(1)


def _base(name: str | None) -> "tuple[Path, Model]":
    """The model to begin with and its file; of an adapted one, what that was made from."""
    from mnist_net.trained.model import Model
    from mnist_net.trained.store import load_cached

    path = options.chosen_model(name, warns=False)
    model = load_cached(path)
    origin = model.metadata.get("adapted")
    if origin:
        # It has learned from the pictures by which a copy of it would be judged.
        first = Path(str(origin.get("from", {}).get("path", "")))
        if not first.is_file() or _sha256(first) != origin["from"].get("sha256"):
            raise ModelFileError(
                f"{path} is adapted already, and what it was made from is not there any more: "
                "name the model to begin with, such as --model shipped"
            )
        log.info(f"{path} is adapted already: beginning with {first}, as it did")
        path, model = first, load_cached(first)
    if not isinstance(model, Model):
        raise ModelFileError(
            f"{path} is a committee, and adapt takes one network: name one with --model"
        )
    return path, model


def _own(folder: Path | None, feedback: Path | None, data_home: Path | None) -> "Dataset":
    from mnist_net.datasets.feedback import Feedback, corrected_digits, feedback_path
    from mnist_net.datasets.folders import all_own_pictures, is_own_pictures

    if folder is None:
        return corrected_digits(Feedback(feedback or feedback_path(data_home)))
    if not is_own_pictures(folder):
        raise DataError(
            f"{folder} is neither a folder with folders 0 to 9 in it nor a .csv or .tsv of path "
            "and label"
        )
    return all_own_pictures(folder)


def _training(dataset: str | None, data_home: Path | None, offline: bool) -> "Dataset | None":
    """What is not to be forgotten; None if MNIST is not here and nothing else is named."""
    from mnist_net.datasets.loading import load_dataset

    if dataset:
        return load_dataset(dataset, data_home, offline=offline, progress=shows_progress()).train
    try:
        return load_dataset("mnist", data_home, offline=True).train
    except DataError:
        log.info(
            "MNIST is not on this machine, so drawn digits stand for what the model knows: "
            f"`{program()} data fetch` gets it"
        )
        return None


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _report(
    adaptation: "Adaptation", name: str, output: Path, seconds: float, *, as_json: bool
) -> None:
    adopted = adaptation.reason is None
    if as_json:
        facts: dict[str, Any] = {
            "adopted": adopted,
            "reason": adaptation.reason,
            "model": str(output) if adopted else None,
            "own": adaptation.own._asdict(),
            "known": {"name": name, **adaptation.known._asdict()},
            "step": adaptation.step,
            "seconds": round(seconds, 1),
        }
        echo_json(facts)
        return
    for what, errors in (("own pictures", adaptation.own), (name, adaptation.known)):
        echo_line(f"errors on {what}, held out: {_change(errors)}")
    if adopted:
        echo_line(f"{output} answers from now on; to undo it: {program()} use shipped")
    else:
        echo_line(f"not adopted: {adaptation.reason}; nothing is written")


def _change(errors: "Errors") -> str:
    expected = f"{errors.expected_before:.1f} → {errors.expected_after:.1f}"
    return f"{errors.before} → {errors.after} of {errors.n:,}; expected {expected}"
