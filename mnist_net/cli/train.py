"""``mnist-net train``."""

import shlex
from contextlib import suppress
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import click

from mnist_net.cli import options
from mnist_net.cli.recipe import recipe_from, recipe_options
from mnist_net.cli.terminal import echo_line, log, note, program
from mnist_net.cli.watch import Ended, checkpoint_files, watch
from mnist_net.errors import DataError, ModelFileError

if TYPE_CHECKING:
    from mnist_net.trained.committee import Predictor

_OUTPUT = Path("models", "latest.joblib")
_POOR = 0.5  # below this accuracy something is wrong with the recipe


@click.command(
    epilog=options.examples(
        "train",
        "train --hidden 300 --hidden 100 --epochs 20 --plot curves.png",
        "train --preset cs229 --dataset path/to/idx/files",
        "train --checkpoint run1 --resume",
        "train --committee 5 --output models/committee.joblib",
    )
)
@click.option(
    "--dataset",
    default="auto",
    help="auto (MNIST, or if no source of it works the bundled digits), mnist, digits (8×8, "
    "bundled), a folder of IDX files, or an .npz file.",
)
@recipe_options
@click.option(
    "--committee",
    type=click.IntRange(min=2),
    help="Train so many networks, of seeds from --seed up, whose probabilities are averaged.",
)
@options.path_option("--output", "-o", default=_OUTPUT, help="Model file to write.")
@options.path_option(
    "--plot", help="Draw loss, accuracy or rate, and norms to a .png, .svg or .pdf."
)
@options.path_option("--checkpoint", help="Folder in which to keep the run after each epoch.")
@click.option("--resume", is_flag=True, help="Go on from the checkpoint, to the same bits.")
@options.data_home
@options.offline
@options.quiet
def train(
    dataset: str,
    committee: int | None,
    output: Path,
    plot: Path | None,
    checkpoint: Path | None,
    resume: bool,
    data_home: Path | None,
    offline: bool,
    **asked: Any,
) -> None:
    """Train a network and save it as a model.

    The recipe comes from a preset and from the options that you give. Ctrl-C keeps the best epoch
    so far and saves it.
    """
    from mnist_net.reports.plots import check_plot, plot_training, save_figure
    from mnist_net.runs.outcome import finish
    from mnist_net.runs.run import prepare, recipe_for
    from mnist_net.trained.store import save_model

    if resume and checkpoint is None:
        raise click.UsageError("--resume needs --checkpoint DIR, the folder to resume from")
    if plot and committee:
        raise click.UsageError("--plot draws the training of one network: leave out --committee")
    recipe = recipe_from(**asked)
    files = checkpoint_files(checkpoint, committee or 1)
    outputs = [output, plot, *files]
    options.check_outputs(outputs)
    if plot:
        check_plot(plot)
    splits = options.load_splits(outputs, dataset=dataset, data_home=data_home, offline=offline)
    if dataset == "auto" and splits.train.name != "mnist":
        _keep_better(output)
    if asked["drawn_digits"] is None:
        recipe = recipe_for(splits.train, recipe)
    if recipe.drawn_digits:
        log.info("drawing digits in forms that MNIST lacks, which takes some seconds ...")
    runs = prepare(splits.train, recipe, dataset).with_seeds(committee or 1)
    ended = watch(runs, files, resume=resume)
    model = finish(runs, ended.reached, splits.test, preset=asked["preset"], best=ended.interrupted)
    save_model(model, output)
    if plot:
        save_figure(plot_training(ended.reached[0].history), plot)
        log.info("wrote %s", plot)
    _tell_end(ended, recipe.epochs, checkpoint)
    _report(model, ended.seconds, output)
    if ended.interrupted:
        raise click.exceptions.Exit(130)


def _keep_better(output: Path) -> None:
    """Do not let a model of the bundled digits, made for want of MNIST, replace another."""
    from mnist_net.trained.store import load_model

    if not output.is_file():
        return
    with suppress(ModelFileError):  # what is no model may be replaced
        trained_on = load_model(output).metadata.get("data", {}).get("name")
        if trained_on != "digits":
            raise DataError(
                f"{output} holds a model of {trained_on}, which a model of the bundled digits "
                "should not replace; name another --output, or say --dataset digits"
            )


def _tell_end(ended: Ended, n_epochs: int, checkpoint: Path | None) -> None:
    """Say which epochs are kept, if they are not the last ones of the recipe."""
    best = _epochs([progress.best.number for progress in ended.reached])
    last = [progress.latest.number for progress in ended.reached]
    verb = "is" if len(last) == 1 else "are"
    if ended.interrupted:
        go_on = "; go on with --resume" if checkpoint else ""
        note(f"interrupted: {best}, the best so far, {verb} kept{go_on}")
    elif min(last) < n_epochs:
        log.info(
            "stopped after %s: none was better than %s, which %s kept", _epochs(last), best, verb
        )


def _epochs(numbers: list[int]) -> str:
    return ("epoch " if len(numbers) == 1 else "epochs ") + ", ".join(map(str, numbers))


def _report(model: "Predictor", seconds: float, output: Path) -> None:
    from mnist_net.trained.committee import Committee

    accuracy, name = model.metadata["accuracy"], model.metadata["data"]["name"]
    pictures = "scikit-learn's 8 × 8 digits" if name == "digits" else name
    named = "" if output == _OUTPUT else f" --model {shlex.quote(str(output))}"
    echo_line(
        f"test accuracy  {accuracy['test']:.2%} ± {accuracy['standard_error']:.2%} "
        f"(standard error; {accuracy['n']:,} pictures of {pictures})"
    )
    if isinstance(model, Committee):
        alone = [member.metadata["accuracy"]["test"] for member in model.members]
        echo_line(f"members        {len(alone)}, alone {fmean(alone):.2%} on average")
    echo_line(f"training time  {seconds:.1f} s")
    echo_line(f"model          {output}")
    echo_line(f"next           {program()} evaluate{named}")
    if accuracy["test"] < _POOR:
        log.warning("that is poor: try another --learning-rate")
