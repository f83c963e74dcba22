"""``mnist-net data``: show, fetch, verify, clear and sample."""

from pathlib import Path
from typing import Any

import click

from mnist_net.cli import options
from mnist_net.cli.terminal import echo_json, echo_line, shows_progress
from mnist_net.errors import DataError


@click.group(epilog=options.examples("data fetch", "data sample seven.png --digit 7"))
def data() -> None:
    """Look after the data set."""


@data.command(epilog=options.examples("data show", "data show --json"))
@options.data_home
@options.as_json
def show(data_home: Path | None, as_json: bool) -> None:
    """Show where MNIST is kept and whether it is there."""
    from mnist_net.datasets.mnist import cache_path, data_home_path
    from mnist_net.datasets.sources import MIRRORS, openml_is_cached

    path, home = cache_path(data_home), data_home_path(data_home)
    facts = {
        "cache": str(path),
        "cached": path.exists(),
        "bytes": path.stat().st_size if path.exists() else 0,
        "openml_cached": openml_is_cached(home),
        "sources": ["OpenML", *MIRRORS],
    }
    if as_json:
        echo_json(facts)
        return
    size = f"{facts['bytes']:,} bytes" if facts["cached"] else "not there yet: mnist-net data fetch"
    echo_line(f"cache    {path} ({size})")
    echo_line(f"OpenML   {home / 'openml'} ({'there' if facts['openml_cached'] else 'not there'})")
    click.echo("sources  " + "\n         ".join(["OpenML", *MIRRORS]))


@data.command(epilog=options.examples("data fetch"))
@options.data_home
@options.offline
@options.quiet
def fetch(data_home: Path | None, offline: bool) -> None:
    """Fetch MNIST now, so that training need not."""
    from mnist_net.datasets.mnist import cache_path, load_mnist

    mnist = load_mnist(data_home, offline=offline, progress=shows_progress())
    echo_line(f"{cache_path(data_home)}: {len(mnist.images):,} pictures, proven by their digest")


@data.command(epilog=options.examples("data verify"))
@options.data_home
def verify(data_home: Path | None) -> None:
    """Check that the cache holds MNIST, to the last bit."""
    from mnist_net.datasets.mnist import cache_path, read_cache

    path = cache_path(data_home)
    echo_line(f"{path}: MNIST, SHA-256 {read_cache(path).digest}")


@data.command(epilog=options.examples("data clear"))
@options.data_home
def clear(data_home: Path | None) -> None:
    """Remove the decoded cache.

    The copy from OpenML that scikit-learn keeps stays.
    """
    from mnist_net.datasets.mnist import cache_path

    path = cache_path(data_home)
    existed = path.exists()
    path.unlink(missing_ok=True)
    for leftover in path.parent.glob(f".{path.name}.*"):  # of a process killed while writing
        leftover.unlink()
    echo_line(f"{path}: {'removed' if existed else 'was not there'}")


@data.command(
    epilog=options.examples("data sample seven.png --digit 7", "data sample any.png --seed 3")
)
@click.argument("output", type=options.PNG_PATH, metavar="OUT.png")
@click.option("--digit", type=options.whole(0, 255), help="Label of the picture.")
@options.seed("Which one.")
@options.dataset
@options.quiet
def sample(output: Path, digit: int | None, seed: int, **source: Any) -> None:
    """Write one test picture as a PNG file, to try predict on."""
    import numpy as np

    from mnist_net.pictures.decoding import save_png

    test = options.load_splits([output], **source).test
    rows = np.arange(len(test.labels)) if digit is None else np.flatnonzero(test.labels == digit)
    if not len(rows):
        raise DataError(f"{test.name} has no test picture with the label {digit}")
    row = int(np.random.default_rng(seed).choice(rows))
    save_png(test.images[row], output)
    echo_line(f"{output}: test picture {row} of {test.name}, a {test.labels[row]}")
