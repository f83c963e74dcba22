"""A teacher in a run: what it is shown, who it is, and which ones are refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mnist_net.datasets.dataset import Dataset
from mnist_net.errors import DataError, ModelFileError
from mnist_net.learning.distortion import DISTORTIONS
from mnist_net.learning.losses import soft_targets, softmax_cross_entropy
from mnist_net.learning.network import forward
from mnist_net.learning.recipe import Hyperparameters
from mnist_net.runs.checkpoints import resume, save_checkpoint
from mnist_net.runs.outcome import committee_of, model_of
from mnist_net.runs.run import prepare
from mnist_net.runs.together import train_together
from mnist_net.trained.model import Model

RECIPE = Hyperparameters(hidden_layer_sizes=(5,), epochs=2, learning_rate=0.1)
TAUGHT = replace(RECIPE, teacher_weight=0.5)


@pytest.fixture(scope="module")
def squares() -> Dataset:
    """Three places for a square, each a class."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 3, 90).astype(np.uint8)
    images = np.zeros((90, 28, 28), np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[8:16, 4 + 6 * label : 10 + 6 * label] = generator.integers(1, 256, (8, 6))
    return Dataset(images, labels, "squares", "0" * 64)


def trained(dataset: Dataset, recipe: Hyperparameters, **options: object) -> Model:
    run = prepare(dataset, recipe, **options)
    *_, (progress,) = train_together([run])
    assert progress is not None
    return model_of(run, progress)


@pytest.mark.parametrize("distortion", ["none", "both"])
@pytest.mark.parametrize("scaling", ["unit", "centred", "standard"])
def test_a_teacher_is_shown_pixels_whatever_the_run_makes_of_them(
    squares: Dataset, scaling: str, distortion: str
) -> None:
    members = [trained(squares, replace(RECIPE, scaling=one)) for one in ("standard", "unit")]
    teacher = committee_of(members)
    recipe = replace(TAUGHT, scaling=scaling, distortion=DISTORTIONS[distortion])
    run = prepare(squares, recipe, teacher=teacher)
    asked = run.asked()
    assert asked is not None
    # The run leaves pixels out that never carry ink, unless it distorts.
    assert (len(run.pixels) == 784) == (distortion == "both")
    np.testing.assert_allclose(
        asked(run.training.X), teacher.predict_proba(squares.images), atol=1e-5
    )


def test_a_run_that_normalizes_has_nothing_to_show_a_teacher(squares: Dataset) -> None:
    teacher = trained(squares, replace(RECIPE, normalization="moments"))
    with pytest.raises(DataError, match="normalization must be none"):
        prepare(squares, replace(TAUGHT, normalization="moments"), teacher=teacher)
    asked = prepare(squares, TAUGHT, teacher=teacher)
    ask, X = asked.asked(), asked.training.X
    assert ask is not None
    np.testing.assert_allclose(ask(X), teacher.predict_proba(squares.images), atol=1e-5)


def test_a_student_follows_its_teacher_against_the_labels(squares: Dataset) -> None:
    """Of a teacher that learnt other names for the same classes, it learns those."""
    named = squares._replace(labels=(squares.labels + 1) % 3)
    recipe = replace(RECIPE, hidden_layer_sizes=(20,), epochs=40)
    teacher = trained(named, recipe)
    student = trained(squares, replace(recipe, teacher_weight=0.8), teacher=teacher)
    assert (student.predict(squares.images) == named.labels).mean() > 0.95
    (network,) = student.metadata["teacher"]["networks"]
    assert network["layer_sizes"] == [784, 20, 3]


def test_a_teacher_and_its_weight_go_together(squares: Dataset) -> None:
    teacher = trained(squares, RECIPE)
    assert prepare(squares, RECIPE).asked() is None
    for recipe, options in ((TAUGHT, {}), (RECIPE, {"teacher": teacher})):
        with pytest.raises(ValueError, match="needs a teacher"):
            prepare(squares, recipe, **options)


def test_a_teacher_of_other_classes_is_refused(squares: Dataset) -> None:
    two = squares.labels < 2
    of_two = squares._replace(images=squares.images[two], labels=squares.labels[two])
    with pytest.raises(DataError, match=r"knows the classes \[0, 1\], and squares has \[0, 1, 2\]"):
        prepare(squares, TAUGHT, teacher=trained(of_two, RECIPE))


def test_a_run_goes_on_with_the_same_teacher_only(squares: Dataset, tmp_path: Path) -> None:
    teachers = [trained(squares, replace(RECIPE, random_state=seed)) for seed in (1, 2)]
    run, other = (prepare(squares, TAUGHT, teacher=teacher) for teacher in teachers)
    (progress,) = next(train_together([run]))
    assert progress is not None
    path = tmp_path / "checkpoint.joblib"
    save_checkpoint(path, progress, run.identity())
    assert resume(run, path).latest.number == 1
    with pytest.raises(ModelFileError, match="it learned from another --teacher"):
        resume(other, path)


@pytest.mark.parametrize(("weight", "scale"), [(1.0, 4.0), (0.5, 2.0)])
def test_what_was_learnt_at_a_temperature_is_said_without_it(
    squares: Dataset, weight: float, scale: float
) -> None:
    """So a student that learns on, with a teacher or without, begins with its own answers.

    Of so much of the logits as the teacher's part is.
    """
    teacher = trained(squares, RECIPE)
    recipe = replace(RECIPE, teacher_weight=weight, teacher_temperature=4.0)
    run = prepare(squares, recipe, teacher=teacher)
    *_, (progress,) = train_together([run])
    assert progress is not None
    student = model_of(run, progress)
    assert student.temperature == 1.0
    learnt, said = (
        forward(parameters, student.architecture, run.training.X)[-1]
        for parameters in (progress.latest.parameters, run.parameters_of(student))
    )
    np.testing.assert_allclose(said, scale * learnt, rtol=1e-6)
    again = prepare(squares, recipe, base=student, teacher=teacher).start()
    assert again is not None
    for one, other in zip(again.latest.parameters[-1], progress.latest.parameters[-1], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_who_goes_on_with_a_teacher_begins_at_its_temperature(squares: Dataset) -> None:
    """The answers are those of the base; its logits are what the teacher's will be, softened."""
    base = trained(squares, RECIPE)
    recipe = replace(TAUGHT, teacher_weight=1.0, teacher_temperature=4.0)
    run = prepare(squares, recipe, base=base, teacher=base)
    start = run.start()
    assert start is not None
    before, after = (
        forward(parameters, base.architecture, run.training.X)[-1]
        for parameters in (run.parameters_of(base), start.latest.parameters)
    )
    np.testing.assert_allclose(after, before / 4.0, rtol=1e-5, atol=1e-6)
    # So where the teacher is the base itself, and has all the weight, there is nothing to learn.
    asked = run.asked()
    assert asked is not None
    targets = soft_targets(run.training.targets, asked(run.training.X), 1.0, 4.0)
    _, derivative = softmax_cross_entropy(after, targets)
    np.testing.assert_allclose(derivative, 0.0, atol=1e-7)
