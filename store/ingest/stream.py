"""The push endpoint's stream: on disk before the answer, once a key, never more than it can hold.

On disk is the disk of the primary and, where Valkey is replicated, of a replica too: then what was answered
survives the primary's death with its disk. Every step that must not come apart is one script in Valkey, so a
kill at any instant leaves either all of it or nothing:

1. `append` remembers the key with the body's digest and puts the body at the end of the stream.
2. `read` gives the pipeline what nobody has done yet: first what an earlier process left half done.
   What the push endpoint refused travels the same way, for the steward.
3. `done` deletes what is stored, or kept aside by whoever read it.

Nothing else takes a body out of the stream: one that was tried too often says so (`Pushed.tries`), and is given again
until whoever reads it has kept it aside.
"""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import redis

from metrics.observations import NaiveTime
from store.faults import KeyConflict, StoreFull, StoreUnreachable
from store.ingest.holding import Holding
from store.ingest.lag import Lag
from store.valkey.address import TAG, ValkeyAddress
from store.valkey.durability import Durability
from store.valkey.faults import valkey_faults

STREAM = f"{TAG}:ingest"
HELD = f"{STREAM}:bytes"
GROUP = "pipeline"

_APPEND = """
local known = KEYS[3] and redis.call('GET', KEYS[3])
if known then
    -- A write, so that the wait for the replica's disk that follows covers the first one too.
    redis.call('EXPIRE', KEYS[3], ARGV[5])
    local digest, id = string.match(known, '^(%x+) (.+)$')
    if digest == ARGV[1] then return {'duplicate', id} end
    return {'conflict', id}
end
local body = ARGV[8]
local held = tonumber(redis.call('GET', KEYS[2]) or '0')
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[3]) then return {'full', 'entries'} end
if held + #body > tonumber(ARGV[4]) then return {'full', 'bytes'} end
local id = redis.call('XADD', KEYS[1], '*', 'channel', ARGV[6], 'key', ARGV[7], 'body', body,
    'received_at', ARGV[2], 'refused', ARGV[9], 'source', ARGV[10])
if KEYS[3] then redis.call('SET', KEYS[3], ARGV[1] .. ' ' .. id, 'EX', ARGV[5]) end
redis.call('INCRBY', KEYS[2], #body)
return {'accepted', id}"""

_DONE = """
local gone = 0
for position = 2, #ARGV do
    local entry = redis.call('XRANGE', KEYS[1], ARGV[position], ARGV[position])[1]
    if entry then
        redis.call('DECRBY', KEYS[2], #entry[2][6])
        redis.call('XDEL', KEYS[1], ARGV[position])
        gone = gone + 1
    end
    redis.call('XACK', KEYS[1], ARGV[1], ARGV[position])
end
return gone"""


@dataclass(frozen=True)
class Limits:
    """How much may wait, how often it is tried, how long a key is remembered."""

    entries: int = 10_000
    bytes: int = 256 * 1024 * 1024
    deliveries: int = 5
    """Tries after which a body is to be kept aside, since it would stop what is behind it."""
    reclaim_after_s: float = 60.0
    """A body that was taken this long ago, is not done, and is not worked on, is given again."""
    silent_s: float = 10.0
    """A consumer that was not heard of for so long is dead: its bodies are given to others."""
    beat_s: float = 2.0
    """How often one at work gives a sign of life."""
    forget_s: float = 3600.0
    """How long the name of a dead consumer is kept."""
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
    source: str
    key: str
    body: bytes
    received_at: datetime
    refused: bool
    """Whether the push endpoint did not take it: nothing of it may count, the steward shall see it."""
    tries: int = 1
    """How often it was given, this time included."""


