"""``mnist-net train``."""

import shlex
import statistics
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mnist_net.cli import options
from mnist_net.cli.recipe import recipe_from, recipe_options
from mnist_net.cli.terminal import echo_line, log, note, program, shows_progress
from mnist_net.cli.watch import Watched, checkpoint_files, watch
from mnist_net.errors import DataError, ModelFileError

if TYPE_CHECKING:
    from mnist_net.learning.recipe import Hyperparameters
    from mnist_net.learning.training import Progress
    from mnist_net.trained.committee import Predictor
    from mnist_net.trained.model import Model

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
    show_default=True,
    help="auto (MNIST, or if no source of it works the bundled digits), mnist, digits (8×8, "
    "bundled), a folder of IDX files, an .npz file, or your own pictures: a folder of folders 0 to "
    "9, or a .csv of path and label.",
)
@recipe_options
@click.option(
    "--committee",
    type=click.IntRange(min=2),
    help="Train so many networks, of seeds from --seed up, whose probabilities are averaged.",
)
@click.option(
    "--output",
    "-o",
    type=options.ending(".joblib"),
    default=_OUTPUT,
    show_default=True,
    help="Model file to write.",
)
@click.option(
    "--plot",
    type=options.ending(".png", ".svg", ".pdf"),
    help="Draw loss, accuracy or rate, and norms.",
)
@click.option(
    "--checkpoint", type=options.PATH, help="Folder in which to keep the run after each epoch."
)
@click.option(
    "--resume",
    is_flag=True,
    help="Go on from the checkpoint, to the same bits; with more --epochs for longer, the "
    "learning rate then following the longer schedule.",
)
@click.option(
    "--from",
    "base",
    metavar="MODEL",
    help="Go on from a model's weights (shipped, latest, or a file), with its layers and at a "
    "tenth of the preset's learning rate, unless you give one.",
)
@options.data_home
@options.offline
@options.quiet
def train(
    preset: str,
    dataset: str,
    committee: int | None,
    output: Path,
    plot: Path | None,
    checkpoint: Path | None,
    resume: bool,
    base: str | None,
    data_home: Path | None,
    offline: bool,
    **asked: Any,
) -> None:
    """Train a network and save it as a model.

    The recipe comes from a preset and from the options that you give. Ctrl-C keeps the best epoch
    so far and saves it.
    """
    # Imported here: `--help` should not wait for them.
    from mnist_net.datasets.loading import dataset_files, load_dataset
    from mnist_net.runs.outcome import finish
    from mnist_net.runs.run import prepare, recipe_for
    from mnist_net.trained.store import save_model

    if resume and checkpoint is None:
        raise click.UsageError("--resume needs --checkpoint DIR, the folder to resume from")
    if plot and committee:
        raise click.UsageError("--plot draws the training of one network: leave out --committee")
    hyperparameters, start = _recipe(preset, asked, base)
    files = checkpoint_files(checkpoint, committee or 1)
    options.check_outputs([output, plot, *files], dataset_files(dataset, data_home))
    if plot:
        from mnist_net.reports.plots import check_plot

        check_plot(plot)
    splits = load_dataset(dataset, data_home, offline=offline, progress=shows_progress())
    if asked["drawn_digits"] is None:
        hyperparameters = recipe_for(splits.train, hyperparameters)
    if hyperparameters.drawn_digits:
        log.info("drawing digits in forms that MNIST lacks, which takes some seconds ...")
    run = prepare(splits.train, hyperparameters, dataset, base=start)
    if dataset == "auto" and run.data["name"] != "mnist":
        _keep_better(output)
    runs = run.with_seeds(committee or 1)
    began = time.perf_counter()
    reached, status = watch(runs, files, resume=resume)
    seconds = time.perf_counter() - began
    finished = _require_epochs(reached)
    model = finish(runs, finished, splits.test, preset=preset, best=bool(status))
    save_model(model, output)
    if plot:
        from mnist_net.reports.plots import plot_training, save_figure

        save_figure(plot_training(finished[0].history), plot)
        log.info(f"wrote {plot}")
    _tell_how_it_ended(model, hyperparameters.epochs, bool(status), checkpoint)
    _report(model, seconds, output)
    if status:
        raise click.exceptions.Exit(status)


