"""Models on disk: what is written comes back bit for bit, and a hostile file runs nothing.

The golden files were made by tests/trained/golden/make_golden.py and are never made again.
"""

import copyreg
import json
import math
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mnist_net.errors import ModelFileError
from mnist_net.learning.network import Architecture, initialize
from mnist_net.learning.recipe import Hyperparameters
from mnist_net.learning.scaling import Scaling
from mnist_net.learning.training import Batch, one_hot, train
from mnist_net.runs.checkpoints import load_checkpoint, save_checkpoint
from mnist_net.trained import store
from mnist_net.trained.model import Model
from mnist_net.trained.safe_joblib import write_contents
from mnist_net.trained.store import find_model, load_model, save_model

GOLDEN = Path(__file__).parent / "golden"

METADATA = {
    "preset": "default",
    "hyperparameters": {"hidden_layer_sizes": [8], "momentum": 0.9, "random_state": 2**70},
    "data": {"name": "nothing", "digest": "0" * 64, "n_train": 0},
    "history": [{"epoch": 1, "loss": 2.5, "validation_loss": None, "weight_norms": [1.0, 2.0]}],
    "note": "Ziffern, цифры, 数字: longer than the 255 bytes of a short string. " * 5,
    "flag": True,
    "negative": -(2**40),
}


def make_model(
    hidden: tuple[int, ...] = (8,),
    dtype: Any = np.float32,
    biases: tuple[bool, ...] | bool = True,
    loss: str = "softmax-cross-entropy",
    activation: str = "sigmoid",
) -> Model:
    output = "sigmoid" if loss == "mean-squared-error" else "identity"
    architecture = Architecture(
        (784, *hidden, 10), (activation,) * len(hidden) + (output,), loss, biases
    )
    parameters = initialize(architecture, np.random.default_rng(3), dtype=dtype)
    return Model(architecture, parameters, np.arange(10), Scaling(33.3, 78.6), METADATA, 1.25)


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    path = tmp_path / "model.joblib"
    save_model(make_model(), path)
    return path


