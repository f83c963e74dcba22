"""``mnist-net info`` and ``mnist-net gradcheck``: look at a model, and at the mathematics."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from mnist_net.cli.shared import (
    PATH,
    echo_json,
    echo_line,
    epilog,
    json_option,
    model_option,
    quiet_option,
)

if TYPE_CHECKING:
    from mnist_net.trained.model import Model


@click.command(epilog=epilog("info", "info models/latest.joblib --json"))
@click.argument("file", metavar="[MODEL]", type=PATH, required=False)
@model_option
@json_option
@quiet_option
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
            echo_json(_beside(origin, loaded.metadata) | {"members": members})
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
    architecture = model.architecture
    n_parameters = sum(
        array.size for layer in model.parameters for array in layer if array is not None
    )
    facts = {
        "layer_sizes": list(architecture.layer_sizes),
        "activations": list(architecture.activations),
        "loss": architecture.loss,
        "parameters": n_parameters,
        "dtype": str(model.parameters[0].weights.dtype),
        "classes": model.classes.tolist(),
        "scaling": model.scaling._asdict(),
        "temperature": model.temperature,
    }
    return _beside(facts, {"history": [], **model.metadata})


def _echo_facts(facts: dict[str, Any]) -> None:
    for name, value in facts.items():
        if name != "history":
            echo_line(f"{name.replace('_', ' '):<16} {_plain(value)}")


def _echo_members(members: list[dict[str, Any]], known: dict[str, Any]) -> None:
    """What all have in common, and then what is each one's own; nothing that is known already."""
    common = {
        name: value
        for name, value in members[0].items()
        if all(name in facts and facts[name] == value for facts in members)
    }
    own = [{k: v for k, v in facts.items() if k not in common} for facts in members]
    common = {k: v for k, v in common.items() if k not in known or v != known[k]}
    titled = {"every member": common, **{f"member {n}": facts for n, facts in enumerate(own, 1)}}
    for title, facts in titled.items():
        click.echo(f"\n{title}")
        _echo_facts(facts)


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
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value)


@click.command(epilog=epilog("gradcheck", "gradcheck --json"))
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the test points."
)
@json_option
@quiet_option
def gradcheck(seed: int, as_json: bool) -> None:
    """Prove that the derived gradients are right.

    Compares each with central differences of the loss, in float64, and prints ‖derived -
    numerical‖ / (‖derived‖ + ‖numerical‖) for every array of every system of the derivation.
    Exits with 1 if one is above 1e-7.
    """
    from mnist_net.learning.gradcheck import SYSTEMS, THRESHOLD, check_system

    checks = []
    for system in SYSTEMS:
        for check in check_system(system, seed):
            checks.append(check)
            if not as_json:
                verdict = "ok" if check.error <= THRESHOLD else "WRONG"
                click.echo(f"{check.system:<28} {check.array:<3} {check.error:.1e}  {verdict}")
    worst = max(checks, key=lambda check: check.error)
    passed = worst.error <= THRESHOLD
    if as_json:
        echo_json(
            {
                "threshold": THRESHOLD,
                "passed": passed,
                "checks": [check._asdict() for check in checks],
            }
        )
    else:
        click.echo(
            f"{len(checks)} arrays checked; the worst is {worst.array} of {worst.system} with "
            f"{worst.error:.1e} (the bar is {THRESHOLD:.0e})"
        )
    if not passed:
        raise click.exceptions.Exit(1)
