"""A real cluster on this machine: two shards of two replicas with ZooKeeper, from Debian's packages.

`make clickhouse` unpacks the packages into PACKAGES; nothing is installed and no service is started. Servers are
children of the test process and end with it.
"""

import atexit
import os
import shutil
import signal
import subprocess
import tempfile
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from zlib import crc32

import httpx

from config.catalogue import Catalogue
from store.facts.clickhouse import ClickHouseHistory
from tests.support.ports import free_ports, takes_connections
from tests.support.processes import DIES_WITH_US
from tests.support.waiting import eventually

PACKAGES = Path(os.environ.get("WATCHFLOOR_CLICKHOUSE", Path.home() / ".cache/watchfloor/clickhouse"))
CLUSTER = "watchfloor"
ANSWERS_S = 30
KEPT = 8
"""Databases that are not dropped yet: a store of several tiers has one for each."""
SESSION_MS = 1500
"""After which ZooKeeper takes a silent replica for dead."""

_ZOOKEEPER = """
tickTime=200
dataDir={folder}
clientPort={port}
clientPortAddress=127.0.0.1
admin.enableServer=false
forceSync=no
"""

_USERS = """
<yandex>
    <profiles><default><max_memory_usage>4000000000</max_memory_usage></default></profiles>
    <users><default>
        <password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>
    </default></users>
    <quotas><default></default></quotas>
</yandex>"""

_SERVER = """
<yandex>
    <logger><level>warning</level><log>{folder}/log</log><errorlog>{folder}/errors</errorlog></logger>
    <http_port>{http}</http_port><tcp_port>{native}</tcp_port>
    <interserver_http_port>{between}</interserver_http_port><interserver_http_host>127.0.0.1</interserver_http_host>
    <listen_host>127.0.0.1</listen_host>
    <path>{folder}/data/</path><tmp_path>{folder}/tmp/</tmp_path><users_config>users.xml</users_config>
    <default_profile>default</default_profile><default_database>default</default_database>
    <mark_cache_size>100000000</mark_cache_size><uncompressed_cache_size>0</uncompressed_cache_size>
    <zookeeper>
        <node index="1"><host>127.0.0.1</host><port>{zookeeper}</port></node>
        <session_timeout_ms>{session}</session_timeout_ms>
    </zookeeper>
    <macros><shard>{shard}</shard><replica>{name}</replica></macros>
    <remote_servers><{cluster}>{shards}</{cluster}></remote_servers>
</yandex>"""


class Process:
    """A child that ends with this process, with a word about how to see whether it answers."""

    def __init__(self, command: list[str], port: int, log: Path, environment: dict[str, str] | None = None) -> None:
        self._command, self._port, self._log = command, port, log
        self._environment = {**os.environ, **(environment or {})}
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._running = subprocess.Popen(
                [*DIES_WITH_US, *self._command], stdout=log, stderr=log, env=self._environment
            )

    def wait(self) -> None:
        """Until it takes connections."""
        eventually(self._answers, f"{self._command[0]} answers; it said in {self._log}")

    def _answers(self) -> bool:
        assert self._running is not None
        assert self._running.poll() is None, f"{self._command[0]} ended: {self._log.read_text()[-2000:]}"
        return takes_connections(self._port)

    def kill(self) -> None:
        """SIGKILL: nothing is flushed, nobody is told."""
        if self._running is not None:
            self._running.send_signal(signal.SIGKILL)
            self._running.wait()
            self._running = None