def refusal(path: Path, load: Callable[[Path], Any] = load_model) -> str:
    """The message with which a file is refused: one line that names the file."""
    with pytest.raises(ModelFileError) as caught:
        load(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    assert "\x1b" not in message
    assert len(message) < 400 + len(str(path))
    return message


def assert_same_model(actual: Model, expected: Model) -> None:
    assert actual.architecture == expected.architecture
    assert actual.scaling == expected.scaling
    assert actual.temperature == expected.temperature
    assert actual.metadata == expected.metadata
    assert actual.classes.dtype == np.int64
    assert actual.classes.tolist() == expected.classes.tolist()
    for before, after in zip(expected.parameters, actual.parameters, strict=True):
        for ours, theirs in zip(before, after, strict=True):
            if ours is None:
                assert theirs is None
            else:
                assert theirs.dtype == ours.dtype
                assert theirs.shape == ours.shape
                assert theirs.tobytes() == ours.tobytes()


# What is written comes back.


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("hidden", [(), (8,), (12, 7, 5)])
def test_a_model_comes_back_bit_for_bit(tmp_path: Path, hidden: Any, dtype: Any) -> None:
    model = make_model(hidden, dtype)
    save_model(model, tmp_path / "m.joblib")
    assert_same_model(load_model(tmp_path / "m.joblib"), model)


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
    """784-2500-10 in float16, with the history of 300 epochs, in 50 ms on an idle machine."""
    record = {"epoch": 1, "loss": 0.5, "weight_norms": [1.5, 2.5], "bias_norms": [1.5, 2.5]}
    history = [{**record, "validation_loss": None, "seconds": 1.25}] * 300
    model = replace(make_model((2500,)), metadata={**METADATA, "history": history})
    save_model(model, tmp_path / "m.joblib", dtype=np.float16)
    assert (tmp_path / "m.joblib").stat().st_size <= 5_000_000
    seconds = []
    for _ in range(7):
        began = time.perf_counter()
        load_model(tmp_path / "m.joblib")
        seconds.append(time.perf_counter() - began)
    assert min(seconds) < 0.05


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
    assert contents["format_version"] == 2
    assert b"mnist_net" not in model_file.read_bytes()

    def types(value: Any) -> set[type]:
        if isinstance(value, dict):
            return set().union(*map(types, value.values()), *map(types, value))
        if isinstance(value, list | tuple):
            return set().union(*map(types, value))
        return {type(value)}

    assert types(contents) == {str, int, float, bool, type(None), np.ndarray}


@pytest.mark.parametrize(("version", "temperature"), [(1, 1.0), (2, 1.75)])
def test_the_golden_models_still_answer_the_same(version: int, temperature: float) -> None:
    expected = json.loads((GOLDEN / f"model-format-{version}.json").read_text())
    model = load_model(GOLDEN / f"model-format-{version}.joblib")
    assert model.temperature == temperature
    rows, columns = np.mgrid[:28, :28]
    pictures = np.stack([(7 * rows * k + 13 * columns + 5 * k) % 256 for k in (1, 2, 3)])
    answers = model.predict_proba(pictures.astype(np.uint8))
    assert np.ptp(answers, axis=0).max() > 0.05  # the pictures do not all get the same answer
    # float32 against float64: sums of 784 terms of size 1 are good to about 1e-6.
    np.testing.assert_allclose(answers, expected["probabilities"], atol=5e-6)
    assert json.loads(json.dumps(model.metadata)) == expected["metadata"]


# Hostile files run nothing.


class Evil:
    """Runs a command when it is unpickled by a careless reader."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch '{self.canary}'",)


def object_array(canary: Path) -> np.ndarray:
    return np.array([Evil(canary)], dtype=object)


def model_contents(**changes: Any) -> dict[str, Any]:
    model = make_model()
    return {
        "format": "mnist-net model",
        "format_version": 1,
        "layer_sizes": [784, 8, 10],
        "activations": ["sigmoid", "identity"],
        "loss": "softmax-cross-entropy",
        "classes": model.classes,
        "scaling": {"shift": 0.0, "scale": 255.0},
        "weights": [layer.weights for layer in model.parameters],
        "biases": [layer.biases for layer in model.parameters],
        "metadata": METADATA,
        **changes,
    }


LIVE_ATTACKS: dict[str, Callable[[Path, Path], Any]] = {
    **{
        f"plain pickle, protocol {protocol}": (
            lambda path, canary, protocol=protocol: path.write_bytes(
                pickle.dumps(Evil(canary), protocol)
            )
        )
        for protocol in range(6)
    },
    "joblib": lambda path, canary: joblib.dump(Evil(canary), path),
    "object array": lambda path, canary: joblib.dump(object_array(canary), path),
    "object array, pickled": lambda path, canary: path.write_bytes(
        pickle.dumps(object_array(canary))
    ),
    **{
        f"compressed by {method}": (
            lambda path, canary, method=method: joblib.dump(
                Evil(canary), path, compress=(method, 3)
            )
        )
        for method in ("zlib", "gzip", "lzma", "xz", "bz2")
    },
    "object array, compressed": lambda path, canary: joblib.dump(
        object_array(canary), path, compress=3
    ),
    "in the metadata": lambda path, canary: joblib.dump(
        model_contents(metadata={**METADATA, "note": Evil(canary)}), path
    ),
    "in a list in the history": lambda path, canary: joblib.dump(
        model_contents(metadata={"history": [{"epoch": Evil(canary)}]}), path
    ),
    "as a key": lambda path, canary: joblib.dump(model_contents() | {Evil(canary): 1}, path),
    "as the weights": lambda path, canary: joblib.dump(
        model_contents(weights=[object_array(canary)] * 2), path
    ),
    "after a good model": lambda path, canary: joblib.dump([model_contents(), Evil(canary)], path),
    "as a field of a structure": lambda path, canary: joblib.dump(
        np.array([(1, Evil(canary))], dtype=[("n", "i8"), ("code", "O")]), path
    ),
}


@pytest.mark.parametrize("attack", LIVE_ATTACKS)
def test_code_in_a_file_is_refused_and_not_run(tmp_path: Path, attack: str) -> None:
    path, canary = tmp_path / "evil.joblib", tmp_path / "canary"
    LIVE_ATTACKS[attack](path, canary)
    for load in (load_model, load_checkpoint):
        refusal(path, load)
        assert not canary.exists()
    # The attack is a live one: a careless reader falls for it.
    joblib.load(path)
    assert canary.exists()


def test_the_message_says_what_the_file_tried(tmp_path: Path) -> None:
    joblib.dump(model_contents(metadata={"x": Evil(tmp_path / "canary")}), tmp_path / "m.joblib")
    assert "'posix.system'" in refusal(tmp_path / "m.joblib") or os.name == "nt"


# Streams assembled by hand: what no pickler writes.


def text(value: str) -> bytes:
    return pickle.BINUNICODE + len(value.encode()).to_bytes(4, "little") + value.encode()


def named(module: str, name: str) -> bytes:
    return text(module) + text(name) + pickle.STACK_GLOBAL


def integer(value: int) -> bytes:
    encoded = pickle.encode_long(value)
    return pickle.LONG1 + bytes([len(encoded)]) + encoded


def listed(*items: bytes) -> bytes:
    return pickle.EMPTY_LIST + pickle.MARK + b"".join(items) + pickle.APPENDS


def paired(**items: bytes) -> bytes:
    pairs = b"".join(text(key) + value for key, value in items.items())
    return pickle.EMPTY_DICT + pickle.MARK + pairs + pickle.SETITEMS


def in_tuple(*items: bytes) -> bytes:
    return pickle.MARK + b"".join(items) + pickle.TUPLE


DTYPE, WRAPPER = named("numpy", "dtype"), named("joblib.numpy_pickle", "NumpyArrayWrapper")
FALSE, TRUE, NONE = pickle.NEWFALSE, pickle.NEWTRUE, pickle.NONE


def dtype(code: bytes = text("f4"), order: bytes = text("<")) -> bytes:
    state = in_tuple(integer(3), order, NONE, NONE, NONE, integer(-1), integer(-1), integer(0))
    return DTYPE + in_tuple(code, FALSE, TRUE) + pickle.REDUCE + state + pickle.BUILD


def array(
    *, shape: bytes = in_tuple(integer(2)), data: bytes = bytes(8), code: bytes = dtype(), **changes
) -> bytes:
    """An array as joblib writes it, its padding length (0) and its data included."""
    state = {
        "subclass": named("numpy", "ndarray"),
        "shape": shape,
        "order": text("C"),
        "dtype": code,
        "allow_mmap": TRUE,
        "numpy_array_alignment_bytes": integer(16),
    } | changes
    wrapper = WRAPPER + pickle.EMPTY_TUPLE + pickle.NEWOBJ
    return wrapper + paired(**state) + pickle.BUILD + b"\0" + data


def model_stream(**changes: bytes) -> bytes:
    """A whole model, 784-10 of zeros, with some of its values replaced by other opcodes."""
    zeros = array(shape=in_tuple(integer(784), integer(10)), data=bytes(4 * 7840))
    classes = array(
        shape=in_tuple(integer(10)),
        data=np.arange(10).astype("<i8").tobytes(),
        code=dtype(text("i8")),
    )
    parts = {
        "format": text("mnist-net model"),
        "format_version": integer(1),
        "layer_sizes": listed(integer(784), integer(10)),
        "activations": listed(text("identity")),
        "loss": text("softmax-cross-entropy"),
        "classes": classes,
        "scaling": paired(
            shift=pickle.BINFLOAT + bytes(8), scale=pickle.BINFLOAT + b"\x3f\xf0" + bytes(6)
        ),
        "weights": listed(zeros),
        "biases": listed(NONE),
        "metadata": pickle.EMPTY_DICT,
    } | changes
    return pickle.PROTO + b"\x04" + paired(**parts) + pickle.STOP


def test_a_stream_assembled_by_hand_is_a_model_while_nothing_is_wrong_with_it(
    tmp_path: Path,
) -> None:
    """So what is refused below is refused for its one fault."""
    path = tmp_path / "m.joblib"
    path.write_bytes(model_stream(metadata=paired(note=text("by hand"))))
    model = load_model(path)
    assert model.metadata == {"note": "by hand"}
    assert model.predict(np.zeros((1, 28, 28), np.uint8)).tolist() == [0]
    for plain in (array(), listed(array(), array()), dtype()):
        path.write_bytes(model_stream(metadata=paired(x=plain)))
        assert "metadata are not plain" in refusal(path)


TOUCH = in_tuple(text("touch canary"))  # run in a folder of the test's own
EMPTY = pickle.EMPTY_TUPLE
NEW_DTYPE = DTYPE + EMPTY + pickle.NEWOBJ
NEW_WRAPPER = WRAPPER + EMPTY + pickle.NEWOBJ
DEEP = 250_000  # more than the C stack holds


def long_text(value: str) -> bytes:
    return text(value * 100_000)


def unfolding(levels: int) -> bytes:
    """A list of twice the same list of twice the same list of ..."""
    if not levels:
        return pickle.EMPTY_LIST
    same = pickle.MEMOIZE + pickle.BINGET + bytes([levels - 1])
    return pickle.EMPTY_LIST + pickle.MARK + unfolding(levels - 1) + same + pickle.APPENDS


TRICKS = {
    # Names.
    "eval": named("builtins", "eval") + in_tuple(text("open('canary', 'w')")) + pickle.REDUCE,
    "system": named("os", "system") + TOUCH + pickle.REDUCE,
    "a name alone": named("os", "system"),
    "getattr": named("builtins", "getattr") + in_tuple(DTYPE, text("__init__")) + pickle.REDUCE,
    "a dotted name": named("numpy", "dtype.__init__.__globals__"),
    "a dotted way out of joblib": named("joblib.numpy_pickle", "os.system") + TOUCH + pickle.REDUCE,
    "a way out of numpy": named("numpy", "f2py.os.system") + TOUCH + pickle.REDUCE,
    "numpy's reconstruct": named("numpy._core.multiarray", "_reconstruct"),
    "numpy's scalar": named("numpy._core.multiarray", "scalar"),
    "the real wrapper's old brother": named("joblib.numpy_pickle_compat", "NDArrayWrapper"),
    "our own classes": named("mnist_net.trained.model", "Model"),
    "an escape sequence as a name": named("\x1b[2J\n", "x"),
    "a name without end": long_text("m") + long_text("n") + pickle.STACK_GLOBAL,
    "a name that is no text": integer(1) + integer(2) + pickle.STACK_GLOBAL,
    "protocol 0": b"cos\nsystem\n" + TOUCH + pickle.REDUCE,
    "INST": pickle.MARK + text("touch canary") + b"ios\nsystem\n",
    "OBJ": pickle.MARK + b"cos\nsystem\n" + text("touch canary") + pickle.OBJ,
    "NEWOBJ_EX": WRAPPER + EMPTY + pickle.EMPTY_DICT + pickle.NEWOBJ_EX,
    "persistent id": b"Pos.system\n",
    "binary persistent id": text("os.system") + pickle.BINPERSID,
    "EXT1": pickle.EXT1 + b"\xf0",
    "EXT2": pickle.EXT2 + b"\xf0\x00",
    "EXT4": pickle.EXT4 + b"\xf0\x00\x00\x00",
    # Calls of what is no function.
    "REDUCE of text": text("os.system") + TOUCH + pickle.REDUCE,
    "REDUCE of ndarray": named("numpy", "ndarray") + in_tuple(integer(3)) + pickle.REDUCE,
    "NEWOBJ of text": text("x") + in_tuple(text("y")) + pickle.NEWOBJ,
    "NEWOBJ of an instance": NEW_WRAPPER + EMPTY + pickle.NEWOBJ,
    "REDUCE of an array": array() + EMPTY + pickle.REDUCE,
    # BUILD on what is not meant for it.
    "BUILD on the dtype class": DTYPE + paired(__init__=text("x")) + pickle.BUILD,
    "BUILD on the wrapper class": WRAPPER + paired(read=text("x")) + pickle.BUILD,
    "BUILD with slots on a class": (
        WRAPPER + in_tuple(NONE, paired(file_size=integer(2**60))) + pickle.BUILD
    ),
    "BUILD on text": text("x") + paired(y=integer(1)) + pickle.BUILD,
    "BUILD on a list": pickle.EMPTY_LIST + paired(append=DTYPE) + pickle.BUILD,
    "BUILD on a finished array": (
        array()
        + in_tuple(integer(1), in_tuple(integer(1)), dtype(text("f8")), FALSE, listed(NONE))
        + pickle.BUILD
    ),
    "SETITEM on a class": DTYPE + text("x") + integer(1) + pickle.SETITEM,
    "APPEND to an instance": NEW_WRAPPER + integer(1) + pickle.APPEND,
    # Stand-ins that were never finished.
    "a wrapper alone": NEW_WRAPPER,
    "a wrapper made by a call": WRAPPER + in_tuple(NONE, EMPTY, NONE, NONE) + pickle.REDUCE,
    "a wrapper with no state": NEW_WRAPPER + pickle.EMPTY_DICT + pickle.BUILD,
    "a wrapper whose state is no dict": NEW_WRAPPER + integer(3) + pickle.BUILD,
    "a wrapper built with slots": NEW_WRAPPER + in_tuple(NONE, paired(a=NONE)) + pickle.BUILD,
    "a dtype that was never made": array(code=NEW_DTYPE),
    "a dtype that is text": array(code=text("f4")),
    "a dtype that is a class": array(code=DTYPE),
    # dtypes.
    **{
        f"dtype {code!r}": array(code=dtype(text(code)))
        for code in ("O", "O8", "|O", "V8", "U2", "S8", "c8", "m8[s]", "M8[s]", "i4,O", "f4,f4")
    },
    "a long dtype": array(code=dtype(long_text("f"))),
    "a dtype of a list": array(code=dtype(listed(text("O")))),
    "a dtype of fields": array(code=dtype(listed(in_tuple(text("x"), text("O"))))),
    "a dtype without a code": array(code=DTYPE + EMPTY + pickle.REDUCE),
    "a byte order": array(code=dtype(order=text("O"))),
    "a byte order that is no text": array(code=dtype(order=listed())),
    "a dtype with a short state": array(code=dtype() + EMPTY + pickle.BUILD),
    # Shapes.
    "a negative shape": array(shape=in_tuple(integer(-1))),
    "two negative lengths": array(shape=in_tuple(integer(-1), integer(-2))),
    "a huge shape": array(shape=in_tuple(integer(2**40))),
    "a shape that overflows 64 bits to 2": array(shape=in_tuple(integer(2**63 + 1), integer(2))),
    "a shape that overflows 64 bits to 0": array(shape=in_tuple(integer(2**32), integer(2**32))),
    "an empty shape beyond 64 bits": array(shape=in_tuple(integer(0), integer(2**80))),
    "a shape of truth values": array(shape=in_tuple(TRUE, TRUE)),
    "a shape of text": array(shape=in_tuple(text("2"))),
    "a shape that is text": array(shape=text("2")),
    "a shape that is a number": array(shape=integer(2)),
    "a shape of 100 dimensions": array(shape=in_tuple(*[integer(1)] * 100)),
    "an array larger than the file": array(shape=in_tuple(integer(10**6))),
    "an array that the file ends in": array(shape=in_tuple(integer(5000)), data=b""),
    "a nonsense alignment": array(numpy_array_alignment_bytes=text("x")),
    # Memory and recursion.
    "a bytearray of 2^40": pickle.BYTEARRAY8 + (2**40).to_bytes(8, "little"),
    "a text of 2^31": pickle.BINUNICODE + (2**31).to_bytes(4, "little"),
    "a frame of 2^62": pickle.FRAME + (2**62).to_bytes(8, "little"),
    "an integer of 2^31 bytes": pickle.LONG4 + (2**31 - 1).to_bytes(4, "little"),
    "a deep list": pickle.EMPTY_LIST * DEEP + pickle.APPEND * (DEEP - 1),
    "a deep tuple": EMPTY + pickle.TUPLE1 * DEEP,
    "a deep tuple as a key": (
        pickle.EMPTY_DICT + EMPTY + pickle.TUPLE1 * DEEP + NONE + pickle.SETITEM
    ),
    "a deep tuple as a dtype": array(code=dtype(EMPTY + pickle.TUPLE1 * DEEP)),
    "a deep tuple as a shape": array(shape=EMPTY + pickle.TUPLE1 * DEEP),
    "a list that holds itself": (
        pickle.EMPTY_LIST + pickle.MEMOIZE + pickle.BINGET + b"\0" + pickle.APPEND
    ),
    "a dict that holds itself": (
        pickle.EMPTY_DICT + pickle.MEMOIZE + text("x") + pickle.BINGET + b"\0" + pickle.SETITEM
    ),
    "a small list that unfolds to 2^60": unfolding(60),
    "a memo that was never filled": pickle.BINGET + b"\x07",
    "a huge memo": pickle.LONG_BINGET + b"\xff\xff\xff\xff",
    "a memo put elsewhere": text("x") + pickle.LONG_BINPUT + b"\xff\xff\xff\x7f",
    # Values that a model has no use for.
    "a set": pickle.EMPTY_SET,
    "bytes": pickle.SHORT_BINBYTES + b"\x01x",
    "a nested pickle": pickle.PROTO + b"\x04" + NONE + pickle.STOP,
    "popping too much": pickle.POP * 40,
    "an opcode that is none": b"\xff",
}


@pytest.mark.parametrize("place", ["metadata", "weights", "whole"])
@pytest.mark.parametrize("trick", TRICKS)
def test_tricks_are_refused(tmp_path: Path, trick: str, place: str) -> None:
    path, good = tmp_path / "evil.joblib", tmp_path / "good.joblib"
    path.write_bytes(
        {
            "metadata": lambda: model_stream(metadata=paired(x=TRICKS[trick])),
            "weights": lambda: model_stream(weights=TRICKS[trick]),
            "whole": lambda: pickle.PROTO + b"\x04" + TRICKS[trick] + pickle.STOP,
        }[place]()
    )
    refusal(path)
    assert not (tmp_path / "canary").exists()
    # And the reader is none the worse for it.
    save_model(make_model(), good)
    assert_same_model(load_model(good), replace(make_model(), metadata=METADATA))


@pytest.mark.parametrize(
    ("trick", "reason"),
    [
        *((trick, "not admitted") for trick in TRICKS if trick.startswith("dtype '")),
        ("a dtype of fields", "not admitted"),
        ("a dtype that is text", "a damaged array"),
        ("a dtype that is a class", "a damaged array"),
        ("a byte order", "a damaged dtype"),
        ("a negative shape", "a damaged array"),
        ("two negative lengths", "a damaged array"),
        ("a shape of truth values", "a damaged array"),
        ("a huge shape", "larger than the file"),
        ("a shape that overflows 64 bits to 0", "larger than the file"),
        ("a deep tuple as a key", "a key that is not text"),
        ("a small list that unfolds to 2^60", "its metadata have no end"),
        ("a list that holds itself", "metadata are not plain"),
        ("getattr", "'builtins.getattr'"),
        ("a dotted name", "'numpy.dtype.__init__.__globals__'"),
    ],
)
def test_tricks_are_refused_for_the_right_reason(tmp_path: Path, trick: str, reason: str) -> None:
    """And not by the luck that something else goes wrong later on."""
    path = tmp_path / "evil.joblib"
    path.write_bytes(model_stream(metadata=paired(x=TRICKS[trick])))
    assert reason in refusal(path)


def test_one_array_in_many_places_is_refused(tmp_path: Path) -> None:
    """A small file could unfold to any number of layers and members, all of one array."""
    again = pickle.BINGET + b"\0"
    first = array(shape=in_tuple(integer(784), integer(10)), data=bytes(4 * 7840))
    (tmp_path / "m.joblib").write_bytes(
        model_stream(weights=listed(first + pickle.MEMOIZE, again), biases=listed(NONE, NONE))
    )
    assert "one array in many places" in refusal(tmp_path / "m.joblib")
    member = paired(weights=listed(first), biases=listed(NONE))
    stream = model_stream(members=listed(member + pickle.MEMOIZE, again, again))
    (tmp_path / "m.joblib").write_bytes(stream)
    assert "one array in many places" in refusal(tmp_path / "m.joblib")


def test_a_filled_extension_registry_is_no_way_in(tmp_path: Path) -> None:
    """pickle looks into the registry's cache before it asks which names are admitted."""
    copyreg.add_extension("os", "system", 0xF0)
    try:
        extension = pickle.PROTO + b"\x02" + pickle.EXT1 + b"\xf0"
        assert pickle.loads(extension + pickle.STOP) is os.system  # fills the cache
        (tmp_path / "m.joblib").write_bytes(extension + TOUCH + pickle.REDUCE + pickle.STOP)
        refusal(tmp_path / "m.joblib")
        assert not (tmp_path / "canary").exists()
    finally:
        copyreg.remove_extension("os", "system", 0xF0)
        copyreg.clear_extension_cache()


# Damage.


def test_a_file_cut_off_anywhere_is_refused(model_file: Path, tmp_path: Path) -> None:
    whole = model_file.read_bytes()
    cut = tmp_path / "cut.joblib"
    lengths = {*range(0, 600, 7), *range(0, len(whole), 301), *range(len(whole) - 50, len(whole))}
    for length in lengths:
        cut.write_bytes(whole[:length])
        refusal(cut)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_flipped_byte_gives_a_sound_model_or_a_refusal(
    model_file: Path, tmp_path: Path, data: st.DataObject
) -> None:
    """Weights have no check sum, so a flip there passes; it must never do worse than that."""
    content = bytearray(model_file.read_bytes())
    # Most of the file is weights; half of the flips go to the rest.
    place = data.draw(
        st.one_of(st.integers(0, len(content) - 1), st.integers(0, 700), st.integers(-1500, -1))
    )
    content[place] ^= data.draw(st.integers(1, 255))
    damaged = tmp_path / "damaged.joblib"
    damaged.write_bytes(content)
    try:
        model = load_model(damaged)
    except ModelFileError:
        return
    sizes = model.architecture.layer_sizes
    assert [w.shape for w, _ in model.parameters] == list(pairwise(sizes))
    assert all(np.isfinite(array).all() for layer in model.parameters for array in layer)
    assert model.classes.shape == (10,)
    json.dumps(model.metadata)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(content=st.binary(max_size=200))
def test_arbitrary_bytes_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "noise.joblib").write_bytes(content)
    refusal(tmp_path / "noise.joblib")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "not a file that mnist-net wrote", id="0 bytes"),
        pytest.param(b"Dear reader,\nhow are you?\n", "not a file that mnist-net wrote", id="text"),
        pytest.param(pickle.dumps(3), "is not an mnist-net model", id="a number"),
        pytest.param(pickle.dumps([1, 2]), "is not an mnist-net model", id="a list"),
        pytest.param(pickle.dumps({}), "is not an mnist-net model", id="an empty dict"),
        pytest.param(b"\x89PNG\r\n\x1a\n", "not a file that mnist-net wrote", id="a picture"),
    ],
)
def test_what_is_no_model_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "m.joblib").write_bytes(content)
    assert message in refusal(tmp_path / "m.joblib")


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "nowhere.joblib")
    assert "directory" in refusal(tmp_path).lower()


