"""What a reader of pages must tell apart: parts of drawn pages, with what each is.

The pages are those to choose by, cut into candidates as the reader cuts them.  One that lies where
a character does is that character; one on a part of one, or on several, is that; any other is none.
"""

from collections import defaultdict
from functools import partial
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from mnist_net.arrays import Bytes
from mnist_net.pictures.candidates import Candidate, candidates, field_on
from mnist_net.pictures.decoding import open_image
from mnist_net.pictures.looks import looks
from mnist_net.pictures.rows import sheet_of
from mnist_net.reading.arcs import DIGIT, NONE, PART, SIGNS
from scripts.pages.measure import Box as Place
from scripts.pages.measure import overlap, shared
from scripts.pages.page import Page, draw_page
from scripts.pages.sources import load_half

_CLOSE = 0.12  # of a digit's height: so far each edge may be off
_PART = 0.6  # intersection over union, below which it is not that sign
_WHOLE = 0.8  # of a sign's box, that is within a candidate's
_OF_SIGNS = 0.55  # of its box, from which on it is a part of signs, and not beside them

_TURNED = 0.3  # share of the looks that are turned by quarters
_NO_OTHER_WAY_UP = "23457"  # digits that show which way up they are

UNSURE = 255
"""Label of what is neither one sign nor none."""

_MOST_NONE = 50  # of one look, so that textures are not most of what there is


class Candidates(NamedTuple):
    """Fields, N × 28 × 28, and what each shows, an index of `SIGNS`."""

    fields: Bytes
    labels: Bytes


def candidates_of(page: Page, random: np.random.Generator) -> Candidates:
    """Candidates of a page, seen in all ways, but those that are neither one nor none."""
    fields, labels = [], []
    for look in (look for stage in looks(open_image(page.pixels).pixels) for look in stage):
        turns = int(random.integers(1, 4)) if random.random() < _TURNED else 0
        sheet = sheet_of(look.writing(turns), look.ink, turns)
        some: dict[int, list[Candidate]] = defaultdict(list)
        for row in sheet.rows if turns or not sheet.degrees else ():
            for one in candidates(row):
                box = sheet.box_on_page(one.box).moved(*look.corner)
                label = label_of(page, box, row.height)
                some[_as_turned(label, page, box) if turns else label].append(one)
        for label, ones in some.items():
            if label != UNSURE:
                most = _MOST_NONE if label in (NONE, PART) else len(ones)
                kept = [ones[k] for k in random.permutation(len(ones))[:most]]
                fields += [field_on(sheet, one) for one in kept]
                labels += [label] * len(kept)
    return Candidates(np.array(fields, np.uint8).reshape(-1, 28, 28), np.array(labels, np.uint8))


def _as_turned(label: int, page: Page, box: Place) -> int:
    """What a candidate is on a page that is read from the side or upside down: hardly ever one."""
    if label in (NONE, PART):
        return label
    nearest = max((i for row in page.truth.rows for i in row), key=lambda i: overlap(i.box, box))
    return NONE if label == DIGIT and nearest.text in _NO_OTHER_WAY_UP else UNSURE


def label_of(page: Page, box: Place, height: float) -> int:
    """What lies in a box, an index of `SIGNS`, or `UNSURE`; the height is that of its row."""
    heights = [item.box[3] - item.box[1] for item in page.truth.digits]
    close = _CLOSE * (float(np.median(heights)) if heights else height) + 1.5
    items = [item for row in page.truth.rows for item in row]
    signs = [item.box for item in items if item.kind != "other"]
    # Two that stand together, such as a digit and the point beside it, are parts of a row.
    two = min((_off(_union(*pair), box) for pair in pairwise(signs)), default=np.inf)
    for item in items:
        if _off(item.box, box) <= min(close, two):
            if item.kind == "digit":
                return DIGIT
            return SIGNS.index(item.text) if item.text in SIGNS else NONE
    if sum(shared(sign, box) > _WHOLE * shared(sign, sign) for sign in signs) > 1:
        return PART
    if max((overlap(sign, box) for sign in signs), default=0.0) > _PART and two > close:
        return UNSURE
    of_signs = sum(shared(sign, box) for sign in signs) / shared(box, box)
    return PART if of_signs > _OF_SIGNS else NONE


def _off(one: Place, other: Place) -> float:
    """Pixels by which the edges of two boxes are apart, at most."""
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def _union(one: Place, other: Place) -> Place:
    """The box around two boxes."""
    return (
        min(one[0], other[0]),
        min(one[1], other[1]),
        max(one[2], other[2]),
        max(one[3], other[3]),
    )


_half: list[tuple[str, str, Path]] = []


def _prepare(dataset: str, data: Path) -> None:
    threadpool_limits(1)
    _half[:] = [("choosing", dataset, data)]


def _drawn(task: tuple[str, int]) -> Candidates:
    kind, seed = task
    page = draw_page(load_half(*_half[0]), kind, seed)
    return candidates_of(page, np.random.default_rng(seed))


def make(tasks: list[tuple[str, int]], dataset: str, data: Path, jobs: int) -> Candidates:
    """Candidates of many pages, each a kind and a seed."""
    with get_context("spawn").Pool(jobs, partial(_prepare, dataset, data)) as pool:
        parts = pool.map(_drawn, tasks, chunksize=4)
    return Candidates(*(np.concatenate(some) for some in zip(*parts, strict=True)))
