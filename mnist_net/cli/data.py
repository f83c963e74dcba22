"""``mnist-net data``: show, fetch, verify, clear and sample."""

from pathlib import Path

import click

from mnist_net.cli.shared import (
    PNG_PATH,
    check_outputs,
    data_home_option,
    echo_json,
    echo_line,
    epilog,
    json_option,
    offline_option,
    quiet_option,
    shows_progress,
)
from mnist_net.errors import DataError


@click.group(epilog=epilog("data fetch", "data sample seven.png --digit 7"))
def data() -> None:
    """Look after the data set."""


@data.command(epilog=epilog("data show", "data show --json"))
@data_home_option
@json_option
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


@data.command(epilog=epilog("data fetch"))
@data_home_option
@offline_option
@quiet_option
def fetch(data_home: Path | None, offline: bool) -> None:
    """Fetch MNIST now, so that training need not."""
    from mnist_net.datasets.mnist import cache_path, load_mnist

    progress = shows_progress()
    dataset = load_mnist(data_home, offline=offline, progress=progress)
    echo_line(f"{cache_path(data_home)}: {len(dataset.images):,} pictures, proven by their digest")


@data.command(epilog=epilog("data verify"))
@data_home_option
def verify(data_home: Path | None) -> None:
    """Check that the cache holds MNIST, to the last bit."""
    from mnist_net.datasets.mnist import cache_path, read_cache

    path = cache_path(data_home)
    dataset = read_cache(path)
    echo_line(f"{path}: MNIST, SHA-256 {dataset.digest}")


@data.command(epilog=epilog("data clear"))
@data_home_option
def clear(data_home: Path | None) -> None:
    """Remove the decoded cache (scikit-learn's own copy from OpenML stays)."""
    from mnist_net.datasets.mnist import cache_path

    path = cache_path(data_home)
    existed = path.exists()
    path.unlink(missing_ok=True)
    for leftover in path.parent.glob(f".{path.name}.*"):  # of a process killed while writing
        leftover.unlink()
    echo_line(f"{path}: {'removed' if existed else 'was not there'}")


@data.command(epilog=epilog("data sample seven.png --digit 7", "data sample any.png --seed 3"))
@click.argument("output", type=PNG_PATH, metavar="OUT.png")
@click.option("--digit", type=click.IntRange(0, 255), help="Label of the picture.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Which one.")
@click.option("--dataset", default="auto", show_default=True, help="As for mnist-net train.")
@data_home_option
@offline_option
@quiet_option
def sample(
    output: Path,
    digit: int | None,
    seed: int,
    dataset: str,
    data_home: Path | None,
    offline: bool,
) -> None:
    """Write one test picture as a PNG file, to try predict on."""
    import numpy as np

    from mnist_net.datasets.loading import dataset_files, load_dataset
    from mnist_net.pictures.decoding import save_png

    check_outputs([output], dataset_files(dataset, data_home))
    progress = shows_progress()
    test = load_dataset(dataset, data_home, offline=offline, progress=progress).test
    rows = np.arange(len(test.labels)) if digit is None else np.flatnonzero(test.labels == digit)
    if not len(rows):
        raise DataError(f"{test.name} has no test picture with the label {digit}")
    row = int(np.random.default_rng(seed).choice(rows))
    save_png(test.images[row], output)
    echo_line(f"{output}: test picture {row} of {test.name}, a {test.labels[row]}")
