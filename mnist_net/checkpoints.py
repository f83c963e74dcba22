"""Checkpoints on disk: all that a run needs to go on to the same bits.

Unlike a model, a checkpoint has the optimizer's state, and the identity of the run that it is of.
"""

from pathlib import Path
from typing import Any

from mnist_net.contents import (
    Format,
    arrays_of,
    parameters_from,
    plain,
    read_file,
    require,
    require_plain,
    write_file,
)
from mnist_net.errors import ModelFileError
from mnist_net.optimizers import OptimizerState
from mnist_net.runs import Run, belongs_to
from mnist_net.training import Epoch, Progress

__all__ = ["load_checkpoint", "resume", "save_checkpoint"]

_FORMAT = Format("mnist-net checkpoint", 1)


def save_checkpoint(path: Path | str, progress: Progress, identity: dict[str, Any]) -> None:
    """Write all that is needed to resume a run, atomically.

    Parameters
    ----------
    path
        The file to write.
    progress
        Where the run stands.
    identity
        Plain values that must be the same when it resumes: hyperparameters and data.
    """
    contents = {
        "identity": plain(identity),
        "latest": _epoch_contents(progress.latest),
        "best": _epoch_contents(progress.best),
        "history": plain(progress.history),
    }
    write_file(Path(path), _FORMAT, contents)


def load_checkpoint(path: Path | str) -> tuple[Progress, dict[str, Any]]:
    """Read what `save_checkpoint` wrote, executing nothing.

    Returns
    -------
    progress, identity
        As they were given.

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
    if differences := run.differences(identity):
        raise ModelFileError(
            f"{path} belongs to another run ({'; '.join(differences)}): give the same options, or "
            "another --checkpoint folder"
        )
    if not belongs_to(run, progress):
        raise ModelFileError(f"{path} is damaged: its arrays have other shapes than its options")
    return progress


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
            int(epoch["number"]),
            parameters_from(epoch),
            OptimizerState(int(epoch["step"]), tuple(map(parameters_from, epoch["moments"]))),
        )
        for epoch in (contents["latest"], contents["best"])
    )
    history, identity = contents["history"], contents["identity"]
    require_plain([history, identity])
    require(1 <= best.number <= latest.number == len(history), "epochs that do not add up")
    for record in history:
        score = record["validation_accuracy"], record["validation_loss"]
        require(score == (None, None) or all(type(x) is float for x in score), "a bad history")
    return Progress(latest, best, tuple(history)), dict(identity)