class Cluster:
    """Four servers and a ZooKeeper; `url(database)` is what `ClickHouseHistory` takes."""

    def __init__(self, folder: Path) -> None:
        assert (PACKAGES / "usr/sbin/clickhouse-server").exists(), f"nothing in {PACKAGES}: run `make clickhouse`"
        self.folder = folder
        self._databases: deque[str] = deque()
        numbers = free_ports(13)
        self.http = numbers[:4]
        self._native, self._between, keeper = numbers[4:8], numbers[8:12], numbers[12]
        self.zookeeper = _zookeeper(folder / "zookeeper", keeper)
        self.servers = [self._server(number, keeper) for number in range(4)]
        for process in (self.zookeeper, *self.servers):
            process.start()
        for process in (self.zookeeper, *self.servers):
            process.wait()
        for number in range(4):
            self.wait_for_zookeeper(number)

    def url(self, database: str) -> str:
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.http)
        return f"clickhouse://{hosts}/{database}?cluster={CLUSTER}"

    def open(self, folder: Path, catalogue: Catalogue) -> ClickHouseHistory:
        """The history that belongs to a folder; of earlier ones only the last few are kept."""
        database = f"d{crc32(str(folder).encode()):08x}"
        if database not in self._databases:
            self._databases.append(database)
            if len(self._databases) > KEPT:
                self.drop(self._databases.popleft())
        return ClickHouseHistory(self.url(database), catalogue)

    def tell(self, number: int, statement: str) -> str:
        """What one server says to a statement."""
        answer = httpx.post(f"http://127.0.0.1:{self.http[number]}/", content=statement, timeout=ANSWERS_S)
        return answer.raise_for_status().text

    def wait_for_zookeeper(self, number: int) -> None:
        """Until a server has a session."""
        eventually(
            lambda: self.tell(number, "SELECT count() FROM system.zookeeper WHERE path = '/'"),
            f"server {number} has a session with ZooKeeper",
            but=httpx.HTTPError,
        )

    def drop(self, database: str) -> None:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda number: self.tell(number, f"DROP DATABASE IF EXISTS {database}"), range(4)))

    def stop(self) -> None:
        for process in (*self.servers, self.zookeeper):
            process.kill()
        shutil.rmtree(self.folder)

    def _server(self, number: int, keeper: int) -> Process:
        folder = self.folder / str(number)
        folder.mkdir(parents=True)
        shards = "".join(
            "<shard><internal_replication>true</internal_replication>"
            + "".join(f"<replica><host>127.0.0.1</host><port>{port}</port></replica>" for port in pair)
            + "</shard>"
            for pair in (self._native[:2], self._native[2:])
        )
        ports = {"http": self.http[number], "native": self._native[number], "between": self._between[number]}
        told = {"shard": number // 2 + 1, "name": number, "zookeeper": keeper, "session": SESSION_MS}
        text = _SERVER.format(folder=folder, shards=shards, cluster=CLUSTER, **ports, **told)
        (folder / "config.xml").write_text(text)
        (folder / "users.xml").write_text(_USERS)
        libraries = ":".join(str(PACKAGES / path) for path in ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"))
        command = [str(PACKAGES / "usr/sbin/clickhouse-server"), f"--config-file={folder}/config.xml"]
        return Process(command, self.http[number], folder / "out", {"LD_LIBRARY_PATH": libraries})


@cache
def shared_cluster() -> Cluster:
    """One cluster for all tests of this process that leave it whole; it ends with the process."""
    cluster = Cluster(Path(tempfile.mkdtemp(prefix="watchfloor-clickhouse-", dir="/tmp")))
    atexit.register(cluster.stop)
    return cluster


def _zookeeper(folder: Path, port: int) -> Process:
    folder.mkdir(parents=True)
    (folder / "zoo.cfg").write_text(_ZOOKEEPER.format(folder=folder, port=port))
    jars = PACKAGES / "usr/share/java"
    wanted = ("zookeeper", "zookeeper-jute", "slf4j-api", "slf4j-nop", "metrics-core", "snappy-java")
    path = ":".join([*(str(jars / f"{name}.jar") for name in wanted), *map(str, jars.glob("netty-*.jar"))])
    lean = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    main = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
    return Process(["java", *lean, "-cp", path, main, str(folder / "zoo.cfg")], port, folder / "out")
