"""Reading in one call, of one picture or of many, by a reader that is made once.

Whatever a picture comes as, see `pictures.decoding.open_image`, a list of such gives a list of
answers, read together.  The networks are loaded at the first call and kept for the next, as long as
their files stay as they are; several threads may call at once.
"""

import threading
from pathlib import Path
from typing import Any, overload

from mnist_net.arrays import Bytes
from mnist_net.errors import ImageError
from mnist_net.pictures.decoding import Source, open_image
from mnist_net.reading.answers import Page, Reading, Table
from mnist_net.reading.reader import Reader
from mnist_net.reading.rules import rule_of
from mnist_net.reading.threshold import REJECT_BELOW
from mnist_net.trained.committee import Predictor
from mnist_net.trained.companions import load_detector
from mnist_net.trained.store import find_model, load_cached

_LOADING = threading.Lock()

Sources = list[Source] | tuple[Source, ...]


@overload
def read_digit(
    picture: Source, model: Predictor | None = None, *, reject_below: float = REJECT_BELOW
) -> Reading: ...
@overload
def read_digit(
    picture: Sources, model: Predictor | None = None, *, reject_below: float = REJECT_BELOW
) -> list[Reading]: ...
def read_digit(
    picture: Source | Sources,
    model: Predictor | None = None,
    *,
    reject_below: float = REJECT_BELOW,
) -> Reading | list[Reading]:
    """Read the one digit of a picture, or of each of many.

    Parameters
    ----------
    picture
        A path, a binary stream, bytes, a Pillow image or an array (see `open_image`), or a list or
        tuple of such.
    model
        By default the one that `store.find_model` finds.
    reject_below
        What scores less is no digit; see `Reading.score`.

    Returns
    -------
    Reading or list of Reading
        Its ``digit`` is None where there is none.

    Raises
    ------
    ImageError
        If a picture cannot be read, or is too large; the message names it.
    ModelFileError
        If there is no model.
    TypeError
        If it is nothing that a picture can come as.
    ValueError
        If `reject_below` is not from 0 to 1.
    """
    pictures = (open_image(one, called) for called, one in _named(picture))
    readings = list(_reader(model, reject_below).read(pictures))
    answers = [reading for reading in readings if isinstance(reading, Reading)]
    return answers if isinstance(picture, list | tuple) else answers[0]


@overload
def read_digits(
    picture: Source,
    model: Predictor | None = None,
    *,
    reject_below: float = REJECT_BELOW,
    **known: Any,
) -> Page: ...
@overload
def read_digits(
    picture: Sources,
    model: Predictor | None = None,
    *,
    reject_below: float = REJECT_BELOW,
    **known: Any,
) -> list[Page]: ...
def read_digits(
    picture: Source | Sources,
    model: Predictor | None = None,
    *,
    reject_below: float = REJECT_BELOW,
    **known: Any,
) -> Page | list[Page]:
    """Read all digits of a picture, and the signs between them, or of each of many pictures.

    Parameters
    ----------
    picture
        A path, a binary stream, bytes, a Pillow image or an array (see `open_image`), or a list or
        tuple of such.
    model
        By default the one that `store.find_model` finds.
    reject_below
        What scores less is no digit; see `Reading.score`.
    **known
        What is known of the text, if anything: ``expect``, ``pattern``, ``choices`` or ``check``;
        see `mnist_net.reading.rules.rule_of`.  The likeliest reading that fits is given.

    Returns
    -------
    Page or list of Page
        With ``text`` (rows on lines of their own), ``digits`` and ``rows``.

    Raises
    ------
    ImageError, ModelFileError, TypeError, ValueError
        As for `read_digit`.
    """
    reader = _reader(model, reject_below)
    rule = rule_of(**known)
    pages = [reader.read_page(open_image(one, called), rule) for called, one in _named(picture)]
    return pages if isinstance(picture, list | tuple) else pages[0]


@overload
def read_table(
    picture: Source, model: Predictor | None = None, *, reject_below: float = REJECT_BELOW
) -> Table: ...
@overload
def read_table(
    picture: Sources, model: Predictor | None = None, *, reject_below: float = REJECT_BELOW
) -> list[Table]: ...
def read_table(
    picture: Source | Sources,
    model: Predictor | None = None,
    *,
    reject_below: float = REJECT_BELOW,
) -> Table | list[Table]:
    """Read the cells of the largest table that is drawn in lines, or of such on each of many.

    Parameters
    ----------
    picture, model, reject_below
        As for `read_digit`.

    Returns
    -------
    Table or list of Table
        With ``cells``, rows of texts that are empty in a blank; no rows where there is no table.

    Raises
    ------
    ImageError, ModelFileError, TypeError, ValueError
        As for `read_digit`.
    """
    reader = _reader(model, reject_below)
    tables = [reader.read_grid(open_image(one, called)) for called, one in _named(picture)]
    return tables if isinstance(picture, list | tuple) else tables[0]


@overload
def read_image(picture: Source, name: str | None = None) -> Bytes: ...
@overload
def read_image(picture: Sources, name: str | None = None) -> list[Bytes]: ...
def read_image(picture: Source | Sources, name: str | None = None) -> Bytes | list[Bytes]:
    """What `read_digit` sees in a picture of one digit: the picture as MNIST would have shown it.

    Parameters
    ----------
    picture
        As for `read_digit`.
    name
        What to call it in error messages; by default its path.

    Returns
    -------
    uint8 array or list of such
        28 × 28, ink bright on black.

    Raises
    ------
    ImageError
        If it cannot be read, is too large, or is blank.
    ModelFileError, TypeError
        As for `read_digit`.
    """
    images = []
    reader = _reader(None, REJECT_BELOW)
    for called, one in _named(picture, name):
        (reading,) = reader.read([open_image(one, called)])
        assert isinstance(reading, Reading)
        if reading.box is None:
            raise ImageError(f"{called} is blank: {reading.reason}")
        images.append(reading.image)
    return images if isinstance(picture, list | tuple) else images[0]


def _named(picture: Source | Sources, name: str | None = None) -> list[tuple[str, Source]]:
    """Each picture, and what to call it in error messages."""
    many = list(picture) if isinstance(picture, list | tuple) else [picture]
    unnamed = "the picture" if len(many) == 1 else "picture {}"
    return [
        (name or (str(one) if isinstance(one, Path | str) else unnamed.format(number)), one)
        for number, one in enumerate(many, 1)
    ]


def _reader(model: Predictor | None, reject_below: float) -> Reader:
    with _LOADING:
        return Reader(model or load_cached(find_model()), load_detector(), reject_below)
