"""``mnist-net train``."""

import shlex
import signal
import time
from pathlib import Path
from typing import Any

import click

from mnist_net.cli.recipe import recipe_from, recipe_options
from mnist_net.cli.shared import (
    PATH,
    data_home_option,
    epilog,
    note,
    offline_option,
    program,
    quiet_option,
    require_distinct,
    stderr_is_terminal,
    tell,
    warn,
)
from mnist_net.errors import DataError, ModelFileError
from mnist_net.training import Progress

__all__ = ["train"]

_OUTPUT = Path("models", "latest.joblib")
_POOR = 0.5  # below this accuracy something is wrong with the recipe


@click.command(
    epilog=epilog(
        "train",
        "train --hidden 300 --hidden 100 --epochs 20 --plot curves.png",
        "train --preset cs229 --dataset path/to/idx/files",
        "train --checkpoint run1 --resume",
    )
)
@click.option(
    "--dataset",
    default="auto",
    show_default=True,
    help="auto (MNIST, or if no source of it works the bundled digits), mnist, digits (8×8, "
    "bundled), a folder of IDX files, or an .npz file.",
)
@recipe_options
@click.option(
    "--output",
    "-o",
    type=PATH,
    default=_OUTPUT,
    show_default=True,
    help="Model file to write.",
)
@click.option(
    "--plot", type=PATH, help="Draw loss, accuracy or rate, and norms to a .png, .svg or .pdf."
)
@click.option("--checkpoint", type=PATH, help="Folder in which to keep the run after each epoch.")
@click.option("--resume", is_flag=True, help="Go on from the checkpoint, to the same bits.")
@data_home_option
@offline_option
@quiet_option
def train(
    preset: str,
    dataset: str,
    output: Path,
    plot: Path | None,
    checkpoint: Path | None,
    resume: bool,
    data_home: Path | None,
    offline: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Train a network and save it as a model.

    The recipe comes from a preset and from the options that you give. Ctrl-C keeps the best epoch
    so far and saves it.
    """
    # Imported here: `--help` should not wait for them.
    from mnist_net.data import load_dataset
    from mnist_net.files import check_writable
    from mnist_net.persistence import save_model
    from mnist_net.runs import finish, measure_accuracy, prepare

    if resume and checkpoint is None:
        raise click.UsageError("--resume needs --checkpoint DIR, the folder to resume from")
    hyperparameters = recipe_from(preset, options)
    file = checkpoint / "checkpoint.joblib" if checkpoint else None
    require_distinct(output, plot, file)
    for path in filter(None, (output, plot, file)):
        check_writable(path)
    if plot:
        from mnist_net.plots import check_plot

        check_plot(plot)
    splits = load_dataset(
        dataset, data_home, offline=offline, progress=stderr_is_terminal() and not quiet
    )
    run = prepare(splits.train, hyperparameters, dataset)
    if dataset == "auto" and run.data["name"] != "mnist":
        _keep_better(output)
    began = time.perf_counter()
    progress, interrupted = _watch(run, file, resume, quiet)
    seconds = time.perf_counter() - began
    if progress is None:
        note("interrupted before the first epoch ended: there is nothing to save")
        raise click.exceptions.Exit(130)
    epoch = progress.best if interrupted else progress.chosen(hyperparameters)
    model = measure_accuracy(finish(run, progress, epoch=epoch, preset=preset), splits.test)
    save_model(model, output)
    if plot:
        from mnist_net.plots import plot_training, save_figure

        save_figure(plot_training(progress.history), plot)
    if interrupted:
        go_on = "; go on with --resume" if checkpoint else ""
        note(f"interrupted: epoch {epoch.number}, the best so far, is kept{go_on}")
    elif progress.latest.number < hyperparameters.epochs:
        tell(
            f"stopped after epoch {progress.latest.number}: none was better than epoch "
            f"{epoch.number}, which is kept"
        )
    _report(model.metadata["accuracy"], seconds, output, run.data["name"])
    if interrupted:
        raise click.exceptions.Exit(130)


def _keep_better(output: Path) -> None:
    """Do not let a model of the bundled digits, made for want of MNIST, replace another."""
    from mnist_net.persistence import load_model

    if not output.is_file():
        return
    try:
        trained_on = load_model(output).metadata.get("data", {}).get("name")
    except ModelFileError:
        return
    if trained_on != "digits":
        raise DataError(
            f"{output} holds a model of {trained_on}, which a model of the bundled digits should "
            "not replace; name another --output, or say --dataset digits"
        )


def _watch(run: Any, file: Path | None, resume: bool, quiet: bool) -> tuple[Progress | None, bool]:
    """Train, showing and saving each epoch; return where it ended, and whether by Ctrl-C."""
    from tqdm import tqdm

    from mnist_net.checkpoints import save_checkpoint
    from mnist_net.runs import blas_threads
    from mnist_net.training import train as train_epochs

    start = progress = _resumed(file, run, resume) if file else None
    total = run.hyperparameters.epochs
    bar = stderr_is_terminal() and not quiet
    begun = start.latest.number if start else 0
    epochs = train_epochs(run.training, run.hyperparameters, validation=run.validation, start=start)
    try:
        _interrupt_once()
        with (
            blas_threads(run.hyperparameters),
            tqdm(total=total, initial=begun, unit="epoch", disable=not bar) as shown,
        ):
            for progress in epochs:
                record = progress.history[-1]
                if file:
                    save_checkpoint(file, progress, run.identity())
                if bar:
                    shown.set_postfix_str(_describe(record))
                    shown.update()
                else:
                    number = f"{record['epoch']:>{len(str(total))}}/{total}"
                    tell(f"epoch {number}  {_describe(record)}")
    except KeyboardInterrupt:
        return progress, True
    return progress, False


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


def _describe(record: dict[str, Any]) -> str:
    parts = [f"loss {record['loss']:.4f}"]
    if record["validation_accuracy"] is not None:
        parts.append(f"validation {record['validation_accuracy']:.2%}")
    parts += [f"rate {record['learning_rate']:.4f}", f"{record['seconds']:.2f} s"]
    return "  ".join(parts)


def _resumed(file: Path, run: Any, resume: bool) -> Progress | None:
    from mnist_net.checkpoints import resume as resume_run

    if not file.exists():
        if resume:
            tell(f"{file} does not exist yet: starting from the beginning")
        return None
    if not resume:
        raise click.UsageError(
            f"{file} holds an earlier run: add --resume to go on with it, or remove it"
        )
    progress = resume_run(run, file)
    tell(f"going on after epoch {progress.latest.number}")
    return progress


def _report(accuracy: dict[str, Any], seconds: float, output: Path, data_name: str) -> None:
    pictures = "scikit-learn's 8 × 8 digits" if data_name == "digits" else data_name
    named = "" if output == _OUTPUT else f" --model {shlex.quote(str(output))}"
    click.echo(
        f"test accuracy  {accuracy['test']:.2%} ± {accuracy['standard_error']:.2%} "
        f"(standard error; {accuracy['n']:,} pictures of {pictures})\n"
        f"training time  {seconds:.1f} s\n"
        f"model          {output}\n"
        f"next           {program()} evaluate{named}"
    )
    if accuracy["test"] < _POOR:
        warn("that is little better than guessing: try another --learning-rate")
