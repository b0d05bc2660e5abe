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

Ask = Callable[[str], Columns]
PLACE = ["contact", *KEYS]
KEY_KINDS = {"measure": "u4", "region": "u4", "dimension": "u8", "start": "u4"}
_HELD_KINDS = {"contact": "S16", **KEY_KINDS, "was": "f8", "told": "u8", "newest": "i8"}
_SUM_KINDS = {**KEY_KINDS, "seen": "u8", "there": "u8", "total": "f8", "largest": "f8"}
AT_ONCE = 5000
"""Contacts that one statement names."""

_HELD = """
SELECT contact, measure, region, dimension, start,
    argMax(value, revision) AS was, argMax(parts, revision) AS told, max(revision) AS newest
FROM {table} AS f WHERE channel = {channel} AND contact IN ({contacts})
GROUP BY contact, measure, region, dimension, start"""

_SUMS = """
SELECT measure, region, dimension, start, toUInt64(sum(told)) AS seen, toUInt64(countIf(NOT isNaN(kept))) AS there,
    arraySum(arraySort(groupArrayIf(kept, NOT isNaN(kept)))) AS total, maxIf(kept, NOT isNaN(kept)) AS largest
FROM (
    SELECT measure, region, dimension, start, contact, argMax(value, revision) AS kept, uniqExact(revision) AS told
    FROM {table} AS f WHERE channel = {channel} AND start IN ({starts}) AND region IN ({regions})
    GROUP BY measure, region, dimension, start, contact) AS contacts
GROUP BY measure, region, dimension, start"""


def digested(contacts: "pd.Series[str]") -> npt.NDArray[np.bytes_]:
    """Contacts as 16 letters that stand for 96 bits: alike only for the same contact."""
    positions, known = digests(contacts, 12)
    found: npt.NDArray[np.bytes_] = np.array([b64encode(one) for one in known], dtype="S16")[positions]
    return found


def one_row_a_place(given: pd.DataFrame, peaks: list[int]) -> pd.DataFrame:
    """Parts of one contact in one key as one row: value, and `parts`, alike only for the same parts."""
    bits = (given["value"].to_numpy() + 0.0).view(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9)
    grouped = given.assign(parts=bits ^ (bits >> np.uint64(27))).groupby(PLACE, sort=False)
    rows = grouped.agg(total=("value", "sum"), largest=("value", "max"), parts=("parts", "sum")).reset_index()
    value = np.where(rows["measure"].isin(peaks), rows["largest"], rows["total"])
    return rows[[*PLACE, "parts"]].assign(value=value)


def held(ask: Ask, table: str, channel: int, contacts: npt.NDArray[np.bytes_]) -> pd.DataFrame:
    """What the ledger has of contacts: PLACE, was (no number: moved away), told, newest."""
    used = np.unique(contacts)
    found = []
    for first in range(0, len(used), AT_ONCE):
        names = ", ".join(f"'{contact.decode()}'" for contact in used[first : first + AT_ONCE])
        found.append(frame(ask(_HELD.format(table=table, channel=channel, contacts=names)), _HELD_KINDS))
    return pd.concat(found)


def changes(rows: pd.DataFrame, known: pd.DataFrame, revision: int) -> tuple[pd.DataFrame, int, int]:
    """Rows to add to the ledger, and how many contacts were left alone: those that say the same, and otherwise."""
    newest = known.groupby("contact")["newest"].max()
    stale = newest.index[newest >= revision]
    live = known[known["was"].notna()]
    alone = rows["contact"].isin(stale)
    differing = _differing(rows[alone], live[live["contact"].isin(stale)])
    fresh = rows[~alone]
    left = live[~live["contact"].isin(stale)][PLACE].merge(fresh[PLACE], how="left", on=PLACE, indicator="where")
    moved = left.loc[left["where"] == "left_only", PLACE].assign(value=np.nan, parts=np.uint64(0))
    added = pd.concat([fresh, moved]).astype({"parts": np.uint64}).assign(revision=revision)
    return added, len(stale) - differing, differing


def overtaken(known: pd.DataFrame) -> pd.DataFrame:
    """Rows that take contacts away from places where they stand in a revision that is not their newest."""
    newest = known.groupby("contact")["newest"].transform("max")
    gone = known["was"].notna() & (known["newest"] < newest)
    return known.loc[gone, PLACE].assign(value=np.nan, parts=np.uint64(0), revision=newest[gone])


def touched(rows: pd.DataFrame, known: pd.DataFrame, added: pd.DataFrame) -> pd.DataFrame:
    """Keys to sum again, and `counted`: whether a contact changed there."""
    keys = list(KEYS)
    every = pd.concat([rows[keys], known.loc[known["was"].notna(), keys]]).drop_duplicates()
    counted = every.merge(added[keys].drop_duplicates(), how="left", on=keys, indicator="where")["where"] == "both"
    return every.reset_index(drop=True).assign(counted=counted.to_numpy())


def summed(ask: Ask, table: str, channel: int, keys: pd.DataFrame, peaks: list[int]) -> pd.DataFrame:
    """Keys with what the ledger says: value (no number: no contact is left) and `seen`, the versions it counted."""
    listed = {name: ", ".join(str(code) for code in pd.unique(keys[name])) for name in ("start", "region")}
    asked = _SUMS.format(table=table, channel=channel, starts=listed["start"], regions=listed["region"])
    found = keys.merge(frame(ask(asked), _SUM_KINDS), how="left", on=list(KEYS))
    value = np.where(found["measure"].isin(peaks), found["largest"], found["total"])
    value = np.where(found["there"].to_numpy() > 0, value, np.nan)
    return found[[*KEYS, "counted"]].assign(value=value, seen=found["seen"].fillna(0).astype(np.uint64))


def frame(found: Columns, kinds: Mapping[str, str]) -> pd.DataFrame:
    """An answer as a frame with columns of these types, rows or not."""
    typed = {name: found[name].astype(kind) for name, kind in kinds.items()}
    return pd.DataFrame(
        {name: values.tolist() if values.dtype.kind == "S" else values for name, values in typed.items()}
    )


def _differing(mine: pd.DataFrame, theirs: pd.DataFrame) -> int:
    """Contacts of which two ledgers do not have the same rows."""
    both = pd.concat([mine[[*PLACE, "parts"]], theirs.rename(columns={"told": "parts"})[[*PLACE, "parts"]]])
    return int(both.drop_duplicates(keep=False)["contact"].nunique())
