"""Tables that are drawn in lines: seen in several ways, each cell as most of them read it.

A table need not lie as it is read.  Lines are looked for where they are nearly level and upright,
and else aslant; and where what is written in the cells is not clear, the table is turned by
quarters.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import NamedTuple

from mnist_net.arrays import Bytes
from mnist_net.pictures.grid import Grid, grid_of
from mnist_net.pictures.looks import Look, looks
from mnist_net.pictures.rows import Row, Sheet, turned
from mnist_net.pictures.tables import lines_of, most_seen
from mnist_net.reading.answers import Reading, Table
from mnist_net.reading.lattice import Lattice, Path, Step
from mnist_net.reading.pages import Written, clarity_of, reading_of, row_of_step, without_doubtful

_SLANTS = (0.0, 22.0, -22.0)  # degrees: lines are found up to 14 on either side
_LEAST_FIGURES = 3  # in a table that is turned
_CLEAR = 0.75  # score of its figures, from which on it is not
_BLANK = 0.5  # score of a blank cell
_ODDS = 2.0  # of digits in a cell: so much likelier than elsewhere


class TableRead(NamedTuple):
    """A table as it is read in one way, with its large figures, and how clear these are."""

    table: Table
    n_figures: int
    clarity: float

    @property
    def weight(self) -> float:
        """By how many figures more are clear than are not."""
        return self.n_figures * (2.0 * self.clarity - 1.0)


def read_table(
    pixels: Bytes, lattice: Lattice, written: Callable[[Look, Sheet], Written]
) -> Table | None:
    """The largest table on a picture, uint8, rows × columns × channels; None without one.

    Its lines, and what each cell holds, are as most ways to see it have them.
    """
    seen = [look for stage in looks(pixels, whole=True) for look in stage]

    def at(degrees: float) -> list[TableRead]:
        return _read_at(degrees, seen, lattice, written)

    slant, best = next(((s, read) for s in _SLANTS if (read := at(s))), (0.0, []))
    if not best:
        return None
    for quarter in (90.0, 180.0, 270.0):
        n_figures, clarity = _at_best(best)
        if clarity >= _CLEAR or n_figures < _LEAST_FIGURES:
            break
        other = at(slant + quarter)
        n_others, others_clarity = _at_best(other)
        # A digit on its side is cut into more parts: clear ones are compared.
        if others_clarity > _CLEAR and n_others * others_clarity > n_figures * clarity:
            best = other
    return most_read([(one.table, one.weight) for one in best])


def _at_best(read: Sequence[TableRead]) -> tuple[int, float]:
    """How many figures a table has, and how clear they are in the clearest way that has most."""
    most = max((one.n_figures for one in read), default=0)
    return most, max((one.clarity for one in read if 2 * one.n_figures >= most), default=0.0)


def _read_at(
    degrees: float,
    seen: Sequence[Look],
    lattice: Lattice,
    written: Callable[[Look, Sheet], Written],
) -> list[TableRead]:
    """The table after a turn, read in each way in which the same part of the picture is seen."""
    inks = [turned(look.ink if look.faint is None else look.faint, degrees) for look in seen]
    ways = [(look, ink, lines_of(ink)) for look, ink in zip(seen, inks, strict=True)]
    table = most_seen([lines for *_, lines in ways])
    if table is None:
        return []
    corner, shape = next((look.corner, ink.shape) for look, ink, lines in ways if lines is table)
    read = []
    for look, ink, lines in ways:
        if (look.corner, ink.shape) == (corner, shape):
            grid = grid_of(ink, table, lines)
            sheet = grid.sheet._replace(degrees=degrees, shape=look.ink.shape)
            paths = lattice.best_paths(lattice.networks.arcs(sheet, odds=_ODDS))
            read.append(table_of(paths[0], grid._replace(sheet=sheet), written(look, sheet)))
    return read


def table_of(path: Path, grid: Grid, written: Written) -> TableRead:
    """The table that a path reads."""
    read: dict[Row, tuple[Reading, ...]] = {}
    steps: list[Step] = []
    for row, in_row in groupby(path.steps, key=row_of_step):
        # What is a word among numbers, is seen by its own cell alone.
        seen = without_doubtful(list(in_row), written)
        read[row] = tuple(reading_of(s, written) for s in seen if s.digit is not None or s.sign)
        steps += seen
    rows = grid.sheet.rows
    cells = tuple(
        tuple(() if k is None else read.get(rows[k], ()) for k in of_row) for of_row in grid.cells
    )
    n_figures = sum(step.arc.is_large for step in steps)
    return TableRead(Table(cells, degrees=written.degrees), n_figures, clarity_of(steps))


def most_read(ways: Sequence[tuple[Table, float]]) -> Table:
    """One table that is read in several ways: each cell as most of them read it, the clear rather.

    Of the ways that read a cell so, the clearest tells how sure its digits are.
    """
    clearest_first = sorted(ways, key=lambda way: -way[1])
    clear = [way for way in clearest_first if way[1] > 0.0] or clearest_first[:1]
    tables = [table.rows for table, _ in clear]
    weights = [weight for _, weight in clear]
    cells = tuple(
        tuple(_most_read_cell(cells, weights) for cells in zip(*of_row, strict=True))
        for of_row in zip(*tables, strict=True)
    )
    return Table(cells, degrees=clear[0][0].degrees)


def _most_read_cell(
    cells: Sequence[tuple[Reading, ...]], weights: Sequence[float]
) -> tuple[Reading, ...]:
    votes: dict[str, float] = defaultdict(float)
    for cell, weight in zip(cells, weights, strict=True):
        scores = [reading.score for reading in cell] or [_BLANK]
        votes["".join(reading.text for reading in cell)] += weight * sum(scores) / len(scores)
    best = max(votes, key=lambda text: votes[text])
    return next(cell for cell in cells if "".join(reading.text for reading in cell) == best)
