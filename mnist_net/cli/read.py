"""``mnist-net read``."""

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mnist_net.cli import options
from mnist_net.cli.pictures import Request, reading_options
from mnist_net.cli.terminal import echo_json, echo_line, log
from mnist_net.reading.rules import CHECKS

if TYPE_CHECKING:
    from mnist_net.reading.answers import Page
    from mnist_net.reading.rules import Rule

_MOST_ODDS = 1_000_000  # that are told of
_TURNED = 45.0  # degrees, from which on it is told
_MOST_BYTES = 100_000  # of a list of choices: what is read is compared with each


@options.command(
    "read phone-number.jpg",
    "read --annotate answers.png page.jpg",
    "read --pattern dd/dd/dddd --crop 400,80,300,60 form.png",
    "read --grid sudoku.jpg",
    "read --json scans/ > answers.jsonl",
)
@reading_options
@click.option("--digits-only", is_flag=True, help="Print no signs and no gaps between digits.")
@click.option("--grid", is_flag=True, help="Read the cells of a table that is drawn in lines.")
@click.option(
    "--expect", type=options.whole(min=1), metavar="N", help="It has N digits, in all its rows."
)
@click.option("--pattern", metavar="FORM", help="It has this form; d is any digit: dd/dd/dddd.")
@options.path_option("--choices", metavar="FILE", help="It is a line of this file.")
@click.option("--check", type=click.Choice(list(CHECKS)), help="It has this checksum.")
@click.option("--csv", "as_csv", is_flag=True, help="Print a table: picture, row, text or cells.")
@options.png_option(
    "--annotate",
    help="Write the picture with a box and the answer at each digit and sign; for one IMAGE.",
)
def read(
    digits_only: bool,
    grid: bool,
    expect: int | None,
    pattern: str | None,
    choices: Path | None,
    check: str | None,
    as_csv: bool,
    annotate: Path | None,
    **asked: Any,
) -> None:
    """Read all digits in each picture, row by row, and the signs between them.

    IMAGE is a picture of several digits, such as a telephone number or a table, a folder of such
    pictures, a pattern such as 'scans/*.png', or - for standard input. A row of digits is printed
    as a line, with a space where a gap is wide and ? for ink that is not read; a picture without
    any digit, as a dash. What is known of the text, all rows together (--expect, --pattern,
    --choices, --check), is used while it is read: of all readings that fit, the likeliest is
    printed, however unlikely, with ? for ink that has no place in it. What it would be without
    is said on standard error where it differs, and in JSON.
    """
    from mnist_net.pictures.decoding import save_png
    from mnist_net.reading.annotation import annotated
    from mnist_net.reading.answers import Page, Table, page_answer

    rule = _rule(choices, expect=expect, pattern=pattern, check=check)
    _require_fitting(
        grid and rule is not None, as_csv, as_json=asked["as_json"], show=asked["show"]
    )
    request = Request(**asked)
    if annotate and len(request.given) != 1:
        raise click.UsageError(f"--annotate takes one picture, not {len(request.given)}")
    request.check_outputs([annotate], [choices])
    if annotate and not annotate.parent.is_dir():
        raise click.UsageError(f"there is no folder {annotate.parent} for {annotate.name}")
    kind: type[Page] | type[Table] = Table if grid else Page
    for seen, found in request.answers(kind, "table" if grid else "page", rule):
        name = seen.given.name
        answer = found.digits_only if digits_only and isinstance(found, Table) else found
        text = answer.digits_only if digits_only and isinstance(answer, Page) else answer.text
        reason = answer.reason or "there are only signs on it"
        if request.as_json:
            of_page = {"text": text} if isinstance(answer, Page) else {}
            echo_json({**page_answer(name, answer, str(request.model_file)), **of_page})
        elif as_csv:
            _echo_rows(name, text, reason)
        else:
            if len(request.given) > 1:
                echo_line(f"{name}:")
            click.echo(text or f"- ({reason})")
        if isinstance(answer, Page):
            _tell_of_rule(name, answer)
        if abs(answer.degrees) >= _TURNED:
            log.info(f"{name}: read after a turn of {answer.degrees:.0f}° counter-clockwise")
        request.show_and_save(name, answer.digits)
        if annotate and seen.picture:
            save_png(annotated(seen.picture, answer), annotate)
            log.info(f"wrote {annotate}")


def _require_fitting(by_rule: bool, as_csv: bool, *, as_json: bool, show: bool) -> None:
    """Refuse options that do not go together."""
    if by_rule:
        raise click.UsageError("--grid reads cells, of which no text is known: leave one out")
    if as_csv and as_json:
        raise click.UsageError("--csv and --json are two forms of one answer: choose one")
    if as_csv and show:
        raise click.UsageError("--show prints pictures among the rows of --csv: leave one out")


def _tell_of_rule(name: str, page: "Page") -> None:
    """How sure a reading by a rule is, and whether it was bent."""

    def in_line(text: str | None) -> str:
        return (text or "nothing").replace("\n", ", ")

    if page.odds is not None:
        times = f"{page.odds:,.1f}" if page.odds < _MOST_ODDS else f"more than {_MOST_ODDS:,}"
        next_one = in_line(page.runner_up)
        log.info(f"{name}: {times} times as likely as the next that fits, {next_one}")
    if page.without_rule is not None and page.without_rule.split() != page.text.split():
        log.info(f"{name}: if nothing were known of it, it would read {in_line(page.without_rule)}")


def _echo_rows(name: str, text: str, reason: str) -> None:
    """A line of CSV for each row; where there is none, say why."""
    for number, line in enumerate(text.split("\n") if text else [], start=1):
        click.echo(_csv_line([name, str(number), *line.split("\t")]), nl=False)
    if not text:
        log.info(f"{name}: no row, for {reason}")


def _csv_line(cells: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)  # it quotes what its own end of a line has, such as \r
    return line.getvalue().removesuffix("\r\n") + "\n"


def _rule(choices: Path | None, **known: Any) -> "Rule | None":
    """What is known of the text."""
    from mnist_net.errors import ImageError
    from mnist_net.reading.rules import rule_of

    lines = None
    if choices is not None:
        try:
            with choices.open("rb") as file:  # which may be a pipe
                content = file.read(_MOST_BYTES + 1)
            if len(content) > _MOST_BYTES:
                raise ValueError(choices)
            lines = [line.strip() for line in content.decode("utf-8-sig").splitlines()]
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is no text of at most 100 kB"
            raise ImageError(f"{choices} cannot be read as a list of choices: {reason}") from error
        lines = [line for line in lines if line]
        try:
            rule_of(choices=lines)
        except ValueError as error:
            raise click.UsageError(f"{choices}: {error}") from error
    try:
        return rule_of(choices=lines, **known)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
