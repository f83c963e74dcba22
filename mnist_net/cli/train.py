"""``mnist-net train``."""

import shlex
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import click

from mnist_net.cli import options
from mnist_net.cli.elsewhere import cluster_of, cluster_options
from mnist_net.cli.recipe import recipe_from, recipe_options, with_file
from mnist_net.cli.terminal import echo_line, log, note, program
from mnist_net.cli.watch import Ended, checkpoint_files, watch
from mnist_net.errors import DataError, ModelFileError
from mnist_net.learning.recipe import TAUGHT

if TYPE_CHECKING:
    from mnist_net.learning.recipe import Hyperparameters
    from mnist_net.trained.committee import Predictor
    from mnist_net.trained.model import Model

_OUTPUT = Path("models", "latest.joblib")
_POOR = 0.5  # below this accuracy something is wrong with the recipe


@options.command(
    "train",
    "train --hidden 300 --hidden 100 --epochs 20 --plot curves.png",
    "train --preset cs229 --dataset path/to/idx/files",
    "train --checkpoint run1 --resume",
    "train --committee 5 --output models/committee.joblib",
    "train --teacher models/committee.joblib --preset accurate",
    "train --recipe recipe.toml         # what `mnist-net tune` found",
    "train --committee 8 --backend dask --scheduler tcp://10.0.0.1:8786 --checkpoint run1",
)
@click.option(
    "--dataset",
    default="auto",
    help="auto (MNIST, or if no source of it works the bundled digits), mnist, digits (8×8, "
    "bundled), a folder of IDX files, an .npz file, your own pictures: a folder of folders 0 to 9, "
    "or a .csv of path and label; or a folder of shards, which may be larger than memory.",
)
@recipe_options
@click.option(
    "--committee",
    type=options.whole(min=2),
    help="Train so many networks, of seeds from --seed up, whose probabilities are averaged.",
)
@click.option(
    "--output",
    "-o",
    type=options.ending(".joblib"),
    default=_OUTPUT,
    help="Model file to write.",
)
@click.option(
    "--plot",
    type=options.ending(".png", ".svg", ".pdf"),
    help="Draw loss, accuracy or rate, and norms.",
)
@options.path_option("--checkpoint", help="Folder in which to keep the run after each epoch.")
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
@click.option(
    "--teacher",
    metavar="MODEL",
    help="Learn what a model or a committee says of each distorted digit (shipped, latest, or a "
    "file), with a weight of {teacher_weight:g} and at a temperature of {teacher_temperature:g} "
    "unless you give them.".format(**TAUGHT),
)
@cluster_options("train, a network each")
@click.option(
    "--shards",
    type=options.whole(min=2),
    help="Compute the gradients of each minibatch in so many parts, on threads or workers. It "
    "hardly ever pays: docs/many-machines.md.",
)
@options.data_home
@options.offline
@options.quiet
def train(
    preset: str,
    recipe: Path | None,
    dataset: str,
    data_home: Path | None,
    offline: bool,
    committee: int | None,
    output: Path,
    plot: Path | None,
    checkpoint: Path | None,
    resume: bool,
    base: str | None,
    teacher: str | None,
    backend: str | None,
    scheduler: str | None,
    shards: int | None,
    **asked: Any,
) -> None:
    """Train a network and save it as a model.

    The recipe comes from a preset or a file, and from the options that you give. Ctrl-C keeps the
    best epoch so far and saves it.
    """
    from mnist_net.reports.plots import check_plot, plot_training, save_figure
    from mnist_net.runs.outcome import finish
    from mnist_net.runs.run import prepare, recipe_for
    from mnist_net.runs.together import train_together
    from mnist_net.trained.store import save_model

    if plot and committee:
        raise click.UsageError("--plot draws the training of one network: leave out --committee")
    preset = with_file(preset, recipe, asked)
    if shards and committee:
        raise click.UsageError("--shards is for one network: leave out --committee")
    cluster = cluster_of(backend, scheduler)
    better = _teacher(teacher, asked)
    chosen, start = _recipe(preset, asked, base)
    if better and start is None and asked["normalization"] is None:
        chosen = replace(chosen, normalization="none")  # a teacher is shown what the run has
    files = checkpoint_files(checkpoint, committee or 1, resume=resume)
    if plot:
        check_plot(plot)
    source: dict[str, Any] = {"dataset": dataset, "data_home": data_home, "offline": offline}
    splits = options.open_splits([output, plot, *files], [recipe], **source)
    if dataset == "auto" and splits.train.name != "mnist":
        _keep_better(output)
    if asked["drawn_digits"] is None:
        chosen = recipe_for(splits.train, chosen)
    if chosen.drawn_digits:
        log.info("drawing digits in forms that MNIST lacks, which takes some seconds ...")
    run = prepare(splits.train, chosen, dataset, base=start, teacher=better)
    runs = run.with_seeds(committee or 1)
    with cluster() as workers:
        trained = partial(train_together, cluster=workers, n_shards=shards or 1)
        ended = watch(runs, files, resume=resume, train=trained)
    model = finish(runs, ended.reached, splits.test, preset=preset, best=bool(ended.status))
    save_model(model, output)
    if plot:
        save_figure(plot_training(ended.reached[0].history), plot)
        log.info(f"wrote {plot}")
    _tell_how_it_ended(ended, chosen.epochs, checkpoint)
    _report(model, ended.seconds, output)
    raise click.exceptions.Exit(ended.status)


