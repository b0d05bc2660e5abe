"""Connections that go to whichever server is the primary now.

A connection asks who that is each time it is opened. One whose server says that it is no longer the one
(a fail-over, slots that moved) is closed and opened again; redis-py's own retries do the rest.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import redis
import redis.asyncio.sentinel
import redis.sentinel
from redis.backoff import NoBackoff
from redis.crc import key_slot
from redis.retry import Retry

from access.executor import Executor

ASK_S = 1.0
"""How long one server may take to say who the primary is."""
WAITING = 8
"""How many connections may wait to hear where the primary is."""
ELSEWHERE = (redis.exceptions.AskError, redis.exceptions.ClusterDownError, redis.exceptions.TryAgainError)
"""What a server of a Cluster answers when our keys are not with it, or not yet (a MOVED is an AskError to redis-py)."""

Host = tuple[str, int]


class Finder(Protocol):
    """Says which server is the primary."""

    def discover_master(self, name: str) -> Host:
        """Its address; raises redis.ConnectionError while nobody knows."""
        ...


class SentinelFinder:
    """Asks the Sentinels of a service, one after the other."""

    def __init__(self, sentinels: Sequence[Host], service: str) -> None:
        self._service = service
        self._sentinels = redis.sentinel.Sentinel(sentinels, sentinel_kwargs=_asking())

    def discover_master(self, name: str = "") -> Host:
        """What the first Sentinel that answers takes for the master."""
        host, port = self._sentinels.discover_master(self._service)
        return str(host), int(port)


class SlotFinder:
    """Asks the servers of a Cluster who has the slot of our keys."""

    def __init__(self, nodes: Sequence[Host], tag: str, credentials: dict[str, Any]) -> None:
        self._slot = key_slot(tag.encode())
        self._nodes, self._known = tuple(nodes), list(nodes)
        self._options = _asking() | credentials

    def discover_master(self, name: str = "") -> Host:
        """What the first server that answers says; another one is asked first next time, should it be behind."""
        said = []
        for node in list(self._known):
            self._known.append(self._known.pop(0))
            try:
                with redis.Redis(*node, **self._options) as client:
                    ranges = client.execute_command("CLUSTER", "SLOTS")
            except redis.RedisError as error:
                said.append(f"{node[0]}:{node[1]}: {error}")
                continue
            for first, last, *servers in ranges:
                if first <= self._slot <= last:
                    return self._learn(node, ranges, servers[0])
            said.append(f"{node[0]}:{node[1]}: nobody has slot {self._slot}")
        raise redis.ConnectionError("the Cluster's primary is not known: " + "; ".join(said))

    def _learn(self, asked: Host, ranges: Sequence[Any], owner: Sequence[Any]) -> Host:
        """Remember every server that was named: those of the setting may be gone one day."""
        named = [_host(server, asked) for _, _, *servers in ranges for server in servers]
        self._known = list(dict.fromkeys([*self._known, *named]))
        return _host(owner, asked)


def _host(server: Sequence[Any], asked: Host) -> Host:
    """A server's address; one that does not know its own is where it was asked."""
    host = server[0].decode() if server[0] else ""
    return host if host not in ("", "?") else asked[0], int(server[1])


def _asking() -> dict[str, Any]:
    return {"socket_timeout": ASK_S, "socket_connect_timeout": ASK_S, "retry": Retry(NoBackoff(), 0)}


class _ToPrimary(redis.sentinel.SentinelManagedConnection):
    """A connection that leaves a server which is not the primary of our keys any more."""

    def read_response(self, *arguments: Any, **options: Any) -> Any:
        """What the server answers; that our keys are elsewhere is told as a lost link, which is taken up again."""
        try:
            return super().read_response(*arguments, **options)
        except ELSEWHERE as error:
            self.disconnect()  # type: ignore[no-untyped-call] # redis-py gives it no types
            raise redis.ConnectionError(f"our keys are elsewhere: {error}") from error


class _AsyncToPrimary(redis.asyncio.sentinel.SentinelManagedConnection):
    async def read_response(self, *arguments: Any, **options: Any) -> Any:
        try:
            return await super().read_response(*arguments, **options)
        except ELSEWHERE as error:
            await self.disconnect()
            raise redis.ConnectionError(f"our keys are elsewhere: {error}") from error


class _Awaited:
    """A finder for an event loop: it asks in a thread of its own."""

    def __init__(self, finder: Finder) -> None:
        self._finder = finder
        self._executor = Executor("primary", 1, WAITING)

    async def discover_master(self, name: str) -> Host:
        return await self._executor.run(self._finder.discover_master, name)


def pool(finder: Finder, options: dict[str, Any]) -> redis.ConnectionPool:
    """Connections to the primary; redis-py's pool for Sentinels, which asks its manager and nothing else."""
    return redis.sentinel.SentinelConnectionPool("", finder, connection_class=_ToPrimary, **options)


def async_pool(finder: Finder, options: dict[str, Any]) -> redis.asyncio.ConnectionPool:
    """The same for an event loop."""
    manager = _Awaited(finder)
    return redis.asyncio.sentinel.SentinelConnectionPool("", manager, connection_class=_AsyncToPrimary, **options)
