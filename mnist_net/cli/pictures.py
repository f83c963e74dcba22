"""What ``predict`` and ``read`` have in common: reading pictures, and showing them."""

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from mnist_net.cli import options
from mnist_net.cli.elsewhere import cluster_of, cluster_options
from mnist_net.cli.finding import found_by, pages_of
from mnist_net.cli.terminal import echo_json, log, note, printable, show_image, shows_progress

if TYPE_CHECKING:
    from mnist_net.pictures.decoding import Place
    from mnist_net.reading.answers import Reading
    from mnist_net.reading.many import Seen
    from mnist_net.reading.rules import Rule

T = TypeVar("T")

_LONGEST_STEM = 200  # bytes: a name has 255 at most, with a number and its ending
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

        found = [one for argument in self.images for one in found_by(argument, self.recursive)]
        self.given = [page for one in found for page in pages_of(one, self.page)]
        self.paths = [one.source for one in self.given if isinstance(one.source, Path)]
        self.model_file = find_model(self.model)
        self.cluster = cluster_of(self.backend, self.scheduler)
        self._saved: set[Path] = set()

    def check_outputs(self, outputs: options.Paths = (), inputs: options.Paths = ()) -> None:
        """Find out before the work what must not, or cannot, be written."""
        from mnist_net.files import resolved

        if self.show and self.as_json:
            raise click.UsageError(
                "--show prints pictures among the lines of --json: leave one out"
            )
        if folder := self.save_input:
            kept = {resolved(path) for path in [*self.paths, *outputs, *inputs] if path}
            if any(path.parent == resolved(folder) for path in kept):
                raise click.UsageError(
                    f"--save-input {folder} would overwrite its pictures: name another"
                )
            options.check_outputs([self._unused(self.given[0].name)])
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
                file = self._unused(name)
                self._saved.add(file)
                save_png(one.image, file)

    def _unused(self, name: str) -> Path:
        """Where to write what was seen on a picture of some name; not through a link."""
        assert self.save_input is not None
        stem = _stem(name)
        stems = chain([stem], (f"{stem}-{number}" for number in count(2)))
        files = (self.save_input / f"{stem}.png" for stem in stems)
        return next(one for one in files if one not in self._saved and not one.is_symlink())


def _stem(name: str) -> str:
    """What a picture's file is called that shows what was seen: no longer than a name may be."""
    stem = os.fsencode("stdin" if name == "-" else Path(name).stem)
    return os.fsdecode(stem[:_LONGEST_STEM])


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
