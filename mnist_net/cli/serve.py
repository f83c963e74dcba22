"""``mnist-net serve``."""

import errno
import signal
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mnist_net.cli import options
from mnist_net.cli.terminal import echo_line, log

if TYPE_CHECKING:
    from mnist_net.web.answering import Store


@options.command(
    "serve --open",
    "serve --port 0",
    "serve --host 0.0.0.0 --allow-host reader.example.org",
    "serve --no-feedback --cors https://example.org",
)
@click.option("--host", default="127.0.0.1", help="Address to listen at.")
@click.option(
    "--port", type=options.whole(0, 65_535), default=8000, help="Port; 0 takes a free one."
)
@click.option("--open", "opens", is_flag=True, help="Open the page in a browser.")
@options.model
@options.reject_below
@options.path_option(
    "--feedback",
    metavar="PATH",
    help="Where corrections are kept.  [default: in the data home]",
)
@click.option("--no-feedback", is_flag=True, help="Keep no corrections.")
@click.option(
    "--allow-host", multiple=True, metavar="NAME", help="Another name that it is reached by."
)
@click.option(
    "--cors", multiple=True, metavar="ORIGIN", help="Let pages of this origin read answers."
)
@options.quiet
def serve(
    host: str,
    port: int,
    opens: bool,
    model: str | None,
    reject_below: float,
    feedback: Path | None,
    no_feedback: bool,
    allow_host: Sequence[str],
    cors: Sequence[str],
) -> None:
    """Serve a page to draw on, and the same reading to programs over HTTP.

    Only this machine reaches it, unless --host says otherwise. Ctrl-C ends it. What programs can
    ask is at /docs.
    """
    if feedback and no_feedback:
        raise click.UsageError("--feedback and --no-feedback are opposites: give one of them")
    _require_extra()
    from mnist_net.reading.many import reader_of
    from mnist_net.web import server
    from mnist_net.web.security import HostCheck, is_loopback
    from mnist_net.web.service import Settings, service

    path = options.chosen_model(model)
    reader = reader_of(path, reject_below)
    store = None if no_feedback else _store(feedback)
    hosts = HostCheck(host, allow_host)
    settings = Settings(path.name, hosts=hosts, origins=cors, store=store)
    app = service(reader, settings)
    try:
        listening = server.listen(host, port)
    except (OSError, UnicodeError) as error:
        raise click.ClickException(_why_not(host, port, error)) from error
    address = server.address_of(listening, host)
    if not is_loopback(host):
        log.warning(
            f"everybody who reaches {host} can use this service: there is no password and no "
            "encryption; without --host only this machine can"
        )

    def ready() -> None:
        echo_line(address)
        log.info(f"programs: {address}docs; Ctrl-C ends it")
        if opens:
            webbrowser.open(address)

    ended_by = server.Server(app, settings.limits, ready, app.cut).serve_at(listening)
    if ended_by == signal.SIGINT:
        raise KeyboardInterrupt


def _require_extra() -> None:
    try:
        import prometheus_client  # noqa: F401
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise click.ClickException(
            f"the service needs packages ({error}): pip install 'mnist-net[web]'"
        ) from error


def _store(path: Path | None) -> "Store":
    def store(picture: bytes, label: int, said: int | None) -> None:
        from mnist_net.datasets.feedback import Feedback  # many a service never needs it

        Feedback(path).add(picture, label, said)

    return store


def _why_not(host: str, port: int, error: OSError | UnicodeError) -> str:
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        return f"port {port} is in use: name another --port, or 0 for one that is free"
    if number == errno.EACCES:
        return f"port {port} is not for everybody: name a --port from 1024 on, or 0"
    return f"cannot listen at {host}, port {port}: {getattr(error, 'strerror', None) or error}"
