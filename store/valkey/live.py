"""The newest snapshot, from the pipeline to every web process, through Valkey.

All frames are replaced in one step, then the generation is told to whoever listens; the blob itself
is read from its keys, once by each web process. The snapshot is kept out of the append-only file and is not sent
to replicas: it is made anew every tick and must not wear the disks that the push endpoint's promise stands on.
After a fail-over there is none until the next tick; what a replica got of it by a full copy is deleted there, so
that an old one never comes back.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import pandas as pd
import redis
import redis.asyncio

from metrics.readings import Snapshot
from store.faults import StoreFault
from store.valkey.address import TAG, ValkeyAddress
from store.valkey.faults import valkey_faults
from store.valkey.packing import pack, unpack

HEAD = f"{TAG}:snapshot"
CHANNEL = "watchfloor:generation"
FRAMES = tuple(field.name for field in fields(Snapshot) if field.type is pd.DataFrame)
KEYS = (HEAD, *(f"{HEAD}:{name}" for name in FRAMES))

_PUBLISH = """
redis.set_repl(redis.REPL_REPLICA)
redis.call('DEL', unpack(KEYS))
redis.set_repl(redis.REPL_NONE)
for position, key in ipairs(KEYS) do redis.call('SET', key, ARGV[position + 1]) end
redis.call('PUBLISH', 'watchfloor:generation', ARGV[1])
return redis.status_reply('OK')"""

RECONNECT_S = (0.05, 2.0)
"""First and longest pause before listening again."""
SILENCE_S = 12.0
"""The pipeline publishes every 10 s at least: who hears nothing for longer may listen where nobody speaks any more."""


@dataclass(frozen=True)
class LiveHealth:
    """Whether Valkey answers, and what it shows."""

    reachable: bool
    detail: str = ""
    generation: int | None = None
    at: datetime | None = None


class Live:
    """Publish and read the snapshot; a `Live` belongs to one process, its methods to any thread."""

    def __init__(self, url: str) -> None:
        self._address = ValkeyAddress.of(url)
        self._client: Any = self._address.client()
        self._publish = self._client.register_script(_PUBLISH)

    def publish(self, snapshot: Snapshot) -> None:
        """Replace the snapshot as one and tell its generation; raises StoreUnreachable, StoreFull."""
        head = {"generation": snapshot.generation, "at": snapshot.at.isoformat(), "simulated": snapshot.simulated}
        frames = [pack(getattr(snapshot, name)) for name in FRAMES]
        with valkey_faults():
            self._publish(keys=KEYS, args=[snapshot.generation, json.dumps(head), *frames])

    def read(self) -> Snapshot | None:
        """The newest snapshot, all of one generation, or None before the first; raises StoreUnreachable."""
        with valkey_faults():
            head, *frames = self._client.mget(KEYS)
        if head is None or any(frame is None for frame in frames):
            return None
        known = json.loads(head)
        at = datetime.fromisoformat(known.pop("at"))
        return Snapshot(**known, at=at, **{name: unpack(data) for name, data in zip(FRAMES, frames, strict=True)})

    async def generations(self) -> AsyncIterator[int]:
        """Each new generation, for ever: the one that stands first, only the newest after a gap or a lost link.

        The link is made anew when it breaks and after a silence; each time it is asked who the primary is.
        """
        last: int | None = None
        pause = RECONNECT_S[0]
        while True:
            try:
                async with self._address.async_client() as client, client.pubsub() as listening:
                    await listening.subscribe(CHANNEL)
                    async for generation in _newest(client, listening):
                        pause = RECONNECT_S[0]
                        if generation != last:
                            last = generation
                            yield generation
            except (redis.RedisError, OSError):
                await asyncio.sleep(pause)
                pause = min(pause * 2, RECONNECT_S[1])

    def health(self) -> LiveHealth:
        """Whether Valkey answers and what it shows; never raises for a lost link."""
        try:
            with valkey_faults():
                head = self._client.get(HEAD)
        except StoreFault as error:
            return LiveHealth(False, str(error))
        if head is None:
            return LiveHealth(True)
        known = json.loads(head)
        return LiveHealth(True, "", known["generation"], datetime.fromisoformat(known["at"]))

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()


async def _newest(client: "redis.asyncio.Redis", listening: "redis.asyncio.client.PubSub") -> AsyncIterator[int]:
    """What stands once the subscription is there, then what is told, until a silence; what piled up is skipped."""
    while (message := await listening.get_message(timeout=SILENCE_S)) is not None:
        while (waiting := await listening.get_message(timeout=0)) is not None:
            message = waiting
        if message["type"] == "message":
            yield int(message["data"])
        else:
            head = await client.get(HEAD)
            if head is not None:
                yield int(json.loads(head)["generation"])
