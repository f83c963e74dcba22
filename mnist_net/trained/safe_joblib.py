"""joblib files that cannot run code.

A joblib file is a pickle, and a pickle can run code.  So nothing of ours is ever pickled, and the
reader admits nothing but plain containers, and arrays of numbers in joblib's wrapping.  Even
NumPy's and joblib's own classes are not handed to the stream: it gets inert stand-ins, which are
checked before an array is made of them.
"""

import os
import pickle
import reprlib
from io import BufferedReader
from pathlib import Path
from typing import Any, ClassVar

import joblib
import numpy as np
from joblib.numpy_pickle import NumpyArrayWrapper, NumpyUnpickler

from mnist_net.errors import ModelFileError
from mnist_net.files import atomic_write

_DTYPES = ("f2", "f4", "f8", "i1", "i8", "u1")

# What pickle writes for plain values and for joblib's wrapping of arrays.  Left out are the other
# ways to name or call things, and those that claim memory before they have read anything.
_OPCODES = (
    *(pickle.PROTO, pickle.FRAME, pickle.STOP, pickle.MARK, pickle.MEMOIZE),
    *(pickle.BINGET, pickle.LONG_BINGET, pickle.NONE, pickle.NEWTRUE, pickle.NEWFALSE),
    *(pickle.BININT, pickle.BININT1, pickle.BININT2, pickle.LONG1, pickle.BINFLOAT),
    *(pickle.SHORT_BINUNICODE, pickle.BINUNICODE, pickle.EMPTY_TUPLE, pickle.TUPLE),
    *(pickle.TUPLE1, pickle.TUPLE2, pickle.TUPLE3, pickle.EMPTY_LIST, pickle.APPEND),
    *(pickle.APPENDS, pickle.EMPTY_DICT, pickle.SETITEM, pickle.SETITEMS),
    *(pickle.STACK_GLOBAL, pickle.NEWOBJ, pickle.REDUCE, pickle.BUILD),
)


class _DType:
    """Stands in for `numpy.dtype` in the stream."""

    def __init__(self, code: str, *_: object) -> None:
        if code not in _DTYPES:
            raise ModelFileError(f"arrays of dtype {reprlib.repr(code)} are not admitted")
        self.code, self.byte_order = code, "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if state[1] not in ("<", ">", "=", "|"):
            raise ModelFileError("a damaged dtype")
        self.byte_order = state[1]


class _Array(NumpyArrayWrapper):  # type: ignore[misc]
    """Stands in for joblib's wrapper: knows plain arrays of numbers that fit into the file."""

    file_size = 0

    def __setstate__(self, state: dict[str, Any]) -> None:
        dtype, shape = state["dtype"], state["shape"]
        if type(dtype) is not _DType or not all(type(n) is int and n >= 0 for n in shape):
            raise ModelFileError("a damaged array")
        self.dtype = np.dtype(dtype.byte_order + dtype.code)
        self.shape = tuple(shape)
        if self.dtype.itemsize * int(np.prod(self.shape, dtype=object)) > self.file_size:
            raise ModelFileError("an array is larger than the file")
        self.order = "F" if state["order"] == "F" else "C"
        self.subclass, self.allow_mmap = np.ndarray, False
        alignment = state["numpy_array_alignment_bytes"]
        self.numpy_array_alignment_bytes = None if alignment is None else int(alignment)


class _Unpickler(NumpyUnpickler):  # type: ignore[misc]
    """Reads plain values and arrays; refuses every other global, and every other opcode."""

    dispatch: ClassVar[dict[int, Any]] = {
        code[0]: NumpyUnpickler.dispatch[code[0]] for code in _OPCODES
    }

    def __init__(self, path: Path, stream: BufferedReader) -> None:
        super().__init__(str(path), stream, ensure_native_byte_order=True)
        # A class of its own for each file, so that what a stream does to it dies with it.
        array = type("_Array", (_Array,), {"file_size": os.fstat(stream.fileno()).st_size})
        self.admitted = {
            ("joblib.numpy_pickle", "NumpyArrayWrapper"): array,
            ("numpy", "dtype"): _DType,
            ("numpy", "ndarray"): "ndarray",  # named by the wrapper, never called
        }

    def load_setitem(self) -> None:
        self._require_text(self.stack[-2:-1])
        super().load_setitem()

    def load_setitems(self) -> None:
        self._require_text(self.stack[::2])
        super().load_setitems()

    dispatch |= {pickle.SETITEM[0]: load_setitem, pickle.SETITEMS[0]: load_setitems}

    def _require_text(self, keys: list[Any]) -> None:
        # To hash a tuple of tuples of ... overflows the stack and kills the process.
        if not all(type(key) is str for key in keys):
            raise ModelFileError("a key that is not text")

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self.admitted[module, name]
        except KeyError:
            named = f"{module}.{name}"[:100]
            raise ModelFileError(
                f"it names {named!r}, which a model has no use for: this may be an attempt to run "
                "code, and nothing was run"
            ) from None


def write_contents(path: Path, contents: dict[str, Any]) -> None:
    """Write a dict of plain values and arrays, atomically."""
    with atomic_write(path) as stream:
        joblib.dump(contents, stream, protocol=4)  # whose opcodes are those above


def read_contents(path: Path) -> Any:
    """Read what `write_contents` wrote, executing nothing.

    Raises
    ------
    ModelFileError
        If the file cannot be read, is damaged, or holds anything but plain values and arrays of
        numbers.
    """
    try:
        with path.open("rb") as stream:
            return _Unpickler(path, stream).load()
    except FileNotFoundError as error:
        raise ModelFileError(
            f"{path}: no such file; a model is named by its file, or as shipped or latest"
        ) from error
    except ModelFileError as error:
        raise ModelFileError(f"{path} is refused: {error}") from None
    except OSError as error:
        raise ModelFileError(f"cannot read {path}: {error.strerror or error}") from error
    except Exception as error:  # a damaged or hostile stream can raise anything
        raise ModelFileError(
            f"{path} is not a file that mnist-net wrote, or it is damaged: train a new model, or "
            "fetch the file again"
        ) from error
