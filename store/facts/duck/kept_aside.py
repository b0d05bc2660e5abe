"""What was kept aside for the steward, in DuckDB."""

import duckdb
import numpy as np
import pandas as pd

from metrics.observations import Interval
from store.facts.history import BatchStamp
from store.facts.shared.kept_aside import as_frame, bounds, checked
from store.facts.shared.seconds import second

_KEEP = """
INSERT INTO aside SELECT $channel, $source, $batch, $received_at, rule, line, "column", code, value, kept
FROM given"""

_READ = """
SELECT * FROM aside WHERE ($channel IS NULL OR channel = $channel) AND received_at >= $low AND received_at < $high
ORDER BY received_at DESC, batch, line, "column" LIMIT $limit"""


def keep(cursor: duckdb.DuckDBPyConnection, stamp: BatchStamp, table: pd.DataFrame) -> int:
    """Keep a table of ASIDE_COLUMNS in place of what the batch kept before; raises BadTable."""
    rows = checked(stamp, table)
    cursor.execute("DELETE FROM aside WHERE batch = ?", [stamp.batch])
    if rows.empty:
        return 0
    cursor.register("given", rows)
    received = second(stamp.received_at)
    cursor.execute(
        _KEEP, {"channel": stamp.channel, "source": stamp.source, "batch": stamp.batch, "received_at": received}
    )
    return len(rows)


def read(cursor: duckdb.DuckDBPyConnection, channel: str | None, received: Interval | None, limit: int) -> pd.DataFrame:
    """What was kept aside, newest first."""
    low, high = bounds(received)
    found = cursor.execute(_READ, {"channel": channel, "low": low, "high": high, "limit": limit}).fetchnumpy()
    lines = found["line"]
    numbers = np.ma.getdata(lines).astype(np.int64)
    return as_frame(found, pd.arrays.IntegerArray(numbers, np.ma.getmaskarray(lines).copy()))
