"""``mnist-net export``."""

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from mnist_net.cli import options
from mnist_net.cli.terminal import echo_line, log
from mnist_net.export.formats import FORMATS

_ENDINGS = {row.ending: kind for kind, row in FORMATS.items() if row.ending}


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
    if row.ending:
        options.check_outputs([out], [path])
    elif out.is_file():
        raise click.UsageError(f"{out} is a file: name a folder")
    written = export_model(load_cached(path), out, kind, name=path.stem, **given)
    size = sum(file.stat().st_size for file in written)
    if row.ending:
        log.info("%s: %.1f MB", row.meaning, size / 1e6)
    else:
        log.info("%d files, %.1f MB: open %s in a browser", len(written), size / 1e6, written[-1])
    echo_line(str(out))


def _kind(out: Path, kind: str | None) -> str:
    """The format that is named, or that the ending names; they must agree."""
    if kind is None and (not out.suffix or out.is_dir()):
        return "web"
    if kind is None:
        return _ENDINGS[_named(out, *_ENDINGS).suffix.lower()]
    if FORMATS[kind].ending:
        _named(out, FORMATS[kind].ending)
    return kind


def _named(out: Path, *endings: str) -> Path:
    context = click.get_current_context()
    parameter = next(one for one in context.command.params if one.name == "out")
    return options.ending(*endings).convert(out, parameter, context)


def _only(named: tuple[str, ...], model: str | None) -> str | None:
    """The model, which is named in one place or in none."""
    source = click.get_current_context().get_parameter_source("model")
    if len(named) > 1:
        raise click.UsageError(f"MODEL and OUT are two names; this is {len(named) + 1}")
    if named and source is ParameterSource.COMMANDLINE:
        raise click.UsageError("MODEL and --model are the same: give one of them")
    return named[0] if named else model
