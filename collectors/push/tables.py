"""Read pushed tables column by column: what is plainly right is counted at once, every other cell as a record.

A table is for bulk senders: a row a place, time and set of dimension values, a column a measure. The quick look
only ever says "plainly right" or "look again"; what it would not vouch for goes through `RecordReader`, so
a cell is taken or refused for the same reasons, in the same words, as the record that says the same.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType, NoneType
from typing import Any

import numpy as np

from collectors.push.cells import KINDS, CellCounts, Codes, Floats, Keys, Mask, Places
from collectors.push.records import LONGEST_NAME, RecordReader
from collectors.shared.lines import reject
from collectors.shared.record_fields import LARGEST_EXACT, Unfit, shown
from config.catalogue import Delivery, Kind, Measure
from metrics.observations import SourceFault

NAMES = frozenset({"region", "start", "dimensions", "values"})
NUMBERS = {int, float}
TEXTS = {str, tuple}
NAN = float("nan")


class Look(dict[Any, int]):
    """What is said of a cell, asked once for cells that are equal.

    -1 stands for a cell that is neither a text nor a tuple of texts, and where asking raises Unfit.
    """

    def __init__(self, ask: Callable[[Any], int], known: Mapping[Any, int] = MappingProxyType({})) -> None:
        """`known` is what needs no asking."""
        super().__init__(known)
        self._ask = ask

    def __missing__(self, cell: Any) -> int:
        if type(cell) not in TEXTS:
            return -1
        try:
            self[cell] = self._ask(cell)
        except Unfit:
            self[cell] = -1
        return self[cell]

    def all(self, cells: Sequence[Any]) -> Codes:
        """What is said of each cell of a column, whatever it holds."""
        try:
            return np.fromiter(map(self.__getitem__, cells), np.int32, len(cells))
        except TypeError:  # a list or an object among them: it cannot even be looked up
            plain = [cell if type(cell) in TEXTS else None for cell in cells]
            return np.fromiter(map(self.__getitem__, plain), np.int32, len(plain))


@dataclass(frozen=True)
class Table:
    """One table of a body; `first` is the number of its first row, counted over the body's tables."""

    regions: list[Any]
    starts: list[Any]
    dimensions: dict[str, list[Any]]
    values: dict[str, list[Any]]
    first: int

    def record(self, measure: str, row: int) -> dict[str, Any]:
        """One cell as the record that says the same."""
        split = {name: cells[row] for name, cells in self.dimensions.items() if cells[row] is not None}
        said = {"measure": measure, "region": self.regions[row], "start": self.starts[row]}
        return said | {"value": self.values[measure][row]} | ({"dimensions": split} if split else {})


def read_tables(
    written: Sequence[Any], reader: RecordReader, measures: Mapping[str, Measure], places: Places
) -> CellCounts:
    """Count every cell that is not null; raises SourceFault if the body's tables are no tables."""
    harvest = CellCounts(places)
    read = _KeyReader(reader, harvest)
    for table in _checked(written):
        names = tuple(table.values)
        values, given = _numbers(list(table.values.values()))
        keys = read.keys(table, names)
        fine = _plainly_right(values, [measures.get(name) for name in names]) & keys.whole()
        harvest.read += int(given.sum())
        harvest.take(names, fine, keys, values, table.first)
        for column, row in np.argwhere(given & ~fine):
            _look_again(table, names[column], int(row), reader, harvest)
    return harvest


def _look_again(table: Table, name: str, row: int, reader: RecordReader, into: CellCounts) -> None:
    """Read a cell that is not plainly right as a record."""
    line = table.first + row
    try:
        (measure, region, dimension, start), value = reader.read(table.record(name, row))
    except Unfit as unfit:
        column = f"values.{shown(name)[:LONGEST_NAME]}" if unfit.column in ("value", "measure") else unfit.column
        into.rejects.append(reject(unfit.rule, line, column, unfit.code, unfit.value))
        return
    named = zip(KINDS, (region, dimension, start), strict=False)
    codes = np.array([[into.code(kind, name)] for kind, name in named], np.int32)
    into.take((measure,), np.ones((1, 1), np.bool_), Keys([codes], [0]), np.array([[value]]), line)


