"""How far each source has come: the latest interval that it brought."""

from collections.abc import Sequence

import duckdb
import pandas as pd

from store.facts.history import BatchStamp
from store.facts.moments import moments, second

_ADVANCE = """
MERGE INTO progress p USING (
    SELECT unnest($channels) AS channel, unnest($sources) AS source,
        unnest($starts) AS start, unnest($received) AS received_at
) l ON p.channel = l.channel AND p.source = l.source
WHEN MATCHED AND p.start <= l.start THEN UPDATE SET start = l.start, received_at = l.received_at
WHEN NOT MATCHED THEN INSERT"""


def advance(cursor: duckdb.DuckDBPyConnection, stamps: Sequence[BatchStamp], starts: Sequence[int]) -> None:
    """Note the last starts of batches that came together, each of another source."""
    columns = {
        "channels": [one.channel for one in stamps],
        "sources": [one.source for one in stamps],
        "starts": list(starts),
        "received": [second(one.received_at) for one in stamps],
    }
    cursor.execute(_ADVANCE, columns)


def last_starts(cursor: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """See `History.last_starts`."""
    found = cursor.execute("SELECT * FROM progress ORDER BY channel, source").fetchnumpy()
    names = {name: pd.Series(found[name], dtype="str") for name in ("channel", "source")}
    return pd.DataFrame({**names, "start": moments(found["start"]), "received_at": moments(found["received_at"])})
