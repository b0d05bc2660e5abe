"""Read pushed tables column by column: what is plainly right is counted at once, every other cell as a record.

A table is for bulk senders: a row a place, time and set of dimension values, a column a measure. The quick look
only ever says "plainly right" or "look again"; what it would not vouch for goes through `RecordReader`, so
a cell is taken or refused for the same reasons, in the same words, as the record that says the same.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from types import NoneType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from collectors.lines import reject
from collectors.push.records import LONGEST_NAME, RecordReader
from collectors.record_fields import LARGEST_EXACT, Unfit, shown
from config.catalogue import Delivery, Kind, Level, Measure
from metrics.observations import Reject, SourceFault

Codes = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
NAMES = frozenset({"region", "start", "dimensions", "values"})
NUMBERS = {int, float}
TEXTS = {str, tuple}


@dataclass(frozen=True)
class Column:
    """A column as codes into its distinct cells; -1 is a cell that is neither a text nor a tuple of texts."""

    codes: Codes
    distinct: list[Any]

    @classmethod
    def of(cls, cells: Sequence[Any]) -> "Column":
        """Code a column, whatever its cells hold."""
        plain = cells if set(map(type, cells)) <= TEXTS else [cell if type(cell) in TEXTS else None for cell in cells]
        distinct = [cell for cell in dict.fromkeys(plain) if cell is not None]
        known = {cell: at for at, cell in enumerate(distinct)} | {None: -1}
        return cls(np.fromiter(map(known.__getitem__, plain), np.int64, len(plain)), distinct)

    def through(self, look: Callable[[Any], int], known: dict[Any, int] | None = None) -> Codes:
        """What `look` says of each cell, -1 where it raises Unfit; `known` is what it has said before, and is added to.

        It is asked once for cells that are equal.
        """
        said = {} if known is None else known
        for cell in self.distinct:
            if cell not in said:
                try:
                    said[cell] = look(cell)
                except Unfit:
                    said[cell] = -1
        return np.array([*map(said.__getitem__, self.distinct), -1], np.int64)[self.codes]


@dataclass
class Harvest:
    """Cells that count, by column, and what was wrong with the others."""

    names: dict[str, dict[str, int]] = field(default_factory=lambda: {"measure": {}, "region": {}, "dimension": {}})
    cells: list[tuple[Codes, Floats]] = field(default_factory=list)
    """Keys as rows: codes of region and dimension key, start in seconds since 1970, code of measure, line; values."""
    rejects: list[Reject] = field(default_factory=list)
    read: int = 0
    places: dict[Level, dict[str, int]] = field(default_factory=lambda: {level: {} for level in Level})
    """Codes of the regions that the tables before have named, by the level they count at; -1 is to be looked at."""

    def code(self, kind: str, name: str) -> int:
        """The number of a name, given on first sight."""
        known = self.names[kind]
        return known.setdefault(name, len(known))

    def take(self, measures: Sequence[str], counts: Mask, keys: Codes, values: Floats, first: int) -> None:
        """Take the cells that count, by (measure, row); `keys` by (measure, [region, dimension, start], row)."""
        measure, row = np.nonzero(counts)
        codes = np.array([self.code("measure", name) if counts[at].any() else -1 for at, name in enumerate(measures)])
        said = [keys[:, part][counts] for part in range(keys.shape[1])]
        self.cells.append((np.stack([*said, codes[measure], first + row]), values[counts]))

    def frame(self) -> pd.DataFrame:
        """The travelling table; of a key that was said twice the first cell counts, the others are rejects."""
        keys = np.concatenate([np.zeros((5, 0), np.int64), *(keys for keys, _ in self.cells)], axis=1)
        values = np.concatenate([np.zeros(0), *(values for _, values in self.cells)])
        measures = list(self.names["measure"])
        again = self._again(keys)
        for at in np.flatnonzero(again):
            column, line = f"values.{measures[keys[3, at]]}", int(keys[4, at])
            self.rejects.append(reject("CP-02", line, column, "said_twice", f"{values[at]:.15g}"))
        region, dimension, start, measure, _ = keys[:, ~again]
        coded = {"measure": measure, "region": region, "dimension": dimension}
        table = {
            name: pd.Categorical.from_codes(codes, pd.Index(list(self.names[name]), dtype="str"))
            for name, codes in coded.items()
        }
        starts = pd.DatetimeIndex(start.astype("datetime64[s]")).tz_localize("UTC")
        return pd.DataFrame({**table, "start": starts, "value": values[~again]})

    def _again(self, keys: Codes) -> Mask:
        """Which keys came before, each as one number: four columns take five times as long."""
        region, dimension, start, measure, _ = keys
        number = np.unique(start, return_inverse=True)[1]
        for codes, kind in ((region, "region"), (dimension, "dimension"), (measure, "measure")):
            number = number * len(self.names[kind]) + codes
        again: Mask = pd.Series(number).duplicated().to_numpy()
        return again


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


def read_tables(written: Sequence[Any], reader: RecordReader, measures: Mapping[str, Measure]) -> Harvest:
    """Count every cell that is not null; raises SourceFault if the body's tables are no tables."""
    harvest = Harvest()
    for table in _checked(written):
        names = tuple(table.values)
        values, given = _numbers(list(table.values.values()))
        keys = _Keys(table, reader, harvest)
        known = np.stack([keys.of(name) for name in names])
        fine = _plainly_right(values, [measures.get(name) for name in names]) & (known >= 0).all(axis=1)
        harvest.read += int(given.sum())
        harvest.take(names, fine, known, values, table.first)
        for column, row in np.argwhere(given & ~fine):
            _look_again(table, names[column], int(row), reader, harvest)
    return harvest


