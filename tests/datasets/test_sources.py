"""MNIST from every source, through the real `fetch_openml` and the real downloader.

The server is ours and the pictures are few; the proof, the order of the sources and the error
messages are those of the real thing.  Nothing here can reach beyond 127.0.0.1.
"""

import hashlib
import json
import socket
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import _openml

from mnist_net.datasets import sources
from mnist_net.datasets.mnist import cache_path, data_home_path, load_mnist
from mnist_net.errors import DataError
from tests.datasets.conftest import (
    FIRST,
    GATEWAY,
    RIGHT,
    SECOND,
    WRONG,
    assert_right,
    close_mirrors,
    close_openml,
    put_mirror,
    put_openml,
    warnings_in,
)
from tests.datasets.openml_server import (
    ARFF,
    DESCRIPTION,
    FEATURES,
    FILES,
    MIRRORS,
    OPENML,
    QUALITIES,
    SEARCH,
    Server,
)

SILENCE = 0.2  # seconds until a silent server counts as down, where a test waits for that


# Each source, well


def test_openml_comes_first(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    assert_right(load_mnist())
    assert server.requests == list(OPENML)
    assert not warnings_in(caplog)
    assert "half a minute" in caplog.text


def test_then_the_first_mirror(server: Server) -> None:
    close_openml(server)
    assert_right(load_mnist())
    assert list(dict.fromkeys(server.requests)) == [SEARCH, *FIRST]


def test_then_the_second(server: Server) -> None:
    close_openml(server)
    server.change(FIRST[2], status=404)
    assert_right(load_mnist())
    assert list(dict.fromkeys(server.requests)) == [SEARCH, *FIRST[:3], *SECOND]


def test_a_progress_bar_of_a_download(
    server: Server, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    close_openml(server)
    load_mnist(tmp_path / "quiet")
    assert capfd.readouterr() == ("", "")
    load_mnist(tmp_path / "talking", progress=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("100%") == len(FILES)


def test_a_download_leaves_nothing_behind(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    close_openml(server)
    server.change(FIRST[3], cut=5)
    load_mnist()
    assert not list(scratch.iterdir())


def test_the_state_of_the_process_is_left_alone(server: Server) -> None:
    """The limits that are set for fetch_openml end with it, however it ends."""
    mine = urllib.request.build_opener()
    urllib.request.install_opener(mine)
    try:
        load_mnist()
        cache_path().unlink()
        load_mnist(offline=True)
        cache_path().unlink()
        (data_home_path() / "openml" / "openml.org" / f"{SEARCH[1:]}.gz").unlink()
        with pytest.raises(DataError):
            load_mnist(offline=True)
        close_openml(server)
        load_mnist()
        assert urllib.request._opener is mine  # type: ignore[attr-defined]
    finally:
        urllib.request.install_opener(None)  # type: ignore[arg-type]
    assert socket.getdefaulttimeout() is None


# Each source, badly: name → what goes wrong at one path, and what the message must say

Spoil = Callable[[Server, str], None]

FAILURES: dict[str, tuple[Spoil, str]] = {
    "504": (lambda server, path: server.change(path, body=GATEWAY, status=504), "504"),
    "404": (lambda server, path: server.change(path, status=404), "404"),
    "silent": (lambda server, path: server.change(path, silence=60.0), "timed out"),
    "falls silent": (
        lambda server, path: server.change(
            path, piece=len(server.answers[path].body) // 2, pause=60.0
        ),
        "timed out",
    ),
    "HTML": (lambda server, path: server.change(path, body=GATEWAY), ""),
    "empty": (lambda server, path: server.change(path, body=b""), ""),
    "breaks off": (
        lambda server, path: server.change(path, cut=len(server.answers[path].body) // 2),
        "",
    ),
    "garbage": (lambda server, path: server.change(path, body=bytes(range(256)) * 9), ""),
}


def load_despite(server: Server, monkeypatch: pytest.MonkeyPatch, path: str, failure: str) -> str:
    """Load MNIST although one path fails so; return what the message about it must say."""
    spoil, reason = FAILURES[failure]
    if "silent" in failure:
        monkeypatch.setattr(sources, "TIMEOUT", SILENCE)
    spoil(server, path)
    start = time.monotonic()
    assert_right(load_mnist())
    assert time.monotonic() - start < 20.0  # of 60 that it could be silent, 30 that pooch waits
    return reason


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("path", [SEARCH, DESCRIPTION, FEATURES, ARFF], ids=lambda p: p[-12:])
def test_openml_fails(
    server: Server,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    failure: str,
) -> None:
    reason = load_despite(server, monkeypatch, path, failure)
    (warning,) = warnings_in(caplog)
    assert warning.startswith("OpenML: ")
    assert reason in warning
    assert len(warning) > len("OpenML: ")
    assert server.requests[-4:] == FIRST
    # The failure is not kept: what OpenML said is asked for again once it is well.
    cache_path().unlink()
    put_openml(server, RIGHT)
    caplog.clear()
    server.requests.clear()
    assert_right(load_mnist())
    assert not warnings_in(caplog)
    assert path in server.requests


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("path", FIRST[:2], ids=["images", "labels"])
def test_a_mirror_fails(
    server: Server,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    failure: str,
) -> None:
    close_openml(server)
    reason = load_despite(server, monkeypatch, path, failure)
    _, warning = warnings_in(caplog)
    assert warning.startswith(f"{server.url}{MIRRORS[0]}: ")
    assert reason in warning
    if failure in {"HTML", "empty", "garbage"}:  # the file is named by its address
        assert f"{server.url}{path} is not an IDX file" in warning
    assert "/tmp" not in warning
    assert server.requests[-4:] == SECOND


def test_openml_without_qualities_still_fails_as_a_sentence(server: Server) -> None:
    """It then does not know how many rows to expect, and cannot parse: the next source is tried."""
    server.change(QUALITIES, body=b"{}")
    assert_right(load_mnist())
    assert server.requests[-4:] in (FIRST, list(OPENML)[-4:])


def test_a_missing_pixel_is_refused(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    arff = server.answers[ARFF].body
    start = arff.index(b"@DATA\n") + len(b"@DATA\n")
    arff = arff[:start] + b"?" + arff[arff.index(b",", start) :]
    description = json.loads(server.answers[DESCRIPTION].body)
    description["data_set_description"]["md5_checksum"] = hashlib.md5(arff).hexdigest()
    server.put({ARFF: arff, DESCRIPTION: json.dumps(description).encode()})
    assert_right(load_mnist())
    (warning,) = warnings_in(caplog)
    assert "OpenML gave something that is not MNIST" in warning


@pytest.mark.parametrize("slow", [SEARCH, ARFF, FIRST[0]], ids=["search", "ARFF", "mirror"])
def test_a_slow_source_that_is_alive_is_waited_for(
    server: Server, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, slow: str
) -> None:
    """Each pause is shorter than the limit; all of them together are much longer."""
    monkeypatch.setattr(sources, "TIMEOUT", 2 * SILENCE)
    if slow in FIRST:
        close_openml(server)
        close_mirrors(server)
        put_mirror(server, MIRRORS[0], RIGHT)
    else:
        close_mirrors(server)
    n_pieces = 10
    piece = -(-len(server.answers[slow].body) // n_pieces)
    server.change(slow, silence=SILENCE / 2, piece=piece, pause=SILENCE / 2)
    assert n_pieces * SILENCE / 2 > 2 * sources.TIMEOUT
    assert_right(load_mnist())
    assert "timed out" not in caplog.text


def test_connection_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # and nobody listens
        nobody = f"http://127.0.0.1:{unused.getsockname()[1]}"
        monkeypatch.setattr(
            _openml, "_SEARCH_NAME", _openml._SEARCH_NAME.replace(server.url, nobody)
        )
        monkeypatch.setattr(sources, "MIRRORS", (f"{nobody}/", server.url + MIRRORS[1]))
        assert_right(load_mnist())
        assert server.requests == SECOND
        cache_path().unlink()
        monkeypatch.setattr(sources, "MIRRORS", (f"{nobody}/one/", f"{nobody}/two/"))
        with pytest.raises(DataError) as caught:
            load_mnist()
    assert str(caught.value).count("Connection refused") == 3


@pytest.mark.parametrize("liar", ["OpenML", *MIRRORS])
def test_a_lie_is_refused_and_the_next_source_tried(
    server: Server, caplog: pytest.LogCaptureFixture, liar: str
) -> None:
    """Well-formed, with checksums of its own that fit, and other pictures."""
    order = ["OpenML", *MIRRORS]
    for source in order[: order.index(liar) + 1]:
        if source == "OpenML":
            put_openml(server, WRONG)
        else:
            put_mirror(server, source, WRONG)
    if liar == MIRRORS[-1]:
        with pytest.raises(DataError) as caught:
            load_mnist()
        said = str(caught.value)
        assert said.count("not MNIST") == 3
        assert not cache_path().exists()
    else:
        assert_right(load_mnist())
        said = caplog.text
    name = liar if liar == "OpenML" else server.url + liar
    digest = hashlib.sha256(WRONG[0].tobytes() + WRONG[1].tobytes()).hexdigest()
    assert f"{name} gave something that is not MNIST: 14 pictures with SHA-256" in said
    assert digest[:12] in said


def test_one_wrong_pixel_is_refused(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    images = RIGHT[0].copy()
    images[-1, -1, -1] ^= 1
    put_openml(server, (images, RIGHT[1]))
    put_mirror(server, MIRRORS[0], (RIGHT[0], np.roll(RIGHT[1], 1)))
    assert_right(load_mnist())
    assert len(warnings_in(caplog)) == 2


def test_every_failure_is_named_in_the_error(server: Server) -> None:
    server.change(SEARCH, body=GATEWAY, status=504)
    put_mirror(server, MIRRORS[0], WRONG)
    server.change(SECOND[1], body=GATEWAY)
    with pytest.raises(DataError) as caught:
        load_mnist()
    first, cache, openml, one, two = str(caught.value).splitlines()
    assert first.startswith("no source of MNIST works; connect to the network")
    assert cache == f"  cache: {cache_path()}: not there yet"
    assert openml.startswith("  OpenML: ")
    assert "504" in openml
    assert one.startswith(f"  {server.url}{MIRRORS[0]}: ")
    assert "not MNIST" in one
    assert two.startswith(f"  {server.url}{MIRRORS[1]}: ")
    assert f"{server.url}{SECOND[1]} is not an IDX file of labels" in two


def test_an_interruption_is_no_failure_of_a_source(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sources, "openml", interrupt)
    with pytest.raises(KeyboardInterrupt):
        load_mnist()
    assert server.requests == []
