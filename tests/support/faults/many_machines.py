"""The line-up of many machines: every part as often as it takes to lose one of them and go on."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import nats
import nats.errors

from store.facts.clickhouse import ClickHouseHistory
from store.facts.history import History
from tests.support.clickhouse_cluster import Cluster
from tests.support.faults.lineups import Lineup
from tests.support.faults.places import LOOPBACK, Place
from tests.support.faults.postgres_server import PostgresServer
from tests.support.faults.supervised import Supervised, valkey_answers, valkey_command
from tests.support.nats_cluster import NatsCluster
from tests.support.ports import free_port

PIPELINES, WORKERS = ("pipeline-a", "pipeline-b"), ("worker-a", "worker-b")
LEADS = "this process leads"
"""What a pipeline writes to its log when its wait is over."""
TOLD = "watchfloor-touched"
"""The queue by which workers say what they have stored."""


class ManyMachines(Lineup):
    """Two pipelines, two workers and a front; NATS of three, ClickHouse of two shards of two, PostgreSQL, Valkey."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._valkey_port = free_port()
        self.nats = NatsCluster(folder / "nats")
        self.clickhouse = Cluster(folder / "clickhouse")
        self.nats.__enter__()
        postgres = PostgresServer(folder, Place())
        self.add(postgres, self._valkey())
        shared = {
            "valkey_url": self.valkey_url,
            "nats_url": self.nats.url,
            "facts_url": self.clickhouse.url("facts"),
            "state_url": postgres.url(),
            "pseudonym_key": "the key of all workers",
        }
        parts = {**dict.fromkeys(PIPELINES, "pipeline"), **dict.fromkeys(WORKERS, "worker"), "web": "web"}
        self.add(*(self.product(name, {"role": role, **shared}) for name, role in parts.items()))

    def end(self) -> None:
        """End everything, the servers last."""
        super().end()
        self.nats.__exit__(None, None, None)
        self.clickhouse.stop()

    @property
    def valkey_url(self) -> str:
        return f"redis://{LOOPBACK}:{self._valkey_port}"

    @contextmanager
    def history(self) -> Iterator[History]:
        history = ClickHouseHistory(self.clickhouse.url("facts"), self.catalogue)
        try:
            yield history
        finally:
            history.close()

    def leading(self) -> str:
        """The pipeline that was the last to say that it leads."""
        return max(PIPELINES, key=lambda name: max(self.said(name, LEADS), default=""))

    def nats_leader(self) -> int | None:
        """The NATS server that leads the queue of what is told; None while none says so."""

        async def ask() -> str | None:
            client = await nats.connect(self.nats.url.split(","))
            try:
                told = await client.jetstream(timeout=2).stream_info(TOLD)
            except nats.errors.Error:
                return None
            finally:
                await client.close()
            return told.cluster.leader if told.cluster else None

        name = asyncio.run(ask())
        return int(name.removeprefix("n")) if name else None

    def said(self, name: str, what: str) -> list[str]:
        """The lines of a process's log that hold something; they begin with their time."""
        lines = (self.folder / f"{name}.log").read_text(encoding="utf-8").splitlines()
        return [line for line in lines if what in line]

    def _valkey(self) -> Supervised:
        command = valkey_command({"port": str(self._valkey_port), "bind": LOOPBACK, "dir": str(self.folder)})
        return Supervised("valkey", command, self.folder, partial(valkey_answers, self.valkey_url))
