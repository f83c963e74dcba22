"""``mnist-net info``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from mnist_net.cli import options
from mnist_net.cli.terminal import echo_json, echo_line

if TYPE_CHECKING:
    from mnist_net.trained.model import Model


@options.command("info", "info models/latest.joblib --json")
@click.argument("file", metavar="[MODEL]", type=options.PATH, required=False)
@options.model
@options.as_json
@options.quiet
def info(file: Path | None, model: str | None, as_json: bool) -> None:
    """Show what a model is and how it came to be.

    MODEL is the same as --model. Without it, the one that predict would use.
    """
    from mnist_net.trained.committee import Committee
    from mnist_net.trained.store import find_model, load_model

    given = click.get_current_context().get_parameter_source("model")
    if file and given is ParameterSource.COMMANDLINE:
        raise click.UsageError("MODEL and --model are the same: give one of them")
    path = file or find_model(model)
    loaded = load_model(path)
    origin = {"model": str(path), "bytes": path.stat().st_size}
    if isinstance(loaded, Committee):
        members = [_facts(member) for member in loaded.members]
        if as_json:
            echo_json({**_beside(origin, loaded.metadata), "members": members})
        else:
            _echo_facts(_beside({**origin, "members": len(members)}, loaded.metadata))
            _echo_members(members, loaded.metadata)
    elif as_json:
        echo_json(_beside(origin, _facts(loaded)))
    else:
        _echo_facts(_beside(origin, _facts(loaded)))


def _beside(facts: dict[str, Any], metadata: dict[str, Any]) -> dict[str, Any]:
    """Facts, and then what else a file says of itself: of the same name, the fact stands."""
    return {**facts, **metadata, **facts}


def _facts(model: "Model") -> dict[str, Any]:
    from mnist_net.trained.facts import facts_of

    return _beside(facts_of(model), {"history": [], **model.metadata})


def _echo_facts(facts: dict[str, Any]) -> None:
    for name, value in facts.items():
        if name != "history" and value != []:
            echo_line(f"{name.replace('_', ' '):<16} {_plain(value)}")


def _echo_members(members: list[dict[str, Any]], known: dict[str, Any]) -> None:
    """What all have in common, and then what is each one's own; nothing that is known already."""
    shared = [i for i in members[0].items() if all(i in facts.items() for facts in members)]
    titled = {"every member": [item for item in shared if item not in known.items()]}
    for number, facts in enumerate(members, 1):
        titled[f"member {number}"] = [item for item in facts.items() if item not in shared]
    for title, items in titled.items():
        click.echo(f"\n{title}")
        _echo_facts(dict(items))


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(
            f"{key} ({_plain(item)})" if isinstance(item, dict) else f"{key} {_plain(item)}"
            for key, item in value.items()
        )
    if isinstance(value, list | tuple):
        return " ".join(map(_plain, value))
    if isinstance(value, float):
        return f"{value:.6g}"
    return f"{value:,}" if type(value) is int else str(value)