class _KeyReader:
    """Reads the keys of the rows of one body's tables; what measures that are delivered alike share is read once."""

    def __init__(self, reader: RecordReader, harvest: CellCounts) -> None:
        self._reader, self._harvest = reader, harvest
        self._starts = Look(lambda written: harvest.code("start", reader.start(written)))
        self._looks: dict[tuple[Any, ...], tuple[Look, Look]] = {}

    def keys(self, table: Table, measures: Sequence[str]) -> Keys:
        """Where each measure's figures belong; -1 where it must be looked at again."""
        starts, rows = self._starts.all(table.starts), _splits(table)
        ways: dict[Any, int] = {}
        codes: list[Codes] = []
        own = []
        for measure in measures:
            delivery = self._delivery(measure)
            way = delivery and (delivery.grain, delivery.dimensions)
            if way not in ways:
                ways[way] = len(codes)
                parts = self._read(table, rows, delivery) if delivery else np.full((2, len(starts)), -1, np.int32)
                codes.append(np.stack([*parts, starts]))
            own.append(ways[way])
        return Keys(codes, own)

    def _delivery(self, measure: str) -> Delivery | None:
        try:
            return self._reader.delivery(measure)
        except Unfit:
            return None

    def _read(self, table: Table, rows: Sequence[Any], delivery: Delivery) -> tuple[Codes, Codes]:
        """Codes of region and dimension key, by row, for what is delivered in one way."""
        names, read, code = tuple(table.dimensions), self._reader, self._harvest.code

        def region(cell: str) -> int:
            return code("region", read.region(cell, delivery))

        def split(cells: tuple[str | None, ...]) -> int:
            said = {name: cell for name, cell in zip(names, cells, strict=True) if cell is not None}
            return code("dimension", read.dimension(said or None, delivery))

        way = names, delivery.grain, delivery.dimensions
        if way not in self._looks:
            self._looks[way] = Look(region, self._harvest.places.at[delivery.grain]), Look(split)
        places, splits = self._looks[way]
        return places.all(table.regions), splits.all(rows)


def _splits(table: Table) -> list[tuple[Any, ...] | None]:
    """The dimension values of each row; None where one of them is neither a text nor left out."""
    if not table.dimensions:
        return [()] * len(table.regions)
    rows: list[tuple[Any, ...] | None] = list(zip(*table.dimensions.values(), strict=True))
    if set(map(type, chain(*table.dimensions.values()))) <= {str, NoneType}:
        return rows
    return [row if row is not None and {*map(type, row)} <= {str, NoneType} else None for row in rows]


def _numbers(columns: list[list[Any]]) -> tuple[Floats, Mask]:
    """(values, whether given) by (column, row); NaN is what is not given or no number, infinite what is too large."""
    cells = list(chain.from_iterable(columns))
    kinds = set(map(type, cells))
    plain = [NAN if cell is None else cell for cell in cells]
    if not kinds <= NUMBERS | {NoneType}:
        plain = [cell if type(cell) in NUMBERS else NAN for cell in plain]
    try:
        values = np.fromiter(plain, np.float64, len(plain))
    except OverflowError:
        values = np.array([np.inf if abs(cell) > LARGEST_EXACT else cell for cell in plain], np.float64)
    given = ~np.isnan(values)
    if not kinds <= {int, NoneType}:  # a NaN, or what is no number, is given too
        given = np.array([cell is not None for cell in cells], np.bool_)
    shape = len(columns), -1
    return (values + 0.0).reshape(shape), given.reshape(shape)


def _plainly_right(values: Floats, measures: list[Measure | None]) -> Mask:
    """By (measure, row): within the measure's bounds, and whole where it counts; nothing of an unknown one."""
    low = np.array([np.inf if one is None else max(one.minimum, -LARGEST_EXACT) for one in measures])
    high = np.array([LARGEST_EXACT if one is None or one.maximum is None else one.maximum for one in measures])
    counts = np.array([one is not None and one.unit == "n" and one.kind is Kind.ADDITIVE for one in measures])
    whole = ~counts[:, None] | (values == np.rint(values))
    right: Mask = (values >= low[:, None]) & (values <= np.minimum(high, LARGEST_EXACT)[:, None]) & whole
    return right


def _checked(written: Sequence[Any]) -> Iterator[Table]:
    """The tables of a body, all columns of one as long as each other; raises SourceFault."""
    first = 1
    for number, table in enumerate(written, start=1):
        if not isinstance(table, dict):
            raise _no_table(number, "is no object")
        if unknown := sorted(table.keys() - NAMES):
            raise _no_table(number, f"has an unknown name {unknown[0][:80]!r}")
        regions, starts, values = (table.get(name) for name in ("region", "start", "values"))
        dimensions = table.get("dimensions", {})
        if not (isinstance(values, dict) and values and isinstance(dimensions, dict)):
            raise _no_table(number, 'needs an object "values" with a list for each measure')
        columns = [regions, starts, *dimensions.values(), *values.values()]
        if not all(type(column) is list and len(column) == len(columns[0]) for column in columns):
            raise _no_table(number, 'needs lists of one length in "region", "start", "dimensions" and "values"')
        yield Table(columns[0], columns[1], dimensions, values, first)
        first += len(columns[0])


def _no_table(number: int, why: str) -> SourceFault:
    return SourceFault("unreadable", f"table {number} of the body {why}", permanent=True)
