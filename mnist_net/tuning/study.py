"""Studies on disk: every trial of a search, in one SQLite file that several processes share.

The file is a study of Optuna, and Optuna's own tools read it too.  A trial that is under way gives
signs of life; one whose process was killed falls silent, and is made again by whoever goes on.
"""

import csv
import io
import json
import logging
import time
import warnings
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from mnist_net.errors import MnistNetError, RecipeError
from mnist_net.files import atomic_write
from mnist_net.learning.recipe import Hyperparameters

if TYPE_CHECKING:
    import optuna

_NAME = "mnist-net"
_HEARTBEAT, _SILENT = 5, 30  # seconds between signs of life, and without any until it is dead
_PATIENCE = 120.0  # seconds that a process waits while another one writes
_ATTEMPTS, _PAUSE = 10, 0.3  # to make a study; seconds between them
_SQLITE = b"SQLite format 3\0"

_STATES = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "interrupted", "RUNNING": "running"}
ENDED = ("complete", "pruned", "diverged")
"""States of trials that are not made again."""


class Trial(NamedTuple):
    """One recipe that was tried.

    Attributes
    ----------
    number
        Counted from 0 as they began.
    state
        ``complete``; ``pruned``, ended early because it was worse than the median; ``diverged``;
        ``interrupted``; ``running``.
    error
        Fraction of the validation pictures that the epoch to keep misreads; None if not complete.
    errors
        The same after each epoch that it made.
    seconds
        How long it took; None while it runs.
    parameters
        Values by name, as the study keeps them: lists as text.
    """

    number: int
    state: str
    error: float | None
    errors: tuple[float, ...]
    seconds: float | None
    parameters: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Plain values by name."""
        return {**self._asdict(), "errors": list(self.errors)}


def require_optuna() -> None:
    """Find out before any work that a search cannot be made.

    Raises
    ------
    MnistNetError
        If Optuna is missing.
    """
    try:
        import optuna
    except ImportError as error:
        raise MnistNetError(
            f"a search needs Optuna ({error}): pip install 'mnist-net[tune]'"
        ) from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # what is to be said, we say
    # Of a statement that Ctrl-C came into the middle of, SQLAlchemy logs the traceback.
    logging.getLogger("sqlalchemy").setLevel(logging.CRITICAL)


def open_study(path: Path, identity: dict[str, Any]) -> "optuna.Study":
    """The study of a file, which is made if need be.

    Raises
    ------
    RecipeError
        If the file is no study, or one of another search: it says what differs.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and _beginning(path) not in (b"", _SQLITE):
        raise RecipeError(f"{path} is no study, for it is no SQLite file: name another --study")
    study = _created(path.resolve())
    if "identity" not in study.user_attrs:
        study.set_user_attr("identity", identity)
    if differs := _differences(study.user_attrs["identity"], identity):
        raise RecipeError(
            f"{path} holds a study of another search ({'; '.join(differs)}): name another --study, "
            "or search the same space of the same data"
        )
    return study


def _beginning(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(len(_SQLITE))


def _created(path: Path) -> "optuna.Study":
    """The study, made if need be; where two processes make it at once, one of them tries again."""
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    for attempts_left in reversed(range(_ATTEMPTS)):
        try:
            return optuna.create_study(
                storage=_storage(path), study_name=_NAME, load_if_exists=True
            )
        except (SQLAlchemyError, RuntimeError, optuna.exceptions.StorageInternalError) as error:
            if not attempts_left:
                raise RecipeError(
                    f"{path} is no study that Optuna {optuna.__version__} can go on with: name "
                    "another --study"
                ) from error
            time.sleep(_PAUSE)
    raise AssertionError


@lru_cache(maxsize=1)
def _storage(path: Path) -> "optuna.storages.RDBStorage":
    """One a process: each opens connections of its own."""
    import optuna

    with warnings.catch_warnings():  # signs of life are called experimental since 2021
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.storages.RDBStorage(
            f"sqlite:///{quote(str(path))}",
            engine_kwargs={"connect_args": {"timeout": _PATIENCE}},
            heartbeat_interval=_HEARTBEAT,
            grace_period=_SILENT,
            heartbeat_stale_trial_callback=optuna.storages.RetryHeartbeatStaleTrialCallback(),
        )


def _differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """How two searches differ, in words."""
    # A hyperparameter that the study does not name is younger than it, and had its default.
    before = {**before, "recipe": Hyperparameters().as_dict() | before["recipe"]}
    now = json.loads(json.dumps(now))
    words = {
        "recipe": "its trials begin elsewhere",
        "space": "it tries other values",
        "digest": "its data are others",
        "n_held_out": "it holds out another number of pictures",
    }
    return [said for key, said in words.items() if before[key] != now[key]]


def trials_of(study: "optuna.Study") -> list[Trial]:
    """All trials that have begun, as they did."""
    return [_trial(one) for one in study.get_trials(deepcopy=False) if one.state.name in _STATES]


def _trial(one: "optuna.trial.FrozenTrial") -> Trial:
    state = "diverged" if "diverged" in one.user_attrs else _STATES[one.state.name]
    return Trial(
        one.number,
        state,
        one.value if state == "complete" else None,
        tuple(value for _, value in sorted(one.intermediate_values.items())),
        one.duration.total_seconds() if one.duration else None,
        dict(one.params),
    )


def best_of(trials: Sequence[Trial]) -> Trial | None:
    """The complete trial of the lowest error, of equal ones the first; None if there is none."""
    complete = [trial for trial in trials if trial.error is not None]
    return min(complete, key=lambda trial: (trial.error, trial.number), default=None)


def ranked(trials: Sequence[Trial]) -> list[Trial]:
    """The complete ones, best first; then the others by how far they came, and how well."""
    return sorted(
        trials,
        key=lambda trial: (
            trial.error is None,
            trial.error or 0.0,
            -len(trial.errors),
            trial.errors[-1:],
            trial.number,
        ),
    )


def write_csv(trials: Sequence[Trial], path: Path) -> None:
    """Write a line for each trial, under the names of `Trial` and of the parameters; atomically."""
    names = list(dict.fromkeys(name for trial in trials for name in trial.parameters))
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(["number", "state", "error", "epochs", "seconds", *names])
    for number, state, error, errors, seconds, parameters in trials:
        values = [parameters.get(name) for name in names]
        rows.writerow([number, state, error, len(errors), seconds, *values])
    with atomic_write(path) as stream:
        stream.write(text.getvalue().encode())
