"""The contact ledger in ClickHouse, by the steps of `shared/ledger.py`, but that nothing is deleted:

- Where a contact was before and is no longer, a row without a value says so.
- The contacts just added are read once more: another writer may have put a newer or older revision of one elsewhere
  in between. Wherever a contact stands in a revision that is not its newest, a row without a value says so.
- Every key that a contact of the batch is or was in is summed again, be the contact new or not: a writer that was
  killed before it summed left contacts without their sums, and its batch comes again.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from store.facts.clickhouse.native import Columns
from store.facts.shared.encoding import KEYS
from store.facts.shared.ledger import digests

Query = Callable[[str], Columns]
LEDGER_KEY = ["contact", *KEYS]
KEY_TYPES = {"measure": "u4", "region": "u4", "dimension": "u8", "start": "u4"}
_HELD_TYPES = {"contact": "S16", **KEY_TYPES, "held_value": "f8", "held_parts": "u8", "held_revision": "i8"}
_SUM_TYPES = {**KEY_TYPES, "seen": "u8", "contacts": "u8", "total": "f8", "largest": "f8"}
CONTACTS_A_QUERY = 5000
"""Contacts that one statement names."""

_HELD = """
SELECT contact, measure, region, dimension, start,
    argMax(value, revision) AS held_value, argMax(parts, revision) AS held_parts, max(revision) AS held_revision
FROM {table} AS f WHERE channel = {channel} AND contact IN ({contacts})
GROUP BY contact, measure, region, dimension, start"""

_SUMS = """
SELECT measure, region, dimension, start, toUInt64(sum(revisions)) AS seen,
    toUInt64(countIf(NOT isNaN(kept))) AS contacts,
    arraySum(arraySort(groupArrayIf(kept, NOT isNaN(kept)))) AS total, maxIf(kept, NOT isNaN(kept)) AS largest
FROM (
    SELECT measure, region, dimension, start, contact, argMax(value, revision) AS kept, uniqExact(revision) AS revisions
    FROM {table} AS f WHERE channel = {channel} AND start IN ({starts}) AND region IN ({regions})
    GROUP BY measure, region, dimension, start, contact) AS by_contact
GROUP BY measure, region, dimension, start"""


def digested(contacts: "pd.Series[str]") -> npt.NDArray[np.bytes_]:
    """Contacts as 16 letters that stand for 96 bits: alike only for the same contact."""
    positions, known = digests(contacts, 12)
    found: npt.NDArray[np.bytes_] = np.array([b64encode(digest) for digest in known], dtype="S16")[positions]
    return found


def one_row_a_key(given: pd.DataFrame, peaks: list[int]) -> pd.DataFrame:
    """Parts of one contact in one key as one row: value, and `parts`, alike only for the same parts."""
    bits = (given["value"].to_numpy() + 0.0).view(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9)
    grouped = given.assign(parts=bits ^ (bits >> np.uint64(27))).groupby(LEDGER_KEY, sort=False)
    rows = grouped.agg(total=("value", "sum"), largest=("value", "max"), parts=("parts", "sum")).reset_index()
    value = np.where(rows["measure"].isin(peaks), rows["largest"], rows["total"])
    return rows[[*LEDGER_KEY, "parts"]].assign(value=value)


def held_contacts(query: Query, table: str, channel: int, contacts: npt.NDArray[np.bytes_]) -> pd.DataFrame:
    """What the ledger has of contacts: LEDGER_KEY, held_value (no number: moved away), held_parts, held_revision."""
    used = np.unique(contacts)
    found = []
    for first in range(0, len(used), CONTACTS_A_QUERY):
        names = ", ".join(f"'{contact.decode()}'" for contact in used[first : first + CONTACTS_A_QUERY])
        found.append(typed_frame(query(_HELD.format(table=table, channel=channel, contacts=names)), _HELD_TYPES))
    return pd.concat(found)


def ledger_changes(rows: pd.DataFrame, known: pd.DataFrame, revision: int) -> tuple[pd.DataFrame, int, int]:
    """Rows to add to the ledger, and how many contacts were left alone: those that say the same, and otherwise."""
    newest = known.groupby("contact")["held_revision"].max()
    stale = newest.index[newest >= revision]
    live = known[known["held_value"].notna()]
    alone = rows["contact"].isin(stale)
    differing = _differing(rows[alone], live[live["contact"].isin(stale)])
    fresh = rows[~alone]
    held_keys = live[~live["contact"].isin(stale)][LEDGER_KEY].merge(
        fresh[LEDGER_KEY], how="left", on=LEDGER_KEY, indicator="where"
    )
    left_keys = held_keys.loc[held_keys["where"] == "left_only", LEDGER_KEY].assign(value=np.nan, parts=np.uint64(0))
    added = pd.concat([fresh, left_keys]).astype({"parts": np.uint64}).assign(revision=revision)
    return added, len(stale) - differing, differing


def overtaken(known: pd.DataFrame) -> pd.DataFrame:
    """Rows that take contacts away from places where they stand in a revision that is not their newest."""
    newest = known.groupby("contact")["held_revision"].transform("max")
    superseded = known["held_value"].notna() & (known["held_revision"] < newest)
    return known.loc[superseded, LEDGER_KEY].assign(value=np.nan, parts=np.uint64(0), revision=newest[superseded])


def touched_keys(rows: pd.DataFrame, known: pd.DataFrame, added: pd.DataFrame) -> pd.DataFrame:
    """Keys to sum again, and `counted`: whether a contact changed there."""
    keys = list(KEYS)
    every = pd.concat([rows[keys], known.loc[known["held_value"].notna(), keys]]).drop_duplicates()
    counted = every.merge(added[keys].drop_duplicates(), how="left", on=keys, indicator="where")["where"] == "both"
    return every.reset_index(drop=True).assign(counted=counted.to_numpy())


def key_sums(query: Query, table: str, channel: int, keys: pd.DataFrame, peaks: list[int]) -> pd.DataFrame:
    """Keys with what the ledger says: value (no number: no contact is left) and `seen`, the versions it counted."""
    listed = {name: ", ".join(str(code) for code in pd.unique(keys[name])) for name in ("start", "region")}
    statement = _SUMS.format(table=table, channel=channel, starts=listed["start"], regions=listed["region"])
    found = keys.merge(typed_frame(query(statement), _SUM_TYPES), how="left", on=list(KEYS))
    value = np.where(found["measure"].isin(peaks), found["largest"], found["total"])
    value = np.where(found["contacts"].to_numpy() > 0, value, np.nan)
    return found[[*KEYS, "counted"]].assign(value=value, seen=found["seen"].fillna(0).astype(np.uint64))


def typed_frame(found: Columns, types: Mapping[str, str]) -> pd.DataFrame:
    """An answer as a frame with columns of these types, rows or not."""
    typed = {name: found[name].astype(dtype) for name, dtype in types.items()}
    return pd.DataFrame(
        {name: values.tolist() if values.dtype.kind == "S" else values for name, values in typed.items()}
    )


def _differing(offered: pd.DataFrame, held: pd.DataFrame) -> int:
    """Contacts of which two ledgers do not have the same rows."""
    both = pd.concat(
        [offered[[*LEDGER_KEY, "parts"]], held.rename(columns={"held_parts": "parts"})[[*LEDGER_KEY, "parts"]]]
    )
    return int(both.drop_duplicates(keep=False)["contact"].nunique())
