"""Which pictures the arguments of a command name: files, folders, patterns, pages, a stream."""

import sys
from collections.abc import Iterator
from glob import glob
from os import walk
from os.path import expanduser, isfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from mnist_net.errors import ImageError

if TYPE_CHECKING:
    from mnist_net.reading.many import Given

_MOST_BYTES = 500_000_000  # that are read from a stream


def found_by(argument: str, recursive: bool) -> "list[Given]":
    """Pictures that an argument names: of a folder those in it, by name; or what is wrong."""
    from mnist_net.reading.many import Given

    try:
        if not argument:  # else it would be the folder that we are in
            raise ImageError("'' is no name; give a picture, a folder, or -")
        if argument == "-":
            return [Given(argument, _standard_input())]
        # A shell leaves ~ and patterns as they are where they are quoted.
        argument = expanduser(argument)  # noqa: PTH111  (Path's fails for want of a home)
        path = Path(argument)
        if path.is_dir():
            return _in_folder(path, recursive)
        matches = [] if path.exists() else glob(argument, recursive=True)  # noqa: PTH207
        files = sorted(match for match in matches if Path(match).is_file())
        return [Given(name, Path(name)) for name in files or [argument]]
    except ImageError as error:
        return [Given(argument, error)]
    except OSError as error:
        return [Given(argument, ImageError(f"{argument[:100]}: {error.strerror or error}"))]


def _in_folder(folder: Path, recursive: bool) -> "list[Given]":
    from mnist_net.pictures.decoding import is_image_name
    from mnist_net.reading.many import Given

    closed: list[OSError] = []

    def pictures(below: bool) -> Iterator[Path]:
        for place, _, names in walk(folder, onerror=closed.append):
            files = (Path(place, name) for name in names)
            # Path's own raises where a folder can be looked into and not entered.
            yield from (f for f in files if is_image_name(f) and isfile(f))  # noqa: PTH113
            if not below:
                break

    files = sorted(pictures(recursive))
    unread = [Given(str(e.filename), ImageError(f"{e.filename}: {e.strerror}")) for e in closed]
    if files or unread:
        return [*(Given(str(file), file) for file in files), *unread]
    deeper = not recursive and any(pictures(True))
    hint = "; there are some in folders below it: add -r" if deeper else ""
    raise ImageError(f"{folder}: no pictures in this folder{hint}")


def pages_of(one: "Given", page: str) -> "list[Given]":
    """The page that was asked for, or all that the file has."""
    if page != "all" or isinstance(one.source, ImageError):
        return [one if page == "all" else one._replace(page=int(page))]
    from mnist_net.pictures.decoding import open_image

    try:
        source = one.source
        if isinstance(source, Path) and source.exists() and not source.is_file():
            source = _content(source)  # a pipe is read but once
        n_pages = open_image(source, one.name).n_pages
    except ImageError as error:
        return [one._replace(source=error)]
    except OSError as error:
        return [one._replace(source=ImageError(f"{one.name}: {error.strerror or error}"))]
    one = one._replace(source=source)
    if n_pages == 1:
        return [one]
    names = {number: f"{one.name} page {number}" for number in range(1, n_pages + 1)}
    return [one._replace(name=name, page=number) for number, name in names.items()]


def _standard_input() -> bytes:
    if sys.stdin is None:
        raise ImageError("-: standard input is closed")
    content = _at_most(sys.stdin.buffer, "-")
    if not content:
        raise ImageError("-: standard input is empty; send a picture, as in `< picture.png`")
    return content


def _content(pipe: Path) -> bytes:
    with pipe.open("rb") as stream:
        return _at_most(stream, str(pipe))


def _at_most(stream: BinaryIO, name: str) -> bytes:
    content = stream.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise ImageError(f"{name}: more than {_MOST_BYTES:,} bytes are no picture of a digit")
    return content
