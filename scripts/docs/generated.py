"""What the site's pages say that the code says already: names, and commands.

On GitHub these pages end where this begins.
"""

from inspect import isclass, isroutine

import click

import mnist_net
from mnist_net.cli import main
from scripts.docs.contents import public_names

GIVEN = (
    "reading.answers.Table",
    "pictures.decoding.Picture",
    "pictures.pieces.Box",
    "reports.figures.Evaluation",
    "learning.training.Epoch",
    "learning.training.Progress",
    "learning.network.Architecture",
    "learning.convolution.Convolution",
    "learning.network.Layer",
    "learning.optimizers.OptimizerState",
    "learning.scaling.Scaling",
    "learning.gradcheck.System",
    "learning.gradcheck.Check",
    "runs.together.Standing",
)
"""Classes that nobody need import, of what public functions take or give."""


def names() -> str:
    """The public names, group by group, from their docstrings, and what they give."""
    groups = {
        group: [_name(name, said) for name, said in found.items()]
        for group, found in public_names(mnist_net.__doc__ or "").items()
    }
    groups["What these give"] = [_directive("autoclass", name) for name in GIVEN]
    return "\n".join(f"## {group}\n\n" + "\n".join(found) for group, found in groups.items())


def _directive(kind: str, name: str, *lines: str) -> str:
    module, _, last = f"mnist_net.{name}".rpartition(".")
    within = f".. py:currentmodule:: {module}"
    return "\n".join(["```{eval-rst}", within, "", f".. {kind}:: {last}", *lines, "```", ""])


def _name(name: str, said: str) -> str:
    """The directive that documents a public name."""
    value = getattr(mnist_net, name)
    if isclass(value):
        kind = "autoexception" if issubclass(value, Exception) else "autoclass"
        return _directive(kind, name)
    if isroutine(value):
        return _directive("autofunction", name)
    # A table, of recipes say: what it prints is what it is.
    rows = str(value).splitlines() if type(value) is not dict else map(_entry, value.items())
    shown = ["   .. code-block:: text", "", *(f"      {row}" for row in rows)]
    return _directive("py:data", name, "", f"   {said.capitalize()}.", "", *shown)


def _entry(entry: tuple[str, object]) -> str:
    name, value = entry
    return f"{name:9}{value}"


def commands() -> str:
    """The help of each command."""
    group = click.Context(main, info_name="mnist-net")
    return "\n".join(
        f"## {name}\n\n```text\n{_help(name, group)}\n```\n" for name in main.list_commands(group)
    )


def _help(name: str, group: click.Context) -> str:
    command = main.get_command(group, name)
    assert command is not None  # it is one of those listed
    return click.Context(command, info_name=name, parent=group, max_content_width=80).get_help()
