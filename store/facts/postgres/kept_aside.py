"""What was kept aside for the steward, in PostgreSQL."""

import pandas as pd

from metrics.observations import Interval
from store.facts.history import ASIDE_COLUMNS, BatchStamp
from store.facts.postgres.schema import Connection
from store.facts.shared.kept_aside import NAMES, TEXTS, as_frame, bounds, checked
from store.facts.shared.seconds import second

_KEEP = """
INSERT INTO aside
SELECT $1, $2, $3, $4, rule, line, "column", code, value, kept
FROM unnest($5::text[], $6::text[], $7::text[], $8::text[], $9::int8[], $10::bool[])
    AS given (rule, "column", code, value, line, kept)"""

_READ = """
SELECT * FROM aside WHERE ($1::text IS NULL OR channel = $1) AND received_at >= $2 AND received_at < $3
ORDER BY received_at DESC, batch, line, "column" LIMIT $4"""


def keep(connection: Connection, stamp: BatchStamp, table: pd.DataFrame) -> int:
    """Keep a table of ASIDE_COLUMNS in place of what the batch kept before; raises BadTable."""
    rows = checked(stamp, table)
    connection.execute("DELETE FROM aside WHERE batch = $1", [stamp.batch])
    lines = [None if pd.isna(line) else int(line) for line in rows["line"]]
    batch = [stamp.channel, stamp.source, stamp.batch, second(stamp.received_at)]
    texts = [rows[name].tolist() for name in TEXTS]
    connection.execute(_KEEP, [*batch, *texts, lines, rows["kept"].tolist()])
    return len(rows)


def read(connection: Connection, channel: str | None, received: Interval | None, limit: int) -> pd.DataFrame:
    """What was kept aside, newest first."""
    found = connection.execute(_READ, [channel, *bounds(received), limit]).fetchall()
    names = (*NAMES, "received_at", *ASIDE_COLUMNS)
    columns = dict(zip(names, zip(*found, strict=True), strict=True)) if found else dict.fromkeys(names, ())
    return as_frame(columns, pd.Series(columns["line"], dtype="Int64"))
