"""``mnist-net tune``."""

import signal
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mnist_net.cli import options
from mnist_net.cli.elsewhere import cluster_of, cluster_options
from mnist_net.cli.terminal import counted, echo_json, echo_line, log, note, program
from mnist_net.cli.watch import interrupt_once
from mnist_net.errors import ClusterError
from mnist_net.tuning.proposals import PRUNERS, SAMPLERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mnist_net.cluster import Cluster
    from mnist_net.learning.recipe import Hyperparameters
    from mnist_net.tuning.search import Search
    from mnist_net.tuning.study import Trial

_STUDY = Path("tune.db")
_RECIPE = Path("recipe.toml")


def _meanings(named: dict[str, str]) -> str:
    return "; ".join(f"{name}: {meaning}" for name, meaning in named.items())


@options.command(
    "tune --show-space > space.toml          # to begin one of your own",
    "tune space.toml --trials 100 --workers 2 --plot tune.png",
    "tune space.toml --trials 100            # again: goes on, or helps the one that runs",
    "tune space.toml --trials 0 --csv tune.csv   # only what there is",
    "tune space.toml --backend dask --scheduler tcp://10.0.0.1:8786",
    "train --recipe recipe.toml",
)
@click.argument("space", required=False, type=options.PATH)
@click.option("--show-space", is_flag=True, help="Print the space that is searched by default.")
@options.path_option(
    "--study", default=_STUDY, help="SQLite file of all trials; if it exists, go on with it."
)
@click.option(
    "--trials", type=options.whole(min=0), default=50, help="How many trials the study is to have."
)
@click.option(
    "--minutes", type=click.FloatRange(0.0, min_open=True), help="Begin no trial after so many."
)
@click.option(
    "--workers",
    type=options.whole(min=1),
    help="Processes, one trial and one thread each; with a cluster, trials at a time.  [default: "
    "one for each core, here or there]",
)
@cluster_options("train, an epoch of a trial a task")
@click.option(
    "--sampler",
    type=click.Choice(list(SAMPLERS)),
    default="tpe",
    help=f"Where to look next. {_meanings(SAMPLERS)}.",
)
@click.option(
    "--pruner",
    type=click.Choice(list(PRUNERS)),
    default="median",
    help=f"When to end a trial early. {_meanings(PRUNERS)}.",
)
@options.seed("Of the proposals.")
@click.option(
    "--output",
    "-o",
    type=options.ending(".toml"),
    default=_RECIPE,
    help="File to write the best recipe to, for train --recipe.",
)
@click.option("--csv", type=options.ending(".csv"), help="Write all trials as a table.")
@click.option(
    "--plot",
    type=options.ending(".png", ".svg", ".pdf"),
    help="Draw how the search went, and what each hyperparameter did.",
)
@click.option("--top", type=options.whole(min=1), default=10, help="Trials to show.")
@options.as_json
@options.dataset
@options.quiet
def tune(space: Path | None, show_space: bool, **asked: Any) -> None:
    """Search for better hyperparameters.

    SPACE is a TOML file that says what is tried. Trials are judged by training pictures that are
    held out, never by the test set. A study that was interrupted, or killed, goes on where it was,
    and several processes may share one. Needs the extra [tune].
    """
    from mnist_net.tuning.space import DEFAULT_SPACE, read_space

    if show_space:
        click.echo(DEFAULT_SPACE.read_text(encoding="utf-8"), nl=False)
        return
    _search(space or DEFAULT_SPACE, read_space(space or DEFAULT_SPACE), **asked)


def _search(
    path: Path,
    space: Any,
    *,
    study: Path,
    trials: int,
    minutes: float | None,
    workers: int | None,
    backend: str | None,
    scheduler: str | None,
    output: Path,
    csv: Path | None,
    plot: Path | None,
    top: int,
    as_json: bool,
    sampler: str,
    pruner: str,
    seed: int,
    **source: Any,
) -> None:
    from mnist_net.reports.plots import check_plot
    from mnist_net.tuning.search import search_for
    from mnist_net.tuning.study import ENDED, require_optuna

    where = cluster_of(backend, scheduler)
    require_optuna()
    if plot:
        check_plot(plot)
    training = options.load_splits([study, output, csv, plot], [path], **source).train
    search = search_for(
        *(space, study, training, source["dataset"], source["data_home"]),
        sampler=sampler,
        pruner=pruner,
        seed=seed,
    )
    n_ended = sum(trial.state in ENDED for trial in search.trials())
    with where() if n_ended < trials else nullcontext() as cluster:
        status = _watch(search, trials, minutes and minutes * 60.0, workers, cluster)
    found = search.trials()
    best = _keep(search, found, output, csv, plot)
    if as_json:
        _echo_json(search, found, best, output)
    else:
        _report(search, found, output, top)
    raise click.exceptions.Exit(status)


