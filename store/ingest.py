"""The push door's stream: on disk before the answer, once a key, never more than it can hold.

Every step that must not come apart is one script in Valkey, so a kill at any instant leaves either
all of it or nothing:

1. `append` remembers the key with the body's digest and puts the body at the end of the stream.
2. `read` gives the pipeline what nobody has done yet: first what an earlier process left half done.
3. `done` deletes what is stored. What was delivered too often without being done is moved aside.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import redis

from metrics.observations import NaiveTime

STREAM = "watchfloor:ingest"
HELD = "watchfloor:ingest:bytes"
ASIDE = "watchfloor:ingest:aside"
GROUP = "pipeline"

_APPEND = """
local known = redis.call('GET', KEYS[3])
if known then
    local digest, id = string.match(known, '^(%x+) (.+)$')
    if digest == ARGV[4] then return {'duplicate', id} end
    return {'conflict', id}
end
local held = tonumber(redis.call('GET', KEYS[2]) or '0')
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[6]) then return {'full', 'entries'} end
if held + #ARGV[3] > tonumber(ARGV[7]) then return {'full', 'bytes'} end
local id = redis.call('XADD', KEYS[1], '*', 'channel', ARGV[1], 'key', ARGV[2], 'body', ARGV[3], 'received_at', ARGV[5])
redis.call('SET', KEYS[3], ARGV[4] .. ' ' .. id, 'EX', ARGV[8])
redis.call('INCRBY', KEYS[2], #ARGV[3])
return {'accepted', id}"""

_DONE = """
local gone = 0
for position = 3, #ARGV do
    local entry = redis.call('XRANGE', KEYS[1], ARGV[position], ARGV[position])[1]
    if entry then
        if ARGV[2] == 'aside' then redis.call('XADD', KEYS[3], 'MAXLEN', '1000', '*', unpack(entry[2])) end
        redis.call('DECRBY', KEYS[2], #entry[2][6])
        redis.call('XDEL', KEYS[1], ARGV[position])
        gone = gone + 1
    end
    redis.call('XACK', KEYS[1], ARGV[1], ARGV[position])
end
return gone"""


class Conflict(ValueError):
    """The idempotency key was used before with another body."""


class Full(RuntimeError):
    """The stream holds as much as it may: nothing was taken, the sender must try again later."""


class Unreachable(RuntimeError):
    """Valkey does not answer or refuses: nothing can be promised, and nothing was lost."""


class NotDurableError(OSError):
    """This Valkey may lose what it has answered for: the push door must not open on it."""


@dataclass(frozen=True)
class Limits:
    """How much may wait, how often it is tried, how long a key is remembered."""

    entries: int = 10_000
    bytes: int = 256 * 1024 * 1024
    deliveries: int = 5
    reclaim_after_s: float = 60.0
    """A body that another consumer took this long ago without finishing is taken over."""
    remember_s: int = 7 * 86_400


@dataclass(frozen=True)
class Accepted:
    """The answer to a push: its id in the stream, the same one for a repetition."""

    id: str
    duplicate: bool


@dataclass(frozen=True)
class Pushed:
    """One pushed body that waits for the pipeline."""

    id: str
    channel: str
    key: str
    body: bytes
    received_at: datetime


class Ingest:
    """The stream's two ends; `limits` should be the same at both."""

    def __init__(self, url: str, consumer: str = "pipeline", limits: Limits = Limits()) -> None:
        self._client: Any = redis.Redis.from_url(url)  # its types are unions over every protocol and decoding
        self._consumer = consumer
        self._limits = limits
        self._append = self._client.register_script(_APPEND)
        self._finish = self._client.register_script(_DONE)
        self._joined = False
        self._left_over: bytes | str | None = "0"
        """Id behind which bodies may stand that an earlier process of this name took; None: all were given again."""

    def append(self, channel: str, key: str, body: bytes, received_at: datetime) -> Accepted:
        """Put a body on disk; raises Conflict, Full, or Unreachable when nothing can be promised."""
        if received_at.tzinfo is None:
            raise NaiveTime(f"push {key!r} of {channel}: received_at has no time zone")
        limits, digest = self._limits, hashlib.sha256(body).hexdigest()
        bounds = (limits.entries, limits.bytes, limits.remember_s)
        with _reaching():
            answer, detail = self._append(
                keys=[STREAM, HELD, f"{STREAM}:key:{channel}:{key}"],
                args=[channel, key, body, digest, received_at.isoformat(), *bounds],
            )
        if answer == b"conflict":
            raise Conflict(f"key {key!r} was used before with another body (entry {detail.decode()}): use a new key")
        if answer == b"full":
            raise Full(f"{detail.decode()} at their limit: {limits.entries} entries, {limits.bytes} bytes may wait")
        return Accepted(detail.decode(), answer == b"duplicate")

    def read(self, count: int = 100, block_ms: int = 1000) -> tuple[Pushed, ...]:
        """Bodies not done yet: left over by a crash, given up by another consumer, then new ones; oldest first.

        Each is given again after `reclaim_after_s` until `done` is called for it; one that was given
        `deliveries` times without being done is moved aside.
        """
        with _reaching():
            self._join()
            waiting = self._own_left_over(count) or self._given_up(count)
            if waiting:
                return waiting
            answer = self._client.xreadgroup(GROUP, self._consumer, {STREAM: ">"}, count=count, block=block_ms)
            return _pushed(answer[0][1]) if answer else ()

    def done(self, ids: Sequence[str]) -> None:
        """Delete bodies whose rows are stored."""
        if ids:
            with _reaching():
                self._finish(keys=[STREAM, HELD, ASIDE], args=[GROUP, "done", *ids])

    def aside(self, count: int = 100) -> tuple[Pushed, ...]:
        """Bodies that were given up, newest first (the last 1,000 are kept)."""
        with _reaching():
            return _pushed(self._client.xrevrange(ASIDE, count=count))

    def waiting(self) -> int:
        """Bodies that are not done yet."""
        with _reaching():
            return int(self._client.xlen(STREAM))

    def check_durable(self) -> None:
        """Refuse a Valkey that could lose what the push door has promised; raises NotDurableError, Unreachable."""
        if not self.durable():
            raise NotDurableError(
                "Valkey answers before it has written to disk: set `appendonly yes` and `appendfsync always` there"
            )

    def durable(self) -> bool:
        """Whether this Valkey has every write on disk before it answers: the push door promises just that."""
        with _reaching():
            settings: dict[str, str] = self._client.config_get("append*")
        return settings.get("appendonly") == "yes" and settings.get("appendfsync") == "always"

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def _join(self) -> None:
        """Make the group that shares the stream's bodies out, once."""
        if self._joined:
            return
        try:
            self._client.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
        except redis.ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise
        self._joined = True

    def _own_left_over(self, count: int) -> tuple[Pushed, ...]:
        """What an earlier process of this name took and did not finish, each once."""
        while self._left_over is not None:
            answer = self._client.xreadgroup(GROUP, self._consumer, {STREAM: self._left_over}, count=count)
            entries = answer[0][1] if answer else []
            self._left_over = entries[-1][0] if entries else None
            kept = self._without_hopeless(_pushed(entries))
            if kept:
                return kept
        return ()

    def _given_up(self, count: int) -> tuple[Pushed, ...]:
        """What was taken too long ago, by this consumer or another."""
        idle_ms = int(self._limits.reclaim_after_s * 1000)
        _, entries, _ = self._client.xautoclaim(STREAM, GROUP, self._consumer, min_idle_time=idle_ms, count=count)
        return self._without_hopeless(_pushed(entries))

    def _without_hopeless(self, entries: tuple[Pushed, ...]) -> tuple[Pushed, ...]:
        """Move aside what was delivered too often: it would stop everything behind it."""
        if not entries:
            return ()
        pending = self._client.xpending_range(STREAM, GROUP, entries[0].id, entries[-1].id, len(entries) * 10)
        hopeless = [row["message_id"].decode() for row in pending if row["times_delivered"] > self._limits.deliveries]
        if hopeless:
            self._finish(keys=[STREAM, HELD, ASIDE], args=[GROUP, "aside", *hopeless])
        return tuple(entry for entry in entries if entry.id not in hopeless)


@contextmanager
def _reaching() -> Iterator[None]:
    """Tell a lost link, and a server that is out of memory, in this module's own words."""
    try:
        yield
    except redis.OutOfMemoryError as error:
        raise Full(f"Valkey is out of memory: {error}") from error
    except redis.RedisError as error:
        raise Unreachable(f"Valkey: {error}") from error


def _pushed(entries: Sequence[tuple[bytes, Mapping[bytes, bytes]]]) -> tuple[Pushed, ...]:
    return tuple(
        Pushed(
            id=name.decode(),
            channel=fields[b"channel"].decode(),
            key=fields[b"key"].decode(),
            body=fields[b"body"],
            received_at=datetime.fromisoformat(fields[b"received_at"].decode()),
        )
        for name, fields in entries
        if fields
    )
