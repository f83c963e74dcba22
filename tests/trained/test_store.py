"""Models on disk: what is written comes back bit for bit, and which model is meant.

The golden files were made by tests/trained/golden/make_golden.py and are never made again.
"""

import itertools
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

from mnist_net.errors import ModelFileError
from mnist_net.trained import store
from mnist_net.trained.committee import Committee
from mnist_net.trained.model import Model
from mnist_net.trained.safe_joblib import read_contents, write_contents
from mnist_net.trained.store import find_model, load_model, save_model
from tests.trained.conftest import (
    GOLDEN,
    METADATA,
    assert_same_model,
    golden_pictures,
    make_model,
    refusal,
    with_shared_weights,
)

# What is written comes back.


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("hidden", [(), (8,), (12, 7, 5)])
def test_a_model_comes_back_bit_for_bit(tmp_path: Path, hidden: Any, dtype: Any) -> None:
    model = make_model(hidden, dtype)
    save_model(model, tmp_path / "m.joblib")
    assert_same_model(load_model(tmp_path / "m.joblib"), model)


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int8])
def test_shared_weights_come_back_and_take_little_room(tmp_path: Path, dtype: Any) -> None:
    model = with_shared_weights()
    save_model(model, tmp_path / "m.joblib", dtype=dtype)
    loaded = load_model(tmp_path / "m.joblib")
    assert isinstance(loaded, Model)
    assert loaded.architecture == model.architecture
    assert [layer.weights.shape for layer in loaded.parameters] == [
        *[(25, 3), (75, 4)],
        *[(196, 6), (6, 10)],
    ]
    pictures = golden_pictures()
    tolerance = {np.float32: 0.0, np.float16: 1e-2, np.int8: 5e-2}[dtype]
    probabilities = loaded.predict_proba(pictures)
    np.testing.assert_allclose(probabilities, model.predict_proba(pictures), atol=tolerance)
    assert (tmp_path / "m.joblib").stat().st_size < 20_000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"side": 27}, "shared weights of another shape"),
        ({"side": "28"}, "shared weights of another shape"),
        ({"kernel": 3}, "shared weights of another shape"),
        ({"kernel": 10**400}, "shared weights of another shape"),
        ({"stride": 1}, "shared weights of another shape"),
        ({"channels": None}, "shared weights of another shape"),
        ({"maps": 3}, "do not fit together"),
    ],
    ids=str,
)
def test_shared_weights_that_do_not_fit_are_refused(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    save_model(with_shared_weights(), tmp_path / "m.joblib")
    contents = read_contents(tmp_path / "m.joblib")
    contents["convolutions"][0].update(change)
    write_contents(tmp_path / "m.joblib", contents)
    assert message in refusal(tmp_path / "m.joblib")


@pytest.mark.parametrize("number", [1, 3])
def test_another_number_of_shared_layers_is_refused(tmp_path: Path, number: int) -> None:
    save_model(with_shared_weights(), tmp_path / "m.joblib")
    contents = read_contents(tmp_path / "m.joblib")
    contents["convolutions"] = (contents["convolutions"] * 3)[: 2 * number - 1]
    write_contents(tmp_path / "m.joblib", contents)
    message = "layers of another shape" if number == 1 else "shared weights of another shape"
    assert message in refusal(tmp_path / "m.joblib")


@pytest.mark.parametrize(
    ("level", "size", "message"),
    [(1, 589, "feature maps of another size"), (3, 6.0, "a layer without units")],
)
def test_layers_of_a_size_that_no_layer_has_are_refused(
    tmp_path: Path, level: int, size: Any, message: str
) -> None:
    save_model(with_shared_weights(), tmp_path / "m.joblib")
    contents = read_contents(tmp_path / "m.joblib")
    contents["layer_sizes"][level] = size
    write_contents(tmp_path / "m.joblib", contents)
    assert message in refusal(tmp_path / "m.joblib")


@pytest.mark.parametrize("biases", [False, (False, True), (True, False)])
def test_layers_without_biases_come_back(tmp_path: Path, biases: Any) -> None:
    model = make_model(biases=biases)
    save_model(model, tmp_path / "m.joblib")
    loaded = load_model(tmp_path / "m.joblib")
    assert loaded.architecture.layer_biases == model.architecture.layer_biases
    assert [layer.biases is None for layer in loaded.parameters] == [
        layer.biases is None for layer in model.parameters
    ]


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "identity"])
@pytest.mark.parametrize(
    "loss", ["softmax-cross-entropy", "binary-cross-entropy", "mean-squared-error"]
)
def test_every_architecture_predicts_the_same_bits_afterwards(
    tmp_path: Path, activation: str, loss: str
) -> None:
    model = make_model((6, 5), loss=loss, activation=activation)
    pictures = np.random.default_rng(0).integers(0, 256, (20, 28, 28)).astype(np.uint8)
    save_model(model, tmp_path / "m.joblib")
    loaded = load_model(tmp_path / "m.joblib")
    assert_same_model(loaded, model)
    assert loaded.predict_proba(pictures).tobytes() == model.predict_proba(pictures).tobytes()


