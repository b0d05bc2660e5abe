"""What a table of rows changes of what is held: which versions are added, and how they are counted.

Nothing is ever updated. A version has a number, and the largest is shown:

observations    the revision of their batch
sums of the contact ledger    LEDGER_BASE and how many versions of contacts were counted, so that of two writers at once
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

LEDGER_BASE = 2**63
SUM_GAP = 2**20
"""Between two sums of the ledger: versions of other writes on top of one."""

Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Held:
    """By row of a table, the newest version that the store holds of its key."""

    exists: Booleans
    """A version is held, be it that the key was taken back."""
    value: npt.NDArray[np.float64]
    revision: npt.NDArray[np.int64]
    since: npt.NDArray[np.int64]
    version: npt.NDArray[np.uint64]


def held_versions(rows: pd.DataFrame, found: pd.DataFrame) -> Held:
    """By row, the held version of its key; `found` has KEYS, held_value, held_revision, held_since, held_version."""
    if found.empty:
        none = np.zeros(len(rows), dtype=np.int64)
        return Held(none.astype(bool), np.full(len(rows), np.nan), none, none, none.astype(np.uint64))
    positions = found[list(KEYS)].assign(position=np.arange(len(found)))
    position = rows[list(KEYS)].merge(positions, how="left", on=list(KEYS))["position"]
    exists = position.notna().to_numpy()
    index = position.fillna(0).to_numpy(dtype=np.int64)
    value = np.where(exists, found["held_value"].to_numpy()[index], np.nan)
    return Held(exists, value, *(found[f"held_{name}"].to_numpy()[index] for name in ("revision", "since", "version")))


def new_versions(rows: pd.DataFrame, held: Held, stamp: CodedStamp, forced: bool) -> tuple[pd.DataFrame, Written]:
    """Rows to insert (value, revision, since, version beside the key), and what they do.

    `forced` replaces whatever the revision; there a value that is no number takes its key back. Sums of the ledger have
    `seen`, how many versions of contacts were counted, and `counted`: whether a contact of the batch changed there.
    """
    value = rows["value"].to_numpy()
    ledger = "seen" in rows
    version = _version_numbers(rows, held, stamp)
    newer = version > held.version if ledger else (stamp.revision > held.revision) | forced
    no_value, held_no_value = np.isnan(value), np.isnan(held.value)
    same = (value == held.value) | (no_value & held_no_value)
    kinds = np.select(
        [no_value & held_no_value, held_no_value & (newer | ~held.exists | (not ledger)), same, ~newer, no_value],
        ["nothing", "new", "same", "older", "removed"],
        "changed",
    )
    confirmed = same & ~no_value & (version > held.version) & (ledger | (stamp.revision > held.revision))
    added = np.isin(kinds, ["new", "changed", "removed"]) | confirmed | ((kinds == "nothing") & newer & ledger)
    since = np.where(same & ~no_value, held.since, np.maximum(stamp.received_at, np.where(held.exists, held.since, 0)))
    revision = np.where(held.exists & ~held_no_value, np.maximum(stamp.revision, held.revision), stamp.revision)
    fresh = rows.assign(since=since, revision=revision, version=version)[added]
    return fresh, _written(kinds, rows, stamp.interval_s)


def _version_numbers(rows: pd.DataFrame, held: Held, stamp: CodedStamp) -> npt.NDArray[np.uint64]:
    if "seen" in rows:
        seen: npt.NDArray[np.uint64] = rows["seen"].to_numpy(np.uint64)
        return np.uint64(LEDGER_BASE) + seen * np.uint64(SUM_GAP)
    next_version = np.where(held.exists, held.version + np.uint64(1), np.uint64(0))
    return np.maximum(np.uint64(stamp.revision), next_version)


def _written(kinds: npt.NDArray[np.str_], rows: pd.DataFrame, interval_s: int) -> Written:
    """What became of rows; of the ledger's sums none is older, and unchanged are those in which a contact changed."""
    starts, changes, ledger = rows["start"].to_numpy(), Changes(), "counted" in rows
    for kind in np.unique(kinds).tolist():
        if kind != "older" or not ledger:
            kind_starts = starts[kinds == kind]
            changes.add(kind, len(kind_starts), int(kind_starts.min()), int(kind_starts.max()))
    counted = kinds[rows["counted"].to_numpy()] if ledger else kinds
    return changes.written(interval_s, int((counted == "same").sum()))