def _recipe(
    preset: str, asked: dict[str, Any], base: str | None
) -> "tuple[Hyperparameters, Model | None]":
    """The recipe, and the model whose weights it begins with, if it does."""
    recipe = recipe_from(preset, asked)
    if base is None:
        return recipe, None
    from mnist_net.runs.run import recipe_from_model
    from mnist_net.trained.model import Model
    from mnist_net.trained.store import find_model, load_model

    settled = ("hidden_layer_sizes", "activation", "loss", "scaling", "initialization")
    if given := [name for name in settled if asked[name] not in (None, ())]:
        raise click.UsageError(f"--from keeps what the model has: leave out its {given[0]}")
    model = load_model(find_model(base))
    if not isinstance(model, Model):
        raise ModelFileError(f"{base} is a committee: --from takes one network")
    if asked["learning_rate"] is None:
        recipe = replace(recipe, learning_rate=recipe.learning_rate / 10.0)
    return recipe_from_model(model, recipe), model


def _keep_better(output: Path) -> None:
    """Do not let a model of the bundled digits, made for want of MNIST, replace another."""
    from mnist_net.trained.store import load_model

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


def _require_epochs(reached: Watched) -> "list[Progress]":
    """Where each run stands; there is nothing to save if one has no epoch behind it."""
    if None in reached:
        note("interrupted before the first epoch ended: there is nothing to save")
        raise click.exceptions.Exit(130)
    return [progress for progress in reached if progress]


def _tell_how_it_ended(
    model: "Predictor", n_epochs: int, interrupted: bool, checkpoint: Path | None
) -> None:
    members = _members(model)
    kept = [member.metadata["epoch"] for member in members]
    last = [len(member.metadata["history"]) for member in members]
    verb = "is" if len(members) == 1 else "are"
    if interrupted:
        go_on = "; go on with --resume" if checkpoint else ""
        note(f"interrupted: {_epochs(kept)}, the best so far, {verb} kept{go_on}")
    elif min(last) < n_epochs:
        better = f"none was better than {_epochs(kept)}, which {verb} kept"
        log.info(f"stopped after {_epochs(last)}: {better}")


def _epochs(numbers: list[int]) -> str:
    return ("epoch " if len(numbers) == 1 else "epochs ") + ", ".join(map(str, numbers))


def _members(model: "Predictor") -> "tuple[Model, ...]":
    from mnist_net.trained.committee import Committee

    return model.members if isinstance(model, Committee) else (model,)


def _echo_shipped() -> None:
    """The figure of the model that ships, to compare with."""
    from mnist_net.trained.store import SHIPPED, find_model, load_cached

    with suppress(ModelFileError):
        accuracy = load_cached(find_model(SHIPPED)).metadata["accuracy"]
        echo_line(f"what ships     {accuracy['test']:.2%}, which --model shipped answers with")


def _report(model: "Predictor", seconds: float, output: Path) -> None:
    from mnist_net.trained.store import find_model

    accuracy, name = model.metadata["accuracy"], model.metadata["data"]["name"]
    pictures = "scikit-learn's 8 × 8 digits" if name == "digits" else name
    named = "" if output == find_model() else f" --model {shlex.quote(str(output))}"
    alone = [member.metadata["accuracy"]["test"] for member in _members(model)]
    echo_line(
        f"test accuracy  {accuracy['test']:.2%} ± {accuracy['standard_error']:.2%} "
        f"(standard error; {accuracy['n']:,} pictures of {pictures})"
    )
    if len(alone) > 1:
        echo_line(f"members        {len(alone)}, alone {statistics.mean(alone):.2%} on average")
    if name == "mnist":
        _echo_shipped()
    echo_line(f"training time  {seconds:.1f} s")
    echo_line(f"model          {output}")
    echo_line(f"next           {program()} evaluate{named}")
    if accuracy["test"] < _POOR:
        log.warning("that is poor: try another --learning-rate")
