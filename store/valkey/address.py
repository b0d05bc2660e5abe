"""Where Valkey is, in one setting: a single server, a service that Sentinels watch, or a Cluster.

All our keys carry one hash tag, so in a Cluster they live together on one primary. Thus the three
line-ups differ in one question only, which server is the primary now (`store/valkey/primary.py`);
scripts, pipelines, streams and subscriptions are the same on all of them.
"""

import re
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import SplitResult, unquote, urlsplit

import redis
import redis.asyncio
from redis.backoff import ExponentialWithJitterBackoff

from config.settings import BadSetting
from store.valkey.primary import Finder, SentinelFinder, SlotFinder, async_pool, pool

TAG = "{watchfloor}"
"""What every key begins with: the part in braces decides on which primary of a Cluster a key is."""
SINGLE_SCHEMES = ("redis", "rediss", "unix")
FORMS = "redis[s]://HOST:PORT, sentinel://HOST:PORT,HOST:PORT,…/SERVICE or cluster://HOST:PORT,HOST:PORT,…"
NODE = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\[\]:/?#@\s]+):(\d{1,5})")

ANSWER_S, CONNECT_S = 5.0, 2.0
RETRIES = 3
"""Enough to take up a connection that broke and to ask for the new primary; who calls decides how long to go on."""


@dataclass(frozen=True)
class ValkeyAddress:
    """A line-up of Valkey."""

    kind: Literal["single", "sentinel", "cluster"]
    url: str
    """Of the single server; '' for the others."""
    nodes: tuple[tuple[str, int], ...] = ()
    """Sentinels, or some servers of a Cluster: one that answers is enough."""
    service: str = ""
    username: str | None = None
    password: str | None = None
    """Of the servers that hold data; Sentinels are asked without."""

    @classmethod
    def of(cls, url: str) -> "ValkeyAddress":
        """Read the setting; raises BadSetting, which never repeats the address, since it may hold a password."""
        try:
            parts = urlsplit(url)
        except ValueError as error:
            raise _bad(f"is no address: {error}") from error
        if parts.scheme in SINGLE_SCHEMES:
            return cls("single", _checked(url))
        if parts.scheme == "sentinel":
            service = unquote(parts.path.removeprefix("/"))
            if not service or "/" in service:
                raise _bad("names no service: sentinel://HOST:PORT,…/SERVICE, as in `sentinel monitor SERVICE …`")
            return cls("sentinel", "", _nodes(parts), service, *_credentials(parts))
        if parts.scheme == "cluster":
            if parts.path not in ("", "/"):
                raise _bad("has something behind the servers: a Cluster has no databases to choose from")
            return cls("cluster", "", _nodes(parts), "", *_credentials(parts))
        raise _bad(f"begins with {parts.scheme!r}; it is one of {FORMS}")

    @property
    def copies(self) -> int:
        """On how many disks besides the primary's a promise has to be."""
        return 0 if self.kind == "single" else 1

    def client(self, retries: int = RETRIES) -> Any:
        """A client of the primary; Any, because redis-py's types are unions over every protocol and decoding."""
        options = _patience(redis.retry.Retry, retries)
        if self.kind == "single":
            return redis.Redis.from_url(self.url, **options)
        return redis.Redis.from_pool(pool(self._finder(), self._credentials() | options))

    def async_client(self) -> Any:
        """The same for an event loop."""
        options = _patience(redis.asyncio.retry.Retry, RETRIES)
        if self.kind == "single":
            return redis.asyncio.Redis.from_url(self.url, **options)
        return redis.asyncio.Redis.from_pool(async_pool(self._finder(), self._credentials() | options))

    def _finder(self) -> Finder:
        if self.kind == "sentinel":
            return SentinelFinder(self.nodes, self.service)
        return SlotFinder(self.nodes, TAG, self._credentials())

    def _credentials(self) -> dict[str, Any]:
        return {"username": self.username, "password": self.password}


def _patience(retry: type, retries: int) -> dict[str, Any]:
    pauses = ExponentialWithJitterBackoff(base=0.05, cap=0.5)
    return {"socket_timeout": ANSWER_S, "socket_connect_timeout": CONNECT_S, "retry": retry(pauses, retries)}


def _checked(url: str) -> str:
    """A single server's URL, if redis-py can read it."""
    try:
        redis.connection.parse_url(url)
    except ValueError as error:
        raise _bad(f"cannot be read: {error}") from error
    return url


def _nodes(parts: SplitResult) -> tuple[tuple[str, int], ...]:
    if parts.query or parts.fragment:
        raise _bad("has a ? or #: there are no further options")
    found = []
    for text in parts.netloc.rpartition("@")[2].split(","):
        node = NODE.fullmatch(text)
        if node is None or not 0 < int(node[2]) < 65_536:
            raise _bad(f"names {text!r}, which is no HOST:PORT; it is {FORMS}")
        found.append((node[1].strip("[]"), int(node[2])))
    return tuple(found)


def _credentials(parts: SplitResult) -> tuple[str | None, str | None]:
    name, _, password = parts.netloc.rpartition("@")[0].partition(":")
    return unquote(name) or None, unquote(password) or None


def _bad(reason: str) -> BadSetting:
    return BadSetting("VALKEY_URL", reason)
