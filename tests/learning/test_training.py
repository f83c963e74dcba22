"""The training loop: what it learns, in which order, how it stops, resumes and fails."""

import math
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from mnist_net.errors import DivergenceError
from mnist_net.learning.losses import LOSSES
from mnist_net.learning.minibatches import Batch, one_hot
from mnist_net.learning.network import Architecture, initialize, loss_and_gradients
from mnist_net.learning.recipe import Hyperparameters
from mnist_net.learning.training import Progress, learning_rate_at, train

SMALL = Hyperparameters(
    hidden_layer_sizes=(8,),
    learning_rate=0.5,
    l2_penalty=0.0,
    warmup_epochs=0.0,
    batch_size=16,
    epochs=4,
    random_state=3,
)


def blobs(n: int, n_classes: int = 3, seed: int = 0) -> Batch:
    """Three Gaussian clouds in six dimensions, of which nearest neighbours err on a few."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(n_classes, size=n)
    centres = np.random.default_rng(7).normal(0.0, 1.5, (n_classes, 6))
    X = (centres[labels] + generator.standard_normal((n, 6))).astype(np.float32)
    return Batch(X, one_hot(labels, n_classes))


def last(*arguments: object, **options: object) -> Progress:
    *_, progress = train(*arguments, **options)
    return progress


def arrays(progress: Progress) -> list[bytes]:
    return [a.tobytes() for layer in progress.latest.parameters for a in layer]


@pytest.mark.parametrize(
    ("loss", "optimizer", "learning_rate"),
    [
        ("softmax-cross-entropy", "sgd", 0.1),
        ("softmax-cross-entropy", "nesterov", 0.1),
        ("softmax-cross-entropy", "adamw", 0.01),
        ("binary-cross-entropy", "sgd", 0.3),
        ("binary-cross-entropy", "adamw", 0.01),
        ("mean-squared-error", "sgd", 0.03),
        ("mean-squared-error", "adamw", 0.01),
    ],
)
def test_overfits_a_handful(loss: str, optimizer: str, learning_rate: float, mnist_arrays) -> None:
    images, labels = (array[:20] for array in mnist_arrays)
    data = Batch(images.reshape(20, -1) / np.float32(255), one_hot(labels, 10))
    recipe = Hyperparameters(
        hidden_layer_sizes=(30,),
        loss=loss,
        optimizer=optimizer,
        learning_rate=learning_rate,
        batch_size=20,
        epochs=600,
        schedule="constant",
    )
    history = last(data, recipe, validation=data).history
    assert history[0]["validation_accuracy"] < 0.9
    assert history[-1]["validation_accuracy"] == 1.0
    assert history[0]["loss"] > 0.8
    assert history[-1]["loss"] < 0.05


def test_same_seed_same_bits_and_another_seed_others() -> None:
    data = blobs(200)
    assert arrays(last(data, SMALL)) == arrays(last(data, SMALL))
    assert arrays(last(data, SMALL)) != arrays(last(data, replace(SMALL, random_state=4)))


def test_how_the_examples_lie_in_memory_changes_no_bit_and_costs_no_copies() -> None:
    """Column by column, each minibatch would be taken from a copy of everything."""
    data = blobs(200)
    columns = Batch(*map(np.asfortranarray, data[:2]))
    assert arrays(last(columns, SMALL)) == arrays(last(data, SMALL))
    wide = Batch(np.zeros((2000, 500), order="F"), one_hot(np.zeros(2000, np.int64), 2))
    epochs = train(wide, replace(SMALL, batch_size=10, epochs=2))
    next(epochs)
    tracemalloc.start()
    next(epochs)
    assert tracemalloc.get_traced_memory()[1] < 0.1 * wide.X.nbytes
    tracemalloc.stop()


def test_a_global_seed_changes_nothing() -> None:
    data = blobs(200)
    np.random.seed(1)  # noqa: NPY002  (that is the point)
    first = arrays(last(data, SMALL))
    np.random.seed(2)  # noqa: NPY002
    assert arrays(last(data, SMALL)) == first


@pytest.mark.parametrize("optimizer", ["sgd", "nesterov", "adamw"])
@pytest.mark.parametrize("epoch", [1, 3])
def test_resuming_goes_on_to_the_same_bits(optimizer: str, epoch: int) -> None:
    data, held_out = blobs(200), blobs(50, seed=1)
    recipe = replace(SMALL, optimizer=optimizer, learning_rate=0.05, validation=50, patience=4)
    whole = list(train(data, recipe, validation=held_out))
    resumed = list(train(data, recipe, validation=held_out, start=whole[epoch - 1]))
    assert [p.latest.number for p in resumed] == list(range(epoch + 1, 5))
    assert arrays(resumed[-1]) == arrays(whole[-1])
    assert resumed[-1].best.number == whole[-1].best.number
    without_time = [{**record, "seconds": 0} for record in resumed[-1].history]
    assert without_time == [{**record, "seconds": 0} for record in whole[-1].history]


def seen_orders(recipe: Hyperparameters, monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """Row numbers that each epoch fed to the network, in order."""
    data = Batch(np.arange(50, dtype=np.float64)[:, None], one_hot(np.arange(50) % 2, 2))
    seen: list[int] = []

    def spy(parameters, architecture, X, targets, l2_penalty, sample_weight):
        seen.extend(X[:, 0].astype(int).tolist())
        return 0.0, tuple(type(layer)(*(np.zeros_like(a) for a in layer)) for layer in parameters)

    monkeypatch.setattr("mnist_net.learning.training.loss_and_gradients", spy)
    list(train(data, recipe))
    return [seen[begin : begin + 50] for begin in range(0, len(seen), 50)]


def test_shuffles_anew_each_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    orders = seen_orders(replace(SMALL, epochs=3), monkeypatch)
    assert all(sorted(order) == list(range(50)) for order in orders)  # each example once
    assert len({tuple(order) for order in orders}) == 3
    assert list(range(50)) not in orders


def test_keeps_the_order_if_told(monkeypatch: pytest.MonkeyPatch) -> None:
    orders = seen_orders(replace(SMALL, epochs=2, shuffle=False), monkeypatch)
    assert orders == [list(range(50))] * 2


def test_loss_of_an_epoch_is_the_mean_over_examples_and_not_over_batches() -> None:
    # Rate 0: nothing changes, so batches of 16, 16 and 8 must give the loss of all 40.
    data = blobs(40)
    frozen = replace(SMALL, learning_rate=0.0, epochs=1)
    record = last(data, frozen, validation=data).history[0]
    assert record["loss"] == pytest.approx(record["validation_loss"], rel=1e-5)


def test_history_tells_norms_and_rate() -> None:
    progress = last(blobs(100), SMALL)
    record, (first, second) = progress.history[-1], progress.latest.parameters
    assert record["weight_norms"] == pytest.approx(
        [math.sqrt((first.weights**2).sum()), math.sqrt((second.weights**2).sum())], rel=1e-5
    )
    assert record["bias_norms"] == pytest.approx(
        [math.sqrt((first.biases**2).sum()), math.sqrt((second.biases**2).sum())], rel=1e-5
    )
    assert record["learning_rate"] == learning_rate_at(4 * 7 - 1, 7, SMALL)
    assert record["validation_loss"] is None
    assert record["validation_accuracy"] is None
    assert [r["epoch"] for r in progress.history] == [1, 2, 3, 4]


def test_stops_early_and_keeps_the_best_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    # Validation accuracy by epoch: the best is the third, for its loss is lower than the second's.
    judged = iter([(0.9, 0.5), (0.8, 0.7), (0.7, 0.7), (0.6, 0.6), (0.5, 0.7), (0.1, 0.9)])
    monkeypatch.setattr("mnist_net.learning.training.loss_and_accuracy", lambda *_: next(judged))
    recipe = replace(SMALL, epochs=6, validation=10, patience=1)
    data = blobs(50)
    progress = list(train(data, recipe, validation=data))
    assert [p.best.number for p in progress] == [1, 2, 3, 3]  # stopped after one bad epoch
    judged = iter([(0.9, 0.5), (0.8, 0.7), (0.7, 0.7), (0.6, 0.6), (0.5, 0.7), (0.1, 0.9)])
    progress = list(train(data, replace(recipe, patience=2), validation=data))
    assert [p.best.number for p in progress] == [1, 2, 3, 3, 5, 6]
    assert progress[4].chosen(recipe) is progress[4].best
    assert progress[3].chosen(replace(recipe, patience=None)) is progress[3].latest
    kept = [a.tobytes() for layer in progress[3].best.parameters for a in layer]
    assert kept == arrays(progress[2])


def test_schedules_by_hand() -> None:
    recipe = replace(SMALL, learning_rate=1.0, epochs=3, warmup_epochs=0.0)

    def rates(**changes: object) -> list[float]:
        return [learning_rate_at(step, 2, replace(recipe, **changes)) for step in range(6)]

    assert rates(schedule="constant") == [1.0] * 6
    assert rates(schedule="step") == pytest.approx([1.0, 1.0, 0.1, 0.1, 0.01, 0.01])
    assert rates(schedule="cosine") == pytest.approx(
        [(1 + math.cos(math.pi * k / 6)) / 2 for k in range(6)]
    )
    assert rates(schedule="constant", warmup_epochs=1.0) == pytest.approx(
        [1 / 3, 2 / 3, 1, 1, 1, 1]
    )
    warm = rates(schedule="cosine", warmup_epochs=1.0)
    assert warm == pytest.approx(
        [1 / 3, 2 / 3, *((1 + math.cos(math.pi * k / 4)) / 2 for k in range(4))]
    )


@pytest.mark.parametrize("activation", ["relu", "identity"])
def test_divergence_names_epoch_and_step_and_what_to_do(activation: str) -> None:
    recipe = replace(SMALL, activation=activation, learning_rate=1e30, schedule="constant")
    with pytest.raises(DivergenceError, match=r"epoch 1, step \d of 13; lower the learning rate"):
        list(train(blobs(200), recipe))


def test_divergence_in_the_very_last_step_is_noticed() -> None:
    # One step: the loss before it is finite, the weights after it are not.
    recipe = replace(SMALL, learning_rate=1e300, batch_size=50, epochs=1)
    with pytest.raises(DivergenceError):
        list(train(blobs(50), recipe))


@pytest.mark.parametrize("loss", LOSSES)
def test_weights_are_repetitions_and_equal_ones_are_none(loss: str) -> None:
    generator = np.random.default_rng(3)
    architecture = Architecture((4, 5, 3), ("tanh", LOSSES[loss].output_activation), loss)
    parameters = initialize(architecture, generator)
    X, targets = generator.standard_normal((6, 4)), np.eye(3)[[0, 1, 2, 0, 1, 2]]
    times = np.array([1, 3, 0, 2, 1, 5])

    def at(X, targets, sample_weight=None):
        loss, gradients = loss_and_gradients(
            parameters, architecture, X, targets, 0.1, sample_weight
        )
        return [np.array(loss), *(array for layer in gradients for array in layer)]

    repeated = at(X.repeat(times, axis=0), targets.repeat(times, axis=0))
    for scale in (1.0, 1e-3):
        for ours, expected in zip(at(X, targets, scale * times), repeated, strict=True):
            np.testing.assert_allclose(ours, expected, rtol=1e-12, atol=1e-15)
    for ours, expected in zip(at(X, targets, np.full(6, 3.0)), at(X, targets), strict=True):
        np.testing.assert_array_equal(ours, expected)


def test_loss_of_an_epoch_is_the_weighted_mean_over_examples() -> None:
    data = blobs(40)._replace(sample_weight=np.linspace(0.1, 4.0, 40, dtype=np.float32))
    frozen = replace(SMALL, learning_rate=0.0, epochs=1)
    record = last(data, frozen, validation=data).history[0]
    assert record["loss"] == pytest.approx(record["validation_loss"], rel=1e-5)
    assert record["loss"] != pytest.approx(last(blobs(40), frozen).history[0]["loss"], rel=1e-2)
