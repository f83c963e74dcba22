"""Work on other machines: a real scheduler and real workers, each a process, on loopback."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from mnist_net.cluster import Cluster, code_digest, connected
from mnist_net.datasets.loading import load_dataset
from mnist_net.errors import ClusterError, DivergenceError
from mnist_net.learning.recipe import Hyperparameters
from mnist_net.pictures.decoding import save_png
from mnist_net.runs import elsewhere
from mnist_net.runs.run import Run, prepare
from mnist_net.runs.together import train_committee, train_together
from mnist_net.trained.store import load_model
from scripts.accuracy import recipes
from scripts.cluster.__main__ import main
from tests.cli.conftest import invoke, only_error
from tests.conftest import ROOT, bits, extra
from tests.tuning.conftest import SPACE, found, npz, searching, space, tuning

__all__ = ["npz", "space"]

RECIPE = Hyperparameters(hidden_layer_sizes=(64,), epochs=4, random_state=3, validation=100)
DATA = ("--dataset", "digits", "--preset", "plain", "--hidden", 16)


class Processes:
    """A scheduler, and workers that come and go."""

    def __init__(self, folder: Path, *python_path: Path) -> None:
        self.folder, self.started = folder, {}
        file = folder / "scheduler.json"
        self.scheduler = self._start(
            *("scheduler", "--host", "127.0.0.1", "--port", 0, "--scheduler-file", file),
            python_path=os.pathsep.join(map(str, python_path)),
        )
        while not file.exists() or not file.read_text():
            assert self.scheduler.poll() is None
            time.sleep(0.05)
        self.address = json.loads(file.read_text())["address"]

    def worker(self, name: str, *python_path: Path) -> subprocess.Popen[str]:
        self.started[name] = self._start(
            *("worker", self.address, "--name", name, "--nthreads", 1, "--no-nanny"),
            *("--local-directory", self.folder),
            python_path=os.pathsep.join(map(str, [*python_path, ROOT])),
        )
        return self.started[name]

    def stop(self) -> None:
        for process in (*self.started.values(), self.scheduler):
            process.kill()
            process.wait()

    def _start(self, kind: str, *options: object, python_path: str = "") -> subprocess.Popen[str]:
        return subprocess.Popen(
            [
                *(sys.executable, "-m", f"distributed.cli.dask_{kind}", "--no-dashboard"),
                *map(str, options),
            ],
            env={**os.environ, "PYTHONPATH": python_path, "OPENBLAS_NUM_THREADS": "1"},
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )


@contextmanager
def processes(folder: Path, *workers: str, scheduler_path: Path = ROOT) -> Iterator[Processes]:
    extra("distributed")
    running = Processes(folder, scheduler_path)
    try:
        for name in workers:
            running.worker(name)
        if workers:
            wait_for(running, len(workers))
        yield running
    finally:
        running.stop()


def wait_for(running: Processes, n_workers: int) -> None:
    from distributed import Client

    with Client(running.address, set_as_default=False) as client:
        client.wait_for_workers(n_workers, timeout=60)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """Two workers, for tests that leave them as they are."""
    with processes(tmp_path_factory.mktemp("dask"), "one", "two") as running:
        yield running


@pytest.fixture(scope="module")
def runs() -> tuple[Run, ...]:
    return prepare(load_dataset("digits").train, RECIPE, "digits").with_seeds(4)


def ends(rounds: Any) -> list[list[bytes]]:
    *_, reached = rounds
    return [bits(progress.latest) for progress in reached]


def test_a_committee_is_the_same_to_the_bit(two: Processes, runs: Any) -> None:
    with connected(two.address) as cluster:
        found = list(train_together(runs, cluster=cluster))
    expected = list(train_together(runs))
    assert ends(found) == ends(expected)
    for one, other in zip(found, expected, strict=True):
        for here, there in zip(one, other, strict=True):
            assert here is not None
            assert there is not None
            assert here.history[-1]["validation_loss"] == there.history[-1]["validation_loss"]


def test_a_worker_is_killed_in_the_middle_and_no_bit_changes(tmp_path: Path, runs: Any) -> None:
    recipes = [replace(run.hyperparameters, batch_size=5, epochs=3) for run in runs]
    long = [replace(run, hyperparameters=r) for run, r in zip(runs, recipes, strict=True)]
    with processes(tmp_path, "one", "two") as running, connected(running.address) as cluster:
        rounds = train_together(long, cluster=cluster)
        next(rounds)
        killed = []

        def kill_while_it_works() -> None:
            (victim,) = (
                address
                for address, worker in cluster._client.scheduler_info(-1)["workers"].items()
                if worker["name"] == "two"
            )
            while not cluster._client.processing().get(victim):
                time.sleep(0.01)
            running.started["two"].kill()
            killed.append(victim)

        killer = threading.Thread(target=kill_while_it_works)
        killer.start()
        found = ends(rounds)
        killer.join()
        assert killed
        assert killed[0] not in cluster.everywhere(os.getpid)
    assert found == ends(train_together(long))


def opened(folder: str) -> str:
    """Leaves a trace of each time that something common to all tasks is opened."""
    Path(folder, f"{os.getpid()}-{time.monotonic_ns()}").touch()
    return folder


def worked(folder: str, number: int) -> tuple[int, int]:
    time.sleep(0.1)
    return number, os.getpid()


def test_what_is_common_to_all_tasks_reaches_each_worker_once(
    two: Processes, tmp_path: Path
) -> None:
    with connected(two.address) as cluster:
        each = cluster.sharing(str(tmp_path), opened)
        done = [*each(worked, ((number,) for number in range(8)))]
        done += each(worked, ((number,) for number in range(8, 16)))
        assert [number for number, _ in done] == list(range(16))
        workers = {process for _, process in done}
        assert workers == {*cluster.everywhere(os.getpid).values()}
    traces = [int(path.name.split("-")[0]) for path in tmp_path.iterdir()]
    assert sorted(traces) == sorted(workers)


def test_one_worker_is_enough(tmp_path: Path) -> None:
    with processes(tmp_path, "one") as running, connected(running.address) as cluster:
        done = [*cluster.sharing("")(worked, [(0,), (1,)])]
        assert done == [
            (n, process) for n in (0, 1) for process in cluster.everywhere(os.getpid).values()
        ]
        assert os.getpid() not in dict(done).values()


@pytest.mark.parametrize("at_hand", [True, False])
def test_pictures_are_sent_only_where_they_are_not(
    two: Processes,
    tmp_path: Path,
    digits: tuple[np.ndarray, np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
    at_hand: bool,
) -> None:
    path = tmp_path / "own.npz"
    np.savez(path, images=digits[0][:700], labels=digits[1][:700])
    own = prepare(load_dataset(str(path)).train, RECIPE, str(path)).with_seeds(2)
    if not at_hand:
        path.unlink()
    shared = []
    share = Cluster.sharing
    monkeypatch.setattr(
        Cluster, "sharing", lambda self, *given: (shared.append(given[0]), share(self, *given))[1]
    )
    with connected(two.address) as cluster:
        assert ends(train_together(own, cluster=cluster)) == ends(train_together(own))
    ((pictures, *_),) = shared
    assert (pictures is None) == at_hand


def test_shards_that_a_worker_lacks_are_not_sent(two: Processes, tmp_path: Path) -> None:
    place = tmp_path / "shards"
    assert invoke("augment", "-o", place, "--times", 2, "--dataset", "digits").exit_code == 0
    streamed = ("--dataset", place, "--preset", "plain", "--hidden", 16, "--epochs", 1)
    for where in ((), ("--backend", "dask", "--scheduler", two.address)):
        assert invoke("train", *streamed, *where, "-o", f"{len(where)}.joblib").exit_code == 0
    assert bits(load_model("0.joblib")) == bits(load_model("4.joblib"))
    from mnist_net.datasets.loading import open_dataset

    run = prepare(open_dataset(str(place)).train, RECIPE, str(place))
    place.rename(tmp_path / "elsewhere")
    with (
        connected(two.address) as cluster,
        pytest.raises(ClusterError, match="put the folder where all workers have it"),
    ):
        next(elsewhere.train_elsewhere(cluster, [run], [None]))


def test_the_divergence_of_one_is_told(two: Processes, runs: Any) -> None:
    recipe = replace(RECIPE, learning_rate=1e30, activation="relu")
    wild = prepare(load_dataset("digits").train, recipe, "digits").with_seeds(2)
    with connected(two.address) as cluster, pytest.raises(DivergenceError, match="diverged"):
        list(train_together(wild, cluster=cluster))


def test_parts_of_a_minibatch_make_the_same_step_but_for_rounding(
    two: Processes, runs: Any
) -> None:
    one = [replace(runs[0], hyperparameters=replace(RECIPE, epochs=1))]
    with connected(two.address) as cluster:
        (spread,) = next(train_together(one, cluster=cluster, n_shards=2))
    (threads,) = next(train_together(one, n_shards=2))
    (whole,) = next(train_together(one))
    assert spread is not None
    assert threads is not None
    assert whole is not None
    assert bits(spread.latest) == bits(threads.latest)
    for mine, expected in zip(spread.latest.parameters, whole.latest.parameters, strict=True):
        np.testing.assert_allclose(mine.weights, expected.weights, atol=1e-5)


def rounded(answer: Any) -> Any:
    """An answer whose probabilities have four digits."""
    if isinstance(answer, dict):
        return {name: rounded(value) for name, value in answer.items()}
    if isinstance(answer, list):
        return list(map(rounded, answer))
    return pytest.approx(answer, abs=1e-4) if isinstance(answer, float) else answer


@pytest.mark.parametrize("command", ["predict", "read"])
def test_pictures_are_read_as_here(
    two: Processes, tmp_path: Path, digits: tuple[np.ndarray, np.ndarray], command: str
) -> None:
    for number, image in enumerate(digits[0][:70]):
        save_png(image, tmp_path / "in" / f"{number:02}.png")
    (tmp_path / "in" / "x.png").write_text("no picture")
    asked = (command, "in", "nowhere.png", "--json")
    here = invoke(*asked)
    there = invoke(*asked, "--backend", "dask", "--scheduler", two.address)
    assert here.exit_code == there.exit_code == 1
    assert there.stderr == here.stderr
    found, expected = (
        [json.loads(line) for line in result.stdout.splitlines()] for result in (there, here)
    )
    assert len(found) == 72
    for one, other in zip(found, expected, strict=True):
        # In other company a picture's products differ in their rounding, as with --jobs.
        assert rounded(one) == rounded(other)


def test_a_committee_by_a_scheduler_s_address(two: Processes) -> None:
    recipe = replace(RECIPE, epochs=1)
    found = train_committee(2, "digits", recipe, scheduler=two.address)
    assert list(map(bits, found.members)) == list(
        map(bits, train_committee(2, "digits", recipe).members)
    )


def test_a_study_of_several_seeds(two: Processes) -> None:
    for where in ((), ("--scheduler", two.address)):
        study = ("--dataset", "digits", "--only", "plain", "--seeds", "2", "--jobs", "1")
        result = CliRunner().invoke(
            recipes.main, [*study, *where, "--output", f"{len(where)}.json"]
        )
        assert result.exit_code == 0, result.output
    found, expected = (json.loads(Path(f"{n}.json").read_text())["plain"] for n in (2, 0))
    assert found["accuracy"] == expected["accuracy"]


def test_a_search_s_trials_are_the_same(
    two: Processes, space: Path, npz: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra("optuna")
    here = found(searching(space, npz, "here.db", sampler="random", pruner="none"), 4)
    with connected(two.address) as cluster:
        sent, scatter = [], cluster._client.scatter
        monkeypatch.setattr(
            cluster._client,
            "scatter",
            lambda content, **how: (sent.append(content), scatter(content, **how))[1],
        )
        assert cluster.n_at_a_time() == 2
        search = searching(space, npz, "there.db", sampler="random", pruner="none")
        there = found(search, 4, n_workers=2, cluster=cluster)
        assert search.trials() == there
    assert [(t.number, t.state, t.errors, t.parameters) for t in there] == [
        (t.number, t.state, t.errors, t.parameters) for t in here
    ]
    assert len(sent) == 1  # for all four


LONG = SPACE.replace("epochs = 4", "epochs = 300")


@pytest.mark.parametrize("pressed", [True, False])
def test_a_search_that_ends_early_goes_on_without_a_cluster(
    tmp_path: Path, space: Path, npz: Path, pressed: bool
) -> None:
    """By Ctrl-C, or since the scheduler went away: what was under way is left to be tried again."""
    extra("optuna")
    space.write_text(LONG)
    asked = (space, "--dataset", npz, "--pruner", "none", "--trials")
    search = searching(space, npz, "tune.db", pruner="none")
    with processes(tmp_path, "one", "two") as running:
        where = ("--backend", "dask", "--scheduler", running.address)
        with tuning(*asked, 500, *where) as process:
            while len([trial for trial in search.trials() if trial.errors]) < 2:
                assert process.poll() is None, process.communicate()
            if pressed:
                process.send_signal(signal.SIGINT)
            else:
                running.scheduler.kill()
            output, errors = process.communicate(timeout=60)
    why = "interrupted" if pressed else f"the scheduler at {running.address} has gone away"
    assert process.returncode == (130 if pressed else 1), errors
    goes_on = f"{why}: tune.db has every trial that ended; the same command goes on"
    assert goes_on in errors.splitlines()
    assert "Traceback" not in errors
    begun = search.trials()
    assert [trial.state for trial in begun] == ["interrupted"] * 2
    assert "trials  2 (2 interrupted) in tune.db" in output

    again = found(search, 2)[2:]
    assert [trial.state for trial in again] == ["complete"] * 2
    assert {t.parameters["learning_rate"] for t in again} == {
        t.parameters["learning_rate"] for t in begun
    }


def test_what_there_is_is_shown_without_the_cluster(space: Path, npz: Path) -> None:
    extra("optuna")
    away = ("--backend", "dask", "--scheduler", "tcp://127.0.0.1:9")
    assert invoke("tune", space, "--dataset", npz, "--trials", 1, "--workers", 1).exit_code == 0
    result = invoke("tune", space, "--dataset", npz, "--trials", 1, *away)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "trials  1 (1 complete) in tune.db" in result.stdout


@pytest.mark.parametrize("when", ["scatter", "nthreads"])
def test_a_scheduler_that_is_lost_unheard_is_one_sentence(
    two: Processes, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    from distributed.comm import CommClosedError

    def lost(*_: Any, **__: Any) -> None:
        raise CommClosedError("Stream is closed")

    with connected(two.address) as cluster:
        monkeypatch.setattr(cluster._client, when, lost)
        with pytest.raises(ClusterError, match=r"the scheduler at tcp://.* has gone away"):
            cluster.sharing("")


def test_the_script_that_measures_a_step(tmp_path: Path) -> None:
    extra("distributed")
    result = CliRunner().invoke(main, ["step", "--trial", "--folder", str(tmp_path)])
    assert result.exit_code == 0, result.output
    figures = json.loads((tmp_path / "results" / "cluster.json").read_text())["step"]
    assert figures["784-800-10, batch 256"]["parameters_mb"] == 2.54


def test_no_scheduler_is_one_sentence() -> None:
    extra("distributed")
    result = invoke("train", *DATA, "--backend", "dask", "--scheduler", "tcp://127.0.0.1:9")
    assert result.exit_code == 1
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in result.stderr.splitlines()[-1]


def test_no_workers_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mnist_net.cluster.TIMEOUT", 2.0)
    with (
        processes(tmp_path) as running,
        pytest.raises(ClusterError, match="has no workers: start some with `dask worker tcp://"),
        connected(running.address),
    ):
        raise AssertionError("it was let in")


def earlier(folder: Path) -> Path:
    """Where Python finds what looks like an earlier version."""
    old = folder / "old" / "mnist_net-0.0.1.dist-info"
    old.mkdir(parents=True)
    (old / "METADATA").write_text("Metadata-Version: 2.1\nName: mnist-net\nVersion: 0.0.1\n")
    return old.parent


def test_a_scheduler_of_another_version_is_refused(tmp_path: Path) -> None:
    with (
        processes(tmp_path, "one", scheduler_path=earlier(tmp_path)) as running,
        pytest.raises(ClusterError, match=r"the scheduler at tcp://.* has mnist-net 0\.0\.1, and"),
        connected(running.address),
    ):
        raise AssertionError("it was let in")


def test_a_worker_of_another_version_is_refused(tmp_path: Path) -> None:
    old = earlier(tmp_path)
    with processes(tmp_path, "one") as running:
        running.worker("old", old)
        wait_for(running, 2)
        where = ("--backend", "dask", "--scheduler", running.address)
        result = invoke("train", *DATA, "--output", "new.joblib", *where)
    assert result.exit_code == 1
    assert "has mnist-net 0.0.1, and this is " in result.stderr.splitlines()[-1]
    assert not Path("new.joblib").exists()


def test_a_worker_of_other_code_is_refused_also_if_it_joins_later(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "mnist_net", tmp_path / "other" / "mnist_net")
    with (tmp_path / "other" / "mnist_net" / "files.py").open("a") as stream:
        stream.write("# another comment\n")
    with processes(tmp_path, "one") as running:
        with connected(running.address) as cluster:
            each = cluster.sharing("")
            assert len([*each(worked, [(0,), (1,)])]) == 2
            running.worker("other", tmp_path / "other")
            wait_for(running, 2)
            with pytest.raises(ClusterError, match="other code of the same version"):
                list(each(worked, ((number,) for number in range(500))))
        with (
            pytest.raises(ClusterError, match="other code of the same version"),
            connected(running.address),
        ):
            raise AssertionError("it was let in")


def test_a_scheduler_that_goes_away_loses_nothing(tmp_path: Path) -> None:
    """The best epoch is saved, and what is resumed ends in the same bits."""
    recipe = (*DATA, "--committee", 2, "--epochs", 60, "--checkpoint", "run")
    with processes(tmp_path, "one") as running:
        where = ("--backend", "dask", "--scheduler", running.address)
        with subprocess.Popen(
            [sys.executable, "-m", "mnist_net", "train", *map(str, (*recipe, *where))],
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None
            for line in process.stderr:
                if line.startswith("epoch  2/"):
                    break
            running.scheduler.kill()
            *_, last = process.stderr
        assert process.returncode == 1
    assert f"the scheduler at {running.address} has gone away: epochs " in last
    assert last.endswith("the best so far, are kept; go on with --resume\n")
    assert len(load_model("models/latest.joblib").members) == 2
    assert invoke("train", *recipe, "--resume", "-o", "resumed.joblib").exit_code == 0
    assert invoke("train", *recipe[:-2], "-o", "whole.joblib").exit_code == 0
    resumed, whole = (load_model(f"{name}.joblib").members for name in ("resumed", "whole"))
    assert list(map(bits, resumed)) == list(map(bits, whole))


def test_without_the_extra_a_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    result = invoke("predict", "a.png", "--backend", "dask", "--scheduler", "tcp://127.0.0.1:9")
    assert result.exit_code == 1
    assert only_error(result).endswith("pip install 'mnist-net[cluster]'")


@pytest.mark.parametrize(
    "half",
    [
        ("--backend", "dask"),
        ("--scheduler", "tcp://127.0.0.1:9"),
        ("--backend", "dask", "--scheduler", ""),
    ],
)
def test_backend_and_scheduler_go_together(half: tuple[str, ...]) -> None:
    for command in (("train", *DATA), ("predict", "a.png"), ("tune",)):
        result = invoke(*command, *half)
        assert result.exit_code == 2
        assert "--backend dask and --scheduler ADDRESS go together" in result.stderr


def test_shards_are_for_one_network() -> None:
    result = invoke("train", *DATA, "--committee", 2, "--shards", 2)
    assert result.exit_code == 2
    assert "--shards is for one network" in result.stderr


def test_the_digest_is_of_code_alone() -> None:
    assert len(code_digest()) == 64