def weights_with(value: float) -> list[np.ndarray]:
    weights = [layer.weights.copy() for layer in make_model().parameters]
    weights[1][3, 4] = value
    return weights


W1, W2 = (layer.weights for layer in make_model().parameters)
B1, B2 = (layer.biases for layer in make_model().parameters)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"format_version": 3},
            "version 3; this mnist-net reads versions from 1 to 2: install",
        ),
        ({"format_version": 0}, "format version 0"),
        ({"format_version": "1"}, "is not an mnist-net model"),
        ({"format_version": np.arange(3)}, "is not an mnist-net model"),
        ({"format": np.arange(3)}, "is not an mnist-net model"),
        ({"format": "another model"}, "is not an mnist-net model"),
        ({"weights": [W1.T, W2]}, "another shape"),
        ({"weights": [W1[:-1], W2]}, "another shape"),
        ({"weights": [W1], "biases": [B1]}, "another shape"),
        ({"weights": [W1, W2, W2]}, "damaged"),
        ({"weights": [W1[None], W2]}, "no matrix"),
        ({"weights": []}, "damaged"),
        ({"weights": 3}, "do not fit together"),
        ({"biases": [B1, B2[:-1]]}, "biases of another shape"),
        ({"biases": [B1[:, None], B2]}, "biases of another shape"),
        ({"biases": [B1]}, "not as many weights as biases"),
        ({"biases": [B1, "none"]}, "not finite"),
        ({"weights": weights_with(np.nan)}, "not finite"),
        ({"weights": weights_with(np.inf)}, "not finite"),
        ({"biases": [B1, np.full(10, -np.inf, np.float32)]}, "not finite"),
        ({"weights": [W1.astype(np.int64), W2]}, "not finite"),
        ({"weights": [W1.astype(np.uint8), W2]}, "not finite"),
        ({"weights": [W1.tolist(), W2.tolist()]}, "not finite"),
        ({"classes": np.arange(9)}, "classes"),
        ({"classes": np.arange(10.0)}, "classes"),
        ({"classes": list(range(10))}, "classes"),
        ({"classes": np.arange(10)[::-1]}, "classes"),
        ({"classes": np.zeros(10, np.int64)}, "classes"),
        ({"layer_sizes": [784, 8, 9]}, "another shape"),
        ({"layer_sizes": [784]}, "another shape"),
        ({"layer_sizes": None}, "damaged"),
        ({"activations": ["sigmoid"]}, "activations"),
        ({"activations": ["sigmoid", "magic"]}, "unknown activation 'magic'"),
        ({"activations": ["sigmoid", ["identity"]]}, "unknown activation"),
        ({"loss": "none"}, "unknown loss 'none'"),
        ({"loss": {}}, "unknown loss"),
        ({"scaling": {"shift": 0.0, "scale": 0.0}}, "scaling"),
        ({"scaling": {"shift": float("nan"), "scale": 1.0}}, "scaling"),
        ({"scaling": {"shift": 0.0}}, "damaged"),
        ({"scaling": {"shift": 0.0, "scale": 1.0, "more": 1.0}}, "damaged"),
        ({"scaling": None}, "do not fit together"),
        ({"scaling": {"shift": "x", "scale": 1.0}}, "do not fit together"),
        ({"scaling": {"shift": 0.0, "scale": 10**400}}, "do not fit together"),
        ({"layer_sizes": [784, W1, 10]}, "do not fit together"),
        ({"temperature": 0.0}, "an odd temperature"),
        ({"temperature": -1.0}, "an odd temperature"),
        ({"temperature": float("nan")}, "an odd temperature"),
        ({"temperature": float("inf")}, "an odd temperature"),
        ({"temperature": "1.0"}, "an odd temperature"),
        ({"metadata": None}, "metadata"),
        ({"metadata": {"data": None}}, "metadata"),
        ({"metadata": {"x": W2}}, "metadata are not plain"),
    ],
    ids=str,
)
def test_contents_that_do_not_fit_are_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    write_contents(tmp_path / "m.joblib", model_contents(**changes))
    assert message in refusal(tmp_path / "m.joblib")


