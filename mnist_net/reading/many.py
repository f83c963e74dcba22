"""Reading many files: in order, as they come, and by several processes or machines if asked.

Matrix products of a few pictures are over before a second thread has begun to help, so each process
computes on one.  With several processes each loads the networks once, from their files; a worker of
a cluster is sent the network that answers, once, and the content of the files.
"""

import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import partial
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mnist_net.errors import ImageError
from mnist_net.pictures.decoding import Picture, Place, Source, open_image
from mnist_net.reading.answers import Page, Reading, Table
from mnist_net.reading.neighbours import is_one_of_several
from mnist_net.reading.reader import Reader
from mnist_net.reading.threshold import REJECT_BELOW
from mnist_net.trained.committee import Predictor
from mnist_net.trained.companions import load_detector
from mnist_net.trained.store import load_cached

if TYPE_CHECKING:
    from mnist_net.cluster import Cluster
    from mnist_net.reading.rules import Rule

Answer = Reading | Page | Table

_PAGES, _DIGITS = 32, 256  # files that a process is handed together, at most
_SENT, _SENT_BYTES = 250, 8_000_000  # files that a worker is sent together, or fewer if large
_PARALLEL_FROM = 64  # files: fewer are read before a process has started


class Given(NamedTuple):
    """A picture to read, or what stands against it.

    Attributes
    ----------
    name
        What it is called, in answers and errors.
    source
        See `open_image`.
    page
        Of the file, from 1.
    """

    name: str
    source: Source | ImageError
    page: int = 1


class Wanted(NamedTuple):
    """What is to be read on each picture.

    Attributes
    ----------
    reject_below
        See `Reader`.
    kind
        Its one `digit`, a `page` of them, or the cells of a `table`.
    rule
        What is known of a page's text.
    crop
        See `open_image`.
    finds_others
        Whether to find out, of a digit, if it is one of several; that takes half as long as to read
        it.
    """

    reject_below: float = REJECT_BELOW
    kind: str = "digit"
    rule: "Rule | None" = None
    crop: Place | None = None
    finds_others: bool = True


class Seen(NamedTuple):
    """A picture, and what was read on it.

    Attributes
    ----------
    given
        The picture.
    answer
        What was read, or why it cannot be.
    n_pages
        How many pages its file has.
    picture
        Decoded, where it was read by this process.
    several
        What `is_one_of_several` says, where it was asked before the picture was left behind.
    """

    given: Given
    answer: Answer | ImageError
    n_pages: int = 1
    picture: Picture | None = None
    several: bool | None = None

    def is_one_of_several(self) -> bool:
        """Whether the one digit that was read is not alone; asked when the answer is out."""
        if self.several is not None:
            return self.several
        if self.picture is None or not isinstance(self.answer, Reading):
            return False
        return is_one_of_several(self.answer, self.picture)


def read_many(
    given: Sequence[Given],
    model: Path,
    wanted: Wanted,
    *,
    n_jobs: int = 1,
    cluster: "Cluster | None" = None,
) -> Iterator[Seen]:
    """Read pictures in order.

    Parameters
    ----------
    given
        The pictures.
    model
        File of the network that reads.
    wanted
        What to read on each.
    n_jobs
        Processes that share the work; -1 for as many as there are cores.
    cluster
        Whose workers read, in place of processes of this machine.

    Yields
    ------
    Seen
        One a picture; its answer is an ImageError where it cannot be read.
    """
    if cluster:
        yield from _read_elsewhere(cluster, given, model, wanted)
        return
    # What is read together is the same whoever reads, or sums would differ in their last bits.
    chunks = list(_chunks(given, _DIGITS if wanted.kind == "digit" else _PAGES))
    if n_jobs in (0, 1) or len(given) < _PARALLEL_FROM:
        reader = reader_of(model, wanted.reject_below)
        with _one_thread() if len(given) >= _PARALLEL_FROM else nullcontext():
            for chunk in chunks:
                yield from _read(chunk, reader, wanted)
        return
    from joblib import cpu_count

    n_processes = n_jobs if 0 < n_jobs <= cpu_count() else cpu_count()
    read = partial(_read_chunk, model=model, wanted=wanted)
    # Python's own processes: those of joblib end Ctrl-C with a traceback.
    with without_ctrl_c():
        pool = get_context("spawn").Pool(n_processes, _ignore_ctrl_c)
    with pool:
        for seen in pool.imap(read, chunks):
            yield from seen


