"""``mnist-net export``."""

from pathlib import Path
from typing import Any

import click

from mnist_net.cli import options
from mnist_net.cli.terminal import echo_line, log
from mnist_net.export.formats import FORMATS

_ENDINGS = {row.ending: kind for kind, row in FORMATS.items()}


@options.command(
    "export page/",
    "export digits.onnx",
    "export --input float --quantize digits.onnx",
    "export --quantize digits.c && cc -O2 -DMNIST_NET_MAIN digits.c -lm -o digits",
    "export models/mine.joblib mine.safetensors",
)
@click.argument("named", metavar="[MODEL]", nargs=-1)
@click.argument("out", metavar="OUT", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "kind",
    type=click.Choice(list(FORMATS)),
    help="; ".join(f"{kind}: {row.meaning}" for kind, row in FORMATS.items())
    + ".  [default: what OUT ends in; web for a folder]",
)
@click.option(
    "--input",
    "inputs",
    type=click.Choice(["uint8", "float"]),
    help="Of onnx: grey levels from 0 to 255, or floats from 0 to 1.  [default: uint8]",
)
@click.option(
    "--quantize",
    is_flag=True,
    help="Of onnx and c: weights as int8 with a scale per column, a quarter of the bytes.",
)
@options.model
@options.quiet
def export(
    named: tuple[str, ...],
    out: Path,
    kind: str | None,
    inputs: str | None,
    quantize: bool,
    model: str | None,
) -> None:
    """Write a trained network for use elsewhere.

    OUT is a file whose ending says what it becomes, or a folder for a page to draw on: open its
    index.html, no server is needed. Every file says what a picture must look like, which the page
    alone sees to itself. MODEL is the same as --model.
    """
    from mnist_net.export.formats import export_model
    from mnist_net.trained.store import load_cached

    row = FORMATS[kind := _kind(out, kind)]
    choices: dict[str, Any] = {"inputs": inputs, "quantize": quantize}
    given = {choice: value for choice, value in choices.items() if value}
    for choice in given.keys() - set(row.choices):
        known = " and ".join(name for name, other in FORMATS.items() if choice in other.choices)
        raise click.UsageError(f"--{choice.removesuffix('s')} is of {known}, not of {kind}")
    path = options.chosen_model(_only(named, model))
    options.check_outputs([out] if row.ending else [], [path])
    written = export_model(load_cached(path), out, kind, name=path.stem, **given)
    size = sum(file.stat().st_size for file in written)
    if row.ending:
        log.info("%s: %.1f MB", row.meaning, size / 1e6)
    else:
        log.info("%d files, %.1f MB: open %s in a browser", len(written), size / 1e6, written[-1])
    echo_line(str(out))


def _kind(out: Path, kind: str | None) -> str:
    """The format that is named, or that the ending names; they must agree."""
    if kind is None:
        kind = _ENDINGS[_ending_of(out, *_ENDINGS)]
    elif FORMATS[kind].ending:
        _ending_of(out, FORMATS[kind].ending)
    elif out.is_file():
        raise click.UsageError(f"{out} is a file: name a folder")
    return kind


def _ending_of(out: Path, *endings: str) -> str:
    context = click.get_current_context()
    parameter = next(one for one in context.command.params if one.name == "out")
    return options.ending(*endings).convert(out, parameter, context).suffix.lower()