def test_contents_that_fit_are_accepted(tmp_path: Path) -> None:
    write_contents(tmp_path / "m.joblib", model_contents())
    model = load_model(tmp_path / "m.joblib")
    assert model.architecture.layer_sizes == (784, 8, 10)
    assert model.temperature == 1.0
    write_contents(tmp_path / "m.joblib", model_contents(format_version=2, temperature=0.5))
    assert load_model(tmp_path / "m.joblib").temperature == 0.5


@pytest.mark.parametrize("key", model_contents())
def test_a_missing_key_is_named(tmp_path: Path, key: str) -> None:
    contents = model_contents()
    del contents[key]
    write_contents(tmp_path / "m.joblib", contents)
    message = refusal(tmp_path / "m.joblib")
    if not key.startswith("format"):
        assert f"'{key}' is missing" in message


def test_another_input_than_784_pixels_is_refused(tmp_path: Path) -> None:
    contents = model_contents(layer_sizes=[64, 8, 10], weights=[W1[:64], W2])
    write_contents(tmp_path / "m.joblib", contents)
    assert "784" in refusal(tmp_path / "m.joblib")


# Checkpoints.


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_a_checkpoint_comes_back_bit_for_bit(tmp_path: Path, optimizer: str) -> None:
    generator = np.random.default_rng(0)
    data = Batch(
        generator.normal(size=(50, 784)).astype(np.float32),
        one_hot(generator.integers(0, 10, 50), 10),
    )
    recipe = Hyperparameters(
        hidden_layer_sizes=(5,), optimizer=optimizer, learning_rate=0.01, epochs=3, batch_size=10
    )
    *_, progress = train(data, recipe, validation=data)
    identity = {"hyperparameters": recipe.as_dict(), "digest": "0" * 64}
    path = tmp_path / "checkpoint.joblib"
    save_checkpoint(path, progress, identity)
    loaded, loaded_identity = load_checkpoint(path)
    assert loaded_identity == identity
    assert loaded.history == progress.history
    for before, after in zip(
        (progress.latest, progress.best), (loaded.latest, loaded.best), strict=True
    ):
        assert before.number == after.number
        assert before.optimizer_state.step == after.optimizer_state.step
        kept = (before.parameters, *before.optimizer_state.moments)
        read = (after.parameters, *after.optimizer_state.moments)
        for ours, theirs in zip(kept, read, strict=True):
            for layer, other in zip(ours, theirs, strict=True):
                assert layer.weights.tobytes() == other.weights.tobytes()
                assert layer.biases.tobytes() == other.biases.tobytes()
    assert len(progress.latest.optimizer_state.moments) > 0

    assert "is not an mnist-net model" in refusal(path, load_model)


