"""Training as one watches it: progress, checkpoints, and Ctrl-C."""

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

import click

from mnist_net.cli.terminal import log, note, shows_progress
from mnist_net.errors import ClusterError
from mnist_net.learning.training import Progress

if TYPE_CHECKING:
    from mnist_net.runs.run import Run


class Ended(NamedTuple):
    """Where each run stands at the end, after how long; and if it was early, status and reason."""

    reached: list[Progress]
    seconds: float
    status: int
    why: str


def checkpoint_files(folder: Path | None, n_runs: int, *, resume: bool) -> list[Path | None]:
    """File of each run in a folder of checkpoints, if there is one."""
    if resume and folder is None:
        raise click.UsageError("--resume needs --checkpoint DIR, the folder to resume from")
    numbers = [""] if n_runs == 1 else [f"-{number}" for number in range(1, n_runs + 1)]
    return [folder / f"checkpoint{number}.joblib" if folder else None for number in numbers]


def watch(
    runs: Sequence["Run"],
    files: Sequence[Path | None],
    *,
    resume: bool,
    train: Callable[..., Iterator[tuple[Progress | None, ...]]],
) -> Ended:
    """Train by `train_together`, showing and saving each epoch.

    The status is 130 after Ctrl-C, 143 and 129 for the signals by which machines end a process, and
    1 if the cluster is lost; the command ends with it here if there is nothing to save.
    """
    from tqdm import tqdm

    from mnist_net.runs.checkpoints import save_checkpoint

    began = before = time.perf_counter()
    pairs = list(zip(runs, files, strict=True))
    starts = tuple((file and _resumed(file, run, resume)) or run.start() for run, file in pairs)
    reached: Sequence[Progress | None] = starts
    total, bar = runs[0].hyperparameters.epochs, shows_progress()
    heard: list[int] = []
    try:
        interrupt_once(heard)
        with tqdm(total=total, initial=_number(starts), unit="epoch", disable=not bar) as shown:
            for reached in train(runs, starts):
                for (run, file), progress in zip(pairs, reached, strict=True):
                    if file and progress:
                        save_checkpoint(file, progress, run.identity())
                now = time.perf_counter()
                described, before = _describe(reached, now - before), now
                shown.set_postfix_str(described)
                shown.update()
                if not bar:
                    number = f"{_number(reached):>{len(str(total))}}/{total}"
                    log.info(f"epoch {number}  {described}")
        status, why = 0, ""
    except KeyboardInterrupt:
        status, why = 128 + (heard or [signal.SIGINT])[0], "interrupted"
    except ClusterError as error:
        if not _all_began(reached):
            raise
        status, why = 1, str(error)
    if not _all_began(reached):
        note("interrupted before the first epoch ended: there is nothing to save")
        raise click.exceptions.Exit(status)
    seconds = time.perf_counter() - began
    return Ended([progress for progress in reached if progress], seconds, status, why)


def _all_began(reached: Sequence[Progress | None]) -> bool:
    """Whether each run has an epoch behind it."""
    return all(progress and progress.history for progress in reached)


def _number(reached: Sequence[Progress | None]) -> int:
    """Of the latest epoch that any run has behind it."""
    return max(progress.latest.number if progress else 0 for progress in reached)


def interrupt_once(ended: list[int]) -> None:
    """Let the first Ctrl-C, SIGTERM or SIGHUP end the work, and no other lose what is saved."""
    names = ("SIGINT", "SIGTERM", "SIGHUP")  # not all systems have all of them
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    handlers = {number: signal.getsignal(number) for number in numbers}
    # What is ignored, Ctrl-C in the background or SIGHUP under nohup, stays so.
    usual = (signal.SIG_DFL, signal.default_int_handler)
    heard = [number for number, handler in handlers.items() if handler in usual]

    def interrupt(number: int, _frame: object) -> None:
        for other in heard:
            signal.signal(other, signal.SIG_IGN)
        ended.append(number)
        raise KeyboardInterrupt

    def restore() -> None:
        for number in heard if not ended else []:  # else the process is about to end
            signal.signal(number, handlers[number])

    for number in heard:
        signal.signal(number, interrupt)
    click.get_current_context().call_on_close(restore)


def _describe(reached: Sequence[Progress | None], seconds: float) -> str:
    """Latest epoch in one line; several networks by their means."""
    records = [progress.history[-1] for progress in reached if progress]

    def mean(name: str) -> float:
        return fmean(record[name] for record in records)

    parts = [f"loss {mean('loss'):.4f}"]
    if records[0]["validation_accuracy"] is not None:
        parts.append(f"validation {mean('validation_accuracy'):.2%}")
    parts += [f"rate {mean('learning_rate'):.4f}", f"{seconds:.2f} s"]
    return "  ".join(parts + ([f"mean of {len(records)}"] if len(reached) > 1 else []))


def _resumed(file: Path, run: "Run", resume: bool) -> Progress | None:
    from mnist_net.runs.checkpoints import resume as resume_run

    if not file.exists():
        if resume:
            log.info(f"{file} does not exist yet: starting from the beginning")
        return None
    if not resume:
        raise click.UsageError(
            f"{file} holds an earlier run: add --resume to go on with it, or remove it"
        )
    progress = resume_run(run, file)
    log.info(f"going on after epoch {progress.latest.number}")
    return progress
