"""Which server is asked, which replica is written to, and what happens when one is away.

1. Reads go to any server; on a cluster it asks one replica of every shard, never one that is known to be behind.
2. A write goes to one replica of its channel's shard that holds everything that its shard was sent, and is repeated
   as a whole on the next one if that replica goes away in between: the same rows twice are the same rows.
3. An insert returns when most replicas have the rows. If too few are there for PATIENCE_S it is made with those there
   are, and `states` says so until the others have caught up, which they do by themselves.
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

Result = TypeVar("Result")
Rows = Mapping[str, object]

PATIENCE_S = 5.0
"""How long an insert tries to reach most replicas, and a replica is given to catch up."""
WITHOUT_QUORUM_S = 10.0
"""After an insert without the others, how long the next ones do not try; how long a server that was away comes last."""
QUORUM_S = 2.0
"""How long a server waits for the other replicas before it says so."""
PAUSE_S = 0.02

QUORUM_REFUSED = (285, 286, 289, 319)
"""Too few replicas, an earlier insert that still waits for its replicas, not in the quorum, no word from the others."""

_REPLICA_STATE = """
SELECT toInt64(max(total_replicas)) AS replicas, toInt64(min(active_replicas)) AS active,
    toInt64(max(is_readonly)) AS readonly,
    toInt64(countIf((log_pointer <= log_max_index AND log_max_index > 0) OR inserts_in_queue > 0)) AS behind
FROM system.replicas WHERE database = '{database}'"""
"""The pointer is at the next entry of the shard's log; both are 0 before the first."""

_UNFINISHED = """
SELECT toInt64(count()) AS unfinished FROM system.replication_queue
WHERE database = '{database}' AND type <> 'MERGE_PARTS'"""


@dataclass(frozen=True)
class ServerState:
    """The state of one server: whole, behind (it is catching up), or away (it does not answer, or has no ZooKeeper)."""

    server: str
    shard: int
    """0: not known yet, because the server has not answered since this process began."""
    state: Literal["whole", "behind", "away"]