def test_a_model_is_no_checkpoint(model_file: Path) -> None:
    assert "is not an mnist-net checkpoint" in refusal(model_file, load_checkpoint)


RECORD = {
    "epoch": 1,
    "loss": 0.5,
    "learning_rate": 0.1,
    "seconds": 1.0,
    "weight_norms": [1.0],
    "bias_norms": [0.0],
    "validation_loss": None,
    "validation_accuracy": None,
}


def checkpoint_contents(record: dict[str, Any], **changes: object) -> dict[str, Any]:
    epoch = {"number": 1, "weights": [W1], "biases": [B1], "step": 1, "moments": [], **changes}
    return {
        "format": "mnist-net checkpoint",
        "format_version": 1,
        "latest": epoch,
        "best": epoch,
        "history": [record],
        "identity": {},
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"step": 2.5}, "counts"),
        ({"step": math.nan}, "counts"),
        ({"number": True}, "counts"),
        ({"number": "1"}, "counts"),
        ({"number": 2}, "add up"),
        ({"number": math.inf}, "counts"),
    ],
)
def test_a_checkpoint_counts_in_whole_numbers(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    write_contents(tmp_path / "c.joblib", checkpoint_contents(RECORD, **changes))
    assert message in refusal(tmp_path / "c.joblib", load_checkpoint)


@pytest.mark.parametrize(
    "changes",
    [
        {"loss": "x"},
        {"seconds": None},
        {"weight_norms": None},
        {"bias_norms": ["x"]},
        {"validation_loss": 0.5},
        {"validation_accuracy": "x", "validation_loss": 0.5},
    ],
    ids=str,
)
def test_a_checkpoint_with_a_bad_history_is_refused(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    write_contents(tmp_path / "c.joblib", checkpoint_contents({**RECORD, **changes}))
    refused = refusal(tmp_path / "c.joblib", load_checkpoint)
    assert "a bad history" in refused or "do not fit together" in refused


@pytest.mark.parametrize("key", ["latest", "best", "history", "identity"])
def test_a_checkpoint_with_a_missing_key_is_refused(tmp_path: Path, key: str) -> None:
    contents = checkpoint_contents(RECORD)
    path = tmp_path / "c.joblib"
    write_contents(path, contents)
    load_checkpoint(path)
    del contents[key]
    write_contents(path, contents)
    assert f"'{key}' is missing" in refusal(path, load_checkpoint)


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
            seen = set()
            for _ in range(100):
                assert_same_model(load_model(path), model)
                seen.add(path.stat().st_mtime_ns)
            assert len(seen) > 2  # it was replaced meanwhile
        finally:
            writer.kill()
    assert_same_model(load_model(path), model)
