"""What ``predict`` and ``read`` have in common: finding pictures, reading them, showing them."""

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from glob import glob
from itertools import chain, count
from os.path import expanduser
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from mnist_net.cli import options
from mnist_net.cli.elsewhere import cluster_of, cluster_options
from mnist_net.cli.terminal import echo_json, log, note, printable, show_image, shows_progress
from mnist_net.errors import ImageError

if TYPE_CHECKING:
    from mnist_net.pictures.decoding import Place
    from mnist_net.reading.answers import Reading
    from mnist_net.reading.many import Given, Seen
    from mnist_net.reading.rules import Rule

T = TypeVar("T")

_MOST_BYTES = 500_000_000
_MOST_FIGURES = 9  # of a number of pages or pixels
_ONE_A_CORE = -1  # processes
_MANY = 20  # pictures, of which a progress bar tells how many are left


def _require_page(_ctx: click.Context, _parameter: click.Parameter, value: str) -> str:
    is_number = value.isascii() and value.isdigit() and len(value) <= _MOST_FIGURES
    if value != "all" and not (is_number and int(value)):
        raise click.BadParameter(f"{value[:50]!r} is neither a number from 1 nor all.")
    return value


def _require_jobs(_ctx: click.Context, _parameter: click.Parameter, value: int) -> int:
    if value < 1 and value != _ONE_A_CORE:
        raise click.BadParameter(f"{value} is neither a number from 1 nor {_ONE_A_CORE}.")
    return value