class Servers:
    """The servers of one address; safe for several threads."""

    def __init__(self, address: Address, send: Send) -> None:
        self.address, self._send = address, send
        self._shards: dict[str, int] = {}
        self._without_quorum: dict[int, float] = {}
        self._away: dict[str, float] = {}
        self._quorums: dict[int, int] = {}
        self._preparing = Lock()
        self.shards = self._count_shards()

    def distributed_table(self, table: str) -> str:
        """A table with the rows of all shards."""
        return f"{self.address.database}.{'every_' if self.address.cluster else ''}{table}"

    def local_table(self, table: str) -> str:
        """A table with the rows of the shard of the server that is asked."""
        return f"{self.address.database}.{table}"

    def query(self, statement: str, by_shard: bool = False) -> Columns:
        """An answer from any server that can give it.

        `by_shard`: what reads a table of all shards groups by keys that live on one of them, so each shard
        ends that part by itself, and only its rows travel; their order is then up to what is around it.
        """
        settings = {}
        if self.address.cluster:
            settings = {"max_replica_delay_for_distributed_queries": 1, "distributed_group_by_no_merge": int(by_shard)}
        first = os.getpid() % len(self.address.servers)
        servers = [*self.address.servers[first:], *self.address.servers[:first]]
        return self._first_answer(servers, lambda server: self.query_server(server, statement, settings))

    def query_server(self, server: str, statement: str, settings: Mapping[str, str | int] | None = None) -> Columns:
        """An answer from one server."""
        self._shard_of_server(server)
        return columns(self._send(server, f"{statement} FORMAT Native", settings or {}, None))

    def execute(self, server: str, statement: str) -> None:
        """Let one server execute a statement."""
        self._send(server, statement, {}, None)

    def shard_of(self, channel: int) -> int:
        """The shard of a channel: codes are hashes, so each shard has an equal stretch of them."""
        return channel * self.shards // 2**32 + 1

    def write(self, shard: int, work: Callable[[str], Result]) -> Result:
        """Let work read and write on one whole replica of a shard; it may be begun again on another."""
        return self._first_answer(list(self.of_shard(shard)), lambda server: self._on_whole_replica(server, work))

    def of_shard(self, shard: int) -> Iterator[str]:
        """The servers of a shard that answer."""
        for server in self.address.servers:
            if server not in self._shards and self._was_away(server):
                continue
            try:
                if self._shard_of_server(server) == shard:
                    yield server
            except StoreUnreachable:
                self._away[server] = time.monotonic()

    def answering(self) -> Iterator[str]:
        """The servers that answer."""
        for shard in range(1, self.shards + 1):
            yield from self.of_shard(shard)

    def insert_rows(self, server: str, table: str, rows: Rows) -> None:
        """Insert columns on a server."""
        self.insert(server, f"INSERT INTO {self.local_table(table)} FORMAT Native", block(rows))

    def insert(self, server: str, statement: str, body: bytes | None) -> None:
        """Let a server insert: on most replicas of its shard if they can be had."""
        if not self.address.cluster:
            self._send(server, statement, {}, body)
            return
        shard, since = self._shard_of_server(server), time.monotonic()
        quorum = self._quorum(server, shard)
        settings = {"insert_quorum": quorum, "insert_quorum_timeout": int(QUORUM_S * 1000), "insert_deduplicate": 0}
        while time.monotonic() >= self._without_quorum.get(shard, 0.0):
            try:
                self._send(server, statement, settings, body)
            except StatementRefused as refusal:
                if refusal.code not in QUORUM_REFUSED:
                    raise
                if self._gives_up_quorum(server, quorum, time.monotonic() - since):
                    if shard not in self._without_quorum:
                        log.warning("ClickHouse shard %d: %s writes without the others (%s)", shard, server, refusal)
                    self._without_quorum[shard] = time.monotonic() + WITHOUT_QUORUM_S
                time.sleep(PAUSE_S)
            else:
                if self._without_quorum.pop(shard, None) is not None:
                    log.warning("ClickHouse shard %d: most replicas take writes again", shard)
                return
        self._send(server, statement, {"insert_quorum": 0, "insert_deduplicate": 0}, body)

    def states(self) -> tuple[ServerState, ...]:
        """The state of every server of the cluster now."""
        return tuple(self._state(server) for server in self.address.servers)

    def wait_until_done(self, shard: int) -> None:
        """Wait until every replica of a shard that answers has done what it was asked to do."""
        for server in self.of_shard(shard):
            unfinished = _UNFINISHED.format(database=self.address.database)
            while self.query_server(server, unfinished)["unfinished"].sum():
                time.sleep(PAUSE_S)

    def _state(self, server: str) -> ServerState:
        try:
            shard = self._shard_of_server(server)
            found = self.query_server(server, _REPLICA_STATE.format(database=self.address.database))
        except (StoreUnreachable, StatementRefused):
            return ServerState(server, self._shards.get(server, 0), "away")
        if found["readonly"].any():
            return ServerState(server, shard, "away")
        return ServerState(server, shard, "behind" if found["behind"].any() else "whole")

    def _on_whole_replica(self, server: str, work: Callable[[str], Result]) -> Result:
        """Do work on a replica once it holds all that its shard was sent."""
        until = time.monotonic() + PATIENCE_S
        while self.address.cluster and (state := self._state(server).state) != "whole":
            if state == "away" or time.monotonic() > until:
                raise StoreUnreachable(f"{server} is {state}: it takes no writes")
            time.sleep(PAUSE_S)
        return work(server)

    def _gives_up_quorum(self, server: str, quorum: int, waited_s: float) -> bool:
        """Whether to go on without the others: they are away, or are not but have not had the rows for long."""
        if waited_s < PATIENCE_S:
            return False
        active = int(self.query_server(server, _REPLICA_STATE.format(database=self.address.database))["active"][0])
        return active < quorum or waited_s > 4 * PATIENCE_S

    def _quorum(self, server: str, shard: int) -> int:
        """Most of the replicas of a shard."""
        if shard not in self._quorums:
            replicas = self.query_server(server, _REPLICA_STATE.format(database=self.address.database))["replicas"]
            self._quorums[shard] = int(replicas[0]) // 2 + 1
        return self._quorums[shard]

    def _first_answer(self, servers: "list[str] | tuple[str, ...]", work: Callable[[str], Result]) -> Result:
        """What the first server gives that is not away; raises StoreUnreachable when all are."""
        reasons = []
        for server in sorted(servers, key=self._was_away):
            try:
                return work(server)
            except StoreUnreachable as away:
                self._away[server] = time.monotonic()
                reasons.append(str(away))
        servers_asked = ", ".join(self.address.servers)
        raise StoreUnreachable(
            f"ClickHouse: {'; '.join(reasons) or f'no server of this shard answers ({servers_asked})'}"
        )

    def _was_away(self, server: str) -> bool:
        return time.monotonic() < self._away.get(server, -WITHOUT_QUORUM_S) + WITHOUT_QUORUM_S

    def _shard_of_server(self, server: str) -> int:
        """The shard of a server, whose tables are made when it is seen for the first time."""
        with self._preparing:
            if server not in self._shards:
                for statement in statements(self.address):
                    self.execute(server, statement)
                self._shards[server] = self._ask_shard(server) if self.address.cluster else 1
            return self._shards[server]

    def _ask_shard(self, server: str) -> int:
        statement = "SELECT substitution FROM system.macros WHERE macro = 'shard' FORMAT Native"
        found = columns(self._send(server, statement, {}, None))["substitution"]
        if not len(found):
            raise ValueError(f"{server} has no macro named shard")
        return int(found[0])

    def _count_shards(self) -> int:
        cluster = self.address.cluster
        if cluster is None:
            return 1
        query = f"SELECT toInt64(max(shard_num)) AS shards FROM system.clusters WHERE cluster = '{cluster}'"  # noqa: S608
        found = self._first_answer(self.address.servers, lambda server: self.query_server(server, query))
        shards = int(found["shards"][0])
        if shards == 0:
            raise ValueError(f"ClickHouse knows no cluster {cluster!r} (remote_servers in its configuration)")
        return shards
