"""Training as one watches it: progress, checkpoints, and Ctrl-C."""

import signal
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

import click

from mnist_net.cli.terminal import log, note, shows_progress
from mnist_net.learning.training import Progress

if TYPE_CHECKING:
    from mnist_net.runs.run import Run


class Ended(NamedTuple):
    """Where each run stands at the end, after how long, and whether Ctrl-C was the end."""

    reached: list[Progress]
    seconds: float
    interrupted: bool


def checkpoint_files(folder: Path | None, n_runs: int) -> list[Path | None]:
    """File of each run in a folder of checkpoints."""
    numbers = [""] if n_runs == 1 else [f"-{number}" for number in range(1, n_runs + 1)]
    return [folder / f"checkpoint{number}.joblib" if folder else None for number in numbers]


def watch(runs: Sequence["Run"], files: Sequence[Path | None], *, resume: bool) -> Ended:
    """Train, showing and saving each epoch; status 130 if Ctrl-C leaves nothing to keep."""
    from tqdm import tqdm

    from mnist_net.runs.checkpoints import save_checkpoint
    from mnist_net.runs.together import train_together

    began = before = time.perf_counter()
    pairs = list(zip(runs, files, strict=True))
    starts = tuple(_resumed(file, run, resume) if file else None for run, file in pairs)
    reached: Sequence[Progress | None] = starts
    total, bar, interrupted = runs[0].hyperparameters.epochs, shows_progress(), False
    try:
        _interrupt_once()
        with tqdm(total=total, initial=_number(starts), unit="epoch", disable=not bar) as shown:
            for reached in train_together(runs, starts):
                for (run, file), progress in zip(pairs, reached, strict=True):
                    if file and progress:
                        save_checkpoint(file, progress, run.identity())
                now = time.perf_counter()
                described, before = _describe(reached, now - before), now
                shown.set_postfix_str(described)
                shown.update()
                if not bar:
                    number = f"{_number(reached):>{len(str(total))}}/{total}"
                    log.info("epoch %s  %s", number, described)
    except KeyboardInterrupt:
        interrupted = True
    kept = [progress for progress in reached if progress]
    if len(kept) < len(runs):
        note("interrupted before the first epoch ended: there is nothing to save")
        raise click.exceptions.Exit(130)
    return Ended(kept, time.perf_counter() - began, interrupted)


def _number(reached: Sequence[Progress | None]) -> int:
    """Of the latest epoch that any run has behind it."""
    return max(progress.latest.number if progress else 0 for progress in reached)


def _interrupt_once() -> None:
    """Let the first Ctrl-C end the training, and no other lose what is then saved."""

    def interrupt(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise KeyboardInterrupt

    def restore() -> None:
        if signal.getsignal(signal.SIGINT) is interrupt:  # else the process is about to end
            signal.signal(signal.SIGINT, signal.default_int_handler)

    # In the background, say, it is ignored, and stays so.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupt)
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
            log.info("%s does not exist yet: starting from the beginning", file)
        return None
    if not resume:
        raise click.UsageError(
            f"{file} holds an earlier run: add --resume to go on with it, or remove it"
        )
    progress = resume_run(run, file)
    log.info("going on after epoch %s", progress.latest.number)
    return progress
