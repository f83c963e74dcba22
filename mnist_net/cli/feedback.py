"""``mnist-net feedback``: corrections that were kept, to list, add, export and clear."""

from pathlib import Path

import click

from mnist_net.cli import options
from mnist_net.cli.terminal import counted, echo_json, echo_line
from mnist_net.errors import DataError

DIGIT = options.whole(0, 9)
store = options.path_option(
    "--feedback",
    metavar="PATH",
    help="File of the corrections.  [default: mnist-net/feedback.sqlite where data sets are kept]",
)


@click.group(
    epilog=options.examples(
        "feedback add wrong.png --label 7", "feedback list", "feedback export own/", "adapt"
    )
)
def feedback() -> None:
    """Look after corrections: pictures that were read wrongly, and what is on them.

    They stay on this machine. `mnist-net adapt` learns from them.
    """


@feedback.command(epilog=options.examples("feedback add wrong.png also-wrong.jpg --label 7"))
@click.argument("pictures", nargs=-1, required=True, metavar="PICTURE...", type=options.PATH)
@click.option("--label", type=DIGIT, required=True, help="The digit that is on them.")
@click.option("--said", type=DIGIT, help="The digit that was read.")
@store
def add(pictures: tuple[Path, ...], label: int, said: int | None, feedback: Path | None) -> None:
    """Keep pictures with the digit that is on them."""
    from mnist_net.datasets.feedback import Feedback
    from mnist_net.pictures.decoding import open_image

    kept = Feedback(feedback)
    for picture in pictures:  # none is kept if one of them is no picture
        open_image(picture)
    for picture in pictures:
        number = kept.add(picture.read_bytes(), label, said)
        echo_line(f"{number}: {picture} is a {label}")


@feedback.command("list", epilog=options.examples("feedback list", "feedback list --json"))
@store
@options.as_json
def list_(feedback: Path | None, as_json: bool) -> None:
    """List the corrections, oldest first.

    As JSON Lines they have the pictures' numbers of bytes.
    """
    from mnist_net.datasets.feedback import Feedback

    kept = Feedback(feedback)
    rows = kept.list()
    for row in rows:
        if as_json:
            facts = row._asdict()
            echo_json({**facts, "picture": len(facts["picture"])})
        else:
            said = "" if row.said is None else f", was read as {row.said}"
            echo_line(f"{row.id:>5}  {row.time}  a {row.label}{said}")
    if not as_json:
        echo_line(f"{kept.path}: {counted(len(rows), 'correction')}")


@feedback.command(
    epilog=options.examples("feedback export own/", "train --from shipped --dataset own/")
)
@click.argument("folder", type=options.PATH, metavar="FOLDER")
@store
def export(folder: Path, feedback: Path | None) -> None:
    """Write the pictures into FOLDER/0 to FOLDER/9.

    So `train --dataset FOLDER` reads them. The folder must be new or empty.
    """
    from mnist_net.datasets.feedback import Feedback
    from mnist_net.files import atomic_write

    kept = Feedback(feedback)
    rows = kept.list()
    if not rows:
        raise DataError(f"{kept.path}: there are no corrections to export")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise click.UsageError(f"{folder} is there already and not empty: name a new folder")
    for row in rows:
        with atomic_write(folder / str(row.label) / f"{row.id:06}.png") as stream:
            stream.write(row.picture)
    echo_line(f"{folder}: {counted(len(rows), 'picture')}")


@feedback.command(epilog=options.examples("feedback clear", "feedback clear --yes"))
@click.option("--yes", is_flag=True, help="Do not ask.")
@store
def clear(yes: bool, feedback: Path | None) -> None:
    """Remove all corrections, for good."""
    from mnist_net.datasets.feedback import Feedback

    kept = Feedback(feedback)
    number = len(kept)
    if number and not yes:
        all_of_them = counted(number, "correction")
        click.confirm(f"Remove {all_of_them} from {kept.path}?", abort=True, err=True)
    echo_line(f"{kept.path}: {counted(kept.clear(), 'correction')} removed")
