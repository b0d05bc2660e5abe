"""The way in: a table becomes codes, is compared to what its shard holds, and what is new of it is inserted.

Nothing is read back that is not needed: of an interval that is there for the first time nothing is held.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from config.catalogue import Catalogue
from store.facts.clickhouse import contacts
from store.facts.clickhouse.kept_aside import constant
from store.facts.clickhouse.merging import held_versions, new_versions
from store.facts.clickhouse.names import HashedNames, code
from store.facts.clickhouse.native import Columns
from store.facts.clickhouse.servers import Servers
from store.facts.history import Announce, BatchStamp, Written, no_listener
from store.facts.shared.encoding import KEYS, Encoder, last_of_each_key
from store.facts.shared.ledger import peak_measures
from store.facts.shared.names import Name
from store.facts.shared.seconds import second
from store.facts.shared.stamps import CodedStamp
from store.facts.shared.sum_queries import code_list
from store.faults import BadTable

PARTITIONS_AN_INSERT = 90
"""Partitions of one insert: servers refuse more than a hundred."""

_HELD = """
SELECT measure, region, dimension, start, argMax(value, version) AS held_value,
    argMax(revision, version) AS held_revision, argMax(since, version) AS held_since, max(version) AS held_version
FROM {table} AS f WHERE channel = {channel} AND start IN ({starts}) GROUP BY measure, region, dimension, start"""

_HELD_TYPES = {
    **contacts.KEY_TYPES,
    "held_value": "f8",
    "held_revision": "i8",
    "held_since": "i8",
    "held_version": "u8",
}


@dataclass(frozen=True)
class Writer:
    """Writes of one process, one at a time."""

    servers: Servers
    names: HashedNames
    catalogue: Catalogue

    def write_all(self, tables: Sequence[tuple[BatchStamp, pd.DataFrame]]) -> tuple[Written, ...]:
        """See `History.write_all`."""
        frames = [self._encoder(stamp).observations(rows) for stamp, rows in tables]
        return tuple(self._write(stamp, frame, forced=False) for (stamp, _), frame in zip(tables, frames, strict=True))

    def withdraw(self, stamp: BatchStamp, keys: pd.DataFrame) -> Written:
        """See `History.withdraw`."""
        return self._write(stamp, self._encoder(stamp).withdrawn(keys), forced=True)

    def contribute(self, stamp: BatchStamp, contributions: pd.DataFrame, announce: Announce) -> Written:
        """See `History.contribute`."""
        given = self._encoder(stamp).contributions(contributions)
        if given.empty:
            return Written()
        fresh, rows = self.names.unsaved(given, stamp.channel), self._with_stored_codes(given)
        rows["contact"] = contacts.digested(given["contact"])
        rows = contacts.one_row_a_key(rows, self._peaks())

        def contribute_rows(server: str) -> Written:
            self._save_names(server, fresh)
            return self._contribute(server, stamp, rows, announce)

        return self.servers.write(self._shard(stamp), contribute_rows)

    def _write(self, stamp: BatchStamp, frame: pd.DataFrame, forced: bool) -> Written:
        """Add what a frame of local codes changes."""
        if frame.empty:
            return Written()
        kept, repeated = last_of_each_key(frame)
        fresh, rows = self.names.unsaved(kept, stamp.channel), self._with_stored_codes(kept)

        def write_rows(server: str) -> Written:
            self._save_names(server, fresh)
            return self._merge(server, stamp, rows, forced)

        return replace(self.servers.write(self._shard(stamp), write_rows), repeated=repeated)

    def _contribute(self, server: str, stamp: BatchStamp, rows: pd.DataFrame, announce: Announce) -> Written:
        """Add contacts to the ledger and sum what they touch."""
        channel, table = code("channel", stamp.channel), self.servers.local_table("contribution")

        def query(statement: str) -> Columns:
            return self.servers.query_server(server, statement)

        known = contacts.held_contacts(query, table, channel, rows["contact"].unique())
        added, same, older = contacts.ledger_changes(rows, known, stamp.revision)
        if len(added):
            self.servers.insert_rows(server, "contribution", self._ledger_rows(stamp, added))
            reread = contacts.held_contacts(query, table, channel, added["contact"].unique())
            moved = contacts.overtaken(reread)
            if len(moved):
                self.servers.insert_rows(server, "contribution", self._ledger_rows(stamp, moved))
            known, added = pd.concat([known, reread]), pd.concat([added, moved])
        keys = contacts.touched_keys(rows, known, added)
        sums = self._with_reported(stamp, contacts.key_sums(query, table, channel, keys, self._peaks()))
        written = self._merge(server, stamp, sums, forced=True, announce=announce)
        return replace(written, unchanged=written.unchanged + same, superseded_older=older)

    def _merge(
        self, server: str, stamp: BatchStamp, rows: pd.DataFrame, forced: bool, announce: Announce = no_listener
    ) -> Written:
        """Compare rows to what is held, insert the versions that are new, and note how far the source has come."""
        coded = CodedStamp.of(stamp, code("channel", stamp.channel), stamp.batch, self.catalogue)
        starts = code_list(pd.unique(rows["start"]))
        statement = _HELD.format(table=self.servers.local_table("fact"), channel=coded.channel, starts=starts)
        found = contacts.typed_frame(self.servers.query_server(server, statement), _HELD_TYPES)
        fresh, written = new_versions(rows, held_versions(rows, found), coded, forced)
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
        if days.max() - days.min() < PARTITIONS_AN_INSERT:
            return [fresh]
        return [part for _, part in fresh.groupby(days // PARTITIONS_AN_INSERT)]

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

    def _with_stored_codes(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A frame of local codes with those of the tables."""
        starts = frame["start"].to_numpy()
        if starts.min() < 0 or starts.max() >= 2**32:
            raise BadTable("ClickHouse keeps intervals from 1970 to 2106")
        codes = {kind: self.names.stored_codes(kind, frame[kind].to_numpy()) for kind in KEYS[:3]}
        others = {name: frame[name].to_numpy() for name in ("value", "reported") if name in frame}
        return pd.DataFrame({**codes, "start": starts.astype(np.uint32), **others})

    def _with_reported(self, stamp: BatchStamp, sums: pd.DataFrame) -> pd.DataFrame:
        local = pd.DataFrame({kind: self.names.local_codes(kind, sums[kind].to_numpy()) for kind in KEYS[:3]})
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
