"""MNIST's proof, scikit-learn's copy of it, and our own cache."""

import gzip
import hashlib
import importlib.util
import io
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import sklearn.datasets

from mnist_net.datasets import mnist
from mnist_net.datasets.dataset import data_digest
from mnist_net.datasets.mnist import (
    MNIST_DIGEST,
    cache_path,
    data_home_path,
    load_mnist,
    read_cache,
)
from mnist_net.errors import DataError
from tests.cli.conftest import invoke
from tests.conftest import SHARED
from tests.datasets.conftest import (
    DIGEST,
    FIRST,
    GATEWAY,
    RIGHT,
    WRONG,
    N,
    Pictures,
    Trap,
    assert_right,
    close_mirrors,
    close_openml,
    flip,
    put_mirror,
    put_openml,
    warnings_in,
    write_cache,
)
from tests.datasets.openml_server import ARFF, MIRRORS, OPENML, QUALITIES, SEARCH, Server, idx

# What proves that it is MNIST


def test_the_digest_is_that_of_the_real_mnist(mnist_arrays: Pictures) -> None:
    images, labels = mnist_arrays
    assert images.shape == (70_000, 28, 28)
    assert hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest() == MNIST_DIGEST
    assert data_digest(images, labels) == MNIST_DIGEST
    # The makers' own checksums, as published with the files, of what is digested here.
    published = {
        "train-images": ("6bbc9ace898e44ae57da46a324031adb", images[:60_000]),
        "train-labels": ("a25bea736e30d166cdddb491f175f624", labels[:60_000]),
        "t10k-images": ("2646ac647ad5339dbf082846283269ea", images[60_000:]),
        "t10k-labels": ("27ae3e4e09519cfbb04c329615203637", labels[60_000:]),
    }
    for md5, array in published.values():
        assert hashlib.md5(idx(array)).hexdigest() == md5


def test_the_digest_is_of_the_pixels_and_not_of_their_layout() -> None:
    images, labels = RIGHT
    assert data_digest(np.asfortranarray(images), labels) == DIGEST
    assert data_digest(images[::-1][::-1], labels[::-1][::-1]) == DIGEST
    assert data_digest(images, labels[::-1]) != DIGEST


# scikit-learn's own copy


@pytest.mark.parametrize("offline", [True, False])
def test_scikit_learns_copy_needs_no_network(
    server: Server, openml_copy: Path, offline: bool
) -> None:
    assert_right(load_mnist(offline=offline))
    assert server.requests == []
    assert read_cache(cache_path()).digest == DIGEST