@pytest.mark.parametrize("layout", ["fortran", "strided", "big-endian"])
def test_the_memory_layout_of_the_weights_does_not_matter(tmp_path: Path, layout: str) -> None:
    model = make_model()
    weights, biases = model.parameters[0]
    odd = {
        "fortran": np.asfortranarray(weights),
        "strided": np.repeat(weights, 2, axis=1)[:, ::2],
        "big-endian": weights.astype(">f4"),
    }[layout]
    save_model(
        replace(model, parameters=(model.parameters[0]._replace(weights=odd), model.parameters[1])),
        tmp_path / "m.joblib",
    )
    loaded = load_model(tmp_path / "m.joblib")
    np.testing.assert_array_equal(loaded.parameters[0].weights, weights)
    assert loaded.parameters[0].weights.dtype == np.dtype("=f4")
    np.testing.assert_array_equal(loaded.parameters[0].biases, biases)


@pytest.mark.parametrize("biases", [True, (False, True)])
def test_weights_stored_as_float16_come_back_as_float32(tmp_path: Path, biases: Any) -> None:
    model = make_model((300,), biases=biases)
    save_model(model, tmp_path / "whole.joblib")
    save_model(model, tmp_path / "half.joblib", dtype=np.float16)
    n_bytes = [(tmp_path / name).stat().st_size for name in ("half.joblib", "whole.joblib")]
    assert n_bytes[0] == pytest.approx(n_bytes[1] / 2, rel=0.01)
    loaded = load_model(tmp_path / "half.joblib")
    for before, after in zip(model.parameters, loaded.parameters, strict=True):
        for ours, theirs in zip(before, after, strict=True):
            if ours is None:
                assert theirs is None
            else:
                assert theirs.dtype == np.float32
                assert (theirs == ours.astype(np.float16)).all()
    # Saved again as they are, they are float32 from there on; the numbers stay.
    save_model(loaded, tmp_path / "again.joblib")
    assert_same_model(load_model(tmp_path / "again.joblib"), loaded)


def test_weights_that_float16_cannot_hold_are_refused(tmp_path: Path) -> None:
    model = make_model()
    first, second = model.parameters
    huge = replace(model, parameters=(first._replace(biases=first.biases + 70_000.0), second))
    with pytest.raises(ModelFileError, match="some weights are too large for float16"):
        save_model(huge, tmp_path / "m.joblib", dtype=np.float16)
    assert not list(tmp_path.iterdir())


def test_a_large_model_is_loaded_in_a_moment(tmp_path: Path) -> None:
    """784-2500-10 in float16, with the history of 300 epochs, in 50 ms."""
    record = {"epoch": 1, "loss": 0.5, "weight_norms": [1.5, 2.5], "bias_norms": [1.5, 2.5]}
    history = [{**record, "validation_loss": None, "seconds": 1.25}] * 300
    model = replace(make_model((2500,)), metadata={**METADATA, "history": history})
    save_model(model, tmp_path / "m.joblib", dtype=np.float16)
    assert (tmp_path / "m.joblib").stat().st_size <= 5_000_000
    seconds = []
    for _ in range(7):
        began = time.process_time()  # which no other process on the machine prolongs
        load_model(tmp_path / "m.joblib")
        seconds.append(time.process_time() - began)
    assert min(seconds) < 0.05


@pytest.mark.parametrize("biases", [True, (True, False)])
def test_weights_stored_as_int8_come_back_with_their_scales(tmp_path: Path, biases: Any) -> None:
    model = make_model(biases=biases)
    save_model(model, tmp_path / "m.joblib", dtype=np.int8)
    save_model(model, tmp_path / "whole.joblib", dtype=np.float32)
    assert (tmp_path / "m.joblib").stat().st_size < 0.4 * (tmp_path / "whole.joblib").stat().st_size
    loaded = load_model(tmp_path / "m.joblib")
    assert not isinstance(loaded, Committee)
    for ours, theirs in zip(model.parameters, loaded.parameters, strict=True):
        assert theirs.weights.dtype == np.float32
        steps = np.abs(ours.weights).max(axis=0) / 127
        assert (np.abs(ours.weights - theirs.weights) <= steps * (0.5 + 1e-5)).all()
        assert (ours.biases is None) == (theirs.biases is None)
        if ours.biases is not None:
            np.testing.assert_array_equal(ours.biases, theirs.biases)


def test_other_whole_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="floats or as int8, not as int16"):
        save_model(make_model(), tmp_path / "m.joblib", dtype=np.int16)
    assert not (tmp_path / "m.joblib").exists()


