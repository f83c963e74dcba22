"""Nobody ever sees half of a file: not after an exception, a kill or a full disk."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mnist_net.files import atomic_write, check_writable, same_file, write_together

# Signals, named pipes, limits of size and the umask are POSIX's.
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")

OLD = b"the old content"
NEW = b"the new content"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    path = folder / "file"
    path.write_bytes(OLD)
    return path


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_content_appears_at_the_end_of_the_block(old: Path) -> None:
    with atomic_write(old) as stream:
        stream.write(NEW)
        stream.flush()
        assert old.read_bytes() == OLD
    assert old.read_bytes() == NEW
    assert names(old.parent) == ["file"]


def test_who_reads_the_old_file_reads_it_to_its_end(old: Path) -> None:
    with old.open("rb") as reader:
        with atomic_write(old) as stream:
            stream.write(NEW)
        assert reader.read() == OLD


def test_the_content_reaches_the_disk_before_the_name(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a crash of the machine could leave an empty file under the right name."""
    synchronized = []

    def fsync(descriptor: int) -> None:
        synchronized.append((os.fstat(descriptor).st_size, old.read_bytes()))

    monkeypatch.setattr(os, "fsync", fsync)
    with atomic_write(old) as stream:
        stream.write(NEW * 2)
    assert synchronized == [(len(NEW * 2), OLD)]


@pytest.mark.parametrize("failure", [RuntimeError, OSError, KeyboardInterrupt, SystemExit])
def test_an_exception_leaves_the_old_file(old: Path, failure: type[BaseException]) -> None:
    def fail() -> None:
        with atomic_write(old) as stream:
            stream.write(NEW)
            raise failure

    with pytest.raises(failure):
        fail()
    assert old.read_bytes() == OLD
    assert names(old.parent) == ["file"]