@pytest.mark.parametrize("path", OPENML, ids=lambda path: path[-12:])
@pytest.mark.parametrize("damage", ["missing", "garbage", "truncated"])
def test_offline_with_a_bad_copy_asks_nobody(
    server: Server, openml_copy: Path, path: str, damage: str
) -> None:
    file = openml_copy / f"{path[1:]}.gz"
    if damage == "missing":
        file.unlink()
    else:
        content = file.read_bytes()
        file.write_bytes(b"garbage" if damage == "garbage" else content[: len(content) // 2])
    with pytest.raises(DataError, match="network: not tried") as caught:
        load_mnist(offline=True)
    if (path, damage) != (ARFF, "missing"):  # without pictures there is no copy to speak of
        assert "OpenML: its copy on this machine is incomplete or damaged" in str(caught.value)
    assert server.requests == []
    # With a network it mends itself.
    assert_right(load_mnist())
    assert server.requests == [path]


def test_a_copy_that_lies_does_not_stop_the_others(server: Server, openml_copy: Path) -> None:
    put_openml(server, WRONG)
    shutil.rmtree(openml_copy)
    close_mirrors(server)
    with pytest.raises(DataError):
        load_mnist()
    put_mirror(server, MIRRORS[1], RIGHT)
    assert_right(load_mnist())


# Our cache


def test_the_cache_is_used_next_time(server: Server) -> None:
    first = load_mnist()
    server.requests.clear()
    for offline in (False, True):
        again = load_mnist(offline=offline)
        assert_right(again)
    assert server.requests == []
    with np.load(cache_path()) as archive:
        np.testing.assert_array_equal(archive["images"], first.images, strict=True)
        np.testing.assert_array_equal(archive["labels"], first.labels, strict=True)


def as_npy(path: Path) -> None:
    stream = io.BytesIO()
    np.save(stream, RIGHT[0])
    path.write_bytes(stream.getvalue())


ONE_OFF = RIGHT[0] ^ np.eye(28, dtype=np.uint8)

DAMAGES: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "garbage": lambda path: path.write_bytes(b"garbage " * 1_000),
    "HTML": lambda path: path.write_bytes(GATEWAY),
    "half": lambda path: os.truncate(path, path.stat().st_size // 2),
    "one byte short": lambda path: os.truncate(path, path.stat().st_size - 1),
    "one bit of a pixel": lambda path: flip(path, 10_000),
    "one bit of a header": lambda path: flip(path, 60),
    "one bit of the directory": lambda path: flip(path, path.stat().st_size - 22),
    "an .npy": as_npy,
    "other pictures": lambda path: write_cache(path, images=ONE_OFF, labels=RIGHT[1]),
    "other labels": lambda path: write_cache(path, images=RIGHT[0], labels=RIGHT[1][::-1]),
    "no labels": lambda path: write_cache(path, images=RIGHT[0]),
    "other names": lambda path: write_cache(path, x=RIGHT[0], y=RIGHT[1]),
    "numbers": lambda path: write_cache(path, images=3, labels=4),
    "times": lambda path: write_cache(path, images=np.zeros(3, "M8[s]"), labels=RIGHT[1]),
    "rows": lambda path: write_cache(path, images=RIGHT[0].reshape(N, 784), labels=RIGHT[1]),
    "signed": lambda path: write_cache(path, images=RIGHT[0].view(np.int8), labels=RIGHT[1]),
    "labels in a column": lambda path: write_cache(path, images=RIGHT[0], labels=RIGHT[1][:, None]),
    "folded": lambda path: write_cache(
        path, images=RIGHT[0].reshape(7, 2, 28, 28), labels=RIGHT[1].reshape(7, 2)
    ),
    "code": lambda path: write_cache(
        path, images=np.array([Trap(Path("sprung"))]), labels=RIGHT[1]
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_cache_is_noticed_and_rebuilt(
    server: Server, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    load_mnist()
    server.requests.clear()
    caplog.clear()
    path = cache_path()
    DAMAGES[damage](path)
    assert_right(load_mnist())
    (warning,) = warnings_in(caplog)
    assert warning.startswith(str(path))
    assert warning.endswith("it will be rebuilt")
    assert "\n" not in warning
    assert "trust" not in warning  # as NumPy's own message proposes for what is no archive
    assert server.requests == []  # scikit-learn's copy was good enough
    assert_right(read_cache(path))
    assert not Path("sprung").exists()


def test_any_bit_of_the_cache(miniature: None, tmp_path: Path) -> None:
    """Either it is noticed, or it is a bit that nobody reads: never other pictures."""
    path = tmp_path / "mnist.npz"
    write_cache(path, images=RIGHT[0], labels=RIGHT[1])
    whole = path.read_bytes()
    noticed = 0
    for place in [*range(0, 400, 3), *range(400, len(whole) - 400, 997), *range(-400, 0, 3)]:
        flip(path, place)
        try:
            dataset = read_cache(path)
        except DataError:
            noticed += 1
        else:
            assert_right(dataset)
        path.write_bytes(whole)
    assert noticed > 100


def test_a_data_home_that_cannot_be_written_still_gives_the_data(
    server: Server, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.write_text("a file where a folder should be")
    assert_right(load_mnist(home))
    openml, cache = warnings_in(caplog)
    assert openml.startswith("OpenML: ")
    assert f"cannot keep MNIST in {home}" in cache
    assert home.read_text() == "a file where a folder should be"


def test_only_our_folder_cannot_be_written(
    server: Server, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    (tmp_path / "mnist-net").write_text("in the way")
    assert_right(load_mnist(tmp_path))
    (warning,) = warnings_in(caplog)
    assert "cannot keep MNIST" in warning


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("before", ["nothing", "garbage"])
def test_a_failure_while_the_cache_is_written(
    server: Server,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    failure: BaseException,
    before: str,
) -> None:
    path = cache_path()
    path.parent.mkdir(parents=True)
    if before == "garbage":
        path.write_bytes(b"garbage")

    def fail_halfway(stream: io.BufferedWriter, **_: np.ndarray) -> None:
        stream.write(b"PK half of it")
        stream.flush()
        raise failure

    monkeypatch.setattr(np, "savez", fail_halfway)
    if isinstance(failure, OSError):
        assert_right(load_mnist())
        assert "No space left on device" in warnings_in(caplog)[-1]
    else:
        with pytest.raises(KeyboardInterrupt):
            load_mnist()
    left = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    assert left == ({} if before == "nothing" else {"mnist.npz": b"garbage"})


def test_where_it_is_kept(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    default = Path(os.environ["SCIKIT_LEARN_DATA"])
    load_mnist(tmp_path / "told")
    assert (tmp_path / "told" / "mnist-net" / "mnist.npz").is_file()
    assert (tmp_path / "told" / "openml").is_dir()
    assert not default.exists()
    load_mnist()
    assert (default / "mnist-net" / "mnist.npz").is_file()
    assert (default / "openml").is_dir()


@pytest.mark.parametrize("told", [None, "~/told", "told"])
@pytest.mark.parametrize("environment", [None, "~/environment", "environment"])
def test_the_same_folder_as_scikit_learns(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, told: str | None, environment: str | None
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    if environment is None:
        monkeypatch.delenv("SCIKIT_LEARN_DATA")
    else:
        monkeypatch.setenv("SCIKIT_LEARN_DATA", environment)
    theirs = sklearn.datasets.get_data_home(told)
    assert data_home_path(Path(told) if told else None) == Path(theirs)


# On the command line

# What is patched in this process must be patched in those too.
DRIVER = """if True:
    import sys
    from sklearn.datasets import _openml
    from mnist_net.datasets import mnist, sources
    from mnist_net.cli import main

    url, mnist.MNIST_DIGEST, *arguments = sys.argv[1:]
    for name in ("_SEARCH_NAME", "_DATA_INFO", "_DATA_FEATURES", "_DATA_QUALITIES"):
        there = getattr(_openml, name).replace("https://www.openml.org", url)
        setattr(_openml, name, there)
    sources.MIRRORS = (url + "/first/", url + "/second/")
    main(arguments)
"""


def start(server: Server, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", "-c", DRIVER, server.url, DIGEST, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("source", ["OpenML", "a mirror"])
def test_two_first_runs_at_once(server: Server, source: str) -> None:
    """They start fetching at the same moment: each request of the first document waits for both."""
    gate = threading.Barrier(2)
    if source == "OpenML":
        close_mirrors(server)
        server.change(SEARCH, gate=gate)
    else:
        close_openml(server)
        server.change(FIRST[-1], gate=gate)
    processes = [start(server, "data", "fetch") for _ in range(2)]
    for process in processes:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert out == f"{cache_path()}: 14 pictures, proven by their digest\n"
    assert not gate.broken
    assert server.requests.count(SEARCH if source == "OpenML" else FIRST[-1]) == 2
    assert [file.name for file in cache_path().parent.iterdir()] == ["mnist.npz"]
    assert_right(read_cache(cache_path()))


def test_fetch_and_fetch_again(server: Server) -> None:
    fetched = invoke("data", "fetch", "--data-home", "home")
    assert (fetched.exit_code, fetched.stdout) == (
        0,
        "home/mnist-net/mnist.npz: 14 pictures, proven by their digest\n",
    )
    assert "fetching MNIST from OpenML" in fetched.stderr
    server.requests.clear()
    again = invoke("data", "fetch", "--data-home", "home", "--quiet")
    assert (again.exit_code, again.stderr, server.requests) == (0, "", [])


def test_fetch_fails_in_plain_words(server: Server) -> None:
    close_openml(server)
    close_mirrors(server)
    result = invoke("data", "fetch")
    assert (result.exit_code, result.stdout) == (1, "")
    assert re.search(r"Error: no source of MNIST works; .*--dataset\n  cache: ", result.stderr)
    assert "Traceback" not in result.stderr
    for name in ("OpenML", *(server.url + mirror for mirror in MIRRORS)):
        assert f"\n  {name}: " in result.stderr


def test_show_sees_scikit_learns_copy(openml_copy: Path) -> None:
    assert json.loads(invoke("data", "show", "--json").stdout)["openml_cached"] is True
    assert f"{data_home_path() / 'openml'} (there)" in invoke("data", "show").stdout


# The real thing


def test_mnist_through_fetch_openml(
    mnist_arrays: Pictures,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Real rows in OpenML's own format and scikit-learn's own cache, parsed once.

    They are the first 1,000 of each part: to parse all takes half a minute, and rows are alike.
    """
    script = SHARED / "scripts" / "make_openml_cache.py"
    spec = importlib.util.spec_from_file_location("make_openml_cache", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    read_all = module.read_idx
    monkeypatch.setattr(
        module, "read_idx", lambda *file: read_all(*file)[: 1_000 * (784 if "im" in file[0] else 1)]
    )
    module.main(tmp_path)
    qualities = tmp_path / "openml" / "openml.org" / f"{QUALITIES[1:]}.gz"
    documents = gzip.decompress(qualities.read_bytes())
    qualities.write_bytes(gzip.compress(documents.replace(b'"70000.0"', b'"2000.0"')))
    rows = np.r_[:1_000, 60_000:61_000]
    images, labels = (array[rows] for array in mnist_arrays)
    monkeypatch.setattr(mnist, "MNIST_DIGEST", data_digest(images, labels))

    for source in ("OpenML", "our cache"):
        dataset = load_mnist(tmp_path, offline=True)
        np.testing.assert_array_equal(dataset.images, images, strict=True)
        np.testing.assert_array_equal(dataset.labels, labels, strict=True)
        assert ("fetching MNIST from OpenML" in caplog.text) == (source == "OpenML")
        caplog.clear()
        # What is left is our cache alone.
        shutil.rmtree(tmp_path / "openml", ignore_errors=True)
