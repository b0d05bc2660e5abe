"""How far each source has come, in DuckDB."""

from collections.abc import Sequence

import duckdb
import pandas as pd

from store.facts.history import BatchStamp
from store.facts.shared.progress import as_frame
from store.facts.shared.seconds import second

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
        "channels": [stamp.channel for stamp in stamps],
        "sources": [stamp.source for stamp in stamps],
        "starts": list(starts),
        "received": [second(stamp.received_at) for stamp in stamps],
    }
    cursor.execute(_ADVANCE, columns)


def last_starts(cursor: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """See `History.last_starts`."""
    found = cursor.execute("SELECT * FROM progress ORDER BY channel, source").fetchnumpy()
    return as_frame(*(found[name] for name in ("channel", "source", "start", "received_at")))
