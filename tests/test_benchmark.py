"""The benchmark of speeds: its arithmetic by hand, and trials of it on very little data."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
import sklearn

from mnist_net import Hyperparameters
from scripts.speed import (
    __main__,
    figures,
    machine,
    predicting,
    products,
    reaching,
    training,
)
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
        [sys.executable, "-m", "scripts.speed", *map(str, arguments)],
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
    ours = {"ours", "ours, all pixels", "ours, own threads"}
    found = row["measured"]
    assert found.keys() == {"products", *ours}
    assert all(0.0 < one["fastest"] <= one["seconds"] <= one["slowest"] for one in found.values())
    assert found["ours"]["over"]["products"] > 0.0
    assert found["ours"]["peak_megabytes"] > 20.0
    lines = done.stdout.splitlines()
    assert "| training |  | seconds | peak_megabytes | facts | / ours | / products |" in lines
    assert any(line.startswith("| 784-8-10, batch 64 | ours | ") for line in lines)
    assert any(line.startswith("| process | mnist-net --help | ") for line in lines)


def test_quick_figures_replace_no_others_unasked(little: Path) -> None:
    results = ROOT / "results" / "speed.json"
    before = results.read_bytes()
    done = run_benchmark("--quick", "--no-peers", "--only", "memory", "--dataset", little)
    assert (done.returncode, results.read_bytes()) == (0, before), done.stderr
    assert "| train_model, distorted |" in done.stdout


@pytest.mark.parametrize("content", ["not json", "[]", None])
def test_what_cannot_be_written_is_said_before_the_work(
    tmp_path: Path, content: str | None
) -> None:
    output = tmp_path / "speed.json"
    if content is None:
        output.mkdir()
    else:
        output.write_text(content)
    done = run_benchmark("--quick", "--only", "startup", "--output", output)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert str(output) in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_data_that_are_not_mnist_are_not_loaded_from_a_cache(tmp_path: Path, little: Path) -> None:
    output = tmp_path / "speed.json"
    done = run_benchmark("--only", "loading", "--dataset", little, "--output", output)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("loading: nothing to measure")
    assert not output.exists()


def test_a_failing_competitor_is_named_in_full(tmp_path: Path) -> None:
    done = run_benchmark("--only", "training", "--dataset", "no.npz", "--output", tmp_path / "x")
    assert done.returncode != 0
    assert "the competitor 'products' failed" in done.stderr
    assert "no.npz" in done.stderr


def test_parts_are_chosen_by_name() -> None:
    assert __main__.chosen("") == list(__main__.PARTS)
    assert __main__.chosen("startup, training") == ["training", "startup"]
    with pytest.raises(click.BadParameter, match="trainin"):
        __main__.chosen("trainin")


# --- arithmetic by hand ------------------------------------------------------------------------


def outcome(seconds: list[float], *surveys: tuple[float, float]) -> Outcome:
    return Outcome(seconds, [], list(surveys), None, None)


def test_medians_and_ratios() -> None:
    outcomes = {"a": outcome([3.0, 1.0, 2.0]), "b": outcome([5.0, 4.0, 100.0])}
    assert figures.measured(outcomes, "a", "c") == {
        "a": {"seconds": 2.0, "fastest": 1.0, "slowest": 3.0},
        # Round by round: 5/3, 4/1, 100/2.
        "b": {"seconds": 5.0, "fastest": 4.0, "slowest": 100.0, "over": {"a": 4.0}},
    }


def test_near_is_before_and_after_for_both() -> None:
    near, far = (1.0, 1.2), (1.0, 1.3)
    outcomes = {
        "products": outcome([1.0, 1.0, 2.0, 2.0, 1.0], near, near, near, near, far),
        "ours": outcome([2.0, 9.0, 6.0, 8.0, 9.0], near, (1.6, 1.0), near, near, near),
        "torch": outcome([3.0, 3.0, 3.0, 3.0, 3.0], near, near, far, far, far),
    }
    found = figures.measured(outcomes, "products", "ours")
    assert found["ours"]["over"] == {"products": 4.0}  # of 2, 9, 3, 4, 9
    assert found["ours"]["near"] == {"products": 3.0}  # of 2, 3, 4
    assert found["torch"]["over"]["ours"] == 0.375  # of 3/2, 3/9, 3/6, 3/8, 3/9
    assert "near" not in found["torch"]  # two rounds over products, one over ours
    assert figures.times(found["ours"], "products") == "4.00 (3.00)"
    assert figures.times(found["torch"], "ours") == "0.38"
    assert figures.times(found["ours"], "absent") == "–"


def test_a_table_has_a_line_for_each_competitor() -> None:
    outcomes = {"a": outcome([1.0, 1.0, 1.0]), "b": outcome([2.0, 4.0, 3.0])}
    rows = [
        {"problem": "little", "measured": figures.measured(outcomes, "a")},
        {"problem": "large", "measured": {"b": {"peak_megabytes": 12.3}}},
    ]
    assert figures.table_of("epochs", rows).splitlines() == [
        "| epochs |  | seconds | peak_megabytes | / a |",
        "| --- | ---: | ---: | ---: | ---: |",
        "| little | a | 1.00 s | – | – |",
        "| little | b | 3.00 s | – | 3.00 |",
        "| large | b | – | 12 | – |",
    ]


@pytest.mark.parametrize("name", ["speed", "speed-one-thread", "speed-avx2"])
def test_figures_are_written_with_a_competitor_on_a_line(name: str, tmp_path: Path) -> None:
    kept = (ROOT / "results" / f"{name}.json").read_text(encoding="utf-8")
    parts = json.loads(kept)
    figures.write_figures(tmp_path / "again.json", parts)
    assert (tmp_path / "again.json").read_text(encoding="utf-8") == kept
    rows = parts["training" if "training" in parts else "predicting"]["rows"]
    line = f"     {json.dumps('ours')}: {json.dumps(rows[0]['measured']['ours'])},"
    assert line in kept.splitlines()


def test_distance_compares_reading_after_all_with_reading_after_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # By this clock a reading takes 3 after a product, and else 2.
    now, reading, product = 0.0, False, False

    def matmul(*_: object, **__: object) -> None:
        nonlocal product
        product = True

    def clock() -> float:
        nonlocal now, reading, product
        if reading:
            now += 3.0 if product else 2.0
            product = False
        reading = not reading
        return now

    trial = machine.distance()
    monkeypatch.setattr(machine.np, "matmul", matmul)
    monkeypatch.setattr(machine.time, "perf_counter", clock)
    assert trial.run() == 1.5


def test_slope_is_the_exponent() -> None:
    # 3 n²: a line of slope 2 in the logarithms.
    assert figures.slope([1, 2, 4, 8], [3, 12, 48, 192]) == pytest.approx(2.0)
    # (0, 0), (1, 0), (2, 3) in logarithms to base 2: Σ (x - 1)(y - 1) / Σ (x - 1)² = 3/2.
    assert figures.slope([1, 2, 4], [1, 1, 8]) == pytest.approx(1.5)


def fastest(**seconds: float) -> dict[str, dict[str, float]]:
    return {name: {"fastest": least, "seconds": 9.0} for name, least in seconds.items()}


def test_slope_over_the_batch_is_of_a_step() -> None:
    # An epoch takes as long at any batch size, so a step takes twice as long at twice the batch.
    rows = [
        {"grows": "batch", "size": n, "measured": fastest(ours=1.0, products=1.0 / n)}
        for n in (16, 32, 64)
    ] + [
        {"grows": "pictures", "size": n, "measured": fastest(ours=5.0 * n, products=n)}
        for n in (100, 200)
    ]
    batch, pictures = training.exponents(rows)
    assert (batch["problem"], pictures["problem"]) == ("batch, 16 to 64", "pictures, 100 to 200")
    for row, ours, floor in ((batch, 1.0, 0.0), (pictures, 1.0, 1.0)):
        assert row["measured"]["ours"]["exponent"] == pytest.approx(ours)
        assert row["measured"]["products"]["exponent"] == pytest.approx(floor)


def test_durations_have_three_digits() -> None:
    shown = [figures.duration(s) for s in (None, 12.345, 1.0, 0.0999, 0.00123, 4.56e-5, 1e-9)]
    assert shown == ["–", "12.3 s", "1.00 s", "99.9 ms", "1.23 ms", "45.6 µs", "0.0010 µs"]


def test_a_competitor_takes_the_recipe_that_is_first_to_an_accuracy() -> None:
    found = {"slow": {"0.97": 2.0, "0.98": 5.0}, "fast": {"0.97": 1.0}}
    assert reaching.fastest(found, 0.97) == "fast"
    assert reaching.fastest(found, 0.98) == "slow"
    assert reaching.fastest(found, 0.985) is None


def test_a_time_to_an_accuracy_says_which_seeds_reached_it() -> None:
    same = reaching.title(reaching.SAME)
    chosen = {"ours": {"0.97": "fast", "0.98": same, "0.985": None}}
    runs: reaching.Runs = {
        ("ours", same): [{"0.97": s, "0.98": 2 * s} for s in (4.0, 6.0, 5.0)],
        ("ours", "fast"): [{"0.97": 1.0}, {}, {"0.97": 1.0}],
    }
    rows = {row["problem"]: row["measured"] for row in reaching.rows_of(chosen, runs)}
    spread = {"seconds": 5.0, "fastest": 4.0, "slowest": 6.0}
    facts = {"seeds": "3 of 3", "recipe": same}
    assert rows["97.0%, same recipe"] == {"ours": {**spread, "facts": facts}}
    own = rows["97.0%, own"]["ours"]
    assert (own["seconds"], own["facts"]) == (1.0, {"seeds": "2 of 3", "recipe": "fast"})
    assert rows["98.0%, own"]["ours"]["seconds"] == 10.0
    none = {"facts": {"seeds": "0 of 3", "recipe": same}}
    assert rows["98.5%, same recipe"] == {"ours": none}
    assert rows["98.5%, own"] == {}


def test_recipes_have_titles_of_their_own() -> None:
    for grid in (reaching.FALLING, reaching.CONSTANT):
        assert len(set(map(reaching.title, grid))) == len(grid)
    assert reaching.title(reaching.FALLING[-1]) == (
        "800 units, batch 128, rate 0.3 to 0 in 8 epochs, λ 1e-05"
    )


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
    in_memory = [np.shares_memory(steps[k].left, steps[k + 4].left) for k in (0, 5)]
    assert in_memory == [layouts[0][0] != layouts[-1][0]] * 2
    assert len(layouts) == 5
    for number, rows in enumerate((X[:4], X[4:8], X[8:])):
        first, *_, last = steps[5 * number : 5 * number + 5]
        np.testing.assert_array_equal(first.left, rows)
        np.testing.assert_array_equal(last.left, rows.T)
        first()
        np.testing.assert_allclose(first.out, rows @ first.right, rtol=1e-5)
        assert last.out.shape == (6, 3)


def test_layouts_are_what_they_say() -> None:
    made = products.product((4, 5, 6), "FCF")
    assert made.left.flags.f_contiguous
    assert made.right.flags.c_contiguous
    assert made.out.flags.f_contiguous
    made()
    np.testing.assert_allclose(made.out, made.left @ made.right, rtol=1e-5)


# --- competitors -------------------------------------------------------------------------------


def test_competitors_learn_the_same_task() -> None:
    data = bright_bars(400)
    problem = Problem("", None, PLAIN, 1).with_(hidden_layer_sizes=(16,), batch_size=8)
    for make in (training.ours, training.scikit_learn):
        trainer = make(data, problem)
        for _ in range(5):
            trainer.epoch()
        assert (trainer.classify(data.X) == data.targets.argmax(axis=1)).mean() == 1.0, make


def test_no_recipe_is_bent_for_scikit_learn() -> None:
    data = training.Batch(np.zeros((4, 784), np.float32), np.eye(4, 10, dtype=np.float32))
    problem = Problem("", None, PLAIN, 1).with_(schedule="cosine")
    with pytest.raises(ValueError, match="schedules"):
        training.scikit_learn(data, problem)
    assert {recipe.schedule for recipe in reaching.GRIDS["MLPClassifier"]} == {"constant"}


def bright_bars(n: int) -> training.Batch:
    """Digits that are one bright bar each."""
    labels = np.arange(n) % 10
    X = np.zeros((n, 784), np.float32)
    for row, digit in enumerate(labels):
        X[row, 70 * digit : 70 * digit + 60] = 1.0
    return training.Batch(X, np.eye(10, dtype=np.float32)[labels])


def test_scikit_learn_shuffles_each_epoch_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    orders = []
    original = sklearn.utils.shuffle

    def shuffle(indices: np.ndarray, random_state: np.random.RandomState) -> np.ndarray:
        orders.append(original(indices, random_state=random_state))
        return orders[-1]

    monkeypatch.setattr("sklearn.neural_network._multilayer_perceptron.shuffle", shuffle)
    problem = Problem("", None, PLAIN, 1).with_(hidden_layer_sizes=(2,), batch_size=50)
    trainer = training.scikit_learn(bright_bars(50), problem)
    trainer.epoch()
    trainer.epoch()
    assert orders[0].tolist() != orders[1].tolist()


def classes_after_two_epochs(make: training.TrainerMaker, recipe: Hyperparameters) -> np.ndarray:
    """Classes of noise after two steps on all pictures at once, so that no order matters."""
    trainer = make(bright_bars(40), Problem("", None, recipe, 1))
    trainer.epoch()
    trainer.epoch()
    return trainer.classify(
        np.random.default_rng(0).normal(0.0, 3.0, (900, 784)).astype(np.float32)
    )


RULES: list[dict[str, Any]] = [
    {"l2_penalty": 0.02},
    {"schedule": "cosine"},
    {"optimizer": "adamw", "learning_rate": 0.01, "weight_decay": 5.0},
]


@pytest.mark.parametrize("changes", RULES)
def test_pytorch_takes_the_steps_that_we_take(changes: dict[str, Any]) -> None:
    pytest.importorskip("torch")
    base = replace(PLAIN, hidden_layer_sizes=(16,), batch_size=40, epochs=2, learning_rate=1.0)
    recipe = replace(base, **changes)
    ours = classes_after_two_epochs(training.ours, recipe)
    assert len(set(ours.tolist())) > 5
    np.testing.assert_array_equal(ours, classes_after_two_epochs(training.torch, recipe))
    without = classes_after_two_epochs(training.ours, base)
    assert (ours != without).any()  # the rule is seen at all


@pytest.mark.parametrize("name", predicting.PEERS)
def test_a_peer_predicts_what_we_do(name: str) -> None:
    _, libraries = predicting.PEERS[name]
    for library in libraries:
        pytest.importorskip(library)
    predicting.peer(name, 8, 20, 1, 1).run()


def test_a_peer_that_differs_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = lambda *_: lambda X: np.ones((len(X), 10))  # noqa: E731
    monkeypatch.setitem(predicting.PEERS, "MLPClassifier", (wrong, ()))
    with pytest.raises(ValueError, match="MLPClassifier differs from ours by"):
        predicting.peer("MLPClassifier", 8, 20, 1, 1)


def test_each_part_of_our_prediction_is_measured() -> None:
    for part in ("predict_proba", *predicting.PARTS):
        predicting.ours(8, 3, 2, part).run()
