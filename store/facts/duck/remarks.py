"""Rows that were doubted or not counted, kept for the steward."""

import duckdb
import numpy as np
import pandas as pd

from metrics.observations import Interval
from store.facts.history import ASIDE_COLUMNS, BatchStamp
from store.facts.moments import moments, second, second_from
from store.faults import BadTable

_KEEP = """
INSERT INTO aside SELECT $channel, $source, $batch, $received_at, rule, line, "column", code, value, kept
FROM remarks"""

_READ = """
SELECT * FROM aside WHERE ($channel IS NULL OR channel = $channel) AND received_at >= $low AND received_at < $high
ORDER BY received_at DESC, batch, line, "column" LIMIT $limit"""

ALWAYS = (-(2**62), 2**62)


def keep(cursor: duckdb.DuckDBPyConnection, stamp: BatchStamp, table: pd.DataFrame) -> int:
    """Keep a table of ASIDE_COLUMNS in place of what the batch kept before; raises BadTable."""
    missing = [column for column in ASIDE_COLUMNS if column not in table.columns]
    if missing:
        raise BadTable(f"remarks of batch {stamp.batch}: columns missing: {', '.join(missing)}")
    cursor.execute("DELETE FROM aside WHERE batch = ?", [stamp.batch])
    if table.empty:
        return 0
    plain = {name: table[name].astype("str") for name in ("rule", "column", "code", "value")}
    lines, kept = table["line"].astype("Int64"), table["kept"].astype(bool)
    cursor.register("remarks", pd.DataFrame({**plain, "line": lines, "kept": kept}))
    received = second(stamp.received_at)
    cursor.execute(
        _KEEP, {"channel": stamp.channel, "source": stamp.source, "batch": stamp.batch, "received_at": received}
    )
    return len(table)


def read(cursor: duckdb.DuckDBPyConnection, channel: str | None, received: Interval | None, limit: int) -> pd.DataFrame:
    """What was kept aside, newest first."""
    low, high = ALWAYS if received is None else (second_from(received.start), second_from(received.end))
    found = cursor.execute(_READ, {"channel": channel, "low": low, "high": high, "limit": limit}).fetchnumpy()
    lines = found.pop("line")
    columns = {name: pd.Series(values, dtype="str") for name, values in found.items() if values.dtype == object}
    return pd.DataFrame(
        {
            **{name: columns[name] for name in ("channel", "source", "batch")},
            "received_at": moments(found["received_at"]),
            "rule": columns["rule"],
            "line": pd.arrays.IntegerArray(np.ma.getdata(lines).astype(np.int64), np.ma.getmaskarray(lines).copy()),
            **{name: columns[name] for name in ("column", "code", "value")},
            "kept": np.asarray(found["kept"], dtype=bool),
        }
    )