def _place(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> "Place | None":
    """Four whole numbers, none below 0, of which the last two are sides."""
    if value is None:
        return None
    parts = [part.strip() for part in value.split(",")]
    numbers = [int(n) for n in parts if n.isdecimal() and len(n) <= _MOST_FIGURES]
    if len(numbers) != 4 or len(parts) != 4 or min(numbers[2:]) < 1:
        raise click.BadParameter(f"{value[:50]!r} is not X,Y,WIDTH,HEIGHT, as in 100,40,300,80.")
    x, y, width, height = numbers
    return x, y, width, height


reading_options = options.together(
    click.argument("images", nargs=-1, required=True, metavar="IMAGE..."),
    click.option("--recursive", "-r", is_flag=True, help="Look into folders within folders too."),
    click.option(
        "--page",
        callback=_require_page,
        default="1",
        metavar="N|all",
        help="Which page of a file that has several (TIFF, GIF, PDF).",
    ),
    click.option(
        "--crop",
        callback=_place,
        metavar="X,Y,W,H",
        help="Read only this part of each picture, in pixels of the upright page.",
    ),
    options.model,
    options.reject_below,
    click.option(
        "--jobs",
        "-j",
        type=int,
        callback=_require_jobs,
        default=1,
        help="Processes that share many pictures; -1 for one a core.",
    ),
    cluster_options("read, in place of --jobs"),
    click.option("--show", is_flag=True, help="Print what the network saw, 28×28."),
    options.path_option(
        "--save-input",
        metavar="DIR",
        help="Write what the network saw into this folder, as PNG of 28×28.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print JSON Lines, one object a picture."),
    options.quiet,
)


@dataclass
class Request:
    """What both commands are asked, by options of these names, and what they do about it alike."""

    images: tuple[str, ...]
    recursive: bool
    page: str
    crop: "Place | None"
    model: str | None
    reject_below: float
    jobs: int
    backend: str | None
    scheduler: str | None
    show: bool
    save_input: Path | None
    as_json: bool

    def __post_init__(self) -> None:
        """Find the pictures and the model."""
        from mnist_net.trained.store import find_model

        found = [one for argument in self.images for one in _found(argument, self.recursive)]
        self.given = [page for one in found for page in _pages(one, self.page)]
        self.paths = [one.source for one in self.given if isinstance(one.source, Path)]
        self.model_file = find_model(self.model)
        self.cluster = cluster_of(self.backend, self.scheduler)
        self._saved: set[str] = set()

    def check_outputs(self, outputs: options.Paths = (), inputs: options.Paths = ()) -> None:
        """Find out before the work what must not, or cannot, be written."""
        from mnist_net.files import resolved

        if folder := self.save_input:
            links = [one for one in _entries(folder) if one.is_symlink()]
            kept = {resolved(path) for path in [*self.paths, *outputs, *inputs] if path}
            in_folder = any(path.parent == resolved(folder) for path in kept)
            if in_folder or any(resolved(link) in kept for link in links):
                raise click.UsageError(
                    f"--save-input {folder} would overwrite its pictures: name another"
                )
            options.check_outputs([folder / f"{_stem(self.given[0].name)}.png"])
        options.check_outputs(outputs, [self.model_file, *self.paths, *inputs])

    def answers(
        self, answer: type[T], kind: str, rule: "Rule | None" = None
    ) -> "Iterator[tuple[Seen, T]]":
        """Each picture, and what was read; errors are told, and at the end are status 1.

        For the kind and the rule, see `Wanted`.

        A picture or a file of which there is more than the answer says, is told of too.
        """
        from mnist_net.reading.many import Wanted, read_many

        model, failed = options.chosen_model(self.model), False
        wanted = Wanted(self.reject_below, kind, rule, self.crop, log.isEnabledFor(logging.INFO))
        with self.cluster() as workers:
            found = read_many(self.given, model, wanted, n_jobs=self.jobs, cluster=workers)
            for seen in _watched(found, len(self.given)):
                if isinstance(seen.answer, answer):
                    yield seen, seen.answer
                    _tell_of_more(seen)
                else:
                    failed = True
                    self._tell(seen)
        if failed:
            raise click.exceptions.Exit(1)

    def _tell(self, seen: "Seen") -> None:
        """Why a picture could not be read."""
        if self.as_json:
            echo_json({"image": seen.given.name, "error": str(seen.answer)})
        else:
            note(f"{click.style('Error:', fg='red')} {printable(str(seen.answer))}")

    def show_and_save(self, name: str, readings: "Sequence[Reading]") -> None:
        """What the network saw on a picture, as far as it is asked for."""
        from mnist_net.pictures.decoding import save_png

        for one in readings:
            if self.show and one.box:
                show_image(one.image)
            if self.save_input:
                stem = _stem(name)
                stems = chain([stem], (f"{stem}-{number}" for number in count(2)))
                unused = next(stem for stem in stems if stem not in self._saved)
                self._saved.add(unused)
                save_png(one.image, self.save_input / f"{unused}.png")


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _stem(name: str) -> str:
    """What a picture's file is called that shows what was seen."""
    return "stdin" if name == "-" else Path(name).stem


def _tell_of_more(seen: "Seen") -> None:
    """Say that a picture has digits, or its file pages, that were not read."""
    if not log.isEnabledFor(logging.INFO):  # then it need not be found out either
        return
    name = seen.given.name
    if seen.is_one_of_several():
        log.info(f"{name} shows several digits, and this is one of them: `mnist-net read` has all")
    if seen.n_pages > 1 and seen.given.page == 1 and " page " not in name:
        log.info(f"{name} has {seen.n_pages:,} pages; this is the first (--page all)")


def _watched(found: "Iterator[Seen]", total: int) -> "Iterator[Seen]":
    """The same, with a progress bar for many."""
    if total < _MANY or not shows_progress():
        yield from found
        return
    from tqdm import tqdm

    # On a terminal, the bar gives way to each line of the results.
    on_terminal = sys.stdout is not None and sys.stdout.isatty()
    with tqdm(total=total, unit="picture") as bar:
        for seen in found:
            with tqdm.external_write_mode() if on_terminal else nullcontext():
                yield seen
            bar.update()


def _found(argument: str, recursive: bool) -> "list[Given]":
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
            return [Given(str(file), file) for file in _in_folder(path, recursive)]
        matches = [] if path.exists() else glob(argument, recursive=True)  # noqa: PTH207
        files = sorted(match for match in matches if Path(match).is_file())
        return [Given(name, Path(name)) for name in files or [argument]]
    except ImageError as error:
        return [Given(argument, error)]
    except OSError as error:
        return [Given(argument, ImageError(f"{argument[:100]}: {error.strerror or error}"))]


def _in_folder(folder: Path, recursive: bool) -> list[Path]:
    from mnist_net.pictures.decoding import is_image_name

    def pictures(below: bool) -> Iterator[Path]:
        paths = folder.rglob("*") if below else folder.iterdir()
        return (file for file in paths if is_image_name(file) and file.is_file())

    if files := sorted(pictures(recursive)):
        return files
    deeper = not recursive and any(pictures(True))
    hint = "; there are some in folders below it: add -r" if deeper else ""
    raise ImageError(f"{folder}: no pictures in this folder{hint}")


def _pages(one: "Given", page: str) -> "list[Given]":
    """The page that was asked for, or all that the file has."""
    if page != "all" or isinstance(one.source, ImageError):
        return [one if page == "all" else one._replace(page=int(page))]
    from mnist_net.pictures.decoding import open_image

    try:
        n_pages = open_image(one.source, one.name).n_pages
    except ImageError as error:
        return [one._replace(source=error)]
    if n_pages == 1:
        return [one]
    numbers = range(1, n_pages + 1)
    return [one._replace(name=f"{one.name} page {number}", page=number) for number in numbers]


def _standard_input() -> bytes:
    if sys.stdin is None:
        raise ImageError("-: standard input is closed")
    content = sys.stdin.buffer.read(_MOST_BYTES + 1)
    if not content:
        raise ImageError("-: standard input is empty; send a picture, as in `< picture.png`")
    if len(content) > _MOST_BYTES:
        raise ImageError(f"-: more than {_MOST_BYTES:,} bytes are no picture of a digit")
    return content
