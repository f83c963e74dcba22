"""``mnist-net help`` and ``mnist-net completion``."""

import click

from mnist_net.cli.shared import epilog


@click.command("help", epilog=epilog("help", "help train"))
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


@click.command(
    epilog=epilog(
        "completion bash >> ~/.bashrc",
        "completion zsh >> ~/.zshrc",
        "completion fish > ~/.config/fish/completions/mnist-net.fish",
    )
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print what makes a shell complete commands and options."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None
    root = ctx.find_root().command
    click.echo(found(root, {}, "mnist-net", "_MNIST_NET_COMPLETE").source())