class Ingest:
    """The stream's two ends; `limits` should be the same at both."""

    def __init__(self, url: str, consumer: str = "pipeline", limits: Limits = Limits()) -> None:
        address = ValkeyAddress.of(url)
        self._client: Any = address.client()
        # A read that was repeated in silence would leave behind what was on its way here, until it is reclaimed.
        self._reader: Any = address.client(retries=0)
        self._promise = Durability(self._client, address.copies)
        self._consumer = consumer
        self.limits = limits
        self._finish = self._client.register_script(_DONE)
        self._lag = Lag(self._client, STREAM)
        self._holding = Holding(self._client, STREAM, GROUP, consumer, limits.beat_s)
        self._joined = False
        self._left_over: bytes | str | None = "0"
        """Id behind which bodies may stand that were taken under this name and not done; None: all were given again."""

    def append(self, channel: str, source: str, key: str, body: bytes, received_at: datetime) -> Accepted:
        """Put a body on disk; raises KeyConflict, StoreFull, or StoreUnreachable when nothing can be promised."""
        remembered = f"{STREAM}:key:{channel}/{source}:{key}"
        answer, detail = self._put([STREAM, HELD, remembered], (channel, source), key, body, received_at)
        if answer == b"conflict":
            raise KeyConflict(f"key {key!r} was used before with another body (entry {detail}): use a new key")
        return Accepted(detail, answer == b"duplicate")

    def refuse(self, channel: str, source: str, body: bytes, received_at: datetime) -> None:
        """Put a body that its receiver did not take on disk, for the steward; raises StoreFull, StoreUnreachable."""
        self._put([STREAM, HELD], (channel, source), "", body, received_at, refused=True)

    def _put(
        self, keys: list[str], sender: tuple[str, str], key: str, body: bytes, at: datetime, refused: bool = False
    ) -> tuple[bytes, str]:
        channel, source = sender
        if at.tzinfo is None:
            raise NaiveTime(f"push {key!r} of {channel}: received_at has no time zone")
        limits, digest = self.limits, hashlib.sha256(body).hexdigest()
        bounds = (limits.entries, limits.bytes, limits.remember_s)
        told = [digest, at.isoformat(), *bounds, channel, key, body, int(refused), source]
        answer, detail = self._promise.keep(_APPEND, keys, told)
        if answer == b"full":
            raise StoreFull(
                f"{detail.decode()} at their limit: {limits.entries} entries, {limits.bytes} bytes may wait"
            )
        return answer, detail.decode()

    def read(self, count: int = 100, block_ms: int = 1000) -> tuple[Pushed, ...]:
        """Bodies not done yet: left over by a crash, given up by another consumer, then new ones; oldest first.

        Each is given again after `reclaim_after_s`, or when its reader is dead, until `done` is called for it.
        """
        try:
            with valkey_faults():
                self._join()
                waiting = self._own_left_over(count) or self._given_up(count)
                if waiting:
                    return waiting
                answer = self._reader.xreadgroup(GROUP, self._consumer, {STREAM: ">"}, count=count, block=block_ms)
                return _pushed(answer[0][1]) if answer else ()
        except StoreUnreachable:
            # A lost link may have swallowed bodies on their way here, a fail-over the group itself.
            self._joined, self._left_over = False, "0"
            raise

    def held(self, ids: Sequence[str]) -> AbstractContextManager[None]:
        """Work on bodies that were read, for as long as it takes, without another consumer taking them over."""
        return self._holding.held(ids)

    def done(self, ids: Sequence[str]) -> None:
        """Delete bodies that are stored, or kept aside."""
        if ids:
            with valkey_faults():
                self._finish(keys=[STREAM, HELD], args=[GROUP, *ids])

    def give_again(self, ids: Sequence[str]) -> None:
        """Give bodies again at the next `read`, as if for the first time: that they were not done was not their fault.

        Else they would wait for `reclaim_after_s`, and an outage of minutes would use up their `deliveries`.
        """
        self._left_over = "0"
        if ids:
            with valkey_faults():
                self._client.xclaim(STREAM, GROUP, self._consumer, 0, list(ids), retrycount=0, justid=True)

    def waiting(self) -> int:
        """Bodies that are not done yet."""
        with valkey_faults():
            return int(self._client.xlen(STREAM))

    def behind_s(self) -> float:
        """How old figures are because of what waits, in seconds: see `Lag`."""
        return self._lag.behind_s()

    def check_durable(self) -> None:
        """Refuse a Valkey that could lose what the push endpoint has promised; raises NotDurable, StoreUnreachable."""
        self._promise.check()

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()
        self._reader.close()

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
            if found := self._with_tries(_pushed(entries)):
                return found
        return ()

    def _given_up(self, count: int) -> tuple[Pushed, ...]:
        """What was taken too long ago, by this consumer or another, or by one that is dead."""
        limits = self.limits
        self._holding.bury(limits.silent_s, limits.forget_s, limits.reclaim_after_s)
        idle_ms = int(limits.reclaim_after_s * 1000)
        _, entries, _ = self._client.xautoclaim(STREAM, GROUP, self._consumer, min_idle_time=idle_ms, count=count)
        return self._with_tries(_pushed(entries))

    def _with_tries(self, entries: tuple[Pushed, ...]) -> tuple[Pushed, ...]:
        """The same bodies, each with how often it was given; Valkey counts."""
        asked = self._client.pipeline(transaction=False)
        for entry in entries:
            asked.xpending_range(STREAM, GROUP, entry.id, entry.id, 1)
        given = asked.execute() if entries else []
        # What others have finished meanwhile is held by nobody any more.
        tries = [rows[0]["times_delivered"] if rows else 1 for rows in given]
        return tuple(replace(entry, tries=number) for entry, number in zip(entries, tries, strict=True))


def _pushed(entries: Sequence[tuple[bytes, Mapping[bytes, bytes]]]) -> tuple[Pushed, ...]:
    return tuple(
        Pushed(
            id=name.decode(),
            channel=fields[b"channel"].decode(),
            source=fields[b"source"].decode(),
            key=fields[b"key"].decode(),
            body=fields[b"body"],
            received_at=datetime.fromisoformat(fields[b"received_at"].decode()),
            refused=fields.get(b"refused") == b"1",
        )
        for name, fields in entries
        if fields
    )
