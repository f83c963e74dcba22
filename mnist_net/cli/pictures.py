"""What ``predict`` and ``read`` have in common: finding pictures, reading them, showing them."""

import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mnist_net.cli import options
from mnist_net.cli.terminal import echo_json, log, note, printable, shows_progress
from mnist_net.errors import ImageError

if TYPE_CHECKING:
    from mnist_net.reading.many import Given, Seen

_MOST_BYTES = 500_000_000
_MANY = 20  # pictures, of which a progress bar tells how many are left


@dataclass(frozen=True, slots=True)
class Asked:
    """What both commands are asked for; see their options."""

    images: tuple[str, ...]
    recursive: bool
    page: str
    model: str | None
    reject_below: float
    jobs: int
    show: bool
    save_input: Path | None
    as_json: bool


def _page(_ctx: click.Context, _parameter: click.Parameter, value: str) -> str:
    if value != "all" and not (value.isascii() and value.isdigit() and int(value)):
        raise click.BadParameter(f"{value!r} is neither a number from 1 nor all.")
    return value


_OPTIONS = (
    click.argument("images", nargs=-1, required=True, metavar="IMAGE..."),
    click.option("--recursive", "-r", is_flag=True, help="Look into folders within folders too."),
    click.option(
        "--page",
        callback=_page,
        default="1",
        show_default=True,
        metavar="N|all",
        help="Which page of a file that has several (TIFF, GIF, PDF).",
    ),
    options.model,
    options.reject_below,
    click.option(
        "--jobs",
        "-j",
        type=int,
        default=1,
        show_default=True,
        help="Processes that share many pictures; -1 for one a core.",
    ),
    click.option("--show", is_flag=True, help="Print what the network saw, 28×28."),
    click.option(
        "--save-input",
        type=options.PATH,
        metavar="DIR",
        help="Write what the network saw into this folder, as PNG of 28×28.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print JSON Lines, one object a picture."),
    options.quiet,
)


def reading_command(*examples: str) -> Callable[[Callable[..., None]], click.Command]:
    """Make a command that takes pictures; it is called with `Asked` and its own options."""

    def made(function: Callable[..., None]) -> click.Command:
        def asked(**options: Any) -> None:
            common = {name: options.pop(name) for name in Asked.__slots__}
            function(Asked(**common), **options)

        asked.__doc__ = function.__doc__
        asked.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined]
        command: Callable[..., None] = asked
        for option in reversed(_OPTIONS):
            command = option(command)
        return click.command(function.__name__, epilog=options.examples(*examples))(command)

    return made


def seen_pictures(asked: Asked, given: "list[Given]", *, pages: bool) -> "Iterator[Seen]":
    """Read pictures; say which cannot be read, and end with 1 if there are any.

    Parameters
    ----------
    asked, given
        The options, and the pictures that they name.
    pages
        Read all digits of each picture, not its one digit.
    """
    from mnist_net.reading.many import read_many

    require_apart(places_of(given), asked.save_input)
    failed = False
    found = read_many(
        given, options.chosen_model(asked.model), asked.reject_below, pages=pages, n_jobs=asked.jobs
    )
    watched = len(given) >= _MANY and shows_progress()
    for seen in _watched(found, len(given)) if watched else found:
        if isinstance(seen.answer, ImageError):
            failed = True
            _tell_error(seen.given.name, seen.answer, as_json=asked.as_json)
        else:
            yield seen
    if failed:
        raise click.exceptions.Exit(1)


def _watched(found: "Iterator[Seen]", total: int) -> "Iterator[Seen]":
    from tqdm import tqdm

    # On a terminal, the bar gives way to each line of the results.
    on_terminal = sys.stdout is not None and sys.stdout.isatty()
    with tqdm(total=total, unit="picture") as bar:
        for seen in found:
            with tqdm.external_write_mode() if on_terminal else nullcontext():
                yield seen
            bar.update()


