"""Which server is asked, which replica is written to, and what happens when one is away.

1. Reads go to any server; on a cluster it asks one replica of every shard, never one that is known to be behind.
2. A write goes to one replica of its channel's shard that holds everything its shard was told, and is repeated as a
   whole on the next one if that replica goes away in between: the same rows twice are the same rows.
3. An insert returns when most replicas have the rows. If too few are there for PATIENCE_S it is made with those there
   are, and `standing` says so until the others have caught up, which they do by themselves.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Literal, TypeVar

from store.facts.clickhouse.address import Address, Send
from store.facts.clickhouse.native import Columns, block, columns
from store.facts.clickhouse.schema import statements
from store.faults import StatementRefused, StoreUnreachable

log = logging.getLogger("watchfloor.clickhouse")

Done = TypeVar("Done")
Rows = Mapping[str, object]

PATIENCE_S = 5.0
"""How long an insert tries to reach most replicas, and a replica is given to catch up."""
ALONE_S = 10.0
"""After an insert without the others, how long the next ones do not try; how long a server that was away comes last."""
QUORUM_S = 2.0
"""How long a server waits for the other replicas before it says so."""
PAUSE_S = 0.02

QUORUM_REFUSED = (285, 286, 289, 319)
"""Too few replicas, an earlier insert that still waits for its replicas, not in the quorum, no word from the others."""

_STANDING = """
SELECT toInt64(max(total_replicas)) AS replicas, toInt64(min(active_replicas)) AS active,
    toInt64(max(is_readonly)) AS readonly,
    toInt64(countIf((log_pointer <= log_max_index AND log_max_index > 0) OR inserts_in_queue > 0)) AS behind
FROM system.replicas WHERE database = '{database}'"""
"""The pointer is at the next entry of the shard's log; both are 0 before the first."""

_UNDONE = """
SELECT toInt64(count()) AS undone FROM system.replication_queue
WHERE database = '{database}' AND type <> 'MERGE_PARTS'"""


@dataclass(frozen=True)
class ServerState:
    """How one server stands: whole, behind (it is catching up), or away (it does not answer, or has no ZooKeeper)."""

    server: str
    shard: int
    """0: not known yet, because the server has not answered since this process began."""
    state: Literal["whole", "behind", "away"]


