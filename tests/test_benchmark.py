"""The benchmark of speeds: its arithmetic by hand, and trials of it on very little data."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pytest
import sklearn

from scripts import benchmark
from scripts.speed import distance, figures, learning, predicting, products, reaching, trainers
from scripts.speed.problems import PLAIN, Problem
from scripts.speed.workers import Outcome
from tests.conftest import ROOT


@pytest.fixture(autouse=True)
def _scikit_learn_as_it_was() -> Iterator[None]:
    """Competitors set its configuration for their whole process, which is the tests' here."""
    with sklearn.config_context():
        yield


@pytest.fixture
def little(tmp_path: Path) -> Path:
    """Noise in the form of a data set: 600 pictures to train on and 50 to test on."""
    generator = np.random.default_rng(0)
    arrays = {}
    for part, n in (("train", 600), ("test", 50)):
        arrays[f"x_{part}"] = generator.integers(0, 256, (n, 28, 28), np.uint8)
        arrays[f"y_{part}"] = np.arange(n, dtype=np.uint8) % 10
    np.savez(tmp_path / "little.npz", **arrays)
    return tmp_path / "little.npz"


def run_benchmark(*arguments: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "scripts.benchmark", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_quick_parts_write_tables_and_figures(tmp_path: Path, little: Path) -> None:
    output = tmp_path / "speed.json"
    output.write_text('{"growth": {"rows": "of an earlier run"}}')
    done = run_benchmark(
        *("--quick", "--no-peers", "--only", "startup,training", "--dataset", little),
        *("--rounds", 2, "--threads", 1, "--output", output),
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(output.read_text())
    assert found.keys() == {"growth", "training", "startup"}
    assert found["growth"] == {"rows": "of an earlier run"}
    part = found["training"]
    assert (part["rounds"], part["threads"], part["quick"]) == (2, 1, True)
    assert part["machine"]["cpu"]
    assert part["machine"]["libraries"]["numpy"] == np.__version__
    (row,) = part["rows"]
    assert row["seconds"].keys() == {"products", "ours", "ours, own threads"}
    assert all(len(rounds) == 2 and min(rounds) > 0.0 for rounds in row["seconds"].values())
    medians = row["medians"]
    assert row["over_the_products"] == pytest.approx(medians["ours"] / medians["products"])
    assert row["peak_megabytes"]["ours"] > 20.0
    assert all(len(found) == 2 and min(found) > 0.0 for found in row["distances"].values())
    first = done.stdout.splitlines()[0]
    assert first == (
        "| seconds per epoch | products | ours | ours, own threads | ours / products "
        "| ours, own threads / ours |"
    )
    assert "| seconds per epoch, cores near |" in done.stdout
    assert "| mnist-net --help |" in done.stdout


def test_data_that_are_not_mnist_are_not_loaded_from_a_cache(tmp_path: Path, little: Path) -> None:
    output = tmp_path / "speed.json"
    done = run_benchmark("--only", "loading", "--dataset", little, "--output", output)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("loading: nothing to measure")
    assert not output.exists()


def test_a_failing_competitor_is_named_in_full(tmp_path: Path) -> None:
    done = run_benchmark("--only", "training", "--dataset", "no.npz", "--output", tmp_path / "x")
    assert done.returncode != 0
    assert "a competitor failed" in done.stderr
    assert "no.npz" in done.stderr


def test_parts_are_chosen_by_name() -> None:
    assert benchmark.chosen("") == list(benchmark.PARTS)
    assert benchmark.chosen("startup, training") == ["training", "startup"]
    with pytest.raises(click.BadParameter, match="trainin"):
        benchmark.chosen("trainin")


# --- arithmetic by hand ------------------------------------------------------------------------


def test_medians_and_ratios() -> None:
    seconds = {"a": [3.0, 1.0, 2.0], "b": [5.0, 4.0, 100.0]}
    assert figures.medians(seconds) == {"a": 2.0, "b": 5.0}
    assert figures.ratio(seconds, "b", "a") == 2.5
    assert figures.ratio(seconds, "a", "c") is None


def test_rounds_with_near_cores_are_told_from_others() -> None:
    def outcome(seconds: list[float], distances: list[float | None]) -> Outcome:
        return Outcome(seconds, [], distances, {}, None)

    outcomes = {
        "products": outcome([1.0, 1.0, 2.0], [1.0, 1.9, 1.1]),
        "ours": outcome([2.0, 5.0, 9.0], [1.0, 1.3, 1.6]),
        "torch": outcome([3.0, 3.0, 3.0], [1.5, 1.5, 1.5]),
        "unknown": outcome([3.0, 3.0, 3.0], [None, None, None]),
    }
    near = distance.while_near(outcomes)
    assert near == {"products": [1.0, 2.0], "ours": [2.0]}
    assert figures.ratio(near, "ours", "products") == pytest.approx(2.0 / 1.5)


def test_distance_compares_reading_after_all_with_reading_after_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A clock by which each reading takes 3 after the product, and 2 after the reader's own writing.
    ticks = [0, 3] * distance._REPEATS + [0, 2] * distance._REPEATS
    monkeypatch.setattr(distance.time, "perf_counter", lambda: ticks.pop(0))
    assert distance.distance().run() == 1.5
    assert not ticks


def test_slope_is_the_exponent() -> None:
    # 3 n²: a line of slope 2 in the logarithms.
    assert figures.slope([1, 2, 4, 8], [3, 12, 48, 192]) == pytest.approx(2.0)
    # (0, 0), (1, 0), (2, 3) in logarithms to base 2: Σ (x - 1)(y - 1) / Σ (x - 1)² = 3/2.
    assert figures.slope([1, 2, 4], [1, 1, 8]) == pytest.approx(1.5)


def test_slope_over_the_batch_is_of_a_step() -> None:
    # An epoch takes as long at any batch size, so a step takes twice as long at twice the batch.
    rows = [
        {"grows": "batch", "size": n, "seconds": {"ours": [9.0, 1.0], "products": [1.0 / n]}}
        for n in (16, 32, 64)
    ] + [
        {"grows": "pictures", "size": n, "seconds": {"ours": [5.0 * n], "products": [n, 7 * n]}}
        for n in (100, 200)
    ]
    found = learning.slopes(rows)
    assert found["batch"] == pytest.approx({"ours": 1.0, "products": 0.0})
    assert found["pictures"] == pytest.approx({"ours": 1.0, "products": 1.0})


def test_times_have_three_digits() -> None:
    shown = [figures.time(s) for s in (None, 12.345, 1.0, 0.0999, 0.00123, 4.56e-5, 1e-9)]
    assert shown == ["–", "12.3 s", "1.00 s", "99.9 ms", "1.23 ms", "45.6 µs", "0.0010 µs"]


def test_the_best_recipe_reaches_from_every_seed() -> None:
    rows = [
        {"recipe": reaching.SAME, "runs": {"ours": [{"seconds": {"0.98": s}} for s in (4, 6, 5)]}},
        {"recipe": "fast", "runs": {"ours": [{"seconds": {"0.98": s}} for s in (2, 3, 1)]}},
        {"recipe": "lucky", "runs": {"ours": [{"seconds": {"0.98": 1}}, {"seconds": {}}]}},
    ]
    assert reaching.seconds_to(rows[0], "ours", 0.98) == 5
    assert reaching.seconds_to(rows[2], "ours", 0.98) is None
    assert reaching.best(rows, "ours", 0.98) == (2, "fast")
    assert reaching.best(rows, "torch", 0.98) is None
    assert reaching.best(rows, "ours", 0.985) is None
    lines = reaching.reaching_table(rows).splitlines()
    assert "| 98.0%, same recipe | 5.00 s |" in lines
    assert "| 98.0%, best | 2.00 s (fast) |" in lines
    assert "| 98.5%, best | – |" in lines


# --- the floor ---------------------------------------------------------------------------------


def test_products_of_a_step() -> None:
    # The five of 784-300-10 at batch 32; with L layers there are 3 L - 1.
    assert products.step_shapes((784, 300, 10), 32) == [
        (32, 784, 300),
        (32, 300, 10),
        (32, 10, 300),
        (300, 32, 10),
        (784, 32, 300),
    ]
    assert len(products.step_shapes((784, 300, 100, 50, 10), 32)) == 3 * 4 - 1


def test_the_floor_multiplies_each_batch_once_however_it_lies() -> None:
    X = np.arange(60, dtype=np.float32).reshape(10, 6)  # ten rows: batches of 4, 4 and 2
    steps, layouts = products._steps(X, 4, (6, 3, 2))
    assert len(steps) == 3 * 5
    assert len(layouts) == 5
    for number, rows in enumerate((X[:4], X[4:8], X[8:])):
        first, *_, last = steps[5 * number : 5 * number + 5]
        np.testing.assert_array_equal(first.left, rows)
        np.testing.assert_array_equal(last.left, rows.T)
        first()
        np.testing.assert_allclose(first.out, rows @ first.right, rtol=1e-5)
        assert last.out.shape == (6, 3)


def test_layouts_are_what_they_say() -> None:
    made = products.product((4, 5, 6), products.Layout("F", "C", "F"))
    assert made.left.flags.f_contiguous
    assert made.right.flags.c_contiguous
    assert made.out.flags.f_contiguous
    made()
    np.testing.assert_allclose(made.out, made.left @ made.right, rtol=1e-5)


# --- competitors -------------------------------------------------------------------------------


def test_competitors_learn_the_same_task() -> None:
    """Each classifies what it has been trained on: digits that are one bright bar each."""
    labels = np.arange(400) % 10
    X = np.zeros((400, 784), np.float32)
    for row, digit in enumerate(labels):
        X[row, 70 * digit : 70 * digit + 60] = 1.0
    data = trainers.Batch(X, np.eye(10, dtype=np.float32)[labels])
    problem = Problem("", None, PLAIN, 1).with_(hidden_layer_sizes=(16,), batch_size=8)
    for make in (trainers.ours, trainers.scikit_learn):
        trainer = make(data, problem)
        for _ in range(5):
            trainer.epoch()
        assert (trainer.classify(X) == labels).mean() == 1.0, make


def test_no_recipe_is_bent_for_scikit_learn() -> None:
    data = trainers.Batch(np.zeros((4, 784), np.float32), np.eye(4, 10, dtype=np.float32))
    problem = Problem("", None, PLAIN, 1).with_(schedule="cosine")
    with pytest.raises(ValueError, match="schedules"):
        trainers.scikit_learn(data, problem)
    assert not reaching.can_follow("MLPClassifier", problem.recipe)
    assert reaching.can_follow("torch", problem.recipe)
    followed = [r for r in reaching.RECIPES.values() if reaching.can_follow("MLPClassifier", r)]
    assert reaching.RECIPES[reaching.SAME] in followed


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPClassifier, assume_finite"])
def test_a_peer_predicts_what_we_do(name: str) -> None:
    predicting.peer(name, 8, 20, 1, 1).run()


def test_a_peer_that_differs_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predicting, "scikit_learn", lambda *_: lambda X: np.ones((len(X), 10)))
    with pytest.raises(ValueError, match="MLPClassifier differs from ours by"):
        predicting.peer("MLPClassifier", 8, 20, 1, 1)


def test_each_part_of_our_prediction_is_measured() -> None:
    for part in ("predict_proba", "scaling", "network", "softmax"):
        predicting.ours(8, 3, 2, part).run()
