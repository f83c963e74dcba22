"""``mnist-net data``: the cache is shown, filled, verified and cleared; samples are drawn."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from PIL import Image

from mnist_net.arrays import MNIST_DIGEST
from mnist_net.datasets import sources
from mnist_net.datasets.loading import load_dataset
from mnist_net.datasets.mnist import cache_path
from tests.cli.conftest import invoke
from tests.conftest import Run
from tests.datasets.conftest import RIGHT, Pictures, flip, write_cache


@pytest.fixture
def real_cache(mnist_arrays: Pictures, tmp_path: Path) -> Path:
    """A data home with our cache of the real 70,000."""
    home = tmp_path / "real"
    write_cache(cache_path(home), images=mnist_arrays[0], labels=mnist_arrays[1])
    return home


def failed(result: Result, status: int = 1) -> str:
    """The one sentence of a command that failed."""
    assert result.exit_code == status
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    *_, last = result.stderr.strip().splitlines()
    assert last.startswith("Error: ")
    return last.removeprefix("Error: ")


def test_show(real_cache: Path, tmp_path: Path) -> None:
    nothing = invoke("data", "show")
    assert nothing.exit_code == 0
    assert f"{cache_path()} (not there yet: mnist-net data fetch)" in nothing.stdout
    assert "(not there)" in nothing.stdout
    size = cache_path(real_cache).stat().st_size
    there = invoke("data", "show", "--data-home", real_cache)
    assert f"{cache_path(real_cache)} ({size:,} bytes)" in there.stdout
    for address in sources.MIRRORS:
        assert address in there.stdout
    assert (nothing.stderr, there.stderr) == ("", "")
    facts = json.loads(invoke("data", "show", "--json", "--data-home", real_cache).stdout)
    assert facts == {
        "cache": str(cache_path(real_cache)),
        "cached": True,
        "bytes": size,
        "openml_cached": False,
        "sources": ["OpenML", *sources.MIRRORS],
    }
    facts = json.loads(invoke("data", "show", "--json").stdout)
    assert (facts["cached"], facts["bytes"]) == (False, 0)


def test_verify_fetch_and_clear(real_cache: Path) -> None:
    path = cache_path(real_cache)
    verified = invoke("data", "verify", "--data-home", real_cache)
    assert (verified.exit_code, verified.stderr) == (0, "")
    assert verified.stdout == f"{path}: MNIST, SHA-256 {MNIST_DIGEST}\n"
    fetched = invoke("data", "fetch", "--offline", "--data-home", real_cache)
    assert fetched.stdout == f"{path}: 70,000 pictures, proven by their digest\n"

    flip(path, 1_000_000)
    message = failed(invoke("data", "verify", "--data-home", real_cache))
    assert message.startswith(f"{path} is damaged")
    flip(path, 1_000_000)

    leftover = path.with_name(f".{path.name}.abc")  # of a result killed while writing
    leftover.touch()
    for said in ("removed", "was not there"):
        cleared = invoke("data", "clear", env={"SCIKIT_LEARN_DATA": str(real_cache)})
        assert (cleared.exit_code, cleared.stdout) == (0, f"{path}: {said}\n")
        assert not path.exists()
        assert not leftover.exists()
    assert failed(invoke("data", "verify", "--data-home", real_cache)) == f"{path}: not there yet"
    assert "not tried" in invoke("data", "fetch", "--offline", "--data-home", real_cache).stderr


def test_fetch_offline_with_nothing() -> None:
    result = invoke("data", "fetch", "--offline")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        (
            "Error: no source of MNIST works; connect to the network, or name a folder that has "
            "its four files with --dataset"
        ),
        f"  cache: {cache_path()}: not there yet",
        "  network: not tried, because of --offline",
    ]


def test_clear_what_cannot_be_removed(tmp_path: Path) -> None:
    cache_path(tmp_path).mkdir(parents=True)
    assert str(cache_path(tmp_path)) in failed(invoke("data", "clear", "--data-home", tmp_path))


@pytest.mark.parametrize("digit", [0, 7])
def test_sample_of_the_bundled_digits(digit: int) -> None:
    result = invoke("data", "sample", "out.png", "--digit", digit, "--dataset", "digits")
    assert (result.exit_code, result.stderr) == (0, "")
    with Image.open("out.png") as image:
        assert (image.format, image.size, image.mode) == ("PNG", (28, 28), "L")
        pixels = np.asarray(image)
    test = load_dataset("digits").test
    (row,) = np.flatnonzero((test.images == pixels).all((1, 2)))
    assert test.labels[row] == digit
    assert result.stdout == f"out.png: test picture {row} of digits, a {digit}\n"


def test_sample_of_the_real_mnist(real_cache: Path, mnist_arrays: Pictures) -> None:
    home = ("--data-home", real_cache, "--offline")
    said = []
    for arguments in (("--digit", 3), ("--digit", 3), ("--digit", 3, "--seed", 1), ()):
        result = invoke("data", "sample", "new/out.png", *arguments, *home)
        assert (result.exit_code, result.stderr) == (0, "")
        with Image.open("new/out.png") as image:
            pixels = np.asarray(image)
        row = int(result.stdout.split()[3])
        np.testing.assert_array_equal(pixels, mnist_arrays[0][60_000 + row], strict=True)
        assert result.stdout.endswith(f"of mnist, a {mnist_arrays[1][60_000 + row]}\n")
        said.append(result.stdout)
    assert said[0] == said[1] != said[2]
    assert all(", a 3\n" in line for line in said[:3])


def test_sample_of_a_folder_leaves_no_doubt(mnist_folder: Path) -> None:
    result = invoke("data", "sample", "out.png", "--dataset", mnist_folder)
    assert result.exit_code == 0
    assert "of mnist, a " in result.stdout


def test_samples_that_cannot_be(tmp_path: Path) -> None:
    np.savez("set.npz", images=RIGHT[0], labels=RIGHT[1] % 5)
    command = ("data", "sample", "out.png", "--dataset", "set.npz", "--digit")
    assert failed(invoke(*command, 5)) == "set.npz has no test picture with the label 5"
    for digit in ("-1", "256", "seven"):
        result = invoke(*command, digit)
        assert result.exit_code == 2
        assert "Invalid value for '--digit'" in result.stderr
    message = failed(invoke("data", "sample", "out.png", "--dataset", tmp_path / "none"))
    assert message.startswith(f"{tmp_path / 'none'}: no data set here")
    assert "not tried" in invoke("data", "sample", "out.png", "--offline").stderr
    assert not Path("out.png").exists()


def test_sample_to_where_nothing_can_be_written(run: Run, tmp_path: Path) -> None:
    np.savez("file", images=RIGHT[0], labels=RIGHT[1])
    dataset = ("--dataset", "file.npz")
    Path("folder.png").mkdir()
    long = Path("n" * 300).with_suffix(".png")
    for output in (Path("folder.png"), tmp_path / "file.npz" / "out.png", long):
        message = failed(invoke("data", "sample", output, *dataset))
        assert message.startswith(f"{output}: ")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["file.npz", "folder.png"]
    assert invoke("data", "sample", "seven.jpg", *dataset).exit_code == 2
    if Path("/dev/full").exists():  # which ends a process
        Path("full.png").symlink_to("/dev/full")
        done = run("data", "sample", "full.png", *dataset)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("Error: ")
        assert "No space left on device" in done.stderr
