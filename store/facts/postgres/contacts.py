"""The contact ledger in PostgreSQL, by the steps of `shared/ledger.py`; sums go through `postgres/upsert.py`.

A contact is held as a digest of its key: 16 bytes whatever the source calls it, and never read back.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from store.facts.postgres.schema import LEDGER
from store.facts.postgres.sessions import Session
from store.facts.shared.ledger import digests

GIVEN = {name: LEDGER[name] for name in ("contact", "start", "value", "dimension", "measure", "region")}
DIGEST_BYTES = 16
SUMS = {name: LEDGER[name] for name in ("start", "value", "dimension", "measure", "region")}

_STALE = """
INSERT INTO stale SELECT c.contact FROM contribution c
WHERE c.channel = $1 AND c.contact IN (SELECT contact FROM given) GROUP BY c.contact HAVING max(c.revision) >= $2"""

_DIFFERING = """
WITH offered AS (
    SELECT contact, measure, region, dimension, start, value FROM given WHERE contact IN (SELECT contact FROM stale)
), held AS (
    SELECT contact, measure, region, dimension, start, value FROM contribution
    WHERE channel = $1 AND contact IN (SELECT contact FROM stale)
)
SELECT (SELECT count(*) FROM stale), (SELECT count(DISTINCT contact) FROM (
    (TABLE offered EXCEPT ALL TABLE held) UNION ALL (TABLE held EXCEPT ALL TABLE offered)) AS different)"""

_REPLACE = """
WITH fresh AS MATERIALIZED (
    SELECT * FROM given g WHERE NOT EXISTS (SELECT FROM stale s WHERE s.contact = g.contact)
), deleted AS (
    DELETE FROM contribution WHERE channel = $1 AND contact IN (SELECT contact FROM fresh)
    RETURNING start, dimension, measure, region
), inserted AS (
    INSERT INTO contribution (contact, start, value, dimension, measure, region, channel, revision)
    SELECT contact, start, value, dimension, measure, region, $1, $2 FROM fresh
)
INSERT INTO touched TABLE deleted UNION SELECT start, dimension, measure, region FROM fresh"""

_SUMS = """
SELECT t.start, t.dimension, t.measure, t.region, coalesce(
    CASE WHEN t.measure = ANY ('{{{peaks}}}'::int2[]) THEN max(c.value) ELSE sum(c.value ORDER BY c.value) END, 'NaN'
) AS value
FROM touched t LEFT JOIN contribution c ON c.start = t.start AND c.start BETWEEN {low} AND {high}
    AND c.channel = {channel} AND c.measure = t.measure AND c.region = t.region AND c.dimension = t.dimension
GROUP BY t.start, t.dimension, t.measure, t.region"""
"""Parts are added in the order of their size: the same parts give the same digits in whatever order they came."""


def replace_contacts(session: Session, channel: int, revision: int, given: pd.DataFrame) -> tuple[int, int]:
    """Enter parts, in the caller's transaction, which has locked the channel; their keys are left in `touched`.

    Gives the number of contacts left alone because the ledger holds this or a newer revision:
    those that say the same and those that say otherwise.
    """
    values: dict[str, npt.NDArray[Any]] = {name: given[name].to_numpy() for name in SUMS}
    contacts, known = digests(given["contact"], DIGEST_BYTES)
    values["contact"] = np.frombuffer(b"".join(known), dtype=f"V{DIGEST_BYTES}")[contacts]
    session.send("given", GIVEN, values, len(given))
    session.connection.execute(_STALE, [channel, revision])
    stale, differing = session.connection.execute(_DIFFERING, [channel]).fetchall()[0]
    session.connection.execute(_REPLACE, [channel, revision])
    return stale - differing, differing


def touched_sums(session: Session, channel: int, peaks: list[int]) -> pd.DataFrame:
    """The sums of the keys in `touched`; NaN: no contact is left in that key."""
    low, high = session.connection.execute("SELECT min(start), max(start) FROM touched").fetchall()[0]
    if low is None:
        return pd.DataFrame(columns=list(SUMS))
    query = _SUMS.format(peaks=",".join(map(str, peaks)), low=low, high=high, channel=channel)
    return pd.DataFrame(session.fetch(SUMS, query))
