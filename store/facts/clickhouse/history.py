"""`store.facts.history.History` over ClickHouse: one server, or a cluster of shards and replicas.

A channel lives on one shard, so a write is one insert on one server, on most of its replicas when the call returns. It
is there whole or not at all (by partition, if a batch spans several); repeated, it changes nothing. Any number of
processes write at once. A cluster that does not answer raises StoreUnreachable; `holdings` says which servers lag.
"""
# ruff: noqa: S608 - statements are put together from constants and integer codes, never from text that came in.

from collections.abc import Iterator, Sequence
from datetime import datetime
from threading import Lock
from typing import Any

import numpy as np
import pandas as pd

from config.catalogue import Catalogue
from metrics.observations import Interval
from store.facts.clickhouse import kept_aside
from store.facts.clickhouse.address import Address, Send
from store.facts.clickhouse.forgetting import forget_before
from store.facts.clickhouse.names import HashedNames, code
from store.facts.clickhouse.servers import Servers
from store.facts.clickhouse.sum_queries import SHOWN, sum_statement
from store.facts.clickhouse.writing import Writer
from store.facts.history import ROW_COLUMNS, Announce, BatchStamp, Holdings, SumQuery, Written, no_listener
from store.facts.shared import progress
from store.facts.shared.encoding import KEYS
from store.facts.shared.names import Name
from store.facts.shared.rows import with_names
from store.facts.shared.seconds import moment, second, second_from
from store.facts.shared.sum_queries import code_list, within
from store.faults import StoreUnreachable

ATTEMPTS = 10
NEWEST_COLUMNS = {
    "value": ("value", np.float64),
    "reported": ("reported", np.bool_),
    "revision": ("revision", np.int64),
    "received_at": ("since", np.int64),
}
"""What the newest version of a row says: its column in the table, and its type."""


