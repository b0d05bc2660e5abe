"""The contact ledger in DuckDB, by the steps of `shared/ledger.py`; sums go through `duck/upsert.py`."""

import duckdb

_KNOWN = """
CREATE OR REPLACE TEMP TABLE known AS
SELECT rowid AS held, contact, measure, region, dimension, start, value, revision FROM contribution
WHERE channel = $channel AND contact IN (SELECT contact FROM given)"""

_STALE = """
CREATE OR REPLACE TEMP TABLE stale AS
SELECT contact FROM known GROUP BY contact HAVING max(revision) >= $revision"""

_DIFFERING = """
WITH offered AS (SELECT contact, measure, region, dimension, start, value FROM given SEMI JOIN stale USING (contact)),
held AS (SELECT contact, measure, region, dimension, start, value FROM known SEMI JOIN stale USING (contact))
SELECT count(DISTINCT contact) FROM (
    (FROM offered EXCEPT ALL FROM held) UNION ALL (FROM held EXCEPT ALL FROM offered))"""

_TOUCHED = """
CREATE OR REPLACE TEMP TABLE touched AS
SELECT measure, region, dimension, start FROM known ANTI JOIN stale USING (contact)
UNION SELECT measure, region, dimension, start FROM given ANTI JOIN stale USING (contact)"""

_DELETE = """
DELETE FROM contribution WHERE rowid IN (SELECT held FROM known ANTI JOIN stale USING (contact))"""

_INSERT = """
INSERT INTO contribution
SELECT $channel, measure, region, dimension, start, contact, value, $revision
FROM given ANTI JOIN stale USING (contact)"""

_SUM = """
CREATE OR REPLACE TEMP TABLE sums AS
SELECT measure, region, dimension, start,
    CASE WHEN measure IN $peaks THEN max(value) ELSE fsum(value) END AS value
FROM touched LEFT JOIN (
    SELECT measure, region, dimension, start, value FROM contribution
    WHERE channel = $channel AND start BETWEEN $low AND $high
) USING (measure, region, dimension, start)
GROUP BY measure, region, dimension, start"""


def replace_contacts(
    cursor: duckdb.DuckDBPyConnection, channel: int, revision: int, peaks: list[int]
) -> tuple[int, int]:
    """Enter the view `given` and leave the new sums in `sums` (NULL: no contact is left in that key).

    Gives the number of contacts left alone because the ledger holds this or a newer revision:
    those that say the same and those that say otherwise.
    """
    cursor.execute(_KNOWN, {"channel": channel})
    cursor.execute(_STALE, {"revision": revision})
    stale = _number(cursor, "SELECT count(*) FROM stale")
    differing = _number(cursor, _DIFFERING) if stale else 0
    cursor.execute(_TOUCHED)
    cursor.execute(_DELETE)
    cursor.execute(_INSERT, {"channel": channel, "revision": revision})
    low, high = cursor.execute("SELECT min(start), max(start) FROM touched").fetchall()[0]
    cursor.execute(_SUM, {"channel": channel, "low": low, "high": high, "peaks": peaks})
    return stale - differing, differing


def _number(cursor: duckdb.DuckDBPyConnection, statement: str) -> int:
    number: int = cursor.execute(statement).fetchall()[0][0]
    return number
