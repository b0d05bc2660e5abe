"""Rows that were doubted or not counted, kept for the steward."""

from typing import Any

import pandas as pd

from metrics.observations import Interval
from store.facts.history import ASIDE_COLUMNS, BatchStamp
from store.facts.moments import moments, second, second_from
from store.facts.postgres.schema import Connection
from store.faults import BadTable

_TEXTS = ("rule", "column", "code", "value")

_KEEP = """
INSERT INTO aside
SELECT $1, $2, $3, $4, rule, line, "column", code, value, kept
FROM unnest($5::text[], $6::text[], $7::text[], $8::text[], $9::int8[], $10::bool[])
    AS given (rule, "column", code, value, line, kept)"""

_READ = """
SELECT * FROM aside WHERE ($1::text IS NULL OR channel = $1) AND received_at >= $2 AND received_at < $3
ORDER BY received_at DESC, batch, line, "column" LIMIT $4"""

ALWAYS = (-(2**62), 2**62)


def keep(connection: Connection, stamp: BatchStamp, table: pd.DataFrame) -> int:
    """Keep a table of ASIDE_COLUMNS in place of what the batch kept before; raises BadTable."""
    missing = [column for column in ASIDE_COLUMNS if column not in table.columns]
    if missing:
        raise BadTable(f"remarks of batch {stamp.batch}: columns missing: {', '.join(missing)}")
    connection.execute("DELETE FROM aside WHERE batch = $1", [stamp.batch])
    lines = [None if pd.isna(line) else int(line) for line in table["line"]]
    given = [stamp.channel, stamp.source, stamp.batch, second(stamp.received_at)]
    texts = [_texts(table[name]) for name in _TEXTS]
    connection.execute(_KEEP, [*given, *texts, lines, table["kept"].astype(bool).tolist()])
    return len(table)


def read(connection: Connection, channel: str | None, received: Interval | None, limit: int) -> pd.DataFrame:
    """What was kept aside, newest first."""
    low, high = ALWAYS if received is None else (second_from(received.start), second_from(received.end))
    found = connection.execute(_READ, [channel, low, high, limit]).fetchall()
    names = ("channel", "source", "batch", "received_at", *ASIDE_COLUMNS)
    table = dict(zip(names, zip(*found, strict=True), strict=True)) if found else dict.fromkeys(names, ())
    kinds = {"line": "Int64", "kept": "bool"}
    columns: dict[str, Any] = {name: pd.Series(table[name], dtype=kinds.get(name, "str")) for name in names}
    return pd.DataFrame({**columns, "received_at": moments(columns["received_at"].to_numpy())})


def _texts(column: pd.Series) -> list[str | None]:
    return [None if pd.isna(text) else str(text) for text in column]