class ClickHouseHistory:
    """Facts in one ClickHouse database; any number of processes may hold it; raises StoreUnreachable."""

    def __init__(self, url: str, catalogue: Catalogue, send: Send | None = None) -> None:
        """Open or make the tables on every server that answers; `send` instead of HTTP for an engine in process."""
        self._catalogue, address = catalogue, Address.of(url)
        self._servers = Servers(address, send or address.send)
        self._names = HashedNames(catalogue, self._saved_names)
        self._writer = Writer(self._servers, self._names, catalogue)
        self._writes = Lock()

    def write(self, stamp: BatchStamp, observations: pd.DataFrame) -> Written:
        """See `History.write`."""
        return self.write_all([(stamp, observations)])[0]

    def write_all(self, tables: Sequence[tuple[BatchStamp, pd.DataFrame]]) -> tuple[Written, ...]:
        """See `History.write_all`."""
        with self._writes:
            return self._writer.write_all(tables)

    def withdraw(self, stamp: BatchStamp, keys: pd.DataFrame) -> Written:
        """See `History.withdraw`."""
        with self._writes:
            return self._writer.withdraw(stamp, keys)

    def contribute(self, stamp: BatchStamp, contributions: pd.DataFrame, announce: Announce = no_listener) -> Written:
        """See `History.contribute`."""
        with self._writes:
            return self._writer.contribute(stamp, contributions, announce)

    def totals(self, question: SumQuery) -> pd.DataFrame:
        """See `History.totals`."""
        if any(name in self._catalogue.dimensions for name in (*question.group, *question.where)):
            self._names.refresh()
        statement = sum_statement(question, self._catalogue, self._names, self._servers.distributed_table("fact"))
        found = self._servers.query(statement.sql, by_shard=True)
        for position, name in enumerate(question.group):
            if name in ("channel", "region"):
                found[f"key_{position}"] = self._names.local_codes(name, found[f"key_{position}"])
        found["measure"] = self._names.local_codes("measure", found["measure"])
        return statement.read(found, self._names.local)

    def observations(
        self,
        interval: Interval,
        channels: Sequence[str] | None = None,
        as_known_at: datetime | None = None,
        columns: Sequence[str] = ROW_COLUMNS,
    ) -> pd.DataFrame:
        """See `History.observations`."""
        found = self._rows(self._where(interval, channels, as_known_at), "batch" in columns)
        for kind in ("channel", *KEYS[:3]):
            found[kind] = self._names.local_codes(kind, found[kind])
        for name, (newest, number) in NEWEST_COLUMNS.items():
            found[name] = found[f"newest_{newest}"].astype(number, copy=False)
        return with_names(found, self._names.local, columns)

    def _rows(self, where: str, with_batches: bool) -> dict[str, Any]:
        """The newest rows, and the batches that they name.

        Between the two questions rows may be merged away, or another replica may answer that has not all of them: then
        both are asked again.
        """
        table = self._servers.distributed_table("fact")
        newest = "".join(
            f", argMax({name}, version) AS newest_{name}" for name, _ in NEWEST_COLUMNS.values() if name != "value"
        )
        batch_hash = ", cityHash64(argMax(batch, version)) AS batch_hash" if with_batches else ""
        shown = SHOWN.format(columns=newest + batch_hash, table=table, where=where)
        for _ in range(ATTEMPTS):
            found: dict[str, Any] = self._servers.query(f"SELECT * FROM ({shown}) AS shown", by_shard=True)
            if not with_batches:
                return found
            batches = self._servers.query(
                f"SELECT DISTINCT cityHash64(batch) AS batch_hash, batch FROM {table} WHERE {where}"
            )
            labels = dict(zip(batches["batch_hash"].tolist(), batches["batch"], strict=True))
            positions, used = pd.factorize(found["batch_hash"])
            if labels.keys() >= set(used.tolist()):
                categories = pd.Index([labels[batch_hash] for batch_hash in used.tolist()], dtype="str")
                found["batch"] = pd.Categorical.from_codes(positions, categories=categories)
                return found
        raise StoreUnreachable("the ClickHouse servers do not agree on what they hold yet: ask again")

    def keep_aside(self, stamp: BatchStamp, table: pd.DataFrame) -> int:
        """See `History.keep_aside`."""
        with self._writes:
            shard = self._servers.shard_of(code("channel", stamp.channel))
            return self._servers.write(shard, lambda server: kept_aside.keep(self._servers, server, stamp, table))

    def aside(self, channel: str | None = None, received: Interval | None = None, limit: int = 1000) -> pd.DataFrame:
        """See `History.aside`."""
        return kept_aside.read(self._servers, channel, received, limit)

    def last_starts(self) -> pd.DataFrame:
        """See `History.last_starts`."""
        found = self._servers.query(
            f"SELECT channel, source, max(version) AS latest FROM {self._servers.distributed_table('progress')} AS f"
            " GROUP BY channel, source ORDER BY channel, source"
        )
        latest = found["latest"].astype(np.uint64)
        starts, received = latest >> np.uint64(32), latest & np.uint64(2**32 - 1)
        return progress.as_frame(found["channel"], found["source"], starts, received)

    def forget(self, before: datetime) -> int:
        """See `History.forget`."""
        limit = second_from(before)
        with self._writes:
            deleted = sum(rows for rows, _, _ in self._days(f"start < {limit}"))
            for shard in range(1, self._servers.shards + 1):
                forget_before(self._servers, shard, limit)
        return deleted

    def tidy(self) -> None:
        """See `History.tidy`: ClickHouse does it by itself."""

    def holdings(self) -> Holdings:
        """See `History.holdings`."""
        database = self._servers.address.database
        statement = f"SELECT sum(bytes_on_disk) AS size FROM system.parts WHERE active AND database = '{database}'"
        states = self._servers.states()
        answering = (server.server for server in states if server.state != "away")
        size = sum(int(self._servers.query_server(server, statement)["size"].sum()) for server in answering)
        lacking = tuple(f"{server.server} {server.state}" for server in states if server.state != "whole")
        days = list(self._days("1"))
        if not days:
            return Holdings(0, size, None, None, lacking)
        rows, oldest, newest = zip(*days, strict=True)
        return Holdings(sum(rows), size, moment(min(oldest)), moment(max(newest)), lacking)

    def close(self) -> None:
        """See `History.close`: nothing is held open."""

    def _where(self, interval: Interval, channels: Sequence[str] | None, as_known_at: datetime | None) -> str:
        codes = self._names.find("channel", self._catalogue.channels if channels is None else channels)
        known = "" if as_known_at is None else f" AND since <= {second(as_known_at)}"
        return f"channel IN ({code_list(codes)}) AND {within('start', interval)}{known}"

    def _days(self, where: str) -> Iterator[tuple[int, int, int]]:
        """Number, first and last start of the observations of each day: a day's keys fit in memory, all may not."""
        table = self._servers.distributed_table("fact")
        days = self._servers.query(f"SELECT DISTINCT intDiv(start, 86400) AS day FROM {table} WHERE {where}")["day"]
        for day in days:
            shown = SHOWN.format(columns="", table=table, where=f"{where} AND intDiv(start, 86400) = {day}")
            statement = f"SELECT count() AS rows, min(start) AS oldest, max(start) AS newest FROM ({shown}) AS shown"
            found = self._servers.query(statement, by_shard=True)
            if found["rows"].any():
                yield int(found["rows"][0]), int(found["oldest"][0]), int(found["newest"][0])

    def _saved_names(self) -> Iterator[Name]:
        found = self._servers.query(
            f"SELECT DISTINCT kind, code, label FROM {self._servers.distributed_table('name')} AS f"
        )
        return zip(found["kind"], found["code"].tolist(), found["label"], strict=True)