def _chunks(given: Sequence[Given], most: int) -> Iterator[Sequence[Given]]:
    """What is read together: one at first, so that answers come at once, then ever more."""
    begin, size = 0, 1
    while begin < len(given):
        yield given[begin : begin + size]
        begin, size = begin + size, min(2 * size, most)


def _ignore_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def without_ctrl_c() -> Iterator[None]:
    """Ctrl-C does nothing meanwhile, nor ever to a process that starts: that inherits it (POSIX).

    Only the main thread may say so; what others start hears it until it is up.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _one_thread() -> AbstractContextManager[object]:
    from threadpoolctl import threadpool_limits  # for which a few pictures need not wait

    return threadpool_limits(1, user_api="blas")


def _read_chunk(chunk: Sequence[Given], model: Path, wanted: Wanted) -> list[Seen]:
    with _one_thread():
        return _read_apart(reader_of(model, wanted.reject_below), chunk, wanted)


def _read_apart(reader: Reader, chunk: Sequence[Given], wanted: Wanted) -> list[Seen]:
    """What was read, to be sent; the pixels stay: to send them would cost more than to read."""
    seen = _read(chunk, reader, wanted)
    finds = wanted.finds_others
    return [one._replace(picture=None, several=finds and one.is_one_of_several()) for one in seen]


def _read_elsewhere(
    cluster: "Cluster", given: Sequence[Given], model: Path, wanted: Wanted
) -> Iterator[Seen]:
    each = cluster.sharing((load_cached(model), wanted.reject_below), _reader)
    tasks = ((chunk, wanted) for chunk in _to_send(given))
    answers = chain.from_iterable(each(_read_sent, tasks))
    for one, answer in zip(given, answers, strict=True):
        yield answer._replace(given=one)


def _to_send(given: Sequence[Given]) -> Iterator[list[Given]]:
    """The pictures with the contents of their files, as many as one message should have."""
    chunk, n_bytes = [], 0
    for one in map(_with_content, given):
        chunk.append(one)
        n_bytes += len(one.source) if isinstance(one.source, bytes) else 0
        if len(chunk) == _SENT or n_bytes >= _SENT_BYTES:
            yield chunk
            chunk, n_bytes = [], 0
    if chunk:
        yield chunk


def _reader(shared: tuple[Predictor, float]) -> Reader:
    """On a worker, once: with its own detector, which is the same one."""
    model, reject_below = shared
    return Reader(model, load_detector(), reject_below)


def _read_sent(reader: Reader, chunk: Sequence[Given], wanted: Wanted) -> list[Seen]:
    """On a worker: what was read, without what was sent."""
    nothing = Given("", b"")
    return [one._replace(given=nothing) for one in _read_apart(reader, chunk, wanted)]


def _with_content(given: Given) -> Given:
    """The same picture with the content of its file, which a worker may not have."""
    if isinstance(given.source, Path) and given.source.is_file():
        with suppress(OSError):  # whoever opens it says what is wrong
            return given._replace(source=given.source.read_bytes())
    return given


def _read(given: Sequence[Given], reader: Reader, wanted: Wanted) -> Iterator[Seen]:
    waiting: deque[Picture | ImageError] = deque()

    def opened() -> Iterator[Picture | ImageError]:
        for one in given:
            waiting.append(_opened(one, wanted.crop))
            yield waiting[-1]

    answers: Iterator[Answer | ImageError]
    if wanted.kind == "digit":
        answers = reader.read(opened(), together=len(given))
    else:
        answers = (
            one if isinstance(one, ImageError) else _all_digits(reader, one, wanted)
            for one in opened()
        )
    for one, answer in zip(given, answers, strict=True):
        picture = waiting.popleft()
        if isinstance(picture, Picture):
            yield Seen(one, answer, picture.n_pages, picture)
        else:
            yield Seen(one, picture)


def _all_digits(reader: Reader, picture: Picture, wanted: Wanted) -> Page | Table:
    if wanted.kind == "table":
        return reader.read_grid(picture)
    return reader.read_page(picture, wanted.rule)


def _opened(given: Given, crop: Place | None) -> Picture | ImageError:
    if isinstance(given.source, ImageError):
        return given.source
    try:
        return open_image(given.source, given.name, page=given.page, crop=crop)
    except ImageError as error:
        return error


def reader_of(model: Path, reject_below: float) -> Reader:
    """A reader with the network of a file, and with the detector that ships, loaded at once."""
    with ThreadPoolExecutor(1) as helper:
        detector = helper.submit(load_detector)
        return Reader(load_cached(model), detector.result(), reject_below)
