"""What was kept aside for the steward, in ClickHouse.

What a batch kept before is not deleted: its rows have a number, and only those with the largest are read.
"""
# ruff: noqa: S608 - statements are put together from constants and numbers; text that came in is quoted.

import numpy as np
import pandas as pd

from metrics.observations import Interval
from store.facts.clickhouse.servers import Servers
from store.facts.history import BatchStamp
from store.facts.shared.kept_aside import TEXTS, as_frame, bounds, checked
from store.facts.shared.seconds import second

NO_LINE = 2**63 - 1
"""Sorts after every line."""

_READ = """
SELECT DISTINCT channel, source, batch, received_at, rule, line, column, code, value, kept, generation, nth
FROM {table} AS f WHERE {where}
AND (batch, generation) GLOBAL IN (SELECT batch, max(generation) FROM {table} AS g GROUP BY batch)
AND rule <> ''
ORDER BY received_at DESC, batch, line, column LIMIT {limit}"""


def keep(servers: Servers, server: str, stamp: BatchStamp, table: pd.DataFrame) -> int:
    """Keep a table of ASIDE_COLUMNS in place of what the batch kept before; raises BadTable."""
    rows = checked(stamp, table)
    query = f"SELECT max(generation) AS newest FROM {servers.local_table('aside')} WHERE batch = {quoted(stamp.batch)}"
    newest = int(servers.query_server(server, query)["newest"].max(initial=0))
    if rows.empty and newest == 0:
        return 0
    servers.insert_rows(server, "aside", _rows(stamp, rows, newest + 1))
    return len(rows)


def read(servers: Servers, channel: str | None, received: Interval | None, limit: int) -> pd.DataFrame:
    """What was kept aside, newest first."""
    where = ["1"] if channel is None else [f"channel = {quoted(channel)}"]
    if received is not None:
        low, high = bounds(received)
        where += [f"received_at >= {low}", f"received_at < {high}"]
    table = servers.distributed_table("aside")
    found = servers.query(_READ.format(table=table, where=" AND ".join(where), limit=limit))
    lines = found["line"].astype(np.int64)
    return as_frame(found, pd.arrays.IntegerArray(lines, lines == NO_LINE))


def quoted(text: str) -> str:
    """Text as a literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def constant(text: str, length: int) -> pd.Categorical:
    """One text in every row."""
    return pd.Categorical.from_codes(np.zeros(length, dtype=np.int8), categories=[text])


def _rows(stamp: BatchStamp, table: pd.DataFrame, generation: int) -> dict[str, object]:
    """The rows to insert; one without a rule, which nobody reads, where nothing is kept any more."""
    length = max(len(table), 1)
    texts = {name: pd.Categorical(table[name] if len(table) else [""]) for name in TEXTS}
    line = table["line"].fillna(NO_LINE).to_numpy(np.int64) if len(table) else np.array([NO_LINE])
    kept = table["kept"].to_numpy() if len(table) else np.array([False])
    return {
        **{name: constant(getattr(stamp, name), length) for name in ("channel", "source", "batch")},
        "received_at": np.full(length, second(stamp.received_at), dtype=np.uint32),
        **texts,
        "line": line,
        "kept": kept.astype(np.uint8),
        "generation": np.full(length, generation, dtype=np.uint64),
        "nth": np.arange(length, dtype=np.uint32),
    }
