"""Checkpoints on disk: all that a run needs to go on to the same bits.

Unlike a model, a checkpoint has the optimizer's state, and the identity of the run that it is of.
"""

from pathlib import Path
from typing import Any

from mnist_net.errors import ModelFileError
from mnist_net.learning.network import Parameters
from mnist_net.learning.optimizers import OPTIMIZERS, OptimizerState
from mnist_net.learning.recipe import Hyperparameters
from mnist_net.learning.training import Epoch, Progress, classifier, steps_per_epoch
from mnist_net.runs.run import Run
from mnist_net.trained.contents import (
    Format,
    arrays_of,
    parameters_from,
    plain,
    read_file,
    require,
    require_plain,
    write_file,
)

_FORMAT = Format("mnist-net checkpoint", 1)


def save_checkpoint(path: Path | str, progress: Progress, identity: dict[str, Any]) -> None:
    """Write all that is needed to resume a run, atomically.

    The identity is plain values that must be the same then, see `Run.identity`.
    """
    contents = {
        "identity": plain(identity),
        "latest": _epoch_contents(progress.latest),
        "best": _epoch_contents(progress.best),
        "history": plain(progress.history),
    }
    write_file(Path(path), _FORMAT, contents)


def load_checkpoint(path: Path | str) -> tuple[Progress, dict[str, Any]]:
    """Read the progress and the identity that `save_checkpoint` was given, executing nothing.

    Raises
    ------
    ModelFileError
        If the file is not a checkpoint of this version.
    """
    return read_file(Path(path), _FORMAT, _build)


def resume(run: Run, path: Path) -> Progress:
    """Where a run stood when it was saved.

    Raises
    ------
    ModelFileError
        If the file is not a checkpoint of this run; the message names what differs.
    """
    progress, identity = load_checkpoint(path)
    if differences := _differences(run, identity):
        raise ModelFileError(
            f"{path} belongs to another run ({'; '.join(differences)}): give the same options, or "
            "another --checkpoint folder"
        )
    if not _belongs_to(run, progress):
        raise ModelFileError(f"{path} is damaged: its arrays or counts do not fit its options")
    return progress


def _differences(run: Run, identity: dict[str, Any]) -> list[str]:
    """How another run, whose identity this is, differs from this one, in words.

    A hyperparameter that it does not name is younger than it, and had its default.
    """
    now, recipe = run.hyperparameters.as_dict(), identity.get("hyperparameters")
    before = Hyperparameters().as_dict() | (recipe if isinstance(recipe, dict) else {})
    if type(before["epochs"]) is int:  # to go on for longer is no other run
        before["epochs"] = max(before["epochs"], now["epochs"])
    changed = [
        f"{name} was {before[name]!r}, is {now[name]!r}"
        for name in now
        if before[name] != now[name]
    ]
    unknown = [f"{name} is not known here" for name in before if name not in now]
    same_data = identity.get("digest") == run.data["digest"]
    same_base = identity.get("base") == run.identity()["base"]
    changed += unknown + ([] if same_data else ["its data differ"])
    if identity.get("teacher") != run.identity()["teacher"]:
        changed.append("it learned from another --teacher, or from none")
    return changed + ([] if same_base else ["it began --from another model, or from none"])


def _belongs_to(run: Run, progress: Progress) -> bool:
    """Whether a progress has the shapes and the optimizer's state of this run."""
    architecture = classifier(*run.training.sizes, run.hyperparameters)
    shapes = [[(n, m), (m,)] for n, m in architecture.weight_shapes]
    n_moments = OPTIMIZERS[run.hyperparameters.optimizer].n_moments
    n_steps = steps_per_epoch(run.training.n_examples, run.hyperparameters)
    return all(
        state.step == n_steps * number
        and len(state.moments) == n_moments
        and all(_shapes(arrays) == shapes for arrays in (parameters, *state.moments))
        for number, parameters, state in (progress.latest, progress.best)
    )


def _shapes(parameters: Parameters) -> list[list[tuple[int, ...]]]:
    return [[array.shape for array in layer if array is not None] for layer in parameters]


def _epoch_contents(epoch: Epoch) -> dict[str, Any]:
    return {
        "number": epoch.number,
        **arrays_of(epoch.parameters),
        "step": epoch.optimizer_state.step,
        "moments": [arrays_of(moment) for moment in epoch.optimizer_state.moments],
    }


def _build(contents: dict[str, Any]) -> tuple[Progress, dict[str, Any]]:
    latest, best = (
        Epoch(
            epoch["number"],
            parameters_from(epoch),
            OptimizerState(epoch["step"], tuple(map(parameters_from, epoch["moments"]))),
        )
        for epoch in (contents["latest"], contents["best"])
    )
    history, identity = contents["history"], contents["identity"]
    require_plain([history, identity])
    counts = [latest.number, latest.optimizer_state.step, best.number, best.optimizer_state.step]
    require(all(type(count) is int for count in counts), "counts that are no whole numbers")
    require(1 <= best.number <= latest.number == len(history), "epochs that do not add up")
    require(all(map(_is_record, history)), "a bad history")
    return Progress(latest, best, tuple(history)), dict(identity)


def _is_record(record: dict[str, Any]) -> bool:
    numbers = [record[name] for name in ("loss", "learning_rate", "seconds")]
    numbers += [*record["weight_norms"], *record["bias_norms"]]
    score = [record["validation_accuracy"], record["validation_loss"]]
    return all(type(x) is float for x in (numbers if score == [None, None] else numbers + score))