def _teacher(name: str | None, asked: dict[str, Any]) -> "Predictor | None":
    """The teacher, which is given weight and temperature unless they were asked for."""
    if name is None:
        for setting in TAUGHT:
            if asked[setting]:
                option = setting.replace("_", "-")
                raise click.UsageError(f"--{option} needs --teacher MODEL, from whom to learn")
        return None
    for setting, value in TAUGHT.items():
        if asked[setting] is None:
            asked[setting] = value
    if asked["teacher_weight"] == 0.0:
        raise click.UsageError("--teacher-weight is 0, and the --teacher so teaches nothing")
    from mnist_net.trained.store import load_model

    return load_model(options.chosen_model(name, warns=False))


def _recipe(
    preset: str, asked: dict[str, Any], base: str | None
) -> "tuple[Hyperparameters, Model | None]":
    """The recipe, and the model whose weights it begins with, if it does."""
    recipe = recipe_from(preset, asked)
    if base is None:
        return recipe, None
    from mnist_net.runs.run import recipe_from_model
    from mnist_net.trained.companions import check_is_no_companion
    from mnist_net.trained.model import Model
    from mnist_net.trained.store import find_model, load_model

    settled = "hidden_layer_sizes feature_maps activation loss scaling normalization initialization"
    if given := [name for name in settled.split() if asked[name] is not None]:
        raise click.UsageError(f"--from keeps what the model has: leave out its {given[0]}")
    model = load_model(find_model(base))
    check_is_no_companion(model, base)
    if not isinstance(model, Model):
        raise ModelFileError(f"{base} is a committee: --from takes one network")
    if asked["learning_rate"] is None:
        recipe = replace(recipe, learning_rate=recipe.learning_rate / 10.0)
    return recipe_from_model(model, recipe), model


def _keep_better(output: Path) -> None:
    """Do not let a model of the bundled digits, made for want of MNIST, replace another."""
    from mnist_net.trained.store import load_model

    trained_on = "digits"
    if output.is_file():
        with suppress(ModelFileError):  # what is no model may be replaced
            trained_on = load_model(output).metadata.get("data", {}).get("name")
    if trained_on != "digits":
        raise DataError(
            f"{output} holds a model of {trained_on}, which a model of the bundled digits should "
            "not replace; name another --output, or say --dataset digits"
        )


def _tell_how_it_ended(ended: Ended, n_epochs: int, checkpoint: Path | None) -> None:
    """Say which epochs are kept, if they are not the last ones of the recipe."""
    kept = _epochs([progress.best.number for progress in ended.reached])
    last = [progress.latest.number for progress in ended.reached]
    verb = "is" if len(last) == 1 else "are"
    if ended.status:
        go_on = "; go on with --resume" if checkpoint else ""
        note(f"{ended.why}: {kept}, the best so far, {verb} kept{go_on}")
    elif min(last) < n_epochs:
        log.info(f"stopped after {_epochs(last)}: none was better than {kept}, which {verb} kept")


def _epochs(numbers: list[int]) -> str:
    return ("epoch " if len(numbers) == 1 else "epochs ") + ", ".join(map(str, numbers))


def _echo_shipped() -> None:
    """The figure of the model that ships, to compare with."""
    from mnist_net.trained.store import SHIPPED, find_model, load_cached

    with suppress(ModelFileError):
        accuracy = load_cached(find_model(SHIPPED)).metadata["accuracy"]
        echo_line(f"what ships     {accuracy['test']:.2%}, which --model shipped answers with")


def _report(model: "Predictor", seconds: float, output: Path) -> None:
    from mnist_net.trained.committee import Committee
    from mnist_net.trained.store import find_model

    accuracy, name = model.metadata["accuracy"], model.metadata["data"]["name"]
    pictures = "scikit-learn's 8 × 8 digits" if name == "digits" else name
    named = "" if output == find_model() else f" --model {shlex.quote(str(output))}"
    echo_line(
        f"test accuracy  {accuracy['test']:.2%} ± {accuracy['standard_error']:.2%} "
        f"(standard error; {accuracy['n']:,} pictures of {pictures})"
    )
    if isinstance(model, Committee):
        alone = [member.metadata["accuracy"]["test"] for member in model.members]
        echo_line(f"members        {len(alone)}, alone {fmean(alone):.2%} on average")
    if name == "mnist":
        _echo_shipped()
    echo_line(f"training time  {seconds:.1f} s")
    echo_line(f"model          {output}")
    echo_line(f"next           {program()} evaluate{named}")
    if accuracy["test"] < _POOR:
        log.warning("that is poor: try another --learning-rate")
