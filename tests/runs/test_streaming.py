"""Training from a folder of shards: the same network as from memory, in little memory."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from mnist_net import load_model, train_committee, train_model
from mnist_net.datasets import shards
from mnist_net.datasets.loading import load_dataset, open_dataset
from mnist_net.datasets.shards import Shards, write_shards
from mnist_net.errors import DataError
from mnist_net.learning.distortion import DISTORTIONS
from mnist_net.learning.minibatches import Batch
from mnist_net.learning.presets import PRESETS
from mnist_net.learning.recipe import Hyperparameters
from mnist_net.learning.training import train
from mnist_net.runs.checkpoints import resume, save_checkpoint
from mnist_net.runs.run import Run, prepare
from mnist_net.runs.streaming import Stream
from scripts.cluster.__main__ import main
from tests.cli.conftest import invoke, started, wait_for_epoch
from tests.conftest import bits

RECIPE = Hyperparameters(hidden_layer_sizes=(16,), epochs=3, validation=500, random_state=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scikit-learn's digits, as they are and distorted: two shards of 1,500."""
    place = tmp_path_factory.mktemp("data") / "shards"
    list(write_shards(place, load_dataset("digits"), 2, DISTORTIONS["both"], seed=0))
    return place


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "BLOCK", 100)
    monkeypatch.setattr(shards, "BUFFER", 6)


def prepared(folder: Path, recipe: Hyperparameters) -> tuple[Run, Run]:
    """A run that is streamed, and the same in memory."""
    streamed, whole = open_dataset(str(folder)), load_dataset(str(folder))
    assert isinstance(streamed.train, Shards)
    runs = (prepare(data, recipe, str(folder)) for data in (streamed.train, whole.train))
    return tuple(runs)  # type: ignore[return-value]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"scaling": "centred", "l2_penalty": 0.0, "optimizer": "adamw", "learning_rate": 0.002},
        {"distortion": DISTORTIONS["both"], "validation": 0, "batch_size": 128},
    ],
    ids=["plain", "centred", "distorted"],
)
def test_unshuffled_it_is_the_same_run_to_the_bit(folder: Path, changes: dict[str, Any]) -> None:
    streamed, whole = prepared(folder, replace(RECIPE, shuffle=False, **changes))
    assert isinstance(streamed.training, Stream)
    assert isinstance(whole.training, Batch)
    assert streamed.identity() == whole.identity()
    assert streamed.scaling == whole.scaling
    assert streamed.training.sizes == whole.training.sizes
    assert streamed.training.weight == whole.training.weight
    np.testing.assert_array_equal(streamed.pixels, whole.pixels)
    one, other = (
        list(train(run.training, run.hyperparameters, validation=run.validation))
        for run in (streamed, whole)
    )
    assert [bits(progress.latest) for progress in one] == [bits(p.latest) for p in other]
    assert [p["loss"] for p in one[-1].history] == [p["loss"] for p in other[-1].history]


def test_standard_scaling_differs_by_the_rounding_of_a_root(folder: Path) -> None:
    streamed, whole = prepared(folder, replace(RECIPE, scaling="standard"))
    assert streamed.scaling[:2] == pytest.approx(whole.scaling[:2], rel=1e-12)


def test_a_run_goes_on_to_the_same_bits(folder: Path, tmp_path: Path) -> None:
    recipe = replace(RECIPE, distortion=DISTORTIONS["both"], patience=2)
    run, _ = prepared(folder, recipe)
    whole = list(train(run.training, recipe, validation=run.validation))
    assert bits(whole[0].latest) != bits(whole[1].latest)
    save_checkpoint(tmp_path / "run", whole[0], run.identity())
    again, _ = prepared(folder, recipe)
    start = resume(again, tmp_path / "run")
    *_, end = train(again.training, recipe, validation=again.validation, start=start)
    assert bits(end.latest) == bits(whole[-1].latest)


