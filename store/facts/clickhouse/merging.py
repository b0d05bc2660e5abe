"""What a table of rows changes of what is held: which versions are added, and how they are counted.

Nothing is ever updated. A version has a number, and the largest is shown:

observations    the revision of their batch
sums of the contact ledger    LEDGER and how many versions of contacts were counted, so that of two writers at once
                the one that saw more is right, whatever the order in which their rows arrive
what must win   one more than what is held
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from store.facts.history import Written
from store.facts.shared.changes import Changes
from store.facts.shared.encoding import KEYS
from store.facts.shared.stamps import CodedStamp

LEDGER = 2**63
ROOM = 2**20
"""Between two sums of the ledger: versions of other writes on top of one."""

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Held:
    """By row of a table, the newest version that the store holds of its key."""

    there: Flags
    """A version is held, be it that the key was taken back."""
    value: npt.NDArray[np.float64]
    revision: npt.NDArray[np.int64]
    since: npt.NDArray[np.int64]
    version: npt.NDArray[np.uint64]


def line_up(rows: pd.DataFrame, found: pd.DataFrame) -> Held:
    """Held versions (KEYS, was, was_revision, was_since, was_version) beside the rows whose keys they have."""
    if found.empty:
        none = np.zeros(len(rows), dtype=np.int64)
        return Held(none.astype(bool), np.full(len(rows), np.nan), none, none, none.astype(np.uint64))
    places = found[list(KEYS)].assign(place=np.arange(len(found)))
    place = rows[list(KEYS)].merge(places, how="left", on=list(KEYS))["place"]
    there = place.notna().to_numpy()
    at = place.fillna(0).to_numpy(dtype=np.int64)
    value = np.where(there, found["was"].to_numpy()[at], np.nan)
    return Held(there, value, *(found[f"was_{name}"].to_numpy()[at] for name in ("revision", "since", "version")))


def versions(rows: pd.DataFrame, held: Held, stamp: CodedStamp, forced: bool) -> tuple[pd.DataFrame, Written]:
    """Rows to insert (value, revision, since, version beside the key), and what they do.

    `forced` replaces whatever the revision; there a value that is no number takes its key back. Sums of the ledger have
    `seen`, how many versions of contacts were counted, and `counted`: whether a contact of the batch changed there.
    """
    value = rows["value"].to_numpy()
    ledger = "seen" in rows
    number = _numbers(rows, held, stamp)
    newer = number > held.version if ledger else (stamp.revision > held.revision) | forced
    gone, was_gone = np.isnan(value), np.isnan(held.value)
    same = (value == held.value) | (gone & was_gone)
    what = np.select(
        [gone & was_gone, was_gone & (newer | ~held.there | (not ledger)), same, ~newer, gone],
        ["nothing", "new", "same", "older", "removed"],
        "changed",
    )
    confirmed = same & ~gone & (number > held.version) & (ledger | (stamp.revision > held.revision))
    added = np.isin(what, ["new", "changed", "removed"]) | confirmed | ((what == "nothing") & newer & ledger)
    since = np.where(same & ~gone, held.since, np.maximum(stamp.received_at, np.where(held.there, held.since, 0)))
    revision = np.where(held.there & ~was_gone, np.maximum(stamp.revision, held.revision), stamp.revision)
    fresh = rows.assign(since=since, revision=revision, version=number)[added]
    return fresh, _written(what, rows, stamp.interval_s)


def _numbers(rows: pd.DataFrame, held: Held, stamp: CodedStamp) -> npt.NDArray[np.uint64]:
    if "seen" in rows:
        seen: npt.NDArray[np.uint64] = rows["seen"].to_numpy(np.uint64)
        return np.uint64(LEDGER) + seen * np.uint64(ROOM)
    next_one = np.where(held.there, held.version + np.uint64(1), np.uint64(0))
    return np.maximum(np.uint64(stamp.revision), next_one)


def _written(what: npt.NDArray[np.str_], rows: pd.DataFrame, interval_s: int) -> Written:
    """What became of rows; of the ledger's sums none is older, and unchanged are those in which a contact changed."""
    starts, changes, ledger = rows["start"].to_numpy(), Changes(), "counted" in rows
    for kind in np.unique(what).tolist():
        if kind != "older" or not ledger:
            own = starts[what == kind]
            changes.add(kind, len(own), int(own.min()), int(own.max()))
    counted = what[rows["counted"].to_numpy()] if ledger else what
    return changes.written(interval_s, int((counted == "same").sum()))