def _watch(
    search: "Search",
    n_trials: int,
    seconds: float | None,
    n_workers: int | None,
    cluster: "Cluster | None",
) -> int:
    """Make the trials, saying what comes of each; the status if something ended them, else 0."""
    from joblib import cpu_count

    from mnist_net.tuning.search import tried
    from mnist_net.tuning.study import ENDED, best_of

    before = [trial for trial in search.trials() if trial.state in ENDED]
    if before and len(before) < n_trials:
        log.info(f"going on after {counted(len(before), 'trial')}")
    best, heard = best_of(before), list[int]()
    try:
        interrupt_once(heard)
        workers = n_workers or (cluster.n_at_a_time() if cluster else cpu_count())
        for trial in tried(search, n_trials, seconds=seconds, n_workers=workers, cluster=cluster):
            best = best_of([one for one in (best, trial) if one])
            log.info(_line(trial, best))
        return 0
    except KeyboardInterrupt:
        status, why = 128 + (heard or [signal.SIGINT])[0], "interrupted"
    except ClusterError as error:
        status, why = 1, str(error)
    note(f"{why}: {search.study} has every trial that ended; the same command goes on")
    return status


def _line(trial: "Trial", best: "Trial | None") -> str:
    """What came of a trial, in one line."""
    error = f"{trial.errors[-1]:.2%}" if trial.errors else "–"
    lowest = f"best {best.error:.2%}, trial {best.number}" if best else "none complete"
    values = "  ".join(f"{name} {_shown(value)}" for name, value in trial.parameters.items())
    return (
        f"trial {trial.number:>3}  {trial.state:<8}  {error} ({lowest})  "
        f"{counted(len(trial.errors), 'epoch')}  {trial.seconds or 0.0:.1f} s  {values}"
    )


def _shown(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _keep(
    search: "Search", found: "Sequence[Trial]", output: Path, csv: Path | None, plot: Path | None
) -> "Hyperparameters | None":
    """Write the files; the best recipe, if there is one."""
    from mnist_net.reports.plots import plot_search, save_figure
    from mnist_net.runs.recipe_file import write_recipe
    from mnist_net.tuning.study import best_of, write_csv

    if csv:
        write_csv(found, csv)
    if plot and found:
        save_figure(plot_search([trial.as_dict() for trial in found]), plot)
        log.info(f"wrote {plot}")
    best = best_of(found)
    if best is None:
        return None
    recipe = search.recipe_of(best)
    n = search.n_held_out
    comments = (
        f"Trial {best.number} of {search.study}: {best.error:.2%} errors on the last {n:,}",
        f"training pictures of {search.dataset}; --validation {n} holds them out again.",
    )
    without = ("teacher_weight", "teacher_temperature")  # a teacher brings its own
    write_recipe(output, recipe, search.space.preset, without=without, comments=comments)
    return recipe


def _echo_json(
    search: "Search",
    found: "Sequence[Trial]",
    best: "Hyperparameters | None",
    output: Path,
) -> None:
    from mnist_net.tuning.study import best_of

    chosen = best_of(found)
    echo_json(
        {
            "study": str(search.study),
            "dataset": search.dataset,
            "held_out": search.n_held_out,
            "best": chosen and chosen.number,
            "recipe": str(output) if best else None,
            "hyperparameters": best and best.as_dict(),
            "trials": [trial.as_dict() for trial in found],
        }
    )


def _report(search: "Search", found: "Sequence[Trial]", output: Path, top: int) -> None:
    """A table of the best trials, and what to do with the first of them."""
    from mnist_net.tuning.study import best_of, ranked

    names = list(search.space.dimensions)
    rows = [["trial", "state", "error", "epochs", "seconds", *names]]
    for trial in ranked(found)[:top]:
        error = f"{trial.errors[-1]:.2%}" if trial.errors else "–"
        if trial.error is not None:
            error = f"{trial.error:.2%}"
        seconds = "–" if trial.seconds is None else f"{trial.seconds:.1f}"
        values = [_shown(trial.parameters.get(name, "–")) for name in names]
        number, epochs = str(trial.number), str(len(trial.errors))
        rows.append([number, trial.state, error, epochs, seconds, *values])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        echo_line("  ".join(cells).rstrip())
    states = [trial.state for trial in found]
    counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    echo_line(f"trials  {len(found)}{f' ({counts})' if counts else ''} in {search.study}")
    if best_of(found) is None:
        log.warning("no trial is complete, so there is no recipe: give more --trials")
        return
    echo_line(f"recipe  {output}")
    echo_line(f"next    {program()} train --recipe {output}")