def test_a_command_that_is_killed_goes_on_to_the_same_bits(folder: Path) -> None:
    recipe = ("--dataset", folder, "--preset", "plain", "--hidden", 16, "--distortion", "both")
    run = ("train", *recipe, "--epochs", 12, "--checkpoint", "run")
    with started(*run) as process:
        wait_for_epoch(process, 2)
        process.kill()
    assert not Path("models").exists()
    commands = [(*run, "--resume", "-o", "resumed.joblib"), (*run[:-2], "-o", "whole.joblib")]
    for command in commands:  # as processes: in this one the blocks are small
        with started(*command) as process:
            process.communicate()
        assert process.returncode == 0
    assert bits(load_model("resumed.joblib")) == bits(load_model("whole.joblib"))


def test_a_model_and_a_committee_from_start_to_end(folder: Path) -> None:
    recipe = replace(RECIPE, validation=0)
    model = train_model(str(folder), recipe)
    assert model.metadata["accuracy"]["test"] > 0.8
    assert model.metadata["data"]["n_train"] == 3000
    committee = train_committee(2, str(folder), recipe)
    assert bits(committee.members[0]) == bits(model)
    # Nor does anything but the order set it apart from the same in memory.
    assert train_model("digits", recipe).metadata["accuracy"]["test"] > 0.8


def test_what_was_trained_on_shards_is_evaluated_without_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = ("--dataset", folder, "--preset", "plain", "--epochs", 1)
    assert invoke("train", *recipe, "-o", "a.joblib").exit_code == 0
    assert "3,297" in invoke("evaluate", "--model", "a.joblib", "--split", "all").stdout
    monkeypatch.delattr("mnist_net.datasets.loading.load_shards")  # which reads all into memory
    assert "297" in invoke("evaluate", "--model", "a.joblib").stdout


def test_drawn_digits_do_not_join_what_is_streamed(folder: Path) -> None:
    with pytest.raises(DataError, match=r"is streamed, .*: leave out --drawn-digits"):
        prepared(folder, replace(RECIPE, drawn_digits=9))
    assert PRESETS["default"].drawn_digits  # which others' data go without, unless they are asked
    train_model(str(folder), replace(PRESETS["plain"], epochs=1))


# Not getrusage's figure, in which is what the process that started this one had.
MEASURED = """
import re, sys
from pathlib import Path
from mnist_net import Hyperparameters, train_model
train_model(sys.argv[1], Hyperparameters(hidden_layer_sizes=(10,), epochs=1, batch_size=1000))
print(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
@pytest.mark.parametrize(
    "n_shards", [5, pytest.param(27, marks=pytest.mark.slow)], ids=["150,000", "810,000"]
)
def test_memory_does_not_grow_with_the_data(tmp_path: Path, n_shards: int) -> None:
    """As float32, the examples would take 3.1 kB each: 0.5 GB, and 2.5 GB."""
    place = tmp_path / "shards"
    place.mkdir()
    images = np.random.default_rng(0).integers(0, 256, (30_000, 28, 28), np.uint8)
    labels = (np.arange(30_000) % 10).astype(np.uint8)
    np.savez(place / "train-0001.npz", images=images, labels=labels)
    np.savez(place / "test-0001.npz", images=images[:1000], labels=labels[:1000])
    for number in range(1, n_shards):  # one file by several names, to spare the disk
        (place / f"train-{number + 1:04}.npz").hardlink_to(place / "train-0001.npz")
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, place],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) < 400 * 1000


def test_the_script_that_measures_it(tmp_path: Path) -> None:
    options = ("--dataset", "digits", "--times", "3", "--scratch", str(tmp_path / "scratch"))
    result = CliRunner().invoke(main, ["streaming", *options, "--folder", str(tmp_path)])
    assert result.exit_code == 0, result.output
    figures = json.loads((tmp_path / "results" / "cluster.json").read_text())["streaming 4,500"]
    assert figures["pictures"] == 4500
    assert 40 < figures["peak_memory_mb"] < 400
    assert not (tmp_path / "scratch").exists()
