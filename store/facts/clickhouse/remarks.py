"""Rows that were doubted or not counted, kept for the steward.

What a batch kept before is not deleted: its rows have a number, and only those with the largest are read.
"""
# ruff: noqa: S608 - statements are put together from constants and numbers; text that came in is quoted.

import numpy as np
import pandas as pd

from metrics.observations import Interval
from store.facts.clickhouse.native import Columns
from store.facts.clickhouse.servers import Servers
from store.facts.history import ASIDE_COLUMNS, BatchStamp
from store.facts.moments import moments, second, second_from
from store.faults import BadTable

NO_LINE = 2**63 - 1
"""Sorts after every line."""
TEXTS = ("rule", "column", "code", "value")

_READ = """
SELECT DISTINCT channel, source, batch, received_at, rule, line, column, code, value, kept, generation, nth
FROM {table} AS f WHERE {where}
AND (batch, generation) GLOBAL IN (SELECT batch, max(generation) FROM {table} AS g GROUP BY batch)
AND rule <> ''
ORDER BY received_at DESC, batch, line, column LIMIT {limit}"""


def keep(servers: Servers, server: str, stamp: BatchStamp, table: pd.DataFrame) -> int:
    """Keep a table of ASIDE_COLUMNS in place of what the batch kept before; raises BadTable."""
    missing = [column for column in ASIDE_COLUMNS if column not in table.columns]
    if missing:
        raise BadTable(f"remarks of batch {stamp.batch}: columns missing: {', '.join(missing)}")
    asked = f"SELECT max(generation) AS newest FROM {servers.here('aside')} WHERE batch = {quoted(stamp.batch)}"
    newest = int(servers.ask_one(server, asked)["newest"].max(initial=0))
    if table.empty and newest == 0:
        return 0
    servers.insert_rows(server, "aside", _rows(stamp, table, newest + 1))
    return len(table)


def read(servers: Servers, channel: str | None, received: Interval | None, limit: int) -> pd.DataFrame:
    """What was kept aside, newest first."""
    where = ["1"] if channel is None else [f"channel = {quoted(channel)}"]
    if received is not None:
        where += [f"received_at >= {second_from(received.start)}", f"received_at < {second_from(received.end)}"]
    table = servers.everywhere("aside")
    return _table(servers.ask(_READ.format(table=table, where=" AND ".join(where), limit=limit)))


def quoted(text: str) -> str:
    """Text as a literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def constant(text: str, length: int) -> pd.Categorical:
    """One text in every row."""
    return pd.Categorical.from_codes(np.zeros(length, dtype=np.int8), categories=[text])


def _rows(stamp: BatchStamp, table: pd.DataFrame, generation: int) -> dict[str, object]:
    """The rows to insert; one without a rule, which nobody reads, where nothing is kept any more."""
    length = max(len(table), 1)
    texts = {name: pd.Categorical(table[name].astype("str") if len(table) else [""]) for name in TEXTS}
    line = table["line"].astype("Int64").fillna(NO_LINE).to_numpy(np.int64) if len(table) else np.array([NO_LINE])
    kept = table["kept"].astype(bool).to_numpy() if len(table) else np.array([False])
    return {
        **{name: constant(getattr(stamp, name), length) for name in ("channel", "source", "batch")},
        "received_at": np.full(length, second(stamp.received_at), dtype=np.uint32),
        **texts,
        "line": line,
        "kept": kept.astype(np.uint8),
        "generation": np.full(length, generation, dtype=np.uint64),
        "nth": np.arange(length, dtype=np.uint32),
    }


def _table(found: Columns) -> pd.DataFrame:
    text = {name: pd.Series(found[name], dtype="str") for name in ("channel", "source", "batch", *TEXTS)}
    line = found["line"].astype(np.int64)
    return pd.DataFrame(
        {
            **{name: text[name] for name in ("channel", "source", "batch")},
            "received_at": moments(found["received_at"]),
            "rule": text["rule"],
            "line": pd.arrays.IntegerArray(line, line == NO_LINE),
            **{name: text[name] for name in ("column", "code", "value")},
            "kept": found["kept"].astype(bool),
        }
    )
