"""Cells of every kind through every format and back, and nothing in the bytes that the table does not say."""

import json
import math
import os
from collections.abc import Sequence
from datetime import UTC, datetime

import pandas as pd
import pytest

from dashboards.api.formats import write_arrow, write_csv, write_json
from dashboards.api.openapi import KINDS
from dashboards.api.tables import Table, columns
from tests.support.interface_world import read_arrow, read_csv

COLUMNS = columns("text", number="number", integer="integer", boolean="boolean", time="time")
SCHEMAS = {column.name: KINDS[column.kind] for column in COLUMNS}
ROWS = [
    ("", 0.0, 0, True, datetime(2026, 11, 21, 10, 23, tzinfo=UTC)),
    ('a,"b"\r\nc', 1 / 3, -1, False, None),
    ("=1+1", 5e-324, 2**53, True, datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
    ("中文🙂", 1.7976931348623157e308, None, False, datetime(2026, 11, 21, 10, 23, 40, 123456, tzinfo=UTC)),
    (" ", -0.1, 7, True, None),
    ("null", math.nan, None, False, None),
    ("x", math.inf, 3, True, None),
]
EXPECTED = [
    {"text": text, "number": number if math.isfinite(number) else None, "integer": integer, "boolean": boolean,
     "time": None if time is None else time.isoformat().replace("+00:00", "Z")}
    for text, number, integer, boolean, time in ROWS
]  # fmt: skip


def table(rows: Sequence[tuple[object, ...]]) -> Table:
    frame = pd.DataFrame(rows, columns=[column.name for column in COLUMNS])
    return Table(COLUMNS, frame.assign(time=pd.to_datetime(frame["time"], utc=True)))


@pytest.mark.parametrize("count", [0, 1, len(ROWS), 9 * len(ROWS)])
def test_every_cell_comes_back_as_it_was(count: int) -> None:
    rows, expected = (ROWS * 9)[:count], (EXPECTED * 9)[:count]
    assert json.loads(write_json(table(rows), {"next": None})) == {"next": None, "rows": expected}
    assert read_csv(write_csv(table(rows), {}).decode(), SCHEMAS) == expected
    assert read_arrow(write_arrow(table(rows), {})) == expected


def test_the_same_table_is_always_the_same_bytes() -> None:
    """Whatever has lain in the memory that they are written to."""
    written = set()
    for size in range(300):
        left = [os.urandom(16 + size * 37 % 3000) for _ in range(100)]
        del left
        written.add(write_arrow(table(ROWS), {}))
    assert len(written) == 1