def test_weights_held_in_float16_are_computed_with_in_float32(tmp_path: Path) -> None:
    model = make_model(dtype=np.float16)
    pictures = np.random.default_rng(0).integers(0, 256, (20, 28, 28)).astype(np.uint8)
    probabilities = model.predict_proba(pictures)
    assert probabilities.dtype == np.float32
    # In float16 the rows would be off by up to 1e-3.
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-6)


def test_a_model_file_holds_plain_values_and_none_of_our_classes(model_file: Path) -> None:
    contents = joblib.load(model_file)  # joblib itself, with all doors open
    assert contents["format"] == "mnist-net model"
    assert contents["format_version"] == 3
    assert b"mnist_net" not in model_file.read_bytes()

    def types(value: Any) -> set[type]:
        if isinstance(value, dict):
            return set().union(*map(types, value.values()), *map(types, value))
        if isinstance(value, list | tuple):
            return set().union(*map(types, value))
        return {type(value)}

    assert types(contents) == {str, int, float, bool, type(None), np.ndarray}


@pytest.mark.parametrize(
    ("name", "temperature"),
    [
        ("model-format-1", 1.0),
        ("model-format-2", 1.75),
        ("model-format-3", 1.25),
        ("shared-format-3", 1.5),
    ],
)
def test_the_golden_models_still_answer_the_same(name: str, temperature: float) -> None:
    expected = json.loads((GOLDEN / f"{name}.json").read_text())
    model = load_model(GOLDEN / f"{name}.joblib")
    assert model.temperature == temperature
    answers = model.predict_proba(golden_pictures())
    assert np.ptp(answers, axis=0).max() > 0.05  # the pictures do not all get the same answer
    # float32 against float64: sums of 784 terms of size 1 are good to about 1e-6.
    np.testing.assert_allclose(answers, expected["probabilities"], atol=5e-6)
    assert json.loads(json.dumps(model.metadata)) == expected["metadata"]


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    assert "no such file; a model is named by its file, or as" in refusal(tmp_path / "no.joblib")
    assert "directory" in refusal(tmp_path).lower()


# Which model is meant.


def test_the_order_in_which_a_model_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named_model, latest = tmp_path / "named.joblib", tmp_path / "models" / "latest.joblib"
    shipped = tmp_path / "shipped.joblib"
    monkeypatch.setattr(store, "SHIPPED_MODELS", (tmp_path / "none.joblib", shipped))
    for path in (named_model, latest, shipped):
        save_model(replace(make_model(), metadata={"note": path.name}), path)
    monkeypatch.setenv("MNIST_NET_MODEL", str(named_model))
    assert load_model().metadata["note"] == "named.joblib"
    monkeypatch.delenv("MNIST_NET_MODEL")
    assert load_model().metadata["note"] == "latest.joblib"
    latest.unlink()
    assert load_model().metadata["note"] == "shipped.joblib"
    shipped.unlink()
    with pytest.raises(ModelFileError, match="train one with `mnist-net train`"):
        load_model()


def test_a_named_model_that_is_missing_is_not_replaced_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_model(make_model(), tmp_path / "models" / "latest.joblib")
    monkeypatch.setenv("MNIST_NET_MODEL", str(tmp_path / "gone.joblib"))
    assert find_model() == tmp_path / "gone.joblib"
    with pytest.raises(ModelFileError, match=r"gone\.joblib: no such file"):
        load_model()


# Writing.


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing_behind(
    model_file: Path, tmp_path: Path
) -> None:
    before = model_file.read_bytes()
    with pytest.raises(TypeError, match="not JSON serializable"):
        save_model(replace(make_model((300,)), metadata={"no": lambda: None}), model_file)
    assert model_file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [model_file]


@pytest.mark.skipif(os.name == "nt", reason="needs resource limits")
def test_a_full_disk_keeps_the_old_file(model_file: Path, tmp_path: Path) -> None:
    before = model_file.read_bytes()
    program = f"""
import resource
from mnist_net import load_model, save_model
model = load_model({str(model_file)!r})
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    save_model(model, {str(model_file)!r})
except OSError as error:
    print(error.strerror)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "File too large\n"
    assert model_file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [model_file]


def test_nobody_ever_reads_half_a_model(tmp_path: Path) -> None:
    """Neither while another process writes it again and again, nor after that one was killed."""
    path, model = tmp_path / "model.joblib", make_model((300,))
    save_model(model, path)
    program = f"""
from mnist_net import load_model, save_model
model = load_model({str(path)!r})
print("writing", flush=True)
while True:
    save_model(model, {str(path)!r})
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as writer:
        try:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "writing\n"
            seen: set[int] = set()
            deadline = time.monotonic() + 60
            for n in itertools.count():
                assert_same_model(load_model(path), model)
                seen.add(path.stat().st_mtime_ns)
                if n >= 100 and len(seen) > 2:  # it was replaced meanwhile
                    break
                assert time.monotonic() < deadline
        finally:
            writer.kill()
    assert_same_model(load_model(path), model)
