"""Training as one watches it: progress, checkpoints, and Ctrl-C."""

import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mnist_net.cli.terminal import log, shows_progress
from mnist_net.learning.training import Progress

if TYPE_CHECKING:
    from mnist_net.runs.run import Run

Watched = tuple[Progress | None, ...]
"""Where each run stands; None for one that has no epoch behind it."""


def checkpoint_files(folder: Path | None, n_runs: int) -> list[Path | None]:
    """File of each run in a folder of checkpoints."""
    if folder is None:
        return [None] * n_runs
    if n_runs == 1:
        return [folder / "checkpoint.joblib"]
    return [folder / f"checkpoint-{number}.joblib" for number in range(1, n_runs + 1)]


def watch(
    runs: Sequence["Run"], files: Sequence[Path | None], *, resume: bool
) -> tuple[Watched, int]:
    """Train, showing and saving each epoch; return where it ended, and the exit status if early.

    That is 130 for Ctrl-C, and 143 and 129 for the signals by which machines end a process.
    """
    from tqdm import tqdm

    from mnist_net.runs.checkpoints import save_checkpoint
    from mnist_net.runs.together import train_together

    pairs = list(zip(runs, files, strict=True))
    reached = starts = tuple(
        (file and _resumed(file, run, resume)) or run.start() for run, file in pairs
    )
    total, begun = runs[0].hyperparameters.epochs, _epochs_behind(starts)
    bar = shows_progress()
    before = time.perf_counter()
    ended: list[int] = []
    try:
        _interrupt_once(ended)
        with tqdm(total=total, initial=begun, unit="epoch", disable=not bar) as shown:
            for reached in train_together(runs, starts):
                for (run, file), progress in zip(pairs, reached, strict=True):
                    if file and progress:
                        save_checkpoint(file, progress, run.identity())
                now = time.perf_counter()
                described, before = _describe(reached, now - before), now
                if bar:
                    shown.set_postfix_str(described)
                    shown.update()
                else:
                    number = f"{_epochs_behind(reached):>{len(str(total))}}/{total}"
                    log.info(f"epoch {number}  {described}")
    except KeyboardInterrupt:
        return reached, 128 + (ended or [signal.SIGINT])[0]
    return reached, 0


def _epochs_behind(reached: Watched) -> int:
    return max(progress.latest.number if progress else 0 for progress in reached)


def _interrupt_once(ended: list[int]) -> None:
    """Let the first Ctrl-C, SIGTERM or SIGHUP end the training, and no other lose what is saved."""
    names = ("SIGINT", "SIGTERM", "SIGHUP")  # not all systems have all of them
    before = {
        number: signal.getsignal(number)
        for name in names
        if (number := getattr(signal, name, None)) is not None
    }
    # What is ignored, Ctrl-C in the background or SIGHUP under nohup, stays so.
    heard = [
        number
        for number, handler in before.items()
        if handler in (signal.SIG_DFL, signal.default_int_handler)
    ]

    def interrupt(number: int, _frame: object) -> None:
        for other in heard:
            signal.signal(other, signal.SIG_IGN)
        ended.append(number)
        raise KeyboardInterrupt

    def restore() -> None:
        for number in heard if not ended else []:  # else the process is about to end
            signal.signal(number, before[number])

    for number in heard:
        signal.signal(number, interrupt)
    click.get_current_context().call_on_close(restore)


def _describe(reached: Watched, seconds: float) -> str:
    """Latest epoch in one line; several networks by their means."""
    records = [progress.history[-1] for progress in reached if progress]
    parts = [f"loss {_mean(records, 'loss'):.4f}"]
    if records[0]["validation_accuracy"] is not None:
        parts.append(f"validation {_mean(records, 'validation_accuracy'):.2%}")
    parts += [f"rate {_mean(records, 'learning_rate'):.4f}", f"{seconds:.2f} s"]
    return "  ".join(parts + ([f"mean of {len(records)}"] if len(reached) > 1 else []))


def _mean(records: Sequence[dict[str, Any]], name: str) -> float:
    return sum(float(record[name]) for record in records) / len(records)


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
