"""What a run makes of pictures before training, and of parameters after it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from mnist_net.datasets.dataset import Dataset
from mnist_net.errors import ModelFileError
from mnist_net.learning.distortion import DISTORTIONS
from mnist_net.learning.minibatches import Batch
from mnist_net.learning.network import forward
from mnist_net.learning.presets import PRESETS
from mnist_net.learning.recipe import Hyperparameters
from mnist_net.learning.training import train
from mnist_net.runs.checkpoints import resume, save_checkpoint
from mnist_net.runs.outcome import calibrate, model_of
from mnist_net.runs.run import prepare, prepared_for
from mnist_net.runs.together import blas_threads, train_committee, train_model

RECIPE = Hyperparameters(hidden_layer_sizes=(5,), epochs=2, learning_rate=0.1, validation=40)


@pytest.fixture
def corner() -> Dataset:
    """Pictures with ink in a corner of 10 × 10 pixels alone."""
    generator = np.random.default_rng(0)
    images = np.zeros((120, 28, 28), np.uint8)
    images[:, :10, :10] = generator.integers(1, 256, (120, 10, 10))
    return Dataset(images, generator.integers(0, 3, 120).astype(np.uint8), "corner", "0" * 64)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"validation": 0},
        {"scaling": "standard"},
        {"normalization": "moments"},
        {"feature_maps": (2, 3)},
        {"distortion": DISTORTIONS["affine"]},
        {"drawn_digits": 30},
    ],
    ids=str,
)
def test_recipes_that_are_prepared_alike_have_the_same_examples(
    corner: Dataset, change: dict[str, Any]
) -> None:
    recipe = replace(RECIPE, **change)
    corner = corner._replace(labels=corner.labels % 2)
    run, alike = prepare(corner, recipe), prepare(corner, prepared_for(recipe))
    np.testing.assert_array_equal(run.pixels, alike.pixels)
    assert run.scaling == alike.scaling
    for one, other in ((run.training, alike.training), (run.validation, alike.validation)):
        assert (one is None) == (other is None)
        if isinstance(one, Batch) and isinstance(other, Batch):
            np.testing.assert_array_equal(one.X, other.X)
            np.testing.assert_array_equal(one.targets, other.targets)


@pytest.mark.parametrize("scaling", ["unit", "centred", "standard"])
def test_pixels_that_never_carry_ink_are_left_out_and_change_no_answer(
    corner: Dataset, scaling: str
) -> None:
    run = prepare(corner, replace(RECIPE, scaling=scaling))
    expected = np.arange(784).reshape(28, 28)[:10, :10].ravel()
    np.testing.assert_array_equal(run.pixels, expected)
    assert run.validation is not None
    assert run.training.X.shape == (80, 100)
    assert run.validation.X.shape == (40, 100)
    assert run.training.X.flags.c_contiguous  # or each minibatch would copy all of it
    *_, progress = train(run.training, run.hyperparameters, validation=run.validation)
    model = calibrate(model_of(run, progress), run)
    weights = model.parameters[0].weights
    assert weights.shape == (784, 5)
    assert not np.delete(weights, run.pixels, axis=0).any()
    assert weights[run.pixels].all()
    # The model on whole pictures is the network on those pixels; ink elsewhere changes nothing.
    held_out = corner.images[80:].copy()
    logits = forward(progress.latest.parameters, model.architecture, run.validation.X)
    scaled = logits[-1] / model.temperature
    odds = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    for _ in range(2):
        np.testing.assert_allclose(
            model.predict_proba(held_out), odds / odds.sum(axis=1, keepdims=True), atol=1e-5
        )
        held_out[:, 20:, 20:] = 255


def test_only_training_pictures_tell_which_pixels_carry_ink(corner: Dataset) -> None:
    corner.images[80:, 27, 27] = 255  # held out
    assert len(prepare(corner, RECIPE).pixels) == 100
    assert len(prepare(corner, replace(RECIPE, validation=0)).pixels) == 101


def test_all_pixels_are_kept_for_distortion_and_for_black_pictures(corner: Dataset) -> None:
    distorted = prepare(corner, replace(RECIPE, distortion=DISTORTIONS["affine"]))
    black = prepare(corner._replace(images=np.zeros_like(corner.images)), RECIPE)
    for run in (distorted, black):
        assert run.training.X.shape == (80, 784)


@pytest.mark.parametrize(
    ("batch_size", "distorted", "n_runs", "threads"),
    [(127, False, 1, 1), (128, False, 1, 2), (128, True, 1, 1), (128, False, 2, 1)],
)
def test_several_threads_are_for_large_batches_that_have_the_machine_to_themselves(
    batch_size: int, distorted: bool, n_runs: int, threads: int
) -> None:
    distortion = DISTORTIONS["both"] if distorted else RECIPE.distortion
    recipe = replace(RECIPE, batch_size=batch_size, distortion=distortion)
    with threadpool_limits(2, user_api="blas"), blas_threads(recipe, n_runs):
        np.ones((2, 2)) @ np.ones((2, 2))
        pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    assert {pool["num_threads"] for pool in pools} == {threads}


def test_a_checkpoint_with_another_number_of_steps_is_refused(
    corner: Dataset, tmp_path: Path
) -> None:
    run = prepare(corner, RECIPE)
    *_, progress = train(run.training, RECIPE, validation=run.validation)
    path = tmp_path / "checkpoint.joblib"
    save_checkpoint(path, progress, run.identity())
    assert resume(run, path).latest.optimizer_state.step == 4  # 2 epochs of 80 pictures, by 50
    state = progress.latest.optimizer_state._replace(step=5)
    other = replace(progress, latest=progress.latest._replace(optimizer_state=state))
    save_checkpoint(path, other, run.identity())
    with pytest.raises(ModelFileError, match="counts do not fit"):
        resume(run, path)


def test_a_committee_and_a_model_follow_the_same_recipe(tmp_path: Path) -> None:
    """On a path whose classes need be no digits, neither adds drawn digits unasked."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (70, 28, 28), dtype=np.uint8)
    path = tmp_path / "clothes.npz"
    np.savez(path, images=images, labels=np.arange(70, dtype=np.uint8) % 7)
    small = replace(PRESETS["default"], hidden_layer_sizes=(4,), epochs=1)
    for recipe, n_drawn in ((None, 0), (small, 15_000)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(PRESETS, "default", small)
            model = train_model(str(path), recipe)
            committee = train_committee(2, str(path), recipe)
        one, other = model.metadata["hyperparameters"], committee.metadata["hyperparameters"]
        assert one == other
        assert one["drawn_digits"] == n_drawn
        np.testing.assert_array_equal(
            model.predict_proba(images), committee.members[0].predict_proba(images)
        )