def given_pictures(asked: Asked) -> "list[Given]":
    """Pictures that the arguments name."""
    from mnist_net.reading.many import Given

    found = [one for argument in asked.images for one in _files(argument, asked.recursive)]
    if asked.page == "1":
        return [Given(name, source) for name, source in found]
    return [given for name, source in found for given in _pages(name, source, asked.page)]


def places_of(given: "list[Given]") -> list[Path]:
    """Files among them."""
    return [one.source for one in given if isinstance(one.source, Path)]


def _pages(name: str, source: "Path | bytes | ImageError", page: str) -> "Iterator[Given]":
    """The page that was asked for, or all that there are."""
    from mnist_net.pictures.decoding import open_image
    from mnist_net.reading.many import Given

    if isinstance(source, ImageError) or page != "all":
        yield Given(name, source, 1 if page == "all" else int(page))
        return
    try:
        n_pages = open_image(source, name).n_pages
    except ImageError as error:
        yield Given(name, error)
        return
    for number in range(1, n_pages + 1):
        yield Given(f"{name} page {number}" if n_pages > 1 else name, source, number)


def _files(argument: str, recursive: bool) -> "Iterator[tuple[str, Path | bytes | ImageError]]":
    """Name and place of each picture; a folder gives those in it, sorted by name."""
    path = Path(argument)
    try:
        if not argument:  # else it would be the folder that we are in
            yield argument, ImageError("'' is no name; give a picture, a folder, or -")
        elif argument == "-":
            yield argument, _standard_input()
        elif path.is_dir():
            yield from _in_folder(argument, path, recursive)
        elif not path.exists() and (matches := _matches(argument)):
            yield from ((match, Path(match)) for match in matches)
        else:
            yield argument, path
    except OSError as error:
        yield argument, ImageError(f"{argument[:100]}: {error.strerror or error}")


def _matches(pattern: str) -> list[str]:
    """Files of a pattern, where no shell has looked for them, or it was quoted."""
    found = glob(pattern, recursive=True)  # noqa: PTH207  (of a path that may be absolute)
    return sorted(match for match in found if Path(match).is_file())


def _in_folder(
    argument: str, folder: Path, recursive: bool
) -> "Iterator[tuple[str, Path | ImageError]]":
    from mnist_net.pictures.decoding import is_image_name

    def pictures(below: bool) -> Iterator[Path]:
        return filter(is_image_name, folder.rglob("*") if below else folder.iterdir())

    files = sorted(file for file in pictures(recursive) if file.is_file())
    yield from ((str(file), file) for file in files)
    if not files:
        deeper = not recursive and any(file.is_file() for file in pictures(True))
        hint = "; there are some in folders below it: add -r" if deeper else ""
        yield argument, ImageError(f"{argument}: no pictures in this folder{hint}")


def _standard_input() -> bytes | ImageError:
    if sys.stdin is None:
        return ImageError("-: standard input is closed")
    content = sys.stdin.buffer.read(_MOST_BYTES + 1)
    if not content:
        return ImageError("-: standard input is empty; send a picture, as in `< picture.png`")
    if len(content) > _MOST_BYTES:
        return ImageError(f"-: more than {_MOST_BYTES:,} bytes are no picture of a digit")
    return content


def _tell_error(name: str, error: ImageError, *, as_json: bool) -> None:
    """Say that a picture could not be read, where the answers go or on stderr."""
    if as_json:
        echo_json({"image": name, "error": str(error)})
    else:
        note(f"{click.style('Error:', fg='red')} {printable(str(error))}")


def require_apart(pictures: list[Path], folder: Path | None) -> None:
    """Refuse to write what was seen into a folder that has pictures of this command."""
    from mnist_net.files import resolved

    if folder and any(resolved(path).parent == resolved(folder) for path in pictures):
        raise click.UsageError(f"--save-input {folder} would overwrite its pictures: name another")


def tell_of_pages(seen: "Seen") -> None:
    """Say that a file has pages that were not read."""
    if seen.n_pages > 1 and seen.given.page == 1 and " page " not in seen.given.name:
        log.info(f"{seen.given.name} has {seen.n_pages:,} pages; this is the first (--page all)")