class Servers:
    """The servers of one address; safe for several threads."""

    def __init__(self, address: Address, send: Send) -> None:
        self.address, self._send = address, send
        self._shards: dict[str, int] = {}
        self._alone: dict[int, float] = {}
        self._away: dict[str, float] = {}
        self._most: dict[int, int] = {}
        self._meeting = Lock()
        self.shards = self._count_shards()

    def everywhere(self, table: str) -> str:
        """A table with the rows of all shards."""
        return f"{self.address.database}.{'every_' if self.address.cluster else ''}{table}"

    def here(self, table: str) -> str:
        """A table with the rows of the shard of the server that is asked."""
        return f"{self.address.database}.{table}"

    def ask(self, statement: str, apart: bool = False) -> Columns:
        """An answer from any server that can give it.

        `apart`: what reads a table of all shards groups by keys that live on one of them, so each shard
        ends that part by itself, and only its rows travel; their order is then up to what is around it.
        """
        settings = {}
        if self.address.cluster:
            settings = {"max_replica_delay_for_distributed_queries": 1, "distributed_group_by_no_merge": int(apart)}
        first = os.getpid() % len(self.address.servers)
        servers = [*self.address.servers[first:], *self.address.servers[:first]]
        return self._first(servers, lambda server: self.ask_one(server, statement, settings))

    def ask_one(self, server: str, statement: str, settings: Mapping[str, str | int] | None = None) -> Columns:
        """An answer from one server."""
        self._meet(server)
        return columns(self._send(server, f"{statement} FORMAT Native", settings or {}, None))

    def tell(self, server: str, statement: str) -> None:
        """Let one server do something."""
        self._send(server, statement, {}, None)

    def shard_of(self, channel: int) -> int:
        """The shard of a channel: codes are hashes, so each shard has an equal stretch of them."""
        return channel * self.shards // 2**32 + 1

    def write(self, shard: int, work: Callable[[str], Done]) -> Done:
        """Let work read and write on one whole replica of a shard; it may be begun again on another."""
        return self._first(list(self.of_shard(shard)), lambda server: self._on_whole(server, work))

    def of_shard(self, shard: int) -> Iterator[str]:
        """The servers of a shard that answer."""
        for server in self.address.servers:
            if server not in self._shards and self._was_away(server):
                continue
            try:
                if self._meet(server) == shard:
                    yield server
            except StoreUnreachable:
                self._away[server] = time.monotonic()

    def answering(self) -> Iterator[str]:
        """The servers that answer."""
        for shard in range(1, self.shards + 1):
            yield from self.of_shard(shard)

    def insert_rows(self, server: str, table: str, rows: Rows) -> None:
        """Insert columns on a server."""
        self.insert(server, f"INSERT INTO {self.here(table)} FORMAT Native", block(rows))

    def insert(self, server: str, statement: str, body: bytes | None) -> None:
        """Let a server insert: on most replicas of its shard if they can be had."""
        if not self.address.cluster:
            self._send(server, statement, {}, body)
            return
        shard, since = self._meet(server), time.monotonic()
        most = self._quorum(server, shard)
        settings = {"insert_quorum": most, "insert_quorum_timeout": int(QUORUM_S * 1000), "insert_deduplicate": 0}
        while time.monotonic() >= self._alone.get(shard, 0.0):
            try:
                self._send(server, statement, settings, body)
            except StatementRefused as refusal:
                if refusal.code not in QUORUM_REFUSED:
                    raise
                if self._has_had_time(server, most, time.monotonic() - since):
                    if shard not in self._alone:
                        log.warning("ClickHouse shard %d: %s writes without the others (%s)", shard, server, refusal)
                    self._alone[shard] = time.monotonic() + ALONE_S
                time.sleep(PAUSE_S)
            else:
                if self._alone.pop(shard, None) is not None:
                    log.warning("ClickHouse shard %d: most replicas take writes again", shard)
                return
        self._send(server, statement, {"insert_quorum": 0, "insert_deduplicate": 0}, body)

    def standing(self) -> tuple[ServerState, ...]:
        """How every server of the cluster stands now."""
        return tuple(self._standing(server) for server in self.address.servers)

    def settle(self, shard: int) -> None:
        """Wait until every replica of a shard that answers has done what it was told to do."""
        for server in self.of_shard(shard):
            undone = _UNDONE.format(database=self.address.database)
            while self.ask_one(server, undone)["undone"].sum():
                time.sleep(PAUSE_S)

    def _standing(self, server: str) -> ServerState:
        try:
            shard = self._meet(server)
            found = self.ask_one(server, _STANDING.format(database=self.address.database))
        except (StoreUnreachable, StatementRefused):
            return ServerState(server, self._shards.get(server, 0), "away")
        if found["readonly"].any():
            return ServerState(server, shard, "away")
        return ServerState(server, shard, "behind" if found["behind"].any() else "whole")

    def _on_whole(self, server: str, work: Callable[[str], Done]) -> Done:
        """Do work on a replica once it holds all that its shard was told."""
        until = time.monotonic() + PATIENCE_S
        while self.address.cluster and (state := self._standing(server).state) != "whole":
            if state == "away" or time.monotonic() > until:
                raise StoreUnreachable(f"{server} is {state}: it takes no writes")
            time.sleep(PAUSE_S)
        return work(server)

    def _has_had_time(self, server: str, most: int, waited_s: float) -> bool:
        """Whether to go on without the others: they are away, or are not but have not had the rows for long."""
        if waited_s < PATIENCE_S:
            return False
        active = int(self.ask_one(server, _STANDING.format(database=self.address.database))["active"][0])
        return active < most or waited_s > 4 * PATIENCE_S

    def _quorum(self, server: str, shard: int) -> int:
        """Most of the replicas of a shard."""
        if shard not in self._most:
            replicas = self.ask_one(server, _STANDING.format(database=self.address.database))["replicas"]
            self._most[shard] = int(replicas[0]) // 2 + 1
        return self._most[shard]

    def _first(self, servers: "list[str] | tuple[str, ...]", work: Callable[[str], Done]) -> Done:
        """What the first server gives that is not away; raises StoreUnreachable when all are."""
        reasons = []
        for server in sorted(servers, key=self._was_away):
            try:
                return work(server)
            except StoreUnreachable as away:
                self._away[server] = time.monotonic()
                reasons.append(str(away))
        asked = ", ".join(self.address.servers)
        raise StoreUnreachable(f"ClickHouse: {'; '.join(reasons) or f'no server of this shard answers ({asked})'}")

    def _was_away(self, server: str) -> bool:
        return time.monotonic() < self._away.get(server, -ALONE_S) + ALONE_S

    def _meet(self, server: str) -> int:
        """The shard of a server, whose tables are made when it is seen for the first time."""
        with self._meeting:
            if server not in self._shards:
                for statement in statements(self.address):
                    self.tell(server, statement)
                self._shards[server] = self._ask_shard(server) if self.address.cluster else 1
            return self._shards[server]

    def _ask_shard(self, server: str) -> int:
        asked = "SELECT substitution FROM system.macros WHERE macro = 'shard' FORMAT Native"
        found = columns(self._send(server, asked, {}, None))["substitution"]
        if not len(found):
            raise ValueError(f"{server} has no macro named shard")
        return int(found[0])

    def _count_shards(self) -> int:
        cluster = self.address.cluster
        if cluster is None:
            return 1
        asked = f"SELECT toInt64(max(shard_num)) AS shards FROM system.clusters WHERE cluster = '{cluster}'"  # noqa: S608
        shards = int(self._first(self.address.servers, lambda server: self.ask_one(server, asked))["shards"][0])
        if shards == 0:
            raise ValueError(f"ClickHouse knows no cluster {cluster!r} (remote_servers in its configuration)")
        return shards