def test_an_exception_leaves_no_new_file(tmp_path: Path) -> None:
    path = tmp_path / "empty" / "file"

    def fail() -> None:
        with atomic_write(path) as stream:
            stream.write(NEW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert names(path.parent) == []


def test_a_kill_in_the_middle_leaves_the_old_file(old: Path) -> None:
    code = """if True:
        import sys, time
        from pathlib import Path
        from mnist_net.files import atomic_write
        with atomic_write(Path(sys.argv[1])) as stream:
            stream.write(b"half")
            stream.flush()
            print("half", flush=True)
            time.sleep(60)
    """
    with subprocess.Popen([sys.executable, "-c", code, old], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"half\n"
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert old.read_bytes() == OLD


def test_a_full_disk_leaves_the_old_file(old: Path) -> None:
    """The limit on the size of a file fails a write as a full disk does, at any buffer's end."""
    code = """if True:
        import resource, sys
        from pathlib import Path
        import numpy as np
        from mnist_net.files import atomic_write
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        try:
            with atomic_write(Path(sys.argv[1])) as stream:
                np.savez(stream, array=np.zeros(int(sys.argv[2]), np.uint8))
        except OSError as error:
            sys.exit(error.errno)
    """
    for size in (99_990, 1_000_000):  # fails on flushing the rest, and in the middle
        process = subprocess.run([sys.executable, "-c", code, old, str(size)], check=False)
        assert process.returncode == errno.EFBIG
        assert old.read_bytes() == OLD
        assert names(old.parent) == ["file"]


def test_two_writers_do_not_mix(old: Path) -> None:
    with atomic_write(old) as first:
        first.write(b"first" * 10_000)
        with atomic_write(old) as second:
            second.write(b"second")
            first.flush()
        assert old.read_bytes() == b"second"
    assert old.read_bytes() == b"first" * 10_000
    assert names(old.parent) == ["file"]


def test_missing_folders_are_made(tmp_path: Path) -> None:
    path = tmp_path / "one" / "two" / "file"
    with atomic_write(path) as stream:
        stream.write(NEW)
    assert path.read_bytes() == NEW


@pytest.mark.parametrize("link", ["absolute", "relative", "dangling"])
def test_a_symbolic_link_stays_and_its_target_is_replaced(old: Path, link: str) -> None:
    path = old.parent.parent / "link"
    path.symlink_to(old if link == "absolute" else Path("folder", "file"))
    if link == "dangling":
        old.unlink()
    with atomic_write(path) as stream:
        stream.write(NEW)
    assert path.is_symlink()
    assert old.read_bytes() == NEW


@pytest.mark.parametrize("mask", [0o022, 0o027, 0o077])
def test_permissions_follow_the_umask(tmp_path: Path, mask: int) -> None:
    path = tmp_path / "file"
    before = os.umask(mask)
    try:
        with atomic_write(path) as stream:
            stream.write(NEW)
    finally:
        assert os.umask(before) == mask  # and is itself left alone
    assert path.stat().st_mode & 0o777 == 0o666 & ~mask


@pytest.mark.parametrize("mode", [0o600, 0o664, 0o444])
def test_what_is_replaced_keeps_its_permissions(old: Path, mode: int) -> None:
    old.chmod(mode)
    with atomic_write(old) as stream:
        stream.write(NEW)
    assert old.read_bytes() == NEW
    assert old.stat().st_mode & 0o7777 == mode


@pytest.mark.parametrize("name", ["n" * 255, "\N{GRINNING FACE}" * 63], ids=["ASCII", "emoji"])
def test_a_name_may_be_as_long_as_the_file_system_allows(tmp_path: Path, name: str) -> None:
    assert len(os.fsencode(name)) >= 252
    for content in (OLD, NEW):
        with atomic_write(tmp_path / name) as stream:
            stream.write(content)
        assert (tmp_path / name).read_bytes() == content
    assert names(tmp_path) == [name]


def test_a_pipe_is_written_directly(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
        with atomic_write(pipe) as stream:
            stream.write(NEW)
        assert reader.communicate(timeout=60)[0] == NEW
    assert pipe.is_fifo()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
def test_a_full_device_is_an_error() -> None:
    def write() -> None:
        with atomic_write(Path("/dev/full")) as stream:
            stream.write(NEW)

    with pytest.raises(OSError, match=r"No space left") as caught:
        write()
    assert caught.value.errno == errno.ENOSPC


@pytest.mark.parametrize("place", ["a folder", "within a file", "too long a name"])
@pytest.mark.parametrize("write", ["atomic_write", "check_writable"])
def test_an_error_names_the_file_that_was_asked_for(old: Path, place: str, write: str) -> None:
    path = {
        "a folder": old.parent,
        "within a file": old / "file",
        "too long a name": old.parent / ("n" * 300),
    }[place]

    def attempt() -> None:
        if write == "check_writable":
            check_writable(path)
        else:
            with atomic_write(path) as stream:
                stream.write(NEW)

    with pytest.raises(OSError, match=r"\[Errno") as caught:
        attempt()
    assert caught.value.filename == str(path)
    assert old.read_bytes() == OLD
    assert names(old.parent) == ["file"]


def test_files_that_belong_together_change_all_or_none(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = old.parent
    write_together(folder / "new", {"a": b"1", "in/b": b"2"})
    assert [(folder / "new" / place).read_bytes() for place in ("a", "in/b")] == [b"1", b"2"]
    assert names(folder / "new") == ["a", "in"]
    (folder / "new" / "of one's own").touch()

    real, n = os.fsync, iter(range(9))

    def full_at_the_second(number: int) -> None:
        real(number)
        if next(n) == 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full_at_the_second)
        with pytest.raises(OSError, match="No space left"):
            write_together(folder / "new", {"a": b"3", "in/b": b"4"})
    assert [(folder / "new" / place).read_bytes() for place in ("a", "in/b")] == [b"1", b"2"]
    assert names(folder / "new") == ["a", "in", "of one's own"]
    write_together(folder / "new", {"a": b"3", "in/b": b"4"})
    assert [(folder / "new" / place).read_bytes() for place in ("a", "in/b")] == [b"3", b"4"]


def test_check_writable_changes_nothing(old: Path) -> None:
    check_writable(old)
    check_writable(old.parent / "other")
    check_writable(Path(os.devnull))
    assert old.read_bytes() == OLD
    assert names(old.parent) == ["file"]


def test_one_file_is_known_by_all_its_names(old: Path) -> None:
    link, hard, other = (old.with_name(name) for name in ("link", "hard", "other"))
    link.symlink_to(old)
    hard.hardlink_to(old)
    for name in (old, link, hard, old.parent / ".." / "folder" / "file"):
        assert same_file(name, old)
        assert not same_file(name, other)
    other.write_bytes(OLD)
    assert not same_file(old, other)


def test_files_that_are_not_there_yet_are_told_apart_by_their_names(old: Path) -> None:
    new = old.with_name("new")
    old.with_name("dangling").symlink_to(new)
    assert same_file(new, old.parent / ".." / "folder" / "new")
    assert same_file(new, old.with_name("dangling"))
    assert not same_file(new, old.with_name("newer"))
    assert not same_file(old / "within", old / "besides")
