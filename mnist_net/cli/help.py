"""``mnist-net help``."""

import click

from mnist_net.cli import options


@click.command("help", epilog=options.examples("help", "help train"))
@click.argument("command", required=False)
@click.pass_context
def help(ctx: click.Context, command: str | None) -> None:  # noqa: A001
    """Show the help of a command, or of all of them."""
    root = ctx.find_root()
    if command is None:
        click.echo(root.get_help())
        return
    assert isinstance(root.command, click.Group)
    _, found, _ = root.command.resolve_command(root, [command])
    assert found is not None
    click.echo(found.get_help(click.Context(found, root, info_name=command)))
