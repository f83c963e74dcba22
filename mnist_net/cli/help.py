"""``mnist-net help``."""

import click

from mnist_net.cli import options


@click.command("help", epilog=options.examples("help", "help train", "help data sample"))
@click.argument("command", nargs=-1)
@click.pass_context
def help(ctx: click.Context, command: tuple[str, ...]) -> None:  # noqa: A001
    """Show the help of a command, or of all of them."""
    shown = ctx.find_root()
    for name in command:
        if not isinstance(shown.command, click.Group):
            ctx.fail(f"{shown.command_path} has no commands of its own, such as {name!r}.")
        _, found, _ = shown.command.resolve_command(shown, [name])
        assert found is not None
        shown = click.Context(found, shown, info_name=name)
    click.echo(shown.get_help())
