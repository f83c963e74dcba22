"""Writing files so that nobody ever sees half of one."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

__all__ = ["atomic_write", "check_writable", "resolved"]


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """Open a binary stream whose content appears at `path` only if the block ends well.

    The content goes to a temporary file in the same folder (made if need be), reaches the disk,
    and is then renamed over `path`, which is atomic.  Two writers cannot mix; a reader sees the
    old file or the new one; after an error, a full disk say, the old one is still there.

    Parameters
    ----------
    path
        The file to write.  A device or a pipe, ``/dev/stdout`` say, is written directly.

    Raises
    ------
    OSError
        If the folder cannot be written, or the disk is full.
    """
    check_writable(path)
    if path.exists() and not path.is_file():
        with path.open("wb") as stream:
            yield stream
        return
    # Through a symbolic link, replace what it points to and keep the link.
    target = resolved(path)
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp makes private files; a new file should have the permissions that open() gives.
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(0o666 & ~mask)
        Path(name).replace(target)
    except BaseException as error:
        with suppress(OSError):
            Path(name).unlink()
        if isinstance(error, OSError):  # a full disk does not say which file it had no room for
            error.filename = str(path)
        raise


def check_writable(path: Path) -> None:
    """Find out before long work that its result could not be written.

    Raises
    ------
    OSError
        If `path` is a folder, or nothing can be written to the folder that it is in.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if path.exists() and not path.is_file():
        return
    folder = resolved(path).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OSError(error.errno, f"cannot write: {error.strerror}", str(path)) from error


def resolved(path: Path) -> Path:
    """Absolute path without links; an OSError for a loop of them."""
    try:
        return path.resolve()
    except RuntimeError as error:  # what Python 3.12 and earlier make of a loop of links
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from error