def _look_again(table: Table, name: str, row: int, reader: RecordReader, into: Harvest) -> None:
    """Read a cell that is not plainly right as a record."""
    line = table.first + row
    try:
        (measure, region, dimension, start), value = reader.read(table.record(name, row))
    except Unfit as unfit:
        column = f"values.{shown(name)[:LONGEST_NAME]}" if unfit.column in ("value", "measure") else unfit.column
        into.rejects.append(reject(unfit.rule, line, column, unfit.code, unfit.value))
        return
    key = np.array([[[into.code("region", region)], [into.code("dimension", dimension)], [start]]], np.int64)
    into.take((measure,), np.ones((1, 1), np.bool_), key, np.array([[value]]), line)


class _Keys:
    """The keys of a table's rows, worked out once for all measures that are delivered alike."""

    def __init__(self, table: Table, reader: RecordReader, harvest: Harvest) -> None:
        self._reader, self._harvest = reader, harvest
        self._names = tuple(table.dimensions)
        self._starts = Column.of(table.starts).through(reader.start)
        self._regions = Column.of(table.regions)
        rows: list[tuple[Any, ...] | None] = [()] * len(table.regions)
        if self._names:
            rows = list(zip(*table.dimensions.values(), strict=True))
        if not set(map(type, chain(*table.dimensions.values()))) <= {str, NoneType}:
            rows = [row if row is not None and {*map(type, row)} <= {str, NoneType} else None for row in rows]
        self._splits = Column.of(rows)
        self._known: dict[tuple[Level, tuple[str, ...]], Codes] = {}

    def of(self, measure: str) -> Codes:
        """Codes of region and dimension key, and start, by row; -1 where it must be looked at again."""
        try:
            delivery = self._reader.delivery(measure)
        except Unfit:
            return np.full((3, len(self._starts)), -1, np.int64)
        alike = (delivery.grain, delivery.dimensions)
        if alike not in self._known:
            self._known[alike] = self._read(delivery)
        return self._known[alike]

    def _read(self, delivery: Delivery) -> Codes:
        """The same for what is delivered in one way."""

        def region(code: str) -> int:
            return self._harvest.code("region", self._reader.region(code, delivery))

        def split(cells: tuple[str | None, ...]) -> int:
            said = {name: cell for name, cell in zip(self._names, cells, strict=True) if cell is not None}
            return self._harvest.code("dimension", self._reader.dimension(said or None, delivery))

        places = self._regions.through(region, self._harvest.places[delivery.grain])
        return np.stack([places, self._splits.through(split), self._starts])


def _numbers(columns: list[list[Any]]) -> tuple[Floats, Mask]:
    """(values, whether given) by (column, row); NaN is what is not given, is no number, or is not to be trusted."""
    plain = columns
    if not set(map(type, chain.from_iterable(columns))) <= NUMBERS | {NoneType}:
        plain = [[cell if type(cell) in NUMBERS else None for cell in column] for column in columns]
    try:
        values = np.array(plain, np.float64)
    except OverflowError:
        values = np.array([[_small(cell) for cell in column] for column in plain], np.float64)
    given = ~np.isnan(values)
    if given.size - np.count_nonzero(given) != sum(column.count(None) for column in columns):
        given = np.array([[cell is not None for cell in column] for column in columns], np.bool_)
    return values + 0.0, given.reshape(values.shape)


def _small(cell: int | float | None) -> int | float | None:
    return cell if cell is not None and abs(cell) <= LARGEST_EXACT else None


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
