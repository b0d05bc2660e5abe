"""The way in: a table becomes codes, is laid beside what its shard holds, and what is new of it is inserted.

Nothing is read back that is not needed: of an interval that is there for the first time nothing is held.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from config.catalogue import Catalogue
from store.facts.clickhouse import contacts
from store.facts.clickhouse.kept_aside import constant
from store.facts.clickhouse.merging import line_up, versions
from store.facts.clickhouse.names import HashedNames, code
from store.facts.clickhouse.native import Columns
from store.facts.clickhouse.servers import Servers
from store.facts.history import Announce, BatchStamp, Written, to_nobody
from store.facts.shared.encoding import KEYS, Encoder, last_of_each_key
from store.facts.shared.ledger import peak_measures
from store.facts.shared.names import Name
from store.facts.shared.seconds import second
from store.facts.shared.stamps import CodedStamp
from store.facts.shared.sum_queries import listed
from store.faults import BadTable

AT_ONCE = 90
"""Partitions of one insert: servers refuse more than a hundred."""

_HELD = """
SELECT measure, region, dimension, start, argMax(value, version) AS was, argMax(revision, version) AS was_revision,
    argMax(since, version) AS was_since, max(version) AS was_version
FROM {table} AS f WHERE channel = {channel} AND start IN ({starts}) GROUP BY measure, region, dimension, start"""

_HELD_KINDS = {**contacts.KEY_KINDS, "was": "f8", "was_revision": "i8", "was_since": "i8", "was_version": "u8"}


@dataclass(frozen=True)
class Writer:
    """Writes of one process, one at a time."""

    servers: Servers
    names: HashedNames
    catalogue: Catalogue

    def write_all(self, tables: Sequence[tuple[BatchStamp, pd.DataFrame]]) -> tuple[Written, ...]:
        """See `History.write_all`."""
        frames = [self._encoder(stamp).observations(rows) for stamp, rows in tables]
        return tuple(self._put(stamp, frame, forced=False) for (stamp, _), frame in zip(tables, frames, strict=True))

    def withdraw(self, stamp: BatchStamp, keys: pd.DataFrame) -> Written:
        """See `History.withdraw`."""
        return self._put(stamp, self._encoder(stamp).withdrawn(keys), forced=True)

    def contribute(self, stamp: BatchStamp, contributions: pd.DataFrame, announce: Announce) -> Written:
        """See `History.contribute`."""
        given = self._encoder(stamp).contributions(contributions)
        if given.empty:
            return Written()
        fresh, rows = self.names.unsaved(given, stamp.channel), self._stored(given)
        rows["contact"] = contacts.digested(given["contact"])
        rows = contacts.one_row_a_place(rows, self._peaks())

        def enter(server: str) -> Written:
            self._save_names(server, fresh)
            return self._enter(server, stamp, rows, announce)

        return self.servers.write(self._shard(stamp), enter)

    def _put(self, stamp: BatchStamp, frame: pd.DataFrame, forced: bool) -> Written:
        """Add what a frame of local codes changes."""
        if frame.empty:
            return Written()
        kept, repeated = last_of_each_key(frame)
        fresh, rows = self.names.unsaved(kept, stamp.channel), self._stored(kept)

        def put(server: str) -> Written:
            self._save_names(server, fresh)
            return self._merge(server, stamp, rows, forced)

        return replace(self.servers.write(self._shard(stamp), put), repeated=repeated)

    def _enter(self, server: str, stamp: BatchStamp, rows: pd.DataFrame, announce: Announce) -> Written:
        """Add contacts to the ledger and sum what they touch."""
        channel, table = code("channel", stamp.channel), self.servers.here("contribution")

        def ask(asked: str) -> Columns:
            return self.servers.ask_one(server, asked)

        known = contacts.held(ask, table, channel, rows["contact"].unique())
        added, same, older = contacts.changes(rows, known, stamp.revision)
        if len(added):
            self.servers.insert_rows(server, "contribution", self._ledger_rows(stamp, added))
            now = contacts.held(ask, table, channel, added["contact"].unique())
            moved = contacts.overtaken(now)
            if len(moved):
                self.servers.insert_rows(server, "contribution", self._ledger_rows(stamp, moved))
            known, added = pd.concat([known, now]), pd.concat([added, moved])
        keys = contacts.touched(rows, known, added)
        sums = self._with_reported(stamp, contacts.summed(ask, table, channel, keys, self._peaks()))
        written = self._merge(server, stamp, sums, forced=True, announce=announce)
        return replace(written, unchanged=written.unchanged + same, superseded_older=older)

    def _merge(
        self, server: str, stamp: BatchStamp, rows: pd.DataFrame, forced: bool, announce: Announce = to_nobody
    ) -> Written:
        """Lay rows beside what is held, insert the versions that are new, and note how far the source has come."""
        coded = CodedStamp.of(stamp, code("channel", stamp.channel), stamp.batch, self.catalogue)
        starts = listed(pd.unique(rows["start"]))
        asked = _HELD.format(table=self.servers.here("fact"), channel=coded.channel, starts=starts)
        found = contacts.frame(self.servers.ask_one(server, asked), _HELD_KINDS)
        fresh, written = versions(rows, line_up(rows, found), coded, forced)
        if written.touched is not None:
            announce(written.touched)
        for part in self._parts(fresh):
            self.servers.insert_rows(server, "fact", self._fact_rows(coded, part))
        latest = np.array([int(rows["start"].max()) << 32 | coded.received_at], dtype=np.uint64)
        source = {name: constant(getattr(stamp, name), 1) for name in ("channel", "source")}
        self.servers.insert_rows(server, "progress", {**source, "version": latest})
        return written

    def _parts(self, fresh: pd.DataFrame) -> Iterable[pd.DataFrame]:
        """Rows by few enough partitions."""
        if fresh.empty:
            return []
        days = fresh["start"].to_numpy() // (86_400 * self.servers.address.days)
        if days.max() - days.min() < AT_ONCE:
            return [fresh]
        return [part for _, part in fresh.groupby(days // AT_ONCE)]

    def _fact_rows(self, coded: CodedStamp, rows: pd.DataFrame) -> dict[str, object]:
        kinds = {"value": "f8", "reported": "u1", "revision": "i8", "since": "u4", "version": "u8"}
        return {
            "channel": np.full(len(rows), coded.channel, dtype=np.uint32),
            **{name: rows[name].to_numpy() for name in KEYS},
            **{name: rows[name].to_numpy().astype(kind) for name, kind in kinds.items()},
            "batch": constant(str(coded.batch), len(rows)),
        }

    def _ledger_rows(self, stamp: BatchStamp, rows: pd.DataFrame) -> dict[str, object]:
        length = len(rows)
        return {
            "channel": np.full(length, code("channel", stamp.channel), dtype=np.uint32),
            **{name: rows[name].to_numpy() for name in KEYS},
            "contact": rows["contact"].to_numpy().astype("S16"),
            "value": rows["value"].to_numpy(),
            "parts": rows["parts"].to_numpy(),
            "revision": rows["revision"].to_numpy().astype(np.int64),
            "received": np.full(length, second(stamp.received_at), dtype=np.uint32),
        }

    def _stored(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A frame of local codes with those of the tables."""
        starts = frame["start"].to_numpy()
        if starts.min() < 0 or starts.max() >= 2**32:
            raise BadTable("ClickHouse keeps intervals from 1970 to 2106")
        codes = {kind: self.names.stored(kind, frame[kind].to_numpy()) for kind in KEYS[:3]}
        others = {name: frame[name].to_numpy() for name in ("value", "reported") if name in frame}
        return pd.DataFrame({**codes, "start": starts.astype(np.uint32), **others})

    def _with_reported(self, stamp: BatchStamp, sums: pd.DataFrame) -> pd.DataFrame:
        local = pd.DataFrame({kind: self.names.locals(kind, sums[kind].to_numpy()) for kind in KEYS[:3]})
        return sums.assign(reported=self._encoder(stamp).with_reported(local)["reported"].to_numpy())

    def _save_names(self, server: str, fresh: list[Name]) -> None:
        """Keep names before the rows that use them; another writer's clash shows when they are read back."""
        if not fresh:
            return
        kinds, codes, labels = zip(*fresh, strict=True)
        row = {"kind": pd.Categorical(kinds), "code": np.array(codes, dtype=np.uint64), "label": pd.Categorical(labels)}
        self.servers.insert_rows(server, "name", row)
        self.names.refresh()

    def _shard(self, stamp: BatchStamp) -> int:
        return self.servers.shard_of(code("channel", stamp.channel))

    def _encoder(self, stamp: BatchStamp) -> Encoder:
        return Encoder(self.catalogue, self.names.local, stamp)

    def _peaks(self) -> list[int]:
        return self.names.find("measure", peak_measures(self.catalogue))
