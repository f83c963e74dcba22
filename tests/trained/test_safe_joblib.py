"""A hostile or damaged file runs nothing, takes no memory, and is refused in one line."""

import copyreg
import json
import os
import pickle
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_net.errors import ModelFileError
from mnist_net.runs.checkpoints import load_checkpoint
from mnist_net.trained.store import load_model, save_model
from tests.trained.conftest import METADATA, assert_same_model, make_model, model_contents, refusal


class Evil:
    """Runs a command when it is unpickled by a careless reader."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch '{self.canary}'",)


def object_array(canary: Path) -> np.ndarray:
    return np.array([Evil(canary)], dtype=object)


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


def test_what_unfolds_without_end_is_refused_in_a_moment(tmp_path: Path) -> None:
    """It doubles itself sixty times, or all members of a committee name the same long list."""
    square = [[True] * 1_000] * 1_000  # 4 MB as JSON, which one model may have
    members = [model_contents(metadata={"x": square}) for _ in range(20)]
    committee = {"format": "mnist-net model", "format_version": 2, "members": members}
    joblib.dump({**committee, "metadata": {}}, tmp_path / "committee.joblib", protocol=4)
    doubling = model_stream(metadata=paired(x=unfolding(60)))
    (tmp_path / "doubling.joblib").write_bytes(doubling)
    for path in tmp_path.glob("*.joblib"):
        began = time.process_time()
        assert "its metadata have no end" in refusal(path)
        assert time.process_time() - began < 1.0  # in milliseconds; written out, in many seconds


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


@settings(max_examples=300)
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


@settings(max_examples=200)
@given(content=st.binary(max_size=200))
def test_arbitrary_bytes_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "noise.joblib").write_bytes(content)
    refusal(tmp_path / "noise.joblib")
