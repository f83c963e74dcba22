"""Writing files so that nobody ever sees half of one."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_BEGINNING = 40  # characters, of at most 4 bytes each


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """Open a binary stream whose content appears at `path` only if the block ends well.

    The content goes to a temporary file in the same folder (made if need be), reaches the disk,
    and is then renamed over `path`, which is atomic.  Two writers cannot mix; a reader sees the
    old file or the new one; after an error, a full disk say, the old one is still there.  What is
    replaced keeps its permissions; a new file has those that ``open`` gives.  A device or a pipe,
    ``/dev/stdout`` say, is written directly.

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
    target.parent.mkdir(parents=True, exist_ok=True)
    # A name may have 255 bytes, and the temporary one is longer: only its beginning is taken.
    temporary = target.with_name(f".{target.name[:_BEGINNING]}.{os.urandom(8).hex()}")
    try:
        with temporary.open("xb") as stream:
            if target.exists():
                shutil.copymode(target, temporary)
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(target)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):  # a full disk does not say which file it had no room for
            error.filename = str(path)
        raise


def write_together(folder: Path, contents: Mapping[str, bytes]) -> list[Path]:
    """Write several files of a folder, of which none changes before all are on the disk.

    Parameters
    ----------
    folder
        It is made if need be; whatever else is in it stays.
    contents
        By their places in the folder.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    OSError
        If the folder cannot be written, or the disk is full.
    """
    check_writable(folder / next(iter(contents)))
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".", dir=folder) as scratch:
        for place, content in contents.items():
            with atomic_write(Path(scratch, place)) as stream:
                stream.write(content)
        for place in contents:
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            Path(scratch, place).replace(folder / place)
    return [folder / place for place in contents]


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
    # A folder is made when there is something to write, and not before.
    folder = next(folder for folder in resolved(path).parents if folder.exists())
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OSError(error.errno, f"cannot write: {error.strerror}", str(path)) from error


def resolved(path: Path) -> Path:
    """Absolute path without links; an OSError for a loop of them."""
    try:
        found = path.resolve()
    except RuntimeError:  # what Python 3.12 and earlier make of a loop of links ...
        found = path
    if any(place.is_symlink() for place in (found, *found.parents)):  # ... which later ones keep
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    return found


def same_file(one: Path, other: Path) -> bool:
    """Whether two names are of one file, by links or because their case does not matter."""
    try:
        return one.samefile(other)
    except (FileNotFoundError, NotADirectoryError):  # one is yet to be written
        return resolved(one) == resolved(other)
